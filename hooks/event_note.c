/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * event_note.c: what the worker remembers of its calls, for people who ask later: vferry status.
 *
 * Only what concerns a guest with VFs: arrivals that were made ready for, what was refused, arrivals that did not happen, departures.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "event.h"
#include "state/history.h"

#define PATIENCE_MS 500 /* for another writer: history is not worth more of libvirt's time */

/*
 * kind_of() - what a call was, if it is worth remembering
 * Return: the kind, HISTORY_KINDS if it is not
 */
static enum history_kind kind_of(const struct event *event, const char *operation, int error)
{
	if (error)
		return HISTORY_REFUSED;
	if (!event->vfs)
		return HISTORY_KINDS;
	if (strcmp(operation, "migrate") == 0)
		return HISTORY_READY;
	if (strcmp(operation, "release") != 0)
		return HISTORY_KINDS;
	if (event->never_landed)
		return HISTORY_CANCELED;
	return strcmp(event->extra, "migrated") == 0 ? HISTORY_LEFT : HISTORY_KINDS;
}

/*
 * event_note() - remembers a call
 * @event:	the call; a zeroed domain if the XML could not be read
 * @operation:	libvirt's word for it
 * @begin:	clock_ms() when it began
 * @error:	what it returned
 * @why:	of an error
 *
 * A failure to remember is a line in the log and nothing else.
 */
void event_note(const struct event *event, const char *operation, int64_t begin, int error, const struct reason *why)
{
	struct history_entry entry = { .when = (int64_t)time(NULL), .kind = kind_of(event, operation, error), .vfs = event->vfs,
				       .ms = clock_ms() - begin };
	struct reason trouble = { 0 };
	char line[1024];

	if (entry.kind == HISTORY_KINDS)
		return;
	snprintf(entry.event, sizeof(entry.event), "%s", operation);
	snprintf(entry.uuid, sizeof(entry.uuid), "%s", event->domain->uuid);
	reason_clean(entry.guest, sizeof(entry.guest), event->domain->name);
	if (error)
		entry.why = *why;
	if (!history_add(&entry, deadline_in(PATIENCE_MS), &trouble))
		return;
	reason_format(&trouble, NULL, line, sizeof(line));
	log_warning("the history is not written: %s", line);
}
