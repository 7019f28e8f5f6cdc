/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * metrics.c: figures in Prometheus's text format (version 0.0.4, which the text file collector reads). See metrics.h.
 *
 * Names follow Prometheus's conventions: base units, _total for counters. What libvirt counts of a guest with VFs is its memory alone, and
 * the help of those figures says so.
 */
#include "agent/metrics.h"

#include <string.h>

#include "state/record.h"

#define ONLY_MEMORY " What VFs write into the memory is not in it: libvirt does not count that."

static const double duration_bounds[] = { 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600 };
static const double downtime_bounds[] = { 0.05, 0.1, 0.2, 0.3, 0.5, 1, 1.5, 2, 3, 5, 10, 30 };
static const char *const directions[2] = { "out", "in" };

_Static_assert(sizeof(duration_bounds) == METRICS_BOUNDS * sizeof(double), "bounds");
_Static_assert(sizeof(downtime_bounds) == METRICS_BOUNDS * sizeof(double), "bounds");

/* Counts one value. */
static void observe(struct metrics_histogram *histogram, const double *bounds, double seconds)
{
	for (size_t i = 0; i < METRICS_BOUNDS; i++)
		histogram->bucket[i] += seconds <= bounds[i];
	histogram->count++;
	histogram->sum += seconds;
}

/* See metrics.h. Only one that was completed has a duration and a downtime that mean something. */
void metrics_count(struct metrics *metrics, const struct migration *migration)
{
	metrics->migrations[migration->is_incoming][migration->outcome]++;
	if (migration->outcome != MIGRATION_COMPLETED && migration->outcome != MIGRATION_UNSETTLED)
		return;
	observe(&metrics->duration[migration->is_incoming], duration_bounds, (double)migration->ms / 1000);
	if (migration->is_incoming)
		return;
	if (migration->downtime >= 0) {
		observe(&metrics->downtime, downtime_bounds, (double)migration->downtime / 1000);
		metrics->downtime_vfs += migration->vfs;
	}
	metrics->memory_bytes += migration->memory_bytes > 0 ? (double)migration->memory_bytes : 0;
	metrics->vfio_bytes += migration->vfio_bytes > 0 ? (double)migration->vfio_bytes : 0;
}

/* Prints what stands above a metric. */
static void head(FILE *out, const char *name, const char *type, const char *text)
{
	fprintf(out, "# HELP vferry_%s %s\n# TYPE vferry_%s %s\n", name, text, name, type);
}

/* Prints a metric without labels. */
static void single(FILE *out, const char *name, const char *type, const char *text, double value)
{
	head(out, name, type, text);
	fprintf(out, "vferry_%s %.16g\n", name, value);
}

/* Prints a histogram. label: of all its lines, ended by a comma, or "". */
static void print_histogram(FILE *out, const char *name, const char *label, const struct metrics_histogram *histogram, const double *bounds)
{
	size_t length = strlen(label);
	int last = length ? (int)length - 1 : 0; /* without the comma */

	for (size_t i = 0; i < METRICS_BOUNDS; i++)
		fprintf(out, "vferry_%s_bucket{%sle=\"%g\"} %lu\n", name, label, bounds[i], histogram->bucket[i]);
	fprintf(out, "vferry_%s_bucket{%sle=\"+Inf\"} %lu\n", name, label, histogram->count);
	fprintf(out, "vferry_%s_sum%s%.*s%s %.16g\n", name, last ? "{" : "", last, label, last ? "}" : "", histogram->sum);
	fprintf(out, "vferry_%s_count%s%.*s%s %lu\n", name, last ? "{" : "", last, label, last ? "}" : "", histogram->count);
}

/* Prints what was counted of migrations. */
static void print_migrations(const struct metrics *metrics, FILE *out)
{
	head(out, "migrations_total", "counter", "Migrations of guests with VFs that are over, by direction and outcome.");
	for (int d = 0; d < 2; d++) {
		for (int o = 0; o < MIGRATION_OUTCOMES; o++)
			fprintf(out, "vferry_migrations_total{direction=\"%s\",outcome=\"%s\"} %lu\n", directions[d],
				migration_outcome_name((enum migration_outcome)o), metrics->migrations[d][o]);
	}
	head(out, "migration_duration_seconds", "histogram", "How long completed migrations of guests with VFs took.");
	print_histogram(out, "migration_duration_seconds", "direction=\"out\",", &metrics->duration[0], duration_bounds);
	print_histogram(out, "migration_duration_seconds", "direction=\"in\",", &metrics->duration[1], duration_bounds);
	head(out, "migration_downtime_seconds", "histogram",
	     "How long guests with VFs that left stood still, as libvirt tells; the clocks of both hosts are in it.");
	print_histogram(out, "migration_downtime_seconds", "", &metrics->downtime, downtime_bounds);
	single(out, "migration_downtime_vfs_total", "counter", "VFs of those guests: the time for one is the sum by this.",
	       (double)metrics->downtime_vfs);
	single(out, "migration_memory_bytes_total", "counter", "Memory of guests with VFs that was sent." ONLY_MEMORY, metrics->memory_bytes);
	single(out, "migration_vfio_bytes_total", "counter",
	       "States of VFs that were sent; 0 where libvirt is older than 10.6, which does not tell.", metrics->vfio_bytes);
}

/* Prints the PFs' slots. */
static void print_slots(const struct metrics_now *now, FILE *out)
{
	char address[PCI_ADDRESS_LEN];

	head(out, "pf_slots_used", "gauge", "VFs of the PF that are in live migration now.");
	for (size_t i = 0; i < now->inventory->pfs; i++)
		fprintf(out, "vferry_pf_slots_used{pf=\"%s\"} %u\n", pci_address_format(&now->inventory->pf[i].address, address), now->slots[i]);
	head(out, "pf_slots_limit", "gauge", "VFs of the PF that may be in live migration at the same time.");
	for (size_t i = 0; i < now->inventory->pfs; i++)
		fprintf(out, "vferry_pf_slots_limit{pf=\"%s\"} %u\n", pci_address_format(&now->inventory->pf[i].address, address), now->limit);
}

/* Prints a number of VFs of each PF that may be used, by its card group: PSID and firmware, which both ends of a migration must share. */
static void print_vfs(const struct metrics_now *now, const char *name, const unsigned int *number, FILE *out)
{
	char address[PCI_ADDRESS_LEN];

	for (size_t i = 0; i < now->inventory->pfs; i++) {
		const struct inventory_pf *pf = &now->inventory->pf[i];

		if (now->usable[i])
			fprintf(out, "vferry_%s{pf=\"%s\",psid=\"%s\",firmware=\"%s\"} %u\n", name, pci_address_format(&pf->address, address),
				pf->info.psid, pf->info.firmware, number[i]);
	}
}

/* Prints how much room there is. */
static void print_room(const struct metrics_now *now, FILE *out)
{
	head(out, "pf_vfs_free", "gauge", "VFs of the PF that could be given to a guest, by its card group: PSID and firmware.");
	print_vfs(now, "pf_vfs_free", now->vfs_free, out);
	head(out, "pf_vfs_used", "gauge", "VFs of the PF that guests have which run here, by its card group.");
	print_vfs(now, "pf_vfs_used", now->vfs_used, out);
	single(out, "maintenance", "gauge", "Whether the host takes no arrivals (vferry maintenance on).", now->is_closed);
	single(out, "last_refusal_timestamp_seconds", "gauge", "When the hook last refused a guest, or failed; 0: not since the boot.",
	       (double)now->refused);
}

/* Prints what is remembered of guests. */
static void print_leases(const struct metrics_now *now, FILE *out)
{
	static const char *const states[3] = { [RECORD_ARRIVING] = "arriving", [RECORD_STARTING] = "starting", [RECORD_RUNNING] = "running" };

	single(out, "queue_length", "gauge", "Arriving guests that wait for a slot.", (double)now->waiting);
	head(out, "leases", "gauge", "Guests that VFs are reserved for, by how far they are.");
	for (int i = 0; i < 3; i++)
		fprintf(out, "vferry_leases{state=\"%s\"} %zu\n", states[i], now->leases[i]);
}

/* Prints what the agent itself does. */
static void print_agent(const struct metrics *metrics, const struct metrics_now *now, FILE *out)
{
	head(out, "build_info", "gauge", "Always 1; the version is in its label.");
	fputs("vferry_build_info{version=\"" VFERRY_VERSION "\"} 1\n", out);
	single(out, "libvirt_connected", "gauge", "Whether the agent is connected to libvirt.", now->is_connected);
	single(out, "agent_reconciliations_total", "counter", "Times that leases, journals and ports were brought in line with who is here.",
	       (double)metrics->reconciliations);
	single(out, "agent_passports_written_total", "counter", "Passports written into the metadata of guests.", (double)metrics->passports);
	single(out, "agent_announcements_total", "counter", "VFs of arrived guests that were announced to the network.",
	       (double)metrics->announcements);
	single(out, "agent_downtime_limit_raises_total", "counter", "Times that a guest's downtime limit was raised while it was on its way.",
	       (double)metrics->limits_raised);
	head(out, "downtime_learned_seconds", "gauge", "Downtime for one VF as seen on this host, 0 before anything was seen.");
	fprintf(out, "vferry_downtime_learned_seconds{mode=\"one_stream\"} %g\n", now->downtime->per_vf[0] / 1000.0);
	fprintf(out, "vferry_downtime_learned_seconds{mode=\"parallel\"} %g\n", now->downtime->per_vf[1] / 1000.0);
}

/* See metrics.h. */
void metrics_print(const struct metrics *metrics, const struct metrics_now *now, FILE *out)
{
	print_agent(metrics, now, out);
	print_migrations(metrics, out);
	print_slots(now, out);
	print_room(now, out);
	print_leases(now, out);
}
