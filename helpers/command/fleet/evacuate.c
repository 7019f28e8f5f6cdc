/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * evacuate.c: vferry fleet evacuate and survive: where the guests of a host can go, in which order; would each find a place if it died.
 */
#include "command/fleet/evacuate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "command/fleet/gather.h"
#include "command/fleet/plan_file.h"
#include "command/fleet/show.h"
#include "command/fleet/times.h"
#include "command/terminal.h"
#include "policy/fleet_pack.h"

/* Prints what a person or a program can type: nothing but virsh, a wave after the other. */
static void print_script(struct call *call, const struct fleet_case *c, const struct fleet_task *task, const struct fleet_plan *plan)
{
	char from[256], to[256];
	unsigned int wave = 0;

	fleet_uri(&c->host[task->from], from, sizeof(from));
	for (size_t i = 0; i < plan->moves; i++) {
		const struct fleet_move *move = &plan->move[i];

		if (move->wave != wave)
			fprintf(call->out, "%s# wave %u of %u\n", wave ? "wait\n" : "", move->wave, plan->waves);
		wave = move->wave;
		fprintf(call->out, "virsh -c %s migrate --live %s %s &\n", from, c->fleet.guest[move->guest].uuid,
			fleet_uri(&c->host[move->to], to, sizeof(to)));
	}
	if (wave)
		fputs("wait\n", call->out);
}

/* Who will not make it within a time: the guests of waves that end later. Return: how many. */
static size_t show_late(struct call *call, const struct fleet_case *c, const struct fleet_plan *plan, int64_t within)
{
	char text[4096] = "", limit[32];
	int64_t end = 0;
	unsigned int wave = 0;
	size_t late = 0;

	for (size_t i = 0; plan->ms && i < plan->moves; i++) {
		if (plan->move[i].wave != wave)
			end += plan->wave_ms[plan->move[i].wave - 1];
		wave = plan->move[i].wave;
		if (end <= within)
			continue;
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", late ? ", " : "", c->fleet.guest[plan->move[i].guest].name);
		late++;
	}
	fleet_say_time(within, limit, sizeof(limit));
	if (!plan->ms)
		fprintf(call->out, "Who will make it within %s is not known: no host has written down a move yet.\n", limit);
	else if (!late)
		fprintf(call->out, "All that can leave will have left within %s.\n", limit);
	else
		terminal_print(call, TONE_WARNING, "Not within %s: ", limit);
	if (late)
		terminal_wrap(call, (int)strlen(limit) + 14, text);
	return late;
}

/* Writes the plan into a file. Return: 0, negative errno with *why. */
static int keep_plan(const char *file, struct json_object *json, struct reason *why)
{
	if (json_object_to_file_ext(file, json, JSON_C_TO_STRING_PRETTY) == 0)
		return 0;
	return reason_set(why, -EIO, file, "the plan cannot be written there: %s", strerror(errno));
}

/* Prints a plan as it was asked for. Return: enum command_status. */
static int print_plan(struct call *call, const struct fleet_case *c, const struct fleet_task *task, const struct fleet_plan *plan,
		      int64_t within)
{
	size_t late = 0;

	if (call->json)
		return terminal_json(call, fleet_plan_json(c, task, plan)) || plan->stays ? COMMAND_NOT_READY : COMMAND_OK;
	if (call->script) {
		print_script(call, c, task, plan);
	} else {
		fleet_show_plan(call, c, task, plan);
		if (call->within) {
			fputc('\n', call->out);
			late = show_late(call, c, plan, within);
		}
	}
	return plan->stays || late ? COMMAND_NOT_READY : COMMAND_OK;
}

/* Plans and prints. Return: enum command_status. */
static int plan_and_print(struct call *call, struct fleet_case *c, struct fleet_task *task, int64_t within)
{
	struct fleet_plan plan = { 0 };
	struct reason why = { 0 };
	int status = COMMAND_NOT_READY;

	if (fleet_evacuate(&c->fleet, task, &plan)) {
		(void)reason_set(&why, -ENOMEM, NULL, "out of memory");
		status = command_fail(call, &why, NULL);
	} else {
		struct json_object *json = call->plan ? fleet_plan_json(c, task, &plan) : NULL;

		if (call->plan && keep_plan(call->plan, json, &why))
			status = command_fail(call, &why, NULL);
		else
			status = print_plan(call, c, task, &plan, within);
		json_object_put(json);
	}
	fleet_plan_release(&plan);
	return status;
}

/* Evacuate or survive. Return: enum command_status. */
static int plan_host(struct call *call, struct fleet_case *c, bool start)
{
	autofree bool *to = calloc(c->hosts + 1, sizeof(*to));
	struct fleet_task task = { .start = start, .effort = PACK_EFFORT };
	struct reason why = { 0 };
	int64_t within = call->within ? fleet_parse_time(call->within) : 0;

	if (within < 0) {
		command_say(call, "fleet evacuate: --within is a time such as 90s, 10m or 2h, not '%s'", call->within);
		return COMMAND_USAGE;
	}
	task.from = fleet_find_host(c, call->operand[1], &why);
	if (!to || task.from == FLEET_NOWHERE)
		return command_fail(call, &why, NULL);
	if (call->to && fleet_mark_hosts(c, call->to, to, &why))
		return command_fail(call, &why, NULL);
	if (call->to)
		task.to = to;
	return plan_and_print(call, c, &task, within);
}

/* Makes the plan that --run works by. Return: COMMAND_RUN with *json; else the exit status. */
static int make_plan(struct call *call, struct fleet_case *c, struct json_object **json)
{
	autofree bool *to = calloc(c->hosts + 1, sizeof(*to));
	struct fleet_task task = { .effort = PACK_EFFORT };
	struct fleet_plan plan = { 0 };
	struct reason why = { 0 };

	task.from = fleet_find_host(c, call->operand[1], &why);
	if (!to || task.from == FLEET_NOWHERE || (call->to && fleet_mark_hosts(c, call->to, to, &why)))
		return command_fail(call, &why, NULL);
	task.to = call->to ? to : NULL;
	if (fleet_evacuate(&c->fleet, &task, &plan)) {
		(void)reason_set(&why, -ENOMEM, NULL, "out of memory");
		fleet_plan_release(&plan);
		return command_fail(call, &why, NULL);
	}
	fleet_show_plan(call, c, &task, &plan);
	fputc('\n', call->out);
	*json = fleet_plan_json(c, &task, &plan);
	fleet_plan_release(&plan);
	return COMMAND_RUN;
}

/* The plan that a call asks for; see the header. */
int fleet_plan_call(struct call *call, struct json_object **json)
{
	struct fleet_case c = { 0 };
	struct reason why = { 0 };
	int status = fleet_gather(call, &c, &why) ? command_fail(call, &why, NULL) : make_plan(call, &c, json);

	fleet_case_release(&c);
	return status;
}

/* vferry fleet evacuate. */
int fleet_evacuate_command(struct call *call, struct fleet_case *c)
{
	return plan_host(call, c, false);
}

/* vferry fleet survive. */
int fleet_survive_command(struct call *call, struct fleet_case *c)
{
	return plan_host(call, c, true);
}
