/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet_pack_bound.c: a number of items that no plan can exceed.
 *
 * Theory of operation. Every unit of every capacity gets a price of at least 0. Whoever may sell all that there is at these prices, and
 * gives each item that is placed 1 for its place, gets at least what any real plan places: an item that is placed pays for what it takes,
 * or is worth the difference. So for any prices (the value of all room) + (for each item, 1 less its cheapest place, where that is
 * positive) is a bound (Lagrangian relaxation of the capacities). Prices are made better step by step: what would be sold out gets dearer,
 * what nobody wants cheaper (subgradient steps, smoothed, of Polyak's length). Whatever the prices are, the bound holds: no step can make
 * it wrong.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/fleet_pack_parts.h"

#define SMOOTH 0.7      /* of the last direction that is kept */
#define PATIENCE 6      /* rounds without a better bound, then steps become shorter */
#define SHORTEST 0.002
#define BLUR 0.3        /* see struct run */

/* One run. */
struct run {
	const struct pack *pack;
	const struct pack_question *question;
	size_t cells;
	double *price;       /* where it is */
	double *direction;
	double *use;         /* what would be sold */
	double *cost;        /* [bin] of the class that is sold just now */
	double *unit;        /* [row]: the room of a bin on average: what steps are measured in */
	double blur;         /* places that cost so much more than the cheapest one are chosen too, in part */
};

/*
 * cost_of() - what a place costs at given prices
 */
static double cost_of(const struct pack *pack, size_t class, size_t bin, const double *price)
{
	const int32_t *demand = pack_demand(pack, class, bin);
	const double *at = &price[bin * pack->rows];
	double cost = 0;

	for (size_t r = 0; r < pack->rows; r++)
		cost += at[r] * demand[r];
	return cost;
}

/*
 * cheapest() - the cheapest bin of a class
 * @cost:	result
 * Return: the bin, SIZE_MAX if it fits nowhere
 */
static size_t cheapest(const struct pack *pack, size_t class, const double *price, double *cost)
{
	size_t best = SIZE_MAX;

	for (size_t b = 0; b < pack->problem->bins; b++) {
		double its;

		if (pack_demand(pack, class, b)[0] == PACK_NEVER)
			continue;
		its = cost_of(pack, class, b, price);
		if (best == SIZE_MAX || its < *cost) {
			best = b;
			*cost = its;
		}
	}
	return best;
}

/*
 * pack_worth() - what one item of a class is worth at given prices
 * Return: 1 less its cheapest place, at least 0
 */
double pack_worth(const struct pack *pack, size_t class, const double *price)
{
	double cost = 1;

	return cheapest(pack, class, price, &cost) != SIZE_MAX && cost < 1 ? 1 - cost : 0;
}

/*
 * places() - how many items of a class the room of a bin takes
 */
static double places(const struct run *run, size_t class, size_t bin)
{
	const int32_t *demand = pack_demand(run->pack, class, bin), *room = &run->question->room[bin * run->pack->rows];
	double least = (double)run->pack->items;

	for (size_t r = 0; r < run->pack->rows; r++) {
		double n = demand[r] > 0 ? (double)room[r] / demand[r] : least;

		least = n < least ? n : least;
	}
	return least;
}

/*
 * spread() - lets items of a class choose among the places that cost nearly the same: the cheapest and the roomiest most often
 *
 * Where hosts are alike, each would else wait for all others to become dearer, one after the other.
 */
static void spread(struct run *run, size_t class, double count, double least)
{
	const struct pack *pack = run->pack;
	double sum = 0, part = (1 - least) / run->blur + 0.5;

	for (size_t b = 0; b < pack->problem->bins; b++) {
		bool never = pack_demand(pack, class, b)[0] == PACK_NEVER || run->cost[b] - least >= run->blur;

		run->cost[b] = never ? 0 : (1 - (run->cost[b] - least) / run->blur) * (places(run, class, b) + 1e-3);
		sum += run->cost[b];
	}
	count *= part < 0 ? 0 : part > 1 ? 1 : part;
	for (size_t b = 0; b < pack->problem->bins; b++) {
		for (size_t r = 0; run->cost[b] > 0 && r < pack->rows; r++)
			run->use[b * pack->rows + r] += count * run->cost[b] / sum * pack_demand(pack, class, b)[r];
	}
}

/*
 * sell() - lets each item choose its cheapest place
 * Return: the bound at these prices; run->use: what was sold
 */
static double sell(struct run *run)
{
	const struct pack *pack = run->pack;
	const struct pack_question *q = run->question;
	double bound = 0;

	memset(run->use, 0, run->cells * sizeof(*run->use));
	for (size_t i = 0; i < run->cells; i++)
		bound += run->price[i] * q->room[i];
	for (size_t c = q->first; c < pack->classes; c++) {
		double count = (double)(c == q->first ? q->first_count : pack->class[c].count), least = 0;
		bool fits = false;

		for (size_t b = 0; b < pack->problem->bins; b++) {
			if (pack_demand(pack, c, b)[0] == PACK_NEVER)
				continue;
			run->cost[b] = cost_of(pack, c, b, run->price);
			least = !fits || run->cost[b] < least ? run->cost[b] : least;
			fits = true;
		}
		if (!fits)
			continue;
		bound += least < 1 ? count * (1 - least) : 0;
		if (least < 1 + run->blur / 2)
			spread(run, c, count, least);
	}
	return bound;
}

/*
 * step() - moves the prices
 * @over:	how far the bound is above the target
 * Return: whether there is a way to go
 */
static bool step(struct run *run, double over)
{
	const int32_t *room = run->question->room;
	size_t rows = run->pack->rows;
	double length = 0;

	for (size_t i = 0; i < run->cells; i++) {
		double now = (room[i] - run->use[i]) / run->unit[i % rows];

		if (run->price[i] <= 0 && now > 0)
			now = 0;
		run->direction[i] = SMOOTH * run->direction[i] + (1 - SMOOTH) * now;
		length += run->direction[i] * run->direction[i];
	}
	if (length < 1e-12)
		return false;
	for (size_t i = 0; i < run->cells; i++) {
		run->price[i] -= over / length * run->direction[i] / run->unit[i % rows];
		if (run->price[i] < 0)
			run->price[i] = 0;
	}
	return true;
}

/*
 * measure() - the room of a bin on average, for each row
 */
static void measure(struct run *run)
{
	size_t rows = run->pack->rows, bins = run->pack->problem->bins;

	for (size_t r = 0; r < rows; r++) {
		double sum = 0;

		for (size_t b = 0; b < bins; b++)
			sum += run->question->room[b * rows + r];
		run->unit[r] = sum > (double)bins ? sum / (double)bins : 1;
	}
}

/*
 * improve() - all rounds
 * @best:	the best prices so far, changed
 * Return: the best bound
 */
static double improve(struct run *run, double *best)
{
	double bound, pace = 1;
	unsigned int waited = 0;

	run->blur = BLUR;
	bound = sell(run);
	for (unsigned int round = 0; round < run->question->rounds && bound >= run->question->target && pace > SHORTEST; round++) {
		double now;

		if (!step(run, pace * (bound - run->question->target + 0.5)))
			break;
		now = sell(run);
		if (now < bound - 1e-9) {
			bound = now;
			memcpy(best, run->price, run->cells * sizeof(*best));
			waited = 0;
		} else if (++waited >= PATIENCE) {
			pace *= 0.7;
			run->blur = BLUR * pace;
			waited = 0;
			memcpy(run->price, best, run->cells * sizeof(*best));
			memset(run->direction, 0, run->cells * sizeof(*run->direction));
			(void)sell(run);
		}
	}
	return bound;
}

/*
 * pack_bound() - what cannot be exceeded
 * @pack:	problem
 * @question:	room and classes that are left, and when it is enough
 * @price:	where to begin; the best that were found
 * Return: the number, not rounded; less than 0 without memory
 */
double pack_bound(const struct pack *pack, const struct pack_question *question, double *price)
{
	struct run run = { .pack = pack, .question = question, .cells = pack->problem->bins * pack->rows };
	double bound = -1;

	run.price = calloc(run.cells + 1, sizeof(*run.price));
	run.direction = calloc(run.cells + 1, sizeof(*run.direction));
	run.use = calloc(run.cells + 1, sizeof(*run.use));
	run.cost = calloc(pack->problem->bins + 1, sizeof(*run.cost));
	run.unit = calloc(pack->rows, sizeof(*run.unit));
	if (run.price && run.direction && run.use && run.cost && run.unit) {
		measure(&run);
		memcpy(run.price, price, run.cells * sizeof(*price));
		bound = improve(&run, price);
	}
	free(run.price);
	free(run.direction);
	free(run.use);
	free(run.cost);
	free(run.unit);
	return bound;
}
