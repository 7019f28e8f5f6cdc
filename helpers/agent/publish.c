/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * publish.c: puts the agent's figures where the node exporter's text file collector reads them. See publish.h.
 */
#include "agent/publish.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/leases.h"
#include "base/scope.h"
#include "base/sysroot.h"
#include "policy/gate.h"
#include "policy/placement.h"
#include "state/history.h"
#include "state/maintenance.h"
#include "state/queue.h"

/* Fills in who has which slot. */
static void count_slots(const struct published *what, struct metrics_now *now)
{
	for (size_t i = 0; i < what->facts->running.count; i++) {
		const struct status *status = &what->facts->running.status[i];

		if (status->job != STATUS_MIGRATION_IN && !gate_is_moving(status))
			continue;
		for (size_t k = 0; k < what->inventory->pfs; k++)
			now->slots[k] += gate_count_travelling(status, what->inventory, &what->inventory->pf[k]);
	}
}

/* Fills in how many VFs of each PF guests have, and how many are free; where leases cannot be read, none is known to be. */
static void count_free(const struct published *what, struct metrics_now *now)
{
	struct record_list leases = { 0 };
	struct placement placement = { .config = what->config, .inventory = what->inventory, .running = &what->facts->running, .leases = &leases,
				       .uuid = "" };
	bool is_known = record_read_all(&leases, NULL) == 0;

	for (size_t i = 0; i < what->inventory->pfs; i++) {
		now->usable[i] = guest_can_use_pf(what->config, &what->inventory->pf[i]);
		for (size_t k = 0; k < what->facts->running.count; k++)
			now->vfs_used[i] += gate_count_vfs(&what->facts->running.status[k], what->inventory, &what->inventory->pf[i]);
		if (now->usable[i] && is_known)
			now->vfs_free[i] = placement_free(&placement, &what->inventory->pf[i]);
	}
	record_list_release(&leases);
}

/* Return: when the hook last said no, 0 never. */
static int64_t last_refusal(void)
{
	autofree struct history *history = calloc(1, sizeof(*history));
	int64_t when = 0;

	if (!history || history_read(history, NULL))
		return 0;
	for (size_t i = 0; i < history->count; i++) {
		if (history->entry[i].kind == HISTORY_REFUSED)
			when = history->entry[i].when;
	}
	return when;
}

/* Writes the figures. length: result. Return: the text (malloc), NULL without memory. */
static char *render(const struct published *what, size_t *length)
{
	struct metrics_now now = { .inventory = what->inventory, .downtime = what->downtime, .limit = what->config->vfs_in_flight,
				   .is_connected = what->facts->is_connected };
	autofree struct waiting *waiting = calloc(QUEUE_MAX, sizeof(*waiting));
	char *text = NULL;
	FILE *out = open_memstream(&text, length);

	if (!out)
		return NULL;
	now.waiting = waiting ? queue_list(waiting, QUEUE_MAX) : 0;
	count_slots(what, &now);
	leases_count(now.leases);
	count_free(what, &now);
	now.is_closed = maintenance_refuse(NULL) != 0;
	now.refused = last_refusal();
	metrics_print(what->metrics, &now, out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* See publish.h. Readable for all, since the node exporter is no root; there is nothing of a guest in it. */
int publish(const struct published *what, struct reason *why)
{
	const char *directory = what->config->metrics_directory;
	autofree char *text = NULL;
	size_t length = 0;
	int error;

	if (!*directory || !sysroot_exists("%s", directory))
		return 0;
	text = render(what, &length);
	error = text ? sysroot_publish(text, length, "%s/" METRICS_FILE, directory) : -ENOMEM;
	return error ? reason_set(why, error, directory, METRICS_FILE ": the figures cannot be written: %s", strerror(-error)) : 0;
}
