/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * duration.h: how long a plan may take, for a person and for a program.
 */
#ifndef VFERRY_COMMAND_DURATION_H
#define VFERRY_COMMAND_DURATION_H

#include <json-c/json.h>

#include "command/command.h"
#include "state/step.h"

/* Says it in a line; nothing where no step takes long. */
void duration_show(struct call *call, const struct steps *plan);

/* The same as JSON: milliseconds, least and most; both 0 where no step takes long. */
struct json_object *duration_json(const struct steps *plan);

#endif
