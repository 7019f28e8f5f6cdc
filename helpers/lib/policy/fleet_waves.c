/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet_waves.c: in which order guests go: the hooks' own placement runs through the plan, wave by wave.
 *
 * A guest joins a wave if its VFs have slots on the PFs that they leave, and if the hook of its destination, which sees all that came
 * before, would give it VFs at once. What the packing did not see, such as which PF a hook prefers, comes out here and not on the night.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/arrival.h"
#include "policy/fleet_plan_parts.h"
#include "policy/rules.h"

/* A host as it will be. */
struct stage {
	struct status_list running;
	size_t before;               /* guests that are there now */
};

/* The run. */
struct run {
	struct fleet_board *board;
	struct fleet_plan *plan;
	struct stage *stage;         /* [host] */
	unsigned int out[INVENTORY_MAX_PFS]; /* VFs of each PF of the source that leave in this wave */
	bool *gone;                  /* [guest of the board] */
	size_t *order;               /* guests of the board, the largest first */
	struct arrival_room *room;
};

/* What one arrival needs: too large for the stack. */
struct arrival_room {
	struct domain domain;
	struct passport_vf passport[GUEST_MAX_VFS];
	struct guest there;
};

/* pf_number() - the number of the PF that a VF of a guest leaves; the last one if it is not known */
static size_t pf_number(const struct inventory *from, const struct guest_vf *vf)
{
	for (size_t i = 0; i < from->pfs; i++) {
		if (vf->has_source_pf && pci_address_equal(&from->pf[i].address, &vf->source_pf))
			return i;
	}
	return INVENTORY_MAX_PFS - 1;
}

/*
 * count_out() - VFs that a guest has of each PF that it leaves
 */
static void count_out(const struct fleet *fleet, size_t guest, unsigned int out[INVENTORY_MAX_PFS])
{
	const struct fleet_guest *g = &fleet->guest[guest];

	memset(out, 0, INVENTORY_MAX_PFS * sizeof(*out));
	for (size_t i = 0; i < g->vfs.vfs; i++)
		out[pf_number(fleet->host[g->host].inventory, &g->vfs.vf[i])]++;
}

/*
 * has_slots() - whether the PFs that a guest leaves have slots for it in this wave
 */
static bool has_slots(const struct run *run, size_t guest)
{
	const struct fleet *fleet = run->board->fleet;
	unsigned int own[INVENTORY_MAX_PFS];

	count_out(fleet, guest, own);
	for (size_t i = 0; i < INVENTORY_MAX_PFS; i++) {
		if (own[i] > rules_slots_left(fleet->config, run->out[i]))
			return false;
	}
	return true;
}

/*
 * arrive() - asks the hook of the destination, as that host will be
 * Return: 0, -EBUSY (a slot), other negative errno with *why
 */
static int arrive(struct run *run, size_t guest, size_t host, struct reason *why)
{
	const struct fleet *fleet = run->board->fleet;
	const struct fleet_guest *g = &fleet->guest[guest];
	struct arrival_room *room = run->room;
	struct arrival arrival = { .config = fleet->config, .domain = &room->domain, .to = fleet->host[host].inventory,
				   .running = &run->stage[host].running, .leases = fleet->host[host].leases };
	struct placement placement;
	int error;

	room->there.vfs = 0;
	if (!g->vfs.vfs || !g->domain || run->board->task->start)
		return 0;
	free(room->domain.hostdev);
	room->domain = *g->domain;
	room->domain.hostdev = calloc(g->domain->hostdevs + 1, sizeof(*room->domain.hostdev));
	if (!room->domain.hostdev)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	memcpy(room->domain.hostdev, g->domain->hostdev, g->domain->hostdevs * sizeof(*room->domain.hostdev));
	arrival_write(&g->vfs, fleet->host[g->host].inventory, room->passport, &room->domain);
	error = arrival_judge(&arrival, &room->there, why);
	placement = arrival_placement(&arrival);
	return error ? error : placement_choose(&placement, &room->there, why);
}

/*
 * settle() - lets a guest be on its way to a host, with the VFs that it was given
 * Return: 0, -ENOMEM
 */
static int settle(struct run *run, size_t guest, size_t host)
{
	const struct fleet_guest *g = &run->board->fleet->guest[guest];
	struct status_list *list = &run->stage[host].running;
	struct status *status = &list->status[list->count];
	const struct guest *there = &run->room->there;

	*status = (struct status){ .job = STATUS_MIGRATION_IN };
	snprintf(status->uuid, sizeof(status->uuid), "%s", g->uuid);
	snprintf(status->name, sizeof(status->name), "%s", g->name);
	status->device = calloc(there->vfs + 1, sizeof(*status->device));
	if (!status->device)
		return -ENOMEM;
	for (size_t i = 0; i < there->vfs; i++)
		status->device[status->devices++] = there->vf[i].address;
	list->count++;
	return 0;
}

/*
 * check_return() - whether a guest could come back
 */
static void check_return(const struct run *run, struct fleet_move *move)
{
	const struct fleet *fleet = run->board->fleet;
	struct fleet_guest there = fleet->guest[move->guest];
	struct fleet one = *fleet;
	struct fleet_host *hosts;
	struct fleet_fit fit;

	there.host = move->to;
	if (run->room->there.vfs)
		there.vfs = run->room->there;
	one.guest = &there;
	one.guests = 1;
	hosts = calloc(fleet->hosts, sizeof(*hosts));
	move->returns = hosts != NULL;
	if (!hosts)
		return;
	memcpy(hosts, fleet->host, fleet->hosts * sizeof(*hosts));
	hosts[move->from].is_closed = false; /* it is, for the time of the maintenance */
	one.host = hosts;
	fit = fleet_judge(&one, 0, move->from, &(struct fleet_question){ .start = run->board->task->start }, &move->why_not);
	move->returns = fit.need == NEED_NOTHING;
	free(hosts);
}

/*
 * list_others() - the hosts that are tried when the first one refuses
 */
static void list_others(const struct run *run, size_t k, struct fleet_move *move)
{
	for (size_t h = 0; h < run->board->fleet->hosts && move->others < FLEET_OTHERS; h++) {
		const struct fleet_fit *fit = board_fit(run->board, k, h);

		if (h != move->to && fit->need == NEED_NOTHING && board_left(run->board, run->plan, fit, h) >= fit->vfs)
			move->other[move->others++] = h;
	}
}

/*
 * join() - lets a guest join the wave
 * Return: 0, -ENOMEM
 */
static int join(struct run *run, size_t k, unsigned int wave)
{
	struct fleet_board *board = run->board;
	size_t guest = board->guest[k];
	struct fleet_move *move = &run->plan->move[run->plan->moves];
	unsigned int own[INVENTORY_MAX_PFS];

	*move = (struct fleet_move){ .guest = guest, .from = board->task->from, .to = board->to[k], .wave = wave,
				     .ms = fleet_move_time(board->fleet, guest) };
	check_return(run, move);
	run->plan->moves++;
	run->gone[k] = true;
	count_out(board->fleet, guest, own);
	for (size_t i = 0; i < INVENTORY_MAX_PFS; i++)
		run->out[i] += own[i];
	return settle(run, guest, board->to[k]);
}

/*
 * end_wave() - all that was on its way has arrived
 */
static void end_wave(struct run *run)
{
	memset(run->out, 0, sizeof(run->out));
	for (size_t h = 0; h < run->board->fleet->hosts; h++) {
		struct status_list *list = &run->stage[h].running;

		for (size_t i = 0; i < list->count; i++)
			list->status[i].job = STATUS_NO_JOB;
	}
}

/*
 * one_wave() - all guests that can go now
 * Return: how many went, -ENOMEM
 */
static long one_wave(struct run *run, unsigned int wave)
{
	struct fleet_board *board = run->board;
	long went = 0;

	for (size_t n = 0; n < board->guests; n++) {
		size_t k = run->order[n];
		struct reason why = { 0 };

		if (run->gone[k] || board->to[k] == FLEET_NOWHERE || (!board->task->start && !has_slots(run, board->guest[k])) ||
		    arrive(run, board->guest[k], board->to[k], &why))
			continue;
		if (join(run, k, wave))
			return -ENOMEM;
		went++;
	}
	end_wave(run);
	return went;
}

/*
 * send_elsewhere() - where the hook of a destination would after all not take a guest: another host, or none
 */
static void send_elsewhere(struct run *run)
{
	struct fleet_board *board = run->board;

	for (size_t k = 0; k < board->guests; k++) {
		struct reason why = { 0 };
		size_t to = FLEET_NOWHERE;

		if (run->gone[k] || board->to[k] == FLEET_NOWHERE)
			continue;
		for (size_t h = 0; to == FLEET_NOWHERE && h < board->fleet->hosts; h++) {
			if (h != board->to[k] && board_fit(board, k, h)->need == NEED_NOTHING && !arrive(run, board->guest[k], h, &why) &&
			    board_left(board, run->plan, board_fit(board, k, h), h) >= board_fit(board, k, h)->vfs)
				to = h;
		}
		board->to[k] = to;
	}
}

/*
 * waves() - wave after wave
 * Return: 0, -ENOMEM
 */
static int waves(struct run *run)
{
	bool elsewhere = false;

	for (unsigned int wave = 1;; wave++) {
		long went = one_wave(run, wave);

		if (went < 0)
			return -ENOMEM;
		if (went > 0) {
			run->plan->waves = wave;
			elsewhere = false;
			continue;
		}
		if (elsewhere)
			break;
		send_elsewhere(run);
		elsewhere = true;
		wave = run->plan->waves;
	}
	for (size_t k = 0; k < run->board->guests; k++) {
		if (!run->gone[k])
			run->board->to[k] = FLEET_NOWHERE;
	}
	return 0;
}

/* ---- How few, how long --------------------------------------------------------------------------------------------------------- */

/*
 * fewest_waves() - the fewest waves that one PF of the source needs: guests of 1 to 4 VFs into waves of 4 slots, the largest first, which
 * is the best there for so small numbers
 */
static unsigned int fewest_waves(const struct run *run, size_t pf, unsigned int *room)
{
	const struct fleet *fleet = run->board->fleet;
	unsigned int count = 0;

	for (size_t n = 0; n < run->board->guests; n++) {
		size_t k = run->order[n];
		unsigned int own[INVENTORY_MAX_PFS], w = 0;

		if (!run->gone[k])
			continue;
		count_out(fleet, run->board->guest[k], own);
		while (own[pf] && w < count && room[w] < own[pf])
			w++;
		if (own[pf] && w == count)
			room[count++] = rules_slots_left(fleet->config, 0);
		if (own[pf])
			room[w] -= own[pf] < room[w] ? own[pf] : room[w];
	}
	return count;
}

/*
 * fleet_move_time() - what the move of a guest takes: what its last one took, else by its memory
 * Return: ms, 0 unknown
 */
int64_t fleet_move_time(const struct fleet *fleet, size_t guest)
{
	const struct fleet_guest *g = &fleet->guest[guest];

	return g->ms ? g->ms : (int64_t)(fleet->ms_per_mib * g->machine.memory);
}

/*
 * sum_up() - bounds and times. The guests of a wave share one link, so their times are added.
 * Return: 0, -ENOMEM
 */
static int sum_up(struct run *run)
{
	struct fleet_plan *plan = run->plan;
	unsigned int *room = calloc(run->board->guests + 1, sizeof(*room));
	bool known = true;

	plan->wave_ms = calloc(plan->waves + 1, sizeof(*plan->wave_ms));
	if (!plan->wave_ms || !room) {
		free(room);
		return -ENOMEM;
	}
	plan->waves_bound = plan->waves ? 1 : 0;
	for (size_t pf = 0; pf < INVENTORY_MAX_PFS; pf++) {
		unsigned int fewest = fewest_waves(run, pf, room);

		plan->waves_bound = fewest > plan->waves_bound ? fewest : plan->waves_bound;
	}
	free(room);
	for (size_t i = 0; i < plan->moves; i++) {
		plan->wave_ms[plan->move[i].wave - 1] += plan->move[i].ms;
		known &= plan->move[i].ms > 0;
		plan->ms += plan->move[i].ms;
	}
	plan->ms = known ? plan->ms : 0;
	return 0;
}

/* A guest of the board and how large it is. */
struct rank {
	size_t vfs, k;
	int64_t ms;
};

/* Orders ranks, for qsort(3): the most VFs first, then the longest move. */
static int compare_ranks(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	if (x->vfs != y->vfs)
		return x->vfs > y->vfs ? -1 : 1;
	if (x->ms != y->ms)
		return x->ms > y->ms ? -1 : 1;
	return x->k < y->k ? -1 : x->k > y->k;
}

/*
 * sort_guests() - the order in which guests are asked
 * Return: 0, -ENOMEM
 */
static int sort_guests(struct run *run)
{
	struct fleet_board *board = run->board;
	struct rank *rank = calloc(board->guests + 1, sizeof(*rank));

	if (!rank)
		return -ENOMEM;
	for (size_t k = 0; k < board->guests; k++)
		rank[k] = (struct rank){ board->fleet->guest[board->guest[k]].vfs.vfs, k, fleet_move_time(board->fleet, board->guest[k]) };
	qsort(rank, board->guests, sizeof(*rank), compare_ranks);
	for (size_t k = 0; k < board->guests; k++)
		run->order[k] = rank[k].k;
	free(rank);
	return 0;
}

/*
 * set_stage() - the hosts as they are now, with room for all that may come
 * Return: 0, -ENOMEM
 */
static int set_stage(struct run *run)
{
	const struct fleet *fleet = run->board->fleet;

	for (size_t h = 0; h < fleet->hosts; h++) {
		const struct status_list *now = fleet->host[h].running;
		struct stage *stage = &run->stage[h];

		stage->running.status = calloc(now->count + run->board->guests + 1, sizeof(*now->status));
		if (!stage->running.status)
			return -ENOMEM;
		memcpy(stage->running.status, now->status, now->count * sizeof(*now->status));
		stage->running.count = stage->before = now->count;
	}
	return 0;
}

/* clear_stage() - gives it back */
static void clear_stage(struct run *run)
{
	for (size_t h = 0; run->stage && h < run->board->fleet->hosts; h++) {
		struct stage *stage = &run->stage[h];

		for (size_t i = stage->before; i < stage->running.count; i++)
			free(stage->running.status[i].device);
		free(stage->running.status);
	}
	free(run->stage);
}

/*
 * perform() - all of it
 * Return: 0, -ENOMEM
 */
static int perform(struct run *run)
{
	int error = set_stage(run);

	if (!error)
		error = sort_guests(run);
	if (!error)
		error = waves(run);
	if (!error)
		error = sum_up(run);
	for (size_t i = 0; !error && i < run->plan->moves; i++) {
		for (size_t k = 0; k < run->board->guests; k++) {
			if (run->board->guest[k] == run->plan->move[i].guest)
				list_others(run, k, &run->plan->move[i]);
		}
	}
	return error;
}

/*
 * board_run() - lets the hooks' placement run through the plan
 * @board:	where each guest is to go; changed where a hook would not take one
 * @plan:	moves, waves, times
 * Return: 0, -ENOMEM
 */
int board_run(struct fleet_board *board, struct fleet_plan *plan)
{
	struct run run = { .board = board, .plan = plan, .stage = calloc(board->fleet->hosts + 1, sizeof(*run.stage)),
			   .gone = calloc(board->guests + 1, sizeof(*run.gone)), .order = calloc(board->guests + 1, sizeof(*run.order)),
			   .room = calloc(1, sizeof(*run.room)) };
	int error = -ENOMEM;

	plan->move = calloc(board->guests + 1, sizeof(*plan->move));
	if (run.stage && run.gone && run.order && run.room && plan->move)
		error = perform(&run);
	clear_stage(&run);
	if (run.room)
		free(run.room->domain.hostdev);
	free(run.room);
	free(run.gone);
	free(run.order);
	return error;
}
