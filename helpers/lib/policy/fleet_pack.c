/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet_pack.c: as many items as possible into bins: branch and bound.
 *
 * Theory of operation. Rules of thumb find a good plan (fleet_pack_try.c), and prices a number that no plan exceeds
 * (fleet_pack_bound.c). Where they meet, it is proven. Else the items are decided one after the other, the hardest first: each goes into
 * one of the bins or is left out; a branch ends where even its bound is no better than the best plan. Three things keep the tree small:
 * alike items go into bins in rising order; of bins that are alike and have the same room one is tried; a state that was met already with
 * as many items placed is not met again. The effort is limited, and then the bound that remains is told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/fleet_pack_parts.h"

#define ROOT_ROUNDS 600
#define NODE_ROUNDS 24
#define NODE_CELLS 40000      /* classes x bins x rows up to which bounds are made anew within the tree */
#define TABLE_SIZE (1u << 19) /* states that are remembered */
#define EPSILON 1e-6

/* A state that was met: a number of it (two, so that no two are mixed up), and with how many items placed. */
struct met {
	uint64_t key[2];
	uint32_t placed;
};

/* The search. */
struct search {
	struct pack pack;
	struct pack_result *result;
	int32_t *room;
	size_t *count;        /* [class * bins + bin]: the plan that is being made */
	size_t *best;         /* the same of the best one */
	size_t placed;
	size_t left;          /* items that were not decided yet */
	double *prices;       /* [depth][bin * rows + row]: a set for each class */
	double *worth;        /* [depth][class]: what the classes from this one on are worth together, at the set of that depth */
	struct met *table;
	uint64_t effort;
	bool stopped;
};

/* Where the search is. */
struct place {
	size_t class;
	size_t count;         /* of its items that are not decided yet */
	size_t from;          /* bins before this one are not asked again */
	size_t set;           /* of prices */
};

static void decide(struct search *s, struct place at);

/* prices_of() - a set of prices */
static double *prices_of(const struct search *s, size_t set)
{
	return &s->prices[set * s->pack.problem->bins * s->pack.rows];
}

/*
 * weigh() - fills what the classes are worth at a set of prices
 */
static void weigh(struct search *s, size_t set)
{
	double *worth = &s->worth[set * (s->pack.classes + 1)];

	worth[s->pack.classes] = 0;
	for (size_t c = s->pack.classes; c-- > 0;)
		worth[c] = worth[c + 1] + (double)s->pack.class[c].count * pack_worth(&s->pack, c, prices_of(s, set));
}

/*
 * bound_here() - the bound by a set of prices as it is
 */
static double bound_here(const struct search *s, const struct place *at)
{
	const double *worth = &s->worth[at->set * (s->pack.classes + 1)], *price = prices_of(s, at->set);
	double one = s->pack.class[at->class].count ? (worth[at->class] - worth[at->class + 1]) / (double)s->pack.class[at->class].count : 0;
	double bound = worth[at->class + 1] + (double)at->count * one;

	for (size_t i = 0; i < s->pack.problem->bins * s->pack.rows; i++)
		bound += price[i] * s->room[i];
	return bound;
}

/*
 * is_hopeless() - whether a branch cannot be better than the best plan
 */
static bool is_hopeless(const struct search *s, const struct place *at)
{
	if (s->placed + s->left <= s->result->placed)
		return true;
	return (double)s->placed + bound_here(s, at) < (double)s->result->placed + 1 - EPSILON;
}

/*
 * look_again() - makes the prices anew for what is left, before a class is decided
 * Return: whether the branch is hopeless
 */
static bool look_again(struct search *s, struct place *at)
{
	const struct pack *pack = &s->pack;
	struct pack_question question = { .room = s->room, .first = at->class, .first_count = at->count, .rounds = NODE_ROUNDS,
					  .target = (double)(s->result->placed + 1 - s->placed) - EPSILON };
	size_t cells = pack->problem->bins * pack->rows, set = at->class + 1, cost;
	double bound;

	if (pack->classes * cells > NODE_CELLS || set > pack->classes)
		return false;
	memcpy(prices_of(s, set), prices_of(s, at->set), cells * sizeof(*s->prices));
	bound = pack_bound(pack, &question, prices_of(s, set));
	cost = NODE_ROUNDS * (pack->classes - at->class) / 8;
	s->effort = s->effort > cost ? s->effort - cost : 0;
	if (bound < 0)
		return false;
	at->set = set;
	weigh(s, set);
	return (double)s->placed + bound < (double)s->result->placed + 1 - EPSILON;
}

/* mix() - scatters the bits of a number (splitmix64) */
static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/*
 * was_met() - whether the same room was left before the same class with as many items placed; if not, it is remembered
 *
 * Bins of one kind may have exchanged their rooms: the numbers of the bins are added up.
 */
static bool was_met(struct search *s, size_t class)
{
	const struct pack *pack = &s->pack;
	uint64_t key[2] = { mix(class), mix(~(uint64_t)class) };
	struct met *met;

	for (size_t b = 0; b < pack->problem->bins; b++) {
		uint64_t x = pack->kind[b], y = ~pack->kind[b];

		for (size_t r = 0; r < pack->rows; r++) {
			x = mix(x ^ (uint32_t)s->room[b * pack->rows + r]);
			y = mix(y + (uint32_t)s->room[b * pack->rows + r]);
		}
		key[0] += x;
		key[1] += y;
	}
	met = &s->table[key[0] % TABLE_SIZE];
	if (met->key[0] == key[0] && met->key[1] == key[1] && met->placed >= s->placed + 1)
		return true;
	*met = (struct met){ { key[0], key[1] }, (uint32_t)s->placed + 1 };
	return false;
}

/* same_room() - whether a bin before this one is of its kind and has the same room */
static bool has_twin(const struct search *s, size_t bin, size_t from)
{
	const struct pack *pack = &s->pack;

	for (size_t b = from; b < bin; b++) {
		if (pack->kind[b] == pack->kind[bin] &&
		    memcmp(&s->room[b * pack->rows], &s->room[bin * pack->rows], pack->rows * sizeof(*s->room)) == 0)
			return true;
	}
	return false;
}

/*
 * keep() - remembers the plan if it is the best
 */
static void keep(struct search *s)
{
	if (s->placed <= s->result->placed)
		return;
	s->result->placed = s->placed;
	memcpy(s->best, s->count, s->pack.classes * s->pack.problem->bins * sizeof(*s->best));
}

/*
 * next_class() - goes on with the next class
 * @skipped:	items of this one that are left out
 */
static void next_class(struct search *s, const struct place *at)
{
	struct place next = { .class = at->class + 1, .set = at->set };

	s->left -= at->count;
	keep(s);
	if (next.class < s->pack.classes) {
		next.count = s->pack.class[next.class].count;
		if (!is_hopeless(s, &next) && !was_met(s, next.class) && !look_again(s, &next))
			decide(s, next);
	}
	s->left += at->count;
}

/*
 * decide() - tries each place for one item of a class, then goes on without the rest of the class
 */
static void decide(struct search *s, struct place at)
{
	const struct pack *pack = &s->pack;
	size_t bins = pack->problem->bins;

	if (s->stopped || is_hopeless(s, &at))
		return;
	s->result->nodes++;
	s->stopped = s->effort == 0;
	s->effort -= !s->stopped;
	for (size_t b = at.from; at.count && !s->stopped && b < bins; b++) {
		struct place next = { at.class, at.count - 1, b, at.set };

		if (!pack_fits(pack, s->room, at.class, b) || has_twin(s, b, at.from))
			continue;
		pack_put(pack, s->room, at.class, b, 1);
		s->count[at.class * bins + b]++;
		s->placed++;
		s->left--;
		decide(s, next);
		s->left++;
		s->placed--;
		s->count[at.class * bins + b]--;
		pack_put(pack, s->room, at.class, b, -1);
	}
	if (!s->stopped)
		next_class(s, &at);
}

/* ---- Before and after ---------------------------------------------------------------------------------------------------------- */

/*
 * root_bound() - the first bound, and how hard each class is
 * Return: 0, -ENOMEM
 */
static int root_bound(struct search *s)
{
	struct pack *pack = &s->pack;
	struct pack_question question = { .room = pack->room, .first_count = pack->classes ? pack->class[0].count : 0,
					  .rounds = ROOT_ROUNDS, .target = (double)s->result->placed + 1 - EPSILON };
	double bound;

	bound = pack_bound(pack, &question, pack->price);
	if (bound < 0)
		return -ENOMEM;
	s->result->bound = (size_t)(bound + EPSILON);
	if (s->result->bound > pack->items)
		s->result->bound = pack->items;
	if (s->result->bound < s->result->placed) /* never: but a plan is worth more than a rounded number */
		s->result->bound = s->result->placed;
	return 0;
}

/*
 * rate() - how large each class is: what it takes of its roomiest bin, in parts
 */
static void rate(struct pack *pack)
{
	for (size_t c = 0; c < pack->classes; c++) {
		double least = 2;

		for (size_t b = 0; b < pack->problem->bins; b++) {
			const int32_t *demand = pack_demand(pack, c, b);
			double most = 0;

			for (size_t r = 0; demand[0] != PACK_NEVER && r + 1 < pack->rows; r++) {
				int32_t room = pack->room[b * pack->rows + r];
				double part = room > 0 ? (double)demand[r] / room : demand[r] ? 1 : 0;

				most = part > most ? part : most;
			}
			if (demand[0] != PACK_NEVER && most < least)
				least = most;
		}
		pack->class[c].size = least;
	}
}

/* A class in the order of the search. */
struct rank {
	double size;
	size_t class;
};

/* Orders ranks, for qsort(3): the largest first. */
static int compare_ranks(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	if (x->size < y->size || x->size > y->size)
		return x->size > y->size ? -1 : 1;
	return x->class < y->class ? -1 : x->class > y->class;
}

/*
 * sort_classes() - puts the largest classes first; items keep their class
 * Return: 0, -ENOMEM
 */
static int sort_classes(struct pack *pack)
{
	size_t row = pack->problem->bins * pack->rows, *place = calloc(pack->classes + 1, sizeof(*place));
	struct rank *rank = calloc(pack->classes + 1, sizeof(*rank));
	struct pack_class *class = calloc(pack->classes + 1, sizeof(*class));
	int32_t *demand = calloc(pack->classes * row + 1, sizeof(*demand));
	bool ok = place && rank && class && demand;

	for (size_t c = 0; ok && c < pack->classes; c++)
		rank[c] = (struct rank){ pack->class[c].size, c };
	if (ok)
		qsort(rank, pack->classes, sizeof(*rank), compare_ranks);
	for (size_t c = 0; ok && c < pack->classes; c++) {
		place[rank[c].class] = c;
		class[c] = pack->class[rank[c].class];
		memcpy(&demand[c * row], &pack->demand[rank[c].class * row], row * sizeof(*demand));
	}
	for (size_t i = 0; ok && i < pack->problem->items; i++) {
		if (pack->class_of[i] != SIZE_MAX)
			pack->class_of[i] = place[pack->class_of[i]];
	}
	if (ok) {
		memcpy(pack->class, class, pack->classes * sizeof(*class));
		memcpy(pack->demand, demand, pack->classes * row * sizeof(*demand));
	}
	free(place);
	free(rank);
	free(class);
	free(demand);
	return ok ? 0 : -ENOMEM;
}

/*
 * read_back() - the best plan of the search, item by item
 */
static void read_back(struct search *s)
{
	size_t bins = s->pack.problem->bins;

	for (size_t i = 0; i < s->pack.problem->items; i++) {
		size_t class = s->pack.class_of[i];

		s->result->bin[i] = -1;
		for (size_t b = 0; class != SIZE_MAX && s->result->bin[i] < 0 && b < bins; b++) {
			if (!s->best[class * bins + b])
				continue;
			s->best[class * bins + b]--;
			s->result->bin[i] = (int)b;
		}
	}
}

/*
 * allocate() - memory of the search
 * Return: 0, -ENOMEM
 */
static int allocate(struct search *s)
{
	size_t bins = s->pack.problem->bins, classes = s->pack.classes, sets = classes + 2;

	if (classes * bins * s->pack.rows > NODE_CELLS)
		sets = 1;
	s->room = calloc(bins * s->pack.rows + 1, sizeof(*s->room));
	s->count = calloc(classes * bins + 1, sizeof(*s->count));
	s->best = calloc(classes * bins + 1, sizeof(*s->best));
	s->prices = calloc(sets * bins * s->pack.rows + 1, sizeof(*s->prices));
	s->worth = calloc(sets * (classes + 1) + 1, sizeof(*s->worth));
	s->table = calloc(TABLE_SIZE, sizeof(*s->table));
	return s->room && s->count && s->best && s->prices && s->worth && s->table ? 0 : -ENOMEM;
}

/*
 * search() - the tree
 * Return: 0, -ENOMEM
 */
static int search(struct search *s)
{
	size_t cells = s->pack.problem->bins * s->pack.rows, before = s->result->placed;
	struct place root = { .count = s->pack.class[0].count };
	int error = allocate(s);

	if (error)
		return error;
	memcpy(s->room, s->pack.room, cells * sizeof(*s->room));
	memcpy(prices_of(s, 0), s->pack.price, cells * sizeof(*s->prices));
	weigh(s, 0);
	s->left = s->pack.items;
	s->effort = s->pack.problem->effort;
	decide(s, root);
	if (!s->stopped)
		s->result->bound = s->result->placed;
	if (s->result->placed > before)
		read_back(s);
	return 0;
}

/*
 * solve() - all parts
 * Return: 0, -ENOMEM
 */
static int solve(struct search *s)
{
	int error = pack_make(&s->pack, s->pack.problem);
	long placed;

	if (error)
		return error;
	rate(&s->pack);
	error = sort_classes(&s->pack);
	if (error)
		return error;
	if (pack_prices(&s->pack) == -ENOMEM)
		return -ENOMEM;
	placed = pack_try(&s->pack, s->result->bin);
	if (placed < 0)
		return (int)placed;
	s->result->placed = (size_t)placed;
	s->result->bound = s->pack.items;
	if (s->result->placed < s->pack.items)
		error = root_bound(s);
	if (!error && s->result->placed < s->result->bound)
		error = search(s);
	if (!error)
		pack_please(&s->pack, s->result->bin);
	return error;
}

/*
 * pack_solve_part() - places as many items as possible, in a problem that does not fall apart
 * @problem:	items, bins, what they need and have
 * @result:	plan, its size, and what cannot be exceeded
 * Return: 0, -ENOMEM
 */
int pack_solve_part(const struct pack_problem *problem, struct pack_result *result)
{
	struct search s = { .pack.problem = problem, .result = result };
	int error;

	result->placed = result->bound = 0;
	result->nodes = 0;
	error = solve(&s);
	pack_release(&s.pack);
	free(s.room);
	free(s.count);
	free(s.best);
	free(s.prices);
	free(s.worth);
	free(s.table);
	return error;
}
