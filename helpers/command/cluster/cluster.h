/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cluster.h: vferry under Pacemaker: what the cluster knows of guests here, the rules that keep them running, what a node publishes.
 */
#ifndef VFERRY_COMMAND_CLUSTER_CLUSTER_H
#define VFERRY_COMMAND_CLUSTER_CLUSTER_H

#include <json-c/json.h>

#include "command/view.h"
#include "domain/cluster.h"

#define CLUSTER_PCS "/usr/sbin/pcs"
#define CLUSTER_CRM "/usr/sbin/crm"

/* A guest of the cluster, as the file says that Pacemaker starts it from. */
struct cluster_domain {
	char name[DOMAIN_NAME_MAX];
	int devices;               /* host devices, those of pools included; -1 the file could not be read here */
	bool has_address;          /* one of them is named by its address */
	struct pci_address address;
};

/* What was read of the cluster. Zeroed: there is none. */
struct cluster_view {
	bool is_there;
	bool has_pcs, has_crm;     /* what administrators type there */
	struct cluster cluster;
	struct cluster_domain *domain; /* one for each guest of cluster */
};

/*
 * Reads the cluster's CIB: the file, or what cibadmin says of the cluster that this host is in, in a few seconds. A host that is in none is
 * no error. Return: 0, negative errno with *why; cluster_view_release() it.
 */
int cluster_view_read(struct call *call, const char *file, struct cluster_view *seen, struct reason *why);
void cluster_view_release(struct cluster_view *seen);

/* The number of a guest in the cluster by its name, as libvirt calls it. Return: cluster.guests if it is none of its. */
size_t cluster_view_find(const struct cluster_view *seen, const char *name);

/* The card group of a host: PSID and firmware of what vferry may use, "MT_0000000834-28.43.1014"; "" it has none. Return: out. */
char *cluster_card(const struct config *config, const struct inventory *inventory, char *out, size_t size);

/* How long Pacemaker has to wait for a migration to here, by the configuration: the wait for a slot included. Return: seconds. */
unsigned int cluster_timeout(const struct config *config);

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

/* The one line that keeps a guest running when its migration is refused, by what is typed here; "" neither is there, or no room. Return: out. */
char *cluster_mend(const struct cluster_view *seen, size_t guest, unsigned int timeout, char *out, size_t size);

#define autocluster_view __attribute__((cleanup(cluster_view_release)))

/* node.c: vferry cluster --node. */
int cluster_show_node(struct call *call, struct view *view, const struct cluster_view *seen);

#endif
