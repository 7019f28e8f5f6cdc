/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * inventory.c: vferry inventory: the host as JSON, for vferry plan, vferry check --against, other programs and bug reports.
 *
 * The keys are described in vferry(8). A key keeps its meaning; new ones may come.
 */
#include "base/scope.h"
#include "command/command.h"
#include "command/recorded.h"
#include "command/terminal.h"
#include "command/view.h"
#include "domain/digest.h"
#include "state/migration.h"

#define SCHEMA 1
#define MIGRATIONS 50 /* the last ones: what a move of a guest takes is told by them */

/* Return: the guests, each with the short XML that tells whether it can move. */
static struct json_object *guests_json(const struct status_list *running)
{
	struct json_object *guests = recorded_guests(running);

	for (size_t i = 0; i < running->count; i++) {
		autofree char *digest = NULL;

		if (digest_read(running->status[i].name, &digest, NULL) == 0)
			json_object_object_add(json_object_array_get_idx(guests, i), "domain", json_object_new_string(digest));
	}
	return guests;
}

/* A host as JSON; see recorded.h. */
struct json_object *recorded_to_json(const struct view *view)
{
	struct json_object *json = inventory_to_json(&view->scene.inventory), *unseen = json_object_new_array();

	for (size_t i = 0; i < view->unseens; i++)
		json_object_array_add(unseen, json_object_new_string(view->unseen[i]));
	json_object_object_add(json, "schema", json_object_new_int(SCHEMA));
	json_object_object_add(json, "maintenance", json_object_new_boolean(view->is_closed));
	terminal_add(json, "vferry", VFERRY_VERSION);
	json_object_object_add(json, "software", facts_to_json(&view->facts));
	json_object_object_add(json, "guests", guests_json(&view->scene.running));
	json_object_object_add(json, "migrations", migration_last(MIGRATIONS));
	json_object_object_add(json, "leases", recorded_leases(&view->scene.records));
	json_object_object_add(json, "unseen", unseen);
	return json;
}

/* Prints the host. A host without a card is a host all the same: its JSON has no PFs. */
static int run(struct call *call)
{
	struct reason why = { 0 };
	autoview struct view view = { 0 };

	if (view_read(call, VIEW_FACTS | VIEW_GUESTS, &view, &why))
		return command_fail(call, &why, NULL);
	return terminal_json(call, recorded_to_json(&view));
}

static const struct command_option options[] = { OPTION_JSON, OPTION_SETTINGS, OPTION_END };

const struct command command_inventory = {
	.name = "inventory", .operands = "", .summary = "Prints what this host has, as JSON.", .options = options, .run = run,
};
