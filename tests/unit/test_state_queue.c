/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_state_queue.c: the line of arrivals that wait for a slot, and the watch that wakes them.
 */
#include "state.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/sysroot.h"
#include "base/watch.h"
#include "state/queue.h"
#include "state/record.h"

#define FIRST "11111111-2222-3333-4444-555555555555"
#define SECOND "21111111-2222-3333-4444-555555555555"
#define THIRD "31111111-2222-3333-4444-555555555555"

TEST(whoever_comes_first_is_served_first)
{
	struct ticket first = { 0 }, second = { 0 };

	state_empty_root();
	CHECK(queue_is_first(NULL));
	CHECK_INT(queue_enter(FIRST, "guest1", 8, &first, NULL), 0);
	usleep(2000);
	CHECK_INT(queue_enter(SECOND, "guest1", 8, &second, NULL), 0);
	CHECK(!queue_is_first(NULL));
	CHECK(queue_is_first(&first));
	CHECK(!queue_is_first(&second));
	queue_leave(&first);
	CHECK(queue_is_first(&second));
	queue_leave(&second);
	CHECK(queue_is_first(NULL));
}

TEST(who_waits_is_listed_with_name_and_time)
{
	struct ticket first = { 0 }, second = { 0 };
	struct waiting waiting[4];

	state_empty_root();
	CHECK_INT(queue_list(waiting, 4), 0);
	CHECK_INT(queue_enter(FIRST, "web1", 8, &first, NULL), 0);
	usleep(2000);
	CHECK_INT(queue_enter(SECOND, "web\n2", 8, &second, NULL), 0);
	CHECK_INT(queue_list(waiting, 4), 2);
	CHECK_STR(waiting[0].uuid, FIRST);
	CHECK_STR(waiting[0].guest, "web1");
	CHECK(waiting[0].since > 0 && waiting[0].since < waiting[1].since);
	CHECK_STR(waiting[1].uuid, SECOND);
	CHECK_STR(waiting[1].guest, "web?2");
	CHECK_INT(queue_list(waiting, 1), 1);
	queue_leave(&first);
	queue_leave(&second);
	CHECK_INT(queue_list(waiting, 4), 0);
}

TEST(who_came_before_is_seen_without_the_lock_also_one_who_has_died)
{
	struct ticket first = { 0 }, second = { 0 };

	state_empty_root();
	CHECK_INT(queue_enter(FIRST, "web1", 8, &first, NULL), 0);
	usleep(2000);
	CHECK_INT(queue_enter(SECOND, "web2", 8, &second, NULL), 0);
	CHECK(!queue_sees_before(&first));
	CHECK(queue_sees_before(&second));
	close(first.fd); /* as when its process dies */
	CHECK(queue_sees_before(&second));
	CHECK(queue_is_first(&second)); /* with the lock, which throws it away */
	CHECK(!queue_sees_before(&second));
	queue_leave(&second);
}

TEST(a_full_line_refuses_the_next_one_with_a_sentence)
{
	struct ticket first = { 0 }, second = { 0 }, third = { 0 };
	struct reason why = { 0 };

	state_empty_root();
	CHECK_INT(queue_enter(FIRST, "web1", 2, &first, NULL), 0);
	usleep(2000);
	CHECK_INT(queue_enter(SECOND, "web2", 2, &second, NULL), 0);
	CHECK_INT(queue_enter(THIRD, "guest1", 2, &third, &why), -EAGAIN);
	CHECK_STR(why.what, "all slots for live migration are taken here, and 2 guests wait for one already (web1, web2)");
	CHECK_CONTAINS(why.cure, "try again when some have arrived");
	CHECK_STR(why.rule, "L4-queue");
	queue_leave(&first);
	CHECK_INT(queue_enter(THIRD, "guest1", 2, &third, NULL), 0);
	queue_leave(&second);
	queue_leave(&third);
}

TEST(a_line_for_nobody_refuses_with_the_setting)
{
	struct ticket ticket = { 0 };
	struct reason why = { 0 };

	state_empty_root();
	CHECK_INT(queue_enter(FIRST, "web1", 0, &ticket, &why), -EAGAIN);
	CHECK_STR(why.what, "all slots for live migration are taken here, and nobody may wait for one");
}

TEST(one_arrival_at_a_time_is_let_through_the_door)
{
	struct reason why = { 0 };
	int mine, status;
	pid_t child;

	state_empty_root();
	mine = queue_door(deadline_in(0), &why);
	CHECK(mine >= 0);
	child = fork();
	if (child == 0)
		_exit(queue_door(deadline_in(50), NULL) == -ETIME ? 0 : 1);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
	close(mine);
	child = fork();
	if (child == 0)
		_exit(queue_door(deadline_in(0), NULL) >= 0 ? 0 : 1); /* and dies with it */
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
	mine = queue_door(deadline_in(0), &why);
	CHECK(mine >= 0);
	close(mine);
}

TEST(a_ticket_whose_owner_died_does_not_count)
{
	struct ticket ticket = { 0 };
	int status;
	pid_t child;

	state_empty_root();
	child = fork();
	if (child == 0)
		_exit(queue_enter(FIRST, "guest1", 8, &ticket, NULL) ? 1 : 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
	CHECK(queue_is_first(NULL));
	CHECK_INT(queue_enter(SECOND, "guest1", 1, &ticket, NULL), 0);
	queue_leave(&ticket);
}

TEST(looking_at_the_line_wakes_nobody)
{
	static const char *const directories[] = { STATE_DIRECTORY "/queue", NULL };
	struct ticket first = { 0 }, second = { 0 };
	int watch;

	state_empty_root();
	CHECK_INT(queue_enter(FIRST, "web1", 8, &first, NULL), 0);
	usleep(2000);
	CHECK_INT(queue_enter(SECOND, "web2", 8, &second, NULL), 0);
	watch = watch_open(directories);
	CHECK(watch >= 0);
	CHECK(!queue_is_first(&second));
	CHECK(!queue_is_first(NULL));
	CHECK_INT(watch_wait(watch, deadline_in(20)), 0);
	queue_leave(&first);
	CHECK_INT(watch_wait(watch, deadline_in(2000)), 1);
	close(watch);
	queue_leave(&second);
}

#define WAITERS 6

/* One who waits, as the hook does: gets in line, and when it is its turn notes its number. Never returns. */
static void wait_in_line(int number, int ready)
{
	static const char *const directories[] = { STATE_DIRECTORY "/queue", NULL };
	struct ticket ticket = { 0 };
	char uuid[40], note = (char)('0' + number);
	int watch, lock = record_lock(NULL, deadline_in(60000), NULL), notes;
	bool first = false;

	snprintf(uuid, sizeof(uuid), "%d1111111-2222-3333-4444-555555555555", 9 - number); /* the order is not that of the uuids */
	if (lock < 0 || queue_enter(uuid, "waiter", 8, &ticket, NULL))
		_exit(1);
	close(lock);
	watch = watch_open(directories);
	if (watch < 0 || write(ready, &note, 1) != 1)
		_exit(1);
	for (int i = 0; i < 600 && !first; i++) {
		lock = record_lock(NULL, deadline_in(60000), NULL);
		first = queue_is_first(&ticket);
		close(lock);
		if (!first)
			(void)watch_wait(watch, deadline_in(100));
	}
	notes = sysroot_open(O_WRONLY | O_APPEND | O_CREAT, 0600, "/run/order");
	if (!first || notes < 0 || write(notes, &note, 1) != 1)
		_exit(1);
	queue_leave(&ticket);
	_exit(0);
}

TEST(several_who_wait_are_served_in_the_order_of_their_coming_and_the_dead_hold_up_nobody)
{
	struct ticket holder = { 0 };
	char order[16] = "", note;
	pid_t child[WAITERS];
	int ready[2], status;

	state_empty_root();
	CHECK_INT(pipe(ready), 0);
	CHECK_INT(queue_enter("00000000-2222-3333-4444-555555555555", "holder", 8, &holder, NULL), 0);
	for (int i = 0; i < WAITERS; i++) {
		child[i] = fork();
		if (child[i] == 0)
			wait_in_line(i, ready[1]);
		CHECK(read(ready[0], &note, 1) == 1); /* it stands in line */
		usleep(2000);
	}
	CHECK_INT(kill(child[2], SIGKILL), 0);
	CHECK(waitpid(child[2], &status, 0) == child[2]);
	queue_leave(&holder);
	for (int i = 0; i < WAITERS; i++) {
		if (i == 2)
			continue;
		CHECK(waitpid(child[i], &status, 0) == child[i]);
		CHECK_INT(status, 0);
	}
	CHECK_INT(sysroot_read(order, sizeof(order), "/run/order"), WAITERS - 1);
	CHECK_STR(order, "01345");
	CHECK(queue_is_first(NULL));
}

TEST(a_watch_wakes_up_for_a_replaced_file_and_not_without_one)
{
	static const char *const directories[] = { "/run", "/run/absent", NULL };
	int watch;

	state_empty_root();
	watch = watch_open(directories);
	CHECK(watch >= 0);
	CHECK_INT(watch_wait(watch, deadline_in(20)), 0);
	CHECK_INT(sysroot_replace("x", 1, "/run/file"), 0);
	CHECK_INT(watch_wait(watch, deadline_in(2000)), 1);
	CHECK_INT(watch_wait(watch, deadline_in(20)), 0);
	close(watch);
}
