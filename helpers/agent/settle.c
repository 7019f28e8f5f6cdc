/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * settle.c: what may wait a moment: records and journals, representors of hot-plugged VFs, passports, stored definitions.
 *
 * Done once for many changes, SETTLE_MS after the last of them, and only for guests without a job: libvirt would let a change of metadata
 * wait for the job's end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/definition.h"
#include "base/log.h"
#include "base/scope.h"
#include "engine/hotplug.h"
#include "engine/ready.h"
#include "engine/scene.h"
#include "policy/issue.h"
#include "virt/virt.h"

#define SETTLE_MS 200
#define LOCK_TIME 3000   /* ms: a hook at work holds the lock, and will reconcile by itself */
#define WORK_TIME 20000  /* ms */

/* See agent.h. */
void settle_soon(struct agent *agent)
{
	virEventUpdateTimeout(agent->settle_timer, SETTLE_MS);
}

/* Brings records, journals and ports in line with who is here, as each call of the hook does. */
static void reconcile(struct agent *agent)
{
	struct reason why = { 0 };
	autoclose int lock = record_lock(NULL, deadline_in(LOCK_TIME), &why);

	agent->reconcile = false;
	if (lock >= 0) {
		agent->metrics.reconciliations++;
		(void)ready_reconcile(&agent->config, NULL, deadline_in(WORK_TIME), NULL);
	}
}

/* Writes a passport into the guest's metadata; NULL takes it out. Return: 0, negative errno. */
static int write_passport(const char *uuid, const struct passport *passport, struct reason *why)
{
	autofree char *xml = NULL;

	if (passport->present && passport_print(passport, true, &xml) < 0)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	return metadata_start(uuid, xml, why);
}

/*
 * Writes the guest's passport if it says something else than this host would.
 * Return: 0, negative errno.
 */
static int refresh_passport(const struct agent_guest *guest, const struct domain *domain, struct reason *why)
{
	autofree struct passport *fresh = calloc(1, sizeof(*fresh));
	autoscene struct scene scene = { 0 };
	size_t without;
	int error;

	if (!fresh)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	error = scene_read(&scene, &guest->agent->config, deadline_in(WORK_TIME), why);
	if (!error)
		error = scene_find_guest(&scene, domain, false, why);
	if (error)
		return error;
	without = issue_passport(&scene.guest, domain->uuid, &scene.inventory, fresh);
	if (passport_equal(fresh, &domain->passport))
		return 0;
	error = write_passport(domain->uuid, fresh, why);
	guest->agent->metrics.passports += !error;
	if (!error)
		log_info("%s: passport written for %zu of %zu VFs", guest->status.name, fresh->vfs, fresh->vfs + without);
	return error;
}

/* What is done for a guest, and the first thing of it that failed. */
struct work {
	struct agent_guest *guest;
	const struct domain *domain;
	virDomainPtr handle;
	struct reason failed; /* what is empty: nothing */
};

/* Takes how one thing that was to be done has ended. */
static void done(struct work *work, unsigned int todo, int error, const struct reason *why)
{
	if (error && error != -ENOENT) { /* gone in the meantime */
		agent_log(work->guest, LOG_WARNING, why);
		if (!*work->failed.what)
			work->failed = *why;
	}
	work->guest->todo &= ~todo;
}

/* Does all that is to be done. What fails is tried again when something changes, or in a minute. */
static void do_all(struct work *work)
{
	const struct config *config = &work->guest->agent->config;
	unsigned int todo = work->guest->todo;
	struct reason why = { 0 };

	log_context(work->guest->status.name, NULL);
	if (todo & TODO_DEVICES)
		done(work, TODO_DEVICES, hotplug_sync(config, work->domain, deadline_in(WORK_TIME), &why), &why);
	if (todo & (TODO_DEFINITION | TODO_OLD_DEFINITION))
		done(work, TODO_DEFINITION | TODO_OLD_DEFINITION,
		     definition_mend(work->handle, work->domain, !(todo & TODO_DEFINITION), &why), &why);
	log_context(NULL, NULL);
	if (todo & TODO_PASSPORT)
		done(work, TODO_PASSPORT, refresh_passport(work->guest, work->domain, &why), &why);
}

/* Reads a guest that has no job, does what is to be done for it, and ends the story of its arrival with what came of that. */
static void settle(struct agent_guest *guest)
{
	autofree struct domain *domain = calloc(1, sizeof(*domain));
	struct work work = { .guest = guest, .domain = domain };
	autoguest virDomainPtr handle = NULL;
	struct reason why = { 0 };
	autofree char *xml = NULL;
	int error = domain ? agent_domain(guest, &handle, &why) : reason_set(&why, -ENOMEM, "", "out of memory");

	if (!error)
		error = virt_xml(handle, false, &xml, &why);
	if (!error)
		error = domain_parse(xml, strlen(xml), domain, &why);
	if (error == -ENOTCONN)
		return;
	work.handle = handle;
	if (error)
		done(&work, ~0u, error, &why);
	else
		do_all(&work);
	story_arrived(guest, error ? "" : domain->passport.host, &work.failed);
	if (!error)
		domain_release(domain);
}

/* The timer of settle_soon(). */
void settle_now(int timer, void *opaque)
{
	struct agent *agent = opaque;

	virEventUpdateTimeout(timer, -1);
	if (agent->reconcile)
		reconcile(agent);
	for (struct agent_guest *guest = agent->guests; guest; guest = guest->next) {
		if (guest->todo && !guest->gone && guest->status.job == STATUS_NO_JOB)
			settle(guest);
	}
	publish(agent);
}
