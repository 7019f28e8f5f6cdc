/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * netlink.h: the one door for all netlink messages: a socket with extended acknowledgements, one send-and-collect function.
 */
#ifndef VFERRY_HOST_NETLINK_H
#define VFERRY_HOST_NETLINK_H

#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "base/reason.h"

struct netlink {
	struct nl_sock *socket;
	int family; /* generic netlink family id, 0 for rtnetlink */
};

/* Opens rtnetlink (family NULL) or generic netlink and resolves a family. -EOPNOTSUPP: the kernel has no such family. */
int netlink_open(struct netlink *nl, const char *family, struct reason *why);
void netlink_close(struct netlink *nl);

/*
 * Sends msg (consumed in every case) and calls each(reply, arg) for every reply until the kernel's acknowledgement or the end of the
 * dump. The kernel's own words (extended acknowledgement) go into *why. Also finds the error that a dump hides in NLMSG_DONE.
 * each returns 0 to go on, negative errno to fail. Return: 0 or negative errno.
 */
int netlink_call(struct netlink *nl, struct nl_msg *msg, int (*each)(struct nlmsghdr *reply, void *arg), void *arg,
		 const char *object, struct reason *why);

#define autonetlink __attribute__((cleanup(netlink_close)))

#endif
