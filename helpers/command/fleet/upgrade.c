/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * upgrade.c: vferry fleet upgrade: in which order hosts get new firmware, what moves when, and what to type. Burns nothing.
 */
#include "command/fleet/upgrade.h"

#include <errno.h>
#include <string.h>

#include "command/terminal.h"
#include "policy/fleet_upgrade.h"

static const char *const ways[] = { [UPGRADE_LIVE] = "live", [UPGRADE_CHANGE] = "change", [UPGRADE_STOP] = "stop" };

/* The verdict. */
static void show_verdict(struct call *call, const struct fleet_case *c, const struct upgrade_plan *plan)
{
	char text[1024];

	if (!plan->steps) {
		fprintf(call->out, "All %zu hosts run %s already.\n", c->hosts, call->firmware);
		return;
	}
	snprintf(text, sizeof(text),
		 "%zu of %zu hosts are to be upgraded to %s. %zu guest%s must change once: the VF is detached, the guest moves, and gets a VF again; "
		 "both ends of a move need the same firmware, so no plan needs fewer.", plan->steps, c->hosts, call->firmware,
		 plan->changes_bound, plan->changes_bound == 1 ? "" : "s");
	terminal_wrap(call, 0, text);
	if (plan->stops)
		snprintf(text, sizeof(text), "%zu guest%s must be stopped, since there is no place for %s.", plan->stops, plan->stops == 1 ? "" : "s",
			 plan->stops == 1 ? "it" : "them");
	else
		snprintf(text, sizeof(text), "None must be stopped.");
	snprintf(text + strlen(text), sizeof(text) - strlen(text), " %zu plain live move%s beside that; %s.", plan->lives,
		 plan->lives == 1 ? "" : "s", plan->lives <= plan->lives_bound ? "no plan needs fewer" : "a better plan may be there");
	terminal_wrap(call, 0, text);
}

/* The commands that change the firmware of a host. */
static void show_burning(struct call *call, const struct fleet_case *c, size_t host)
{
	const struct inventory *inventory = c->fleet.host[host].inventory;

	for (size_t i = 0; i < inventory->pfs; i++) {
		char address[PCI_ADDRESS_LEN];

		/* The second port of a card has the same firmware. */
		if (!guest_can_use_pf(&call->config, &inventory->pf[i]) || inventory->pf[i].address.function ||
		    firmware_compare(inventory->pf[i].info.firmware, call->firmware) == 0)
			continue;
		pci_address_format(&inventory->pf[i].address, address);
		terminal_print(call, TONE_STRONG, "  mstflint -d %s -i IMAGE burn && mstfwreset -y -d %s reset\n", address, address);
	}
}

/* One step. */
static void show_step(struct call *call, const struct fleet_case *c, const struct upgrade_plan *plan, size_t number)
{
	const struct upgrade_step *step = &plan->step[number];

	terminal_print(call, TONE_STRONG, "\nStep %zu: %s\n", number + 1, c->fleet.host[step->host].name);
	for (size_t i = step->first; i < step->first + step->moves; i++) {
		const struct upgrade_move *move = &plan->move[i];
		const char *to = c->fleet.host[move->to].name;

		fprintf(call->out, "  %-20s", c->fleet.guest[move->guest].name);
		if (move->way == UPGRADE_LIVE)
			fprintf(call->out, "moves live to %s\n", to);
		else if (move->way == UPGRADE_CHANGE)
			fprintf(call->out, "changes to %s: detach, move, attach\n", to);
		else
			fprintf(call->out, "has no place: stop it, start it again when the host is back\n");
	}
	show_burning(call, c, step->host);
	fprintf(call->out, "  then any one host may fail: of the old ones %s, of the new ones %s\n",
		step->olds ? step->old_spare ? "yes" : "no" : "-", step->new_spare ? "yes" : "no");
}

/* The plan as JSON. Return: enum command_status. */
static int print_json(struct call *call, const struct fleet_case *c, const struct upgrade_plan *plan)
{
	struct json_object *json = json_object_new_object(), *steps = json_object_new_array();

	for (size_t n = 0; n < plan->steps; n++) {
		const struct upgrade_step *step = &plan->step[n];
		struct json_object *out = json_object_new_object(), *moves = json_object_new_array();

		for (size_t i = step->first; i < step->first + step->moves; i++) {
			struct json_object *move = json_object_new_object();

			terminal_add(move, "guest", c->fleet.guest[plan->move[i].guest].name);
			terminal_add(move, "uuid", c->fleet.guest[plan->move[i].guest].uuid);
			terminal_add(move, "to", c->fleet.host[plan->move[i].to].name);
			terminal_add(move, "way", ways[plan->move[i].way]);
			json_object_array_add(moves, move);
		}
		terminal_add(out, "host", c->fleet.host[step->host].name);
		json_object_object_add(out, "moves", moves);
		json_object_object_add(out, "old_spare", json_object_new_boolean(step->old_spare));
		json_object_object_add(out, "new_spare", json_object_new_boolean(step->new_spare));
		json_object_array_add(steps, out);
	}
	terminal_add(json, "firmware", call->firmware);
	json_object_object_add(json, "steps", steps);
	json_object_object_add(json, "changes", json_object_new_int64((int64_t)plan->changes));
	json_object_object_add(json, "stops", json_object_new_int64((int64_t)plan->stops));
	json_object_object_add(json, "lives", json_object_new_int64((int64_t)plan->lives));
	json_object_object_add(json, "lives_bound", json_object_new_int64((int64_t)plan->lives_bound));
	terminal_add(json, "missing", c->missing);
	return terminal_json(call, json);
}

/* vferry fleet upgrade. */
int fleet_upgrade_command(struct call *call, struct fleet_case *c)
{
	struct upgrade_plan plan;
	struct reason why = { 0 };
	int status = COMMAND_OK;

	if (fleet_upgrade(&c->fleet, call->firmware, &plan)) {
		(void)reason_set(&why, -ENOMEM, NULL, "out of memory");
		status = command_fail(call, &why, NULL);
	} else if (call->json) {
		status = print_json(call, c, &plan);
	} else {
		show_verdict(call, c, &plan);
		for (size_t n = 0; n < plan.steps; n++)
			show_step(call, c, &plan, n);
	}
	if (plan.stops)
		status = COMMAND_NOT_READY;
	upgrade_release(&plan);
	return status;
}
