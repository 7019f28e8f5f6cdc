/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * device_user.c: who has a PCI function beside its netdev.
 *
 * libvirt's status directory tells which guest has a VF; but it may be lost, a QEMU may run without libvirt, and a VF that the host's
 * driver holds may be lent to others: its vDPA device to a guest, its RDMA device to a program, also one of DPDK. To unbind a VF that is
 * open by way of VFIO is to ask QEMU to unplug it from the running guest, and to wait for that without limit (Linux
 * drivers/vfio/vfio_main.c vfio_unregister_group_dev()). What is open shows in /proc: /dev/vfio/GROUP, /dev/vfio/devices/vfioN,
 * /dev/infiniband/uverbsN, /dev/vhost-vdpa-N. Children of an mlx5 function are auxiliary devices, mlx5_core.KIND.NUMBER (Linux
 * mlx5/core/dev.c mlx5_adev_devices).
 */
#include "card/device_user.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/sysroot.h"

#define MAX_FILES 1024

/* A file that a process may have open, and which user that makes. */
struct device_file {
	char path[64];
	size_t user;
};

/* What is looked for in /proc. */
struct search {
	struct device_users *users;
	struct device_file file[MAX_FILES];
	size_t files;
};

/* Notes a user. path: what a process has open that is it, "" nothing. */
static void add(struct search *search, const struct device_user *user, const char *path)
{
	struct device_users *users = search->users;

	if (users->count == users->max)
		return;
	users->user[users->count] = *user;
	if (*path && search->files < MAX_FILES) {
		search->file[search->files].user = users->count;
		snprintf(search->file[search->files++].path, sizeof(search->file[0].path), "%s", path);
	}
	users->count++;
}

/* Notes a file of a device that is used by whoever has it open. */
static void add_file(struct search *search, const struct pci_address *device, const char *kind, const char *path)
{
	struct device_user user = { .device = *device };

	snprintf(user.kind, sizeof(user.kind), "%s", kind);
	snprintf(user.name, sizeof(user.name), "%.47s", path);
	add(search, &user, path);
}

/* Notes what the folder of a device's class has: uverbsN, vfioN. base: of the files in /dev. */
static void add_folder(struct search *search, const struct pci_address *device, const char *folder, const char *kind, const char *base)
{
	char address[PCI_ADDRESS_LEN], path[64];
	autoclosedir DIR *directory = sysroot_opendir("/sys/bus/pci/devices/%s/%s", pci_address_format(device, address), folder);
	const struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "uevent") == 0)
			continue;
		snprintf(path, sizeof(path), "%s%.32s", base, entry->d_name);
		add_file(search, device, kind, path);
	}
}

/*
 * Whether a child of a function, or of an auxiliary device of it, is a vDPA device: it is on their bus. It is called as its maker liked
 * (vdpa dev add name). Where no bus is to be seen, the name that the kernel gives tells.
 */
static bool is_vdpa(const char *address, const char *parent, const char *name)
{
	char bus[16];

	if (sysroot_link_name(bus, sizeof(bus), "/sys/bus/pci/devices/%s/%s/%s/subsystem", address, parent, name) == 0)
		return strcmp(bus, "vdpa") == 0;
	return strncmp(name, "vdpa", 4) == 0;
}

/* Notes a vDPA device; it is opened as /dev/vhost-vdpa-N. */
static void add_vdpa(struct search *search, const struct pci_address *device, const char *parent, const char *name)
{
	char address[PCI_ADDRESS_LEN], path[64] = "";
	autoclosedir DIR *files = sysroot_opendir("/sys/bus/pci/devices/%s/%s/%s", pci_address_format(device, address), parent, name);
	struct device_user user = { .device = *device, .kind = DEVICE_USER_VDPA };
	const struct dirent *entry;

	while (files && (entry = readdir(files))) {
		if (strncmp(entry->d_name, "vhost-vdpa-", 11) == 0)
			snprintf(path, sizeof(path), "/dev/%.40s", entry->d_name);
	}
	snprintf(user.name, sizeof(user.name), "%.47s", name);
	add(search, &user, path);
}

/*
 * Notes the vDPA devices below a function: mlx5 makes them children of the function itself, beside mlx5_core.vnet.N, and of the auxiliary
 * device of a subfunction (Linux drivers/vdpa/mlx5/net/mlx5_vnet.c mlx5v_probe(): mdev->device). parent: "." or an auxiliary device.
 */
static void add_vdpas(struct search *search, const struct pci_address *device, const char *parent)
{
	char address[PCI_ADDRESS_LEN];
	autoclosedir DIR *directory = sysroot_opendir("/sys/bus/pci/devices/%s/%s", pci_address_format(device, address), parent);
	const struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		if ((entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) && is_vdpa(address, parent, entry->d_name))
			add_vdpa(search, device, parent, entry->d_name);
	}
}

/* Whether a child of an mlx5 function is there for itself: nobody need use it. kind: "eth.2", behind "mlx5_core." */
static bool is_plain_child(const char *kind)
{
	static const char *const plain[] = { "eth", "rdma", "eth-rep", "rdma-rep", "multiport", "vnet", "fwctl", "dpll" };
	size_t length = strcspn(kind, ".");

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (strlen(plain[i]) == length && strncmp(kind, plain[i], length) == 0)
			return true;
	}
	return false;
}

/* Notes the auxiliary devices that say that somebody uses a function. */
static void add_children(struct search *search, const struct pci_address *device)
{
	char address[PCI_ADDRESS_LEN];
	autoclosedir DIR *directory = sysroot_opendir("/sys/bus/pci/devices/%s", pci_address_format(device, address));
	const struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		struct device_user user = { .device = *device, .kind = DEVICE_USER_FUNCTION };

		if (strncmp(entry->d_name, "mlx5_core.", 10) != 0)
			continue;
		add_vdpas(search, device, entry->d_name);
		snprintf(user.name, sizeof(user.name), "%.47s", entry->d_name);
		if (!is_plain_child(entry->d_name + 10))
			add(search, &user, "");
	}
}

/* Notes all that sysfs tells of one device. */
static void add_device(struct search *search, const struct pci_address *device)
{
	char address[PCI_ADDRESS_LEN], group[32], path[64];

	if (sysroot_link_name(group, sizeof(group), "/sys/bus/pci/devices/%s/iommu_group", pci_address_format(device, address)) == 0) {
		snprintf(path, sizeof(path), "/dev/vfio/%s", group);
		add_file(search, device, DEVICE_USER_VFIO, path);
	}
	add_folder(search, device, "vfio-dev", DEVICE_USER_VFIO, "/dev/vfio/devices/");
	add_folder(search, device, "infiniband_verbs", DEVICE_USER_RDMA, "/dev/infiniband/");
	add_vdpas(search, device, ".");
	add_children(search, device);
}

/* How a process is called: a QEMU that libvirt started by its guest (-name guest=NAME,…), others by number and command. */
static void name_process(const char *process, char *out, size_t size)
{
	char line[4096], name[32] = "";
	autoclose int fd = sysroot_open(O_RDONLY, 0, "/proc/%s/cmdline", process);
	ssize_t length = fd < 0 ? 0 : read(fd, line, sizeof(line) - 1); /* a QEMU's is longer, and has its name near the beginning */

	line[length > 0 ? length : 0] = '\0';
	(void)sysroot_read(name, sizeof(name), "/proc/%s/comm", process);
	snprintf(out, size, "process %.16s (%.24s)", process, name);
	for (ssize_t i = 0; i < length; i += (ssize_t)strlen(line + i) + 1) {
		if (strncmp(line + i, "guest=", 6) != 0)
			continue;
		snprintf(out, size, "guest %.*s", (int)(strcspn(line + i + 6, ",") < 50 ? strcspn(line + i + 6, ",") : 50), line + i + 6);
		return;
	}
}

/* Notes which of the files a process has open. */
static void look_at_process(struct search *search, const char *process)
{
	autoclosedir DIR *directory = sysroot_opendir("/proc/%s/fd", process);
	const struct dirent *entry;
	char target[PATH_MAX];

	while (directory && (entry = readdir(directory))) {
		ssize_t length = readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);

		if (length <= 5 || strncmp(target, "/dev/", 5) != 0)
			continue;
		target[length] = '\0';
		for (size_t i = 0; i < search->files; i++) {
			struct device_user *user = &search->users->user[search->file[i].user];

			if (!*user->process && strcmp(search->file[i].path, target) == 0)
				name_process(process, user->process, sizeof(user->process));
		}
	}
}

/* Looks at all processes. Return: 0, -EACCES if there is no /proc, or those of others may not be seen. */
static int look_at_processes(struct search *search)
{
	autoclosedir DIR *directory = sysroot_opendir("/proc"), *first = sysroot_opendir("/proc/1/fd");
	const struct dirent *entry;

	if (!first && errno == EACCES)
		return -EACCES;
	while (directory && search->files && (entry = readdir(directory))) {
		if (isdigit((unsigned char)entry->d_name[0]))
			look_at_process(search, entry->d_name);
	}
	return directory ? 0 : -EACCES;
}

/* Leaves out the files that nobody has open. */
static void keep_used(struct device_users *users)
{
	size_t kept = 0;

	for (size_t i = 0; i < users->count; i++) {
		if (*users->user[i].process || users->user[i].name[0] != '/')
			users->user[kept++] = users->user[i];
	}
	users->count = kept;
}

/* Finds who has each of the devices; see the header. */
int device_users_find(const struct pci_address *device, size_t devices, struct device_users *users)
{
	static struct search search; /* too large for a stack; everything here runs in one thread */
	int error;

	search = (struct search){ .users = users };
	users->count = 0;
	for (size_t i = 0; i < devices; i++)
		add_device(&search, &device[i]);
	error = look_at_processes(&search);
	keep_used(users);
	return error;
}

/* Refuses if somebody has a device; see the header. */
int pci_refuse_open(const struct pci_address *device, struct reason *why)
{
	struct device_user user[16];
	struct device_users users = { .user = user, .max = sizeof(user) / sizeof(user[0]) };
	char address[PCI_ADDRESS_LEN];
	int error = device_users_find(device, 1, &users);

	pci_address_format(device, address);
	if (!users.count && error) {
		reason_set(why, error, address, "it cannot be seen whether a process has the VF open: /proc shows no other process");
		reason_cure(why, "let root read /proc/1/fd where this runs, or free another VF");
		return error;
	}
	if (!users.count)
		return 0;
	if (strcmp(user->kind, DEVICE_USER_VFIO) == 0)
		reason_set(why, -EBUSY, address, "%s has the VF open, though libvirt knows no guest here that has it", user->process);
	else
		reason_set(why, -EBUSY, address, "%s%s%s has the VF", *user->process ? user->process : user->name,
			   *user->process ? ", by way of " : "", *user->process ? user->name : "");
	reason_cure(why, "end what is named if it is not wanted, or free another VF");
	return -EBUSY;
}
