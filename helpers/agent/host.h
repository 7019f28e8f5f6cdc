/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host.h: the host's cards and ports, read once for all who do not need it newer.
 */
#ifndef VFERRY_AGENT_HOST_H
#define VFERRY_AGENT_HOST_H

#include <stdint.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/reason.h"
#include "host/inventory.h"

/* Zeroed: not read yet. */
struct host {
	struct inventory inventory;
	int64_t read;  /* clock_ms() when it was begun to be read, 0 never */
};

/*
 * Reads the host, asking its cards as little as can be (inventory_read_few()), unless it was read at that time (clock_ms()) or later. A reading that fails leaves what there was.
 * Return: 0, negative errno with *why.
 */
int host_refresh(struct host *host, const struct config *config, int64_t since, deadline_t deadline, struct reason *why);

#endif
