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
