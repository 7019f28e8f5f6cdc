/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * plan_file.c: a plan as JSON: what --json prints, and what --run works by and goes on from.
 */
#include "command/fleet/plan_file.h"

#include "command/terminal.h"

#define SCHEMA 1

/* Return: one move as JSON. */
static struct json_object *move_json(const struct fleet_case *c, const struct fleet_move *move)
{
	struct json_object *json = json_object_new_object(), *others = json_object_new_array();
	const struct fleet_guest *guest = &c->fleet.guest[move->guest];
	char uri[256];

	for (size_t i = 0; i < move->others; i++) {
		struct json_object *other = json_object_new_object();

		terminal_add(other, "to", c->fleet.host[move->other[i]].name);
		terminal_add(other, "uri", fleet_uri(&c->host[move->other[i]], uri, sizeof(uri)));
		json_object_array_add(others, other);
	}
	terminal_add(json, "guest", guest->name);
	terminal_add(json, "uuid", guest->uuid);
	json_object_object_add(json, "vfs", json_object_new_int64((int64_t)guest->vfs.vfs));
	terminal_add(json, "to", c->fleet.host[move->to].name);
	terminal_add(json, "uri", fleet_uri(&c->host[move->to], uri, sizeof(uri)));
	json_object_object_add(json, "wave", json_object_new_int64(move->wave));
	json_object_object_add(json, "ms", json_object_new_int64(move->ms));
	json_object_object_add(json, "returns", json_object_new_boolean(move->returns));
	json_object_object_add(json, "why_not", move->returns ? NULL : terminal_reason(&move->why_not));
	json_object_object_add(json, "others", others);
	terminal_add(json, "state", "planned");
	return json;
}

/* Return: a guest that stays as JSON. */
static struct json_object *stay_json(const struct fleet_case *c, const struct fleet_stay *stay)
{
	struct json_object *json = json_object_new_object();

	terminal_add(json, "guest", c->fleet.guest[stay->guest].name);
	terminal_add(json, "uuid", c->fleet.guest[stay->guest].uuid);
	json_object_object_add(json, "reason", terminal_reason(&stay->why));
	return json;
}

/* A plan as JSON; see the header. */
struct json_object *fleet_plan_json(const struct fleet_case *c, const struct fleet_task *task, const struct fleet_plan *plan)
{
	struct json_object *json = json_object_new_object(), *moves = json_object_new_array(), *stays = json_object_new_array();
	char uri[256];

	for (size_t i = 0; i < plan->moves; i++)
		json_object_array_add(moves, move_json(c, &plan->move[i]));
	for (size_t i = 0; i < plan->stays; i++)
		json_object_array_add(stays, stay_json(c, &plan->stay[i]));
	json_object_object_add(json, "schema", json_object_new_int(SCHEMA));
	terminal_add(json, "plan", task->start ? "survive" : "evacuate");
	terminal_add(json, "host", c->fleet.host[task->from].name);
	terminal_add(json, "uri", fleet_uri(&c->host[task->from], uri, sizeof(uri)));
	json_object_object_add(json, "empties", json_object_new_boolean(plan->stays == 0));
	json_object_object_add(json, "moved", json_object_new_int64((int64_t)plan->moves));
	json_object_object_add(json, "bound", json_object_new_int64((int64_t)plan->bound));
	json_object_object_add(json, "waves", json_object_new_int64(plan->waves));
	json_object_object_add(json, "waves_bound", json_object_new_int64(plan->waves_bound));
	json_object_object_add(json, "ms", json_object_new_int64(plan->ms));
	json_object_object_add(json, "moves", moves);
	json_object_object_add(json, "stays", stays);
	terminal_add(json, "missing", c->missing);
	return json;
}
