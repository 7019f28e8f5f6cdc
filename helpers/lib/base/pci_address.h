/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pci_address.h: PCI addresses as the kernel and libvirt write them.
 */
#ifndef VFERRY_BASE_PCI_ADDRESS_H
#define VFERRY_BASE_PCI_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#define PCI_ADDRESS_LEN 16 /* "ffffffff:ff:1f.7" would not fit, "0000:81:00.1" and domains of up to 5 hex digits do */

struct pci_address {
	uint32_t domain; /* 0 to 0xfffff */
	uint8_t bus;
	uint8_t slot;     /* 0 to 0x1f */
	uint8_t function; /* 0 to 7 */
};

/* Parses "0000:81:00.1" exactly, nothing before or after. Return: 0, -EINVAL; *out untouched on failure. */
int pci_address_parse(const char *text, struct pci_address *out);

/* Writes "0000:81:00.1". Returns out. */
char *pci_address_format(const struct pci_address *address, char out[PCI_ADDRESS_LEN]);

bool pci_address_equal(const struct pci_address *a, const struct pci_address *b);

/* Whether two are functions of one device: ports of one card. What happens to one may take the other's carrier away. */
bool pci_address_is_sibling(const struct pci_address *a, const struct pci_address *b);

/* Orders by domain, bus, slot, function, as memcmp(3) does. */
int pci_address_compare(const struct pci_address *a, const struct pci_address *b);

/*
 * The address of VF number index of a PF, by SR-IOV arithmetic: routing id of the PF + offset + stride * index, which may reach
 * into the next bus (PCI Express SR-IOV 1.1, 2.1.2; Linux drivers/pci/iov.c pci_iov_virtfn_bus/devfn).
 * Return: 0, -ERANGE if it would leave the domain.
 */
int pci_address_vf(const struct pci_address *pf, unsigned int offset, unsigned int stride, unsigned int index, struct pci_address *out);

#endif
