/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * turn.h: the turn that an arrival waits for.
 *
 * Theory of operation. Of all arrivals one at a time decides and makes ready: it holds the door (state/queue.h). The others wait in line,
 * most of them for a slot, first come, first served, as long as the caller's patience allows (policy/patience.h). Whoever is first in line
 * tries with the door and the host-wide lock held; what it tries, it brings along (struct turn_work). Nothing is held while it waits. A
 * place in the line costs a thread of libvirt's daemon (host/workers.h), so there are few.
 *
 * Touches the line, the door and the host-wide lock below /run/vferry; reads the migrations that were seen, libvirt's threads, and for the
 * log the cards and who has their VFs. Of the cards and of Open vSwitch it changes nothing.
 */
#ifndef VFERRY_HOOKS_TURN_H
#define VFERRY_HOOKS_TURN_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/reason.h"
#include "event.h"
#include "state/queue.h"

/* What a try may return beside 0, negative errno and PLACEMENT_WAIT: look back first, and try again. No error is called like that. */
#define TURN_LOOK_BACK 2

/* What is done when it is one's turn. */
struct turn_work {
	/* With the door and the host-wide lock held. Return: 0: done; PLACEMENT_WAIT (*why: for what), TURN_LOOK_BACK; negative errno. */
	int (*try)(void *arg, struct reason *why);
	/* With the door and no lock held. Return: 0, negative errno. */
	int (*look_back)(void *arg, struct reason *why);
	/* Before a wait: what was read is old afterwards. */
	void (*forget)(void *arg);
	void *arg;
};

struct turn {
	struct event *event;       /* its deadlines begin anew when others let it in: what they took is none of this call's time */
	const struct turn_work *work;
	struct ticket ticket;      /* its place in the line */
	deadline_t patience;       /* how long it may wait for others */
	unsigned int wait;         /* the same in seconds, as it began */
	int door;                  /* > 0: held */
	int watch;                 /* of what can free a slot; > 0: open */
	bool is_next;              /* nobody came before: only who holds the door is in the way */
	bool is_second;            /* it had its turn, and tries once more: that is its own time */
	char said[REASON_TEXT_MAX]; /* what it was last said to wait for */
};

/* Begins: reads the caller's patience, waits for nothing yet. event and work must last as long as the turn. */
void turn_begin(struct turn *turn, struct event *event, const struct turn_work *work);

/*
 * Waits for the turn, and tries until it comes out. Called again, it tries once more with the door that it holds.
 * Return: 0, and the door is held; -EBUSY if the wait for a slot was too long; -EAGAIN if there is no place in the line, or one too far
 * back for the caller's patience; other negative errno; *why filled.
 */
int turn_take(struct turn *turn, struct reason *why);

/* Leaves line and door; harmless on a zeroed one. */
void turn_leave(struct turn *turn);

#endif
