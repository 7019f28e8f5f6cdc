/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_policy_fleet_pack.c: as many guests as possible onto hosts: small cases by hand, and hundreds of random fleets, each also solved by
 * GLPK (glpsol), whose answer counts.
 */
#include "check.h"

#include "policy/fleet_pack.h"

#define ROWS 3 /* free VFs, memory in GiB, at most one guest of a group */

/* A fleet of the test. */
struct fleet {
	size_t items, bins;
	int32_t *capacity, *demand;
	uint8_t *dislike;
	int *bin;
};

/* A number below limit, the same at each run. */
static unsigned int chance(uint64_t *state, unsigned int limit)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned int)(*state >> 33) % limit;
}

/* Memory for a fleet. */
static struct fleet fleet_new(size_t items, size_t bins)
{
	struct fleet f = { .items = items, .bins = bins, .capacity = calloc(bins * ROWS, sizeof(int32_t)),
			   .demand = calloc(items * bins * ROWS, sizeof(int32_t)), .dislike = calloc(items * bins, 1),
			   .bin = calloc(items, sizeof(int)) };

	CHECK(f.capacity && f.demand && f.dislike && f.bin);
	return f;
}

/* Gives it back. */
static void fleet_free(struct fleet *f)
{
	free(f->capacity);
	free(f->demand);
	free(f->dislike);
	free(f->bin);
}

/* What an item needs of a bin. */
static int32_t *demand_of(const struct fleet *f, size_t item, size_t bin)
{
	return &f->demand[(item * f->bins + bin) * ROWS];
}

/* Solves it. */
static struct pack_result solve(struct fleet *f, uint64_t effort)
{
	struct pack_problem problem = { .items = f->items, .bins = f->bins, .rows = ROWS, .capacity = f->capacity, .demand = f->demand,
					.dislike = f->dislike, .effort = effort };
	struct pack_result result = { .bin = f->bin };

	CHECK_INT(pack_solve(&problem, &result), 0);
	return result;
}

/* That a plan is one: nothing is fuller than it can be, and as many are placed as is said. */
static void check_plan(const struct fleet *f, const struct pack_result *result)
{
	int32_t *room = calloc(f->bins * ROWS, sizeof(*room));
	size_t placed = 0;

	memcpy(room, f->capacity, f->bins * ROWS * sizeof(*room));
	for (size_t i = 0; i < f->items; i++) {
		if (f->bin[i] < 0)
			continue;
		placed++;
		CHECK(demand_of(f, i, (size_t)f->bin[i])[0] != PACK_NEVER);
		for (size_t r = 0; r < ROWS; r++) {
			room[(size_t)f->bin[i] * ROWS + r] -= demand_of(f, i, (size_t)f->bin[i])[r];
			CHECK(room[(size_t)f->bin[i] * ROWS + r] >= 0);
		}
	}
	free(room);
	CHECK_INT((int)placed, (int)result->placed);
	CHECK(result->placed <= result->bound);
}

/* A fleet of one capacity: items of given sizes, all of which may go everywhere. */
static struct fleet of_sizes(const int *size, size_t items, const int *capacity, size_t bins)
{
	struct fleet f = fleet_new(items, bins);

	for (size_t b = 0; b < bins; b++) {
		f.capacity[b * ROWS] = capacity[b];
		for (size_t i = 0; i < items; i++)
			demand_of(&f, i, b)[0] = size[i];
	}
	return f;
}

/* Solves a fleet of one capacity. Return: items placed; it must be proven. */
static int placed_of(const int *size, size_t items, const int *capacity, size_t bins)
{
	struct fleet f = of_sizes(size, items, capacity, bins);
	struct pack_result result = solve(&f, PACK_EFFORT);
	int placed = (int)result.placed;

	check_plan(&f, &result);
	CHECK_INT((int)result.bound, placed);
	fleet_free(&f);
	return placed;
}

TEST(nothing_fits_where_there_is_nothing)
{
	const int size[] = { 1 }, none[] = { 0 };

	CHECK_INT(placed_of(size, 1, none, 1), 0);
	CHECK_INT(placed_of(size, 0, none, 1), 0);
	CHECK_INT(placed_of(size, 1, none, 0), 0);
}

TEST(guests_that_a_greedy_choice_leaves_out_are_placed)
{
	const int size[] = { 2, 1, 2 }, capacity[] = { 3, 2 };

	CHECK_INT(placed_of(size, 3, capacity, 2), 3);
}

TEST(what_is_left_over_in_many_hosts_is_no_place_for_a_larger_guest)
{
	int size[60], capacity[15];

	for (size_t i = 0; i < 60; i++)
		size[i] = 2;
	for (size_t i = 0; i < 15; i++)
		capacity[i] = 7;
	CHECK_INT(placed_of(size, 60, capacity, 15), 45);
}

TEST(many_small_guests_are_more_than_a_few_large_ones)
{
	const int size[] = { 4, 4, 1, 1, 1, 1, 1 }, capacity[] = { 5 };

	CHECK_INT(placed_of(size, 7, capacity, 1), 5);
}

TEST(a_disliked_place_is_taken_only_where_it_is_needed)
{
	const int size[] = { 1, 1, 1 }, capacity[] = { 2, 2 };
	struct fleet f = of_sizes(size, 3, capacity, 2);
	struct pack_result result;

	for (size_t i = 0; i < 3; i++)
		f.dislike[i * 2] = 1;
	result = solve(&f, PACK_EFFORT);
	check_plan(&f, &result);
	CHECK_INT((int)result.placed, 3);
	CHECK_INT((f.bin[0] == 1) + (f.bin[1] == 1) + (f.bin[2] == 1), 2);
	fleet_free(&f);
}

TEST(without_effort_the_bound_is_still_no_lie)
{
	const int size[] = { 3, 3, 3, 2, 2, 2 }, capacity[] = { 4, 4, 5 };
	struct fleet f = of_sizes(size, 6, capacity, 3);
	struct pack_result result = solve(&f, 0);

	check_plan(&f, &result);
	CHECK(result.placed <= 5 && result.bound >= 5);
	fleet_free(&f);
}

/* ---- Random fleets ------------------------------------------------------------------------------------------------------------- */

/* What a random fleet is like. */
struct kind {
	unsigned int bins, items, vfs, memory, islands; /* memory of a host in GiB, 0: it does not matter */
	bool groups;
};

/* A random fleet. */
static struct fleet random_fleet(const struct kind *kind, uint64_t *state)
{
	struct fleet f = fleet_new(1 + chance(state, kind->items), 2 + chance(state, kind->bins - 1));
	unsigned int *island = calloc(f.bins, sizeof(*island));

	for (size_t b = 0; b < f.bins; b++) {
		island[b] = chance(state, kind->islands);
		f.capacity[b * ROWS] = (int32_t)chance(state, kind->vfs + 1);
		f.capacity[b * ROWS + 1] = kind->memory ? (int32_t)chance(state, kind->memory + 1) : 1000000;
		f.capacity[b * ROWS + 2] = kind->groups ? 1 : 1000000;
	}
	for (size_t i = 0; i < f.items; i++) {
		unsigned int its = chance(state, kind->islands), vfs = chance(state, 5), memory = 1 + chance(state, 32);
		bool grouped = kind->groups && chance(state, 3) == 0;

		for (size_t b = 0; b < f.bins; b++) {
			int32_t *demand = demand_of(&f, i, b);

			demand[0] = island[b] == its && chance(state, 10) ? (int32_t)vfs : PACK_NEVER;
			demand[1] = (int32_t)memory;
			demand[2] = grouped;
		}
	}
	free(island);
	return f;
}

/* Writes a fleet in the language that glpsol --lp reads (CPLEX LP). */
static void write_lp(const struct fleet *f, FILE *out)
{
	fputs("Maximize\n placed: 0 nothing", out);
	for (size_t i = 0; i < f->items; i++)
		for (size_t b = 0; b < f->bins; b++)
			if (demand_of(f, i, b)[0] != PACK_NEVER)
				fprintf(out, "\n + x%zu_%zu", i, b);
	fputs("\nSubject To\n", out);
	for (size_t i = 0; i < f->items; i++) {
		fprintf(out, " once%zu: nothing", i);
		for (size_t b = 0; b < f->bins; b++)
			if (demand_of(f, i, b)[0] != PACK_NEVER)
				fprintf(out, "\n + x%zu_%zu", i, b);
		fputs(" <= 1\n", out);
	}
	for (size_t b = 0; b < f->bins; b++)
		for (size_t r = 0; r < ROWS; r++) {
			fprintf(out, " room%zu_%zu: nothing", b, r);
			for (size_t i = 0; i < f->items; i++)
				if (demand_of(f, i, b)[0] != PACK_NEVER && demand_of(f, i, b)[r])
					fprintf(out, "\n + %d x%zu_%zu", demand_of(f, i, b)[r], i, b);
			fprintf(out, " <= %d\n", f->capacity[b * ROWS + r]);
		}
	fputs("Bounds\n nothing = 0\nBinary\n", out);
	for (size_t i = 0; i < f->items; i++)
		for (size_t b = 0; b < f->bins; b++)
			if (demand_of(f, i, b)[0] != PACK_NEVER)
				fprintf(out, " x%zu_%zu\n", i, b);
	fputs("End\n", out);
}

/* Runs glpsol on a file of the scratch directory. */
static int run_glpsol(int argc, char **argv)
{
	(void)argc;
	execvp(argv[0], argv);
	return 127;
}

/* What GLPK says: how many can be placed. */
static int by_glpk(const struct fleet *f)
{
	static char said[1 << 16], ignored[1 << 16];
	char model[PATH_MAX], answer[PATH_MAX], program[] = "glpsol", lp[] = "--lp", out[] = "--output";
	char *argv[] = { program, lp, model, out, answer, NULL };
	const char *line;
	double number = -1;
	FILE *file;

	snprintf(model, sizeof(model), "%s", check_file("/fleet.lp", ""));
	snprintf(answer, sizeof(answer), "%s", check_file("/answer", ""));
	check_file("/stdin", "");
	file = fopen(model, "w");
	write_lp(f, file);
	CHECK(file && fclose(file) == 0);
	CHECK_INT(check_program(run_glpsol, argv, ignored, ignored, sizeof(ignored)), 0);
	CHECK(check_fetch("answer", said, sizeof(said)));
	CHECK_CONTAINS(said, "OPTIMAL");
	line = strstr(said, "Objective:");
	CHECK(line && (line = strstr(line, " = ")) && sscanf(line + 3, "%lf", &number) == 1);
	return (int)(number + 0.5);
}

/* Many random fleets of one kind against GLPK. */
static void compare(const struct kind *kind, unsigned int count, uint64_t seed)
{
	uint64_t state = seed;

	if (system("glpsol --version >/dev/null 2>&1"))
		SKIP("glpsol is not installed; run: install/dependencies --what check");
	for (unsigned int n = 0; n < count; n++) {
		struct fleet f = random_fleet(kind, &state);
		struct pack_result result = solve(&f, PACK_EFFORT);
		int best = by_glpk(&f);

		check_plan(&f, &result);
		if ((int)result.placed != best || (int)result.bound != best)
			FAIL("fleet %u of seed %llu, %zu guests, %zu hosts: %zu placed, bound %zu, GLPK %d", n, (unsigned long long)seed,
			     f.items, f.bins, result.placed, result.bound, best);
		fleet_free(&f);
	}
}

TEST(random_fleets_of_vfs_are_as_glpk_says)
{
	compare(&(struct kind){ .bins = 8, .items = 24, .vfs = 7, .islands = 2 }, 120, 19);
}

TEST(random_fleets_with_scarce_memory_are_as_glpk_says)
{
	compare(&(struct kind){ .bins = 6, .items = 20, .vfs = 8, .memory = 64, .islands = 1 }, 120, 20);
}

TEST(random_fleets_with_groups_are_as_glpk_says)
{
	compare(&(struct kind){ .bins = 6, .items = 24, .vfs = 12, .memory = 128, .islands = 2, .groups = true }, 120, 21);
}

TEST(random_islands_are_as_glpk_says)
{
	compare(&(struct kind){ .bins = 16, .items = 48, .vfs = 9, .memory = 256, .islands = 4 }, 60, 22);
}
