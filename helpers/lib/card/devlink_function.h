/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * devlink_function.h: the function of a devlink port, as far as devlink.c needs it.
 */
#ifndef VFERRY_CARD_DEVLINK_FUNCTION_H
#define VFERRY_CARD_DEVLINK_FUNCTION_H

#include <netlink/attr.h>

#include "card/devlink.h"

/* DEVLINK_ATTR_PORT_FUNCTION of Linux include/uapi/linux/devlink.h, by a name of its own: headers have it as a part of an enum. */
#define DEVLINK_ATTR_PORT_FUNCTION_NEST 145

/* Reads the nest into a port. */
void devlink_read_function(struct nlattr *nest, struct devlink_port *port);

/* Begins a write to one port (devlink.c). Return: the message, NULL if out of memory. */
struct nl_msg *devlink_port_set_request(const struct netlink *nl, const struct devlink_port *port);

#endif
