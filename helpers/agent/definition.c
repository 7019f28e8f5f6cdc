/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * definition.c: the stored definition of a guest that has arrived. See definition.h.
 */
#include "agent/definition.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/scope.h"
#include "virt/virt.h"

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

/* See definition.h. An interface of a pool has no address that could be wrong. */
bool definition_adopt(struct domain *stored, const struct domain *live)
{
	bool changed = false;

	for (size_t i = 0; i < stored->hostdevs; i++) {
		const struct hostdev *device = stored->hostdev[i].has_source ? counterpart(live, &stored->hostdev[i]) : NULL;
		char from[PCI_ADDRESS_LEN], to[PCI_ADDRESS_LEN];

		if (!device || !device->has_source || pci_address_equal(&device->source, &stored->hostdev[i].source))
			continue;
		pci_address_format(&stored->hostdev[i].source, from);
		if (domain_set_source(stored, i, &device->source))
			continue;
		log_notice("its stored definition named VF %s of another host; it names %s now", from, pci_address_format(&device->source, to));
		changed = true;
	}
	return changed;
}

/* Reads, mends and writes it. Return: 0, negative errno. */
static int mend(virDomainPtr domain, const char *xml, const struct domain *live, struct reason *why)
{
	autofree struct domain *stored = calloc(1, sizeof(*stored));
	autofree char *mended = NULL;
	int error = stored ? domain_parse(xml, strlen(xml), stored, why) : -ENOMEM;

	if (error)
		return error;
	if (definition_adopt(stored, live) && domain_print(stored, &mended) < 0)
		error = -ENOMEM;
	domain_release(stored);
	return error || !mended ? error : virt_define(virDomainGetConnect(domain), mended, why);
}

/* See definition.h. */
int definition_mend(virDomainPtr domain, const struct domain *live, struct reason *why)
{
	autofree char *xml = NULL;
	int error;

	if (virDomainIsPersistent(domain) != 1)
		return 0;
	error = virt_xml(domain, true, &xml, why);
	return error ? error : mend(domain, xml, live, why);
}
