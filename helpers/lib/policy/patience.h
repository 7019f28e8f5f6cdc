/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * patience.h: how long an arrival may wait for a slot, when whoever moves it waits for so long and no longer.
 *
 * Engines give a migration 20 to 120 seconds and more. A guest that still waits for a slot then is cut off in the middle, and what the
 * engine does to it is not in vferry's hands; a refusal at once is.
 */
#ifndef VFERRY_POLICY_PATIENCE_H
#define VFERRY_POLICY_PATIENCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/reason.h"

struct patience {
	const struct config *config;
	int64_t move_ms;       /* that a guest's move to here takes; 0: not known */
};

/* How long it may wait for a slot, in ms: slot_wait, but no longer than leaves time for the move itself. */
int64_t patience_wait(const struct patience *patience);

/*
 * Whether it makes sense to get in line behind so many others. Return: 0; -EAGAIN with *why if even at best its turn comes too late.
 */
int patience_judge(const struct patience *patience, size_t before, struct reason *why);

#endif
