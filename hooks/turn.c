/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * turn.c: the turn that an arrival waits for: the line, the door and its caller's patience. See turn.h.
 */
#include "turn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/scope.h"
#include "base/watch.h"
#include "domain/status.h"
#include "engine/scene.h"
#include "host/workers.h"
#include "policy/patience.h"
#include "policy/placement.h"
#include "policy/rules.h"
#include "state/migration.h"
#include "state/record.h"

#define WAIT_MS 5000 /* a lease that runs out changes no file: look again now and then */
#define MOVES 20     /* that are asked how long one takes */
#define WAIT_TURN 4  /* how a try comes out when it is not this guest's turn yet; no error is called like that */

/* Opens the door for the next one. */
static void open_door(struct turn *turn)
{
	if (turn->door > 0)
		close(turn->door);
	turn->door = 0;
}

/*
 * look_at_flights() - who has the slots here; counted over all PFs together, since there is one line for all
 * @out, @size:	result, "" if that cannot be seen
 * Return: how many more VFs could be in flight
 */
static unsigned int look_at_flights(const struct event *event, char *out, size_t size)
{
	autoscene struct scene scene = { 0 };
	struct placement placement;
	unsigned int n = 0;

	out[0] = '\0';
	if (scene_read_holders(&scene, event->config, NULL))
		return 0;
	placement = scene_placement(&scene);
	placement_say_flights(&placement, out, size);
	for (size_t i = 0; i < scene.inventory.pfs; i++)
		n += placement_in_flight(&placement, &scene.inventory.pf[i]);
	return rules_slots_left(event->config, n);
}

/*
 * say_waiting() - tells the log for whom the guest waits, when that has changed
 * @why:	why it got no slot, when it tried
 */
static void say_waiting(struct turn *turn, const struct reason *why)
{
	char names[200], before[240], flights[240] = "", line[REASON_TEXT_MAX];

	snprintf(line, sizeof(line), "%s", why->what);
	if (!*line) {
		queue_names(&turn->ticket, names, sizeof(names));
		snprintf(before, sizeof(before), "%s", turn->is_next ? "another arrival is being made ready for" : "");
		if (!turn->is_next)
			snprintf(before, sizeof(before), "%s came before", *names ? names : "others");
		if (strncmp(turn->said, before, strlen(before)) == 0)
			return;
		if (!*turn->said) /* once: looking takes its time */
			(void)look_at_flights(turn->event, flights, sizeof(flights));
		snprintf(line, sizeof(line), "%s%s%s", before, *flights ? "; in flight are " : "", flights);
	}
	if (strcmp(line, turn->said) == 0)
		return;
	log_notice("waiting for a slot, up to %u s: %s", turn->wait, line);
	memcpy(turn->said, line, sizeof(turn->said));
}

/*
 * How many may wait, and why no more.
 */
struct places {
	unsigned int places;
	unsigned int workers;   /* threads of libvirt's daemon, if they are what sets the limit; else 0 */
	char flights[240];      /* who has the slots, "" if that cannot be seen */
};

/*
 * count_places() - how many may wait for a slot here: slot_queue, but whoever waits keeps a thread of libvirt's daemon until others have
 * moved, and where all threads are kept no migration can end (workers.h)
 */
static void count_places(const struct event *event, struct places *places)
{
	unsigned int workers = workers_above(), spare = workers > WORKERS_SPARE ? workers - WORKERS_SPARE : 0;

	places->workers = workers && spare < event->config->slot_queue ? workers : 0;
	places->places = places->workers ? spare : event->config->slot_queue;
}

/*
 * refuse_to_wait() - the refusal where all places in the line are taken
 * @full:	what the line says
 */
static void refuse_to_wait(const struct places *places, const struct reason *full, struct reason *why)
{
	char flights[280] = "";

	if (*places->flights)
		snprintf(flights, sizeof(flights), "; in flight are %s", places->flights);
	if (places->workers) {
		reason_set(why, -EAGAIN, full->object, "%.280s; no more may wait, as libvirt has only %u threads for calls here%s", full->what,
			   places->workers, flights);
		reason_cure(why, "start vferryd here or set min_workers = %u in libvirtd.conf (virtqemud.conf), then try again", WORKERS_ENOUGH);
	} else {
		reason_set(why, -EAGAIN, full->object, "%.280s%s", full->what, flights);
		reason_cure(why, "%s", full->cure);
	}
	reason_rule(why, full->rule);
}

/*
 * own_patience() - what its caller's patience is judged by; only where patience is set, the moves that were seen are read
 */
static struct patience own_patience(const struct event *event)
{
	struct patience patience = { .config = event->config };
	struct json_object *moves = event->config->patience ? migration_last(MOVES) : NULL;
	int64_t sum = 0, count = 0;

	for (size_t i = 0; moves && i < json_object_array_length(moves); i++) {
		struct json_object *move = json_object_array_get_idx(moves, i);
		const char *outcome = json_object_get_string(json_object_object_get(move, "outcome"));
		int64_t ms = json_object_get_int64(json_object_object_get(move, "ms"));

		if (!outcome || strcmp(outcome, migration_outcome_name(MIGRATION_COMPLETED)) != 0 || ms <= 0)
			continue;
		sum += ms;
		count++;
	}
	json_object_put(moves);
	patience.move_ms = count ? sum / count : 0;
	return patience;
}

/*
 * judge_line() - whether the place in the line that it got is near enough to the door for its caller's patience
 * Return: WAIT_TURN; -EAGAIN with *why, and no place in the line
 */
static int judge_line(struct turn *turn, struct reason *why)
{
	const struct patience patience = own_patience(turn->event);
	struct waiting *waiting = patience.config->patience ? calloc(QUEUE_MAX, sizeof(*waiting)) : NULL;
	size_t before = waiting ? queue_list(waiting, QUEUE_MAX) : 0;
	struct reason late = { 0 };

	free(waiting);
	if (!patience_judge(&patience, before ? before - 1 : 0, &late))
		return WAIT_TURN;
	queue_leave(&turn->ticket);
	*why = late;
	return -EAGAIN;
}

/*
 * enter() - gets in line
 *
 * Those for whom there still is a slot, and who wait for the door alone, have their places beside those who wait for a slot. To count them
 * takes a look at the host, so that is done only where it decides.
 *
 * Return: WAIT_TURN; negative errno with *why
 */
static int enter(struct turn *turn, struct reason *why)
{
	const struct event *event = turn->event;
	const char *uuid = event->domain->uuid, *name = event->domain->name;
	struct places places = { 0 };
	struct reason full = { 0 };
	int error;

	count_places(event, &places);
	error = queue_enter(uuid, name, places.places, &turn->ticket, &full);
	if (error == -EAGAIN) {
		places.places += look_at_flights(event, places.flights, sizeof(places.flights));
		error = queue_enter(uuid, name, places.places, &turn->ticket, &full);
	}
	if (!error)
		return judge_line(turn, why);
	*why = full;
	if (error == -EAGAIN)
		refuse_to_wait(&places, &full, why);
	return error;
}

/*
 * has_door() - whether it is one's turn, and nobody else is made ready for; with the host-wide lock held
 */
static bool has_door(struct turn *turn)
{
	turn->is_next = queue_is_first(turn->ticket.fd ? &turn->ticket : NULL);
	if (turn->is_next && turn->door <= 0)
		turn->door = queue_door(deadline_in(0), NULL);
	return turn->is_next && turn->door > 0;
}

/*
 * lock_host() - takes the host-wide lock, for which many arrivals at once wait one after the other, as they do for the door: it is waited
 * for as long as for that
 * Return: descriptor, negative errno with *why
 */
static int lock_host(const struct turn *turn, struct reason *why)
{
	deadline_t own = turn->event->deadline;

	return record_lock(NULL, deadline_left(turn->patience) > deadline_left(own) ? turn->patience : own, why);
}

/*
 * try_once() - one try, if it is the guest's turn; else, and if slots are missing, a place in the line
 * Return: 0 (the door is held), PLACEMENT_WAIT or WAIT_TURN while there is reason to wait, TURN_LOOK_BACK, negative errno
 */
static int try_once(struct turn *turn, struct reason *why)
{
	autoclose int lock = lock_host(turn, why);
	int result = WAIT_TURN;

	if (lock < 0)
		return lock;
	if (deadline_left(turn->patience) && !turn->is_second)
		event_begin(turn->event);
	*why = (struct reason){ 0 };
	if (has_door(turn)) {
		result = turn->work->try(turn->work->arg, why);
		turn->is_next = result != PLACEMENT_WAIT;
	}
	if ((result == PLACEMENT_WAIT || result == WAIT_TURN) && !turn->ticket.fd)
		result = enter(turn, why);
	return result;
}

/*
 * waited_in_vain() - the refusal of one who got no slot in time
 * Return: -EBUSY
 */
static int waited_in_vain(const struct turn *turn, struct reason *why)
{
	reason_set(why, -EBUSY, NULL, "no slot for live migration came free within %u s: %.400s", turn->wait, turn->said);
	reason_cure(why, "try again when those have arrived, or raise %s in vferry.conf here",
		    turn->wait < turn->event->config->slot_wait ? "patience" : "slot_wait");
	reason_rule(why, "L4-slots");
	return -EBUSY;
}

/*
 * has_patience() - whether the guest may go on waiting. For the door alone it waits as it would for any lock, also with slot_wait = 0.
 */
static bool has_patience(const struct turn *turn)
{
	return deadline_left(turn->patience) || (turn->is_next && deadline_left(turn->event->deadline));
}

/*
 * wait_for_others() - waits until it may be worth trying again
 *
 * What can free a slot is watched: libvirt's status files (a guest has landed, or failed) and the leases. The watch is opened when first
 * needed, and then it does not wait: what has changed since the last look was not watched yet.
 *
 * Return: 0, negative errno
 */
static int wait_for_others(struct turn *turn, struct reason *why)
{
	static const char *const directories[] = { STATUS_DIRECTORY, STATE_DIRECTORY "/guests", STATE_DIRECTORY "/queue", NULL };
	deadline_t until = deadline_within(deadline_left(turn->patience) ? turn->patience : turn->event->deadline, WAIT_MS);

	if (turn->is_next) {
		turn->door = queue_door(until, why);
		return turn->door < 0 && turn->door != -ETIME ? turn->door : 0;
	}
	open_door(turn);
	if (turn->watch <= 0) {
		turn->watch = watch_open(directories);
		return turn->watch < 0 ? reason_set(why, turn->watch, STATUS_DIRECTORY, "cannot wait for a slot: %s", strerror(-turn->watch)) : 0;
	}
	while (watch_wait(turn->watch, until) > 0 && queue_sees_before(&turn->ticket))
		;
	return 0;
}

/*
 * wait_turn() - waits for others, if there still is patience
 * Return: whether to try again; *error: negative errno if that went wrong
 */
static bool wait_turn(struct turn *turn, int *error, struct reason *why)
{
	say_waiting(turn, why); /* without the lock: it looks at the host */
	if (!has_patience(turn))
		return false;
	turn->work->forget(turn->work->arg);
	*error = wait_for_others(turn, why);
	if (deadline_left(turn->patience))
		event_begin(turn->event);
	return !*error;
}

/*
 * leave_line() - gives the place in the line back, and wakes no more when something changes
 */
static void leave_line(struct turn *turn)
{
	queue_leave(&turn->ticket);
	if (turn->watch > 0)
		close(turn->watch);
	turn->watch = 0;
}

/*
 * turn_begin() - reads how long the guest may wait for others
 * @turn:	zeroed
 * @event:	"migrate" of the guest
 * @work:	what it does when it is its turn
 */
void turn_begin(struct turn *turn, struct event *event, const struct turn_work *work)
{
	const struct patience patience = own_patience(event);
	int64_t wait = patience_wait(&patience);

	turn->event = event;
	turn->work = work;
	turn->patience = deadline_in((int)wait);
	turn->wait = (unsigned int)(wait / 1000);
}

/*
 * turn_take() - waits for the turn, and tries until it comes out
 * @why:	filled on failure
 * Return: 0 (the door is held, until all is ready); -EBUSY if the wait for a slot was too long; -EAGAIN if no place is left in the line, or
 * one that is too far back for the caller's patience; other negative errno
 */
int turn_take(struct turn *turn, struct reason *why)
{
	int result, error = 0;

	for (;;) {
		result = try_once(turn, why);
		if (result == TURN_LOOK_BACK)
			error = turn->work->look_back(turn->work->arg, why);
		else if (result <= 0 || !wait_turn(turn, &error, why))
			break;
		if (error)
			break;
	}
	leave_line(turn);
	if (error)
		return error;
	return result > 0 ? waited_in_vain(turn, why) : result;
}

/*
 * turn_leave() - leaves line and door
 */
void turn_leave(struct turn *turn)
{
	leave_line(turn);
	open_door(turn);
}
