/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * limit.c: QEMU's downtime limit for guests that leave. What it should be is policy's (policy/downtime.h). See work.h.
 */
#include <errno.h>
#include <string.h>

#include "agent/guest.h"
#include "agent/keyed.h"
#include "agent/work.h"
#include "base/log.h"
#include "virt/virt.h"

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
static bool is_memory_sent(const struct limit *limit, virDomainPtr handle)
{
	unsigned long long remaining = 0, speed = 0, pass = 0;
	virTypedParameterPtr params = NULL;
	int type, count = 0;
	bool sent = false;

	if (virDomainGetJobStats(handle, &type, &params, &count, 0) == 0) {
		(void)virTypedParamsGetULLong(params, count, VIR_DOMAIN_JOB_MEMORY_ITERATION, &pass);
		(void)virTypedParamsGetULLong(params, count, VIR_DOMAIN_JOB_MEMORY_BPS, &speed);
		if (virTypedParamsGetULLong(params, count, VIR_DOMAIN_JOB_MEMORY_REMAINING, &remaining) == 1)
			sent = pass > 1 && (!remaining || remaining < speed / 1000 * limit->limit / 2);
	}
	virTypedParamsFree(params, count);
	return sent;
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
		log_info("%s: with 'virsh migrate --parallel' QEMU sends the states of VFs side by side, which shortens the downtime", name);
}

/* Looks at one guest, and sets what it needs. is_first: for this migration.. */
static int look(const struct work *work, struct limit *limit, bool is_first, virDomainPtr handle, struct outcome *outcome)
{
	const struct status *status = work->guest.status;
	struct downtime_case c = { .key = work->config->max_downtime, .model = work->downtime, .vfs = work->guest.guest->vfs,
				   .parallel = status->flags & STATUS_PARALLEL && downtime_can_multifd(status->machine),
				   .before = limit->before, .limit = limit->limit };
	unsigned long long now = DOWNTIME_QEMU;
	unsigned int wanted;

	if (virDomainMigrateGetMaxDowntime(handle, &now, 0) < 0)
		return virt_reason(&outcome->why, "", "tell the guest's maximum downtime");
	if (limit->limit && c.key == CONFIG_DOWNTIME_AUTO && strcmp(status->phase, "perform3") == 0)
		limit->stuck = is_memory_sent(limit, handle) ? limit->stuck + 1 : 0;
	c.stuck = limit->stuck;
	c.now = now < UINT32_MAX ? (unsigned int)now : UINT32_MAX;
	wanted = downtime_wanted(&c);
	if (wanted && wanted != c.now && virDomainMigrateSetMaxDowntime(handle, wanted, 0) < 0)
		return virt_reason(&outcome->why, "", "set the guest's maximum downtime");
	if (!wanted)
		return 0;
	outcome->count = !is_first;
	limit->limit = limit->before = wanted;
	limit->stuck = limit->stuck ? DOWNTIME_STUCK - 1 : 0;
	return 0;
}

/* See work.h. */
void limit_follow(const struct work *work, struct outcome *outcome)
{
	struct limit *limit = keyed_get(&limits, work->intent->uuid, sizeof(*limit));
	autoguest virDomainPtr handle = NULL;
	unsigned int before;
	bool is_first;

	if (!limit) {
		outcome->error = reason_set(&outcome->why, -ENOMEM, NULL, "out of memory");
		return;
	}
	is_first = limit->job != work->intent->job;
	if (is_first)
		limit->limit = limit->stuck = 0;
	before = limit->limit;
	outcome->error = guest_handle(work->connection, work->intent->uuid, &handle, &outcome->why);
	if (!outcome->error)
		outcome->error = look(work, limit, is_first, handle, outcome);
	if (outcome->error)
		return;
	limit->job = work->intent->job;
	say(work, limit->limit != before ? limit->limit : 0, is_first);
	outcome->limit = limit->limit;
	outcome->again = work->config->max_downtime == CONFIG_DOWNTIME_OFF ? 0 : TICK;
}
