/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * netdev.h: network devices, over rtnetlink.
 */
#ifndef VFERRY_CARD_NETDEV_H
#define VFERRY_CARD_NETDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mac_address.h"
#include "card/netlink.h"

struct netdev {
	uint32_t ifindex;
	char name[16];
	bool up;                    /* IFF_UP */
	bool carrier;               /* IFF_LOWER_UP */
	char kind[16];              /* "bond", "vlan", "openvswitch", …; "" for hardware */
	char parent[32];            /* IFLA_PARENT_DEV_NAME, the PCI address; a representor has its PF's */
	char port_name[32];         /* phys_port_name: "p0", "pf0vf3" */
	char switch_id[68];         /* phys_switch_id in hex */
	uint32_t master;            /* ifindex of bond, bridge or (for Open vSwitch) the datapath; 0: none */
	char master_kind[16];       /* "bond", "bridge", "openvswitch" */
	uint32_t lower;             /* ifindex of the device that it lies on, in this namespace: VLAN, macvtap, tunnel, whatever; 0: none */
	uint32_t second, third;     /* the same where it lies on several, as an HSR does; 0: none */
	uint32_t peer;              /* ifindex of a veth's other end, in this namespace; 0: none */
	uint32_t far;               /* as lower, in another namespace; 0: none */
	int far_space;              /* which: its number here, as IFLA_LINK_NETNSID tells it */
	unsigned int mtu;           /* bytes */
	unsigned int addresses;     /* its own IPv4 addresses and IPv6 addresses other than link-local */
	bool default_route;         /* a default route leaves through it */
	bool other_route;           /* another route that somebody set does */
	char space[64];             /* where it is, if in another network namespace: "process 4711 (pause)"; "" here */
	bool has_devlink_port;      /* the kernel tells its devlink port (Linux 6.2) */
	char devlink_bus[16], devlink_device[32];
	uint32_t devlink_index;
};

/* Netdevs while they are read. Zeroed: none; netdev is for free(3). */
struct netdev_list {
	struct netdev *netdev;
	size_t count, size;
};

/* Adds one to it. Return: 0, -ENOMEM. */
int netdev_add(struct netdev_list *list, const struct netdev *netdev);

/*
 * All netdevs of this network namespace, into *list (malloc) and *count. Those of a card are read without asking its firmware, and then
 * without "has_devlink_port" and "switch_id".
 */
int netdev_list(struct netlink *rt, struct netdev **list, size_t *count, struct reason *why);

/* All links of the network namespace that rt was opened in, by one dump: without "addresses" and routes. */
int netdev_list_links(struct netlink *rt, struct netdev **list, size_t *count, struct reason *why);

/* One netdev, by name or (NULL) by index, without what is joined: addresses, routes, "master_kind". -ENODEV: there is none. */
int netdev_get(struct netlink *rt, const char *name, uint32_t ifindex, struct netdev *netdev, struct reason *why);

/* netdev_sysfs.c: the uplink of a PF, by its port's name ("p0"), else its only netdev. Return: whether there is one to be seen. */
bool netdev_find_uplink(const char *pf, struct netdev *netdev);

/*
 * netdev_sysfs.c, all of them without asking a card's firmware. The links of this namespace; -ENOENT: sysfs does not list them. A netdev
 * that mlx5_core has made; false: there is none, or it is another's. The representor of a PF's VF, by its port's name; *netdev is it if the
 * result is 1: there may be several with one number (ports of another PF). One that was found before, by its name; false: it is that no more.
 * The numbers in "pf0vf3"; false: that is no such name.
 */
int netdev_list_quietly(struct netlink *rt, struct netdev_list *list, struct reason *why);
bool netdev_read_card(const char *name, struct netdev *netdev);
int netdev_find_representor(const char *pf, unsigned int vf, struct netdev *netdev);
bool netdev_read_representor(const char *pf, unsigned int vf, const char *name, struct netdev *netdev);
bool netdev_is_of_vf(const struct netdev *netdev, unsigned int *pf, unsigned int *vf);

/*
 * netdev_answers.c. Whether a netdev lives: one that its driver has taken off is listed, and answers nothing. True where the kernel cannot
 * tell. May block while the firmware works.
 */
bool netdev_answers(uint32_t ifindex);

/* Sets or clears IFF_UP. Doing it twice is harmless. */
int netdev_set_up(struct netlink *rt, uint32_t ifindex, bool up, struct reason *why);

/* Sets the MTU, in bytes. */
int netdev_set_mtu(struct netlink *rt, uint32_t ifindex, unsigned int mtu, struct reason *why);

/* What an administrator sets of a VF by way of the PF's netdev, in Mbit/s; 0: no limit. */
struct netdev_vf_rate {
	uint32_t min, max;
};

/* netdev_vf.c: reads and sets the rates of VF number index of the PF's netdev. -ENODEV: there is no such VF or netdev. */
int netdev_get_vf_rate(struct netlink *rt, const char *uplink, unsigned int index, struct netdev_vf_rate *rate, struct reason *why);
int netdev_set_vf_rate(struct netlink *rt, const char *uplink, unsigned int index, const struct netdev_vf_rate *rate, struct reason *why);

/* In a list: by name or index; NULL if absent. */
const struct netdev *netdev_find(const struct netdev *list, size_t count, const char *name);
const struct netdev *netdev_find_index(const struct netdev *list, size_t count, uint32_t ifindex);

/* The parsing half, for tests and fuzzing: one RTM_NEWLINK. -EPROTO: it is none. */
int netdev_parse_link(struct nlmsghdr *reply, struct netdev *netdev);

#endif
