/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * learned.c: what was seen of downtimes on this host, kept in /var/lib/vferry/downtime.json. Losing it costs nothing but knowledge.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "agent/agent.h"
#include "base/log.h"
#include "base/scope.h"
#include "base/sysroot.h"
#include "state/history.h"

#ifndef LOCALSTATEDIR
#define LOCALSTATEDIR "/var"
#endif

#define FOLDER LOCALSTATEDIR "/lib/vferry"
#define FILE_NAME FOLDER "/downtime.json"
#define SIZE_MAX_BYTES 4096
#define HISTORY_TIME 500 /* ms */

static const char *const keys[2] = { "ms_per_vf", "ms_per_vf_parallel" };

/* Reads the file; what is not there or no sensible number is not known. */
void leave_recall(struct agent *agent)
{
	autofree char *text = NULL;
	struct json_object *json = sysroot_slurp(&text, SIZE_MAX_BYTES, FILE_NAME) > 0 ? json_tokener_parse(text) : NULL;

	for (int i = 0; i < 2; i++) {
		int ms = json_object_get_int(json_object_object_get(json, keys[i]));

		agent->downtime.per_vf[i] = ms > 0 && ms <= DOWNTIME_MOST ? (unsigned int)ms : 0;
	}
	json_object_put(json);
}

/* Writes the file. */
static void keep(const struct downtime_model *model)
{
	struct json_object *json = json_object_new_object();
	const char *text;
	char path[256];
	int error;

	for (int i = 0; i < 2; i++)
		json_object_object_add(json, keys[i], json_object_new_int((int)model->per_vf[i]));
	text = json_object_to_json_string(json);
	if (!sysroot_path(path, sizeof(path), FOLDER))
		(void)mkdir(path, 0755);
	error = sysroot_replace(text, strlen(text), FILE_NAME);
	if (error)
		log_warning(FILE_NAME ": what was learned cannot be written: %s", strerror(-error));
	json_object_put(json);
}

/* Writes the move into the history that 'vferry status' shows. */
static void remember(const struct agent_guest *guest, unsigned int downtime)
{
	struct history_entry entry = { .when = time(NULL), .kind = HISTORY_MOVED, .event = "agent", .vfs = guest->vfs, .ms = downtime };

	snprintf(entry.uuid, sizeof(entry.uuid), "%s", guest->status.uuid);
	reason_clean(entry.guest, sizeof(entry.guest), guest->status.name);
	(void)history_add(&entry, deadline_in(HISTORY_TIME), NULL);
}

/* guest: that has left. downtime: ms that it stood still. */
void leave_completed(struct agent_guest *guest, unsigned int downtime)
{
	bool parallel = guest->status.flags & STATUS_PARALLEL;
	struct agent *agent = guest->agent;

	if (!guest->vfs || !guest->limit)
		return;
	log_notice("%s: gone, with a downtime of %u ms for %u VF%s", guest->status.name, downtime, guest->vfs, guest->vfs == 1 ? "" : "s");
	downtime_learn(&agent->downtime, guest->vfs, parallel, downtime);
	keep(&agent->downtime);
	remember(guest, downtime);
}
