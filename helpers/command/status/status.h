/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * status.h: the parts of vferry status.
 */
#ifndef VFERRY_COMMAND_STATUS_H
#define VFERRY_COMMAND_STATUS_H

#include "command/command.h"
#include "command/view.h"

/* migrations.c: what is in flight, expected, waiting and over; as text, and added to a JSON object. */
void status_show_migrations(struct call *call, struct view *view);
void status_add_migrations(struct json_object *json, struct view *view);

#endif
