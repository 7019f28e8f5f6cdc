/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sriov.h: PFs, VFs and their drivers in sysfs.
 *
 * The writes block while a driver works, and sriov_numvfs also when it is read while another process writes it (drivers/pci/iov.c
 * takes the device lock): all functions that say so belong in a guard_call().
 */
#ifndef VFERRY_CARD_SRIOV_H
#define VFERRY_CARD_SRIOV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/pci_address.h"
#include "base/reason.h"

/* What sysfs says of a PF without blocking but for num_vfs. */
struct sriov_pf {
	unsigned int total_vfs, offset, stride;
	unsigned int num_vfs;
	bool autoprobe;
	int numa_node;
};

/* All but num_vfs (left 0): never blocks. -ENOENT: not a PF that can have VFs. */
int sriov_read_static(const struct pci_address *pf, struct sriov_pf *out, struct reason *why);

/* May block (reads sriov_numvfs). -ENOENT: not a PF that can have VFs. */
int sriov_read(const struct pci_address *pf, struct sriov_pf *out, struct reason *why);

/* The address of VF number index as sysfs links it (virtfnN). -ENOENT if there is none. */
int sriov_vf_address(const struct pci_address *pf, unsigned int index, struct pci_address *vf);

/* Both block. sriov_set_num: never 0 while a VF has a driver (vfio waits for its user without limit). */
int sriov_set_num(const struct pci_address *pf, unsigned int vfs, struct reason *why);
int sriov_set_autoprobe(const struct pci_address *pf, bool on, struct reason *why);

/* The explaining half of sriov_set_num(), for tests: fills *why by what the kernel answered. Return: error. */
int sriov_explain_number(int error, const struct pci_address *pf, unsigned int vfs, struct reason *why);

/* The driver of a device: "" if none. */
int pci_driver(const struct pci_address *device, char *name, size_t size);

/* Number of devices in its IOMMU group, 0 if it has no group. */
unsigned int pci_group_members(const struct pci_address *device);

/* Whether modules.alias has a "vfio_pci:" alias for network functions of these ids. */
bool pci_has_variant_driver(unsigned int vendor, unsigned int device);

/* The matching half of it, for tests and fuzzing: the best alias in the text of modules.alias. */
bool pci_match_alias(const char *aliases, const char *alias, char *name, size_t size);

/* Block. Bind with driver_override and drivers_probe (module loaded if need be); unbind and clear driver_override. */
int pci_bind(const struct pci_address *device, const char *driver, struct reason *why);
int pci_unbind(const struct pci_address *device, struct reason *why);

#endif
