/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * migrations.c: the part of vferry status that moves: what is in flight, who is expected, who waits, and what was done and refused.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/scope.h"
#include "command/status/migrations.h"
#include "command/terminal.h"
#include "state/history.h"
#include "state/migration.h"
#include "state/queue.h"

#define MAX_WAITING 64
#define MOVES_TOLD 200 /* migrations that JSON has */
#define MOVES_SHOWN 5 /* and that a person sees */
#define LAST_SHOWN 10 /* entries of the history that a person sees; JSON has all */

/* What an entry of the history is called, and its tone. */
static const struct {
	const char *word;
	enum tone tone;
} kinds[HISTORY_KINDS] = {
	[HISTORY_READY] = { "ready", TONE_GOOD },
	[HISTORY_REFUSED] = { "refused", TONE_BAD },
	[HISTORY_CANCELED] = { "canceled", TONE_WARNING },
	[HISTORY_LEFT] = { "left", TONE_PLAIN },
};

/* The name of a job, as an operator calls it. */
static const char *job_name(enum status_job job)
{
	return job == STATUS_MIGRATION_IN ? "coming" : job == STATUS_MIGRATION_OUT ? "leaving" : "";
}

/* Whether a guest is in flight and has a VF of a card here. */
static bool is_in_flight(struct view *view, const struct status *status)
{
	unsigned int index;

	if (status->job != STATUS_MIGRATION_IN && status->job != STATUS_MIGRATION_OUT)
		return false;
	for (size_t i = 0; i < status->devices; i++) {
		if (inventory_find_vf(&view->scene.inventory, &status->device[i], &index))
			return true;
	}
	return false;
}

/* Whether a guest was promised VFs and is not here yet. */
static bool is_expected(const struct view *view, const struct record *record)
{
	return record->state != RECORD_RUNNING && !status_find_uuid(&view->scene.running, record->uuid);
}

/* Seconds since a point in time of clock_ms(), 0 if it lies ahead. */
static long long seconds_since(int64_t then)
{
	int64_t ms = clock_ms() - then;

	return ms > 0 ? (long long)ms / 1000 : 0;
}

/* ---- For a person -------------------------------------------------------------------------------------------------------------- */

/* Prints one guest: what it does, how far or for how long, its name. */
static void show_guest(struct call *call, const char *what, const char *detail, const char *name)
{
	char clean[DOMAIN_NAME_MAX];

	reason_clean(clean, sizeof(clean), name);
	fprintf(call->out, "  %-9s %-10s %s\n", what, detail, clean);
}

/* Prints what is in flight, expected and waiting. Return: how many. */
static size_t show_present(struct call *call, struct view *view)
{
	struct waiting waiting[MAX_WAITING];
	size_t waits = view->is_recorded ? 0 : queue_list(waiting, MAX_WAITING), n = waits;
	char since[32];

	for (size_t i = 0; i < view->scene.running.count; i++) {
		const struct status *status = &view->scene.running.status[i];

		if (!is_in_flight(view, status))
			continue;
		show_guest(call, job_name(status->job), status->phase, status->name);
		n++;
	}
	for (size_t i = 0; i < view->scene.records.count; i++) {
		const struct record *record = &view->scene.records.record[i];

		if (!is_expected(view, record))
			continue;
		snprintf(since, sizeof(since), "%lld s", seconds_since(record->touched));
		show_guest(call, "expected", view->is_recorded ? "" : since, record->name);
		n++;
	}
	for (size_t i = 0; i < waits; i++) {
		snprintf(since, sizeof(since), "%lld s", seconds_since(waiting[i].since));
		show_guest(call, "waiting", since, *waiting[i].guest ? waiting[i].guest : waiting[i].uuid);
	}
	return n;
}

/* Prints one entry of the history: when, what, which guest, how long, why. */
static void show_entry(struct call *call, const struct history_entry *entry)
{
	time_t when = (time_t)entry->when;
	char text[2048], line[1200], day[32] = "?";
	struct tm tm;

	if (localtime_r(&when, &tm))
		strftime(day, sizeof(day), "%b %d %H:%M:%S", &tm);
	fprintf(call->out, "  %s  ", day);
	terminal_print(call, kinds[entry->kind].tone, "%-9s", kinds[entry->kind].word);
	reason_format(&entry->why, NULL, line, sizeof(line));
	if (entry->kind == HISTORY_REFUSED)
		snprintf(text, sizeof(text), "%s: at %s, after %lld ms: %s", *entry->guest ? entry->guest : "a guest", entry->event,
			 (long long)entry->ms, line);
	else if (entry->kind == HISTORY_READY)
		snprintf(text, sizeof(text), "%s: %u VF%s in %lld ms", entry->guest, entry->vfs, entry->vfs == 1 ? "" : "s",
			 (long long)entry->ms);
	else
		snprintf(text, sizeof(text), "%s", entry->guest);
	terminal_wrap(call, 28, text);
}

/* Prints the end of the history. */
static void show_last(struct call *call)
{
	autofree struct history *history = calloc(1, sizeof(*history));

	if (!history || history_read(history, NULL) || !history->count)
		return;
	fputs("Last:\n", call->out);
	for (size_t i = history->count > LAST_SHOWN ? history->count - LAST_SHOWN : 0; i < history->count; i++)
		show_entry(call, &history->entry[i]);
}

/* Return: a text of a migration, clean; "" if it is not known. */
static const char *move_text(struct json_object *move, const char *key, char *out, size_t size)
{
	struct json_object *value = json_object_object_get(move, key);

	reason_clean(out, size, json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "");
	return out;
}

/* Adds the guest's downtime, and why something went wrong, to what is said of a migration. */
static void add_details(struct json_object *move, char *text, size_t size)
{
	struct json_object *downtime = json_object_object_get(move, "downtime_ms");
	size_t length = strlen(text);
	char reason[512];

	if (downtime) {
		snprintf(text + length, size - length, ", stood still for %lld ms", (long long)json_object_get_int64(downtime));
		length = strlen(text);
	}
	if (*move_text(move, "reason", reason, sizeof(reason)))
		snprintf(text + length, size - length, ": %s", reason);
}

/* Prints one migration that the agent has seen: when, guest, where to or from, how it ended, how long it took. */
static void show_move(struct call *call, struct json_object *move)
{
	char guest[DOMAIN_NAME_MAX], outcome[16], direction[8], other[64], text[1024], day[32] = "?";
	time_t when = (time_t)(json_object_get_int64(json_object_object_get(move, "when_ms")) / 1000);
	bool is_in = strcmp(move_text(move, "direction", direction, sizeof(direction)), "in") == 0;
	struct tm tm;

	if (localtime_r(&when, &tm))
		strftime(day, sizeof(day), "%b %d %H:%M:%S", &tm);
	fprintf(call->out, "  %s  ", day);
	move_text(move, "outcome", outcome, sizeof(outcome));
	terminal_print(call, strcmp(outcome, "completed") ? TONE_BAD : TONE_GOOD, "%-10s", outcome);
	move_text(move, is_in ? "from" : "to", other, sizeof(other));
	snprintf(text, sizeof(text), "%s: %s%s%s in %.1f s", move_text(move, "guest", guest, sizeof(guest)), is_in ? "came" : "left",
		 *other ? is_in ? " from " : " to " : "", other, json_object_get_double(json_object_object_get(move, "milliseconds")) / 1000);
	add_details(move, text, sizeof(text));
	terminal_wrap(call, 29, text);
}

/* Prints the last migrations that the agent has seen. */
static void show_moves(struct call *call)
{
	struct json_object *moves = migration_last(MOVES_SHOWN);

	if (json_object_array_length(moves))
		fputs("Moved:\n", call->out);
	for (size_t i = 0; i < json_object_array_length(moves); i++)
		show_move(call, json_object_array_get_idx(moves, i));
	json_object_put(moves);
}

/* Prints what is in flight, expected, waiting and over. */
void status_show_migrations(struct call *call, struct view *view)
{
	fputs("Migrations:\n", call->out);
	if (!show_present(call, view))
		terminal_print(call, TONE_FAINT, "  none in flight\n");
	if (view->is_recorded)
		return;
	show_last(call);
	show_moves(call);
}

/* ---- For programs -------------------------------------------------------------------------------------------------------------- */

/* Return: what is in flight, as JSON. */
static struct json_object *flights_json(struct view *view)
{
	struct json_object *flights = json_object_new_array();

	for (size_t i = 0; i < view->scene.running.count; i++) {
		const struct status *status = &view->scene.running.status[i];
		struct json_object *json;

		if (!is_in_flight(view, status))
			continue;
		json = json_object_new_object();
		terminal_add(json, "guest", status->name);
		terminal_add(json, "uuid", status->uuid);
		terminal_add(json, "direction", job_name(status->job));
		terminal_add(json, "phase", status->phase);
		json_object_array_add(flights, json);
	}
	return flights;
}

/* Return: one who is expected or waits, as JSON. */
static struct json_object *guest_json(const char *name, const char *uuid, int64_t since)
{
	struct json_object *json = json_object_new_object();

	terminal_add(json, "guest", name);
	terminal_add(json, "uuid", uuid);
	json_object_object_add(json, "seconds", json_object_new_int64(seconds_since(since)));
	return json;
}

/* Return: the history, as JSON. */
static struct json_object *last_json(void)
{
	autofree struct history *history = calloc(1, sizeof(*history));
	struct json_object *last = json_object_new_array();

	if (!history || history_read(history, NULL))
		return last;
	for (size_t i = 0; i < history->count; i++)
		json_object_array_add(last, history_to_json(&history->entry[i]));
	return last;
}

/* Adds what is in flight, expected, waiting and over to a JSON object. */
void status_add_migrations(struct json_object *json, struct view *view)
{
	struct json_object *expected = json_object_new_array(), *queue = json_object_new_array();
	struct waiting waiting[MAX_WAITING];
	size_t waits = view->is_recorded ? 0 : queue_list(waiting, MAX_WAITING);

	for (size_t i = 0; i < view->scene.records.count; i++) {
		const struct record *record = &view->scene.records.record[i];

		if (is_expected(view, record))
			json_object_array_add(expected, guest_json(record->name, record->uuid, record->touched));
	}
	for (size_t i = 0; i < waits; i++)
		json_object_array_add(queue, guest_json(waiting[i].guest, waiting[i].uuid, waiting[i].since));
	json_object_object_add(json, "migrations", flights_json(view));
	json_object_object_add(json, "expected", expected);
	json_object_object_add(json, "waiting", json_object_new_int64((int64_t)waits));
	json_object_object_add(json, "queue", queue);
	json_object_object_add(json, "last", view->is_recorded ? json_object_new_array() : last_json());
	json_object_object_add(json, "moved", view->is_recorded ? json_object_new_array() : migration_last(MOVES_TOLD));
}
