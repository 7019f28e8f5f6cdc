/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vfio.c: the migration feature of a VFIO device, by group and container: what every kernel with VFIO migration has.
 */
#include "card/vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/scope.h"
#include "base/guard.h"
#include "base/sysroot.h"

#define FEATURE_MIGRATION 1 /* VFIO_DEVICE_FEATURE_MIGRATION, Linux 5.18 */

/* A feature's head with the answer behind it (struct vfio_device_feature, struct vfio_device_feature_migration). */
struct question {
	struct vfio_device_feature head;
	uint64_t flags;
};
_Static_assert(sizeof(struct question) == sizeof(struct vfio_device_feature) + sizeof(uint64_t), "the answer follows its head");

/* Says what did not work. Return: negative errno. */
static int fail(struct reason *why, const char *address, const char *what)
{
	int error = -errno;

	return reason_set(why, error, address, "VFIO cannot %s: %s", what, strerror(-error));
}

/* Opens the group of a device in a container. Return: descriptor of the group, negative errno with *why filled. */
static int open_group(const char *address, int container, struct reason *why)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	autoclose int group = -1;
	char number[32];
	int error = sysroot_link_name(number, sizeof(number), "/sys/bus/pci/devices/%s/iommu_group", address);

	if (error)
		return reason_set(why, error, address, "it is in no IOMMU group");
	group = sysroot_open(O_RDWR, 0, "/dev/vfio/%s", number);
	if (group < 0)
		return reason_set(why, group, address, "its VFIO group %s cannot be opened: %s", number, strerror(-group));
	if (ioctl(group, VFIO_GROUP_GET_STATUS, &status) || !(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return reason_set(why, -EBUSY, address, "its VFIO group %s has other devices that are in use", number);
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container))
		return fail(why, address, "use its group");
	if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return fail(why, address, "use the IOMMU");
	return scope_take_fd(&group);
}

/* In a guarded child. arg: the address as text. Return: flags, negative errno with *why filled. */
static int ask(void *arg, struct reason *why)
{
	const char *address = arg;
	struct question question = { .head = { .argsz = sizeof(question), .flags = VFIO_DEVICE_FEATURE_GET | FEATURE_MIGRATION } };
	autoclose int container = sysroot_open(O_RDWR, 0, "/dev/vfio/vfio"), group = -1, device = -1;

	if (container < 0)
		return reason_set(why, container, address, "/dev/vfio/vfio cannot be opened: %s", strerror(-container));
	group = open_group(address, container, why);
	if (group < 0)
		return group;
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, address);
	if (device < 0)
		return fail(why, address, "open the device");
	if (ioctl(device, VFIO_DEVICE_FEATURE, &question) == 0)
		return (int)(question.flags & 0xff);
	return errno == ENOTTY || errno == EINVAL ? 0 : fail(why, address, "tell its features");
}

/*
 * device: held by a VFIO driver. Return: flags, 0, -EBUSY, other negative errno; see the header.
 */
int vfio_ask_migration(const struct pci_address *device, deadline_t deadline, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];

	return guard_call(ask, pci_address_format(device, address), "the question for VFIO's migration feature", deadline, why);
}
