/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet_upgrade.c: in which order hosts get new firmware, and what moves when.
 *
 * Theory of operation. A host can be upgraded when it is empty. While no host is new, the first one is emptied onto other old ones: those
 * moves are all that is needed beyond the one change that every guest has to make anyway. From then on the guests of the next host change
 * to those that are new, and move onto old ones only where there is no room. Each host is tried as the first one (where the fleet is not
 * too large), and at each step the host is taken whose emptying stops the fewest guests, then needs the fewest moves beyond the changes.
 */
#include "policy/fleet_upgrade.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/fleet_pack.h"
#include "policy/rules.h"

#define ROWS 2           /* VFs, memory in MiB */
#define EFFORT 20000     /* nodes of one packing */
#define TRY_ALL 16       /* hosts up to which each is tried as the first one */

/* The fleet in numbers, as far as the plan has come. */
struct state {
	const struct fleet *fleet;
	const uint8_t *fits;     /* [guest * hosts + host] */
	size_t *where;           /* [guest] */
	bool *is_new;            /* [host] */
	int32_t *room;           /* [host * ROWS + row]: free */
};

/* Where one packing works. */
struct desk {
	size_t *guest;           /* those that are to go */
	size_t guests;
	int32_t *demand;
	uint8_t *dislike;
	int *bin;
};

/* need() - what a guest takes */
static void need(const struct fleet *fleet, size_t guest, int32_t out[ROWS])
{
	out[0] = (int32_t)fleet->guest[guest].vfs.vfs;
	out[1] = (int32_t)fleet->guest[guest].machine.memory;
}

/* put() - lets a guest be on another host */
static void put(struct state *s, size_t guest, size_t host)
{
	int32_t its[ROWS];

	need(s->fleet, guest, its);
	for (size_t r = 0; r < ROWS; r++) {
		s->room[s->where[guest] * ROWS + r] += its[r];
		s->room[host * ROWS + r] -= its[r];
	}
	s->where[guest] = host;
}

/*
 * pack_host() - finds places for the guests of a host on others
 * @only_kind:	on hosts of its own kind (old, new) alone
 * Return: how many have none, -ENOMEM
 */
static long pack_host(const struct state *s, struct desk *d, size_t host, bool only_kind)
{
	const struct fleet *fleet = s->fleet;
	struct pack_problem problem = { .bins = fleet->hosts, .rows = ROWS, .capacity = s->room, .demand = d->demand, .dislike = d->dislike,
					.effort = EFFORT };
	struct pack_result result = { .bin = d->bin };

	d->guests = 0;
	for (size_t g = 0; g < fleet->guests; g++) {
		if (s->where[g] == host)
			d->guest[d->guests++] = g;
	}
	problem.items = d->guests;
	for (size_t k = 0; k < d->guests; k++) {
		for (size_t h = 0; h < fleet->hosts; h++) {
			int32_t *demand = &d->demand[(k * fleet->hosts + h) * ROWS];
			bool fits = h != host && s->fits[d->guest[k] * fleet->hosts + h] && (!only_kind || s->is_new[h] == s->is_new[host]);

			need(fleet, d->guest[k], demand);
			if (!fits)
				demand[0] = PACK_NEVER;
			d->dislike[k * fleet->hosts + h] = !s->is_new[h] && fleet->guest[d->guest[k]].vfs.vfs;
		}
	}
	return pack_solve(&problem, &result) ? -ENOMEM : (long)(d->guests - result.placed);
}

/* count_lives() - how many of the guests on the desk go to old hosts */
static size_t count_lives(const struct state *s, const struct desk *d)
{
	size_t lives = 0;

	for (size_t k = 0; k < d->guests; k++)
		lives += d->bin[k] >= 0 && !s->is_new[d->bin[k]];
	return lives;
}

/*
 * choose() - the host that is emptied next
 * Return: its number, FLEET_NOWHERE: all are new; SIZE_MAX - 1 without memory
 */
static size_t choose(const struct state *s, struct desk *d)
{
	size_t best = FLEET_NOWHERE, best_cost = SIZE_MAX;

	for (size_t h = 0; h < s->fleet->hosts; h++) {
		long stops = s->is_new[h] ? 0 : pack_host(s, d, h, false);
		size_t cost;

		if (stops < 0)
			return SIZE_MAX - 1;
		if (s->is_new[h])
			continue;
		cost = (size_t)stops * 1000000 + count_lives(s, d) * 1000 + d->guests;
		if (cost < best_cost) {
			best = h;
			best_cost = cost;
		}
	}
	return best;
}

/*
 * has_spare() - whether any one host of a kind could die
 * Return: whether the others of its kind have room for its guests
 */
static bool has_spare(const struct state *s, struct desk *d, bool kind)
{
	for (size_t h = 0; h < s->fleet->hosts; h++) {
		if (s->is_new[h] == kind && pack_host(s, d, h, true) != 0)
			return false;
	}
	return true;
}

/*
 * empty() - lets the guests of a host go
 * Return: 0, -ENOMEM
 */
static int empty(struct state *s, struct desk *d, size_t host, struct upgrade_plan *plan)
{
	struct upgrade_step *step = &plan->step[plan->steps];

	if (pack_host(s, d, host, false) < 0)
		return -ENOMEM;
	*step = (struct upgrade_step){ .host = host, .first = plan->moves, .moves = d->guests };
	for (size_t k = 0; k < d->guests; k++) {
		bool has_vf = s->fleet->guest[d->guest[k]].vfs.vfs > 0;
		struct upgrade_move *move = &plan->move[plan->moves++];

		*move = (struct upgrade_move){ d->guest[k], host, d->bin[k] < 0 ? host : (size_t)d->bin[k], UPGRADE_LIVE };
		if (d->bin[k] < 0)
			move->way = UPGRADE_STOP;
		else if (has_vf && s->is_new[d->bin[k]])
			move->way = UPGRADE_CHANGE;
		plan->stops += move->way == UPGRADE_STOP;
		plan->changes += move->way == UPGRADE_CHANGE;
		plan->lives += move->way == UPGRADE_LIVE && has_vf;
		if (d->bin[k] >= 0)
			put(s, d->guest[k], (size_t)d->bin[k]);
	}
	s->is_new[host] = true;
	plan->steps++;
	return 0;
}

/* look_around() - how the fleet is after a step */
static void look_around(const struct state *s, struct desk *d, struct upgrade_step *step)
{
	for (size_t h = 0; h < s->fleet->hosts; h++)
		*(s->is_new[h] ? &step->news : &step->olds) += 1;
	step->old_spare = !step->olds || has_spare(s, d, false);
	step->new_spare = has_spare(s, d, true);
}

/* ---- One way, and all of them -------------------------------------------------------------------------------------------------- */

/* Everything that is needed. */
struct work {
	struct state now, start;
	uint8_t *fits;
	struct desk desk;
};

/* reset() - the fleet as it is */
static void reset(struct work *w)
{
	const struct fleet *fleet = w->now.fleet;

	memcpy(w->now.where, w->start.where, fleet->guests * sizeof(*w->now.where));
	memcpy(w->now.is_new, w->start.is_new, fleet->hosts * sizeof(*w->now.is_new));
	memcpy(w->now.room, w->start.room, fleet->hosts * ROWS * sizeof(*w->now.room));
}

/*
 * one_way() - all steps, with a given first one
 * @first:	FLEET_NOWHERE: as it seems best
 * Return: 0, -ENOMEM
 */
static int one_way(struct work *w, size_t first, bool look, struct upgrade_plan *plan)
{
	reset(w);
	plan->steps = plan->moves = plan->lives = plan->changes = plan->stops = 0;
	for (;;) {
		size_t host = plan->steps || first == FLEET_NOWHERE ? choose(&w->now, &w->desk) : first;

		if (host == FLEET_NOWHERE)
			return 0;
		if (host == SIZE_MAX - 1 || empty(&w->now, &w->desk, host, plan))
			return -ENOMEM;
		if (look)
			look_around(&w->now, &w->desk, &plan->step[plan->steps - 1]);
	}
}

/* cost_of() - what a plan costs: guests that stop first */
static size_t cost_of(const struct upgrade_plan *plan)
{
	return plan->stops * 1000000 + plan->lives;
}

/*
 * search() - the best way
 * Return: 0, -ENOMEM
 */
static int search(struct work *w, struct upgrade_plan *plan)
{
	size_t hosts = w->now.fleet->hosts, first = FLEET_NOWHERE, least;
	int error = one_way(w, FLEET_NOWHERE, false, plan);

	least = cost_of(plan);
	for (size_t h = 0; !error && hosts <= TRY_ALL && h < hosts; h++) {
		if (w->start.is_new[h])
			continue;
		error = one_way(w, h, false, plan);
		if (!error && cost_of(plan) < least) {
			least = cost_of(plan);
			first = h;
		}
	}
	return error ? error : one_way(w, first, true, plan);
}

/*
 * bounds() - what no plan can avoid: each guest on an old host changes once; while no host is new, one host is emptied by plain moves
 */
static void bounds(const struct work *w, struct upgrade_plan *plan)
{
	const struct fleet *fleet = w->now.fleet;
	bool some_new = false;

	plan->lives_bound = SIZE_MAX;
	for (size_t h = 0; h < fleet->hosts; h++) {
		size_t here = 0;

		some_new |= w->start.is_new[h];
		for (size_t g = 0; g < fleet->guests; g++)
			here += fleet->guest[g].host == h && fleet->guest[g].vfs.vfs;
		if (w->start.is_new[h])
			continue;
		plan->changes_bound += here;
		plan->lives_bound = here < plan->lives_bound ? here : plan->lives_bound;
	}
	if (some_new || plan->lives_bound == SIZE_MAX)
		plan->lives_bound = 0;
}

/* is_upgraded() - whether all PFs of a host that count run the firmware */
static bool is_upgraded(const struct fleet *fleet, size_t host, const char *firmware)
{
	const struct inventory *inventory = fleet->host[host].inventory;

	for (size_t i = 0; i < inventory->pfs; i++) {
		if (guest_can_use_pf(fleet->config, &inventory->pf[i]) && firmware_compare(inventory->pf[i].info.firmware, firmware) != 0)
			return false;
	}
	return true;
}

/*
 * set_out() - the fleet as it is, in numbers
 */
static void set_out(struct work *w, const char *firmware)
{
	const struct fleet *fleet = w->now.fleet;
	struct fleet_question question = { .any_firmware = true };

	for (size_t h = 0; h < fleet->hosts; h++) {
		w->start.is_new[h] = is_upgraded(fleet, h, firmware);
		w->start.room[h * ROWS + 1] = fleet_free_memory(fleet, h);
		for (size_t pf = 0; pf < fleet->host[h].inventory->pfs; pf++) {
			if (guest_can_use_pf(fleet->config, &fleet->host[h].inventory->pf[pf]))
				w->start.room[h * ROWS] += (int32_t)fleet_free_vfs(fleet, h, pf);
		}
		if (w->start.room[h * ROWS + 1] == INT32_MAX)
			w->start.room[h * ROWS + 1] = INT32_MAX / 2; /* what leaves is added */
	}
	for (size_t g = 0; g < fleet->guests; g++) {
		w->start.where[g] = fleet->guest[g].host;
		for (size_t h = 0; h < fleet->hosts; h++) {
			struct fleet_fit fit = fleet_judge(fleet, g, h, &question, NULL);

			w->fits[g * fleet->hosts + h] = fit.need == NEED_NOTHING || fit.need == NEED_HERE;
		}
	}
}

/*
 * allocate() - memory for all of it
 * Return: 0, -ENOMEM
 */
static int allocate(struct work *w, struct upgrade_plan *plan)
{
	size_t hosts = w->now.fleet->hosts, guests = w->now.fleet->guests, cells = hosts * guests;
	struct state *state[] = { &w->now, &w->start };
	struct desk *d = &w->desk;
	bool ok = true;

	w->fits = calloc(cells + 1, 1);
	for (size_t i = 0; i < 2; i++) {
		state[i]->fits = w->fits;
		state[i]->where = calloc(guests + 1, sizeof(*state[i]->where));
		state[i]->is_new = calloc(hosts + 1, sizeof(*state[i]->is_new));
		state[i]->room = calloc(hosts * ROWS + 1, sizeof(*state[i]->room));
		ok &= state[i]->where && state[i]->is_new && state[i]->room;
	}
	d->guest = calloc(guests + 1, sizeof(*d->guest));
	d->demand = calloc(cells * ROWS + 1, sizeof(*d->demand));
	d->dislike = calloc(cells + 1, 1);
	d->bin = calloc(guests + 1, sizeof(*d->bin));
	plan->step = calloc(hosts + 1, sizeof(*plan->step));
	plan->move = calloc(cells + 1, sizeof(*plan->move));
	return ok && w->fits && d->guest && d->demand && d->dislike && d->bin && plan->step && plan->move ? 0 : -ENOMEM;
}

/*
 * fleet_upgrade() - plans
 * @firmware:	that all hosts are to run
 * @plan:	result
 * Return: 0, -ENOMEM
 */
int fleet_upgrade(const struct fleet *fleet, const char *firmware, struct upgrade_plan *plan)
{
	struct work w = { .now.fleet = fleet, .start.fleet = fleet };
	struct state *state[] = { &w.now, &w.start };
	int error;

	memset(plan, 0, sizeof(*plan));
	error = allocate(&w, plan);
	if (!error) {
		set_out(&w, firmware);
		bounds(&w, plan);
		error = search(&w, plan);
	}
	for (size_t i = 0; i < 2; i++) {
		free(state[i]->where);
		free(state[i]->is_new);
		free(state[i]->room);
	}
	free(w.fits);
	free(w.desk.guest);
	free(w.desk.demand);
	free(w.desk.dislike);
	free(w.desk.bin);
	return error;
}

/* upgrade_release() - gives a plan back */
void upgrade_release(struct upgrade_plan *plan)
{
	free(plan->step);
	free(plan->move);
	memset(plan, 0, sizeof(*plan));
}
