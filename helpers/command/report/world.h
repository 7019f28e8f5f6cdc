/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * world.h: this host as a world of tests/worlds.
 */
#ifndef VFERRY_COMMAND_REPORT_WORLD_H
#define VFERRY_COMMAND_REPORT_WORLD_H

#include <stdio.h>

#include "command/view.h"

/* Writes the host as a world (tests/worlds/README.md): what vferry reads of it, line by line. */
void report_world(const struct view *view, FILE *out);

#endif
