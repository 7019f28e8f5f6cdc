/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * msix.c: the MSI-X table of a VF. See msix.h.
 */
#include "card/msix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/sysroot.h"

/* PCI Local Bus Specification 3.0, 6.7 and 6.8.2 */
#define STATUS 0x06
#define STATUS_HAS_LIST 0x10
#define LIST 0x34
#define MSIX 0x11
#define MSIX_CONTROL 2
#define MSIX_SIZE 0x7ff
#define MAX_CAPABILITIES 48

/* Reads the table's size; see the header. */
unsigned int msix_size(const struct pci_address *device)
{
	char address[PCI_ADDRESS_LEN];
	autoclose int fd = sysroot_open(O_RDONLY, 0, "/sys/bus/pci/devices/%s/config", pci_address_format(device, address));
	uint8_t config[256];
	ssize_t size = fd < 0 ? -1 : pread(fd, config, sizeof(config), 0); /* who is not root gets 64 bytes */
	unsigned int at;

	if (size <= LIST || !(config[STATUS] & STATUS_HAS_LIST))
		return 0;
	at = config[LIST] & ~3u;
	for (unsigned int i = 0; at && at + MSIX_CONTROL + 1 < (size_t)size && i < MAX_CAPABILITIES; i++) {
		if (config[at] == MSIX)
			return ((config[at + MSIX_CONTROL] | config[at + MSIX_CONTROL + 1] << 8) & MSIX_SIZE) + 1u;
		at = config[at + 1] & ~3u;
	}
	return 0;
}

/* Whether the sizes can be changed; see the header. */
bool msix_is_dynamic(const struct pci_address *pf)
{
	char address[PCI_ADDRESS_LEN];
	unsigned long total = 0;

	return sysroot_read_number(&total, "/sys/bus/pci/devices/%s/sriov_vf_total_msix", pci_address_format(pf, address)) == 0 && total;
}

/* Sets the size; see the header. */
int msix_set(const struct pci_address *vf, unsigned int size, struct reason *why)
{
	char address[PCI_ADDRESS_LEN], text[16];
	int error;

	snprintf(text, sizeof(text), "%u", size);
	error = sysroot_write(text, "/sys/bus/pci/devices/%s/sriov_vf_msix_count", pci_address_format(vf, address));
	if (!error)
		return 0;
	reason_set(why, error, address, "the VF cannot get an MSI-X table of %u entries, as the guest has it: %s", size, strerror(-error));
	reason_cure(why, "let both hosts have the same number of VFs, or the same MSI-X settings (mstconfig)");
	return error;
}
