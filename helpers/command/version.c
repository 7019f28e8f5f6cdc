/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * version.c: vferry version.
 */
#include "command/command.h"
#include "command/terminal.h"

/* Prints the version. */
static int run(struct call *call)
{
	struct json_object *json;

	if (!call->json) {
		fprintf(call->out, "vferry %s\n", VFERRY_VERSION);
		return COMMAND_OK;
	}
	json = json_object_new_object();
	terminal_add(json, "version", VFERRY_VERSION);
	return terminal_json(call, json);
}

static const struct command_option options[] = { OPTION_JSON, OPTION_END };

const struct command command_version = {
	.name = "version", .operands = "", .summary = "Prints the version.", .options = options, .run = run,
};
