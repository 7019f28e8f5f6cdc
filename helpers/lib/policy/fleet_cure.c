/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet_cure.c: why a guest stays where it is, and what is the least that would let it go.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/fleet_plan_parts.h"

/*
 * board_left() - free VFs for a guest that fits, once the moves of a plan are made
 */
unsigned int board_left(const struct fleet_board *board, const struct fleet_plan *plan, const struct fleet_fit *fit, size_t host)
{
	unsigned int left = 0;
	uint16_t all = 0;

	for (size_t i = 0; i < fit->vfs; i++)
		all |= fit->mask[i];
	for (size_t pf = 0; pf < board->fleet->host[host].inventory->pfs; pf++)
		left += all & 1u << pf ? fleet_free_vfs(board->fleet, host, pf) : 0;
	for (size_t i = 0; i < plan->moves; i++) {
		unsigned int theirs = (unsigned int)board->fleet->guest[plan->move[i].guest].vfs.vfs;

		if (plan->move[i].to == host)
			left -= theirs < left ? theirs : left;
	}
	return left;
}

/* memory_left() - free memory in MiB, likewise */
static int64_t memory_left(const struct fleet_board *board, const struct fleet_plan *plan, size_t host)
{
	int64_t left = fleet_free_memory(board->fleet, host);

	for (size_t i = 0; i < plan->moves; i++) {
		if (plan->move[i].to == host)
			left -= board->fleet->guest[plan->move[i].guest].machine.memory;
	}
	return left;
}

/* What a host lacks. */
struct lack {
	size_t host;
	unsigned int cost;     /* the greater, the dearer the cure */
	unsigned int vfs;
	int64_t memory;
	enum fleet_need need;
};

/*
 * lack_of() - what a host lacks for a guest
 */
static struct lack lack_of(const struct fleet_board *board, const struct fleet_plan *plan, size_t k, size_t host)
{
	static const unsigned int price[FLEET_NEEDS] = { [NEED_OPEN] = 3, [NEED_PREPARE] = 100, [NEED_NETWORK] = 200, [NEED_FLASH] = 1000,
							 [NEED_MACHINE] = 3000, [NEED_POOL] = 150, [NEED_OTHER] = 4000, [NEED_CARD] = 5000,
							 [NEED_GUEST] = 6000 };
	const struct fleet_fit *fit = board_fit(board, k, host);
	const struct fleet_guest *g = &board->fleet->guest[board->guest[k]];
	struct lack lack = { .host = host, .need = fit->need, .cost = price[fit->need] };
	unsigned int left;

	if (fit->need != NEED_NOTHING)
		return lack;
	left = board_left(board, plan, fit, host);
	lack.vfs = fit->vfs > left ? fit->vfs - left : 0;
	lack.memory = (int64_t)g->machine.memory - memory_left(board, plan, host);
	lack.cost = 2 * lack.vfs + (lack.memory > 0 ? 20 : 0) + 1;
	return lack;
}

/*
 * is_alone() - whether the guest has a comrade of its group on a host, or on its way there
 */
static bool has_comrade(const struct fleet_board *board, const struct fleet_plan *plan, size_t k, size_t host)
{
	const struct fleet *fleet = board->fleet;
	int group = fleet->guest[board->guest[k]].group;

	for (size_t g = 0; group >= 0 && g < fleet->guests; g++) {
		if (fleet->guest[g].group == group && fleet->guest[g].host == host && g != board->guest[k])
			return true;
	}
	for (size_t i = 0; group >= 0 && i < plan->moves; i++) {
		if (plan->move[i].to == host && fleet->guest[plan->move[i].guest].group == group)
			return true;
	}
	return false;
}

/*
 * find_mover() - a guest of a full host that could go to a third one and so makes room
 * Return: its number, FLEET_NOWHERE; *to: where it could go
 */
static size_t find_mover(const struct fleet_board *board, const struct fleet_plan *plan, const struct lack *lack, size_t *to)
{
	const struct fleet *fleet = board->fleet;
	struct fleet_question question = { 0 };

	for (size_t g = 0; lack->vfs && lack->memory <= 0 && g < fleet->guests; g++) {
		if (fleet->guest[g].host != lack->host || fleet->guest[g].vfs.vfs < lack->vfs)
			continue;
		for (size_t h = 0; h < fleet->hosts; h++) {
			struct fleet_fit fit;

			if (h == board->task->from)
				continue;
			fit = fleet_judge(fleet, g, h, &question, NULL);
			*to = h;
			if (fit.need == NEED_NOTHING && board_left(board, plan, &fit, h) >= fit.vfs &&
			    memory_left(board, plan, h) >= (int64_t)fleet->guest[g].machine.memory)
				return g;
		}
	}
	return FLEET_NOWHERE;
}

/*
 * say_lack() - the sentence and the cure where a host has too little
 */
static void say_lack(const struct fleet_board *board, const struct fleet_plan *plan, const struct lack *lack, struct reason *why)
{
	const struct fleet *fleet = board->fleet;
	const char *host = fleet->host[lack->host].name;
	size_t to = 0, mover = find_mover(board, plan, lack, &to);

	if (lack->vfs) {
		reason_set(why, -ENOSPC, NULL, "every host that would take it is full; %s lacks %u free VF%s", host, lack->vfs,
			   lack->vfs == 1 ? "" : "s");
		if (mover == FLEET_NOWHERE)
			reason_cure(why, "free %u VF%s on %s", lack->vfs, lack->vfs == 1 ? "" : "s", host);
		else
			reason_cure(why, "move %s from %s to %s first", fleet->guest[mover].name, host, fleet->host[to].name);
	} else if (lack->memory > 0) {
		reason_set(why, -ENOSPC, NULL, "every host that would take it is full; %s lacks %lld MiB of memory", host,
			   (long long)lack->memory);
		reason_cure(why, "free that memory on %s", host);
	} else {
		reason_set(why, -ENOSPC, NULL, "the hosts that would take it are needed for others, or have a guest of its group");
		reason_cure(why, "let another host take arrivals");
	}
}

/*
 * board_explain() - why a guest stays
 * @k:		its number on the board
 * @stay:	result
 */
void board_explain(const struct fleet_board *board, const struct fleet_plan *plan, size_t k, struct fleet_stay *stay)
{
	const struct fleet *fleet = board->fleet;
	struct fleet_question question = { .any_firmware = board->task->any_firmware, .start = board->task->start };
	struct lack best = { .host = FLEET_NOWHERE };
	struct reason why = { 0 };

	*stay = (struct fleet_stay){ .guest = board->guest[k] };
	for (size_t h = 0; h < fleet->hosts; h++) {
		struct lack lack;

		if (board_fit(board, k, h)->need == NEED_HERE)
			continue;
		lack = lack_of(board, plan, k, h);
		stay->somewhere |= lack.need == NEED_NOTHING;
		if (best.host == FLEET_NOWHERE || lack.cost < best.cost)
			best = lack;
	}
	if (best.host == FLEET_NOWHERE) {
		reason_set(&stay->why, -ENODEV, NULL, "there is no other host");
		reason_cure(&stay->why, "name more hosts");
		return;
	}
	if (best.need == NEED_NOTHING) {
		if (has_comrade(board, plan, k, best.host))
			best.vfs = 0, best.memory = 0;
		say_lack(board, plan, &best, &stay->why);
		return;
	}
	(void)fleet_judge(fleet, board->guest[k], best.host, &question, &why);
	reason_set(&stay->why, -EPERM, NULL, "%s; %s: %.200s%s%.240s",
		   stay->somewhere ? "every host that would take it is full" : "no host can take it", fleet->host[best.host].name, why.object,
		   *why.object ? ": " : "", why.what);
	reason_cure(&stay->why, "%s", why.cure);
	reason_rule(&stay->why, why.rule);
}
