/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * metrics.h: figures for Prometheus, as a file for the node exporter's text file collector.
 *
 * Counters begin at 0 when the agent starts, as Prometheus expects of a process.
 */
#ifndef VFERRY_AGENT_METRICS_H
#define VFERRY_AGENT_METRICS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/config.h"
#include "host/inventory.h"
#include "policy/downtime.h"
#include "state/migration.h"

#define METRICS_BOUNDS 12 /* of a histogram, at most */
#define METRICS_FILE "vferry.prom"

struct metrics_histogram {
	unsigned long bucket[METRICS_BOUNDS];
	unsigned long count;
	double sum; /* s */
};

/* Counted since the agent has started. */
struct metrics {
	unsigned long migrations[2][MIGRATION_OUTCOMES]; /* [0]: out, [1]: in */
	struct metrics_histogram duration[2], downtime;
	unsigned long downtime_vfs; /* of the guests whose downtime is counted */
	double memory_bytes, vfio_bytes;
	unsigned long reconciliations, passports, announcements, limits_raised;
};

/* As it is now. */
struct metrics_now {
	const struct inventory *inventory;
	const struct downtime_model *downtime;
	unsigned int slots[INVENTORY_MAX_PFS]; /* VFs in flight of each PF of the inventory */
	unsigned int limit;                    /* of each PF */
	size_t waiting;                        /* arrivals without a slot */
	size_t leases[3];                      /* by enum record_state */
	bool is_connected;                     /* to libvirt */
	unsigned int vfs_free[INVENTORY_MAX_PFS]; /* VFs of each PF that could be given to a guest */
	unsigned int vfs_used[INVENTORY_MAX_PFS]; /* that guests have which run here */
	bool usable[INVENTORY_MAX_PFS];        /* PFs that vferry may use */
	bool is_closed;                        /* the host takes no arrivals: maintenance */
	int64_t refused;                       /* when the hook last said no, s since 1970; 0: not since the boot */
};

/* Counts a migration that is over. */
void metrics_count(struct metrics *metrics, const struct migration *migration);

/* Writes all in Prometheus's text format. */
void metrics_print(const struct metrics *metrics, const struct metrics_now *now, FILE *out);

#endif
