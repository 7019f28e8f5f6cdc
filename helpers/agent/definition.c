/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * definition.c: the stored definition of a guest that has arrived. See definition.h, work.h.
 *
 * With --persistent the source sends its own stored definition, whose VFs have the source's addresses (src/qemu/qemu_migration.c): its next
 * start here would take another VF, or none. The addresses that the running guest has are put into it, and nothing else is changed.
 */
#include "agent/definition.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/work.h"
#include "base/log.h"
#include "base/scope.h"
#include "base/sysroot.h"

/*
 * Return: the device of the running guest that is a device of its definition: at the same address in the guest, or else with the same MAC;
 * NULL.
 */
static const struct hostdev *counterpart(const struct domain *live, const struct hostdev *stored)
{
	for (size_t i = 0; i < live->hostdevs; i++) {
		const struct hostdev *device = &live->hostdev[i];

		if (device->has_guest && stored->has_guest && pci_address_equal(&device->guest, &stored->guest))
			return device;
	}
	for (size_t i = 0; i < live->hostdevs; i++) {
		const struct hostdev *device = &live->hostdev[i];

		if (device->has_mac && stored->has_mac && mac_address_equal(&device->mac, &stored->mac))
			return device;
	}
	return NULL;
}

/* Return: whether this host has a device at an address, whatever it is. */
static bool has_device(const struct pci_address *address)
{
	char text[PCI_ADDRESS_LEN];

	return sysroot_exists("/sys/bus/pci/devices/%s", pci_address_format(address, text));
}

/* See definition.h. An interface of a pool has no address that could be wrong. */
bool definition_adopt(struct domain *stored, const struct domain *live, bool is_late)
{
	bool changed = false;

	for (size_t i = 0; i < stored->hostdevs; i++) {
		const struct hostdev *device = stored->hostdev[i].has_source ? counterpart(live, &stored->hostdev[i]) : NULL;
		char from[PCI_ADDRESS_LEN], to[PCI_ADDRESS_LEN];

		if (!device || !device->has_source || pci_address_equal(&device->source, &stored->hostdev[i].source) ||
		    (is_late && has_device(&stored->hostdev[i].source)))
			continue;
		pci_address_format(&stored->hostdev[i].source, from);
		if (domain_set_source(stored, i, &device->source))
			continue;
		log_notice("its stored definition named VF %s; it names %s now, which the guest has", from,
			   pci_address_format(&device->source, to));
		changed = true;
	}
	return changed;
}

/* Writes a definition in which something was mended. Return: 0, negative errno. */
static int write_mended(const struct guest_link *guest, const struct domain *stored, struct reason *why)
{
	autofree char *mended = NULL;

	if (domain_print(stored, &mended) < 0)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	return guest_define(guest, mended, why);
}

/* Reads the stored definition and mends it. Return: 0 (also if it has none), negative errno with *why. */
static int mend(const struct guest_link *guest, const struct domain *live, bool is_late, struct reason *why)
{
	autodomain struct domain stored = { 0 };
	autofree char *xml = NULL;
	int error = guest_stored(guest, &xml, why);

	if (error || !xml)
		return error;
	error = domain_parse(xml, strlen(xml), &stored, why);
	return !error && definition_adopt(&stored, live, is_late) ? write_mended(guest, &stored, why) : error;
}

/* See work.h. */
void definition_mend(const struct work *work, struct outcome *outcome)
{
	autodomain struct domain live = { 0 };

	outcome->error = guest_read(&work->link, &live, &outcome->why);
	if (outcome->error)
		return;
	log_context(work->guest.status->name, NULL);
	outcome->error = mend(&work->link, &live, work->intent->how, &outcome->why);
	log_context(NULL, NULL);
}
