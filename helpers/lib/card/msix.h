/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * msix.h: the MSI-X table of a VF.
 *
 * How many entries it has depends on how many VFs the PF has, and on the card's settings (Linux mlx5/core/pci_irq.c
 * mlx5_get_default_msix_vec_count()). QEMU refuses the device state where source and destination differ, at the very end of a migration
 * (hw/pci/pci.c get_pci_config_device()): "Bad config data".
 */
#ifndef VFERRY_CARD_MSIX_H
#define VFERRY_CARD_MSIX_H

#include <stdbool.h>

#include "base/pci_address.h"
#include "base/reason.h"

/* How many entries the table of a device has; 0: it has none, or that cannot be read. */
unsigned int msix_size(const struct pci_address *device);

/* Whether the sizes of the tables of a PF's VFs can be set. */
bool msix_is_dynamic(const struct pci_address *pf);

/* Sets the size of a VF's table. The VF must have no driver (drivers/pci/iov.c sriov_vf_msix_count_store()). May block. */
int msix_set(const struct pci_address *vf, unsigned int size, struct reason *why);

#endif
