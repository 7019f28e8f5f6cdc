/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * matrix.h: vferry fleet matrix.
 */
#ifndef VFERRY_COMMAND_FLEET_MATRIX_H
#define VFERRY_COMMAND_FLEET_MATRIX_H

#include "command/fleet/hosts.h"

/* What it does. Return: enum command_status. */
int fleet_matrix_command(struct call *call, struct fleet_case *c);

#endif
