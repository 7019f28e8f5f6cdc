/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guest.c: the part of vferry that calls libvirt: attach, detach, fleet evacuate --run. Installed as LIBEXECDIR/vferry/guest.
 *
 * vferry takes the command line, and is replaced by this program when it is one of these (helpers/command/guest_rows.c, fleet/fleet.c); so
 * argv is vferry's, and so are exit status, output and privilege.
 */
#include <stdio.h>
#include <string.h>

#include "command/attach/attach.h"
#include "command/attach/detach.h"
#include "command/command.h"
#include "command/fleet/run.h"

static const struct {
	const struct command *row;
	int (*run)(struct call *call);
} commands[] = {
	{ &command_attach, attach_command },
	{ &command_detach, detach_command },
	{ &command_fleet, fleet_run_command },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct command row = *commands[i].row;

		row.run = commands[i].run;
		if (strcmp(argv[1], row.name) == 0)
			return command_main(&row, argc, argv);
	}
	fputs("vferry: this program is a part of vferry attach and vferry detach; see vferry --help\n", stderr);
	return COMMAND_USAGE;
}
