/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet_upgrade.h: new firmware for all hosts. Both ends of a move must have the same, so the fleet falls in two while it is upgraded:
 * every guest that has a VF on an old host must once change to a new one without its VF (detach, move, attach).
 */
#ifndef VFERRY_POLICY_FLEET_UPGRADE_H
#define VFERRY_POLICY_FLEET_UPGRADE_H

#include "policy/fleet.h"

enum upgrade_way {
	UPGRADE_LIVE,    /* a plain move to a host of the same firmware */
	UPGRADE_CHANGE,  /* to a host of the other: detach, move, attach */
	UPGRADE_STOP,    /* no place anywhere: it must be stopped, and started when its host is back */
};

struct upgrade_move {
	size_t guest, from, to;      /* to == from: UPGRADE_STOP */
	enum upgrade_way way;
};

struct upgrade_step {
	size_t host;
	size_t first, moves;         /* in upgrade_plan.move */
	bool old_spare, new_spare;   /* whether any one host of the old, of the new ones could die then */
	size_t olds, news;           /* hosts of each that can take guests, after the step */
};

struct upgrade_plan {
	struct upgrade_step *step;
	size_t steps;
	struct upgrade_move *move;
	size_t moves;
	size_t lives, changes, stops;
	size_t changes_bound, lives_bound; /* no plan needs fewer */
};

/* Plans. Return: 0, -ENOMEM; upgrade_release() in every case. */
int fleet_upgrade(const struct fleet *fleet, const char *firmware, struct upgrade_plan *plan);
void upgrade_release(struct upgrade_plan *plan);

#endif
