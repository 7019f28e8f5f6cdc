/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * story.c: the story of each migration, told by libvirt's status files and its events, for history and metrics.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/log.h"
#include "policy/gate.h"

#ifndef VIR_DOMAIN_JOB_VFIO_DATA_TRANSFERRED
#define VIR_DOMAIN_JOB_VFIO_DATA_TRANSFERRED "vfio_data_transferred" /* since libvirt 10.6 */
#endif

/* Return: ms since 1970, as libvirt counts it in its status files. */
static int64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Ends the phase that runs. */
static void end_phase(struct agent_guest *guest)
{
	struct migration *story = guest->story;

	if (story->phases && guest->phase_begin)
		story->phase[story->phases - 1].ms = clock_ms() - guest->phase_begin;
	guest->phase_begin = 0;
}

/* Begins a phase. A story with more phases than any migration has goes on in the last. */
static void begin_phase(struct agent_guest *guest, const char *name)
{
	struct migration *story = guest->story;

	end_phase(guest);
	if (story->phases < MIGRATION_PHASES)
		snprintf(story->phase[story->phases++].name, sizeof(story->phase[0].name), "%s", name);
	guest->phase_begin = clock_ms();
}

/* Begins a story. */
static void begin(struct agent_guest *guest, const struct status *now)
{
	struct migration *story = calloc(1, sizeof(*story));

	if (!story)
		return;
	*story = (struct migration){
		.when = wall_ms(), .is_incoming = now->job == STATUS_MIGRATION_IN, .vfs = guest->vfs, .is_parallel = now->flags & STATUS_PARALLEL,
		.downtime = MIGRATION_UNKNOWN, .downtime_limit = MIGRATION_UNKNOWN, .memory_bytes = MIGRATION_UNKNOWN,
		.dirty_rate = MIGRATION_UNKNOWN, .vfio_bytes = MIGRATION_UNKNOWN,
	};
	reason_clean(story->guest, sizeof(story->guest), now->name);
	snprintf(story->uuid, sizeof(story->uuid), "%s", now->uuid);
	if (gethostname(story->is_incoming ? story->to : story->from, sizeof(story->to) - 1))
		*story->from = *story->to = '\0';
	guest->story = story;
	guest->story_job = now->started;
	guest->story_begin = clock_ms();
}

/* The migration is over, and its times are known; what is to be done for an arrival is not in them. */
static void end_times(struct agent_guest *guest)
{
	end_phase(guest);
	if (!guest->story->ms)
		guest->story->ms = clock_ms() - guest->story_begin;
}

/*
 * The guest's status was read. before: as it was. A story whose job is not there any more has failed, unless the guest has landed: then its
 * end is told when the passport has told where it comes from, and what is to be done for an arrival is done (story_arrived()).
 */
void story_look(struct agent_guest *guest, const struct status *before)
{
	const struct status *now = &guest->status;
	bool migrates = now->job == STATUS_MIGRATION_IN || now->job == STATUS_MIGRATION_OUT;

	if (guest->story && (!migrates || guest->story_job != now->started)) {
		if (guest->story->is_incoming && status_is_landed(now))
			end_times(guest);
		else
			story_end(guest, MIGRATION_FAILED);
	}
	if (migrates && guest->story && guest->story_job != now->started)
		story_arrived(guest, "", NULL); /* it leaves again already */
	if (!migrates || !*now->phase || strcmp(now->phase, "none") == 0)
		return;
	if (!guest->story)
		begin(guest, now);
	if (guest->story && (!guest->story->phases || strcmp(now->phase, before->phase)))
		begin_phase(guest, now->phase);
}

/* Takes what libvirt tells of a job. */
void story_figures(struct agent_guest *guest, virTypedParameterPtr params, int count)
{
	static const struct { const char *field; size_t offset; } figures[] = {
		{ VIR_DOMAIN_JOB_DOWNTIME, offsetof(struct migration, downtime) },
		{ VIR_DOMAIN_JOB_MEMORY_PROCESSED, offsetof(struct migration, memory_bytes) },
		{ VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE, offsetof(struct migration, dirty_rate) },
		{ VIR_DOMAIN_JOB_VFIO_DATA_TRANSFERRED, offsetof(struct migration, vfio_bytes) },
	};
	unsigned long long value, page = 4096;

	if (!guest->story)
		return;
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		if (virTypedParamsGetULLong(params, count, figures[i].field, &value) == 1 && value <= INT64_MAX / 65536)
			*(int64_t *)((char *)guest->story + figures[i].offset) = (int64_t)value;
	}
	(void)virTypedParamsGetULLong(params, count, VIR_DOMAIN_JOB_MEMORY_PAGE_SIZE, &page);
	if (guest->story->dirty_rate > 0 && page <= 65536)
		guest->story->dirty_rate *= (int64_t)page; /* libvirt tells pages */
}

/*
 * The guest has arrived. host: where it comes from, by its passport; "" if that does not tell. unsettled: what could not be done for it
 * here; NULL, or empty: nothing.
 */
void story_arrived(struct agent_guest *guest, const char *host, const struct reason *unsettled)
{
	bool is_settled = !unsettled || !*unsettled->what;

	if (!guest->story || !guest->story->is_incoming)
		return;
	snprintf(guest->story->from, sizeof(guest->story->from), "%s", host);
	if (!is_settled)
		guest->story->why = *unsettled;
	story_end(guest, is_settled ? MIGRATION_COMPLETED : MIGRATION_UNSETTLED);
}

/* The guest is not here any more. has_left: it is known to have left. */
void story_gone(struct agent_guest *guest, bool has_left)
{
	bool has_arrived = guest->story && guest->story->is_incoming && status_is_landed(&guest->status);

	story_end(guest, has_left || has_arrived ? MIGRATION_COMPLETED : MIGRATION_FAILED);
}

/* Return: the phase in which a migration failed; at the source libvirt has one more after it, confirm3_cancelled, to take all back. */
static const char *failed_phase(const struct migration *story)
{
	size_t last = story->phases;

	if (last > 1 && strstr(story->phase[last - 1].name, "cancelled"))
		last--;
	return last ? story->phase[last - 1].name : "none";
}

/* Says why a migration has failed, as far as that can be known here: libvirt tells its reason to nobody but the one who asked for it. */
static void explain_failure(const struct agent_guest *guest, struct migration *story)
{
	if (guest->ended && guest->ended == guest->story_job) {
		story->outcome = MIGRATION_ENDED;
		story->why = guest->ended_why;
	} else {
		reason_set(&story->why, -ECANCELED, "", "it ended in libvirt's phase %s", failed_phase(story));
	}
}

/* Ends a guest's story, and tells it. */
void story_end(struct agent_guest *guest, enum migration_outcome outcome)
{
	struct migration *story = guest->story;
	struct reason why = { 0 };

	if (!story)
		return;
	end_times(guest);
	story->outcome = outcome;
	if (outcome == MIGRATION_FAILED)
		explain_failure(guest, story);
	if (guest->limit)
		story->downtime_limit = guest->limit;
	metrics_count(&guest->agent->metrics, story);
	if (migration_add(story, &why))
		agent_log(guest, LOG_WARNING, &why);
	free(story);
	guest->story = NULL;
	settle_soon(guest->agent); /* for the figures */
}
