/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lines.h: the rules that keep guests running under Pacemaker, as they are typed.
 */
#ifndef VFERRY_COMMAND_CLUSTER_LINES_H
#define VFERRY_COMMAND_CLUSTER_LINES_H

#include <json-c/json.h>

#include "command/cluster/read.h"

/* s that a node may take to see a guest run that has reached it: what VirtualDomain's own monitor needs where libvirt is busy */
#define CLUSTER_SEEN_S 120

/* What is to be set for one guest. */
struct cluster_rules {
	const char *guest;
	const struct cluster_guest *known; /* NULL: the cluster has no resource for it */
	unsigned int vfs, timeout;
	const char *card;
	bool by_use;               /* the cluster places by utilization, and knows what its nodes have */
};

/* Whether a node could be fenced because vferry's agent takes long to stop there. */
bool cluster_may_fence(const struct cluster *cluster);

/* Whether the cluster places by utilization. */
bool cluster_places_by_use(const struct cluster *cluster);

/* Adds the lines, as JSON texts; those for what is so already are left out. */
void cluster_add_rules(const struct cluster_rules *rules, struct json_object *pcs, struct json_object *crm);
void cluster_add_options(const struct cluster *cluster, unsigned int limit, struct json_object *pcs, struct json_object *crm);

/*
 * The one line that keeps a guest running when its migration is refused, by what is typed here; "" neither is there, or no room. Return:
 * out.
 */
char *cluster_mend(const struct cluster_view *seen, size_t guest, unsigned int timeout, char *out, size_t size);

#endif
