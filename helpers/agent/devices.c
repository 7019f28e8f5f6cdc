/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * devices.c: the agent's one door to the engine: VFs that left or came to a running guest; leases, journals and ports. See work.h.
 *
 * Giving back and taking in are two intents, so that of guests which change a VF all have given theirs back before any takes one in: a
 * guest that gets a VF is refused it while another's lease names it.
 */
#include <errno.h>
#include <stdlib.h>

#include "agent/work.h"
#include "base/log.h"
#include "base/scope.h"
#include "engine/hotplug.h"
#include "engine/ready.h"

#define LOCK_TIME 3000 /* ms: a hook at work holds the lock, and will reconcile by itself */

/* Brings the guest's lease and ports in line with its devices. Return: 0, negative errno with *why. */
static int sync_guest(const struct work *work, const struct domain *domain, struct reason *why)
{
	int error;

	log_context(work->guest.status->name, NULL);
	error = hotplug_sync(work->config, domain, work->deadline, why);
	log_context(NULL, NULL);
	return error;
}

/* See work.h. */
void devices_adopt(const struct work *work, struct outcome *outcome)
{
	autodomain struct domain domain = { 0 };

	outcome->error = guest_read(&work->link, &domain, &outcome->why);
	if (!outcome->error)
		outcome->error = sync_guest(work, &domain, &outcome->why);
}

/* Return: whether a lease has the VF of a device. */
static bool has_vf(const struct record *record, const struct hostdev *device)
{
	for (size_t i = 0; i < record->vfs; i++) {
		if (device->has_source && pci_address_equal(&record->vf[i].address, &device->source))
			return true;
	}
	return false;
}

/* Gives back what a lease has and the guest has not; what is new to the guest is left out, as if it had not come yet. */
static int give_back(const struct work *work, const struct domain *domain, const struct record *record, struct reason *why)
{
	autofree struct domain *known = malloc(sizeof(*known));

	if (!known)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	*known = *domain; /* its pointers are into the other, which lives longer */
	known->hostdevs = 0;
	for (size_t i = 0; i < domain->hostdevs; i++) {
		if (has_vf(record, &domain->hostdev[i]))
			known->hostdev[known->hostdevs++] = domain->hostdev[i];
	}
	return sync_guest(work, known, why);
}

/* See work.h. A guest without a lease has nothing to give back. */
void devices_yield(const struct work *work, struct outcome *outcome)
{
	autofree struct record *record = calloc(1, sizeof(*record));
	autodomain struct domain domain = { 0 };

	outcome->error = record ? record_read(work->intent->uuid, record, &outcome->why) : -ENOMEM;
	if (!outcome->error)
		outcome->error = guest_read(&work->link, &domain, &outcome->why);
	if (!outcome->error)
		outcome->error = give_back(work, &domain, record, &outcome->why);
}

/* See work.h. */
void devices_reconcile(const struct work *work, struct outcome *outcome)
{
	autoclose int lock = record_lock(NULL, deadline_within(work->deadline, LOCK_TIME), &outcome->why);

	outcome->error = lock < 0 ? lock : 0;
	if (lock < 0)
		return;
	(void)ready_reconcile(work->config, NULL, work->deadline, NULL);
	outcome->count = 1;
}
