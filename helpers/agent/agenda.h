/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agenda.h: what the agent intends to do. An intent says what is to be done for which guest; the agenda keeps it until it was done, tries
 * again what has failed, later each time, and tells what may be done now. It knows nothing of how: no file, socket, clock or libvirt.
 */
#ifndef VFERRY_AGENT_AGENDA_H
#define VFERRY_AGENT_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/facts.h"
#include "base/reason.h"

/* In the order in which they are carried out. */
enum intent_kind {
	INTENT_END,        /* end a migration that breaks a limit: why */
	INTENT_ANNOUNCE,   /* tell the network where the guest is: how is the stage */
	INTENT_LOCATE,     /* find out where an arriving guest's VFs are to be announced */
	INTENT_UNPLUG,     /* take out the ports of a guest that runs at its destination */
	INTENT_LIMIT,      /* give QEMU the downtime that VFs need, and follow how the migration gets on */
	INTENT_THREADS,    /* of the host: give libvirt's daemon threads enough */
	INTENT_RECONCILE,  /* of the host: bring leases, journals and ports in line with who is here */
	INTENT_YIELD,      /* give back VFs that have left a guest while it ran: before another guest gets them */
	INTENT_ADOPT,      /* make ready VFs that came to a guest while it ran */
	INTENT_DEFINITION, /* mend the stored definition of a guest that has arrived: how is 1 if nobody saw it arrive */
	INTENT_PASSPORT,   /* write its passport, if that is out of date */
	INTENT_PUBLISH,    /* of the host: write the figures */
	INTENT_KINDS
};

struct intent {
	enum intent_kind kind;
	char uuid[DOMAIN_UUID_LEN]; /* "": of the host */
	uint64_t job;               /* the migration that it is about, 0: none */
	unsigned int how;
	struct reason why;
	int64_t asked;              /* clock when it was last asked for: what is older than that must not be relied on */
	int64_t due;                /* not before */
	unsigned int failed;        /* times that it has failed since it was asked for */
	unsigned int done;          /* times that it was done, of one that goes on */
};

struct agenda {
	struct intent *intent;
	size_t count;
};

/* How an intent has ended. */
struct outcome {
	int error;             /* negative errno: it is tried again; -ENOENT: the guest has gone, it is not */
	struct reason why;
	int again;             /* ms, after which it goes on; 0: it is done */
	unsigned int count;    /* of what was done, for the figures */
	unsigned int limit;    /* INTENT_LIMIT: the one that this job has from vferry, 0 none */
	char host[64];         /* INTENT_PASSPORT: that the passport was from which the guest came with */
};

/* The name of a kind: "passport". */
const char *intent_name(enum intent_kind kind);

/* How long carrying it out may take, in ms. */
int intent_deadline(enum intent_kind kind);

/* Whether it must be quick: then it is carried out before anything else, and takes little time. */
bool intent_is_urgent(enum intent_kind kind);

/*
 * Asks for something. Asked for again before it was done it is one intent, of the greater how, and the newer job and why; after failures
 * it is tried soon again. Return: 0, -ENOMEM.
 */
int agenda_ask(struct agenda *agenda, const struct intent *intent, int64_t clock);

/* The intent of a kind for a guest; NULL if there is none. */
const struct intent *agenda_find(const struct agenda *agenda, enum intent_kind kind, const char *uuid);

/* Takes out what is about a guest that is not there, or a migration that is over. */
void agenda_prune(struct agenda *agenda, const struct facts *facts);

/*
 * The first that may be carried out now: its time has come, libvirt is there if it needs that, and its guest has no job if it must have
 * none. NULL: none.
 */
const struct intent *agenda_next(const struct agenda *agenda, const struct facts *facts, int64_t clock);

/* Takes how the intent of this kind and guest has ended. intent: as it was carried out; asked for again meanwhile, it stays. */
void agenda_result(struct agenda *agenda, const struct intent *intent, const struct outcome *outcome, int64_t clock);

/* When agenda_next() is worth being asked again though nothing happens: clock; INT64_MAX: never. */
int64_t agenda_wake(const struct agenda *agenda, const struct facts *facts);

void agenda_release(struct agenda *agenda);

#endif
