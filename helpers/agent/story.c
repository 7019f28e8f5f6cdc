/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * story.c: the story of each migration. See story.h.
 */
#include "agent/story.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/keyed.h"
#include "policy/downtime.h"

#ifndef VIR_DOMAIN_JOB_VFIO_DATA_TRANSFERRED
#define VIR_DOMAIN_JOB_VFIO_DATA_TRANSFERRED "vfio_data_transferred" /* since libvirt 10.6 */
#endif

#define FIGURES_MS 5000 /* until libvirt must have told the figures of a migration */
#define TRIES 3         /* after which something that fails for an arrival is told as failed; it is tried on */
#define AFTER_ARRIVAL (1u << INTENT_DEFINITION | 1u << INTENT_PASSPORT) /* what is to be done for each */

/* One that is not over. */
struct story {
	struct keyed keyed;
	struct migration migration;
	bool is_multifd;
	uint64_t job;
	int64_t begin, phase_begin;  /* clock of the facts; phase_begin 0: no phase runs */
	struct reason ended;         /* why the agent has ended it; what is empty: it has not */
	unsigned int awaits;         /* 1 << intent_kind: what is still to be done for an arrival; 0 before it has landed */
	struct reason unsettled;     /* the first of it that failed */
	int64_t gone_until;          /* the guest has left, and libvirt will yet tell the figures, until then; 0: it has not */
};

static struct keyed *stories;

/* Return: ms since 1970, as libvirt counts it in its status files: for people. */
static int64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Ends the phase that runs. */
static void end_phase(struct story *story, int64_t clock)
{
	struct migration *migration = &story->migration;

	if (migration->phases && story->phase_begin)
		migration->phase[migration->phases - 1].ms = clock - story->phase_begin;
	story->phase_begin = 0;
}

/* Begins a phase. A story with more phases than any migration has goes on in the last. */
static void begin_phase(struct story *story, const char *name, int64_t clock)
{
	struct migration *migration = &story->migration;

	end_phase(story, clock);
	if (migration->phases < MIGRATION_PHASES)
		snprintf(migration->phase[migration->phases++].name, sizeof(migration->phase[0].name), "%s", name);
	story->phase_begin = clock;
}

/* Begins a story. Return: it, NULL without memory. */
static struct story *begin(const struct seen *now, int64_t clock)
{
	struct story *story = keyed_get(&stories, now->status->uuid, sizeof(*story));
	bool is_parallel = now->status->flags & STATUS_PARALLEL;
	struct migration *migration;

	if (!story)
		return NULL;
	migration = &story->migration;
	*migration = (struct migration){
		.when = wall_ms(), .is_incoming = now->status->job == STATUS_MIGRATION_IN, .vfs = now->guest->vfs,
		.is_parallel = is_parallel, .downtime = MIGRATION_UNKNOWN, .downtime_limit = MIGRATION_UNKNOWN, .memory_bytes = MIGRATION_UNKNOWN,
		.dirty_rate = MIGRATION_UNKNOWN, .vfio_bytes = MIGRATION_UNKNOWN,
	};
	reason_clean(migration->guest, sizeof(migration->guest), now->status->name);
	snprintf(migration->uuid, sizeof(migration->uuid), "%s", now->status->uuid);
	if (gethostname(migration->is_incoming ? migration->to : migration->from, sizeof(migration->to) - 1))
		*migration->from = *migration->to = '\0';
	story->is_multifd = is_parallel && downtime_can_multifd(now->status->machine);
	story->job = now->guest->job;
	story->begin = clock;
	return story;
}

/* The migration is over, and its times are known; what is to be done for an arrival is not in them. */
static void end_times(struct story *story, int64_t clock)
{
	end_phase(story, clock);
	if (!story->migration.ms)
		story->migration.ms = clock - story->begin;
}

/* Return: the phase in which a migration failed; at the source libvirt has one more after it, confirm3_cancelled, to take all back. */
static const char *failed_phase(const struct migration *migration)
{
	size_t last = migration->phases;

	if (last > 1 && strstr(migration->phase[last - 1].name, "cancelled"))
		last--;
	return last ? migration->phase[last - 1].name : "none";
}

/* Says why a migration has failed, as far as that can be known here: libvirt tells its reason to nobody but the one who asked for it. */
static void explain_failure(struct story *story)
{
	struct migration *migration = &story->migration;

	if (*story->ended.what) {
		migration->outcome = MIGRATION_ENDED;
		migration->why = story->ended;
	} else {
		reason_set(&migration->why, -ECANCELED, "", "it ended in libvirt's phase %s", failed_phase(migration));
	}
}

/* Ends a story, and tells it. */
static void end(struct story *story, enum migration_outcome outcome, int64_t clock, const struct story_listener *listener)
{
	struct story_end told;

	end_times(story, clock);
	story->migration.outcome = outcome;
	if (outcome == MIGRATION_FAILED)
		explain_failure(story);
	if (outcome == MIGRATION_UNSETTLED)
		story->migration.why = story->unsettled;
	told = (struct story_end){ story->migration, story->is_multifd };
	keyed_forget(&stories, told.migration.uuid);
	listener->tell(&told, listener->arg);
}

/*
 * A story whose job is not there any more, or another's, has failed, unless the guest has landed: then its end is told when what is to be
 * done for an arrival is done, or when it leaves again already. Return: whether the story goes on.
 */
static bool look_at_end(struct story *story, const struct seen *now, bool migrates, const struct facts *facts,
			const struct story_listener *listener)
{
	bool is_over = !migrates || story->job != now->guest->job;

	if (!is_over)
		return true;
	if (!story->migration.is_incoming || !status_is_landed(now->status)) {
		end(story, MIGRATION_FAILED, facts->clock, listener);
		return false;
	}
	if (migrates) {
		end(story, MIGRATION_COMPLETED, facts->clock, listener);
		return false;
	}
	if (!story->migration.ms)
		story->awaits = AFTER_ARRIVAL;
	end_times(story, facts->clock);
	return true;
}

/* Follows one guest. before: as it was; its status is NULL if it is new. One that had left and is back already has left before. */
static void follow(const struct seen *before, const struct seen *now, const struct facts *facts, const struct story_listener *listener)
{
	bool migrates = now->status->job == STATUS_MIGRATION_IN || now->status->job == STATUS_MIGRATION_OUT;
	struct story *story = keyed_find(stories, now->status->uuid);
	const char *phase = now->status->phase;

	if (story && before->status && facts_has_departed(before->status) && !facts_is_same_job(before->status, now->status)) {
		end(story, MIGRATION_COMPLETED, facts->clock, listener);
		story = NULL;
	}
	if (story && !look_at_end(story, now, migrates, facts, listener))
		story = NULL;
	if (!migrates || !*phase || strcmp(phase, "none") == 0)
		return;
	if (!story)
		story = begin(now, facts->clock);
	if (story && (!story->migration.phases || !before->status || strcmp(phase, before->status->phase)))
		begin_phase(story, phase, facts->clock);
}

/* The guest of a story is not here. One that has left is waited for: libvirt tells how its migration was only afterwards. */
static void look_for(struct story *story, const struct seen *before, const struct facts *facts, const struct story_listener *listener)
{
	bool has_landed = before->status && story->migration.is_incoming && status_is_landed(before->status);

	if (before->status && facts_has_departed(before->status))
		story->gone_until = facts->clock + FIGURES_MS;
	if (story->gone_until && facts->clock < story->gone_until)
		return;
	end(story, story->gone_until || has_landed ? MIGRATION_COMPLETED : MIGRATION_FAILED, facts->clock, listener);
}

/* See story.h. */
void story_follow(const struct facts *before, const struct facts *now, const struct story_listener *listener)
{
	for (size_t i = 0; i < now->running.count; i++) {
		struct seen guest = { &now->running.status[i], &now->guest[i] }, old = facts_find(before, guest.status->uuid);

		if (guest.guest->vfs)
			follow(&old, &guest, now, listener);
	}
	for (struct keyed *at = stories, *next; at; at = next) {
		struct seen old = facts_find(before, at->uuid);

		next = at->next;
		if (!facts_find(now, at->uuid).status)
			look_for((struct story *)at, &old, now, listener);
	}
}

/* See story.h. */
void story_figures(const char *uuid, virTypedParameterPtr params, int count, const struct story_listener *listener)
{
	static const struct { const char *field; size_t offset; } figures[] = {
		{ VIR_DOMAIN_JOB_DOWNTIME, offsetof(struct migration, downtime) },
		{ VIR_DOMAIN_JOB_MEMORY_PROCESSED, offsetof(struct migration, memory_bytes) },
		{ VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE, offsetof(struct migration, dirty_rate) },
		{ VIR_DOMAIN_JOB_VFIO_DATA_TRANSFERRED, offsetof(struct migration, vfio_bytes) },
	};
	struct story *story = keyed_find(stories, uuid);
	unsigned long long value, page = 4096;
	struct migration *migration;

	if (!story)
		return;
	migration = &story->migration;
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		if (virTypedParamsGetULLong(params, count, figures[i].field, &value) == 1 && value <= INT64_MAX / 65536)
			*(int64_t *)((char *)migration + figures[i].offset) = (int64_t)value;
	}
	(void)virTypedParamsGetULLong(params, count, VIR_DOMAIN_JOB_MEMORY_PAGE_SIZE, &page);
	if (migration->dirty_rate > 0 && page <= 65536)
		migration->dirty_rate *= (int64_t)page; /* libvirt tells pages */
	if (!migration->is_incoming && migration->downtime != MIGRATION_UNKNOWN)
		end(story, MIGRATION_COMPLETED, clock_ms(), listener);
}

/* Takes what came of something that is to be done for an arrival. */
static void take_settling(struct story *story, const struct intent *intent, const struct outcome *outcome)
{
	bool has_failed = outcome->error && outcome->error != -ENOENT;

	if (intent->kind == INTENT_PASSPORT && *outcome->host)
		snprintf(story->migration.from, sizeof(story->migration.from), "%s", outcome->host);
	if (has_failed && intent->failed + 1 < TRIES)
		return;
	story->awaits &= ~(1u << intent->kind);
	if (has_failed && !*story->unsettled.what)
		story->unsettled = outcome->why;
}

/* See story.h. */
void story_result(const struct intent *intent, const struct outcome *outcome, const struct story_listener *listener)
{
	struct story *story = keyed_find(stories, intent->uuid);

	if (!story)
		return;
	if (intent->kind == INTENT_END && !outcome->error && intent->job == story->job)
		story->ended = intent->why;
	if (intent->kind == INTENT_LIMIT && outcome->limit && intent->job == story->job)
		story->migration.downtime_limit = outcome->limit;
	if (!(story->awaits & 1u << intent->kind))
		return;
	take_settling(story, intent, outcome);
	if (!story->awaits)
		end(story, *story->unsettled.what ? MIGRATION_UNSETTLED : MIGRATION_COMPLETED, clock_ms(), listener);
}

/* See story.h. */
int64_t story_wake(void)
{
	int64_t wake = INT64_MAX;

	for (struct keyed *at = stories; at; at = at->next) {
		const struct story *story = (struct story *)at;

		if (story->gone_until && story->gone_until < wake)
			wake = story->gone_until;
	}
	return wake;
}

/* See story.h. */
void story_release(void)
{
	keyed_forget(&stories, NULL);
}
