// SPDX-License-Identifier: LGPL-2.1-or-later
/* pci.c - PCI configuration space by ports 0xcf8 and 0xcfc; buses and BARs as the firmware numbered them */
#include "guest.h"

#define CONFIG_ADDRESS		0xcf8
#define CONFIG_DATA		0xcfc
#define HEADER_TYPE		0x0e
#define HEADER_BRIDGE		0x01
#define HEADER_MULTIFUNCTION	0x80
#define SECONDARY_BUS		0x19
#define STATUS			0x06
#define STATUS_CAP_LIST		0x10
#define BAR_IO			0x1u
#define BAR_64BIT		0x4u

/**
 * select() - choose the word that CONFIG_DATA shows
 * @f:		function
 * @offset:	byte offset in its configuration space
 */
static void select(const struct pci_function *f, unsigned int offset)
{
	outl(CONFIG_ADDRESS, 0x80000000u | (uint32_t)f->bus << 16 | (uint32_t)f->devfn << 8 | (offset & 0xfc));
}

/**
 * pci_read32() - read four bytes of configuration space
 * @f:		function
 * @offset:	multiple of 4
 *
 * Return: the value
 */
uint32_t pci_read32(const struct pci_function *f, unsigned int offset)
{
	select(f, offset);
	return inl(CONFIG_DATA);
}

/**
 * pci_read16() - read two bytes of configuration space
 * @f:		function
 * @offset:	multiple of 2
 *
 * Return: the value
 */
uint16_t pci_read16(const struct pci_function *f, unsigned int offset)
{
	return (uint16_t)(pci_read32(f, offset) >> 8 * (offset & 2));
}

/**
 * pci_read8() - read a byte of configuration space
 * @f:		function
 * @offset:	byte offset
 *
 * Return: the value
 */
uint8_t pci_read8(const struct pci_function *f, unsigned int offset)
{
	return (uint8_t)(pci_read32(f, offset) >> 8 * (offset & 3));
}

/**
 * pci_write16() - write two bytes of configuration space
 * @f:		function
 * @offset:	multiple of 2
 * @value:	what to write
 */
void pci_write16(const struct pci_function *f, unsigned int offset, uint16_t value)
{
	select(f, offset);
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"((uint16_t)(CONFIG_DATA + (offset & 2))));
}

/**
 * pci_next_capability() - walk the list of capabilities
 * @f:		function
 * @at:		offset of a capability, 0 to get the first
 *
 * Return: offset of the next capability, 0 at the end
 */
uint8_t pci_next_capability(const struct pci_function *f, uint8_t at)
{
	if (at)
		return pci_read8(f, at + 1u) & 0xfc;
	if (!(pci_read16(f, STATUS) & STATUS_CAP_LIST))
		return 0;
	return pci_read8(f, PCI_CAPABILITY_LIST) & 0xfc;
}

/**
 * pci_bar_address() - where the firmware put a memory BAR
 * @f:		function
 * @bar:	0 to 5
 *
 * Return: physical address, 0 if the BAR is not set or not memory
 */
uint64_t pci_bar_address(const struct pci_function *f, unsigned int bar)
{
	uint32_t low;
	uint64_t high = 0;

	if (bar > 5)
		return 0;
	low = pci_read32(f, 0x10 + 4 * bar);
	if (low & BAR_IO)
		return 0;
	if (low & BAR_64BIT && bar < 5)
		high = pci_read32(f, 0x14 + 4 * bar);
	return high << 32 | (low & ~0xfu);
}

/**
 * walk_bus() - visit a bus and the buses below it
 * @bus:	bus number
 * @visit:	called for every function
 * @context:	given to @visit
 */
static void walk_bus(uint8_t bus, void (*visit)(const struct pci_function *f, void *context), void *context)
{
	struct pci_function f = { .bus = bus };
	unsigned int devfn;
	uint8_t type = 0, below;

	for (devfn = 0; devfn < 256; devfn++) {
		f.devfn = (uint8_t)devfn;
		if (devfn & 7 && !(type & HEADER_MULTIFUNCTION))
			continue;
		f.vendor = pci_read16(&f, PCI_VENDOR_ID);
		if (!(devfn & 7))
			type = f.vendor == 0xffff ? 0 : pci_read8(&f, HEADER_TYPE);
		if (f.vendor == 0xffff)
			continue;
		f.device = pci_read16(&f, PCI_DEVICE_ID);
		visit(&f, context);
		if ((pci_read8(&f, HEADER_TYPE) & 0x7f) != HEADER_BRIDGE)
			continue;
		below = pci_read8(&f, SECONDARY_BUS);
		if (below > bus)
			walk_bus(below, visit, context);
	}
}

/**
 * pci_walk() - visit every function, in the order of bus 0 and depth first
 * @visit:	called for each
 * @context:	given to @visit
 */
void pci_walk(void (*visit)(const struct pci_function *f, void *context), void *context)
{
	walk_bus(0, visit, context);
}
