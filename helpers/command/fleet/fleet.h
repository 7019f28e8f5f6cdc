/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet.h: vferry fleet: its commands, and what they share: the hosts as they were read, plans as JSON and for people.
 */
#ifndef VFERRY_COMMAND_FLEET_FLEET_H
#define VFERRY_COMMAND_FLEET_FLEET_H

#include <json-c/json.h>

#include "command/command.h"
#include "command/view.h"
#include "policy/fleet.h"
#include "policy/fleet_plan.h"

/* A host as it was read. */
struct fleet_view {
	char name[256];         /* as its record calls it */
	char target[256];       /* as the user called it: what a connection goes to; "" for a record */
	struct view view;
	struct domain *domain;  /* [guests of view] */
	bool *has_domain;
	struct json_object *moves; /* that it wrote down, as "migrations" of its record */
	bool is_closed;
	bool is_read;
};

/* All of them, and the fleet that points into them. */
struct fleet_case {
	struct fleet_view *host;
	size_t hosts;           /* that were read */
	size_t asked;
	char missing[1024];     /* hosts that did not answer: "hostC (no answer in 20 s)" */
	struct fleet fleet;
};

/* One of vferry fleet's commands. */
struct fleet_command {
	const char *name, *operands;
	int (*run)(struct call *call, struct fleet_case *c);
};

int fleet_matrix_command(struct call *call, struct fleet_case *c);
int fleet_evacuate_command(struct call *call, struct fleet_case *c);
int fleet_survive_command(struct call *call, struct fleet_case *c);
int fleet_upgrade_command(struct call *call, struct fleet_case *c);

/* gather.c: reads the hosts that the call names. Return: 0, negative errno with *why; fleet_case_release() in every case. */
int fleet_gather(struct call *call, struct fleet_case *c, struct reason *why);
void fleet_case_release(struct fleet_case *c);

/* evacuate.c: the plan that a call asks for, as JSON. Return: COMMAND_RUN with *json, to be put; else the exit status. */
int fleet_plan_call(struct call *call, struct json_object **json);

/* run.c: vferry fleet evacuate --run, in the program that may call libvirt. Return: exit status. */
int fleet_run_command(struct call *call);

/* The host that a word names, by the name in its record or as the user called it. Return: FLEET_NOWHERE with *why. */
size_t fleet_find_host(const struct fleet_case *c, const char *word, struct reason *why);

/* Marks the hosts of a list "hostB,hostC". Return: 0, -ENOENT with *why. */
int fleet_mark_hosts(const struct fleet_case *c, const char *list, bool *marked, struct reason *why);

/* Seconds, minutes, hours: "6 min". */
const char *fleet_say_time(int64_t ms, char *out, size_t size);

/* Reads "90s", "10m", "2h". Return: ms, -EINVAL. */
int64_t fleet_parse_time(const char *text);

/* Where a connection of libvirt's to a host goes. */
const char *fleet_uri(const struct fleet_view *host, char *out, size_t size);

/* show.c: a plan for a person. doing: "can be emptied". */
void fleet_show_plan(struct call *call, const struct fleet_case *c, const struct fleet_task *task, const struct fleet_plan *plan);

/* plan_file.c: a plan as JSON, to be put. */
struct json_object *fleet_plan_json(const struct fleet_case *c, const struct fleet_task *task, const struct fleet_plan *plan);

#endif
