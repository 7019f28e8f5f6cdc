/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet_pack_prices.c: the best prices for what is scarce, by the simplex method, where the problem is small enough for a dense table.
 *
 * The table may be ill-conditioned or the walk may be ended: whatever prices come out, pack_bound() computes with them what cannot be
 * exceeded, so nothing here needs to be believed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/fleet_pack_parts.h"

#define CELLS_MAX 3000000 /* of the table: 24 MB */
#define PIVOTS_MAX 4000
#define WORK_MAX 600000000u /* cells that may be touched */
#define TINY 1e-9

/* The table: maximize what is placed; a row for each class (no more than there are) and each capacity that can be scarce. */
struct table {
	const struct pack *pack;
	const int32_t *room;
	size_t rows, columns;   /* columns: places (class, bin), then a slack for each row, then the right-hand side */
	size_t *cell;           /* [row - classes]: which price it is */
	size_t *place;          /* [column]: class * bins + bin */
	size_t places;
	double *unit;           /* [row]: what the row was divided by */
	size_t *basis;          /* [row]: the column that the row tells the value of */
	double *at;             /* [(rows + 1) * (columns + 1)]; the last row is the objective */
};

/* cell_of() - a cell of the table */
static double *cell_of(const struct table *t, size_t row, size_t column)
{
	return &t->at[row * (t->columns + 1) + column];
}

/*
 * is_scarce() - whether the items could ask for more of a capacity than there is
 */
static bool is_scarce(const struct pack *pack, const int32_t *room, size_t cell)
{
	size_t bin = cell / pack->rows, row = cell % pack->rows;
	int64_t all = 0;

	for (size_t c = 0; c < pack->classes; c++) {
		const int32_t *demand = pack_demand(pack, c, bin);

		if (demand[0] != PACK_NEVER)
			all += (int64_t)demand[row] * (int64_t)pack->class[c].count;
	}
	return all > room[cell];
}

/*
 * lay_out() - which rows and columns there are
 * Return: 0, -ENOMEM, -E2BIG
 */
static int lay_out(struct table *t)
{
	const struct pack *pack = t->pack;
	size_t bins = pack->problem->bins, cells = bins * pack->rows;

	t->cell = calloc(cells + 1, sizeof(*t->cell));
	t->place = calloc(pack->classes * bins + 1, sizeof(*t->place));
	if (!t->cell || !t->place)
		return -ENOMEM;
	t->rows = pack->classes;
	for (size_t i = 0; i < cells; i++) {
		if (is_scarce(pack, t->room, i))
			t->cell[t->rows++ - pack->classes] = i;
	}
	for (size_t i = 0; i < pack->classes * bins; i++) {
		if (pack_demand(pack, i / bins, i % bins)[0] != PACK_NEVER)
			t->place[t->places++] = i;
	}
	t->columns = t->places + t->rows;
	if ((t->rows + 1) * (t->columns + 1) > CELLS_MAX)
		return -E2BIG;
	t->unit = calloc(t->rows + 1, sizeof(*t->unit));
	t->basis = calloc(t->rows + 1, sizeof(*t->basis));
	t->at = calloc((t->rows + 1) * (t->columns + 1), sizeof(*t->at));
	return t->unit && t->basis && t->at ? 0 : -ENOMEM;
}

/*
 * fill() - fills the table; each row is divided by its right-hand side
 */
static void fill(struct table *t)
{
	const struct pack *pack = t->pack;
	size_t bins = pack->problem->bins;

	for (size_t r = 0; r < t->rows; r++) {
		bool is_class = r < pack->classes;
		double limit = is_class ? (double)pack->class[r].count : t->room[t->cell[r - pack->classes]];

		t->unit[r] = limit > 0 ? limit : 1;
		t->basis[r] = t->places + r;
		*cell_of(t, r, t->places + r) = 1;
		*cell_of(t, r, t->columns) = limit / t->unit[r];
		for (size_t k = 0; k < t->places; k++) {
			size_t class = t->place[k] / bins, bin = t->place[k] % bins, cell = is_class ? 0 : t->cell[r - pack->classes];

			if (is_class)
				*cell_of(t, r, k) = class == r ? 1 / t->unit[r] : 0;
			else if (cell / pack->rows == bin)
				*cell_of(t, r, k) = pack_demand(pack, class, bin)[cell % pack->rows] / t->unit[r];
		}
	}
	for (size_t k = 0; k < t->places; k++)
		*cell_of(t, t->rows, k) = -1;
}

/*
 * find_column() - the column that promises most
 * Return: the column, SIZE_MAX: none promises anything
 */
static size_t find_column(const struct table *t)
{
	size_t best = SIZE_MAX;
	double most = -TINY;

	for (size_t k = 0; k < t->columns; k++) {
		if (*cell_of(t, t->rows, k) < most) {
			most = *cell_of(t, t->rows, k);
			best = k;
		}
	}
	return best;
}

/*
 * find_row() - the row that limits a column first
 * Return: the row, SIZE_MAX: none
 */
static size_t find_row(const struct table *t, size_t column)
{
	size_t best = SIZE_MAX;
	double least = 0;

	for (size_t r = 0; r < t->rows; r++) {
		double by = *cell_of(t, r, column), left = *cell_of(t, r, t->columns), step = left > 0 ? left / by : 0;

		if (by > TINY && (best == SIZE_MAX || step < least - TINY || (step < least + TINY && by > *cell_of(t, best, column)))) {
			best = r;
			least = step;
		}
	}
	return best;
}

/*
 * pivot() - exchanges a column for a row
 */
static void pivot(struct table *t, size_t row, size_t column)
{
	double *own = cell_of(t, row, 0), by = *cell_of(t, row, column);

	t->basis[row] = column;
	for (size_t k = 0; k <= t->columns; k++)
		own[k] /= by;
	for (size_t r = 0; r <= t->rows; r++) {
		double *other = cell_of(t, r, 0), factor = other[column];

		if (r == row || (factor < 1e-13 && factor > -1e-13))
			continue;
		for (size_t k = 0; k <= t->columns; k++)
			other[k] -= factor * own[k];
	}
}

/*
 * walk() - as many pivots as it takes
 */
static void walk(struct table *t)
{
	size_t cells = (t->rows + 1) * (t->columns + 1);

	for (size_t n = 0; n < PIVOTS_MAX && n * cells < WORK_MAX; n++) {
		size_t column = find_column(t), row = column == SIZE_MAX ? SIZE_MAX : find_row(t, column);

		if (row == SIZE_MAX)
			return;
		pivot(t, row, column);
	}
}

/*
 * read_out() - the prices, and where items would go if they could be divided
 */
static void read_out(const struct table *t, double *price, double *share)
{
	const struct pack *pack = t->pack;

	memset(price, 0, pack->problem->bins * pack->rows * sizeof(*price));
	memset(share, 0, pack->classes * pack->problem->bins * sizeof(*share));
	for (size_t r = pack->classes; r < t->rows; r++) {
		double its = *cell_of(t, t->rows, t->places + r) / t->unit[r];

		price[t->cell[r - pack->classes]] = its > 0 ? its : 0;
	}
	for (size_t r = 0; r < t->rows; r++) {
		if (t->basis[r] < t->places)
			share[t->place[t->basis[r]]] = *cell_of(t, r, t->columns);
	}
}

/*
 * pack_prices() - good prices
 * @pack:	problem; its prices and shares are set, unless it is too large
 * Return: 0, -ENOMEM, -E2BIG
 */
int pack_prices(struct pack *pack)
{
	struct table t = { .pack = pack, .room = pack->room };
	int error = lay_out(&t);

	if (!error) {
		fill(&t);
		walk(&t);
		read_out(&t, pack->price, pack->share);
	}
	free(t.cell);
	free(t.place);
	free(t.unit);
	free(t.basis);
	free(t.at);
	return error;
}
