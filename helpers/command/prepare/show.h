/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * show.h: how vferry prepare's plan looks, for a person and for a program.
 */
#ifndef VFERRY_COMMAND_PREPARE_SHOW_H
#define VFERRY_COMMAND_PREPARE_SHOW_H

#include "command/prepare/preparation.h"

/* Prints the plan with what it would disturb. */
void prepare_show_plan(struct call *call, const struct preparation *p);

/* Prints how it came out, as JSON. */
void prepare_show_json(struct call *call, const struct preparation *p, const char *verdict, const struct reason *why);

#endif
