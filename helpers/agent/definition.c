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

/* Writes a definition that was read, if anything in it is to be mended. Return: 0, negative errno. */
static int write_mended(virDomainPtr domain, struct domain *stored, const struct domain *live, struct reason *why)
{
	autofree char *mended = NULL;

	if (!definition_adopt(stored, live))
		return 0;
	if (domain_print(stored, &mended) < 0)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	return virt_define(virDomainGetConnect(domain), mended, why);
}

/* Reads, mends and writes it. Return: 0, negative errno. */
static int mend(virDomainPtr domain, const char *xml, const struct domain *live, struct reason *why)
{
	autodomain struct domain stored = { 0 };
	int error = domain_parse(xml, strlen(xml), &stored, why);

	return error ? error : write_mended(domain, &stored, live, why);
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
