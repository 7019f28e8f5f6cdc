/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * publish.c: puts the agent's figures where the node exporter's text file collector reads them (metrics.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "base/log.h"
#include "base/scope.h"
#include "base/sysroot.h"
#include "policy/gate.h"
#include "state/queue.h"

/* Fills in who has which slot. */
static void count_slots(struct agent *agent, struct metrics_now *now)
{
	for (const struct agent_guest *guest = agent->guests; guest; guest = guest->next) {
		if (guest->gone || (guest->status.job != STATUS_MIGRATION_IN && !gate_is_moving(&guest->status)))
			continue;
		for (size_t i = 0; i < agent->inventory.pfs; i++)
			now->slots[i] += gate_count_vfs(&guest->status, &agent->inventory, &agent->inventory.pf[i]);
	}
}

/* Fills in who has a lease. */
static void count_leases(struct metrics_now *now)
{
	struct record_list list = { 0 };

	if (record_read_all(&list, NULL))
		return;
	for (size_t i = 0; i < list.count; i++)
		now->leases[list.record[i].state]++;
	record_list_release(&list);
}

/* Writes the figures. length: result. Return: the text (malloc), NULL without memory. */
static char *render(struct agent *agent, size_t *length)
{
	struct metrics_now now = { .inventory = &agent->inventory, .downtime = &agent->downtime, .limit = agent->config.vfs_in_flight,
				   .is_connected = agent->session.connection != NULL };
	autofree struct waiting *waiting = calloc(QUEUE_MAX, sizeof(*waiting));
	char *text = NULL;
	FILE *out = open_memstream(&text, length);

	if (!out)
		return NULL;
	now.waiting = waiting ? queue_list(waiting, QUEUE_MAX) : 0;
	count_slots(agent, &now);
	count_leases(&now);
	metrics_print(&agent->metrics, &now, out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/*
 * Writes the file, in a directory that is there: without a node exporter there is none, and that is no failure. Readable for all, since the
 * node exporter is no root; there is nothing of a guest in it.
 */
void publish(struct agent *agent)
{
	const char *directory = agent->config.metrics_directory;
	autofree char *text = NULL;
	size_t length = 0;
	int error;

	if (!*directory || !sysroot_exists("%s", directory))
		return;
	text = render(agent, &length);
	error = text ? sysroot_publish(text, length, "%s/" METRICS_FILE, directory) : -ENOMEM;
	if (error && !agent->metrics.has_complained)
		log_warning("%s/" METRICS_FILE ": the figures cannot be written: %s", directory, strerror(-error));
	agent->metrics.has_complained = error != 0;
}
