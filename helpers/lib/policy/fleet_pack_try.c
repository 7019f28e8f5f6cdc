/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet_pack_try.c: plans that are good, by rules of thumb: several orders of the items, each into the bin that it leaves fullest; then
 * items that were left out get a place for which another one moves, or two get the place of one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/fleet_pack_parts.h"

#define ORDERS 12 /* that are tried: two fixed ones, the others by chance */
#define WHOLE 1e-6

/* A plan that is being made. */
struct plan {
	const struct pack *pack;
	int32_t *room;
	int *bin;          /* [item] */
	size_t placed;
};

/* An item and where it comes in the order. */
struct turn {
	double key;
	size_t item;
};

/* Orders turns, for qsort(3). */
static int compare_turns(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	if (x->key < y->key || x->key > y->key)
		return x->key < y->key ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

/*
 * slack() - how much is left of the scarcest capacity of a bin once an item of a class is in it, as a part of what it had
 */
static double slack(const struct pack *pack, const int32_t *room, size_t class, size_t bin)
{
	const int32_t *demand = pack_demand(pack, class, bin);
	double least = 1;

	for (size_t r = 0; r < pack->rows; r++) {
		int32_t all = pack->room[bin * pack->rows + r];
		double left = all > 0 ? (double)(room[bin * pack->rows + r] - demand[r]) / all : 1;

		if (left < least)
			least = left;
	}
	return least;
}

/*
 * best_bin() - where an item of a class goes: where it leaves least, what is disliked last
 * @except:	a bin that is not asked, -1 none
 * Return: the bin, -1 none has room
 */
static int best_bin(const struct plan *plan, size_t item, int except)
{
	const struct pack_problem *p = plan->pack->problem;
	size_t class = plan->pack->class_of[item];
	double least = 0;
	int best = -1;

	for (size_t b = 0; b < p->bins; b++) {
		double left;

		if ((int)b == except || !pack_fits(plan->pack, plan->room, class, b))
			continue;
		left = slack(plan->pack, plan->room, class, b) + (p->dislike ? p->dislike[item * p->bins + b] : 0);
		if (best < 0 || left < least) {
			best = (int)b;
			least = left;
		}
	}
	return best;
}

/* set() - puts an item into a bin, -1: nowhere */
static void set(struct plan *plan, size_t item, int bin)
{
	size_t class = plan->pack->class_of[item];

	if (plan->bin[item] >= 0) {
		pack_put(plan->pack, plan->room, class, (size_t)plan->bin[item], -1);
		plan->placed--;
	}
	plan->bin[item] = bin;
	if (bin >= 0) {
		pack_put(plan->pack, plan->room, class, (size_t)bin, 1);
		plan->placed++;
	}
}

/*
 * make_room() - gives an item a place in a bin by moving one that is there to another bin
 * Return: whether it has one now
 */
static bool make_room(struct plan *plan, size_t item, int bin)
{
	const struct pack *pack = plan->pack;

	for (size_t i = 0; i < pack->problem->items; i++) {
		bool fits;
		int other;

		if (plan->bin[i] != bin)
			continue;
		set(plan, i, -1);
		fits = pack_fits(pack, plan->room, pack->class_of[item], (size_t)bin);
		other = fits ? best_bin(plan, i, bin) : -1;
		set(plan, i, other >= 0 ? other : bin);
		if (other < 0)
			continue;
		set(plan, item, bin);
		return true;
	}
	return false;
}

/*
 * two_for_one() - takes an item out for which two that are left out have room
 * Return: whether there are two
 */
static bool two_for_one(struct plan *plan, size_t item)
{
	const struct pack *pack = plan->pack;
	size_t items = pack->problem->items, first = SIZE_MAX;
	int bin = plan->bin[item];

	set(plan, item, -1);
	for (size_t i = 0; i < items; i++) {
		int where = i != item && plan->bin[i] < 0 && pack->class_of[i] != SIZE_MAX ? best_bin(plan, i, -1) : -1;

		if (where < 0)
			continue;
		set(plan, i, where);
		if (first != SIZE_MAX)
			return true;
		first = i;
	}
	if (first != SIZE_MAX)
		set(plan, first, -1);
	set(plan, item, bin);
	return false;
}

/*
 * mend() - gives items that were left out a place
 */
static void mend(struct plan *plan)
{
	const struct pack_problem *p = plan->pack->problem;
	bool better = true;

	while (better && plan->placed < plan->pack->items) {
		better = false;
		for (size_t i = 0; i < p->items; i++) {
			size_t class = plan->pack->class_of[i];

			for (size_t b = 0; class != SIZE_MAX && plan->bin[i] < 0 && b < p->bins; b++) {
				if (pack_demand(plan->pack, class, b)[0] != PACK_NEVER)
					better |= make_room(plan, i, (int)b);
			}
		}
		for (size_t i = 0; !better && i < p->items; i++)
			better = plan->bin[i] >= 0 && plan->placed < plan->pack->items && two_for_one(plan, i);
	}
}

/* chance() - a number from 0 to 1 that is the same at each run (a linear congruential generator) */
static double chance(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(*state >> 11) / (double)(UINT64_C(1) << 53);
}

/* clear() - an empty plan */
static void clear(struct plan *plan)
{
	memcpy(plan->room, plan->pack->room, plan->pack->problem->bins * plan->pack->rows * sizeof(*plan->room));
	plan->placed = 0;
	for (size_t i = 0; i < plan->pack->problem->items; i++)
		plan->bin[i] = -1;
}

/*
 * begin_with_shares() - where items would go if they could be divided, as far as that is whole items
 * @taken:	[class * bins + bin], room for all
 */
static void begin_with_shares(struct plan *plan, size_t *taken)
{
	const struct pack *pack = plan->pack;
	size_t bins = pack->problem->bins;

	for (size_t i = 0; i < pack->problem->items; i++) {
		size_t class = pack->class_of[i];

		for (size_t b = 0; class != SIZE_MAX && plan->bin[i] < 0 && b < bins; b++) {
			size_t whole = (size_t)(pack->share[class * bins + b] + WHOLE);

			if (taken[class * bins + b] >= whole || !pack_fits(pack, plan->room, class, b))
				continue;
			taken[class * bins + b]++;
			set(plan, i, (int)b);
		}
	}
}

/*
 * one_order() - one plan
 * @order:	0: the largest items first; 1: the smallest first; else nearly so
 */
static void one_order(struct plan *plan, unsigned int order, struct turn *turn, uint64_t *state)
{
	const struct pack *pack = plan->pack;
	size_t turns = 0;

	for (size_t i = 0; i < pack->problem->items; i++) {
		double size;

		if (pack->class_of[i] == SIZE_MAX || plan->bin[i] >= 0)
			continue;
		size = pack->class[pack->class_of[i]].size * (order < 2 ? 1 : 0.6 + 0.8 * chance(state));
		turn[turns++] = (struct turn){ order % 2 ? size : -size, i };
	}
	qsort(turn, turns, sizeof(*turn), compare_turns);
	for (size_t i = 0; i < turns; i++)
		set(plan, turn[i].item, best_bin(plan, turn[i].item, -1));
	mend(plan);
}

/*
 * try_all() - all orders; the best plan into bin
 */
static size_t try_all(struct plan *plan, struct turn *turn, int *bin)
{
	size_t items = plan->pack->problem->items, cells = plan->pack->classes * plan->pack->problem->bins, best = 0;
	size_t *taken = calloc(cells + 1, sizeof(*taken));
	uint64_t state = 1;

	for (unsigned int order = 0; order < 2 * ORDERS && (!order || best < plan->pack->items); order++) {
		clear(plan);
		if (order % 2 == 0 && taken) {
			memset(taken, 0, cells * sizeof(*taken));
			begin_with_shares(plan, taken);
		}
		one_order(plan, order / 2, turn, &state);
		if (order && plan->placed <= best)
			continue;
		best = plan->placed;
		memcpy(bin, plan->bin, items * sizeof(*bin));
	}
	free(taken);
	return best;
}

/*
 * pack_try() - a good plan
 * @bin:	[items], result
 * Return: items placed, -ENOMEM
 */
long pack_try(const struct pack *pack, int *bin)
{
	struct plan plan = { .pack = pack };
	struct turn *turn = calloc(pack->problem->items + 1, sizeof(*turn));
	long placed = -ENOMEM;

	plan.room = calloc(pack->problem->bins * pack->rows + 1, sizeof(*plan.room));
	plan.bin = calloc(pack->problem->items + 1, sizeof(*plan.bin));
	if (turn && plan.room && plan.bin)
		placed = (long)try_all(&plan, turn, bin);
	free(turn);
	free(plan.room);
	free(plan.bin);
	return placed;
}

/* dislike() - how much an item dislikes its place */
static int dislike(const struct plan *plan, size_t item, int bin)
{
	const struct pack_problem *p = plan->pack->problem;

	return bin < 0 ? 0 : p->dislike[item * p->bins + (size_t)bin];
}

/*
 * exchange() - lets two items exchange their places if both together like that better
 * Return: whether they did
 */
static bool exchange(struct plan *plan, size_t a, size_t b)
{
	int x = plan->bin[a], y = plan->bin[b];

	if (x < 0 || y < 0 || x == y || dislike(plan, a, y) + dislike(plan, b, x) >= dislike(plan, a, x) + dislike(plan, b, y))
		return false;
	set(plan, a, -1);
	set(plan, b, -1);
	if (pack_fits(plan->pack, plan->room, plan->pack->class_of[a], (size_t)y)) {
		set(plan, a, y);
		if (pack_fits(plan->pack, plan->room, plan->pack->class_of[b], (size_t)x)) {
			set(plan, b, x);
			return true;
		}
		set(plan, a, -1);
	}
	set(plan, a, x);
	set(plan, b, y);
	return false;
}

/*
 * please() - moves and exchanges until nothing is better
 */
static void please(struct plan *plan)
{
	const struct pack_problem *p = plan->pack->problem;

	for (size_t i = 0; i < p->items; i++) {
		size_t class = plan->pack->class_of[i];

		for (size_t b = 0; plan->bin[i] >= 0 && b < p->bins; b++) {
			if (p->dislike[i * p->bins + b] < dislike(plan, i, plan->bin[i]) && pack_fits(plan->pack, plan->room, class, b))
				set(plan, i, (int)b);
		}
		for (size_t k = 0; plan->bin[i] >= 0 && dislike(plan, i, plan->bin[i]) && k < p->items; k++)
			(void)exchange(plan, i, k);
	}
}

/*
 * pack_please() - fewer disliked places for the items that are placed
 * @bin:	[items], changed
 */
void pack_please(const struct pack *pack, int *bin)
{
	const struct pack_problem *p = pack->problem;
	size_t cells = p->bins * pack->rows;
	struct plan plan = { .pack = pack, .bin = bin, .room = calloc(cells + 1, sizeof(*plan.room)) };

	if (!plan.room || !p->dislike) {
		free(plan.room);
		return;
	}
	memcpy(plan.room, pack->room, cells * sizeof(*plan.room));
	for (size_t i = 0; i < p->items; i++) {
		if (bin[i] >= 0)
			pack_put(pack, plan.room, pack->class_of[i], (size_t)bin[i], 1);
	}
	please(&plan);
	free(plan.room);
}
