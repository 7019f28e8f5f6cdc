/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read.h: what the cluster knows of guests here, and what it is told of this host.
 */
#ifndef VFERRY_COMMAND_CLUSTER_READ_H
#define VFERRY_COMMAND_CLUSTER_READ_H

#include "command/view.h"
#include "domain/cluster.h"

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
#define autocluster_view __attribute__((cleanup(cluster_view_release)))

/* The number of a guest in the cluster by its name, as libvirt calls it. Return: cluster.guests if it is none of its. */
size_t cluster_view_find(const struct cluster_view *seen, const char *name);

/* The card group of a host: PSID and firmware of what vferry may use, "MT_0000000834-28.43.1014"; "" it has none. Return: out. */
char *cluster_card(const struct config *config, const struct inventory *inventory, char *out, size_t size);

/* How long Pacemaker has to wait for a migration to here, by the configuration: the wait for a slot included. Return: seconds. */
unsigned int cluster_timeout(const struct config *config);

#endif
