/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet_pack_split.c: takes a packing problem apart: islands of bins that no item can choose between are problems of their own, and far
 * easier one by one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/fleet_pack_parts.h"

/* One island as a problem of its own. */
struct island {
	size_t *item, *bin;    /* numbers in the whole problem */
	int32_t *capacity, *demand;
	uint8_t *dislike;
	int *chosen;
	struct pack_problem problem;
};

/* can_go() - whether an item may go into a bin at all */
static bool can_go(const struct pack_problem *p, size_t item, size_t bin)
{
	return p->demand[(item * p->bins + bin) * p->rows] != PACK_NEVER;
}

/* root_of() - the bin that stands for the island of a bin */
static size_t root_of(const size_t *up, size_t bin)
{
	while (up[bin] != bin)
		bin = up[bin];
	return bin;
}

/*
 * join() - joins the bins that an item can choose between
 */
static void join(const struct pack_problem *p, size_t item, size_t *up)
{
	size_t first = SIZE_MAX;

	for (size_t b = 0; b < p->bins; b++) {
		if (!can_go(p, item, b))
			continue;
		if (first == SIZE_MAX)
			first = b;
		up[root_of(up, b)] = root_of(up, first);
	}
}

/*
 * gather() - the bins of an island and the items that can go there
 */
static void gather(const struct pack_problem *p, const size_t *up, size_t root, struct island *island)
{
	island->problem = (struct pack_problem){ .rows = p->rows, .capacity = island->capacity, .demand = island->demand,
						 .dislike = p->dislike ? island->dislike : NULL, .effort = p->effort };
	for (size_t b = 0; b < p->bins; b++) {
		if (root_of(up, b) == root)
			island->bin[island->problem.bins++] = b;
	}
	for (size_t i = 0; i < p->items; i++) {
		bool here = false;

		for (size_t b = 0; !here && b < island->problem.bins; b++)
			here = can_go(p, i, island->bin[b]);
		if (here)
			island->item[island->problem.items++] = i;
	}
}

/*
 * copy() - what the items of an island need, and what its bins have
 */
static void copy(const struct pack_problem *p, struct island *island)
{
	size_t bins = island->problem.bins;

	for (size_t b = 0; b < bins; b++)
		memcpy(&island->capacity[b * p->rows], &p->capacity[island->bin[b] * p->rows], p->rows * sizeof(*p->capacity));
	for (size_t i = 0; i < island->problem.items; i++) {
		for (size_t b = 0; b < bins; b++) {
			size_t whole = island->item[i] * p->bins + island->bin[b];

			memcpy(&island->demand[(i * bins + b) * p->rows], &p->demand[whole * p->rows], p->rows * sizeof(*p->demand));
			if (p->dislike)
				island->dislike[i * bins + b] = p->dislike[whole];
		}
	}
}

/*
 * solve_island() - one island, into the whole result
 * Return: 0, -ENOMEM
 */
static int solve_island(const struct pack_problem *p, const size_t *up, size_t root, struct island *island, struct pack_result *result)
{
	struct pack_result part = { .bin = island->chosen };
	int error;

	gather(p, up, root, island);
	if (!island->problem.items)
		return 0;
	copy(p, island);
	error = pack_solve_part(&island->problem, &part);
	if (error)
		return error;
	for (size_t i = 0; i < island->problem.items; i++)
		result->bin[island->item[i]] = part.bin[i] < 0 ? -1 : (int)island->bin[part.bin[i]];
	result->placed += part.placed;
	result->bound += part.bound;
	result->nodes += part.nodes;
	return 0;
}

/*
 * solve_all() - all islands
 * Return: 0, -ENOMEM
 */
static int solve_all(const struct pack_problem *p, size_t *up, struct island *island, struct pack_result *result)
{
	int error = 0;

	for (size_t b = 0; b < p->bins; b++)
		up[b] = b;
	for (size_t i = 0; i < p->items; i++) {
		result->bin[i] = -1;
		join(p, i, up);
	}
	for (size_t b = 0; !error && b < p->bins; b++) {
		if (root_of(up, b) == b)
			error = solve_island(p, up, b, island, result);
	}
	return error;
}

/*
 * pack_solve() - places as many items as possible
 * @problem:	items, bins, what they need and have
 * @result:	plan, its size, and what cannot be exceeded
 * Return: 0, -ENOMEM
 */
int pack_solve(const struct pack_problem *problem, struct pack_result *result)
{
	size_t cells = problem->items * problem->bins;
	size_t *up = calloc(problem->bins + 1, sizeof(*up));
	struct island island = { .item = calloc(problem->items + 1, sizeof(*island.item)), .bin = calloc(problem->bins + 1, sizeof(*island.bin)),
				 .capacity = calloc(problem->bins * problem->rows + 1, sizeof(*island.capacity)),
				 .demand = calloc(cells * problem->rows + 1, sizeof(*island.demand)), .dislike = calloc(cells + 1, 1),
				 .chosen = calloc(problem->items + 1, sizeof(*island.chosen)) };
	int error = -ENOMEM;

	result->placed = result->bound = 0;
	result->nodes = 0;
	if (up && island.item && island.bin && island.capacity && island.demand && island.dislike && island.chosen)
		error = solve_all(problem, up, &island, result);
	free(up);
	free(island.item);
	free(island.bin);
	free(island.capacity);
	free(island.demand);
	free(island.dislike);
	free(island.chosen);
	return error;
}
