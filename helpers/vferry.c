/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vferry.c: what a person types: makes, checks and explains a host for the live migration of ConnectX-7 VFs.
 *
 * In order: find the subcommand's row, let command_parse() read its options and the configuration, run it. Each subcommand is a file of
 * helpers/command/; the two that call libvirt are run by a program of their own, helpers/guest.c. Nothing needs root but what changes the
 * host; what only root may see is named when it was not seen. Exit status: 0, 1 refused or not ready, 2 wrong use.
 */
#include <stdio.h>
#include <string.h>

#include "command/command.h"

static const struct command *const commands[] = {
	&command_check, &command_prepare, &command_plan, &command_attach, &command_detach, &command_status_row,
	&command_release, &command_maintenance, &command_inventory, &command_fleet, &command_cluster, &command_report, &command_version,
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* Prints what there is. */
static void help(FILE *out)
{
	fputs("Usage: vferry COMMAND [OPTION...] [GUEST]\n\n"
	      "Makes, checks and explains a host for the live migration of ConnectX-7 VFs.\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-11s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\n  --help      print this; with a COMMAND: what it takes\n"
	      "  --version   print the version\n\n"
	      "Exit status: 0 done, 1 refused or not ready, 2 wrong use. See vferry(8).\n", out);
}

/* Return: the row of a subcommand, NULL if there is none of that name. */
static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(name, commands[i]->name) == 0)
			return commands[i];
	}
	return NULL;
}

/* What stands in place of a subcommand. Return: the exit status. */
static int without_command(const char *word)
{
	if (word && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)) {
		help(stdout);
		return COMMAND_OK;
	}
	if (word && (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)) {
		printf("vferry %s\n", VFERRY_VERSION);
		return COMMAND_OK;
	}
	if (word)
		fprintf(stderr, "vferry: there is no command '%s'; see vferry --help\n", word);
	else
		help(stderr);
	return COMMAND_USAGE;
}

int main(int argc, char **argv)
{
	const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;

	return command ? command_main(command, argc, argv) : without_command(argc > 1 ? argv[1] : NULL);
}
