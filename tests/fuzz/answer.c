/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answer.c: the way of bytes from a netlink socket to a parser. See answer.h.
 */
#include "fuzz.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "answer.h"

#define ROOM (1u << 20) /* bytes; a datagram of an input is shorter */

/* What is called for each reply. */
struct call {
	int (*each)(struct nlmsghdr *reply, void *arg);
	void *arg;
};

/* Return: the end of memory behind which none may be read, by nobody: libnl is not compiled with ASan. */
static uint8_t *end_of_memory(void)
{
	static uint8_t *end;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *room;

	if (end)
		return end;
	room = mmap(NULL, ROOM + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(room != MAP_FAILED);
	REQUIRE(mprotect(room + ROOM, page, PROT_NONE) == 0);
	end = room + ROOM;
	return end;
}

/* Copies bytes to where their last one is the last of the memory, but for the padding of a netlink message. Returns the copy. */
static void *copy_to_end(const void *data, size_t size)
{
	uint8_t *copy = end_of_memory() - NLMSG_ALIGN(size);

	REQUIRE(size <= ROOM);
	memset(copy + size, 0xff, NLMSG_ALIGN(size) - size);
	if (size)
		memcpy(copy, data, size);
	return copy;
}

/* Calls it with a copy of the reply. */
static int with_copy(struct nlmsghdr *reply, void *arg)
{
	const struct call *call = arg;

	REQUIRE(reply->nlmsg_len >= sizeof(*reply));
	return call->each(copy_to_end(reply, reply->nlmsg_len), call->arg);
}

/* Feeds one datagram. Return: as netlink_answer_feed(). */
static int feed(struct netlink_answer *answer, const uint8_t *data, size_t size)
{
	int error;

	if (!answer->sequence && size >= sizeof(struct nlmsghdr))
		memcpy(&answer->sequence, data + offsetof(struct nlmsghdr, nlmsg_seq), sizeof(answer->sequence));
	error = netlink_answer_feed(answer, copy_to_end(data, size), size);
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
