/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * upgrade.h: vferry fleet upgrade.
 */
#ifndef VFERRY_COMMAND_FLEET_UPGRADE_H
#define VFERRY_COMMAND_FLEET_UPGRADE_H

#include "command/fleet/hosts.h"

/* What it does. Return: enum command_status. */
int fleet_upgrade_command(struct call *call, struct fleet_case *c);

#endif
