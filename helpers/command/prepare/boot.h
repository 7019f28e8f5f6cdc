/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boot.h: vferry prepare --boot.
 */
#ifndef VFERRY_COMMAND_PREPARE_BOOT_H
#define VFERRY_COMMAND_PREPARE_BOOT_H

#include "command/command.h"

/* Makes what earlier calls were asked for so again; call->boot is "card" or "host". Return: enum command_status. */
int prepare_boot(struct call *call);

#endif
