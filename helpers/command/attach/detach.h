/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * detach.h: vferry detach.
 */
#ifndef VFERRY_COMMAND_ATTACH_DETACH_H
#define VFERRY_COMMAND_ATTACH_DETACH_H

#include "command/command.h"

/* What it does, in the program guest. Return: enum command_status. */
int detach_command(struct call *call);

#endif
