/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cluster.h: which guests Pacemaker looks after, and what it does with one whose migration fails: read from its CIB.
 */
#ifndef VFERRY_DOMAIN_CLUSTER_H
#define VFERRY_DOMAIN_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"

#define CLUSTER_XML_MAX (16u << 20)
#define CLUSTER_CARD "vferry-card" /* node attribute: PSID and firmware */
#define CLUSTER_VFS "vferry-vfs"   /* utilization, of nodes and guests */
/* ms that Pacemaker waits for an operation of which nothing is said (lib/pengine, PCMK_DEFAULT_ACTION_TIMEOUT) */
#define CLUSTER_TIMEOUT 20000

/* One of a resource's operations. */
struct cluster_operation {
	bool is_own;        /* it stands with the resource itself */
	char on_fail[16];   /* "block", "restart", …; "" nothing is said, which is restart */
	int64_t timeout;    /* ms */
};

/* A resource of the agent ocf:heartbeat:VirtualDomain. */
struct cluster_guest {
	char resource[128]; /* its id */
	char config[256];   /* the file with the domain XML, "" none is named */
	bool migrates;      /* allow-migrate: else it is stopped here and started there */
	/*
	 * On the node that it leaves: the whole migration. On the node that it reached: until the guest is seen to run there. Pacemaker stops the
	 * guest where either fails (lib/pengine/unpack.c, unpack_rsc_migration_failure()), unless on-fail is block.
	 */
	struct cluster_operation migrate_to, migrate_from;
	char vfs[16];       /* utilization CLUSTER_VFS, "" none */
	bool has_rule;      /* a location rule asks for CLUSTER_CARD */
	char rule[128];     /* id of the location */
	char rule_card[256];/* the card that it asks for, "" none is named */
};

/* Zeroed: no cluster. */
struct cluster {
	struct cluster_guest *guest;
	size_t guests;
	char placement[24]; /* placement-strategy, "" the default */
	char limit[16];     /* migration-limit, "" none */
	char agent[128];    /* id of the resource of ocf:vferry:host, "" there is none */
	struct cluster_operation agent_stop; /* of it: where a stop fails the node is fenced, unless on-fail is block */
	bool nodes_have_vfs;/* each node has a utilization CLUSTER_VFS of its own */
};

/* Reads a CIB, as cibadmin --query prints it. Return: 0, -EINVAL, -ENOMEM with *why; cluster_release() it. */
int cluster_parse(const char *xml, size_t len, struct cluster *cluster, struct reason *why);
void cluster_release(struct cluster *cluster);

/* Whether a guest, or node, goes on when an operation fails, and that has time enough. timeout: s that it needs. */
bool cluster_is_safe(const struct cluster_operation *operation, unsigned int timeout);

/* Reads one of Pacemaker's times: "120s", "2min", "500ms", "90". Return: ms, -EINVAL. */
int64_t cluster_parse_time(const char *text);

#define autocluster __attribute__((cleanup(cluster_release)))

#endif
