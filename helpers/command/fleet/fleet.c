/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet.c: vferry fleet: many hosts at once: who can go where, and plans that empty, upgrade or lose a host.
 *
 * In order: find the command's row, read all hosts side by side, let the command judge and print. Nothing is changed; --run, which moves
 * guests, is done by the program that may call libvirt (helpers/guest.c).
 */
#include "command/fleet/fleet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/terminal.h"

#define PROGRAM LIBEXECDIR "/vferry/guest"

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

/* The host that a word names; see the header. */
size_t fleet_find_host(const struct fleet_case *c, const char *word, struct reason *why)
{
	for (size_t i = 0; i < c->hosts; i++) {
		if (strcmp(c->host[i].name, word) == 0 || strcmp(c->host[i].target, word) == 0)
			return i;
	}
	reason_set(why, -ENOENT, word, "it is none of the hosts that were read%s%s", *c->missing ? "; these did not answer: " : "", c->missing);
	reason_cure(why, "name it as its record does (\"hostname\"), and see that 'ssh %s vferry inventory' works", word);
	return FLEET_NOWHERE;
}

/* Marks the hosts of a list; see the header. */
int fleet_mark_hosts(const struct fleet_case *c, const char *list, bool *marked, struct reason *why)
{
	char copy[4096], *rest = copy, *word;

	snprintf(copy, sizeof(copy), "%s", list);
	while ((word = strsep(&rest, ","))) {
		size_t host = fleet_find_host(c, word, why);

		if (host == FLEET_NOWHERE)
			return -ENOENT;
		marked[host] = true;
	}
	return 0;
}

/* Seconds, minutes, hours. Return: out. */
const char *fleet_say_time(int64_t ms, char *out, size_t size)
{
	int64_t seconds = (ms + 999) / 1000;

	if (seconds < 100)
		snprintf(out, size, "%lld s", (long long)seconds);
	else if (seconds < 100 * 60)
		snprintf(out, size, "%lld min", (long long)(seconds + 59) / 60);
	else
		snprintf(out, size, "%lld h", (long long)(seconds + 3599) / 3600);
	return out;
}

/* Reads a time. Return: ms, -EINVAL. */
int64_t fleet_parse_time(const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);
	int64_t unit = *end == 'h' ? 3600000 : *end == 'm' ? 60000 : *end == 's' || !*end ? 1000 : 0;

	if (end == text || *text == '-' || !unit || (*end && end[1]) || number > 1000000)
		return -EINVAL;
	return (int64_t)number * unit;
}

/* Where a connection goes. Return: out. */
const char *fleet_uri(const struct fleet_view *host, char *out, size_t size)
{
	snprintf(out, size, "qemu+ssh://%.200s/system", *host->target ? host->target : host->name);
	return out;
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
