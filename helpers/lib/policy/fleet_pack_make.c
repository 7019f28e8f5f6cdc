/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet_pack_make.c: makes a packing problem small before it is searched, without changing its answer.
 *
 * Items that are alike become a class with a count. A capacity is cut to the greatest sum that items can reach in it: three free VFs are
 * two for guests that have two each. One more row counts the items of a bin, whose number is limited by the smallest items of each row.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/fleet_pack_parts.h"

#define SUMS_MAX 1024 /* capacities beyond it are not cut: they are memory, where single units do not count */

/*
 * hash() - mixes bytes into a number (FNV-1a)
 */
static uint64_t hash(uint64_t seed, const void *data, size_t length)
{
	const unsigned char *byte = data;

	for (size_t i = 0; i < length; i++)
		seed = (seed ^ byte[i]) * UINT64_C(1099511628211);
	return seed;
}

/*
 * alone_fits() - whether an item fits into a bin that is empty
 */
static bool alone_fits(const struct pack_problem *p, size_t item, size_t bin)
{
	const int32_t *demand = &p->demand[(item * p->bins + bin) * p->rows];

	for (size_t r = 0; demand[0] != PACK_NEVER && r < p->rows; r++) {
		if (demand[r] > p->capacity[bin * p->rows + r])
			return false;
	}
	return demand[0] != PACK_NEVER;
}

/*
 * is_alike() - whether two items need the same of every bin, and are disliked alike
 */
static bool is_alike(const struct pack_problem *p, size_t a, size_t b)
{
	size_t row = p->bins * p->rows;

	return memcmp(&p->demand[a * row], &p->demand[b * row], row * sizeof(*p->demand)) == 0 &&
	       (!p->dislike || memcmp(&p->dislike[a * p->bins], &p->dislike[b * p->bins], p->bins) == 0);
}

/* An item and a number that is the same for items that are alike. */
struct mark {
	uint64_t hash;
	size_t item;
};

/* Orders marks, for qsort(3). */
static int compare_marks(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

/*
 * make_marks() - the items that fit somewhere, those that are alike side by side
 * Return: their number
 */
static size_t make_marks(const struct pack_problem *p, struct mark *mark)
{
	size_t row = p->bins * p->rows, marks = 0;

	for (size_t i = 0; i < p->items; i++) {
		bool fits = false;

		for (size_t b = 0; !fits && b < p->bins; b++)
			fits = alone_fits(p, i, b);
		if (!fits)
			continue;
		mark[marks].item = i;
		mark[marks].hash = hash(14695981039346656037u, &p->demand[i * row], row * sizeof(*p->demand));
		if (p->dislike)
			mark[marks].hash = hash(mark[marks].hash, &p->dislike[i * p->bins], p->bins);
		marks++;
	}
	qsort(mark, marks, sizeof(*mark), compare_marks);
	return marks;
}

/*
 * make_classes() - puts items that are alike together
 */
static void make_classes(struct pack *pack, const struct mark *mark, size_t marks)
{
	const struct pack_problem *p = pack->problem;

	for (size_t i = 0; i < p->items; i++)
		pack->class_of[i] = SIZE_MAX;
	for (size_t i = 0; i < marks; i++) {
		if (!pack->classes || !is_alike(p, pack->class[pack->classes - 1].first, mark[i].item))
			pack->class[pack->classes++] = (struct pack_class){ .first = mark[i].item };
		pack->class[pack->classes - 1].count++;
		pack->class_of[mark[i].item] = pack->classes - 1;
	}
	pack->items = marks;
}

/*
 * fill_demand() - what each class needs of each bin, with the row that counts; a bin that is too small even when empty is one for never
 */
static void fill_demand(struct pack *pack)
{
	const struct pack_problem *p = pack->problem;

	for (size_t c = 0; c < pack->classes; c++) {
		for (size_t b = 0; b < p->bins; b++) {
			size_t item = pack->class[c].first;
			int32_t *out = &pack->demand[(c * p->bins + b) * pack->rows];

			memcpy(out, &p->demand[(item * p->bins + b) * p->rows], p->rows * sizeof(*out));
			out[p->rows] = 1;
			if (!alone_fits(p, item, b))
				out[0] = PACK_NEVER;
		}
	}
}

/*
 * greatest_sum() - the greatest sum that the items reach in a row of a bin
 * @reach:	room for SUMS_MAX + 1
 */
static int32_t greatest_sum(const struct pack *pack, size_t bin, size_t row, int32_t limit, bool *reach)
{
	memset(reach, 0, ((size_t)limit + 1) * sizeof(*reach));
	reach[0] = true;
	for (size_t c = 0; c < pack->classes && !reach[limit]; c++) {
		const int32_t *demand = pack_demand(pack, c, bin);

		if (demand[0] == PACK_NEVER || !demand[row])
			continue;
		for (size_t n = 0; n < pack->class[c].count && (int64_t)n * demand[row] < limit; n++) {
			for (int32_t sum = limit; sum >= demand[row]; sum--)
				reach[sum] |= reach[sum - demand[row]];
		}
	}
	while (!reach[limit])
		limit--;
	return limit;
}

/* A class, to be put in order by what it needs of one row. */
struct need {
	int32_t demand;
	size_t count;
};

/* Orders needs, for qsort(3): the smallest first. */
static int compare_needs(const void *a, const void *b)
{
	const struct need *x = a, *y = b;

	return x->demand < y->demand ? -1 : x->demand > y->demand;
}

/*
 * most_items() - how many items a row of a bin has room for at most: the smallest ones
 * @need:	room for all classes
 */
static int32_t most_items(const struct pack *pack, size_t bin, size_t row, struct need *need)
{
	int64_t left = pack->room[bin * pack->rows + row];
	size_t needs = 0, most = 0;

	for (size_t c = 0; c < pack->classes; c++) {
		const int32_t *demand = pack_demand(pack, c, bin);

		if (demand[0] != PACK_NEVER)
			need[needs++] = (struct need){ demand[row], pack->class[c].count };
	}
	qsort(need, needs, sizeof(*need), compare_needs);
	for (size_t i = 0; i < needs; i++) {
		size_t n = need[i].count;

		if (need[i].demand > 0 && (int64_t)n > left / need[i].demand)
			n = (size_t)(left / need[i].demand);
		most += n;
		left -= (int64_t)n * need[i].demand;
		if (n < need[i].count)
			break;
	}
	return (int32_t)most;
}

/*
 * cut_bin() - cuts the capacities of one bin to what can be used
 */
static void cut_bin(struct pack *pack, size_t bin, bool *reach, struct need *need)
{
	const struct pack_problem *p = pack->problem;
	int32_t *room = &pack->room[bin * pack->rows];
	int32_t most = (int32_t)pack->items;

	for (size_t r = 0; r < p->rows; r++) {
		room[r] = p->capacity[bin * p->rows + r];
		if (room[r] > 0 && room[r] <= SUMS_MAX)
			room[r] = greatest_sum(pack, bin, r, room[r], reach);
	}
	for (size_t r = 0; r < p->rows; r++) {
		int32_t n = most_items(pack, bin, r, need);

		if (n < most)
			most = n;
	}
	room[p->rows] = most;
}

/*
 * cut() - the same for all bins
 * Return: 0, -ENOMEM
 */
static int cut(struct pack *pack)
{
	bool *reach = calloc(SUMS_MAX + 1, sizeof(*reach));
	struct need *need = calloc(pack->classes + 1, sizeof(*need));

	for (size_t b = 0; reach && need && b < pack->problem->bins; b++)
		cut_bin(pack, b, reach, need);
	free(reach);
	free(need);
	return reach && need ? 0 : -ENOMEM;
}

/*
 * mark_kinds() - gives bins that are the same to every item the same number
 */
static void mark_kinds(struct pack *pack)
{
	for (size_t b = 0; b < pack->problem->bins; b++) {
		pack->kind[b] = 14695981039346656037u;
		for (size_t c = 0; c < pack->classes; c++) {
			const int32_t *demand = pack_demand(pack, c, b);
			static const int32_t never = PACK_NEVER;

			pack->kind[b] = demand[0] == PACK_NEVER ? hash(pack->kind[b], &never, sizeof(never))
								: hash(pack->kind[b], demand, pack->rows * sizeof(*demand));
		}
	}
}

/*
 * allocate() - memory for a problem
 * Return: 0, -ENOMEM
 */
static int allocate(struct pack *pack)
{
	const struct pack_problem *p = pack->problem;

	pack->class = calloc(p->items + 1, sizeof(*pack->class));
	pack->class_of = calloc(p->items + 1, sizeof(*pack->class_of));
	pack->room = calloc(p->bins * pack->rows + 1, sizeof(*pack->room));
	pack->kind = calloc(p->bins + 1, sizeof(*pack->kind));
	pack->price = calloc(p->bins * pack->rows + 1, sizeof(*pack->price));
	return pack->class && pack->class_of && pack->room && pack->kind && pack->price ? 0 : -ENOMEM;
}

/*
 * pack_make() - makes the problem small
 * @pack:	result
 * Return: 0, -ENOMEM
 */
int pack_make(struct pack *pack, const struct pack_problem *problem)
{
	struct mark *mark = calloc(problem->items + 1, sizeof(*mark));
	int error;

	*pack = (struct pack){ .problem = problem, .rows = problem->rows + 1 };
	error = mark ? allocate(pack) : -ENOMEM;
	if (!error) {
		make_classes(pack, mark, make_marks(problem, mark));
		pack->demand = calloc(pack->classes * problem->bins * pack->rows + 1, sizeof(*pack->demand));
		pack->share = calloc(pack->classes * problem->bins + 1, sizeof(*pack->share));
		error = pack->demand && pack->share ? 0 : -ENOMEM;
	}
	free(mark);
	if (error)
		return error;
	fill_demand(pack);
	mark_kinds(pack);
	return cut(pack);
}

/*
 * pack_release() - gives back what pack_make() took
 */
void pack_release(struct pack *pack)
{
	free(pack->class);
	free(pack->class_of);
	free(pack->room);
	free(pack->kind);
	free(pack->price);
	free(pack->demand);
	free(pack->share);
}
