/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answer.c: the way of bytes from a netlink socket to a parser. See answer.h.
 */
#include "answer.h"

#include <errno.h>

#include "base/scope.h"
#include "fuzz.h"

/* What is called for each reply. */
struct call {
	int (*each)(struct nlmsghdr *reply, void *arg);
	void *arg;
};

/* Calls it with a copy of the reply. */
static int with_copy(struct nlmsghdr *reply, void *arg)
{
	const struct call *call = arg;
	autofree struct nlmsghdr *copy = malloc(reply->nlmsg_len);

	REQUIRE(copy && reply->nlmsg_len >= sizeof(*reply));
	memcpy(copy, reply, reply->nlmsg_len);
	return call->each(copy, call->arg);
}

/* Feeds one datagram, in a copy of exactly its size. Return: as netlink_answer_feed(). */
static int feed(struct netlink_answer *answer, const uint8_t *data, size_t size)
{
	autofree uint8_t *copy = malloc(size ? size : 1);
	int error;

	REQUIRE(copy);
	if (size)
		memcpy(copy, data, size);
	if (!answer->sequence && size >= sizeof(struct nlmsghdr))
		memcpy(&answer->sequence, copy + offsetof(struct nlmsghdr, nlmsg_seq), sizeof(answer->sequence));
	error = netlink_answer_feed(answer, copy, size);
	REQUIRE(error == 0 || error == -EPROTO);
	REQUIRE(answer->error <= 0 && memchr(answer->text, '\0', sizeof(answer->text)));
	REQUIRE(answer->len <= answer->size);
	return error;
}

/* See answer.h. */
int answer_each(const uint8_t *data, size_t size, int (*each)(struct nlmsghdr *reply, void *arg), void *arg)
{
	struct netlink_answer answer = { 0 };
	struct call call = { each, arg };
	int error = 0;

	while (size >= 2 && !error && !answer.finished) {
		size_t length = data[0] | (size_t)data[1] << 8;

		data += 2;
		size -= 2;
		length = length < size ? length : size;
		error = feed(&answer, data, length);
		data += length;
		size -= length;
	}
	error = netlink_answer_each(&answer, with_copy, &call);
	netlink_answer_release(&answer);
	return error;
}
