/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pci_address.c: PCI addresses. See pci_address.h.
 */
#include "base/pci_address.h"

#include <errno.h>
#include <stdio.h>

#define DOMAIN_MAX 0xfffffu

/*
 * Takes hexadecimal digits from *text and moves it behind them.
 * min, max: how many digits there must and may be.
 * Return: their value, or -1 if there are fewer. With max <= 5 the value fits.
 */
static long take_hex(const char **text, int min, int max)
{
	long value = 0;
	int digits = 0;

	for (; digits < max; digits++, (*text)++) {
		char c = **text;

		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value = value * 16 + (c - 'A' + 10);
		else
			break;
	}
	return digits >= min ? value : -1;
}

/*
 * Return: whether *text starts with separator; if so it is moved behind it.
 */
static bool take_char(const char **text, char separator)
{
	if (**text != separator)
		return false;
	(*text)++;
	return true;
}

/*
 * text: DDDD:BB:SS.F in hexadecimal, the domain with four or five digits ("%04x" in the kernel's pci_setup_device()); NULL is refused.
 * Return: 0, -EINVAL.
 */
int pci_address_parse(const char *text, struct pci_address *out)
{
	long domain, bus, slot, function;

	if (!text)
		return -EINVAL;
	domain = take_hex(&text, 4, 5);
	if (domain < 0 || !take_char(&text, ':'))
		return -EINVAL;
	bus = take_hex(&text, 2, 2);
	if (bus < 0 || !take_char(&text, ':'))
		return -EINVAL;
	slot = take_hex(&text, 2, 2);
	if (slot < 0 || slot > 0x1f || !take_char(&text, '.'))
		return -EINVAL;
	function = take_hex(&text, 1, 1);
	if (function < 0 || function > 7 || *text)
		return -EINVAL;
	*out = (struct pci_address){(uint32_t)domain, (uint8_t)bus, (uint8_t)slot, (uint8_t)function};
	return 0;
}

/*
 * Return: out, filled as the kernel writes it (a domain above 0xfffff, which pci_address_parse() never makes, loses its high digits).
 */
char *pci_address_format(const struct pci_address *address, char out[PCI_ADDRESS_LEN])
{
	snprintf(out, PCI_ADDRESS_LEN, "%04x:%02x:%02x.%x", address->domain & DOMAIN_MAX, address->bus, address->slot & 0x1fu,
		 address->function & 7u);
	return out;
}

/* Return: whether both name the same function. */
bool pci_address_equal(const struct pci_address *a, const struct pci_address *b)
{
	return pci_address_compare(a, b) == 0;
}

/* Whether two are functions of one device; see the header. */
bool pci_address_is_sibling(const struct pci_address *a, const struct pci_address *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->slot == b->slot && a->function != b->function;
}

/* Return: the address as one number that sorts by domain, bus, slot, function. */
static uint64_t sort_key(const struct pci_address *address)
{
	return (uint64_t)address->domain << 24 | (uint64_t)address->bus << 16 | (uint64_t)address->slot << 8 | address->function;
}

/* Return: below, equal to or above 0 as a sorts before, with or behind b. */
int pci_address_compare(const struct pci_address *a, const struct pci_address *b)
{
	uint64_t left = sort_key(a), right = sort_key(b);

	return (left > right) - (left < right);
}

/*
 * pf: the physical function; offset, stride: from its SR-IOV capability (sysfs sriov_offset, sriov_stride); index: from 0.
 * Return: 0, -ERANGE if the routing id leaves the 16 bits of bus, slot and function (linux drivers/pci/iov.c pci_iov_virtfn_bus(),
 * pci_iov_virtfn_devfn() do the same sum).
 */
int pci_address_vf(const struct pci_address *pf, unsigned int offset, unsigned int stride, unsigned int index, struct pci_address *out)
{
	uint64_t id = (uint64_t)pf->bus << 8 | (uint64_t)pf->slot << 3 | pf->function;

	id += offset + (uint64_t)stride * index;
	if (id > 0xffff)
		return -ERANGE;
	*out = (struct pci_address){pf->domain, (uint8_t)(id >> 8), (uint8_t)(id >> 3 & 0x1f), (uint8_t)(id & 7)};
	return 0;
}
