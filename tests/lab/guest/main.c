// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * main.c - the lab's guest: a bare-metal program that is a busy neighbour on the network
 *
 * Booted by QEMU's -kernel (PVH), it finds its virtio-net functions, then wakes hz times a second to answer ARP and
 * ping, to send numbered frames and to rewrite its ballast; once a second it looks for NICs plugged in or taken out.
 * README.md has the command line and the frame's format.
 */
#include "guest.h"

#define MAX_REFUSED	16

void guest_main(const void *start_info);

static struct boot_info boot;
static struct options options;
static struct nic nics[MAX_NICS];
static unsigned int n_nics;

/**
 * is_at() - whether two functions have the same address
 * @a:		one
 * @b:		the other
 *
 * Return: whether they do
 */
static bool is_at(const struct pci_function *a, const struct pci_function *b)
{
	return a->bus == b->bus && a->devfn == b->devfn;
}

/**
 * refuse() - say, once, that a NIC is not driven
 * @f:		its function
 * @why:	the reason
 */
static void refuse(const struct pci_function *f, const char *why)
{
	static struct pci_function refused[MAX_REFUSED];
	static unsigned int n_refused;
	unsigned int i;

	for (i = 0; i < n_refused; i++)
		if (is_at(&refused[i], f))
			return;
	if (n_refused == MAX_REFUSED)
		return;
	refused[n_refused++] = *f;
	say("guest: NIC at %2x:%2x.%u %s\n", f->bus, f->devfn >> 3, f->devfn & 7u, why);
}

/**
 * index_for() - which NIC a function is to become
 * @f:		function
 *
 * Return: number of the NIC that was unplugged there, else a new one, else that of any that was unplugged; MAX_NICS if
 * there is none, -1 if the function is a NIC already
 */
static int index_for(const struct pci_function *f)
{
	int i, any = MAX_NICS;

	for (i = 0; i < (int)n_nics; i++) {
		if (is_at(&nics[i].dev.pci, f))
			return nics[i].gone ? i : -1;
		if (nics[i].gone)
			any = i;
	}
	return n_nics < MAX_NICS ? (int)n_nics : any;
}

/**
 * add_nic() - take a PCI function if it is a NIC that the guest can drive
 * @f:		function
 * @context:	unused
 */
static void add_nic(const struct pci_function *f, void *context)
{
	struct virtio_net dev;
	int index = index_for(f);

	(void)context;
	if (index < 0 || !virtio_net_matches(f))
		return;
	if (index == MAX_NICS) {
		refuse(f, "left alone: there are 8 already");
		return;
	}
	if (virtio_net_init(&dev, f, (unsigned int)index)) {
		refuse(f, "cannot be driven: not virtio 1.0, or its BARs have no place");
		return;
	}
	nics[index].dev = dev;
	nic_start(&nics[index], (unsigned int)index, &options);
	if (index == (int)n_nics)
		n_nics++;
}

/**
 * look_for_nics() - take in what was plugged in, let go what was taken out
 * @now_ns:	guest time, ns
 */
static void look_for_nics(uint64_t now_ns)
{
	static uint64_t next_ns;
	unsigned int i;

	if (now_ns < next_ns)
		return;
	next_ns = now_ns + NS_PER_S;
	hotplug_eject();
	for (i = 0; i < n_nics; i++) {
		if (nics[i].gone || pci_is_there(&nics[i].dev.pci))
			continue;
		nics[i].gone = true;
		say("nic%u: unplugged\n", i);
	}
	pci_walk(add_nic, NULL);
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
	hotplug_init();
	look_for_nics(0);
	say("guest: ready, %u NIC%s%s, boot %8x\n", n_nics, n_nics == 1 ? "" : "s", n_nics ? "" : ": nothing to do",
	    boot_number);
	for (;;) {
		now = clock_ns();
		look_for_nics(now);
		for (i = 0; i < n_nics; i++)
			nic_run(&nics[i], &options, boot_number, now);
		ballast_run(now);
		say_status(now);
		cpu_wait();
	}
}
