/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * show.h: a plan as a person reads it.
 */
#ifndef VFERRY_COMMAND_FLEET_SHOW_H
#define VFERRY_COMMAND_FLEET_SHOW_H

#include "command/fleet/hosts.h"
#include "policy/fleet_plan.h"

/* A plan for a person: verdict, waves, who stays. */
void fleet_show_plan(struct call *call, const struct fleet_case *c, const struct fleet_task *task, const struct fleet_plan *plan);

#endif
