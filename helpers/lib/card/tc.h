/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tc.h: traffic control rules of a network device, over rtnetlink. Reads only: they are somebody else's.
 */
#ifndef VFERRY_CARD_TC_H
#define VFERRY_CARD_TC_H

#include <stdint.h>

#include "card/netlink.h"

/*
 * Counts the filters at the ingress of a network device, offloaded or not, but for those that Open vSwitch has made.
 * Return: 0 with *count (0 too where it has no ingress qdisc), negative errno with *why.
 */
int tc_count_rules(struct netlink *rt, uint32_t ifindex, unsigned int *count, struct reason *why);

/* The parsing half, for tests: whether a message is a rule, and no header of a priority or chain. */
int tc_is_rule(const struct nlmsghdr *reply);

/* Whether a message is a rule that Open vSwitch has made. */
int tc_is_ovs_rule(struct nlmsghdr *reply);

#endif
