/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * inventory_user.h: what a child reads of those who use a card in ways that its netdevs do not show. Private to the inventory.
 */
#ifndef VFERRY_HOST_INVENTORY_USER_H
#define VFERRY_HOST_INVENTORY_USER_H

#include "host/inventory.h"
#include "host/inventory_join.h"

#define INVENTORY_MAX_USERS 1024
#define INVENTORY_MAX_FAR 1024 /* netdevs in other network namespaces */

/* In memory that is shared with the child. */
struct inventory_user_part {
	size_t users, netdevs;
	bool is_unseen;
	struct device_user user[INVENTORY_MAX_USERS];
	struct netdev netdev[INVENTORY_MAX_FAR];
};

/*
 * Reads who has the functions of those cards that something may be changed of. Where little is asked (inventory_read_few()) that is not a
 * PF in switchdev mode whose uplink is a port of Open vSwitch, if the card's other ports are so too; it is never a VF that the host's own
 * driver does not hold. inventory: PFs and VFs are read, and joined with netdevs.
 */
void inventory_read_users(const struct inventory *inventory, const struct netdev_part *netdevs, struct inventory_user_part *part);

#endif
