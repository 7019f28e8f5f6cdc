/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gather.h: reads many hosts.
 */
#ifndef VFERRY_COMMAND_FLEET_GATHER_H
#define VFERRY_COMMAND_FLEET_GATHER_H

#include "command/fleet/hosts.h"

/* Reads the hosts that the call names. Return: 0, negative errno with *why; fleet_case_release() in every case. */
int fleet_gather(struct call *call, struct fleet_case *c, struct reason *why);
void fleet_case_release(struct fleet_case *c);

#endif
