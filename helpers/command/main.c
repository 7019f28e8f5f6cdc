/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * main.c: one call of a subcommand, as the programs make it.
 */
#include <unistd.h>

#include "base/log.h"
#include "command/command.h"
#include "command/terminal.h"

/*
 * Reads the command line, and does what it says.
 * command: the row. argv: of main(), with the subcommand's name in the second place.
 * Return: exit status.
 */
int command_main(const struct command *command, int argc, char **argv)
{
	struct call call = { .command = command, .in = stdin, .out = stdout, .err = stderr, .words = argv };
	int status;

	call.color = terminal_has_color(stdout);
	call.terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	log_open("vferry", false);
	status = command_parse(&call, argc - 1, argv + 1);
	if (status == COMMAND_RUN)
		status = command_run(&call);
	else if (status != COMMAND_OK)
		status = command_answer(&call, status);
	if (fflush(stdout) && status == COMMAND_OK)
		status = COMMAND_NOT_READY;
	return status;
}
