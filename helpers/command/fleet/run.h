/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * run.h: vferry fleet evacuate --run.
 */
#ifndef VFERRY_COMMAND_FLEET_RUN_H
#define VFERRY_COMMAND_FLEET_RUN_H

#include "command/command.h"

/* vferry fleet evacuate --run, in the program that may call libvirt. Return: exit status. */
int fleet_run_command(struct call *call);

#endif
