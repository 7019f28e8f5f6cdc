/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * migration.h: the migrations of guests with VFs from and to this host, one JSON object a line: /var/lib/vferry/migrations.jsonl. The agent
 * writes it; a file that has grown too long becomes migrations.jsonl.1, in place of the one before.
 *
 * Nothing is decided by it.
 */
#ifndef VFERRY_STATE_MIGRATION_H
#define VFERRY_STATE_MIGRATION_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"

#define MIGRATION_FILE_MAX (1u << 20) /* bytes, then it is rotated */
#define MIGRATION_PHASES 8
#define MIGRATION_UNKNOWN (-1)

enum migration_outcome {
	MIGRATION_COMPLETED,
	MIGRATION_FAILED,   /* for a reason of libvirt's or QEMU's */
	MIGRATION_ENDED,    /* by the agent, since it broke a limit: see why */
	MIGRATION_UNSETTLED, /* the guest has arrived, and something that is to be done then has failed: see why */
	MIGRATION_OUTCOMES
};

/* A phase of libvirt's ("begin3", "perform3", …) and how long it took. */
struct migration_phase {
	char name[24];
	int64_t ms;
};

struct migration {
	int64_t when;              /* begin, ms since 1970 */
	char guest[256], uuid[40]; /* clean */
	bool is_incoming;
	char from[64], to[64];     /* names of hosts, "" not known */
	unsigned int vfs;
	bool is_parallel;
	struct migration_phase phase[MIGRATION_PHASES];
	size_t phases;
	int64_t ms;                /* all of it */
	/* MIGRATION_UNKNOWN where nobody told */
	int64_t downtime, downtime_limit; /* ms */
	int64_t memory_bytes;      /* of the guest's memory alone, which is all that libvirt counts in it */
	int64_t dirty_rate;        /* bytes/s, likewise: what VFs write is not in it */
	int64_t vfio_bytes;        /* states of VFs */
	enum migration_outcome outcome;
	struct reason why;
};

/* "completed", "failed", "ended", "unsettled" */
const char *migration_outcome_name(enum migration_outcome outcome);

/* Adds one at the end. Return: 0, negative errno with *why. */
int migration_add(const struct migration *migration, struct reason *why);

/* The last ones, max at most, the newest last: a JSON array, to be put; empty without a file. Lines that do not parse are left out. */
struct json_object *migration_last(size_t max);

#endif
