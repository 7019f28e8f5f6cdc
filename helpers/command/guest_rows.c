/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guest_rows.c: vferry attach and detach, as far as vferry itself knows them.
 *
 * They alone call libvirt, which with all that it links takes three times as long to load as vferry status takes to run. So they are a
 * program of their own, helpers/guest.c, which takes vferry's place when the command line has been found good.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"

#define PROGRAM LIBEXECDIR "/vferry/guest"

/* Puts the program into the place of this one, with the same command line. Return: COMMAND_NOT_READY, if that failed. */
static int hand_over(struct call *call)
{
	execv(PROGRAM, call->words);
	command_say(call, "%s cannot be run: %s; install vferry completely", PROGRAM, strerror(errno));
	return COMMAND_NOT_READY;
}

static const struct command_option attach_options[] = {
	OPTION("pf", "PF", pf, "take a VF of this PF: PCI address or network device"),
	OPTION("network", "NETWORK", network, "from this pool of libvirt's instead"),
	OPTION("mac", "MAC", mac, "of the VF (else one that nobody has is made)"),
	OPTION("vlan", "TAG", vlan, "VLAN of the representor's port"),
	OPTION("live", NULL, live, "the running guest only, unless --config too"),
	OPTION("config", NULL, persistent, "the guest's definition only, unless --live too"),
	OPTION_SETTINGS,
	OPTION_JSON,
	OPTION_END,
};

static const struct command_option detach_options[] = {
	OPTION("mac", "MAC", mac, "of the VF (else the only one that it has)"),
	OPTION("live", NULL, live, "from the running guest only, unless --config too"),
	OPTION("config", NULL, persistent, "from the guest's definition only, unless --live too"),
	OPTION_SETTINGS,
	OPTION_JSON,
	OPTION_END,
};

const struct command command_attach = {
	.name = "attach", .operands = "GUEST", .least = 1, .most = 1, .summary = "Gives a guest a VF.", .options = attach_options,
	.run = hand_over,
};

const struct command command_detach = {
	.name = "detach", .operands = "GUEST", .least = 1, .most = 1, .summary = "Takes a VF from a guest.", .options = detach_options,
	.run = hand_over,
};
