/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answer.h: the way of bytes from a netlink socket to a parser, for the targets of netlink.
 *
 * An input is a row of datagrams, each behind its length in two bytes (little endian); a length that is too large takes what is left.
 */
#ifndef VFERRY_TESTS_ANSWER_H
#define VFERRY_TESTS_ANSWER_H

#include "card/netlink.h"

/*
 * Feeds the datagrams as netlink_call() would, to an answer whose number is that of the first message. Then hands each reply that was kept
 * to each(). Datagrams and replies lie at the end of memory, so that a read beyond them crashes, in libnl too. Returns what each()
 * returned last.
 */
int answer_each(const uint8_t *data, size_t size, int (*each)(struct nlmsghdr *reply, void *arg), void *arg);

#endif
