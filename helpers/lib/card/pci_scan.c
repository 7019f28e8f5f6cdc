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

/* Orders PFs by address, for qsort(3). */
static int compare(const void *a, const void *b)
{
	return pci_address_compare(&((const struct pci_pf *)a)->address, &((const struct pci_pf *)b)->address);
}

/* The walk of pci_scan(), which ends early by longjmp() when libpci fails. Return: how many PFs were found. */
static size_t walk(struct pci_access *access, struct pci_pf *pfs, size_t max)
{
	size_t found = 0;

	pci_init(access);
	pci_scan_bus(access);
	for (struct pci_dev *device = access->devices; device && found < max; device = device->next) {
		const struct card *card;

		pci_fill_info(device, PCI_FILL_IDENT);
		card = card_find(device->vendor_id, device->device_id);
		if (!card)
			continue;
		pfs[found] = (struct pci_pf){
			.address = { (uint32_t)device->domain, device->bus, device->dev, device->func },
			.card = card,
		};
		read_capability(device, &pfs[found++]);
	}
	return found;
}

/*
 * Finds the PFs of known cards.
 * pfs: room for max of them; more are left out. Return: 0 with *count; -EIO with libpci's words in *why.
 */
int pci_scan(struct pci_pf *pfs, size_t max, size_t *count, struct reason *why)
{
	static char parameter[] = "sysfs.path"; /* libpci's prototypes lack const */
	char path[PATH_MAX];
	struct pci_access *access;
	size_t found;

	if (sysroot_path(path, sizeof(path), "/sys/bus/pci") < 0 || !sysroot_exists("/sys/bus/pci/devices"))
		return reason_set(why, -ENODEV, "PCI", "this machine has no PCI bus (no /sys/bus/pci/devices)");
	access = pci_alloc();
	access->error = on_error;
	access->warning = on_warning;
	access->debug = on_warning;
	access->method = PCI_ACCESS_SYS_BUS_PCI;
	pci_set_param(access, parameter, path);
	if (setjmp(libpci_failed)) {
		pci_cleanup(access);
		return reason_set(why, -EIO, "PCI", "the PCI devices cannot be read: %s", libpci_words);
	}
	found = walk(access, pfs, max);
	pci_cleanup(access);
	qsort(pfs, found, sizeof(*pfs), compare);
	*count = found;
	return 0;
}
