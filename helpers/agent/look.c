/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * look.c: reads libvirt's status directory and does what is due for each guest. See agent.h.
 *
 * In order of haste: a guest that runs here now is announced; a migration that breaks a limit is ended; an arriving guest's places are
 * found out while its memory comes; the rest is put off to settle.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "base/log.h"
#include "policy/gate.h"

#define FIGURES_MS 5000 /* until libvirt must have told the figures of a migration */

/* Return: whether two states of a guest name the same devices in the same order. */
static bool has_same_devices(const struct status *a, const struct status *b)
{
	if (a->devices != b->devices)
		return false;
	for (size_t i = 0; i < a->devices; i++) {
		if (!pci_address_equal(&a->device[i], &b->device[i]))
			return false;
	}
	return true;
}

/* Return: whether a guest's outgoing migration has succeeded when libvirt has no file of it any more. */
static bool has_departed(const struct status *status)
{
	return status->job == STATUS_MIGRATION_OUT && (strcmp(status->phase, "confirm3") == 0 || strcmp(status->phase, "perform3_done") == 0);
}

/* A guest on its way in; when that is over and it runs, it has arrived. */
static void look_at_arrival(struct agent_guest *guest, const struct status *now)
{
	bool runs = strcmp(now->state, "running") == 0;
	bool landed = now->job != STATUS_MIGRATION_IN && status_is_landed(now);

	if (now->job == STATUS_MIGRATION_IN && !guest->arriving) {
		guest->arriving = true;
		announce_end(guest);
	}
	if (!guest->arriving)
		return;
	if (!guest->places)
		announce_prepare(guest);
	if (runs || landed)
		announce_begin(guest, ANNOUNCED_RUNNING);
	else if (strncmp(now->phase, "finish", 6) == 0)
		announce_begin(guest, ANNOUNCED_EARLY);
	if (!landed)
		return;
	guest->arriving = false;
	guest->todo |= TODO_PASSPORT | TODO_DEFINITION;
	guest->agent->reconcile = true;
	log_notice("%s: the guest has arrived", now->name);
}

/*
 * Return: whether a guest's outgoing migration is over and it runs on here. One that is paused may run at the destination: if the one who
 * migrates it dies before he confirms, libvirt leaves it so (src/qemu/qemu_migration.c qemuMigrationSrcCleanup()).
 */
static bool has_stayed(const struct status *before, const struct status *now)
{
	return before->job == STATUS_MIGRATION_OUT && now->job != STATUS_MIGRATION_IN && before->started != now->started &&
	       strcmp(now->state, "running") == 0;
}

/*
 * A guest on its way out. before: what was seen last. One that stays is announced, whether or not it was stopped: the destination may have
 * announced it already when libvirt there finished a migration that was cancelled.
 */
static void look_at_departure(struct agent_guest *guest, const struct status *before, const struct status *now)
{
	if (has_stayed(before, now)) {
		announce_end(guest);
		announce_begin(guest, ANNOUNCED_RUNNING);
	}
	if (now->job != STATUS_MIGRATION_OUT)
		return;
	if (gate_is_moving(now) && (!gate_is_moving(before) || before->started != now->started))
		leave_begin(guest);
	if (strcmp(now->phase, "confirm3") == 0 && strcmp(before->phase, "confirm3"))
		leave_confirmed(guest);
}

/* Follows the guest's migration, if it has VFs; one that had left and is back already has left before. */
static void story_follow(struct agent_guest *guest, const struct status *before)
{
	if (guest->story && has_departed(before) && guest->status.started != before->started)
		story_end(guest, MIGRATION_COMPLETED);
	if (guest->vfs)
		story_look(guest, before);
}

/*
 * Takes what is seen of a guest now.
 * now: is taken over.
 */
static void take(struct agent_guest *guest, struct status *now)
{
	struct status before = guest->status;
	bool is_new = !guest->known;
	unsigned int vfs = gate_count_vfs(now, &guest->agent->inventory, NULL);

	if (vfs && is_new)
		guest->todo |= TODO_PASSPORT | (strcmp(now->state_reason, "migrated") == 0 ? TODO_OLD_DEFINITION : 0);
	if (!is_new && !has_same_devices(&before, now) && (vfs || guest->vfs))
		guest->todo |= TODO_PASSPORT | (now->job == STATUS_MIGRATION_IN || guest->arriving ? 0 : TODO_DEVICES);
	if (vfs && before.job != STATUS_NO_JOB && now->job == STATUS_NO_JOB)
		guest->todo |= TODO_PASSPORT;
	guest->vfs = vfs;
	guest->status = *now;
	memset(now, 0, sizeof(*now));
	guest->seen = guest->known = true;
	guest->gone = false;
	story_follow(guest, &before);
	if (vfs) {
		look_at_arrival(guest, &guest->status);
		look_at_departure(guest, &before, &guest->status);
	}
	status_release(&before);
}

/* Makes the guest of a status known, if it is not. */
static void meet(struct agent *agent, const struct status *status)
{
	struct agent_guest *guest = agent_find(agent, status->uuid) ? NULL : calloc(1, sizeof(*guest));

	if (!guest)
		return;
	snprintf(guest->status.uuid, sizeof(guest->status.uuid), "%s", status->uuid);
	snprintf(guest->status.name, sizeof(guest->status.name), "%s", status->name);
	guest->agent = agent;
	guest->next = agent->guests;
	agent->guests = guest;
}

/*
 * A guest is not here any more. One that has left is kept for a moment: libvirt tells how its migration was only afterwards.
 * Return: whether it is kept.
 */
static bool keep_for_figures(struct agent_guest *guest)
{
	if (guest->gone)
		return guest->story && deadline_left(guest->gone_until);
	guest->agent->reconcile |= guest->vfs != 0;
	if (!guest->story || !has_departed(&guest->status))
		return false;
	guest->gone = true;
	guest->gone_until = deadline_in(FIGURES_MS);
	return true;
}

/* Forgets the guests that were not seen. */
static void forget_gone(struct agent *agent)
{
	for (struct agent_guest **at = &agent->guests; *at;) {
		struct agent_guest *guest = *at;

		if (guest->seen || keep_for_figures(guest)) {
			at = &guest->next;
			continue;
		}
		*at = guest->next;
		announce_end(guest);
		story_gone(guest, guest->gone);
		status_release(&guest->status);
		free(guest);
	}
}

/* Return: whether something is to be done later. */
static bool has_work(const struct agent *agent)
{
	bool work = agent->reconcile;

	for (const struct agent_guest *guest = agent->guests; guest; guest = guest->next)
		work |= guest->todo && !guest->gone && guest->status.job == STATUS_NO_JOB;
	return work;
}

/* A file that cannot be read for a moment must not make a guest look gone: then nothing is taken as gone. */
void look_now(struct agent *agent)
{
	struct status_list list = { 0 };
	struct reason why = { 0 };

	if (status_read_new(&agent->seen, &list, &why)) {
		agent_log(NULL, LOG_WARNING, &why);
		return;
	}
	for (size_t i = 0; i < list.count; i++)
		meet(agent, &list.status[i]);
	leave_judge(agent, &list);
	for (struct agent_guest *guest = agent->guests; guest; guest = guest->next)
		guest->seen = list.unreadable > 0;
	for (size_t i = 0; i < list.count; i++) {
		struct agent_guest *guest = agent_find(agent, list.status[i].uuid);

		if (guest)
			take(guest, &list.status[i]);
	}
	status_list_release(&list);
	forget_gone(agent);
	leave_watch(agent);
	if (has_work(agent))
		settle_soon(agent);
}
