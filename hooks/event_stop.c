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
	autofree struct record *record = calloc(1, sizeof(*record));
	struct status status = { 0 };
	int error;

	if (!record)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	error = record_read(event->domain->uuid, record, why);
	if (error || record->state != RECORD_ARRIVING)
		return error == -ENOENT ? 0 : error;
	error = status_read(event->domain->uuid, &status, why);
	if (!error && status_is_landed(&status))
		error = ready_commit(record, why);
	status_release(&status);
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
 * note_end() - a guest that arrived and ended itself before anybody saw it run: its PFs stay as they are
 */
static void note_end(const struct event *event)
{
	autofree struct record *record = calloc(1, sizeof(*record));
	struct reason why = { 0 };

	if (!record || !has_run_here(event->extra) || record_read(event->domain->uuid, record, NULL) || record->state != RECORD_ARRIVING)
		return;
	if (ready_commit(record, &why))
		log_warning("%s", why.what);
}

/*
 * look_back() - what the guest had here, for the history
 */
static void look_back(struct event *event)
{
	autofree struct record *record = calloc(1, sizeof(*record));

	if (!record || record_read(event->domain->uuid, record, NULL))
		return;
	event->vfs = (unsigned int)record->vfs;
	event->never_landed = record->state == RECORD_ARRIVING;
}

/*
 * event_release() - gives back what the guest had here
 * @event:	the call; extra is the reason ("migrated", "failed", "shutdown", ...)
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int event_release(struct event *event, struct reason *why)
{
	autoclose int lock = record_lock(NULL, event->end, why);

	if (lock < 0)
		return lock;
	log_info("the guest has left (%s)", event->extra);
	note_end(event);
	look_back(event);
	(void)ready_reconcile(event->config, event->domain->uuid, event->end, NULL);
	return 0;
}

/*
 * event_reconnect() - libvirtd has started anew and found this guest running
 * @event:	the call
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int event_reconnect(struct event *event, struct reason *why)
{
	autoclose int lock = record_lock(NULL, event->end, why);

	if (lock < 0)
		return lock;
	(void)ready_reconcile(event->config, NULL, event->end, NULL);
	return 0;
}
