/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * netlink.h: the one door for all netlink messages: a socket with extended acknowledgements, one send-and-collect function.
 */
#ifndef VFERRY_CARD_NETLINK_H
#define VFERRY_CARD_NETLINK_H

#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"

#define NETLINK_TEXT_MAX 256

struct netlink {
	struct nl_sock *socket;
	int family;                     /* generic netlink family id, 0 for rtnetlink */
	char warning[NETLINK_TEXT_MAX]; /* what the kernel said with its last success, "" nothing */
};

/* Opens rtnetlink (family NULL) or generic netlink and resolves a family. -EOPNOTSUPP: the kernel has no such family. */
int netlink_open(struct netlink *nl, const char *family, struct reason *why);
void netlink_close(struct netlink *nl);

/*
 * Opens rtnetlink of another network namespace. space: path of its file, "/proc/PID/ns/net" or "/run/netns/NAME". own: receives the number
 * by which that namespace knows ours, -1 if by none. -EPERM: not allowed to.
 */
int netlink_open_space(struct netlink *nl, const char *space, int *own, struct reason *why);

/*
 * Sends msg (consumed in every case) and calls each(reply, arg) for every reply, once the kernel's acknowledgement or the end of the
 * dump has come: a dump that the kernel had to break off is asked for again before the caller sees any of it. The kernel's own words
 * (extended acknowledgement) go into *why. Also finds the error that a dump hides in NLMSG_DONE.
 * each (may be NULL) returns 0 to go on, negative errno to fail. Return: 0 or negative errno.
 */
int netlink_call(struct netlink *nl, struct nl_msg *msg, int (*each)(struct nlmsghdr *reply, void *arg), void *arg,
		 const char *object, struct reason *why);

/*
 * The same for a read, which is made once more if it failed by what may be over a moment later (netlink_ask.c). Whether an error says that
 * what was asked for is not there: every other one says nothing about it.
 */
int netlink_ask(struct netlink *nl, struct nl_msg *msg, int (*each)(struct nlmsghdr *reply, void *arg), void *arg, const char *object,
		struct reason *why);
bool netlink_says_absent(int error);

/* The parsing half of netlink_call(), for tests and fuzzing: the replies to one request, as they come from the socket. */
struct netlink_answer {
	uint32_t sequence;              /* of the request: other messages are passed over */
	bool finished, interrupted;     /* the end has come; the kernel says that the dump is not consistent */
	int error;                      /* 0 or negative errno of the kernel */
	char text[NETLINK_TEXT_MAX];    /* extended acknowledgement, "" none */
	unsigned char *replies;         /* copies of the replies, one behind the other */
	size_t len, size;
};

/* Takes one datagram. Return: 0, -EMSGSIZE when the answer is larger than vferry accepts, -EPROTO for bytes that are no netlink. */
int netlink_answer_feed(struct netlink_answer *answer, const void *datagram, size_t len);
int netlink_answer_each(const struct netlink_answer *answer, int (*each)(struct nlmsghdr *reply, void *arg), void *arg);
void netlink_answer_release(struct netlink_answer *answer);

#define autonetlink __attribute__((cleanup(netlink_close)))

#endif
