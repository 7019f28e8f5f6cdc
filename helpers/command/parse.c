/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * parse.c: options and operands of a subcommand, by getopt_long(3) over the table of its row.
 */
#include <getopt.h>
#include <stdarg.h>
#include <string.h>

#include "command/command.h"

#define MAX_OPTIONS 24
#define FIRST_VALUE 256 /* of getopt_long(), beyond all letters */
#define HELP_VALUE 'h'
#define VERSION_VALUE 'V'
#define HELP_COLUMN 24

/* Says a sentence: "vferry: ...". */
void command_say(struct call *call, const char *format, ...)
{
	va_list args;

	fputs("vferry: ", call->err);
	va_start(args, format);
	vfprintf(call->err, format, args);
	va_end(args);
	fputc('\n', call->err);
	call->failure = (struct reason){ 0 };
	va_start(args, format);
	vsnprintf(call->failure.what, sizeof(call->failure.what), format, args);
	va_end(args);
}

/* Says a failure. Return: COMMAND_NOT_READY. */
int command_fail(struct call *call, const struct reason *why, const char *guest)
{
	reason_print(why, guest, call->err);
	call->failure = *why;
	return COMMAND_NOT_READY;
}

/* Prints one option of the help: name and argument, then the sentence in the second column. */
static void help_option(const struct command_option *option, FILE *out)
{
	char left[64];

	snprintf(left, sizeof(left), "  --%s%s%s", option->name, option->argument ? " " : "", option->argument ? option->argument : "");
	if (strlen(left) < HELP_COLUMN)
		fprintf(out, "%-*s%s\n", HELP_COLUMN, left, option->help);
	else
		fprintf(out, "%s\n%*s%s\n", left, HELP_COLUMN, "", option->help);
}

/* Prints what a subcommand takes. */
static void command_help(const struct command *command, FILE *out)
{
	static const struct command_option help = OPTION("help", NULL, json, "print this");
	static const struct command_option version = OPTION("version", NULL, json, "print the version");

	fprintf(out, "Usage: vferry %s [OPTION...]%s%s\n\n%s\n\n", command->name, *command->operands ? " " : "", command->operands,
		command->summary);
	for (const struct command_option *option = command->options; option->name; option++)
		help_option(option, out);
	help_option(&help, out);
	help_option(&version, out);
	fputs("\nSee vferry(8).\n", out);
}

/* Says what is wrong with the use of a subcommand. Return: COMMAND_USAGE. */
__attribute__((format(printf, 2, 3)))
static int wrong_use(struct call *call, const char *format, ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(call->err, "vferry %s: %s; see vferry %s --help\n", call->command->name, text, call->command->name);
	call->failure = (struct reason){ 0 };
	snprintf(call->failure.what, sizeof(call->failure.what), "%s: %s", call->command->name, text);
	reason_cure(&call->failure, "see vferry %s --help", call->command->name);
	return COMMAND_USAGE;
}

/* Fills the table of getopt_long() from a row's options. */
static void fill_table(const struct command *command, struct option table[MAX_OPTIONS + 3])
{
	int n = 0;

	for (const struct command_option *option = command->options; option->name && n < MAX_OPTIONS; option++, n++)
		table[n] = (struct option){ option->name, option->argument ? required_argument : no_argument, NULL, FIRST_VALUE + n };
	table[n++] = (struct option){ "help", no_argument, NULL, HELP_VALUE };
	table[n++] = (struct option){ "version", no_argument, NULL, VERSION_VALUE };
	table[n] = (struct option){ 0 };
}

/* Stores one option that getopt_long() found. */
static void store(struct call *call, const struct command_option *option, const char *argument)
{
	void *member = (char *)call + option->offset;

	if (option->argument)
		*(const char **)member = argument;
	else
		*(bool *)member = true;
}

/*
 * Takes all options, those behind a wrong one too: --json may be among them.
 * Return: COMMAND_RUN, COMMAND_OK after --help or --version, COMMAND_USAGE.
 */
static int take_options(struct call *call, int argc, char **argv)
{
	struct option table[MAX_OPTIONS + 3];
	int value, status = COMMAND_RUN;

	fill_table(call->command, table);
	optind = 0; /* getopt_long() starts anew, also for a second call in one process */
	opterr = 0;
	while ((value = getopt_long(argc, argv, ":hV", table, NULL)) != -1) {
		switch (value) {
		case HELP_VALUE:
			if (status != COMMAND_RUN)
				break;
			command_help(call->command, call->out);
			return COMMAND_OK;
		case VERSION_VALUE:
			if (status != COMMAND_RUN)
				break;
			fprintf(call->out, "vferry %s\n", VFERRY_VERSION);
			return COMMAND_OK;
		case ':':
			status = status == COMMAND_RUN ? wrong_use(call, "option '%s' needs a value", argv[optind - 1]) : status;
			break;
		case '?':
			status = status == COMMAND_RUN ? wrong_use(call, "unknown option '%s'", argv[optind - 1]) : status;
			break;
		default:
			store(call, &call->command->options[value - FIRST_VALUE], optarg);
		}
	}
	return status;
}

/* Whether a subcommand works by the configuration. */
static bool needs_config(const struct command *command)
{
	for (const struct command_option *option = command->options; option->name; option++) {
		if (option->offset == offsetof(struct call, config_file))
			return true;
	}
	return false;
}

/*
 * Reads options and operands, then the configuration.
 * call: command, in, out, err, color and terminal are set. argv[0] is the subcommand's name.
 * Return: COMMAND_RUN, or what the program ends with.
 */
int command_parse(struct call *call, int argc, char **argv)
{
	struct reason why = { 0 };
	int status = take_options(call, argc, argv), operands = argc - optind;

	if (status != COMMAND_RUN)
		return status;
	if (operands < 0 || (size_t)operands < call->command->least)
		return wrong_use(call, "%s is missing", call->command->operands);
	if ((size_t)operands > call->command->most)
		return wrong_use(call, "'%s' is one argument too many", argv[optind + (int)call->command->most]);
	call->guest = operands > 0 ? argv[optind] : NULL;
	call->operand = &argv[optind];
	call->operands = (size_t)operands;
	config_defaults(&call->config);
	if (needs_config(call->command) && config_read(call->config_file, &call->config, &why))
		return command_fail(call, &why, NULL);
	return COMMAND_RUN;
}
