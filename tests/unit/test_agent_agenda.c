/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_agent_agenda.c: what is to be done is done in its order and at its time, and what has failed is tried again. See agent_world.h.
 */
#include "agent_world.h"

/* Return: the name of what may be carried out now and its guest, "" if nothing may (static). */
static const char *next(void)
{
	const struct intent *intent = agenda_next(&world.agenda, &world.facts, world.clock);
	static char text[64];

	*text = '\0';
	if (intent)
		snprintf(text, sizeof(text), "%s%s%s", intent_name(intent->kind), *intent->uuid ? "@" : "", intent->uuid);
	return text;
}

/* Takes how the next one ended. Return: ms until it is due again, -1 if it is not any more. */
static int64_t ends(int error, int again)
{
	const struct intent *intent = agenda_next(&world.agenda, &world.facts, world.clock), *there;
	struct outcome outcome = { .error = error, .again = again };
	struct intent copy;

	CHECK(intent);
	copy = *intent;
	agenda_result(&world.agenda, &copy, &outcome, world.clock);
	there = agenda_find(&world.agenda, copy.kind, copy.uuid);
	return there ? there->due - world.clock : -1;
}

TEST(what_is_urgent_comes_at_once_and_the_rest_a_moment_later_in_its_order)
{
	static const char *const then[] = { "yield@b", "yield@c", "yield@d", "adopt@b", "adopt@c", "passport@b", "passport@c", "passport@d" };

	world_begin();
	world_look("a vf=1 out perform3 postcopy; b vf=2; c vf=3; d vf=4,5", NULL);
	world_look("a vf=1 out perform3 postcopy; b vf=3; c vf=2; d vf=4", NULL);
	CHECK_STR(next(), "end@a");
	CHECK_INT(ends(0, 5000), 5000);
	CHECK_STR(next(), "passport@b"); /* of the look before */
	CHECK_INT(agenda_wake(&world.agenda, &world.facts), world.clock - WORLD_TIME + 200);
	world.clock += 200;
	for (size_t i = 0; i < sizeof(then) / sizeof(then[0]); i++) {
		CHECK_STR(next(), then[i]);
		CHECK_INT(ends(0, 0), -1);
	}
	CHECK_STR(next(), ""); /* passport@a: it has a job */
	CHECK_INT(agenda_wake(&world.agenda, &world.facts), world.clock + 4800);
	world_begin();
}

TEST(what_has_failed_is_tried_again_later_each_time_and_at_once_when_it_is_asked_for_anew)
{
	static const int64_t pauses[] = { 500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };

	world_begin();
	world_look("a vf=1", NULL);
	world_done();
	world_look("a vf=1,2", NULL);
	world.clock += 200;
	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		CHECK_STR(next(), "adopt@a");
		CHECK_INT(ends(-EPERM, 0), pauses[i]);
		CHECK_STR(next(), "passport@a"); /* others are not kept waiting */
		world.clock += pauses[i];
	}
	CHECK_INT(ends(-EIO, 0), 60000);
	world_look("a vf=1,2,3", NULL);
	world.clock += 200;
	CHECK_STR(next(), "adopt@a");
	CHECK_INT(agenda_find(&world.agenda, INTENT_ADOPT, "a")->failed, 0);
	CHECK_INT(ends(-EIO, 0), 500);
	world.clock += 500;
	CHECK_INT(ends(0, 0), -1);
	world_begin();
}

TEST(a_vf_that_goes_from_guest_to_guest_ends_right_though_the_first_try_fails)
{
	world_begin();
	world_look("b vf=2; a vf=1", NULL);
	world_done();
	world_look("b vf=2,1; a", NULL);
	world.clock += 200;
	CHECK_STR(next(), "yield@a");
	CHECK_INT(ends(-ETIME, 0), 500); /* a hook holds the lock */
	CHECK_STR(next(), "adopt@b");
	CHECK_INT(ends(-EPERM, 0), 500); /* it is still a's */
	world.clock += 500;
	CHECK_STR(next(), "yield@a");
	CHECK_INT(ends(0, 0), -1);
	CHECK_STR(next(), "adopt@b");
	CHECK_INT(ends(0, 0), -1);
	world_begin();
}

TEST(a_guest_that_has_gone_meanwhile_is_not_tried_again)
{
	world_begin();
	world_look("a vf=1", NULL);
	world.clock += 200;
	CHECK_INT(ends(-ENOENT, 0), -1);
	world_begin();
}

TEST(a_guest_with_a_job_and_an_absent_libvirt_are_waited_for)
{
	world_begin();
	world_look("[away] a vf=1", NULL);
	world.clock += 200;
	CHECK_STR(next(), "");
	CHECK(agenda_wake(&world.agenda, &world.facts) == INT64_MAX);
	world_look("a vf=1 other", NULL);
	CHECK_STR(next(), "");
	CHECK(agenda_wake(&world.agenda, &world.facts) == INT64_MAX);
	world_look("a vf=1 in prepare paused because=migration", NULL);
	CHECK_STR(next(), "locate@a");
	CHECK_INT(ends(0, 0), -1);
	CHECK_STR(next(), "");
	world_look("a vf=1 paused because=migration", NULL); /* libvirt has thrown the job away, and it has not landed */
	CHECK_STR(next(), "");
	world_look("a vf=1 running because=migrated", NULL);
	CHECK_STR(next(), "announce@a");
	world_begin();
}

TEST(rounds_of_announcing_go_on_and_begin_anew_for_the_next_stage_alone)
{
	struct intent again = { .kind = INTENT_ANNOUNCE, .uuid = "a", .job = 1, .how = ANNOUNCED_EARLY };

	world_begin();
	world_look("a vf=1 in finish3 paused because=migration", NULL);
	CHECK_STR(next(), "announce@a");
	CHECK_INT(ends(0, 50), 50);
	CHECK_INT(agenda_find(&world.agenda, INTENT_ANNOUNCE, "a")->done, 1);
	CHECK_INT(agenda_ask(&world.agenda, &again, world.clock), 0);
	CHECK_INT(agenda_find(&world.agenda, INTENT_ANNOUNCE, "a")->done, 1);
	CHECK_INT(agenda_find(&world.agenda, INTENT_ANNOUNCE, "a")->due, world.clock + 50);
	world_look("a vf=1 in finish3 running because=migrated", NULL);
	CHECK_STR(next(), "announce@a");
	CHECK_INT(agenda_find(&world.agenda, INTENT_ANNOUNCE, "a")->done, 0);
	CHECK_INT(agenda_find(&world.agenda, INTENT_ANNOUNCE, "a")->how, ANNOUNCED_RUNNING);
	world_begin();
}

TEST(what_is_asked_for_while_it_is_being_done_is_done_once_more)
{
	struct intent copy;
	struct outcome outcome = { 0 };

	world_begin();
	world_look("a vf=1", NULL);
	world.clock += 200;
	copy = *agenda_next(&world.agenda, &world.facts, world.clock);
	world_look("[ports] a vf=1", NULL); /* what was written may not have it */
	agenda_result(&world.agenda, &copy, &outcome, world.clock);
	CHECK_STR(world_pending(), "passport@a");
	world_begin();
}

TEST(each_kind_has_a_name_and_a_deadline)
{
	for (int i = 0; i < INTENT_KINDS; i++) {
		CHECK(intent_name((enum intent_kind)i) && *intent_name((enum intent_kind)i));
		CHECK(intent_deadline((enum intent_kind)i) >= 500 && intent_deadline((enum intent_kind)i) <= 20000);
	}
}
