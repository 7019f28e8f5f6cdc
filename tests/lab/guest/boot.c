// SPDX-License-Identifier: LGPL-2.1-or-later
/* boot.c - reads struct hvm_start_info (Xen docs/misc/pvh.pandoc, version 1) that QEMU's PVH loader leaves */
#include "guest.h"

#define START_MAGIC	0x336ec578u
#define MEMMAP_RAM	1
#define FOUR_GIB	(1ull << 32)

/**
 * struct start_info - the loader's struct hvm_start_info
 *
 * Fields as in Xen's specification; the memory map is there from @version 1 on.
 */
struct start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist, cmdline, rsdp, memmap;
	uint32_t memmap_entries, reserved;
};

/**
 * struct memmap_entry - one range of the loader's memory map
 * @start:	first byte
 * @size:	bytes
 * @type:	MEMMAP_RAM for usable RAM
 * @reserved:	nothing
 */
struct memmap_entry {
	uint64_t start, size;
	uint32_t type, reserved;
};

extern uint8_t own_end[];

/**
 * add_range() - note a range of RAM, without what the guest or the firmware's low memory occupies
 * @info:	to be added to
 * @e:		the loader's entry
 */
static void add_range(struct boot_info *info, const struct memmap_entry *e)
{
	uint64_t start = e->start, end = e->start + e->size, first = (uint64_t)own_end;

	if (e->type != MEMMAP_RAM || info->n_ram == MAX_RAM_RANGES)
		return;
	start = start < first ? first : start;
	end = end > FOUR_GIB ? FOUR_GIB : end;
	if (start < end)
		info->ram[info->n_ram++] = (struct ram_range){ start, end };
}

/**
 * boot_read() - copy what the loader told to memory of our own
 * @info:	result
 * @start_info:	the loader's struct hvm_start_info
 *
 * Return: 0, -1 if @start_info is none
 */
int boot_read(struct boot_info *info, const void *start_info)
{
	const struct start_info *s = start_info;
	const struct memmap_entry *map;
	size_t length;
	uint32_t i;

	if (s->magic != START_MAGIC)
		return -1;
	info->rsdp = s->rsdp;
	if (s->cmdline) {
		length = strlen((const char *)s->cmdline);
		length = length < MAX_CMDLINE ? length : MAX_CMDLINE - 1;
		memcpy(info->cmdline, (const char *)s->cmdline, length);
	}
	map = (const struct memmap_entry *)s->memmap;
	for (i = 0; s->version >= 1 && map && i < s->memmap_entries; i++)
		add_range(info, &map[i]);
	return 0;
}
