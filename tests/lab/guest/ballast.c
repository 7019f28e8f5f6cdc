// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * ballast.c - memory that a migration has to carry
 *
 * Every page of the ballast is different and not zero (its first 64 bytes are). With a dirty rate the pages are
 * written again one after the other, one word each: to a migration a page is dirty or it is not.
 */
#include "guest.h"

#define PAGE		4096ul
#define LINE_WORDS	8
#define PAGES_A_MIB	(1024 * 1024 / PAGE)

static struct ram_range ballast[MAX_RAM_RANGES];
static unsigned int n_ballast;
static uint64_t n_pages;
static uint32_t rate_mbps;
static unsigned int at_range;
static uint64_t at_address;
static uint64_t last_ns, owed_bytes;

/**
 * fill_page() - make a page different from zero and from the others
 * @page:	its address
 */
static void fill_page(uint64_t page)
{
	uint64_t *word = (uint64_t *)page;
	unsigned int i;

	for (i = 0; i < LINE_WORDS; i++)
		word[i] = (page + i) * 0x9e3779b97f4a7c15ull | 1;
}

/**
 * take_range() - fill as much of a range as is still wanted
 * @range:	RAM
 * @wanted:	pages
 */
static void take_range(const struct ram_range *range, uint64_t wanted)
{
	uint64_t start = (range->start + PAGE - 1) & ~(PAGE - 1), end = range->end & ~(PAGE - 1), page;

	if (end <= start)
		return;
	if (end - start > wanted * PAGE)
		end = start + wanted * PAGE;
	for (page = start; page < end; page += PAGE)
		fill_page(page);
	ballast[n_ballast++] = (struct ram_range){ start, end };
	n_pages += (end - start) / PAGE;
}

/**
 * ballast_init() - fill memory
 * @info:	RAM that is free
 * @mib:	how much to fill, MiB
 * @mbps:	how much to write again each second, 10^6 bytes
 */
void ballast_init(const struct boot_info *info, uint32_t mib, uint32_t mbps)
{
	uint64_t wanted = mib * PAGES_A_MIB;
	unsigned int i;

	for (i = 0; i < info->n_ram && n_pages < wanted; i++)
		take_range(&info->ram[i], wanted - n_pages);
	if (!mib)
		return;
	rate_mbps = n_ballast ? mbps : 0;
	at_address = ballast[0].start;
	say("guest: ballast %lu MiB%s, %u MB/s rewritten\n", n_pages / PAGES_A_MIB,
	    n_pages < wanted ? " (less than asked: no more RAM below 4 GiB)" : "", rate_mbps);
}

/**
 * dirty_page() - write the next page again
 */
static void dirty_page(void)
{
	*(volatile uint64_t *)at_address += 2;	/* stays odd, so never zero */
	at_address += PAGE;
	if (at_address < ballast[at_range].end)
		return;
	at_range = (at_range + 1) % n_ballast;
	at_address = ballast[at_range].start;
}

/**
 * ballast_run() - write what has become due
 * @now_ns:	guest time, ns
 */
void ballast_run(uint64_t now_ns)
{
	uint64_t pages;

	if (rate_mbps) {
		owed_bytes += (now_ns - last_ns) * rate_mbps / 1000;
		pages = owed_bytes / PAGE;
		owed_bytes %= PAGE;
		for (pages = pages > n_pages ? n_pages : pages; pages; pages--)
			dirty_page();
	}
	last_ns = now_ns;
}
