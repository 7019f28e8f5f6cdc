/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hardware.h: what a guest is made of beside its VFs, as far as that decides whether it can move: machine, CPU, memory, disks. For the
 * checker; the hook needs none of it.
 */
#ifndef VFERRY_DOMAIN_HARDWARE_H
#define VFERRY_DOMAIN_HARDWARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "domain/domain.h"

#define HARDWARE_MAX_DISKS 64

struct hardware_disk {
	char target[32];   /* "vda" */
	char type[16];     /* "file", "block", "network", "dir", "volume", … */
	char source[512];  /* file, device or network name; "" no medium */
	bool is_removable; /* cdrom, floppy */
};

struct hardware {
	char kind[16];         /* "kvm", "qemu" */
	char architecture[32];
	char machine[64];      /* "pc-q35-10.0" */
	char cpu_mode[32];     /* "custom", "host-model", "host-passthrough", "maximum"; "" libvirt's default */
	char cpu_model[64];
	unsigned int socket_threads; /* CPU threads in one of its sockets, 1 unless <topology> says more */
	bool has_hugepages, has_locked;
	uint64_t memory;       /* bytes, 0 unknown */
	uint64_t hard_limit;   /* bytes that its QEMU may lock and use, 0 none */
	struct hardware_disk disk[HARDWARE_MAX_DISKS];
	size_t disks;
};

/* Reads it from a parsed domain; what is not there stays empty. Disks beyond the bound are left out. */
void hardware_read(const struct domain *domain, struct hardware *hardware);

#endif
