/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_hook_turn.c: the turn that an arrival waits for: who is let in, with what held, for how long, and what is said to who is not.
 */
#include "state.h"

#include <sys/wait.h>

#include "base/clock.h"
#include "policy/placement.h"
#include "state/record.h"
#include "turn.h"

#define UUID "11111111-2222-3333-4444-555555555555"
/* Of those who come in the same millisecond the uuid decides who came before. */
#define FIRST "01111111-2222-3333-4444-555555555555"
#define SECOND "02111111-2222-3333-4444-555555555555"
#define THIRD "03111111-2222-3333-4444-555555555555"

/* What is tried, and what was seen meanwhile. */
static struct trial {
	int result[4];   /* of the tries, one after the other */
	int tries, looks, forgets;
	int frees;       /* at which wait a lease goes, as if somebody had arrived; 0: none */
	bool lock_was_held, door_was_held, lock_was_free;
} trial;

static struct config config;
static struct domain domain = { .uuid = UUID, .name = "web1" };
static struct event event = { .config = &config, .domain = &domain };

/* Whether another process can take something now. */
static bool can_others(int (*take)(void))
{
	pid_t child = fork();
	int status = -1;

	if (child == 0)
		_exit(take() >= 0 ? 0 : 1);
	CHECK(waitpid(child, &status, 0) == child);
	return status == 0;
}

static int take_lock(void)
{
	return record_lock(NULL, deadline_in(0), NULL);
}

static int take_door(void)
{
	return queue_door(deadline_in(0), NULL);
}

static int try(void *arg, struct reason *why)
{
	struct trial *t = arg;

	t->lock_was_held = !can_others(take_lock);
	t->door_was_held = !can_others(take_door);
	if (t->result[t->tries] == PLACEMENT_WAIT)
		reason_set(why, -EBUSY, NULL, "all slots are taken by web7");
	return t->result[t->tries++];
}

static int look_back(void *arg, struct reason *why)
{
	struct trial *t = arg;

	(void)why;
	t->lock_was_free = can_others(take_lock);
	t->looks++;
	return 0;
}

static void forget(void *arg)
{
	struct trial *t = arg;

	if (++t->forgets == t->frees)
		check_file("/run/vferry/guests/lease", "{}");
}

static const struct turn_work work = { .try = try, .look_back = look_back, .forget = forget, .arg = &trial };

/* An empty machine, and a turn that has begun. wait: slot_wait. */
static void begin(struct turn *turn, unsigned int wait)
{
	state_empty_root();
	trial = (struct trial){ 0 };
	config_defaults(&config);
	config.slot_wait = wait;
	event_begin(&event);
	*turn = (struct turn){ 0 };
	turn_begin(turn, &event, &work);
}

TEST(it_tries_with_door_and_lock_held_and_keeps_the_door_until_it_leaves)
{
	struct turn turn;
	struct reason why = { 0 };

	begin(&turn, 1);
	CHECK_INT(turn_take(&turn, &why), 0);
	CHECK_INT(trial.tries, 1);
	CHECK(trial.lock_was_held && trial.door_was_held);
	CHECK(can_others(take_lock));
	CHECK(!can_others(take_door));
	turn_leave(&turn);
	CHECK(can_others(take_door));
}

TEST(it_looks_back_without_the_lock_and_tries_again)
{
	struct turn turn;
	struct reason why = { 0 };

	begin(&turn, 1);
	trial.result[0] = TURN_LOOK_BACK;
	CHECK_INT(turn_take(&turn, &why), 0);
	CHECK_INT(trial.looks, 1);
	CHECK(trial.lock_was_free);
	CHECK_INT(trial.tries, 2);
	CHECK_INT(trial.forgets, 0);
	turn_leave(&turn);
}

TEST(what_a_try_fails_with_is_what_comes_out_and_nobody_waits)
{
	struct turn turn;
	struct reason why = { 0 };

	begin(&turn, 300);
	trial.result[0] = -EPERM;
	CHECK_INT(turn_take(&turn, &why), -EPERM);
	CHECK_INT(trial.tries, 1);
	CHECK(queue_is_first(NULL));
	turn_leave(&turn);
}

TEST(whoever_waits_for_a_slot_in_vain_is_told_for_what_and_leaves_the_line)
{
	struct turn turn;
	struct reason why = { 0 };
	struct waiting waiting;

	begin(&turn, 1);
	for (size_t i = 0; i < 4; i++)
		trial.result[i] = PLACEMENT_WAIT;
	CHECK_INT(turn_take(&turn, &why), -EBUSY);
	CHECK_STR(why.what, "no slot for live migration came free within 1 s: all slots are taken by web7");
	CHECK_CONTAINS(why.cure, "raise slot_wait in vferry.conf here");
	CHECK_STR(why.rule, "L4-slots");
	CHECK(trial.forgets > 0);
	CHECK_INT(queue_list(&waiting, 1), 0);
	turn_leave(&turn);
	CHECK(can_others(take_door));
}

TEST(a_slot_that_comes_free_is_taken_by_who_waits)
{
	struct turn turn;
	struct reason why = { 0 };
	int64_t from = clock_ms();

	begin(&turn, 300);
	trial.result[0] = trial.result[1] = PLACEMENT_WAIT; /* the second look follows at once: nothing was watched before */
	trial.frees = 2;
	CHECK_INT(turn_take(&turn, &why), 0);
	CHECK_INT(trial.tries, 3);
	CHECK(clock_ms() - from < 4000); /* it was woken: of its own accord it looks again after 5 s */
	turn_leave(&turn);
}

TEST(where_nobody_may_wait_it_is_refused_at_once)
{
	struct turn turn;
	struct reason why = { 0 };

	begin(&turn, 300);
	config.slot_queue = 0;
	trial.result[0] = PLACEMENT_WAIT;
	CHECK_INT(turn_take(&turn, &why), -EAGAIN);
	CHECK_INT(trial.tries, 1);
	CHECK_CONTAINS(why.what, "nobody may wait for one");
	turn_leave(&turn);
}

TEST(whoever_came_before_goes_before)
{
	struct turn turn;
	struct reason why = { 0 };
	struct ticket before = { 0 };

	begin(&turn, 1);
	CHECK_INT(queue_enter(FIRST, "web2", 8, &before, NULL), 0);
	CHECK_INT(turn_take(&turn, &why), -EBUSY);
	CHECK_INT(trial.tries, 0);
	CHECK_STR(why.what, "no slot for live migration came free within 1 s: web2 came before");
	queue_leave(&before);
	CHECK_INT(turn_take(&turn, &why), 0);
	turn_leave(&turn);
}

TEST(for_the_door_alone_it_waits_also_where_nobody_waits_for_a_slot)
{
	struct turn turn;
	struct reason why = { 0 };
	int door;

	begin(&turn, 0);
	event.deadline = deadline_in(100);
	door = queue_door(deadline_in(0), &why);
	CHECK(door >= 0);
	CHECK_INT(turn_take(&turn, &why), -EBUSY);
	CHECK_INT(trial.tries, 0);
	CHECK_CONTAINS(why.what, "another arrival is being made ready for");
	CHECK_INT(deadline_left(event.deadline), 0);
	close(door);
	turn_leave(&turn);
}

TEST(its_own_time_begins_anew_when_it_is_let_in_and_not_when_it_tries_once_more)
{
	struct turn turn;
	struct reason why = { 0 };

	begin(&turn, 300);
	event.deadline = deadline_in(500);
	CHECK_INT(turn_take(&turn, &why), 0);
	CHECK(deadline_left(event.deadline) > 500);
	event.deadline = deadline_in(500);
	turn.is_second = true;
	CHECK_INT(turn_take(&turn, &why), 0);
	CHECK(deadline_left(event.deadline) <= 500);
	turn_leave(&turn);
}

TEST(a_place_too_far_back_for_its_callers_patience_is_none)
{
	struct turn turn;
	struct reason why = { 0 };
	static const char *const uuid[] = { FIRST, SECOND, THIRD };
	struct ticket before[3] = { 0 };
	struct waiting waiting[4];

	begin(&turn, 300);
	check_file("/var/lib/vferry/migrations.jsonl", "{\"outcome\": \"completed\", \"ms\": 4000}\n{\"outcome\": \"failed\", \"ms\": 90000}\n");
	config.patience = 10;
	config.vfs_in_flight = 1;
	turn_begin(&turn, &event, &work);
	CHECK_INT(turn.wait, 6); /* what a move takes is left for it; a move that failed tells nothing */
	for (size_t i = 0; i < 3; i++)
		CHECK_INT(queue_enter(uuid[i], "web2", 8, &before[i], NULL), 0);
	CHECK_INT(turn_take(&turn, &why), -EAGAIN);
	CHECK_STR(why.what, "3 guests wait for a slot before it, which takes 12 s or more, and whoever moves it leaves it 6 s");
	CHECK_INT(queue_list(waiting, 4), 3);
	queue_leave(&before[0]);
	queue_leave(&before[1]);
	turn.patience = deadline_in(0); /* near enough to wait, and at once in vain */
	CHECK_INT(turn_take(&turn, &why), -EBUSY);
	CHECK_CONTAINS(why.cure, "raise patience in vferry.conf here");
	queue_leave(&before[2]);
	turn_leave(&turn);
}
