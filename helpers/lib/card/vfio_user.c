/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vfio_user.c: which process has a device open by way of VFIO.
 *
 * libvirt's status directory tells which guest has a VF; but it may be lost, and a QEMU may run without libvirt. To unbind a VF that is open
 * is to ask QEMU to unplug it from the running guest, and to wait for that without limit (Linux drivers/vfio/vfio_main.c
 * vfio_unregister_group_dev()). What is open shows in /proc: /dev/vfio/GROUP, or /dev/vfio/devices/vfioN.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/sysroot.h"
#include "card/sriov.h"

/* The two names of a device that a process may have open; "" if there is none. */
struct vfio_names {
	char group[64], device[64];
};

/* Finds both names of a device. */
static void find_names(const char *address, struct vfio_names *names)
{
	autoclosedir DIR *directory = sysroot_opendir("/sys/bus/pci/devices/%s/vfio-dev", address);
	const struct dirent *entry;
	char group[32];

	memset(names, 0, sizeof(*names));
	if (sysroot_link_name(group, sizeof(group), "/sys/bus/pci/devices/%s/iommu_group", address) == 0)
		snprintf(names->group, sizeof(names->group), "/dev/vfio/%s", group);
	while (directory && (entry = readdir(directory))) {
		if (strncmp(entry->d_name, "vfio", 4) == 0)
			snprintf(names->device, sizeof(names->device), "/dev/vfio/devices/%.32s", entry->d_name);
	}
}

/* Whether a process has one of the names open. */
static bool has_open(const char *process, const struct vfio_names *names)
{
	autoclosedir DIR *directory = sysroot_opendir("/proc/%s/fd", process);
	const struct dirent *entry;
	char target[PATH_MAX];

	while (directory && (entry = readdir(directory))) {
		ssize_t length = readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);

		if (length <= 0)
			continue;
		target[length] = '\0';
		if (strcmp(target, names->group) == 0 || strcmp(target, names->device) == 0)
			return true;
	}
	return false;
}

/*
 * Refuses if a process has a device open by way of VFIO.
 * Return: 0; -EBUSY with the process in *why.
 */
int pci_refuse_open(const struct pci_address *device, struct reason *why)
{
	autoclosedir DIR *directory = sysroot_opendir("/proc");
	char address[PCI_ADDRESS_LEN], name[32] = "";
	const struct dirent *entry;
	struct vfio_names names;

	find_names(pci_address_format(device, address), &names);
	while (directory && (entry = readdir(directory))) {
		if (!isdigit((unsigned char)entry->d_name[0]) || !has_open(entry->d_name, &names))
			continue;
		(void)sysroot_read(name, sizeof(name), "/proc/%s/comm", entry->d_name);
		reason_set(why, -EBUSY, address, "process %s (%s) has the VF open, though libvirt knows no guest here that has it", entry->d_name,
			   name);
		reason_cure(why, "end that process if it is not wanted, or free another VF");
		return -EBUSY;
	}
	return 0;
}
