/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet_evacuate.c: which guests of a host can go, all at once, and where: as a packing problem.
 *
 * Capacities of a host: for each set of its PFs that guests ask for, the free VFs of that set (where sets overlap, for each union of them:
 * by Hall's theorem there is a PF for each VF exactly if no union is asked for more than it has); its memory; one guest of each group.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/fleet_pack.h"
#include "policy/fleet_plan_parts.h"

#define MASKS_MAX 3                       /* sets of PFs of one host of which all unions are looked at */
#define UNIONS ((1u << MASKS_MAX) - 1)
#define ROW_MEMORY UNIONS
#define ROW_GROUPS (UNIONS + 1)

/* The problem as it is made. */
struct packing {
	size_t rows;
	int32_t *capacity, *demand;
	uint8_t *dislike;
	int *bin;
};

/* The sets of PFs that guests ask a host for. */
struct masks {
	uint16_t mask[MASKS_MAX];
	size_t masks;
};

/*
 * find_masks() - the different sets; where there are more than can be looked at, the last is what all others together are
 */
static void find_masks(const struct fleet_board *board, size_t host, struct masks *out)
{
	*out = (struct masks){ 0 };
	for (size_t k = 0; k < board->guests; k++) {
		const struct fleet_fit *fit = board_fit(board, k, host);

		for (size_t i = 0; fit->need == NEED_NOTHING && i < fit->vfs; i++) {
			size_t m = 0;

			while (m < out->masks && out->mask[m] != fit->mask[i])
				m++;
			if (m < out->masks)
				continue;
			if (out->masks < MASKS_MAX)
				out->mask[out->masks++] = fit->mask[i];
			else
				out->mask[MASKS_MAX - 1] |= fit->mask[i];
		}
	}
}

/* union_of() - the PFs of some of the sets. some: a bit for each set */
static uint16_t union_of(const struct masks *masks, unsigned int some)
{
	uint16_t all = 0;

	for (size_t m = 0; m < masks->masks; m++)
		all |= some & 1u << m ? masks->mask[m] : 0;
	return all;
}

/*
 * fill_host() - what a host has
 */
static void fill_host(const struct fleet_board *board, struct packing *p, size_t host, const struct masks *masks)
{
	int32_t *capacity = &p->capacity[host * p->rows];

	for (unsigned int some = 1; some <= UNIONS; some++) {
		uint16_t all = union_of(masks, some);

		for (size_t pf = 0; pf < INVENTORY_MAX_PFS; pf++)
			capacity[some - 1] += all & 1u << pf ? (int32_t)fleet_free_vfs(board->fleet, host, pf) : 0;
	}
	capacity[ROW_MEMORY] = fleet_free_memory(board->fleet, host);
	for (size_t r = ROW_GROUPS; r < p->rows; r++)
		capacity[r] = 1;
	for (size_t g = 0; g < board->fleet->guests; g++) {
		const struct fleet_guest *guest = &board->fleet->guest[g];

		if (guest->host == host && guest->group >= 0)
			capacity[ROW_GROUPS + (size_t)guest->group] = 0;
	}
}

/*
 * fill_guest() - what a guest needs of a host
 */
static void fill_guest(const struct fleet_board *board, struct packing *p, size_t k, size_t host, const struct masks *masks)
{
	const struct fleet_guest *guest = &board->fleet->guest[board->guest[k]];
	const struct fleet_fit *fit = board_fit(board, k, host);
	int32_t *demand = &p->demand[(k * board->fleet->hosts + host) * p->rows];

	if (fit->need != NEED_NOTHING) {
		demand[0] = PACK_NEVER;
		return;
	}
	for (unsigned int some = 1; some <= UNIONS; some++) {
		uint16_t all = union_of(masks, some);

		for (size_t i = 0; i < fit->vfs; i++)
			demand[some - 1] += !(fit->mask[i] & ~all);
	}
	demand[ROW_MEMORY] = (int32_t)guest->machine.memory;
	if (guest->group >= 0)
		demand[ROW_GROUPS + (size_t)guest->group] = 1;
}

/*
 * count_groups() - how many groups there are
 */
static size_t count_groups(const struct fleet *fleet)
{
	size_t count = 0;

	for (size_t g = 0; g < fleet->guests; g++) {
		if (fleet->guest[g].group >= (int)count)
			count = (size_t)fleet->guest[g].group + 1;
	}
	return count;
}

/*
 * pack() - decides where each guest goes
 * Return: 0, -ENOMEM
 */
static int pack(struct fleet_board *board, struct packing *p, struct fleet_plan *plan)
{
	const struct fleet *fleet = board->fleet;
	struct pack_problem problem = { .items = board->guests, .bins = fleet->hosts, .rows = p->rows, .capacity = p->capacity,
					.demand = p->demand, .dislike = p->dislike, .effort = board->task->effort };
	struct pack_result result = { .bin = p->bin };
	int error;

	for (size_t h = 0; h < fleet->hosts; h++) {
		struct masks masks;

		find_masks(board, h, &masks);
		fill_host(board, p, h, &masks);
		for (size_t k = 0; k < board->guests; k++)
			fill_guest(board, p, k, h, &masks);
	}
	error = pack_solve(&problem, &result);
	if (error)
		return error;
	for (size_t k = 0; k < board->guests; k++)
		board->to[k] = result.bin[k] < 0 ? FLEET_NOWHERE : (size_t)result.bin[k];
	plan->bound = result.bound;
	plan->nodes = result.nodes;
	return 0;
}

/*
 * decide() - makes the problem and solves it
 * Return: 0, -ENOMEM
 */
static int decide(struct fleet_board *board, struct fleet_plan *plan)
{
	size_t hosts = board->fleet->hosts;
	struct packing p = { .rows = ROW_GROUPS + count_groups(board->fleet) };
	int error = -ENOMEM;

	p.capacity = calloc(hosts * p.rows + 1, sizeof(*p.capacity));
	p.demand = calloc(board->guests * hosts * p.rows + 1, sizeof(*p.demand));
	p.dislike = calloc(board->guests * hosts + 1, 1);
	p.bin = calloc(board->guests + 1, sizeof(*p.bin));
	if (p.capacity && p.demand && p.dislike && p.bin)
		error = pack(board, &p, plan);
	free(p.capacity);
	free(p.demand);
	free(p.dislike);
	free(p.bin);
	return error;
}

/*
 * fill_board() - the guests of the host, and where each fits
 */
static void fill_board(struct fleet_board *board)
{
	const struct fleet *fleet = board->fleet;
	const struct fleet_task *task = board->task;
	struct fleet_question question = { .any_firmware = task->any_firmware, .start = task->start };

	for (size_t g = 0; g < fleet->guests; g++) {
		size_t k = board->guests;

		if (fleet->guest[g].host != task->from)
			continue;
		board->guest[board->guests++] = g;
		for (size_t h = 0; h < fleet->hosts; h++) {
			if (h == task->from || (task->to && !task->to[h]))
				*board_fit(board, k, h) = (struct fleet_fit){ .need = NEED_HERE };
			else
				*board_fit(board, k, h) = fleet_judge(fleet, g, h, &question, NULL);
		}
	}
}

/*
 * explain_stays() - says why each guest that does not move stays
 * Return: 0, -ENOMEM
 */
static int explain_stays(const struct fleet_board *board, struct fleet_plan *plan)
{
	plan->stay = calloc(board->guests + 1, sizeof(*plan->stay));
	if (!plan->stay)
		return -ENOMEM;
	for (size_t k = 0; k < board->guests; k++) {
		if (board->to[k] == FLEET_NOWHERE)
			board_explain(board, plan, k, &plan->stay[plan->stays++]);
	}
	return 0;
}

/*
 * fleet_evacuate() - plans
 * @fleet:	hosts and guests
 * @task:	which host, and where to
 * @plan:	result
 * Return: 0, -ENOMEM
 */
int fleet_evacuate(const struct fleet *fleet, const struct fleet_task *task, struct fleet_plan *plan)
{
	struct fleet_board board = { .fleet = fleet, .task = task };
	size_t here = 0;
	int error = -ENOMEM;

	memset(plan, 0, sizeof(*plan));
	for (size_t g = 0; g < fleet->guests; g++)
		here += fleet->guest[g].host == task->from;
	board.guest = calloc(here + 1, sizeof(*board.guest));
	board.fit = calloc(here * fleet->hosts + 1, sizeof(*board.fit));
	board.to = calloc(here + 1, sizeof(*board.to));
	if (board.guest && board.fit && board.to) {
		fill_board(&board);
		error = decide(&board, plan);
	}
	if (!error)
		error = board_run(&board, plan);
	if (!error)
		error = explain_stays(&board, plan);
	free(board.guest);
	free(board.fit);
	free(board.to);
	return error;
}

/* fleet_plan_release() - gives a plan back */
void fleet_plan_release(struct fleet_plan *plan)
{
	free(plan->move);
	free(plan->stay);
	free(plan->wave_ms);
	memset(plan, 0, sizeof(*plan));
}
