/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gate.h: which outgoing migrations of this host break a limit and must be ended. libvirt calls no hook on the source, so the agent looks
 * at the status files instead.
 */
#ifndef VFERRY_POLICY_GATE_H
#define VFERRY_POLICY_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/reason.h"
#include "domain/status.h"
#include "host/inventory.h"

struct gate_case {
	const struct config *config;         /* vfs_in_flight, [peer] */
	struct inventory *inventory;         /* for the PFs that guests' devices belong to */
	const struct status_list *running;
	const uint64_t *began;               /* of each: when it was seen to begin to move; no two that move are equal */
};

struct gate_verdict {
	const struct status *guest;
	struct reason why;                   /* with the rule's name */
};

/*
 * Judges all outgoing migrations of guests with VFs: post-copy, a PSID or firmware unlike what [peer] says of the
 * other hosts, and more VFs of a PF in flight than allowed, where the newest must yield.
 * What came in counts as in flight, but is the business of the hook that let it in. Return: number of verdicts, at most max.
 */
size_t gate_judge(const struct gate_case *c, struct gate_verdict *verdict, size_t max);

/* Whether a guest is leaving and is past the destination's queue: its VFs are in flight. */
bool gate_is_moving(const struct status *status);

/* How many of a guest's devices are VFs of a card that can migrate; pf: of this one alone, NULL: of any. */
unsigned int gate_count_vfs(const struct status *status, struct inventory *inventory, const struct inventory_pf *pf);

/* The same without those of a failover pair, which QEMU unplugs before the guest moves. */
unsigned int gate_count_travelling(const struct status *status, struct inventory *inventory, const struct inventory_pf *pf);

#endif
