/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * history.h: the last things that the hook did and refused, for people: /run/vferry/history, bounded, the newest last.
 *
 * Nothing is decided by it. Written by rename and private to root; a file that does not parse is begun anew.
 */
#ifndef VFERRY_STATE_HISTORY_H
#define VFERRY_STATE_HISTORY_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/reason.h"

#define HISTORY_MAX 50 /* entries that are kept */

enum history_kind {
	HISTORY_READY,    /* made ready for a guest that is to come */
	HISTORY_REFUSED,  /* said no, or failed: see why */
	HISTORY_CANCELED, /* a guest that was made ready for did not arrive, and it was taken back */
	HISTORY_LEFT,     /* a guest has gone to another host */
	HISTORY_KINDS
};

struct history_entry {
	int64_t when;              /* seconds since 1970 */
	enum history_kind kind;
	char event[16];            /* libvirt's call: "migrate", "start", … */
	char guest[256], uuid[40]; /* clean */
	unsigned int vfs;
	int64_t ms;                /* that the call took */
	struct reason why;         /* of a refusal: rule, object, what, cure */
};

struct history {
	struct history_entry entry[HISTORY_MAX];
	size_t count;
};

/* Adds an entry and drops the oldest. Waits for another writer until the deadline. Return: 0, -ETIME, negative errno with *why. */
int history_add(const struct history_entry *entry, deadline_t deadline, struct reason *why);

/* Reads all; an absent file is an empty history. Return: 0, -EACCES, negative errno with *why. */
int history_read(struct history *history, struct reason *why);

/* An entry as JSON, to be put. */
struct json_object *history_to_json(const struct history_entry *entry);

#endif
