/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * device_user.h: who has a PCI function beside its netdev: vDPA devices, subfunctions, processes that have it open.
 */
#ifndef VFERRY_CARD_DEVICE_USER_H
#define VFERRY_CARD_DEVICE_USER_H

#include <stddef.h>

#include "base/pci_address.h"
#include "base/reason.h"

#define DEVICE_USER_VDPA "vdpa"
#define DEVICE_USER_VFIO "vfio"
#define DEVICE_USER_RDMA "rdma"
#define DEVICE_USER_FUNCTION "function" /* a subfunction, or a child of a kind that vferry does not know */

struct device_user {
	struct pci_address device;
	char kind[12];
	char name[48];    /* "vdpa0", "/dev/infiniband/uverbs2", "mlx5_core.sf.4" */
	char process[64]; /* that has it open: "process 4711 (testpmd)", "guest vdpa1"; "" nobody (vDPA and functions only) */
};

/* Those of some functions. */
struct device_users {
	struct device_user *user;
	size_t count, max;
};

/*
 * Finds who has each of the devices, by sysfs and by what the processes of this host have open in /proc. users: *user has room for max.
 * Return: 0; -EACCES if the processes may not be looked at: then more may be in use than is told.
 */
int device_users_find(const struct pci_address *device, size_t devices, struct device_users *users);

/*
 * Refuses if somebody has a device: to unbind it would wait for him, or take it from him.
 * Return: 0; -EBUSY with the user in *why; -EACCES with *why if it cannot be seen: the processes may not be looked at.
 */
int pci_refuse_open(const struct pci_address *device, struct reason *why);

#endif
