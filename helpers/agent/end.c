/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * end.c: ends an outgoing migration that breaks a limit. See work.h.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/work.h"
#include "base/log.h"
#include "state/history.h"

#define AGAIN 5000       /* ms until a job that has not ended is ended again */
#define HISTORY_TIME 500 /* ms */

/* Writes what was ended into the history that 'vferry status' shows. */
static void remember(const struct seen *guest, const struct reason *why)
{
	struct history_entry entry = { .when = time(NULL), .kind = HISTORY_REFUSED, .event = "agent", .vfs = guest->guest->vfs };

	entry.why = *why;
	snprintf(entry.uuid, sizeof(entry.uuid), "%s", guest->status->uuid);
	reason_clean(entry.guest, sizeof(entry.guest), guest->status->name);
	(void)history_add(&entry, deadline_in(HISTORY_TIME), NULL);
}

/* Says what was ended, and why. */
static void say(const struct seen *guest, const struct reason *why)
{
	char line[1600];

	log_warning("%s: the migration of this guest is ended, it runs on here", guest->status->name);
	reason_format(why, guest->status->name, line, sizeof(line));
	log_warning("%s; rule %s", line, why->rule);
}

/* See work.h. It is said and remembered once. */
void end_job(const struct work *work, struct outcome *outcome)
{
	const struct intent *intent = work->intent;

	outcome->error = guest_abort(&work->link, &outcome->why);
	if (outcome->error) {
		log_error("%s: the migration of this guest breaks %s and could not be ended", work->guest.status->name, intent->why.rule);
		return;
	}
	outcome->again = AGAIN;
	if (intent->done)
		return;
	say(&work->guest, &intent->why);
	remember(&work->guest, &intent->why);
}
