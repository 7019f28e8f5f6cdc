/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * devices.c: VFs that left or came to a running guest; leases, journals and ports. See work.h.
 *
 * Giving back and taking in are two intents, so that of guests which change a VF all have given theirs back before any takes one in: a
 * guest that gets a VF is refused it while another's lease names it.
 */
#include "agent/leases.h"
#include "agent/work.h"
#include "base/log.h"

/* Reads the guest, and does one or the other. Return: 0, negative errno with *why. */
static int with_guest(const struct work *work, int (*act)(const struct config *, const struct domain *, deadline_t, struct reason *),
		      struct reason *why)
{
	autodomain struct domain domain = { 0 };
	int error = guest_read(&work->link, &domain, why);

	if (error)
		return error;
	log_context(work->guest.status->name, NULL);
	error = act(work->config, &domain, work->deadline, why);
	log_context(NULL, NULL);
	return error;
}

/* See work.h. */
void devices_yield(const struct work *work, struct outcome *outcome)
{
	outcome->error = with_guest(work, leases_give_back, &outcome->why);
}

/* See work.h. */
void devices_adopt(const struct work *work, struct outcome *outcome)
{
	outcome->error = with_guest(work, leases_take_in, &outcome->why);
}

/* See work.h. */
void devices_reconcile(const struct work *work, struct outcome *outcome)
{
	outcome->error = leases_reconcile(work->config, work->deadline, &outcome->why);
	outcome->count = !outcome->error;
}
