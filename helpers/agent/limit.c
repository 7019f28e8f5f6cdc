/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * limit.c: QEMU's downtime limit for guests that leave. What it should be is policy's (policy/downtime.h). See work.h.
 */
#include <errno.h>
#include <string.h>

#include "agent/keyed.h"
#include "agent/work.h"
#include "base/log.h"

#define TICK 1000 /* ms between two looks at a guest on its way */

/* What is remembered of a guest. */
struct limit {
	struct keyed keyed;
	uint64_t job;        /* the migration that this is about */
	unsigned int limit;  /* ms, that was set for it; 0: none */
	unsigned int before; /* ms, that was set last: still set in QEMU after a migration that failed */
	unsigned int stuck;  /* looks in a row at which memory was no hindrance */
};

static struct keyed *limits;

/* See work.h. */
void limit_forget(const char *uuid)
{
	keyed_forget(&limits, uuid);
}

/* Return: whether the guest's memory could be sent within half of the limit, so that it is the rest that does not fit. */
static bool is_memory_sent(const struct guest_link *guest, unsigned int limit)
{
	struct guest_progress at = { 0 };

	return !guest_progress(guest, &at, NULL) && at.pass > 1 && (!at.remaining || at.remaining < at.speed / 1000 * limit / 2);
}

/* Says what was set, and at the begin what would make the migration shorter. */
static void say(const struct work *work, unsigned int limit, bool is_first)
{
	const char *name = work->guest.status->name;
	unsigned int vfs = work->guest.guest->vfs;

	if (is_first && limit)
		log_notice("%s: leaving with %u VF%s; QEMU may stop it for %u ms", name, vfs, vfs == 1 ? "" : "s", limit);
	else if (work->config->max_downtime & CONFIG_DOWNTIME_AT_LEAST && limit)
		log_notice("%s: somebody has set less; QEMU may stop it for %u ms", name, limit);
	else if (limit)
		log_notice("%s: its memory is sent and the states of its VFs do not fit; QEMU may stop it for %u ms now", name, limit);
	if (is_first && !(work->guest.status->flags & STATUS_PARALLEL) && downtime_can_multifd(work->guest.status->machine))
		log_info("%s: with 'virsh migrate --parallel' QEMU sends the states of VFs side by side, which shortens the downtime",
			 name);
}

/* Looks at one guest, and sets what it needs. is_first: for this migration.. */
static int look(const struct work *work, struct limit *limit, bool is_first, struct outcome *outcome)
{
	const struct status *status = work->guest.status;
	struct downtime_case c = { .key = work->config->max_downtime, .model = work->downtime, .vfs = work->guest.guest->vfs,
				   .parallel = status->flags & STATUS_PARALLEL && downtime_can_multifd(status->machine),
				   .before = limit->before, .limit = limit->limit };
	unsigned int wanted;
	int error = guest_limit(&work->link, &c.now, &outcome->why);

	if (error)
		return error;
	if (!is_first && c.key == CONFIG_DOWNTIME_AUTO)
		limit->stuck = is_memory_sent(&work->link, limit->limit) ? limit->stuck + 1 : 0;
	c.stuck = limit->stuck;
	wanted = downtime_wanted(&c);
	if (wanted && wanted != c.now)
		error = guest_set_limit(&work->link, wanted, &outcome->why);
	if (error || !wanted)
		return error;
	outcome->count = !is_first;
	limit->limit = limit->before = wanted;
	limit->stuck = limit->stuck ? DOWNTIME_STUCK - 1 : 0;
	return 0;
}

/* Return: whether a limit is to be looked at again while the guest is on its way: one that may be raised. */
static bool goes_on(unsigned int key, const struct limit *limit)
{
	return key & CONFIG_DOWNTIME_AT_LEAST || (key == CONFIG_DOWNTIME_AUTO && limit->limit);
}

/*
 * See work.h. QEMU is asked for the first time as soon as the guest moves, and then while its memory is sent; a look of those that fails is
 * made up for by the next.
 */
void limit_follow(const struct work *work, struct outcome *outcome)
{
	struct limit *limit = keyed_get(&limits, work->intent->uuid, sizeof(*limit));
	bool is_first = limit && limit->job != work->intent->job;
	unsigned int before;

	if (!limit) {
		outcome->error = reason_set(&outcome->why, -ENOMEM, NULL, "out of memory");
		return;
	}
	if (is_first)
		limit->limit = limit->stuck = 0;
	before = limit->limit;
	if (is_first || strcmp(work->guest.status->phase, "perform3") == 0)
		outcome->error = look(work, limit, is_first, outcome);
	if (outcome->error) {
		outcome->error = is_first ? outcome->error : -EAGAIN;
		return;
	}
	limit->job = work->intent->job;
	say(work, limit->limit != before ? limit->limit : 0, is_first);
	outcome->limit = limit->limit;
	outcome->again = goes_on(work->config->max_downtime, limit) ? TICK : 0;
}
