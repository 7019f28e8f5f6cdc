/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agenda.c: what the agent intends to do. See agenda.h.
 */
#include "agent/agenda.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* When an intent may be carried out, beside its time. */
enum need {
	NEED_LIBVIRT = 1, /* a connection */
	NEED_IDLE = 2,    /* a guest without a job: libvirt would let the call wait for the job's end */
	NEED_OUT = 4,     /* that very outgoing migration; without it there is nothing to do any more */
	NEED_COMING = 8,  /* likewise for a guest on its way in */
};

#define SETTLE 200 /* ms: once for many changes */

/* All that is told of a kind. Times in ms: before it is done first; for doing it; until it is tried again, the first time and at most. */
static const struct {
	const char *name;
	unsigned int needs; /* enum need */
	bool is_urgent;
	int delay, deadline, pause, most;
} kinds[INTENT_KINDS] = {
	[INTENT_END]        = { "end", NEED_LIBVIRT | NEED_OUT, true, 0, 5000, 500, 5000 },
	[INTENT_ANNOUNCE]   = { "announce", 0, true, 0, 1000, 200, 2000 },
	[INTENT_LOCATE]     = { "locate", NEED_COMING, true, 0, 10000, 500, 10000 },
	[INTENT_UNPLUG]     = { "unplug", NEED_OUT, true, 0, 3000, 500, 5000 },
	[INTENT_LIMIT]      = { "limit", NEED_LIBVIRT | NEED_OUT, true, 0, 5000, 500, 5000 },
	[INTENT_THREADS]    = { "threads", NEED_LIBVIRT, false, 0, 5000, 60000, 3600000 },
	[INTENT_RECONCILE]  = { "reconcile", 0, false, SETTLE, 20000, 1000, 60000 },
	[INTENT_YIELD]      = { "yield", NEED_LIBVIRT | NEED_IDLE, false, SETTLE, 20000, 500, 60000 },
	[INTENT_ADOPT]      = { "adopt", NEED_LIBVIRT | NEED_IDLE, false, SETTLE, 20000, 500, 60000 },
	[INTENT_DEFINITION] = { "definition", NEED_LIBVIRT | NEED_IDLE, false, SETTLE, 5000, 1000, 60000 },
	[INTENT_PASSPORT]   = { "passport", NEED_LIBVIRT | NEED_IDLE, false, SETTLE, 10000, 1000, 60000 },
	[INTENT_PUBLISH]    = { "publish", 0, false, SETTLE, 5000, 60000, 60000 },
};

/* See agenda.h. */
const char *intent_name(enum intent_kind kind)
{
	return kinds[kind].name;
}

/* See agenda.h. */
int intent_deadline(enum intent_kind kind)
{
	return kinds[kind].deadline;
}

/* See agenda.h. */
bool intent_is_urgent(enum intent_kind kind)
{
	return kinds[kind].is_urgent;
}

/* The same, to be changed. */
static struct intent *find(struct agenda *agenda, enum intent_kind kind, const char *uuid)
{
	for (size_t i = 0; i < agenda->count; i++) {
		if (agenda->intent[i].kind == kind && strcmp(agenda->intent[i].uuid, uuid) == 0)
			return &agenda->intent[i];
	}
	return NULL;
}

/* See agenda.h. */
const struct intent *agenda_find(const struct agenda *agenda, enum intent_kind kind, const char *uuid)
{
	struct agenda view = *agenda;

	return find(&view, kind, uuid);
}

/* Return: a new place at the end, zeroed; NULL without memory. */
static struct intent *add(struct agenda *agenda)
{
	struct intent *grown = reallocarray(agenda->intent, agenda->count + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	agenda->intent = grown;
	memset(&grown[agenda->count], 0, sizeof(*grown));
	return &grown[agenda->count++];
}

/* Takes one out. */
static void drop(struct agenda *agenda, struct intent *intent)
{
	size_t behind = agenda->count - (size_t)(intent - agenda->intent) - 1;

	memmove(intent, intent + 1, behind * sizeof(*intent));
	agenda->count--;
}

/* See agenda.h. One that goes on, such as a round of announcing, begins anew for another migration or a greater how alone. */
int agenda_ask(struct agenda *agenda, const struct intent *intent, int64_t clock)
{
	struct intent *there = find(agenda, intent->kind, intent->uuid);
	int64_t due = clock + kinds[intent->kind].delay;

	if (there && there->done && there->job == intent->job && there->how >= intent->how) {
		there->asked = clock;
		return 0;
	}
	if (there && !there->failed && !there->done && there->due < due)
		due = there->due;
	if (!there) {
		there = add(agenda);
		if (!there)
			return -ENOMEM;
	} else if (there->job == intent->job && there->how > intent->how) {
		there->asked = clock;
		there->due = due;
		return 0;
	}
	*there = *intent;
	there->asked = clock;
	there->due = due;
	there->failed = there->done = 0;
	return 0;
}

/* Return: whether an intent is about something that is not any more. */
static bool is_over(const struct intent *intent, const struct facts *facts)
{
	unsigned int needs = kinds[intent->kind].needs;
	struct seen guest;

	if (!*intent->uuid)
		return false;
	guest = facts_find(facts, intent->uuid);
	if (!guest.status)
		return true;
	if (needs & NEED_OUT && (guest.status->job != STATUS_MIGRATION_OUT || guest.guest->job != intent->job))
		return true;
	return needs & NEED_COMING && !guest.guest->is_coming;
}

/* See agenda.h. */
void agenda_prune(struct agenda *agenda, const struct facts *facts)
{
	for (size_t i = agenda->count; i-- > 0;) {
		if (is_over(&agenda->intent[i], facts))
			drop(agenda, &agenda->intent[i]);
	}
}

/* Return: whether nothing but its time keeps an intent from being carried out. */
static bool is_possible(const struct intent *intent, const struct facts *facts)
{
	unsigned int needs = kinds[intent->kind].needs;
	struct seen guest = facts_find(facts, intent->uuid);

	if (needs & NEED_LIBVIRT && !facts->is_connected)
		return false;
	if (needs & NEED_IDLE)
		return guest.status && guest.status->job == STATUS_NO_JOB && !guest.guest->is_coming;
	return !is_over(intent, facts);
}

/* See agenda.h. */
const struct intent *agenda_next(const struct agenda *agenda, const struct facts *facts, int64_t clock)
{
	const struct intent *first = NULL;

	for (size_t i = 0; i < agenda->count; i++) {
		const struct intent *intent = &agenda->intent[i];

		if (intent->due > clock || (first && first->kind <= intent->kind) || !is_possible(intent, facts))
			continue;
		first = intent;
	}
	return first;
}

/* Return: ms until what has failed so often is tried again: twice as long each time. */
static int pause_after(enum intent_kind kind, unsigned int failed)
{
	int pause = kinds[kind].pause;

	while (--failed && pause < kinds[kind].most)
		pause *= 2;
	return pause < kinds[kind].most ? pause : kinds[kind].most;
}

/* See agenda.h. */
void agenda_result(struct agenda *agenda, const struct intent *intent, const struct outcome *outcome, int64_t clock)
{
	struct intent *there = find(agenda, intent->kind, intent->uuid);

	if (!there || there->asked != intent->asked || there->how != intent->how || there->job != intent->job)
		return;
	if (outcome->error && outcome->error != -ENOENT) {
		there->failed++;
		there->due = clock + pause_after(there->kind, there->failed);
	} else if (!outcome->error && outcome->again) {
		there->failed = 0;
		there->done++;
		there->due = clock + outcome->again;
	} else {
		drop(agenda, there);
	}
}

/* See agenda.h. */
int64_t agenda_wake(const struct agenda *agenda, const struct facts *facts)
{
	int64_t wake = INT64_MAX;

	for (size_t i = 0; i < agenda->count; i++) {
		if (agenda->intent[i].due < wake && is_possible(&agenda->intent[i], facts))
			wake = agenda->intent[i].due;
	}
	return wake;
}

/* Forgets all. */
void agenda_release(struct agenda *agenda)
{
	free(agenda->intent);
	*agenda = (struct agenda){ 0 };
}
