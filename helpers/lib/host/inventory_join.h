/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * inventory_join.h: how the lists of an inventory find each other. Pure; private to the inventory.
 */
#ifndef VFERRY_HOST_INVENTORY_JOIN_H
#define VFERRY_HOST_INVENTORY_JOIN_H

#include "host/inventory.h"
#include "card/netdev.h"

#define INVENTORY_MAX_NETDEVS 8192
#define INVENTORY_MAX_PORTS (INVENTORY_MAX_VFS + 64) /* of one PF: VFs, uplink, and what a BlueField adds */

struct netdev_part {
	size_t count;
	struct netdev netdev[INVENTORY_MAX_NETDEVS];
};

/*
 * Leaves out of a list what no card and no bridge has anything to do with: tap devices and veths of guests and containers that are in no
 * bridge of the kernel's, without addresses, routes and anything on them.
 */
void inventory_keep_netdevs(struct netdev *list, size_t *count);

/* Whether a netdev is the representor of a PF's VF, and a list of ports lacks its port. */
bool inventory_lacks_port(const struct inventory_pf *pf, const struct netdev *netdev, const struct devlink_port *ports, size_t count);

/* Whether each VF of a PF has exactly one representor that is called like it. */
bool inventory_are_named(const struct inventory_pf *pf, const struct netdev *list, size_t count);

/* Gives each VF its representor by these names: "port_unasked". */
void inventory_join_names(struct inventory_pf *pf, const struct netdev *list, size_t count);

/* Gives each VF its port, and the PF its uplink's ifindex. */
void inventory_join_ports(struct inventory_pf *pf, const struct devlink_port *ports, size_t count);

/* Finds uplink, representors and the VFs' own netdevs. */
void inventory_join_netdevs(struct inventory_pf *pf, const struct netdev *list, size_t count);

/* Finds the devices that ports of Open vSwitch lead to. */
void inventory_join_devices(struct inventory *inventory, const struct netdev *list, size_t count);

/* Finds the bridges of uplinks and representors. */
void inventory_join_ovs(struct inventory *inventory);

#endif
