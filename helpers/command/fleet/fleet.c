/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet.c: vferry fleet: many hosts at once: who can go where, and plans that empty, upgrade or lose a host.
 *
 * In order: find the command's row, read all hosts side by side, let the command judge and print. Nothing is changed; --run, which moves
 * guests, is done by the program that may call libvirt (helpers/guest.c).
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "command/fleet/evacuate.h"
#include "command/fleet/gather.h"
#include "command/fleet/matrix.h"
#include "command/fleet/upgrade.h"

#define PROGRAM LIBEXECDIR "/vferry/guest"

/* One of vferry fleet's commands. */
struct fleet_command {
	const char *name, *operands;
	int (*run)(struct call *call, struct fleet_case *c);
};

static const struct fleet_command commands[] = {
	{ "matrix", "[HOST...]", fleet_matrix_command },
	{ "evacuate", "HOST [HOST...]", fleet_evacuate_command },
	{ "upgrade", "[HOST...] --firmware VERSION", fleet_upgrade_command },
	{ "survive", "HOST [HOST...]", fleet_survive_command },
};

/* Return: the row of a command, NULL. */
static const struct fleet_command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	}
	return NULL;
}

/* Says wrong use. Return: COMMAND_USAGE. */
static int wrong_use(struct call *call, const struct fleet_command *command)
{
	if (command)
		command_say(call, "fleet %s: usage: vferry fleet %s %s [OPTION...]; see vferry fleet --help", command->name, command->name,
			    command->operands);
	else
		command_say(call, "fleet: there is no command '%s': it is matrix, evacuate, upgrade or survive; see vferry fleet --help",
			    call->operand[0]);
	return COMMAND_USAGE;
}

/* Whether the options that were given are the command's. */
static bool is_used_well(const struct call *call, const struct fleet_command *command)
{
	bool evacuates = command->run == fleet_evacuate_command, goes = call->to || call->within || call->script || call->go || call->plan;
	bool needs_host = evacuates || command->run == fleet_survive_command;

	if (needs_host && call->operands < 2)
		return false;
	if ((command->run == fleet_upgrade_command) != (call->firmware != NULL))
		return false;
	return evacuates || !goes || (command->run == fleet_survive_command && !call->within && !call->script && !call->go && !call->plan);
}

/* All of vferry fleet but --run. Return: enum command_status. */
static int run(struct call *call)
{
	const struct fleet_command *command = find_command(call->operand[0]);
	struct fleet_case c = { 0 };
	struct reason why = { 0 };
	int status;

	if (!command || !is_used_well(call, command))
		return wrong_use(call, command);
	if (call->go) {
		execv(PROGRAM, call->words);
		command_say(call, "%s cannot be run: %s; install vferry completely", PROGRAM, strerror(errno));
		return COMMAND_NOT_READY;
	}
	if (fleet_gather(call, &c, &why)) {
		fleet_case_release(&c);
		return command_fail(call, &why, NULL);
	}
	status = command->run(call, &c);
	if (*c.missing && !call->json)
		command_say(call, "fleet: without: %s", c.missing);
	fleet_case_release(&c);
	return status;
}

static const struct command_option options[] = {
	OPTION("inventory", "FOLDER", inventory, "records of 'vferry inventory', instead of asking hosts"),
	OPTION("to", "HOST,...", to, "evacuate: only to these"),
	OPTION("apart", "GUEST,...", apart, "on different hosts; groups parted by ';'"),
	OPTION("within", "TIME", within, "evacuate: say who will not make it (90s, 10m, 2h)"),
	OPTION("firmware", "VERSION", firmware, "upgrade: to this one"),
	OPTION("script", NULL, script, "evacuate: print virsh commands, nothing else"),
	OPTION("run", NULL, go, "evacuate: move the guests"),
	OPTION("plan", "FILE", plan, "evacuate: keep the plan there; --run goes on with it"),
	OPTION_SETTINGS,
	OPTION_JSON,
	OPTION_END,
};

const struct command command_fleet = {
	.name = "fleet", .operands = "COMMAND [HOST...]", .least = 1, .most = 1 + FLEET_MAX_HOSTS,
	.summary = "Plans for many hosts: matrix, evacuate, upgrade, survive.", .options = options, .run = run,
};
