/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * facts.h: what the agent knows at one moment of the guests that are here. Data alone: made by one look from what libvirt's status files
 * say now and what was known before; nothing here reads a file or a clock.
 */
#ifndef VFERRY_AGENT_FACTS_H
#define VFERRY_AGENT_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/status.h"
#include "host/inventory.h"

/* What was heard since the look before, beside what the status files say. */
enum news {
	NEWS_CONNECTED = 1, /* libvirt can be asked again */
	NEWS_ALL = 2,       /* the minute, or somebody who asks for it: also what no event tells may have changed */
	NEWS_PORTS = 4,     /* somebody has set something on a port */
};

/* How far announcing a guest is; one more for a guest that stays, whose network may have been told of the destination already. */
enum announced {
	ANNOUNCED_NOT,
	ANNOUNCED_EARLY,   /* when the source had stopped it */
	ANNOUNCED_RUNNING, /* when it ran here */
	ANNOUNCED_STAYED,  /* when its migration had failed, and it ran on here */
};

/* What is known of a guest beside its status. */
struct guest_facts {
	unsigned int vfs;         /* of its devices, of cards that can migrate */
	uint64_t job;             /* number of the migration that runs or was the last: a greater one began later; 0: none yet */
	uint64_t moved;           /* the same of its moving, once it has a place at its destination; 0: it does not move yet */
	bool is_coming;           /* seen with an incoming migration, and not to have landed since */
	bool has_resumed;         /* libvirt has said since the look before that it runs again after a migration */
	enum announced announced; /* for that migration */
};

struct facts {
	int64_t clock;            /* clock_ms() when this look began */
	unsigned int news;        /* enum news */
	bool is_connected;        /* to libvirt */
	uint64_t jobs, moves;     /* migrations, and their moving, seen so far */
	struct status_list running;
	struct guest_facts *guest; /* of each of them */
};

/* One guest in one look: both NULL if it is not there. */
struct seen {
	const struct status *status;
	const struct guest_facts *guest;
};

/* The guest of a uuid. */
struct seen facts_find(const struct facts *facts, const char *uuid);

/* Whether both name the same migration: by asyncStarted where libvirt writes it, else by phases, which never go back within one. */
bool facts_is_same_job(const struct status *a, const struct status *b);

/* Whether a guest's outgoing migration had succeeded when libvirt has no file of it any more, or one of another migration. */
bool facts_has_departed(const struct status *status);

/*
 * Makes the facts of this look. list: is taken over; if some of its files could not be read, guests that are not in it stay as they were.
 * now: clock, news and is_connected are set. Return: 0, -ENOMEM (the list is released, *now is empty).
 */
int facts_take(const struct facts *before, struct status_list *list, struct inventory *inventory, struct facts *now);

/* What was heard, or done, of one guest; nothing if it is not there. */
void facts_resumed(struct facts *facts, const char *uuid);
void facts_announced(struct facts *facts, const char *uuid, enum announced stage);

void facts_release(struct facts *facts);

#endif
