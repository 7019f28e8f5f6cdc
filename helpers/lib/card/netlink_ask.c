/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * netlink_ask.c: reads of the kernel, which may be made again; and what their errors say.
 *
 * A read that failed says nothing about what was asked for: only ENODEV and ENOENT say that it is not there.
 */
#include <errno.h>
#include <netlink/msg.h>
#include <time.h>

#include "card/netlink.h"

#define PAUSE_MS 10 /* what disturbs a read is soon over */

/* Whether an error says that what was asked for is not there; see the header. */
bool netlink_says_absent(int error)
{
	return error == -ENODEV || error == -ENOENT;
}

/* Whether an error may be gone a moment later. One that has taken its time (ETIME) is none of these. */
static bool is_passing(int error)
{
	return error == -EAGAIN || error == -EINTR || error == -ENOBUFS || error == -EBUSY || error == -EIO;
}

/* Asks, and once more if that failed by what passes; see the header. */
int netlink_ask(struct netlink *nl, struct nl_msg *msg, int (*each)(struct nlmsghdr *reply, void *arg), void *arg, const char *object,
		struct reason *why)
{
	struct reason first = { 0 };
	int error;

	if (msg)
		nlmsg_get(msg); /* netlink_call() consumes one of them */
	error = netlink_call(nl, msg, each, arg, object, &first);
	if (msg && is_passing(error)) {
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
		return netlink_call(nl, msg, each, arg, object, why);
	}
	nlmsg_free(msg);
	if (error && why)
		*why = first;
	return error;
}
