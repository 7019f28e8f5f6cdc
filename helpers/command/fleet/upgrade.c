/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command/fleet/fleet.h"
int fleet_upgrade_command(struct call *call, struct fleet_case *c) { (void)c; command_say(call, "fleet upgrade: not there yet"); return COMMAND_NOT_READY; }
