/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * event_stop.c: "stopped", "release" and "reconnect": a guest leaves, or libvirtd has come back.
 *
 * After a shutdown these run in libvirt's single event thread (src/qemu/qemu_driver.c): they are short.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/scope.h"
#include "domain/status.h"
#include "engine/ready.h"
#include "event.h"

/*
 * event_stopped() - QEMU is gone; the status file still tells whether an incoming guest had landed before
 * @event:	the call
 * @why:	filled on failure
 * Return: 0, negative errno
 *
 * "release" comes after libvirt removed the file, and most of its reasons do not say (a failed import may be released as failed, crashed,
 * destroyed or daemon).
 */
int event_stopped(struct event *event, struct reason *why)
{
	struct record_list leases = { 0 };
	struct status status = { 0 };
	int error = ready_leases(event->domain->uuid, &leases, why);

	for (size_t i = 0; !error && i < leases.count; i++) {
		const struct record *lease = &leases.record[i];

		if (lease->state != RECORD_ARRIVING || !lease->came)
			continue;
		if (!*status.uuid)
			error = status_read(event->domain->uuid, &status, why);
		if (!error && status_is_landed(&status))
			error = ready_commit(lease->uuid, lease->lease, why);
	}
	status_release(&status);
	record_list_release(&leases);
	return error == -ENOENT ? 0 : error;
}

/*
 * has_run_here() - whether a reason of "release" is one that only a guest has that ran here
 *
 * The reasons are in src/conf/domain_conf.c, virDomainShutoffReason.
 */
static bool has_run_here(const char *reason)
{
	static const char *const reasons[] = { "shutdown", "migrated", "saved", "from snapshot" };

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(reason, reasons[i]) == 0)
			return true;
	return false;
}

/*
 * look_back() - what the guest had here, for the history; and one that arrived and ended itself before anybody saw it run: its PFs stay as
 * they are
 */
static void look_back(struct event *event, const struct record *lease)
{
	struct reason why = { 0 };

	event->vfs += (unsigned int)lease->vfs;
	event->never_landed = lease->state == RECORD_ARRIVING && !has_run_here(event->extra);
	if (lease->state == RECORD_ARRIVING && !event->never_landed && ready_commit(lease->uuid, lease->lease, &why))
		log_warning("%s", why.what);
}

/*
 * forget() - a guest that has no lease is known no more: a call that broke off before it wrote one may have left its note
 *
 * One that must be told that its VF went to another guest is kept.
 */
static void forget(const char *uuid)
{
	struct guest_note note;

	if (!guest_note_read(uuid, &note, NULL) && !note.is_lost)
		guest_note_forget(uuid);
}

/*
 * event_release() - gives back what the guest had here
 * @event:	the call; extra is the reason ("migrated", "failed", "shutdown", ...)
 * @why:	filled on failure
 * Return: 0, negative errno
 *
 * It acts on the leases that were there when the call began, and of those on the ones that libvirt has called "prepare" for: an arrival of
 * the same guest that was announced since has nothing to do with it.
 */
int event_release(struct event *event, struct reason *why)
{
	struct record_list leases = { 0 };
	int error = ready_leases(event->domain->uuid, &leases, why);

	log_info("the guest has left (%s)", event->extra);
	if (leases.count)
		event_keep(event);
	for (size_t i = 0; !error && i < leases.count; i++) {
		const struct record *lease = &leases.record[i];
		const struct ready_choice own = { .uuid = lease->uuid, .lease = lease->lease, .came = true };

		if (!lease->came)
			continue;
		look_back(event, lease);
		error = ready_give_back(event->config, &own, false, event->end, why);
	}
	if (!error && !leases.count)
		forget(event->domain->uuid);
	record_list_release(&leases);
	(void)ready_reconcile(event->config, event->end, NULL);
	return error;
}

/*
 * event_reconnect() - libvirtd has started anew and found this guest running
 * @event:	the call
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int event_reconnect(struct event *event, struct reason *why)
{
	(void)why;
	(void)ready_reconcile(event->config, event->end, NULL);
	return 0;
}
