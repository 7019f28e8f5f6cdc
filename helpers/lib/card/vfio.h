/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vfio.h: what VFIO says of a device: whether its driver can carry it to another host. For the checker; QEMU asks by itself.
 */
#ifndef VFERRY_CARD_VFIO_H
#define VFERRY_CARD_VFIO_H

#include "base/clock.h"
#include "base/pci_address.h"
#include "base/reason.h"

#define VFIO_DRIVER "mlx5_vfio_pci" /* what libvirt binds a migratable VF to */

enum vfio_migration { /* VFIO_MIGRATION_* of Linux include/uapi/linux/vfio.h */
	VFIO_STOP_COPY = 1,
	VFIO_P2P = 2,
	VFIO_PRE_COPY = 4,
};

/*
 * Asks for VFIO_DEVICE_FEATURE_MIGRATION. Opens the device, which resets it: only for a VF that a VFIO driver holds and that nobody has
 * or is about to get. Whoever opens its group meanwhile is told it is busy, so the caller holds the host's lock.
 * Return: the flags; 0 if the driver cannot migrate it; -EBUSY if somebody has it open; other negative errno with *why.
 */
int vfio_ask_migration(const struct pci_address *device, deadline_t deadline, struct reason *why);

#endif
