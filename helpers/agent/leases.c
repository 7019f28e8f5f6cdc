/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * leases.c: what vferry keeps of guests on this host. See leases.h.
 */
#include "agent/leases.h"

#include <errno.h>
#include <stdlib.h>

#include "base/scope.h"
#include "engine/hotplug.h"
#include "engine/ready.h"
#include "state/record.h"


/* See leases.h. */
int leases_of(const char *uuid, struct leased_vf *vf, size_t max, struct reason *why)
{
	autorecord struct record record = { 0 };
	size_t count = 0;
	int error = record_read(uuid, &record, why);

	for (; !error && count < record.vfs && count < max; count++)
		vf[count] = (struct leased_vf){ record.vf[count].address, record.vf[count].mac };
	return error ? error : (int)count;
}

/* See leases.h. */
void leases_count(size_t count[3])
{
	struct record_list list = { 0 };

	if (record_read_all(&list, NULL))
		return;
	for (size_t i = 0; i < list.count; i++)
		count[list.record[i].state]++;
	record_list_release(&list);
}

/* See leases.h. */
int leases_take_in(const struct config *config, const struct domain *domain, deadline_t deadline, struct reason *why)
{
	return hotplug_sync(config, domain, deadline, why);
}

/* Return: whether a device is one of the VFs. */
static bool is_one_of(const struct hostdev *device, const struct leased_vf *vf, int count)
{
	for (int i = 0; i < count; i++) {
		if (device->has_source && pci_address_equal(&vf[i].address, &device->source))
			return true;
	}
	return false;
}

/* See leases.h. */
int leases_give_back(const struct config *config, const struct domain *domain, deadline_t deadline, struct reason *why)
{
	autofree struct hostdev *known = calloc(domain->hostdevs + 1, sizeof(*known));
	struct domain without = *domain; /* what it points to is the other's, which lives longer */
	struct leased_vf vf[LEASES_MAX_VFS];
	int count = known ? leases_of(domain->uuid, vf, LEASES_MAX_VFS, why) : reason_set(why, -ENOMEM, NULL, "out of memory");

	if (count < 0)
		return count == -ENOENT ? 0 : count;
	without.hostdev = known;
	without.hostdevs = 0;
	for (size_t i = 0; i < domain->hostdevs; i++) {
		if (is_one_of(&domain->hostdev[i], vf, count))
			known[without.hostdevs++] = domain->hostdev[i];
	}
	return hotplug_sync(config, &without, deadline, why);
}

/* See leases.h. */
int leases_reconcile(const struct config *config, deadline_t deadline, struct reason *why)
{
	(void)why;
	(void)ready_reconcile(config, deadline, NULL);
	return 0;
}
