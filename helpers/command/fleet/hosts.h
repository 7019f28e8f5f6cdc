/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hosts.h: the hosts as they were read.
 */
#ifndef VFERRY_COMMAND_FLEET_HOSTS_H
#define VFERRY_COMMAND_FLEET_HOSTS_H

#include <json-c/json.h>

#include "command/view.h"
#include "policy/fleet.h"

/* A host as it was read. */
struct fleet_view {
	char name[256];         /* as its record calls it */
	char target[256];       /* as the user called it: what a connection goes to; "" for a record */
	struct view view;
	struct domain *domain;  /* [guests of view] */
	bool *has_domain;
	struct json_object *moves; /* that it wrote down, as "migrations" of its record */
	bool is_closed;
	bool is_read;
};

/* All of them, and the fleet that points into them. */
struct fleet_case {
	struct fleet_view *host;
	size_t hosts;           /* that were read */
	size_t asked;
	char missing[1024];     /* hosts that did not answer: "hostC (no answer in 20 s)" */
	struct fleet fleet;
};

/* The host that a word names, by the name in its record or as the user called it. Return: FLEET_NOWHERE with *why. */
size_t fleet_find_host(const struct fleet_case *c, const char *word, struct reason *why);

/* Marks the hosts of a list "hostB,hostC". Return: 0, -ENOENT with *why. */
int fleet_mark_hosts(const struct fleet_case *c, const char *list, bool *marked, struct reason *why);

/* Where a connection of libvirt's to a host goes. */
const char *fleet_uri(const struct fleet_view *host, char *out, size_t size);

#endif
