/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * file.c: the JSON files below /run/vferry. See file.h.
 */
#include "state/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/sysroot.h"
#include "state/record.h"

#define STATE_FILE_MAX (1u << 20)
#define NAME_LENGTH 200

/*
 * file_put() - gives back a JSON object: for the release by scope
 */
void file_put(struct json_object **json)
{
	json_object_put(*json);
}

/*
 * file_read() - the JSON of a state file
 * @path:	below STATE_DIRECTORY
 * @json:	result, to be put
 * @why:	filled on failure other than -ENOENT and -EINVAL
 * Return: 0, -ENOENT, -EINVAL for what does not parse or is no file of ours, negative errno
 */
int file_read(const char *path, struct json_object **json, struct reason *why)
{
	autofree char *text = NULL;
	ssize_t len = sysroot_slurp_checked(&text, STATE_FILE_MAX, SLURP_OWNED | SLURP_NO_LINK, "%s", path);

	if (len == -ENOENT)
		return -ENOENT;
	if (len == -ELOOP || len == -EPERM || len == -EFBIG) /* a link, somebody else's, or no file of ours by its size: not one that we wrote */
		return -EINVAL;
	if (len < 0)
		return reason_set(why, (int)len, path, "cannot read: %s", strerror((int)-len));
	*json = json_tokener_parse(text);
	return *json ? 0 : -EINVAL;
}

/*
 * file_set_aside() - moves a file that does not parse out of the way, once; a newer one replaces an older
 */
void file_set_aside(const char *path)
{
	char from[256], to[272];

	if (sysroot_path(from, sizeof(from), "%s", path))
		return;
	snprintf(to, sizeof(to), "%s.bad", from);
	(void)rename(from, to);
}

/*
 * file_write() - replaces a state file
 * @path:	below STATE_DIRECTORY
 * @json:	what it shall say
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int file_write(const char *path, struct json_object *json, struct reason *why)
{
	const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY);
	int error = text ? record_make_directories(why) : reason_set(why, -ENOMEM, NULL, "out of memory");

	if (error)
		return error;
	error = sysroot_replace(text, strlen(text), "%s", path);
	if (error) {
		reason_set(why, error, path, "cannot write the journal: %s", strerror(-error));
		reason_cure(why, "see that /run is writable and has space");
	}
	return error;
}

/*
 * file_remove() - removes a state file
 * @path:	below STATE_DIRECTORY
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int file_remove(const char *path, struct reason *why)
{
	char full[256];

	if (sysroot_path(full, sizeof(full), "%s", path))
		return reason_set(why, -ENAMETOOLONG, path, "the path is too long");
	if (unlink(full) && errno != ENOENT)
		return reason_set(why, -errno, path, "cannot remove: %s", strerror(errno));
	return 0;
}

/*
 * file_each() - goes through the files of a directory
 * @directory:	below STATE_DIRECTORY
 * @each:	gets each name without its end
 * @arg:	for it
 * @why:	for it
 * Return: 0, or what each returned
 */
int file_each(const char *directory, int (*each)(const char *name, void *arg, struct reason *why), void *arg, struct reason *why)
{
	autoclosedir DIR *dir = sysroot_opendir("%s", directory);
	const struct dirent *entry;
	int result = 0;

	while (dir && result == 0 && (entry = readdir(dir))) {
		size_t length = strlen(entry->d_name);
		char name[NAME_LENGTH];

		if (*entry->d_name == '.' || length < 6 || length >= sizeof(name) || strcmp(entry->d_name + length - 5, ".json"))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)length - 5, entry->d_name);
		result = each(name, arg, why);
	}
	return result;
}

/*
 * file_get_text() - a string member of an object
 * Return: 0 (out is "" if there is none), -EINVAL if it is no string or does not fit
 */
int file_get_text(struct json_object *json, const char *key, char *out, size_t size)
{
	struct json_object *member;

	*out = '\0';
	if (!json_object_object_get_ex(json, key, &member))
		return 0;
	if (!json_object_is_type(member, json_type_string) || (size_t)json_object_get_string_len(member) >= size)
		return -EINVAL;
	memcpy(out, json_object_get_string(member), (size_t)json_object_get_string_len(member) + 1);
	return 0;
}

/*
 * file_get_number() - a number member of an object
 */
int64_t file_get_number(struct json_object *json, const char *key)
{
	struct json_object *member;

	return json_object_object_get_ex(json, key, &member) ? json_object_get_int64(member) : 0;
}
