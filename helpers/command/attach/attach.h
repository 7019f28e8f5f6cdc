/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attach.h: vferry attach.
 */
#ifndef VFERRY_COMMAND_ATTACH_ATTACH_H
#define VFERRY_COMMAND_ATTACH_ATTACH_H

#include "command/command.h"

/* What it does, in the program guest. Return: enum command_status. */
int attach_command(struct call *call);

#endif
