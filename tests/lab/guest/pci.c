// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * pci.c - PCI configuration space by ports 0xcf8 and 0xcfc
 *
 * Buses and BARs are as the firmware numbered them. What is plugged in later has no addresses yet: pci_place_bar() gives
 * it some from a range far above RAM and opens the bridge for them.
 */
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
#define BAR_KIND		0xfu
#define COMMAND_MEMORY		0x0002
#define COMMAND_MASTER		0x0004
#define BRIDGE_PREFETCH		0x24	/* base and limit, in units of 1 MiB, 16 bits each */
#define BRIDGE_PREFETCH_BASE	0x28	/* upper 32 bits */
#define BRIDGE_PREFETCH_LIMIT	0x2c
#define CAP_ID_PCIE		0x10
#define PCIE_TYPE_ROOT_PORT	4
#define PCIE_TYPE_DOWNSTREAM	6
#define PLACE_START		(1ull << 35)
#define PLACE_LEAST		(1ull << 20)	/* what a bridge can tell apart */

static uint64_t place_next = PLACE_START;

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
 * pci_write32() - write four bytes of configuration space
 * @f:		function
 * @offset:	multiple of 4
 * @value:	what to write
 */
void pci_write32(const struct pci_function *f, unsigned int offset, uint32_t value)
{
	select(f, offset);
	outl(CONFIG_DATA, value);
}

/**
 * pci_is_there() - whether a function answers
 * @f:		function
 *
 * Return: false if there is none at its address
 */
bool pci_is_there(const struct pci_function *f)
{
	return pci_read16(f, PCI_VENDOR_ID) != 0xffff;
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
 * bar_size() - how much address space a 64-bit BAR wants
 * @f:		function that does not decode memory
 * @offset:	offset of the BAR; it is left with all address bits set
 *
 * Return: bytes, a power of two; 0 if it wants none
 */
static uint64_t bar_size(const struct pci_function *f, unsigned int offset)
{
	uint64_t bits;

	pci_write32(f, offset, UINT32_MAX);
	pci_write32(f, offset + 4, UINT32_MAX);
	bits = (uint64_t)pci_read32(f, offset + 4) << 32 | (pci_read32(f, offset) & ~BAR_KIND);
	return ~bits + 1;
}

/**
 * open_bridge() - let a bridge pass a range of prefetchable memory, and nothing else of that kind
 * @f:		the only function behind it that has such memory
 * @start:	first byte, a multiple of 1 MiB
 * @size:	bytes, a multiple of 1 MiB
 */
static void open_bridge(const struct pci_function *f, uint64_t start, uint64_t size)
{
	struct pci_function bridge = { .devfn = f->bridge };
	uint64_t last = start + size - 1;

	pci_write32(&bridge, BRIDGE_PREFETCH_BASE, (uint32_t)(start >> 32));
	pci_write32(&bridge, BRIDGE_PREFETCH_LIMIT, (uint32_t)(last >> 32));
	pci_write32(&bridge, BRIDGE_PREFETCH, ((uint32_t)last & 0xfff00000) | ((uint32_t)start & 0xfff00000) >> 16);
	pci_write16(&bridge, PCI_COMMAND, pci_read16(&bridge, PCI_COMMAND) | COMMAND_MEMORY | COMMAND_MASTER);
}

/**
 * pci_place_bar() - give a 64-bit BAR that has no address one
 * @f:		function on bus 0, or alone behind a bridge of bus 0; it does not decode memory yet
 * @bar:	0 to 4
 *
 * Return: physical address, 0 if it cannot be done
 */
uint64_t pci_place_bar(const struct pci_function *f, unsigned int bar)
{
	unsigned int offset = 0x10 + 4 * bar;
	uint64_t size, address;

	if (bar > 4 || f->depth > 1 || (pci_read32(f, offset) & (BAR_64BIT | BAR_IO)) != BAR_64BIT)
		return 0;
	size = bar_size(f, offset);
	if (!size)
		return 0;
	size = size < PLACE_LEAST ? PLACE_LEAST : size;
	address = (place_next + size - 1) & ~(size - 1);
	place_next = address + size;
	pci_write32(f, offset, (uint32_t)address);
	pci_write32(f, offset + 4, (uint32_t)(address >> 32));
	if (f->depth)
		open_bridge(f, address, size);
	return address;
}

/**
 * devices_below() - how many devices can be behind a bridge
 * @bridge:	the bridge
 *
 * Return: 1 below a PCI Express port, else 32
 */
static unsigned int devices_below(const struct pci_function *bridge)
{
	uint8_t at, type;

	for (at = pci_next_capability(bridge, 0); at; at = pci_next_capability(bridge, at)) {
		if (pci_read8(bridge, at) != CAP_ID_PCIE)
			continue;
		type = pci_read8(bridge, at + 2u) >> 4;
		return type == PCIE_TYPE_ROOT_PORT || type == PCIE_TYPE_DOWNSTREAM ? 1 : 32;
	}
	return 32;
}

/**
 * walk_bus() - visit a bus and the buses below it
 * @where:	its bus number, and how to get there; the rest is not used
 * @devices:	devices that can be on it
 * @visit:	called for every function
 * @context:	given to @visit
 */
static void walk_bus(const struct pci_function *where, unsigned int devices,
		     void (*visit)(const struct pci_function *f, void *context), void *context)
{
	struct pci_function f = *where, below;
	unsigned int devfn;
	uint8_t type = 0;

	for (devfn = 0; devfn < 8 * devices; devfn++) {
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
		below = (struct pci_function){ .bus = pci_read8(&f, SECONDARY_BUS), .depth = f.depth + 1u,
					       .bridge = f.devfn };
		if (below.bus > f.bus)
			walk_bus(&below, devices_below(&f), visit, context);
	}
}

/**
 * pci_walk() - visit every function, in the order of bus 0 and depth first
 * @visit:	called for each
 * @context:	given to @visit
 */
void pci_walk(void (*visit)(const struct pci_function *f, void *context), void *context)
{
	struct pci_function root = { 0 };

	walk_bus(&root, 32, visit, context);
}
