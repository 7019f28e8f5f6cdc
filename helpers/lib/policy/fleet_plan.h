/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet_plan.h: a plan that empties a host: which guest goes where, in which wave, and why the others stay.
 *
 * How many can leave is decided exactly (fleet_pack.h); in which order, by letting the hook's own placement run through the plan, guest by
 * guest, so that what is planned is what the hooks will do.
 */
#ifndef VFERRY_POLICY_FLEET_PLAN_H
#define VFERRY_POLICY_FLEET_PLAN_H

#include "policy/fleet.h"

#define FLEET_OTHERS 3 /* hosts that are tried when the first one refuses */

struct fleet_move {
	size_t guest, from, to;
	unsigned int wave;            /* 1 is the first */
	int64_t ms;                   /* that it is expected to take; 0 unknown */
	bool returns;                 /* it could come back */
	struct reason why_not;        /* if not */
	size_t other[FLEET_OTHERS];
	size_t others;
};

struct fleet_stay {
	size_t guest;
	bool somewhere;               /* a host would take it, were there room */
	struct reason why;            /* with the cheapest cure */
};

struct fleet_plan {
	struct fleet_move *move;      /* by wave */
	size_t moves;
	struct fleet_stay *stay;
	size_t stays;
	size_t bound;                 /* no plan moves more */
	unsigned int waves, waves_bound;
	int64_t ms;                   /* all waves, one after the other; 0 unknown */
	int64_t *wave_ms;             /* [wave - 1] */
	uint64_t nodes;               /* that were searched */
};

/* What is to be planned. */
struct fleet_task {
	size_t from;
	const bool *to;               /* [host]; NULL: everywhere */
	bool start;                   /* the guests start elsewhere: the host has died; no waves */
	bool any_firmware;            /* as if all had one firmware */
	uint64_t effort;
};

/* Plans. Return: 0, -ENOMEM; fleet_plan_release() in every case. */
int fleet_evacuate(const struct fleet *fleet, const struct fleet_task *task, struct fleet_plan *plan);
void fleet_plan_release(struct fleet_plan *plan);

/* Of all guests that fit to a host of their own alone: what one move takes. ms, 0 unknown. */
int64_t fleet_move_time(const struct fleet *fleet, size_t guest);

#endif
