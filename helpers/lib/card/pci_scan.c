/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pci_scan.c: the PFs of known cards, found by libpci.
 *
 * The number of VFs is read from the SR-IOV capability rather than from sriov_numvfs: a read of that file waits while another process makes
 * or removes VFs, a read of configuration space does not.
 *
 * libpci ends the program when something is wrong, unless its error function does not return: ours jumps back.
 */
#include "card/pci_scan.h"

#include <errno.h>
#include <limits.h>
#include <pci/pci.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sysroot.h"

/* PCI Express SR-IOV 1.1, 3.3: the capability's registers; libpci's own names for them differ between releases. */
#define SRIOV_CAPABILITY 0x10
#define SRIOV_CONTROL 0x08
#define SRIOV_CONTROL_ENABLE 0x1
#define SRIOV_NUM_VFS 0x10
#define SRIOV_OFFSET 0x14
#define SRIOV_STRIDE 0x16
#define SRIOV_VF_DEVICE 0x1a

static jmp_buf libpci_failed;
static char libpci_words[256];

/* libpci's error function: must not return. */
__attribute__((format(printf, 1, 2), noreturn))
static void on_error(char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(libpci_words, sizeof(libpci_words), format, args);
	va_end(args);
	longjmp(libpci_failed, 1);
}

/* libpci's warning and debug function: the library never prints. */
__attribute__((format(printf, 1, 2)))
static void on_warning(char *format, ...)
{
	(void)format;
}

/* Reads the SR-IOV capability of a PF, if it can be seen: that needs root, and SR-IOV switched on in the card. */
static void read_capability(struct pci_dev *device, struct pci_pf *pf)
{
	const struct pci_cap *cap;

	pci_fill_info(device, PCI_FILL_CAPS | PCI_FILL_EXT_CAPS);
	cap = pci_find_cap(device, SRIOV_CAPABILITY, PCI_CAP_EXTENDED);
	if (!cap)
		return;
	pf->has_sriov = true;
	pf->offset = pci_read_word(device, (int)cap->addr + SRIOV_OFFSET);
	pf->stride = pci_read_word(device, (int)cap->addr + SRIOV_STRIDE);
	pf->vf_device = pci_read_word(device, (int)cap->addr + SRIOV_VF_DEVICE);
	if (pci_read_word(device, (int)cap->addr + SRIOV_CONTROL) & SRIOV_CONTROL_ENABLE)
		pf->num_vfs = pci_read_word(device, (int)cap->addr + SRIOV_NUM_VFS);
}

/* A device of the bus. */
struct listed {
	struct pci_address address;
	struct pci_dev *device;
};

/* Orders devices by address, for qsort(3). */
static int compare_devices(const void *a, const void *b)
{
	return pci_address_compare(&((const struct listed *)a)->address, &((const struct listed *)b)->address);
}

/*
 * Lists the devices by address, so that a PF comes before its VFs: their numbers are above its own (PCI Express SR-IOV 1.1, 3.3.9).
 * list: to be freed; NULL without memory. Return: how many.
 */
static size_t list_devices(const struct pci_access *access, struct listed **list)
{
	size_t count = 0;

	for (const struct pci_dev *device = access->devices; device; device = device->next)
		count++;
	*list = calloc(count + 1, sizeof(**list));
	count = 0;
	for (struct pci_dev *device = access->devices; *list && device; device = device->next)
		(*list)[count++] = (struct listed){ { (uint32_t)device->domain, device->bus, device->dev, device->func }, device };
	if (count)
		qsort(*list, count, sizeof(**list), compare_devices);
	return count;
}

/* The number of a device in its domain. */
static unsigned int number_of(const struct pci_address *address)
{
	return (unsigned int)address->bus << 8 | (unsigned int)address->slot << 3 | address->function;
}

/* Whether a device is a VF of one of the PFs, by its number: what it is need not be read then. A host has hundreds of them. */
static bool is_vf(const struct pci_pf *pfs, size_t count, const struct pci_address *device)
{
	for (size_t i = 0; i < count; i++) {
		const struct pci_pf *pf = &pfs[i];
		unsigned int first = number_of(&pf->address) + pf->offset, number = number_of(device), stride = pf->stride ? pf->stride : 1;

		if (pf->num_vfs && pf->offset && device->domain == pf->address.domain && number >= first && (number - first) % stride == 0 &&
		    (number - first) / stride < pf->num_vfs)
			return true;
	}
	return false;
}

/*
 * The walk of pci_scan(), which ends early by longjmp() when libpci fails.
 * list: receives what it walks along, to be freed; count: how many PFs were found. Return: 0, -ENOMEM.
 */
static int walk(struct pci_access *access, struct listed **list, struct pci_pf *pfs, size_t max, size_t *count)
{
	size_t listed, found = 0;

	pci_init(access);
	pci_scan_bus(access);
	listed = list_devices(access, list);
	for (size_t i = 0; i < listed && found < max; i++) {
		struct pci_dev *device = (*list)[i].device;
		const struct card *card;

		if (is_vf(pfs, found, &(*list)[i].address))
			continue;
		pci_fill_info(device, PCI_FILL_IDENT);
		card = card_find(device->vendor_id, device->device_id);
		if (!card)
			continue;
		pfs[found] = (struct pci_pf){ .address = (*list)[i].address, .card = card };
		read_capability(device, &pfs[found++]);
	}
	*count = found;
	return *list ? 0 : -ENOMEM;
}

/*
 * Finds the PFs of known cards.
 * pfs: room for max of them; more are left out. Return: 0 with *count; -EIO with libpci's words in *why.
 */
int pci_scan(struct pci_pf *pfs, size_t max, size_t *count, struct reason *why)
{
	static char parameter[] = "sysfs.path"; /* libpci's prototypes lack const */
	char path[PATH_MAX];
	static struct listed *list; /* what is no local variable keeps its value when libpci jumps */
	struct pci_access *access;
	int error;

	if (sysroot_path(path, sizeof(path), "/sys/bus/pci") < 0 || !sysroot_exists("/sys/bus/pci/devices"))
		return reason_set(why, -ENODEV, "PCI", "this machine has no PCI bus (no /sys/bus/pci/devices)");
	list = NULL;
	access = pci_alloc();
	access->error = on_error;
	access->warning = on_warning;
	access->debug = on_warning;
	access->method = PCI_ACCESS_SYS_BUS_PCI;
	pci_set_param(access, parameter, path);
	if (setjmp(libpci_failed)) {
		free(list);
		pci_cleanup(access);
		return reason_set(why, -EIO, "PCI", "the PCI devices cannot be read: %s", libpci_words);
	}
	error = walk(access, &list, pfs, max, count);
	free(list);
	pci_cleanup(access);
	return error ? reason_set(why, error, "PCI", "out of memory") : 0;
}
