/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * history.c: what the hook did and refused, as a JSON list in one file.
 */
#include "state/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "base/scope.h"
#include "base/sysroot.h"
#include "state/record.h"

#define HISTORY_FILE STATE_DIRECTORY "/history"
#define HISTORY_LOCK STATE_DIRECTORY "/history.lock"
#define HISTORY_FILE_MAX (1u << 20) /* bytes */

static const char *const kinds[HISTORY_KINDS] = {
	[HISTORY_READY] = "ready", [HISTORY_REFUSED] = "refused", [HISTORY_CANCELED] = "canceled", [HISTORY_LEFT] = "left",
};

static void scope_json(struct json_object **json)
{
	json_object_put(*json);
}
#define autojson __attribute__((cleanup(scope_json)))

/*
 * add_text() - a text of an entry
 */
static void add_text(struct json_object *json, const char *key, const char *text)
{
	json_object_object_add(json, key, json_object_new_string(text));
}

/*
 * history_to_json() - one entry
 * Return: a JSON object, to be put
 */
struct json_object *history_to_json(const struct history_entry *entry)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "when", json_object_new_int64(entry->when));
	add_text(json, "what", kinds[entry->kind]);
	add_text(json, "event", entry->event);
	add_text(json, "guest", entry->guest);
	add_text(json, "uuid", entry->uuid);
	json_object_object_add(json, "vfs", json_object_new_int64(entry->vfs));
	json_object_object_add(json, "milliseconds", json_object_new_int64(entry->ms));
	add_text(json, "rule", entry->why.rule);
	add_text(json, "object", entry->why.object);
	add_text(json, "reason", entry->why.what);
	add_text(json, "cure", entry->why.cure);
	return json;
}

/*
 * take_text() - a text of an entry, cleaned; "" if it is absent
 */
static void take_text(struct json_object *json, const char *key, char *out, size_t size)
{
	struct json_object *value;

	*out = '\0';
	if (json_object_object_get_ex(json, key, &value) && json_object_is_type(value, json_type_string))
		reason_clean(out, size, json_object_get_string(value));
}

/*
 * take_number() - a number of an entry; 0 if it is absent or negative
 */
static int64_t take_number(struct json_object *json, const char *key)
{
	struct json_object *value;
	int64_t number = json_object_object_get_ex(json, key, &value) ? json_object_get_int64(value) : 0;

	return number > 0 ? number : 0;
}

/*
 * from_json() - one entry
 * @json:	what history_to_json() made
 * @entry:	result
 * Return: 0, -EINVAL if it is no entry
 */
static int from_json(struct json_object *json, struct history_entry *entry)
{
	char kind[16];

	*entry = (struct history_entry){ .kind = HISTORY_KINDS };
	if (!json_object_is_type(json, json_type_object))
		return -EINVAL;
	take_text(json, "what", kind, sizeof(kind));
	for (unsigned int i = 0; i < HISTORY_KINDS; i++) {
		if (strcmp(kind, kinds[i]) == 0)
			entry->kind = i;
	}
	entry->when = take_number(json, "when");
	entry->vfs = (unsigned int)(take_number(json, "vfs") % (RECORD_MAX_VFS + 1));
	entry->ms = take_number(json, "milliseconds");
	take_text(json, "event", entry->event, sizeof(entry->event));
	take_text(json, "guest", entry->guest, sizeof(entry->guest));
	take_text(json, "uuid", entry->uuid, sizeof(entry->uuid));
	take_text(json, "rule", entry->why.rule, sizeof(entry->why.rule));
	take_text(json, "object", entry->why.object, sizeof(entry->why.object));
	take_text(json, "reason", entry->why.what, sizeof(entry->why.what));
	take_text(json, "cure", entry->why.cure, sizeof(entry->why.cure));
	return entry->kind == HISTORY_KINDS ? -EINVAL : 0;
}

/*
 * add_last() - adds an entry at the end, dropping the first if there is no room
 */
static void add_last(struct history *history, const struct history_entry *entry)
{
	if (history->count == HISTORY_MAX) {
		memmove(&history->entry[0], &history->entry[1], (HISTORY_MAX - 1) * sizeof(history->entry[0]));
		history->count--;
	}
	history->entry[history->count++] = *entry;
}

/*
 * history_read() - all that is remembered
 * @history:	result
 * @why:	filled on failure
 * Return: 0 (also if there is no file, or one that does not parse), negative errno
 */
int history_read(struct history *history, struct reason *why)
{
	autojson struct json_object *json = NULL;
	autofree char *text = NULL;
	ssize_t length;

	history->count = 0;
	length = sysroot_slurp(&text, HISTORY_FILE_MAX, "%s", HISTORY_FILE);
	if (length == -ENOENT || length == -EFBIG)
		return 0;
	if (length < 0)
		return reason_set(why, (int)length, HISTORY_FILE, "cannot read what was done before: %s", strerror((int)-length));
	json = json_tokener_parse(text);
	for (size_t i = 0; json_object_is_type(json, json_type_array) && i < json_object_array_length(json); i++) {
		struct history_entry entry;

		if (!from_json(json_object_array_get_idx(json, i), &entry))
			add_last(history, &entry);
	}
	return 0;
}

/*
 * write_all() - the whole history, by rename
 */
static int write_all(const struct history *history, struct reason *why)
{
	autojson struct json_object *json = json_object_new_array();
	const char *text;
	int error;

	for (size_t i = 0; i < history->count; i++)
		json_object_array_add(json, history_to_json(&history->entry[i]));
	text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN);
	error = text ? sysroot_replace(text, strlen(text), "%s", HISTORY_FILE) : -ENOMEM;
	return error ? reason_set(why, error, HISTORY_FILE, "cannot write it: %s", strerror(-error)) : 0;
}

/*
 * history_add() - remembers one more
 * @entry:	what happened
 * @deadline:	when to give up waiting for another writer
 * @why:	filled on failure
 * Return: 0, -ETIME, negative errno
 */
int history_add(const struct history_entry *entry, deadline_t deadline, struct reason *why)
{
	autofree struct history *history = calloc(1, sizeof(*history));
	autoclose int fd = -1;
	int error;

	if (!history)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	error = record_make_directory(STATE_DIRECTORY, why);
	if (error)
		return error;
	fd = lock_take(HISTORY_LOCK, deadline, why);
	if (fd < 0)
		return fd;
	error = history_read(history, why);
	if (error)
		return error;
	add_last(history, entry);
	return write_all(history, why);
}
