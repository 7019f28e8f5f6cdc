/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * names.c: which names a report may hold although nobody here is called so any more: those of guests that have left. See names.h.
 *
 * They stand in what is kept of the past (history, migrations), and in the log: at the beginning of a line of the hook ("GUEST: EVENT: "),
 * and in sentences that name another guest than the call is for.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "command/report/names.h"
#include "state/history.h"
#include "state/migration.h"

#define NAME_MAX_LENGTH 255
#define MIGRATIONS 2000

/* The calls of libvirt as the log names them. */
static const char *const events[] = { "prepare", "start", "started", "stopped", "release", "migrate", "restore", "reconnect", "attach" };

/* A sentence that names guests: between two texts; the end of the line is an end too where it may be. */
static const struct phrase {
	const char *before;
	const char *const end[12];
	bool to_end;
} phrases[] = {
	{ "guest ", { ", which ", ", because ", "'s ", " now", " runs here", " has ", " does not ", " is used ", ";", ":" }, false },
	{ "in flight are ", { ";", " (" }, true },
	{ "migration are taken by ", { ";", " (" }, true },
	{ "migration is taken by ", { ";", " (" }, true },
	{ "waiting for a slot, up to ", { " came before" }, false },
	{ " VF among its ", { " have them", " has them" }, false },
};

/* Notes a name that is length bytes long, without blanks around it. Return: 0, -ENOMEM. */
static int note(struct replacer *replacer, const char *name, size_t length)
{
	char text[NAME_MAX_LENGTH + 1];

	while (length && *name == ' ') {
		name++;
		length--;
	}
	while (length && name[length - 1] == ' ')
		length--;
	if (length > NAME_MAX_LENGTH)
		return 0;
	snprintf(text, sizeof(text), "%.*s", (int)length, name);
	return replacer_name(replacer, text, "guest");
}

/* Notes the names of a list, "web1, web2". Return: 0, -ENOMEM. */
static int note_list(struct replacer *replacer, const char *list, size_t length)
{
	const char *end = list + length;
	int error = 0;

	while (!error && list < end) {
		const char *comma = memchr(list, ',', (size_t)(end - list));
		const char *stop = comma ? comma : end;

		error = note(replacer, list, (size_t)(stop - list));
		list = stop + 1;
	}
	return error;
}

/* Whether "guest" at a place of a line is a word of the sentence, and no name follows: "the guest has left". */
static bool is_plain(const char *line, const char *at)
{
	static const char *const words[] = { "the", "The", "a", "this", "that", "another", "other", "its", "each", "every", "any", "no", "which" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t length = strlen(words[i]);

		if ((size_t)(at - line) > length && at[-1] == ' ' && strncmp(at - 1 - length, words[i], length) == 0 &&
		    ((size_t)(at - line) == length + 1 || !isalnum((unsigned char)at[-2 - (int)length])))
			return true;
	}
	return at > line && isalnum((unsigned char)at[-1]);
}

/* Where the names of a phrase end. Return: NULL if it is not that phrase. */
static const char *find_end(const struct phrase *phrase, const char *from)
{
	const char *first = phrase->to_end ? from + strlen(from) : NULL;

	for (size_t i = 0; i < sizeof(phrase->end) / sizeof(phrase->end[0]) && phrase->end[i]; i++) {
		const char *at = strstr(from, phrase->end[i]);

		if (at && (!first || at < first))
			first = at;
	}
	return first;
}

/* Notes the guests that a line's sentences name. Return: 0, -ENOMEM. */
static int note_phrases(struct replacer *replacer, const char *line)
{
	int error = 0;

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		const struct phrase *phrase = &phrases[i];
		const char *at = line, *end;

		while (!error && (at = strstr(at, phrase->before))) {
			const char *from = at + strlen(phrase->before), *colon = isdigit((unsigned char)*from) ? strstr(from, ": ") : NULL;

			at = from;
			if (i == 0 && is_plain(line, from - strlen(phrase->before)))
				continue;
			end = find_end(phrase, from);
			if (end && i >= 4 && colon && colon < end) /* behind a number: "up to 300 s: ", "its 4: " */
				from = colon + 2;
			if (end && i == 0)
				error = note(replacer, from, (size_t)(end - from));
			else if (end)
				error = note_list(replacer, from, (size_t)(end - from));
		}
	}
	return error;
}

/* Notes the guest that a line is about. text: behind the program's name. Return: 0, -ENOMEM. */
static int note_context(struct replacer *replacer, const char *text)
{
	const char *first = NULL;

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		char word[32];
		const char *at;

		snprintf(word, sizeof(word), ": %s: ", events[i]);
		at = strstr(text, word);
		if (at && (!first || at < first))
			first = at;
	}
	return first ? note(replacer, text, (size_t)(first - text)) : 0;
}

/* The text of a line behind "… vferry[4711]: ". Return: the line itself if it is none of ours. */
static const char *skip_head(const char *line)
{
	const char *at = strstr(line, " vferry"), *end = at ? strstr(at, ": ") : NULL;

	return end && strcspn(at + 1, " ") > (size_t)(end - at - 1) ? end + 2 : line;
}

/* Notes the guests that a log names; see the header. */
int report_note_log(struct replacer *replacer, const char *log)
{
	autofree char *copy = strdup(log);
	char *rest = copy, *line;
	int error = copy ? 0 : -ENOMEM;

	while (!error && (line = strsep(&rest, "\n"))) {
		const char *text = skip_head(line);

		error = note_context(replacer, text);
		if (!error)
			error = note_phrases(replacer, text);
	}
	return error;
}

/* Notes the guest and the hosts of a migration. Return: 0, -ENOMEM. */
static int note_migration(struct replacer *replacer, struct json_object *migration)
{
	static const char *const keys[] = { "guest", "from", "to" };
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *name = json_object_get_string(json_object_object_get(migration, keys[i]));

		error = name ? replacer_name(replacer, name, i ? "host" : "guest") : 0;
	}
	return error;
}

/* Notes whom history and migrations name; see the header. */
int report_note_kept(struct replacer *replacer)
{
	autofree struct history *history = calloc(1, sizeof(*history));
	struct json_object *migrations = history ? migration_last(MIGRATIONS) : NULL;
	int error = history ? 0 : -ENOMEM;

	if (!error && history_read(history, NULL) == 0)
		for (size_t i = 0; !error && i < history->count; i++)
			error = replacer_name(replacer, history->entry[i].guest, "guest");
	for (size_t i = 0; !error && migrations && i < json_object_array_length(migrations); i++)
		error = note_migration(replacer, json_object_array_get_idx(migrations, i));
	json_object_put(migrations);
	return error;
}
