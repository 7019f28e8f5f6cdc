/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * machine.h: whether a host can run a guest beside its VFs: processor, machine type, memory (P10 and V3 of the checker).
 */
#ifndef VFERRY_POLICY_MACHINE_H
#define VFERRY_POLICY_MACHINE_H

#include <stdbool.h>

#include "base/reason.h"
#include "host/facts.h"

/* What counts of a guest. */
struct machine_guest {
	char machine[64];     /* "pc-q35-10.0" */
	bool is_host_cpu;     /* host-passthrough, maximum: the very same processor is needed */
	unsigned int memory;  /* MiB, 0 unknown */
};

/* Whether two hosts run the same machine code: architecture and maker of the processor. What a record does not tell is no difference. */
bool machine_has_same_processor(const struct facts *a, const struct facts *b);

/* Judges a move from one host to another, memory left out. Return: 0, -EPERM with *why. */
int machine_judge(const struct machine_guest *guest, const struct facts *from, const struct facts *to, struct reason *why);

#endif
