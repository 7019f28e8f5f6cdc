/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * file.h: the JSON files below /run/vferry: every file of the state is read, replaced, removed and listed by these four, and by nothing
 * else, so that a test can stand between any two of them. Private to state/.
 */
#ifndef VFERRY_STATE_FILE_H
#define VFERRY_STATE_FILE_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/reason.h"

/*
 * Reads one file. Return: 0; -ENOENT if there is none; -EINVAL for what is no JSON or no file of ours; other negative errno with *why.
 */
int file_read(const char *path, struct json_object **json, struct reason *why);

/* Moves a file that does not say what it should out of the way, so that it cannot block anything for ever. */
void file_set_aside(const char *path);

/* Replaces a file as a whole, by rename; its directory is made if need be. Return: 0, negative errno with *why. */
int file_write(const char *path, struct json_object *json, struct reason *why);

/* Removes a file; one that is not there is removed already. Return: 0, negative errno with *why. */
int file_remove(const char *path, struct reason *why);

/*
 * Calls each with the name, without ".json", of every file of a directory, until one does not return 0. Return: what the last one returned;
 * 0 if there is no such directory.
 */
int file_each(const char *directory, int (*each)(const char *name, void *arg, struct reason *why), void *arg, struct reason *why);

/* A string member that fits, "" if there is none. Return: 0, -EINVAL if it is no string or too long. */
int file_get_text(struct json_object *json, const char *key, char *out, size_t size);

/* A number member, 0 if there is none. */
int64_t file_get_number(struct json_object *json, const char *key);

void file_put(struct json_object **json);
#define autojson __attribute__((cleanup(file_put)))

#endif
