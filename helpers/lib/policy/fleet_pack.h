/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet_pack.h: as many items as possible into bins with several capacities each: guests into hosts that have so many free VFs, so much
 * memory, and at most one guest of a group.
 *
 * Exact as far as the effort reaches: what was found and what cannot be beaten are both told, and they are the same where it is proven.
 */
#ifndef VFERRY_POLICY_FLEET_PACK_H
#define VFERRY_POLICY_FLEET_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACK_NEVER (-1)     /* in row 0 of a demand: the item may not go into the bin */
#define PACK_EFFORT 3000000 /* nodes: a second or two */

struct pack_problem {
	size_t items, bins, rows;
	const int32_t *capacity;   /* [bin * rows + row] */
	const int32_t *demand;     /* [(item * bins + bin) * rows + row] */
	const uint8_t *dislike;    /* [item * bins + bin]; NULL: none. Of plans of one size the least disliked that is found is taken */
	uint64_t effort;           /* nodes that the search may visit */
};

struct pack_result {
	int *bin;                  /* [items]: the bin, -1: left out */
	size_t placed;
	size_t bound;              /* no plan places more; placed == bound: proven */
	uint64_t nodes;            /* visited */
};

/* Solves; result->bin has room for all items. Return: 0, -ENOMEM. */
int pack_solve(const struct pack_problem *problem, struct pack_result *result);

#endif
