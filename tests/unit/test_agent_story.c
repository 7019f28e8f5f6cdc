/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_agent_story.c: what the history says of a migration, as libvirt's status files tell it. See agent_world.h for the words.
 */
#include "agent_world.h"

#include "agent/metrics.h"
#include "agent/story.h"
#include "state.h"

static struct metrics metrics;
static struct story_end last;
static unsigned int told;

/* Takes a migration that is over, as the agent does. */
static void tell(const struct story_end *end, void *arg)
{
	(void)arg;
	last = *end;
	told++;
	metrics_count(&metrics, &end->migration);
	CHECK_INT(migration_add(&end->migration, NULL), 0);
}

static const struct story_listener listener = { tell, NULL };

/* An empty host. */
static void begin(void)
{
	state_empty_root();
	check_file("/var/lib/.keep", "");
	world_begin();
	story_release();
	memset(&metrics, 0, sizeof(metrics));
	memset(&last, 0, sizeof(last));
	told = 0;
}

/* The host becomes this. */
static void becomes(const char *look)
{
	struct facts before = { 0 };

	world_look(look, &before);
	story_follow(&before, &world.facts, &listener);
	facts_release(&before);
}

/* An intent for the guest has this outcome. failed: how often it had failed before. */
static void result(enum intent_kind kind, unsigned int failed, struct outcome outcome)
{
	struct intent intent = { .kind = kind, .uuid = "a", .failed = failed };

	intent.job = world.facts.running.count ? world.facts.guest[0].job : 0;
	if (kind == INTENT_END)
		intent.why = outcome.why;
	story_result(&intent, &outcome, &listener);
}

/* The last line of the history must say this; NULL for a value: null. */
static void last_says(const char *direction, const char *outcome, const char *rule, const char *reason)
{
	const char *const expected[][2] = { { "direction", direction }, { "outcome", outcome }, { "rule", rule }, { "reason", reason } };
	struct json_object *lines = migration_last(5), *one = json_object_array_get_idx(lines, 0);

	CHECK_INT(json_object_array_length(lines), 1);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		const char *value = json_object_get_string(json_object_object_get(one, expected[i][0]));

		CHECK_STR(value ? value : "(null)", expected[i][1] ? expected[i][1] : "(null)");
	}
	json_object_put(lines);
	CHECK_INT(told, 1);
	CHECK(story_wake() == INT64_MAX);
	CHECK_INT(sysroot_set(""), 0);
	story_release();
	world_begin();
}

/* The guest comes and runs here. */
static void lands(void)
{
	becomes("a vf=1 in prepare paused because=migration");
	becomes("a vf=1 in finish3 paused because=migration");
	becomes("a vf=1 running because=migrated");
	CHECK_INT(told, 0); /* where from, and what becomes of it, is not known yet */
}

TEST(an_arrival_after_which_all_was_done_is_completed)
{
	begin();
	lands();
	result(INTENT_DEFINITION, 0, (struct outcome){ 0 });
	CHECK_INT(told, 0);
	result(INTENT_PASSPORT, 0, (struct outcome){ .host = "node7" });
	CHECK_STR(last.migration.from, "node7");
	last_says("in", "completed", NULL, NULL);
}

TEST(an_arrival_after_which_something_failed_is_not_called_completed)
{
	struct outcome bad = { .error = -EIO };

	begin();
	lands();
	reason_set(&bad.why, -EIO, "/etc/libvirt", "libvirt cannot define the guest: no space");
	for (unsigned int failed = 0; failed < 3; failed++)
		result(INTENT_DEFINITION, failed, bad);
	result(INTENT_PASSPORT, 0, (struct outcome){ .host = "node7" });
	CHECK_INT(metrics.migrations[1][MIGRATION_UNSETTLED], 1);
	last_says("in", "unsettled", NULL, "libvirt cannot define the guest: no space");
}

TEST(what_failed_once_and_was_done_then_is_done)
{
	struct outcome bad = { .error = -ETIME };

	begin();
	lands();
	reason_set(&bad.why, -ETIME, "", "it took too long");
	result(INTENT_DEFINITION, 0, (struct outcome){ 0 });
	result(INTENT_PASSPORT, 0, bad);
	CHECK_INT(told, 0);
	result(INTENT_PASSPORT, 1, (struct outcome){ .host = "node7" });
	last_says("in", "completed", NULL, NULL);
}

TEST(what_there_is_nothing_left_to_do_for_has_not_failed)
{
	static const struct outcome none = { .error = -ENOENT };

	begin();
	lands();
	result(INTENT_PASSPORT, 0, none); /* at the first try: it is not tried again */
	CHECK_INT(told, 0);
	result(INTENT_DEFINITION, 0, none);
	CHECK_INT(metrics.migrations[1][MIGRATION_UNSETTLED], 0);
	last_says("in", "completed", NULL, NULL);
}

TEST(what_is_done_after_an_arrival_is_not_in_its_time)
{
	begin();
	lands();
	becomes("a vf=1 running because=migrated"); /* and time goes on */
	becomes("a vf=1 running because=migrated");
	result(INTENT_DEFINITION, 0, (struct outcome){ 0 });
	result(INTENT_PASSPORT, 0, (struct outcome){ 0 });
	CHECK_INT(last.migration.ms, 2 * WORLD_TIME);
	CHECK(metrics.duration[1].sum > 1.9 && metrics.duration[1].sum < 2.1);
	last_says("in", "completed", NULL, NULL);
}

TEST(a_guest_that_had_arrived_and_ended_at_once_is_no_failed_migration)
{
	begin();
	lands();
	becomes("");
	last_says("in", "completed", NULL, NULL);
}

TEST(one_that_leaves_again_at_once_had_arrived)
{
	begin();
	lands();
	becomes("a vf=1 out begin3 running because=migrated");
	last_says("in", "completed", NULL, NULL);
}

TEST(an_arrival_that_ended_on_its_way_names_the_phase)
{
	begin();
	becomes("a vf=1 in prepare paused because=migration");
	becomes("");
	last_says("in", "failed", NULL, "it ended in libvirt's phase prepare");
}

TEST(a_departure_that_failed_names_the_phase)
{
	begin();
	becomes("a vf=1 out begin3");
	becomes("a vf=1 out perform3");
	becomes("a vf=1 out confirm3_cancelled");
	becomes("a vf=1");
	last_says("out", "failed", NULL, "it ended in libvirt's phase perform3");
}

TEST(a_departure_that_the_agent_ended_names_the_rule)
{
	struct outcome done = { 0 };

	begin();
	becomes("a vf=1 out perform3");
	reason_set(&done.why, -EPERM, "", "post-copy was asked for");
	reason_rule(&done.why, "L1-postcopy");
	result(INTENT_END, 0, done);
	becomes("a vf=1");
	last_says("out", "ended", "L1-postcopy", "post-copy was asked for");
}

TEST(a_libvirt_that_tells_no_times_is_told_the_same)
{
	begin();
	becomes("a vf=1 out perform3 t=0");
	result(INTENT_LIMIT, 0, (struct outcome){ .limit = 475 });
	becomes("a vf=1 out begin3 t=0"); /* another migration already: phases never go back within one */
	CHECK_INT(last.migration.downtime_limit, 475);
	last_says("out", "failed", NULL, "it ended in libvirt's phase perform3");
}

TEST(a_guest_that_has_left_is_waited_for_until_libvirt_has_told_its_figures)
{
	virTypedParameterPtr params = NULL;
	int count = 0, most = 0;

	begin();
	becomes("a vf=1 out perform3 parallel");
	becomes("a vf=1 out confirm3 paused parallel");
	becomes("");
	CHECK_INT(told, 0);
	CHECK_INT(story_wake(), world.clock + 5000);
	CHECK_INT(virInitialize(), 0);
	CHECK(virTypedParamsAddULLong(&params, &count, &most, VIR_DOMAIN_JOB_DOWNTIME, 159) == 0);
	story_figures("a", params, count, &listener);
	virTypedParamsFree(params, count);
	CHECK_INT(last.migration.downtime, 159);
	CHECK(last.migration.is_parallel && !last.is_multifd); /* of its machine nothing is known */
	last_says("out", "completed", NULL, NULL);
}

TEST(figures_that_never_come_are_not_waited_for_without_end)
{
	begin();
	becomes("a vf=1 out confirm3 paused");
	for (int i = 0; i < 6; i++)
		becomes("");
	CHECK_INT(last.migration.downtime, MIGRATION_UNKNOWN);
	last_says("out", "completed", NULL, NULL);
}

TEST(a_guest_that_had_left_and_is_back_before_anybody_looked_had_left)
{
	begin();
	becomes("a vf=1 out confirm3 paused");
	becomes("a vf=1 in prepare paused because=migration");
	last_says("out", "completed", NULL, NULL);
}
