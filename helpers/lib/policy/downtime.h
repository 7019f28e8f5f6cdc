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

#define DOWNTIME_QEMU 300     /* ms, QEMU's default limit */
#define DOWNTIME_MOST 30000   /* ms, beyond which vferry raises no limit */

/* What was seen on this host: ms of downtime for one VF, 0 nothing yet. [0]: one stream; [1]: parallel (multifd) */
struct downtime_model {
	unsigned int per_vf[2];
};

/* The limit to begin with, in ms. parallel: device states go over several streams. */
unsigned int downtime_limit(const struct downtime_model *model, unsigned int vfs, bool parallel);

/* The next limit when the guest's memory is as good as sent and the rest still does not fit; the same when there is none. */
unsigned int downtime_raise(unsigned int limit);

/* Learns from a migration that was: ms of downtime with so many VFs. Goes up at once and down slowly. */
void downtime_learn(struct downtime_model *model, unsigned int vfs, bool parallel, unsigned int ms);

#endif
