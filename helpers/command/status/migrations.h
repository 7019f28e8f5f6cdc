/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * migrations.h: what is in flight, expected, waiting and over.
 */
#ifndef VFERRY_COMMAND_STATUS_MIGRATIONS_H
#define VFERRY_COMMAND_STATUS_MIGRATIONS_H

#include "command/command.h"
#include "command/view.h"

/* As text, and added to a JSON object. */
void status_show_migrations(struct call *call, struct view *view);
void status_add_migrations(struct json_object *json, struct view *view);

#endif
