/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * devlink_netdev.c: the devlink port of one netdev. A dump of all ports asks the firmware about each VF of the PF (Linux mlx5/core/
 * eswitch_offloads.c mlx5_devlink_port_fn_max_io_eqs_get(), since 6.13 also mlx5_devlink_port_fn_hw_addr_get()); this one about one VF.
 */
#include <errno.h>
#include <string.h>

#include "card/devlink.h"
#include "card/netdev.h"

/* Reads the port of a netdev; see the header. */
int devlink_port_of(struct netlink *nl, uint32_t ifindex, struct devlink_port *port, struct reason *why)
{
	autonetlink struct netlink rt = { 0 };
	struct devlink_port found = { 0 };
	struct netdev netdev;
	int error = netlink_open(&rt, NULL, why);

	if (!error)
		error = netdev_get(&rt, NULL, ifindex, &netdev, why);
	if (error)
		return error;
	if (!netdev.has_devlink_port)
		return reason_set(why, -EOPNOTSUPP, netdev.name, "the kernel does not tell its devlink port, which it does since Linux 6.2");
	memcpy(found.bus, netdev.devlink_bus, sizeof(found.bus));
	memcpy(found.device, netdev.devlink_device, sizeof(found.device));
	found.index = netdev.devlink_index;
	error = devlink_port_get(nl, &found, why);
	if (!error)
		*port = found;
	return error;
}
