/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * migration.c: the migrations of this host's guests with VFs, a line each. See migration.h.
 */
#include "state/migration.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/scope.h"
#include "base/sysroot.h"

#ifndef LOCALSTATEDIR
#define LOCALSTATEDIR "/var"
#endif

#define FOLDER LOCALSTATEDIR "/lib/vferry"
#define FILE_NAME FOLDER "/migrations.jsonl"
#define OLD_NAME FILE_NAME ".1"
#define PATH_LEN 512

static const char *const outcomes[MIGRATION_OUTCOMES] = {
	[MIGRATION_COMPLETED] = "completed", [MIGRATION_FAILED] = "failed", [MIGRATION_ENDED] = "ended",
	[MIGRATION_UNSETTLED] = "unsettled",
};

/*
 * migration_outcome_name() - the name of an outcome in JSON and metrics
 */
const char *migration_outcome_name(enum migration_outcome outcome)
{
	return outcomes[outcome];
}

/*
 * add_text() - a text, null if it is empty
 */
static void add_text(struct json_object *json, const char *key, const char *text)
{
	json_object_object_add(json, key, *text ? json_object_new_string(text) : NULL);
}

/*
 * add_number() - a number, null if it is not known
 */
static void add_number(struct json_object *json, const char *key, int64_t number)
{
	json_object_object_add(json, key, number >= 0 ? json_object_new_int64(number) : NULL);
}

/*
 * phases_json() - phases as {"begin3": ms, ...}; one that came twice is added up
 */
static struct json_object *phases_json(const struct migration *migration)
{
	struct json_object *json = json_object_new_object(), *before;

	for (size_t i = 0; i < migration->phases; i++) {
		const struct migration_phase *phase = &migration->phase[i];
		int64_t ms = json_object_object_get_ex(json, phase->name, &before) ? json_object_get_int64(before) : 0;

		json_object_object_add(json, phase->name, json_object_new_int64(ms + phase->ms));
	}
	return json;
}

/*
 * to_json() - one migration
 * Return: a JSON object, to be put
 */
static struct json_object *to_json(const struct migration *migration)
{
	struct json_object *json = json_object_new_object(), *wrong = json_object_new_array();

	add_number(json, "when_ms", migration->when);
	add_text(json, "guest", migration->guest);
	add_text(json, "uuid", migration->uuid);
	add_text(json, "direction", migration->is_incoming ? "in" : "out");
	add_text(json, "from", migration->from);
	add_text(json, "to", migration->to);
	add_number(json, "vfs", migration->vfs);
	json_object_object_add(json, "parallel", json_object_new_boolean(migration->is_parallel));
	add_text(json, "outcome", outcomes[migration->outcome]);
	add_number(json, "milliseconds", migration->ms);
	json_object_object_add(json, "phases_ms", phases_json(migration));
	add_number(json, "downtime_ms", migration->downtime);
	add_number(json, "downtime_limit_ms", migration->downtime_limit);
	add_number(json, "memory_bytes", migration->memory_bytes);
	add_number(json, "dirty_bytes_per_second", migration->dirty_rate);
	add_number(json, "vfio_bytes", migration->vfio_bytes);
	json_object_array_add(wrong, json_object_new_string("memory_bytes"));
	json_object_array_add(wrong, json_object_new_string("dirty_bytes_per_second"));
	json_object_object_add(json, "counts_guest_memory_only", wrong);
	add_text(json, "rule", migration->why.rule);
	add_text(json, "reason", migration->why.what);
	return json;
}

/*
 * rotate() - makes room when the file has grown too long
 */
static void rotate(void)
{
	char path[PATH_LEN], old[PATH_LEN];
	struct stat now;

	if (sysroot_path(path, sizeof(path), FILE_NAME) || sysroot_path(old, sizeof(old), OLD_NAME))
		return;
	if (stat(path, &now) == 0 && now.st_size >= MIGRATION_FILE_MAX)
		(void)rename(path, old);
}

/*
 * append() - one line with one write(2), so that a reader never finds half of it
 */
static int append(const char *line, size_t length)
{
	autoclose int fd = sysroot_open(O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0600, FILE_NAME);
	ssize_t written;

	if (fd < 0)
		return fd;
	written = write(fd, line, length);
	if (written < 0)
		return -errno;
	return (size_t)written == length ? 0 : -ENOSPC;
}

/*
 * migration_add() - remembers one
 * @migration:	that is over
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int migration_add(const struct migration *migration, struct reason *why)
{
	struct json_object *json = to_json(migration);
	const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN);
	size_t length = text ? strlen(text) : 0;
	autofree char *line = malloc(length + 1);
	char path[PATH_LEN];
	int error;

	if (line && text) {
		memcpy(line, text, length);
		line[length] = '\n';
	}
	json_object_put(json);
	if (!line || !length)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	if (!sysroot_path(path, sizeof(path), FOLDER))
		(void)mkdir(path, 0755);
	rotate();
	error = append(line, length + 1);
	return error ? reason_set(why, error, FILE_NAME, "what was migrated cannot be written: %s", strerror(-error)) : 0;
}

/*
 * add_lines() - adds the lines of a file to a JSON array
 */
static void add_lines(struct json_object *all, const char *file)
{
	autofree char *text = NULL;
	char *rest, *line;

	if (sysroot_slurp(&text, MIGRATION_FILE_MAX + (1u << 16), "%s", file) <= 0)
		return;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		struct json_object *json = *line ? json_tokener_parse(line) : NULL;

		if (json_object_is_type(json, json_type_object))
			json_object_array_add(all, json);
		else
			json_object_put(json);
	}
}

/*
 * migration_last() - the newest migrations
 * @max:	how many at most
 * Return: a JSON array, to be put
 */
struct json_object *migration_last(size_t max)
{
	struct json_object *all = json_object_new_array();
	size_t count;

	add_lines(all, OLD_NAME);
	add_lines(all, FILE_NAME);
	count = json_object_array_length(all);
	if (count > max)
		json_object_array_del_idx(all, 0, count - max);
	return all;
}
