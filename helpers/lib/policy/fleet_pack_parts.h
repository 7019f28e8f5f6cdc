/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet_pack_parts.h: what the files of the packing share, private to them.
 */
#ifndef VFERRY_POLICY_FLEET_PACK_PARTS_H
#define VFERRY_POLICY_FLEET_PACK_PARTS_H

#include "policy/fleet_pack.h"

/* Items that are alike in every bin. */
struct pack_class {
	size_t first;          /* an item of it */
	size_t count;
	double size;           /* the price of its cheapest place: the greater, the earlier it is decided */
};

/* A problem made small: classes in place of items, capacities cut to what can be used, one more row that counts the items of a bin. */
struct pack {
	const struct pack_problem *problem;
	size_t rows;           /* of the problem, and the one that counts */
	size_t classes;
	struct pack_class *class;
	size_t *class_of;      /* [item]; SIZE_MAX: it fits nowhere */
	int32_t *room;         /* [bin * rows + row] */
	int32_t *demand;       /* [(class * bins + bin) * rows + row]; row 0 PACK_NEVER */
	uint64_t *kind;        /* [bin]: bins of the same kind are the same to every item */
	double *price;         /* [bin * rows + row], of one unit: the best that were found */
	double *share;         /* [class * bins + bin]: how many would go there if items could be divided; all 0: not known */
	size_t items;          /* that fit somewhere */
};

/* What a class needs of a bin. */
static inline const int32_t *pack_demand(const struct pack *pack, size_t class, size_t bin)
{
	return &pack->demand[(class * pack->problem->bins + bin) * pack->rows];
}

/* Whether one more item of a class fits into what is left of a bin. */
static inline bool pack_fits(const struct pack *pack, const int32_t *room, size_t class, size_t bin)
{
	const int32_t *demand = pack_demand(pack, class, bin), *left = &room[bin * pack->rows];

	if (demand[0] == PACK_NEVER)
		return false;
	for (size_t r = 0; r < pack->rows; r++) {
		if (demand[r] > left[r])
			return false;
	}
	return true;
}

/* Puts count items of a class into a bin (less than 0: takes them out). */
static inline void pack_put(const struct pack *pack, int32_t *room, size_t class, size_t bin, int count)
{
	const int32_t *demand = pack_demand(pack, class, bin);

	for (size_t r = 0; r < pack->rows; r++)
		room[bin * pack->rows + r] -= count * demand[r];
}

/* fleet_pack_make.c: makes the problem small. Return: 0, -ENOMEM; pack_release() in every case. */
int pack_make(struct pack *pack, const struct pack_problem *problem);
void pack_release(struct pack *pack);

/*
 * fleet_pack_bound.c: how many items of the classes from first on fit at most into the room, by prices for what is scarce. price: where
 * to begin, and the best that were found. target: a number that, once it is not reached any more, is enough.
 * Return: a number that no plan exceeds, not rounded; less than 0 without memory.
 */
struct pack_question {
	const int32_t *room;
	size_t first;         /* class */
	size_t first_count;   /* items of that class that are left; of the others all are */
	double target;
	unsigned int rounds;
};
double pack_bound(const struct pack *pack, const struct pack_question *question, double *price);

/* The value of one item of a class at given prices: 1 less its cheapest place, at least 0. */
double pack_worth(const struct pack *pack, size_t class, const double *price);

/* fleet_pack_prices.c: prices and shares, where the problem is not too large. Return: 0, -ENOMEM, -E2BIG. */
int pack_prices(struct pack *pack);

/* fleet_pack_try.c: a plan that is good, by rules of thumb. bin: [items]. Return: items placed, -ENOMEM. */
long pack_try(const struct pack *pack, int *bin);

/* fleet_pack.c: see there. */
int pack_solve_part(const struct pack_problem *problem, struct pack_result *result);

/* Fewer disliked places for the same items. */
void pack_please(const struct pack *pack, int *bin);

#endif
