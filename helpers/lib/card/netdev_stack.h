/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * netdev_stack.h: what is stacked on a network device, all the way up, and what shares a bridge with it.
 */
#ifndef VFERRY_CARD_NETDEV_STACK_H
#define VFERRY_CARD_NETDEV_STACK_H

#include "card/netdev.h"

#define NETDEV_MAX_RIDERS 256

/* One that loses its traffic when the device below does. */
struct netdev_rider {
	const struct netdev *netdev;
	bool is_member; /* it lies on nothing of it: it is another member of a bridge that does */
};

/*
 * Finds what rides on the device with an index. Pure. Open vSwitch's datapath is no rider: its bridges are told by its database.
 * Return: how many, at most max (more than that many are not looked for).
 */
size_t netdev_find_riders(const struct netdev *list, size_t count, uint32_t ifindex, struct netdev_rider *rider, size_t max);

/* Whether a device lies on the one with an index: here, or from another namespace. */
bool netdev_lies_on(const struct netdev *netdev, uint32_t ifindex);

/*
 * Notes in a list what lies on what, where rtnetlink does not tell it: what the kernel links in sysfs alone, such as a VXLAN and its
 * device, an HSR and its two.
 */
void netdev_complete_stack(struct netdev *list, size_t count);

#endif
