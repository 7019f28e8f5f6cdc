/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * show.c: a plan as a person reads it: the verdict first, then the waves, then who stays and what would help.
 */
#include "command/fleet/show.h"

#include <string.h>

#include "command/fleet/times.h"
#include "command/terminal.h"

/* Says "N guests". */
static const char *say_guests(size_t number, char *out, size_t size)
{
	snprintf(out, size, "%zu guest%s", number, number == 1 ? "" : "s");
	return out;
}

/* Says how long all takes, as far as that is known: ", about 6 min". */
static const char *say_long(const struct fleet_plan *plan, char *out, size_t size)
{
	char time[32];

	*out = '\0';
	if (plan->ms)
		snprintf(out, size, ", about %s", fleet_say_time(plan->ms, time, sizeof(time)));
	return out;
}

/* The cheapest cure of all: that of the first guest that stays although a host fits, else of the first one. */
static const struct fleet_stay *cheapest(const struct fleet_plan *plan)
{
	for (size_t i = 0; i < plan->stays; i++) {
		if (plan->stay[i].somewhere)
			return &plan->stay[i];
	}
	return plan->stay;
}

/* The verdict, for a host that is to be emptied. */
static void show_verdict(struct call *call, const struct fleet_case *c, const struct fleet_task *task, const struct fleet_plan *plan)
{
	const char *host = c->fleet.host[task->from].name;
	char text[2048], guests[32], time[48];
	size_t all = plan->moves + plan->stays;

	if (!plan->stays) {
		snprintf(text, sizeof(text), "%s can be emptied: %s in %u wave%s%s.", host, say_guests(all, guests, sizeof(guests)), plan->waves,
			 plan->waves == 1 ? "" : "s", say_long(plan, time, sizeof(time)));
	} else {
		const struct fleet_stay *stay = cheapest(plan);

		snprintf(text, sizeof(text), "%s cannot be emptied: %zu of %s can leave", host, plan->moves,
			 say_guests(all, guests, sizeof(guests)));
		if (plan->moves)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), ", in %u wave%s%s", plan->waves, plan->waves == 1 ? "" : "s",
				 say_long(plan, time, sizeof(time)));
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "; %s cannot: %s. Cheapest cure: %s.",
			 c->fleet.guest[stay->guest].name, stay->why.what, stay->why.cure);
	}
	terminal_wrap(call, 0, text);
}

/* The verdict, for a host that may die. */
static void show_survival(struct call *call, const struct fleet_case *c, const struct fleet_task *task, const struct fleet_plan *plan)
{
	const char *host = c->fleet.host[task->from].name;
	char text[2048], guests[32];
	const struct fleet_stay *stay = plan->stays ? cheapest(plan) : NULL;

	if (!stay)
		snprintf(text, sizeof(text), "If %s died now, there would be a place for each of its %s.", host,
			 say_guests(plan->moves, guests, sizeof(guests)));
	else
		snprintf(text, sizeof(text), "If %s died now, %zu of its %s would find no place, such as %s: %s. Cheapest cure: %s.", host,
			 plan->stays, say_guests(plan->moves + plan->stays, guests, sizeof(guests)), c->fleet.guest[stay->guest].name,
			 stay->why.what, stay->why.cure);
	terminal_wrap(call, 0, text);
}

/* Whether the plan is the best one, and how that is known. */
static void show_proof(struct call *call, const struct fleet_plan *plan, bool start)
{
	char text[512];

	if (plan->moves == plan->bound)
		snprintf(text, sizeof(text), "No plan moves more guests: that is proven.");
	else
		snprintf(text, sizeof(text), "The best plan that was found; none moves more than %zu.", plan->bound);
	if (!start && plan->moves && plan->waves == plan->waves_bound)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " Nor can it be done in fewer waves.");
	else if (!start && plan->moves)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " It takes %u wave%s at least.", plan->waves_bound,
			 plan->waves_bound == 1 ? "" : "s");
	terminal_wrap(call, 0, text);
}

/* One move. */
static void show_move(struct call *call, const struct fleet_case *c, const struct fleet_move *move)
{
	const struct fleet_guest *guest = &c->fleet.guest[move->guest];
	char text[1024], time[32] = "";

	if (move->ms)
		fleet_say_time(move->ms, time, sizeof(time));
	fprintf(call->out, "  %-20s", guest->name);
	snprintf(text, sizeof(text), "to %s, %zu VF%s%s%s%s%s", c->fleet.host[move->to].name, guest->vfs.vfs, guest->vfs.vfs == 1 ? "" : "s",
		 *time ? ", " : "", time, move->returns ? "" : "; cannot come back: ", move->returns ? "" : move->why_not.what);
	terminal_wrap(call, 22, text);
}

/* All moves, wave by wave. */
static void show_waves(struct call *call, const struct fleet_case *c, const struct fleet_plan *plan, bool start)
{
	unsigned int wave = 0;

	for (size_t i = 0; i < plan->moves; i++) {
		const struct fleet_move *move = &plan->move[i];
		char time[32];

		if (move->wave != wave && !start) {
			wave = move->wave;
			terminal_print(call, TONE_STRONG, "\nWave %u", wave);
			if (plan->wave_ms[wave - 1])
				fprintf(call->out, ", about %s", fleet_say_time(plan->wave_ms[wave - 1], time, sizeof(time)));
			fputc('\n', call->out);
		}
		if (start && !i)
			fputc('\n', call->out);
		show_move(call, c, move);
	}
}

/* Who stays. */
static void show_stays(struct call *call, const struct fleet_case *c, const struct fleet_plan *plan, bool start)
{
	if (plan->stays)
		terminal_print(call, TONE_STRONG, start ? "\nNo place for\n" : "\nStays\n");
	for (size_t i = 0; i < plan->stays; i++) {
		const struct fleet_stay *stay = &plan->stay[i];

		fprintf(call->out, "  %-20s", c->fleet.guest[stay->guest].name);
		terminal_wrap(call, 22, stay->why.what);
		if (!*stay->why.cure)
			continue;
		terminal_print(call, TONE_FAINT, "%22s", "do: ");
		terminal_wrap(call, 22, stay->why.cure);
	}
}

/* A plan for a person; see the header. */
void fleet_show_plan(struct call *call, const struct fleet_case *c, const struct fleet_task *task, const struct fleet_plan *plan)
{
	if (task->start)
		show_survival(call, c, task, plan);
	else
		show_verdict(call, c, task, plan);
	show_proof(call, plan, task->start);
	if (!task->start && plan->moves && !plan->ms)
		terminal_wrap(call, 0, "How long it takes is not known: no host has written down a move yet (vferryd does).");
	show_waves(call, c, plan, task->start);
	show_stays(call, c, plan, task->start);
}
