/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet_plan_parts.h: what the files of the planning share, private to them.
 */
#ifndef VFERRY_POLICY_FLEET_PLAN_PARTS_H
#define VFERRY_POLICY_FLEET_PLAN_PARTS_H

#include "policy/fleet_plan.h"

/* The guests of the host, where they fit, and where they are to go. */
struct fleet_board {
	const struct fleet *fleet;
	const struct fleet_task *task;
	size_t *guest;               /* those that are to go */
	size_t guests;
	struct fleet_fit *fit;       /* [guest of the board * hosts + host] */
	size_t *to;                  /* [guest of the board]: host, FLEET_NOWHERE */
};

static inline struct fleet_fit *board_fit(const struct fleet_board *board, size_t k, size_t host)
{
	return &board->fit[k * board->fleet->hosts + host];
}

/* fleet_waves.c: lets the hooks' placement run through the plan. Fills moves, stays that it came to, waves. Return: 0, -ENOMEM. */
int board_run(struct fleet_board *board, struct fleet_plan *plan);

/* fleet_cure.c: why a guest stays, and the cheapest cure. */
void board_explain(const struct fleet_board *board, const struct fleet_plan *plan, size_t k, struct fleet_stay *stay);

/* Free VFs of a host for a guest that fits there, once the moves of a plan are made. */
unsigned int board_left(const struct fleet_board *board, const struct fleet_plan *plan, const struct fleet_fit *fit, size_t host);

#endif
