/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * netlink_space.c: rtnetlink of another network namespace. A socket belongs to the namespace in which it was made: this process goes there
 * only to make it. See netlink.h.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* setns */
#endif

#include <errno.h>
#include <fcntl.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <sched.h>
#include <string.h>

#include "base/scope.h"
#include "base/sysroot.h"
#include "card/netlink.h"

/* netlink_call()'s callback of RTM_GETNSID. arg: int, the number. */
static int on_number(struct nlmsghdr *reply, void *arg)
{
	struct nlattr *attribute[NETNSA_MAX + 1];

	if (reply->nlmsg_type == RTM_NEWNSID && nlmsg_parse(reply, sizeof(struct rtgenmsg), attribute, NETNSA_MAX, NULL) == 0 &&
	    attribute[NETNSA_NSID] && nla_len(attribute[NETNSA_NSID]) >= 4)
		*(int *)arg = (int)nla_get_u32(attribute[NETNSA_NSID]);
	return 0;
}

/* Asks by which number a namespace knows ours. home: descriptor of ours. Return: the number, -1 none. */
static int ask_number(struct netlink *nl, int home)
{
	const struct rtgenmsg header = { .rtgen_family = AF_UNSPEC };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETNSID, 0);
	int number = -1;

	if (msg && (nlmsg_append(msg, (void *)(uintptr_t)&header, sizeof(header), NLMSG_ALIGNTO) < 0 ||
		    nla_put_u32(msg, NETNSA_FD, (uint32_t)home) < 0)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	(void)netlink_call(nl, msg, on_number, &number, "network namespace", NULL);
	return number;
}

/* Opens rtnetlink of another network namespace; see the header. */
int netlink_open_space(struct netlink *nl, const char *space, int *own, struct reason *why)
{
	autoclose int home = sysroot_open(O_RDONLY, 0, "/proc/self/ns/net"), there = sysroot_open(O_RDONLY, 0, "%s", space);
	int error;

	memset(nl, 0, sizeof(*nl));
	if (home < 0 || there < 0)
		return reason_set(why, home < 0 ? home : there, space, "the network namespace cannot be opened");
	if (setns(there, CLONE_NEWNET) < 0)
		return reason_set(why, -errno, space, "the network namespace cannot be entered: %s", strerror(errno));
	error = netlink_open(nl, NULL, why);
	if (setns(home, CLONE_NEWNET) < 0 && !error) {
		error = reason_set(why, -errno, space, "there is no way back from the network namespace: %s", strerror(errno));
		netlink_close(nl);
	}
	if (!error)
		*own = ask_number(nl, home);
	return error;
}
