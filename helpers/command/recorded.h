/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * recorded.h: who runs on a host and what is promised there, as part of its inventory's JSON: else nobody could tell which VF of a
 * recorded host is free.
 */
#ifndef VFERRY_COMMAND_RECORDED_H
#define VFERRY_COMMAND_RECORDED_H

#include <json-c/json.h>

#include "base/reason.h"
#include "domain/status.h"
#include "state/record.h"

/* Lists of JSON objects, to be put: guests that libvirt runs; leases without their journals. */
struct json_object *recorded_guests(const struct status_list *list);
struct json_object *recorded_leases(const struct record_list *list);

struct view;

/* Return: a host as "vferry inventory" prints it, to be put. */
struct json_object *recorded_to_json(const struct view *view);

/* And back; NULL is an empty list. Return: 0, -EINVAL, -ENOMEM with *why. */
int recorded_read_guests(struct json_object *json, struct status_list *list, struct reason *why);
int recorded_read_leases(struct json_object *json, struct record_list *list, struct reason *why);

#endif
