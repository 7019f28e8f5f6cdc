/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * facts.c: what the agent knows at one moment. See facts.h.
 */
#include "agent/facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/gate.h"

/* Return: whether a guest migrates. */
static bool is_migrating(const struct status *status)
{
	return status->job == STATUS_MIGRATION_IN || status->job == STATUS_MIGRATION_OUT;
}

/* Return: how far a phase is in its migration (src/qemu/qemu_migration.h, enum qemuMigrationJobPhase); -1: not known. */
static int phase_rank(const char *phase)
{
	static const struct { const char *phase; int rank; } ranks[] = {
		{ "", 0 }, { "none", 0 }, { "begin3", 1 }, { "prepare", 1 }, { "perform2", 2 }, { "perform3", 2 }, { "perform3_done", 3 },
		{ "finish2", 3 }, { "finish3", 3 }, { "confirm3", 4 }, { "confirm3_cancelled", 4 },
	};

	for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++)
		if (strcmp(phase, ranks[i].phase) == 0)
			return ranks[i].rank;
	return -1;
}

/* See facts.h. */
bool facts_is_same_job(const struct status *a, const struct status *b)
{
	int from = phase_rank(a->phase), to = phase_rank(b->phase);

	if (a->job != b->job || !is_migrating(a))
		return false;
	if (a->started && b->started)
		return a->started == b->started;
	return from < 0 || to < 0 || from <= to;
}

/* See facts.h. */
bool facts_has_departed(const struct status *status)
{
	return status->job == STATUS_MIGRATION_OUT &&
	       (strcmp(status->phase, "confirm3") == 0 || strcmp(status->phase, "perform3_done") == 0);
}

/* See facts.h. */
struct seen facts_find(const struct facts *facts, const char *uuid)
{
	for (size_t i = 0; i < facts->running.count; i++) {
		if (strcmp(facts->running.status[i].uuid, uuid) == 0)
			return (struct seen){ &facts->running.status[i], &facts->guest[i] };
	}
	return (struct seen){ NULL, NULL };
}

/* Adds a guest of the look before, whose file may be one of those that could not be read. Return: 0, -ENOMEM. */
static int keep(struct status_list *list, const struct status *status)
{
	struct status *grown = reallocarray(list->status, list->count + 1, sizeof(*grown));
	struct pci_address *device;

	if (!grown)
		return -ENOMEM;
	list->status = grown;
	device = calloc(status->devices + 1, sizeof(*device));
	if (!device)
		return -ENOMEM;
	if (status->devices)
		memcpy(device, status->device, status->devices * sizeof(*device));
	grown[list->count] = *status;
	grown[list->count++].device = device;
	return 0;
}

/* Keeps all that are not in the list. Return: 0, -ENOMEM. */
static int keep_unread(const struct facts *before, struct status_list *list)
{
	int error = 0;

	for (size_t i = 0; !error && list->unreadable && i < before->running.count; i++) {
		if (!status_find_uuid(list, before->running.status[i].uuid))
			error = keep(list, &before->running.status[i]);
	}
	return error;
}

/* What is known of one guest, by what was known. Its migration is numbered by number(). */
static struct guest_facts learn(const struct seen *before, const struct status *now, struct inventory *inventory)
{
	struct guest_facts guest = { .vfs = gate_count_vfs(now, inventory, NULL) };

	if (before->status) {
		guest.job = before->guest->job;
		guest.moved = before->guest->moved;
		guest.is_coming = before->guest->is_coming;
		guest.announced = before->guest->announced;
	}
	if (is_migrating(now) && (!before->status || !facts_is_same_job(before->status, now))) {
		guest.job = guest.moved = 0;
		guest.announced = ANNOUNCED_NOT;
	}
	guest.is_coming = now->job == STATUS_MIGRATION_IN || (guest.is_coming && !status_is_landed(now));
	return guest;
}

/*
 * Return: whether, of two migrations that are seen for the first time in one look, the first began earlier: by libvirt's time where it
 * tells both, else the one that is farther is taken for the older; the uuid decides where nothing else does, so that all agree.
 */
static bool began_before(const struct status *a, const struct status *b)
{
	if (a->started && b->started && a->started != b->started)
		return a->started < b->started;
	if (phase_rank(a->phase) != phase_rank(b->phase))
		return phase_rank(a->phase) > phase_rank(b->phase);
	return strcmp(a->uuid, b->uuid) < 0;
}

/* Something of a guest's migration that is numbered when it is first seen. */
struct numbering {
	bool (*has)(const struct status *status);
	size_t offset;  /* of its number in struct guest_facts; 0 there: not numbered yet */
	uint64_t *last;
};

/* Return: the place of a guest's number. */
static uint64_t *number_of(const struct facts *now, size_t i, const struct numbering *numbering)
{
	return (uint64_t *)((char *)&now->guest[i] + numbering->offset);
}

/* Numbers what was not known, in the order in which it began. */
static void number(struct facts *now, const struct numbering *numbering)
{
	for (;;) {
		const struct status *status = now->running.status;
		size_t first = now->running.count;

		for (size_t i = 0; i < now->running.count; i++) {
			if (*number_of(now, i, numbering) || !numbering->has(&status[i]))
				continue;
			if (first == now->running.count || began_before(&status[i], &status[first]))
				first = i;
		}
		if (first == now->running.count)
			return;
		*number_of(now, first, numbering) = ++*numbering->last;
	}
}

/* See facts.h. */
int facts_take(const struct facts *before, struct status_list *list, struct inventory *inventory, struct facts *now)
{
	int error = keep_unread(before, list);

	now->guest = error ? NULL : calloc(list->count + 1, sizeof(*now->guest));
	if (!now->guest) {
		status_list_release(list);
		return -ENOMEM;
	}
	now->running = *list;
	*list = (struct status_list){ 0 };
	now->jobs = before->jobs;
	now->moves = before->moves;
	for (size_t i = 0; i < now->running.count; i++) {
		struct seen old = facts_find(before, now->running.status[i].uuid);

		now->guest[i] = learn(&old, &now->running.status[i], inventory);
	}
	number(now, &(struct numbering){ is_migrating, offsetof(struct guest_facts, job), &now->jobs });
	number(now, &(struct numbering){ gate_is_moving, offsetof(struct guest_facts, moved), &now->moves });
	return 0;
}

/* See facts.h. */
void facts_resumed(struct facts *facts, const char *uuid)
{
	struct seen found = facts_find(facts, uuid);

	if (found.guest)
		facts->guest[found.guest - facts->guest].has_resumed = true;
}

/* See facts.h. */
void facts_announced(struct facts *facts, const char *uuid, enum announced stage)
{
	struct seen found = facts_find(facts, uuid);

	if (found.guest)
		facts->guest[found.guest - facts->guest].announced = stage;
}

/* Gives back what facts_take() took; harmless on a zeroed struct. */
void facts_release(struct facts *facts)
{
	status_list_release(&facts->running);
	free(facts->guest);
	facts->guest = NULL;
}
