/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * operation_carrier.c: the link of an uplink around a mode change.
 *
 * mlx5 closes and opens the uplink's netdev when the mode changes (mlx5/core/en_main.c mlx5e_netdev_change_profile()), which takes the port
 * down; it then trains anew, for seconds, with some equipment for minutes. A guest that arrives in that time has no network.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine/operation.h"

#define CARRIER_POLL_MS 50

/*
 * see_uplink() - the uplink of a step's PF. In a child.
 * @arg:	struct operation_look
 * Return: 1 it is in look->netdev, 0 there is none to be seen
 */
static int see_uplink(void *arg, struct reason *why)
{
	struct operation_look *look = arg;
	char address[PCI_ADDRESS_LEN];

	(void)why;
	return netdev_find_uplink(pci_address_format(&look->step.pf, address), &look->netdev);
}

/*
 * await() - looks until the uplink has its link, or the look's deadline has passed. In a child.
 * Return: 1 it has, 0 not
 */
static int await(void *arg, struct reason *why)
{
	struct operation_look *look = arg;

	while (!see_uplink(look, why) || !look->netdev.carrier) {
		if (!deadline_left(look->deadline))
			return 0;
		nanosleep(&(struct timespec){ .tv_nsec = CARRIER_POLL_MS * 1000000L }, NULL);
	}
	return 1;
}

/* See operation.h. */
int operation_has_carrier(const struct step *step, struct context *context, struct reason *why)
{
	struct operation_look look = { .step = *step };
	int found = operation_fetch(see_uplink, &look, context, why);

	return found < 0 ? found : found == 1 && look.netdev.carrier;
}

/* See operation.h. */
int operation_await_carrier(const struct step *step, struct context *context, struct reason *why)
{
	struct operation_look look = { .step = *step };
	int found = operation_fetch(await, &look, context, why);
	char address[PCI_ADDRESS_LEN];

	if (found)
		return found < 0 ? found : 0;
	reason_set(why, -ENOLINK, pci_address_format(&step->pf, address),
		   "its uplink %s had a link before the eswitch was switched, and has none yet",
		   look.netdev.name);
	reason_cure(why, "its link is training: migrate again in some seconds; run 'vferry prepare' before guests come, or raise hook_deadline");
	return -ENOLINK;
}
