/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * learned.c: what was seen of downtimes on this host, kept in /var/lib/vferry/downtime.json. See learned.h.
 */
#include "agent/learned.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/scope.h"
#include "base/sysroot.h"

#ifndef LOCALSTATEDIR
#define LOCALSTATEDIR "/var"
#endif

#define FOLDER LOCALSTATEDIR "/lib/vferry"
#define FILE_NAME FOLDER "/downtime.json"
#define SIZE_MAX_BYTES 4096

static const char *const keys[2] = { "ms_per_vf", "ms_per_vf_parallel" };

/* See learned.h. What is not there or no sensible number is not known. */
void learned_recall(struct downtime_model *model)
{
	autofree char *text = NULL;
	struct json_object *json = sysroot_slurp(&text, SIZE_MAX_BYTES, FILE_NAME) > 0 ? json_tokener_parse(text) : NULL;

	for (int i = 0; i < 2; i++) {
		int ms = json_object_get_int(json_object_object_get(json, keys[i]));

		model->per_vf[i] = ms > 0 && ms <= DOWNTIME_MOST ? (unsigned int)ms : 0;
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

/* See learned.h. What a guest needed is learned where the agent had set the limit. */
void learned_take(struct downtime_model *model, const struct story_end *end)
{
	const struct migration *migration = &end->migration;
	unsigned int downtime;

	if (migration->is_incoming || migration->outcome != MIGRATION_COMPLETED || migration->downtime == MIGRATION_UNKNOWN)
		return;
	downtime = migration->downtime < DOWNTIME_MOST ? (unsigned int)migration->downtime : DOWNTIME_MOST;
	log_notice("%s: gone, with a downtime of %u ms for %u VF%s", migration->guest, downtime, migration->vfs,
		   migration->vfs == 1 ? "" : "s");
	if (migration->downtime_limit == MIGRATION_UNKNOWN)
		return;
	downtime_learn(model, migration->vfs, end->is_multifd, downtime);
	keep(model);
}
