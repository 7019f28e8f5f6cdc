/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host.c: the host's cards and ports. See host.h.
 */
#include "agent/host.h"

/* See host.h. */
int host_refresh(struct host *host, const struct config *config, int64_t since, deadline_t deadline, struct reason *why)
{
	struct inventory fresh = { 0 };
	int64_t begin = clock_ms();
	int error;

	if (host->read && host->read >= since)
		return 0;
	error = inventory_read_few(&fresh, config->ovsdb_socket, deadline, why);
	if (error)
		return error;
	inventory_release(&host->inventory);
	host->inventory = fresh;
	host->read = begin;
	return 0;
}
