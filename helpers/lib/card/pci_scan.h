/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pci_scan.h: the PFs of known cards, found by libpci. Private to the inventory.
 */
#ifndef VFERRY_CARD_PCI_SCAN_H
#define VFERRY_CARD_PCI_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pci_address.h"
#include "base/reason.h"
#include "card/card.h"

struct pci_pf {
	struct pci_address address;
	const struct card *card;
	bool has_sriov;              /* its SR-IOV capability could be read (root, and switched on in the firmware) */
	unsigned int num_vfs;        /* VFs that are switched on, by the capability's NumVFs and VF Enable */
	unsigned int offset, stride;
	uint16_t vf_device;          /* PCI device id of its VFs, 0 unknown */
};

/* Finds up to max PFs, ordered by address. Takes no lock of a driver: it reads configuration space only. */
int pci_scan(struct pci_pf *pfs, size_t max, size_t *count, struct reason *why);

#endif
