// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * main.c - the lab's guest: a bare-metal program that is a busy neighbour on the network
 *
 * Booted by QEMU's -kernel (PVH), it finds its virtio-net functions, then wakes hz times a second to answer ARP and
 * ping, to send numbered frames and to rewrite its ballast. README.md has the command line and the frame's format.
 */
#include "guest.h"

void guest_main(const void *start_info);

static struct boot_info boot;
static struct options options;
static struct nic nics[MAX_NICS];
static unsigned int n_nics;

/**
 * add_nic() - take a PCI function if it is a NIC that the guest can drive
 * @f:		function
 * @context:	unused
 */
static void add_nic(const struct pci_function *f, void *context)
{
	const char *problem = NULL;

	(void)context;
	if (!virtio_net_matches(f))
		return;
	if (n_nics == MAX_NICS)
		problem = "left alone: there are 8 already";
	else if (virtio_net_init(&nics[n_nics].dev, f, n_nics))
		problem = "cannot be driven: not virtio 1.0, or its BARs are not set";
	if (problem) {
		say("guest: NIC at %2x:%2x.%u %s\n", f->bus, f->devfn >> 3, f->devfn & 7u, problem);
		return;
	}
	nic_start(&nics[n_nics], n_nics, &options);
	n_nics++;
}

/**
 * say_status() - a line for each NIC every status_s seconds
 * @now_ns:	guest time, ns
 */
static void say_status(uint64_t now_ns)
{
	static uint64_t next_ns;
	unsigned int i;

	if (!options.status_s || now_ns < next_ns)
		return;
	if (next_ns)
		for (i = 0; i < n_nics; i++)
			nic_say_status(&nics[i]);
	next_ns = now_ns + options.status_s * NS_PER_S;
}

/**
 * guest_main() - the guest's life (called by boot.S)
 * @start_info:	the loader's struct hvm_start_info
 */
void guest_main(const void *start_info)
{
	uint32_t boot_number;
	unsigned int i;
	uint64_t now;

	console_init();
	cpu_init();
	say("\n");	/* the firmware leaves the cursor in the middle of a line */
	if (boot_read(&boot, start_info)) {
		say("guest: not started by a PVH loader: stopped\n");
		cpu_halt();
	}
	options_parse(&options, boot.cmdline);
	clock_init(boot.rsdp);
	boot_number = clock_boot_number();
	clock_start_ticks(options.hz);
	ballast_init(&boot, options.ballast_mib, options.dirty_mbps);
	pci_walk(add_nic, NULL);
	say("guest: ready, %u NIC%s%s, boot %8x\n", n_nics, n_nics == 1 ? "" : "s", n_nics ? "" : ": nothing to do",
	    boot_number);
	for (;;) {
		now = clock_ns();
		for (i = 0; i < n_nics; i++)
			nic_run(&nics[i], &options, boot_number, now);
		ballast_run(now);
		say_status(now);
		cpu_wait();
	}
}
