/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_state_queue.c: the line of arrivals that wait for a slot, and the watch that wakes them.
 */
#include "check.h"

#include <sys/wait.h>

#include "base/sysroot.h"
#include "base/watch.h"
#include "state/queue.h"
#include "state/record.h"

#define FIRST "11111111-2222-3333-4444-555555555555"
#define SECOND "21111111-2222-3333-4444-555555555555"
#define THIRD "31111111-2222-3333-4444-555555555555"

static void empty_root(void)
{
	char run[PATH_MAX + 8];

	snprintf(run, sizeof(run), "%s/run", check_scratch());
	if (mkdir(run, 0755) && errno != EEXIST)
		FAIL("cannot make %s", run);
	CHECK_INT(sysroot_set(check_scratch()), 0);
}

TEST(whoever_comes_first_is_served_first)
{
	struct ticket first = { 0 }, second = { 0 };

	empty_root();
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

	empty_root();
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

TEST(a_full_line_refuses_the_next_one_with_a_sentence)
{
	struct ticket first = { 0 }, second = { 0 }, third = { 0 };
	struct reason why = { 0 };

	empty_root();
	CHECK_INT(queue_enter(FIRST, "guest1", 2, &first, NULL), 0);
	CHECK_INT(queue_enter(SECOND, "guest1", 2, &second, NULL), 0);
	CHECK_INT(queue_enter(THIRD, "guest1", 2, &third, &why), -EAGAIN);
	CHECK_CONTAINS(why.what, "2 guests wait");
	queue_leave(&first);
	CHECK_INT(queue_enter(THIRD, "guest1", 2, &third, NULL), 0);
	queue_leave(&second);
	queue_leave(&third);
}

TEST(a_ticket_whose_owner_died_does_not_count)
{
	struct ticket ticket = { 0 };
	int status;
	pid_t child;

	empty_root();
	child = fork();
	if (child == 0)
		_exit(queue_enter(FIRST, "guest1", 8, &ticket, NULL) ? 1 : 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
	CHECK(queue_is_first(NULL));
	CHECK_INT(queue_enter(SECOND, "guest1", 1, &ticket, NULL), 0);
	queue_leave(&ticket);
}

TEST(a_watch_wakes_up_for_a_replaced_file_and_not_without_one)
{
	static const char *const directories[] = { "/run", "/run/absent", NULL };
	int watch;

	empty_root();
	watch = watch_open(directories);
	CHECK(watch >= 0);
	CHECK_INT(watch_wait(watch, deadline_in(20)), 0);
	CHECK_INT(sysroot_replace("x", 1, "/run/file"), 0);
	CHECK_INT(watch_wait(watch, deadline_in(2000)), 1);
	CHECK_INT(watch_wait(watch, deadline_in(20)), 0);
	close(watch);
}
