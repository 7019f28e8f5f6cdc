/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * netdev.h: network devices, over rtnetlink.
 */
#ifndef VFERRY_HOST_NETDEV_H
#define VFERRY_HOST_NETDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mac_address.h"
#include "host/netlink.h"

struct netdev {
	uint32_t ifindex;
	char name[16];
	bool up;                    /* IFF_UP */
	bool carrier;               /* IFF_LOWER_UP */
	char parent[32];            /* IFLA_PARENT_DEV_NAME, the PCI address; a representor has its PF's */
	char port_name[32];         /* phys_port_name: "p0", "pf0vf3" */
	char switch_id[32];         /* phys_switch_id in hex */
	uint32_t master;            /* ifindex of bond, bridge or (for Open vSwitch) the datapath; 0: none */
	char master_kind[16];       /* "bond", "bridge", "openvswitch" */
	struct mac_address mac;
	unsigned int addresses;     /* IPv4 addresses and IPv6 addresses other than link-local */
	bool default_route;         /* a default route leaves through it */
};

/* All netdevs of this network namespace, into *list (malloc) and *count. */
int netdev_list(struct netlink *rt, struct netdev **list, size_t *count, struct reason *why);

/* Sets or clears IFF_UP. Doing it twice is harmless. */
int netdev_set_up(struct netlink *rt, uint32_t ifindex, bool up, struct reason *why);

/* In a list: by name or index; NULL if absent. */
const struct netdev *netdev_find(const struct netdev *list, size_t count, const char *name);
const struct netdev *netdev_find_index(const struct netdev *list, size_t count, uint32_t ifindex);

#endif
