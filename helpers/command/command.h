/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * command.h: a subcommand of vferry: what it is called, what it takes, what it does.
 *
 * One row describes each, and --help, the parser and the tests of the manual page and of the completion all read that row.
 */
#ifndef VFERRY_COMMAND_COMMAND_H
#define VFERRY_COMMAND_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/config.h"
#include "base/reason.h"

#define COMMAND_TIME 30000 /* ms that a command may spend on reading the machine */

enum command_status {
	COMMAND_OK = 0,
	COMMAND_NOT_READY = 1, /* refused, failed, or the host is not ready */
	COMMAND_USAGE = 2,     /* wrong use */
	COMMAND_RUN = -1,      /* of command_parse(): go on */
};

/* One option. A NULL argument makes it a flag, whose place in struct call is a bool; else it is a const char *. */
struct command_option {
	const char *name;     /* "pf", for --pf */
	const char *argument; /* "PF" */
	const char *help;
	size_t offset;        /* in struct call */
};

struct call;

struct command {
	const char *name;
	const char *operands;  /* "[GUEST]", "" none */
	size_t least, most;    /* operands */
	const char *summary;   /* one sentence */
	const struct command_option *options; /* ended by a NULL name */
	int (*run)(struct call *call);        /* Return: enum command_status */
};

/* One call of a subcommand: where it prints, what it was told. */
struct call {
	const struct command *command;
	char **words;          /* the program's own, for one that takes its place */
	FILE *in, *out, *err;
	bool color;            /* the output may carry colours */
	bool terminal;         /* somebody sits there: can be asked, sees progress */
	struct config config;
	/* options */
	bool json, yes, dry_run, watch, once, card_only;
	const char *pf, *vfs, *bridge, *boot, *domain, *inventory, *as, *against, *config_file;
	const char *mac, *vlan, *network;
	bool live, persistent, keep_names;
	bool script, go;
	const char *to, *apart, *within, *plan, *firmware, *report, *tar;
	bool all, node, pcs, crm;
	const char *cib;
	/* operands */
	const char *guest;
	char **operand;        /* all of them */
	size_t operands;
	/* what came of it */
	bool answered;         /* JSON was printed */
	struct reason failure; /* the last that was said, its "what" what was said otherwise */
};

#define OPTION(option_name, option_argument, member, text) { option_name, option_argument, text, offsetof(struct call, member) }
#define OPTION_JSON OPTION("json", NULL, json, "print JSON, with stable keys")
#define OPTION_SETTINGS OPTION("settings", "FILE", config_file, "instead of " SYSCONFDIR CONFIG_FILE)
#define OPTION_INVENTORY OPTION("inventory", "FILE", inventory, "look at this record of 'vferry inventory' instead")
#define OPTION_END { NULL, NULL, NULL, 0 }

/* The rows, in the order of the help. */
extern const struct command command_check, command_prepare, command_plan, command_attach, command_detach, command_status_row,
	command_release, command_maintenance, command_inventory, command_fleet, command_cluster, command_report, command_version;

/*
 * Reads options and operands of a subcommand into *call and its configuration. argv[0] is the subcommand's name.
 * Return: COMMAND_RUN, or what the program ends with (after --help, or a sentence about wrong use).
 */
int command_parse(struct call *call, int argc, char **argv);

/*
 * Does what a call asks for. With --json every outcome is JSON on stdout: where the subcommand prints none, since it refuses or has nothing
 * to do, {"verdict", "reason"}. Return: exit status.
 */
int command_run(struct call *call);

/* The same for a call that did not come so far as to be run: wrong use, or a configuration that cannot be read. Return: status. */
int command_answer(struct call *call, int status);

/* One call of a subcommand, as a program makes it: argv[1] is its name. Return: exit status. */
int command_main(const struct command *command, int argc, char **argv);

/* Says a failure to call->err, and ends with COMMAND_NOT_READY. guest may be NULL. */
int command_fail(struct call *call, const struct reason *why, const char *guest);

/* Says a sentence to call->err: "vferry: ..." */
__attribute__((format(printf, 2, 3)))
void command_say(struct call *call, const char *format, ...);

#endif
