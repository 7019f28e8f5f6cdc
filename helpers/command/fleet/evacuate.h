/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * evacuate.h: vferry fleet evacuate and survive.
 */
#ifndef VFERRY_COMMAND_FLEET_EVACUATE_H
#define VFERRY_COMMAND_FLEET_EVACUATE_H

#include "command/fleet/hosts.h"

/* What they do. Return: enum command_status. */
int fleet_evacuate_command(struct call *call, struct fleet_case *c);
int fleet_survive_command(struct call *call, struct fleet_case *c);

/* The plan that a call asks for, as JSON. Return: COMMAND_RUN with *json, to be put; else the exit status. */
int fleet_plan_call(struct call *call, struct json_object **json);

#endif
