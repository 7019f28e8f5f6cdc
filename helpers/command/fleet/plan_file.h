/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * plan_file.h: a plan as JSON.
 */
#ifndef VFERRY_COMMAND_FLEET_PLAN_FILE_H
#define VFERRY_COMMAND_FLEET_PLAN_FILE_H

#include <json-c/json.h>

#include "command/fleet/hosts.h"
#include "policy/fleet_plan.h"

/* A plan as JSON, to be put. */
struct json_object *fleet_plan_json(const struct fleet_case *c, const struct fleet_task *task, const struct fleet_plan *plan);

#endif
