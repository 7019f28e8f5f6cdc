/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * maintenance.c: vferry maintenance: whether guests may arrive here.
 */
#include <string.h>

#include "command/command.h"
#include "command/terminal.h"
#include "state/maintenance.h"

/* Tells how it is. Return: enum command_status. */
static int tell(struct call *call)
{
	bool is_on = maintenance_refuse(NULL) != 0;
	struct json_object *json;

	if (!call->json) {
		fputs(is_on ? "maintenance: no guest with a VF arrives here, until: vferry maintenance off\n" :
			      "guests with VFs may arrive here\n", call->out);
		return COMMAND_OK;
	}
	json = json_object_new_object();
	json_object_object_add(json, "maintenance", json_object_new_boolean(is_on));
	return terminal_json(call, json);
}

/* vferry maintenance [on|off]. */
static int run(struct call *call)
{
	struct reason why = { 0 };

	if (!call->guest)
		return tell(call);
	if (strcmp(call->guest, "on") != 0 && strcmp(call->guest, "off") != 0) {
		command_say(call, "maintenance: 'on' or 'off', not '%s'; see vferry maintenance --help", call->guest);
		return COMMAND_USAGE;
	}
	if (maintenance_set(strcmp(call->guest, "on") == 0, &why))
		return command_fail(call, &why, NULL);
	return tell(call);
}

static const struct command_option options[] = { OPTION_JSON, OPTION_SETTINGS, OPTION_END };

const struct command command_maintenance = {
	.name = "maintenance", .operands = "[on|off]", .most = 1, .summary = "Keeps guests from arriving here, or lets them again.",
	.options = options, .run = run,
};
