/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* guest.h - what the guest's files share; each prototype is documented at its definition */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

#define MAX_NICS	8
#define NS_PER_MS	1000000ull
#define NS_PER_S	1000000000ull
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* ---- cpu.c: ports, interrupts, page tables ---- */
/* outb() - write a byte to an I/O port */
static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

/* inb() - read a byte from an I/O port */
static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* outl() - write four bytes to an I/O port */
static inline void outl(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

/* inl() - read four bytes from an I/O port */
static inline uint32_t inl(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* rdtsc() - read the CPU's time stamp counter */
static inline uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

void cpu_init(void);
void cpu_set_handler(unsigned int vector, void (*stub)(void));
void cpu_wait(void);
void cpu_halt(void) __attribute__((noreturn));
int mmu_map_device(uint64_t address, uint64_t length);

/* ---- console.c: COM1 ---- */
void console_init(void);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- string.c ---- */
void *memcpy(void *to, const void *from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);
int memcmp(const void *a, const void *b, size_t length);
size_t strlen(const char *s);

/* ---- boot.c: what QEMU's PVH loader tells ---- */
#define MAX_RAM_RANGES	16
#define MAX_CMDLINE	1024

/**
 * struct ram_range - usable RAM below 4 GiB that the guest does not occupy itself
 * @start:	first byte
 * @end:	byte after the last
 */
struct ram_range {
	uint64_t start, end;
};

/**
 * struct boot_info - a copy of what the loader told
 * @rsdp:	address of the ACPI root pointer, 0 if none
 * @cmdline:	kernel command line
 * @ram:	usable RAM
 * @n_ram:	number of entries in @ram
 */
struct boot_info {
	uint64_t rsdp;
	char cmdline[MAX_CMDLINE];
	struct ram_range ram[MAX_RAM_RANGES];
	unsigned int n_ram;
};

int boot_read(struct boot_info *info, const void *start_info);

/* ---- options.c ---- */
/**
 * struct options - the command line, parsed
 * @ip:			IPv4 address of the first NIC, host byte order
 * @interval_ms:	milliseconds between two numbered frames
 * @hz:			how often a second the guest looks at its NICs
 * @silent:		send no numbered frames
 * @ballast_mib:	MiB of memory to keep non-zero
 * @dirty_mbps:		10^6 bytes of ballast to rewrite each second
 * @status_s:		seconds between status lines on COM1, 0 for none
 * @tag:		text for the frames, NUL padded
 */
struct options {
	uint32_t ip;
	uint32_t interval_ms;
	uint32_t hz;
	bool silent;
	uint32_t ballast_mib;
	uint32_t dirty_mbps;
	uint32_t status_s;
	char tag[VFERRY_TAG_LEN];
};

void options_parse(struct options *opt, const char *cmdline);

/* ---- clock.c ---- */
void clock_init(uint64_t rsdp);
uint64_t clock_ns(void);
void clock_start_ticks(uint32_t hz);
uint32_t clock_boot_number(void);

/* ---- ballast.c ---- */
void ballast_init(const struct boot_info *info, uint32_t mib, uint32_t mbps);
void ballast_run(uint64_t now_ns);

/* ---- pci.c ---- */
#define PCI_VENDOR_ID		0x00
#define PCI_DEVICE_ID		0x02
#define PCI_COMMAND		0x04
#define PCI_CAPABILITY_LIST	0x34
#define PCI_CAP_ID_VNDR		0x09

/**
 * struct pci_function - where a PCI function is
 * @bus:	bus number
 * @devfn:	device << 3 | function
 * @vendor:	vendor id
 * @device:	device id
 * @bridge:	devfn of the bridge on bus 0 that leads to @bus; valid if @depth is 1
 * @depth:	bridges between bus 0 and the function
 */
struct pci_function {
	uint8_t bus, devfn;
	uint16_t vendor, device;
	uint8_t bridge, depth;
};

uint32_t pci_read32(const struct pci_function *f, unsigned int offset);
uint16_t pci_read16(const struct pci_function *f, unsigned int offset);
uint8_t pci_read8(const struct pci_function *f, unsigned int offset);
void pci_write16(const struct pci_function *f, unsigned int offset, uint16_t value);
uint8_t pci_next_capability(const struct pci_function *f, uint8_t at);
void pci_write32(const struct pci_function *f, unsigned int offset, uint32_t value);
uint64_t pci_bar_address(const struct pci_function *f, unsigned int bar);
uint64_t pci_place_bar(const struct pci_function *f, unsigned int bar);
bool pci_is_there(const struct pci_function *f);
void pci_walk(void (*visit)(const struct pci_function *f, void *context), void *context);

/* ---- hotplug.c ---- */
void hotplug_init(void);
void hotplug_eject(void);

/* ---- virtio.c ---- */
#define QUEUE_SIZE	128
#define BUFFER_SIZE	9216
#define FRAME_MAX	9014	/* bytes without FCS: an MTU of 9000 */

struct virtq;

/**
 * struct virtio_net - one virtio-net function, driven by polling
 * @pci:		the function
 * @common:		its common configuration structure
 * @config:		its device configuration structure
 * @rx, @tx:		its two queues
 * @mac:		MAC address
 * @has_status:		the device tells its link state
 */
struct virtio_net {
	struct pci_function pci;
	volatile uint8_t *common;
	volatile uint8_t *config;
	struct virtq *rx, *tx;
	uint8_t mac[6];
	bool has_status;
};

bool virtio_net_matches(const struct pci_function *f);
int virtio_net_init(struct virtio_net *dev, const struct pci_function *f, unsigned int index);
bool virtio_net_is_alive(const struct virtio_net *dev);
bool virtio_net_link_is_up(const struct virtio_net *dev);
uint8_t *virtio_net_receive(struct virtio_net *dev, unsigned int *length, uint16_t *token);
void virtio_net_give_back(struct virtio_net *dev, uint16_t token);
void virtio_net_receive_done(struct virtio_net *dev);
uint8_t *virtio_net_tx_buffer(struct virtio_net *dev);
void virtio_net_send(struct virtio_net *dev, unsigned int length);

/* ---- nic.c ---- */
/**
 * struct nic - a NIC and what the guest does with it
 * @dev:	the device
 * @index:	number in PCI order, from 0
 * @ip:		own IPv4 address, host byte order
 * @link:	link was up when last looked at
 * @alive:	device answers and still holds the driver's state
 * @gone:	device was unplugged
 * @next_look:	guest time of the next look at link and device, ns
 * @next_frame:	guest time of the next numbered frame, ns
 * @seq:	number of the last frame sent, 0 before the first
 * @not_sent:	frames that found the transmit ring full
 * @received:	frames received
 * @arp:	ARP requests answered
 * @echo:	ICMP echo requests answered
 */
struct nic {
	struct virtio_net dev;
	unsigned int index;
	uint32_t ip;
	bool link, alive, gone;
	uint64_t next_look, next_frame;
	uint64_t seq, not_sent, received, arp, echo;
};

void nic_start(struct nic *nic, unsigned int index, const struct options *opt);
void nic_run(struct nic *nic, const struct options *opt, uint32_t boot, uint64_t now_ns);
void nic_say_status(const struct nic *nic);

/* ---- net.c ---- */
/* enum net_answer - what net_answer() made of a frame */
enum net_answer { NET_IGNORED, NET_ARP, NET_ECHO };
enum net_answer net_answer(uint8_t *reply, unsigned int *length, const uint8_t *frame, const uint8_t mac[6], uint32_t ip);

/* swap16() - host to network byte order and back, 16 bits */
static inline uint16_t swap16(uint16_t v)
{
	return __builtin_bswap16(v);
}

/* swap32() - the same, 32 bits */
static inline uint32_t swap32(uint32_t v)
{
	return __builtin_bswap32(v);
}

/* swap64() - the same, 64 bits */
static inline uint64_t swap64(uint64_t v)
{
	return __builtin_bswap64(v);
}

#endif
