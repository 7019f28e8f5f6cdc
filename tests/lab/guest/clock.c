// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * clock.c - time and ticks
 *
 * Time comes from the ACPI PM timer: 3.579545 MHz of the machine's virtual clock, which stands still while the guest
 * is paused and goes on after a migration. It has 24 bits in QEMU and wraps every 4.7 s, so it must be read more
 * often than that; the main loop does so every tick. Without ACPI the ticks themselves are counted.
 * Ticks come from the local APIC's timer.
 */
#include "guest.h"

#define PM_TIMER_HZ	3579545ull
#define FADT_PM_TMR_BLK	76
#define FADT_FLAGS	112
#define FADT_TMR_32BIT	(1u << 8)

#define LAPIC		0xfee00000ull
#define LAPIC_EOI	0x0b0
#define LAPIC_SPURIOUS	0x0f0
#define LAPIC_LVT_TIMER	0x320
#define LAPIC_LVT_LINT0	0x350
#define LAPIC_INITIAL	0x380
#define LAPIC_CURRENT	0x390
#define LAPIC_DIVIDE	0x3e0
#define LVT_MASKED	0x10000u
#define LVT_PERIODIC	0x20000u
#define DIVIDE_BY_1	0xbu
#define VECTOR_TICK	0x20
#define VECTOR_SPURIOUS	0xff
#define LAPIC_HZ_QEMU	1000000000u	/* what QEMU and KVM emulate; used when there is no PM timer to measure by */
#define CALIBRATE_NS	(10 * NS_PER_MS)

static uint16_t pm_port;
static uint32_t pm_mask;
static uint32_t pm_last;
static uint64_t pm_ticks;
static volatile uint64_t ticks;
static uint64_t tick_ns;

/**
 * lapic() - a register of the local APIC
 * @offset:	its offset
 *
 * Return: where it is
 */
static volatile uint32_t *lapic(unsigned int offset)
{
	return (volatile uint32_t *)(LAPIC + offset);
}

/**
 * read32() - a little-endian number in an ACPI table, which need not be aligned
 * @address:	where it is
 *
 * Return: the number
 */
static uint32_t read32(uint64_t address)
{
	uint32_t value;

	memcpy(&value, (const void *)address, sizeof(value));
	return value;
}

/**
 * find_fadt() - look for ACPI's fixed description table in the RSDT
 * @rsdp:	address of the root pointer, 0 if none
 *
 * Return: its address, 0 if there is none
 */
static uint64_t find_fadt(uint64_t rsdp)
{
	uint32_t rsdt, length, i;

	if (!rsdp || memcmp((const void *)rsdp, "RSD PTR ", 8))
		return 0;
	rsdt = read32(rsdp + 16);
	if (!rsdt || memcmp((const void *)(uint64_t)rsdt, "RSDT", 4))
		return 0;
	length = read32(rsdt + 4ull);
	for (i = 36; i + 4 <= length; i += 4)
		if (!memcmp((const void *)(uint64_t)read32(rsdt + (uint64_t)i), "FACP", 4))
			return read32(rsdt + (uint64_t)i);
	return 0;
}

/**
 * clock_init() - find the PM timer
 * @rsdp:	address of ACPI's root pointer, 0 if none
 */
void clock_init(uint64_t rsdp)
{
	uint64_t fadt = find_fadt(rsdp);

	if (fadt)
		pm_port = (uint16_t)read32(fadt + FADT_PM_TMR_BLK);
	if (!pm_port) {
		say("guest: no ACPI PM timer: time is counted in ticks\n");
		return;
	}
	pm_mask = read32(fadt + FADT_FLAGS) & FADT_TMR_32BIT ? UINT32_MAX : 0xffffff;
	pm_last = inl(pm_port) & pm_mask;
}

/**
 * clock_ns() - time since boot by the virtual clock; to be called at least every 4 s
 *
 * Return: nanoseconds
 */
uint64_t clock_ns(void)
{
	uint32_t now;

	if (!pm_port)
		return ticks * tick_ns;
	now = inl(pm_port) & pm_mask;
	pm_ticks += (now - pm_last) & pm_mask;
	pm_last = now;
	return pm_ticks / PM_TIMER_HZ * NS_PER_S + pm_ticks % PM_TIMER_HZ * NS_PER_S / PM_TIMER_HZ;
}

/**
 * tick() - interrupt handler of the local APIC's timer
 * @frame:	what the CPU pushed
 */
__attribute__((interrupt)) static void tick(void *frame)
{
	(void)frame;
	ticks++;
	*lapic(LAPIC_EOI) = 0;
}

/**
 * spurious() - interrupt handler that does nothing
 * @frame:	what the CPU pushed
 */
__attribute__((interrupt)) static void spurious(void *frame)
{
	(void)frame;
}

/**
 * measure_lapic() - how fast the local APIC's timer counts
 *
 * Return: counts a second
 */
static uint64_t measure_lapic(void)
{
	uint64_t start, end;
	uint32_t counted;

	if (!pm_port)
		return LAPIC_HZ_QEMU;
	start = clock_ns();
	*lapic(LAPIC_INITIAL) = UINT32_MAX;
	do {
		end = clock_ns();
	} while (end - start < CALIBRATE_NS);
	counted = UINT32_MAX - *lapic(LAPIC_CURRENT);
	return counted * NS_PER_S / (end - start);
}

/**
 * clock_start_ticks() - have an interrupt end cpu_wait() regularly
 * @hz:		how often a second
 */
void clock_start_ticks(uint32_t hz)
{
	cpu_set_handler(VECTOR_TICK, (void (*)(void))tick);
	cpu_set_handler(VECTOR_SPURIOUS, (void (*)(void))spurious);
	*lapic(LAPIC_SPURIOUS) = 0x100 | VECTOR_SPURIOUS;
	*lapic(LAPIC_LVT_LINT0) = LVT_MASKED;
	*lapic(LAPIC_LVT_TIMER) = LVT_MASKED | VECTOR_TICK;
	*lapic(LAPIC_DIVIDE) = DIVIDE_BY_1;
	tick_ns = NS_PER_S / hz;
	*lapic(LAPIC_LVT_TIMER) = LVT_PERIODIC | VECTOR_TICK;
	*lapic(LAPIC_INITIAL) = (uint32_t)(measure_lapic() / hz);
}

/**
 * clock_boot_number() - a number that another boot does not have
 *
 * Mixed from the time stamp counter and the date in CMOS. It is read once and then lives in memory, so that a live
 * migration keeps it.
 *
 * Return: the number
 */
uint32_t clock_boot_number(void)
{
	uint64_t mix = rdtsc();
	uint8_t reg;

	for (reg = 0; reg < 10; reg++) {
		outb(0x70, reg);
		mix = (mix ^ inb(0x71)) * 0x9e3779b97f4a7c15ull;
		mix ^= mix >> 29;
	}
	return (uint32_t)(mix >> 16);
}
