/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * downtime.h: how long QEMU may stop a guest with VFs at the end of its migration.
 *
 * QEMU ends the copying while the guest runs once the rest can be sent within its downtime limit, 300 ms by default, and it counts the
 * device state of VFs into that rest (hw/vfio/migration.c, vfio_state_pending_exact()): a state that takes longer never fits, and the
 * migration goes on for ever without an error.
 */
#ifndef VFERRY_POLICY_DOWNTIME_H
#define VFERRY_POLICY_DOWNTIME_H

#include <stdbool.h>

#include "base/config.h"

#define DOWNTIME_QEMU 300     /* ms, QEMU's default limit */
#define DOWNTIME_MOST 30000   /* ms, beyond which vferry raises no limit */
#define DOWNTIME_STUCK 3      /* looks in a row at which the memory is as good as sent before the limit is raised */

/* What was seen on this host: ms of downtime for one VF, 0 nothing yet. [0]: one stream; [1]: parallel (multifd) */
struct downtime_model {
	unsigned int per_vf[2];
};

/* The limit to begin with, in ms. parallel: device states go over several streams. */
unsigned int downtime_limit(const struct downtime_model *model, unsigned int vfs, bool parallel);

/* The next limit when the guest's memory is as good as sent and the rest still does not fit; the same when there is none. */
unsigned int downtime_raise(unsigned int limit);

/*
 * Whether QEMU sends device states over several streams when 'virsh migrate --parallel' asks for it: by the guest's machine type, as
 * libvirt writes it ("pc-q35-10.0"). QEMU 10.0 brought it and has it off for machines up to 9.2 (hw/core/machine.c, hw_compat_9_2:
 * x-migration-multifd-transfer); RHEL's builds have it off for all of theirs ("-rhel"). A machine that tells no version counts as without.
 */
bool downtime_can_multifd(const char *machine);

/* One look at a guest that leaves. */
struct downtime_case {
	unsigned int key;              /* max_downtime of the configuration */
	const struct downtime_model *model;
	unsigned int vfs;
	bool parallel;                 /* device states go over several streams */
	unsigned int now;              /* ms, the limit that QEMU has */
	unsigned int before;           /* ms, what vferry set last in this guest, for this job or an earlier one; 0: nothing yet */
	unsigned int limit;            /* ms, what it set for this job; 0: nothing yet */
	unsigned int stuck;            /* looks in a row at which memory was no hindrance */
};

/*
 * The limit that QEMU should have, in ms; 0: it is left alone, as somebody else's is: one that is neither QEMU's own nor from here. With
 * "at-least" everybody's is raised to that floor, and none is lowered, also while the guest is on its way.
 */
unsigned int downtime_wanted(const struct downtime_case *c);

/* Learns from a migration that was: ms of downtime with so many VFs. Goes up at once and down slowly. */
void downtime_learn(struct downtime_model *model, unsigned int vfs, bool parallel, unsigned int ms);

#endif
