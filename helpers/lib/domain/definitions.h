/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * definitions.h: which PCI devices the guests are defined with that libvirt knows here, shut off or not: /etc/libvirt/qemu/NAME.xml.
 *
 * Private to libvirt as the status directory is, and read for the same reason. An address in there is no claim: it is a wish for the day on
 * which that guest starts.
 */
#ifndef VFERRY_DOMAIN_DEFINITIONS_H
#define VFERRY_DOMAIN_DEFINITIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/pci_address.h"
#include "domain/domain.h"

#define DEFINITIONS_DIRECTORY "/etc/libvirt/qemu"

/* One address in one definition. */
struct definition {
	char uuid[DOMAIN_UUID_LEN];
	char name[DOMAIN_NAME_MAX]; /* as given; clean before showing */
	struct pci_address device;
};

/* Zeroed: none. */
struct definition_list {
	struct definition *definition;
	size_t count;
};

/* Reads the directory; what cannot be read or does not parse is passed over: it is a preference, no more. Return: 0, -ENOMEM. */
int definitions_read(struct definition_list *list);

void definitions_release(struct definition_list *list);

/* The first definition with a device, but not that of the guest with a uuid (NULL: of any); NULL if there is none. */
const struct definition *definitions_find(const struct definition_list *list, const struct pci_address *device, const char *uuid);

#endif
