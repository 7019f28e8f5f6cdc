// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * cpu.c - interrupt table, waiting, page tables for devices
 *
 * boot.S maps the first 4 GiB. 64-bit BARs may lie anywhere below 2^48, so mmu_map_device() adds 2 MiB pages,
 * identity mapped and uncached, from a small pool of page tables.
 */
#include "guest.h"

#define IDT_ENTRIES	256
#define CODE_SELECTOR	0x08
#define GATE_INTERRUPT	0x8e
#define PAGE_2M		(1ull << 21)
#define PTE_PRESENT	0x001ull
#define PTE_WRITABLE	0x002ull
#define PTE_UNCACHED	0x018ull	/* PWT, PCD */
#define PTE_LARGE	0x080ull
#define PTE_ADDRESS	0x000ffffffffff000ull
#define TABLE_POOL	32

/**
 * struct gate - an entry of the interrupt descriptor table
 * @low, @middle, @high:	the handler's address, in three parts
 * @selector:			code segment
 * @ist:			interrupt stack, 0 for none
 * @type:			kind of gate
 * @zero:			reserved
 */
struct gate {
	uint16_t low, selector;
	uint8_t ist, type;
	uint16_t middle;
	uint32_t high, zero;
};

extern uint8_t exception_stubs[];
extern uint64_t boot_pml4[512];
void exception(uint64_t vector, uint64_t code, uint64_t rip, uint64_t address);

static struct gate idt[IDT_ENTRIES];
static uint64_t table_pool[TABLE_POOL][512] __attribute__((aligned(4096)));
static unsigned int tables_used;

/**
 * cpu_set_handler() - enter a handler into the interrupt table
 * @vector:	interrupt vector
 * @stub:	code to run; ends with iretq or never
 */
void cpu_set_handler(unsigned int vector, void (*stub)(void))
{
	uint64_t address = (uint64_t)stub;

	idt[vector] = (struct gate){
		.low = (uint16_t)address, .selector = CODE_SELECTOR, .type = GATE_INTERRUPT,
		.middle = (uint16_t)(address >> 16), .high = (uint32_t)(address >> 32),
	};
}

/**
 * cpu_init() - mask the old interrupt controllers and load the interrupt table
 */
void cpu_init(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = { sizeof(idt) - 1, (uint64_t)idt };
	unsigned int i;

	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	for (i = 0; i < 32; i++)
		cpu_set_handler(i, (void (*)(void))(exception_stubs + 16 * i));
	__asm__ volatile("lidt %0" : : "m"(pointer));
}

/**
 * cpu_wait() - sleep until the next interrupt
 *
 * sti takes effect after the instruction behind it, so no interrupt is lost between the two.
 */
void cpu_wait(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

/**
 * cpu_halt() - stop for ever
 */
void cpu_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

/**
 * exception() - a bug in the guest: say where and stop (called by boot.S)
 * @vector:	number of the exception
 * @code:	error code, 0 if the CPU gives none
 * @rip:	address of the instruction
 * @address:	CR2, the address of a page fault
 */
void exception(uint64_t vector, uint64_t code, uint64_t rip, uint64_t address)
{
	say("guest: exception %lu code %lx at %lx address %lx: stopped\n", vector, code, rip, address);
	cpu_halt();
}

/**
 * table_below() - the page table that an entry points to, made if it is not there
 * @entry:	entry of the table above
 *
 * Return: the table, NULL if the pool is empty
 */
static uint64_t *table_below(uint64_t *entry)
{
	if (!(*entry & PTE_PRESENT)) {
		if (tables_used == TABLE_POOL)
			return NULL;
		*entry = (uint64_t)table_pool[tables_used++] | PTE_PRESENT | PTE_WRITABLE;
	}
	return (uint64_t *)(*entry & PTE_ADDRESS);
}

/**
 * map_page() - map the 2 MiB that hold an address
 * @address:	the address
 *
 * Return: 0, -1 if no page table is left
 */
static int map_page(uint64_t address)
{
	uint64_t *pdpt, *pd;

	pdpt = table_below(&boot_pml4[address >> 39 & 511]);
	if (!pdpt)
		return -1;
	pd = table_below(&pdpt[address >> 30 & 511]);
	if (!pd)
		return -1;
	if (!(pd[address >> 21 & 511] & PTE_PRESENT))
		pd[address >> 21 & 511] = (address & ~(PAGE_2M - 1)) | PTE_PRESENT | PTE_WRITABLE | PTE_UNCACHED |
					  PTE_LARGE;
	return 0;
}

/**
 * mmu_map_device() - make a device's memory reachable at its physical address
 * @address:	physical address
 * @length:	bytes
 *
 * Return: 0, -1 if the address is above 2^47 or no page table is left
 */
int mmu_map_device(uint64_t address, uint64_t length)
{
	uint64_t page;

	if (address + length > 1ull << 47)
		return -1;
	for (page = address & ~(PAGE_2M - 1); page < address + length; page += PAGE_2M)
		if (map_page(page))
			return -1;
	return 0;
}
