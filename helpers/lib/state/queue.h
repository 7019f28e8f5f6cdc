/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * queue.h: the line of arrivals that wait for a slot, first come, first served.
 *
 * A ticket is a file below /run/vferry/queue that its owner holds locked; its name says when it came. A ticket that nobody holds is of a
 * process that died, and does not count. All functions but queue_leave(), queue_door() and queue_sees_before() are called with the
 * host-wide lock held.
 */
#ifndef VFERRY_STATE_QUEUE_H
#define VFERRY_STATE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/reason.h"

struct ticket {
	int fd;          /* 0: none */
	char name[64];   /* file name */
};

/* Takes a ticket for a guest. Return: 0, -EAGAIN if max are waiting already, negative errno; *why filled, with the names of those. */
int queue_enter(const char *uuid, const char *guest, unsigned int max, struct ticket *ticket, struct reason *why);

/* Whether nobody waits who came before. ticket NULL: whether nobody waits at all. */
bool queue_is_first(const struct ticket *ticket);

/*
 * Whether a ticket that came before is there; it may be of one who has died. Needs no lock: those who wait look each time that something
 * has changed, and would keep from it the one whose turn it is.
 */
bool queue_sees_before(const struct ticket *ticket);

/* Gives the ticket back; harmless on a zeroed one. */
void queue_leave(struct ticket *ticket);

/*
 * The door: of all arrivals one at a time decides and makes ready, since a card and an Open vSwitch that are being changed keep those
 * waiting who only look. It is taken before the host-wide lock, or, with a deadline that has passed, while that is held.
 * Return: descriptor; closing it (or dying) opens the door; -ETIME; negative errno with *why.
 */
int queue_door(deadline_t deadline, struct reason *why);

/* One who waits. */
struct waiting {
	char uuid[40];
	char guest[256]; /* clean */
	int64_t since;   /* clock_ms() */
};

/*
 * Who waits, first come first, into waiting[max]; changes nothing and needs no lock, so one who has just died may still be in it.
 * Return: how many, 0 also if it may not be seen.
 */
size_t queue_list(struct waiting *waiting, size_t max);

/* The names of those who wait, in words: "web1, web2". before: only those who came before that ticket; NULL: all. Returns out. */
char *queue_names(const struct ticket *before, char *out, size_t size);

#define QUEUE_MAX 32 /* of whom queue_names() speaks; slot_queue allows 16 */

#define autoticket __attribute__((cleanup(queue_leave)))

#endif
