/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_agent_story.c: what the history says of a migration, as libvirt's status files tell it.
 */
#include "state.h"

#include "agent/agent.h"

static struct agent agent;
static struct agent_guest guest;

/* An empty host, and a guest of which nothing is known. */
static void begin(void)
{
	state_empty_root();
	check_file("/var/lib/.keep", "");
	agent = (struct agent){ .watch = -1 };
	guest = (struct agent_guest){ .agent = &agent, .vfs = 1 };
}

/* The guest's status is this now. */
static void becomes(enum status_job job, const char *phase, const char *state, const char *reason)
{
	struct status before = guest.status;

	guest.status = (struct status){ .name = "guest1", .job = job, .started = job == STATUS_NO_JOB ? 0 : 1700000000000 };
	snprintf(guest.status.phase, sizeof(guest.status.phase), "%s", phase);
	snprintf(guest.status.state, sizeof(guest.status.state), "%s", state);
	snprintf(guest.status.state_reason, sizeof(guest.status.state_reason), "%s", reason);
	story_look(&guest, &before);
}

/* The last line of the history must say this; NULL for a value: null. */
static void last_says(const char *direction, const char *outcome, const char *rule, const char *reason)
{
	const char *const expected[][2] = { { "direction", direction }, { "outcome", outcome }, { "rule", rule }, { "reason", reason } };
	struct json_object *last = migration_last(5), *one = json_object_array_get_idx(last, 0);

	CHECK_INT(json_object_array_length(last), 1);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		const char *value = json_object_get_string(json_object_object_get(one, expected[i][0]));

		CHECK_STR(value ? value : "(null)", expected[i][1] ? expected[i][1] : "(null)");
	}
	json_object_put(last);
	CHECK(!guest.story);
	CHECK_INT(sysroot_set(""), 0);
}

/* The guest comes and runs here. */
static void lands(void)
{
	becomes(STATUS_MIGRATION_IN, "prepare", "paused", "migration");
	becomes(STATUS_MIGRATION_IN, "finish3", "paused", "migration");
	becomes(STATUS_NO_JOB, "", "running", "migrated");
	CHECK(guest.story); /* where from, and what becomes of it, is not known yet */
}

TEST(an_arrival_after_which_all_was_done_is_completed)
{
	struct reason nothing = { 0 };

	begin();
	lands();
	story_arrived(&guest, "node7", &nothing);
	last_says("in", "completed", NULL, NULL);
}

TEST(an_arrival_after_which_something_failed_is_not_called_completed)
{
	struct reason why = { 0 };

	begin();
	lands();
	reason_set(&why, -EIO, "/etc/libvirt", "libvirt cannot define the guest: no space");
	story_arrived(&guest, "node7", &why);
	last_says("in", "unsettled", NULL, "libvirt cannot define the guest: no space");
	CHECK_INT(agent.metrics.migrations[1][MIGRATION_UNSETTLED], 1);
}

TEST(what_is_done_after_an_arrival_is_not_in_its_time)
{
	int64_t ms;

	begin();
	lands();
	ms = guest.story->ms;
	guest.story->ms = 1234; /* as if the migration had taken that */
	CHECK(ms >= 0);
	story_arrived(&guest, "", NULL);
	CHECK(agent.metrics.duration[1].sum > 1.2 && agent.metrics.duration[1].sum < 1.3);
	last_says("in", "completed", NULL, NULL);
}

TEST(a_guest_that_had_arrived_and_ended_at_once_is_no_failed_migration)
{
	begin();
	lands();
	story_gone(&guest, false);
	last_says("in", "completed", NULL, NULL);
}

TEST(an_arrival_that_ended_on_its_way_names_the_phase)
{
	begin();
	becomes(STATUS_MIGRATION_IN, "prepare", "paused", "migration");
	story_gone(&guest, false);
	last_says("in", "failed", NULL, "it ended in libvirt's phase prepare");
}

TEST(a_departure_that_failed_names_the_phase)
{
	begin();
	becomes(STATUS_MIGRATION_OUT, "begin3", "running", "booted");
	becomes(STATUS_MIGRATION_OUT, "perform3", "running", "booted");
	becomes(STATUS_MIGRATION_OUT, "confirm3_cancelled", "running", "booted");
	becomes(STATUS_NO_JOB, "", "running", "booted");
	last_says("out", "failed", NULL, "it ended in libvirt's phase perform3");
}

TEST(a_departure_that_the_agent_ended_names_the_rule)
{
	begin();
	becomes(STATUS_MIGRATION_OUT, "perform3", "running", "booted");
	guest.ended = guest.story_job;
	reason_set(&guest.ended_why, -EPERM, "", "post-copy was asked for");
	reason_rule(&guest.ended_why, "L1-postcopy");
	becomes(STATUS_NO_JOB, "", "running", "booted");
	last_says("out", "ended", "L1-postcopy", "post-copy was asked for");
}
