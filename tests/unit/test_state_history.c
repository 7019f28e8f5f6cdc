/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_state_history.c: what the hook did and refused is remembered, bounded, and whatever the file holds.
 */
#include "state.h"

#include <sys/wait.h>

#include "base/sysroot.h"
#include "state/history.h"
#include "state/record.h"

#define UUID "11111111-2222-3333-4444-555555555555"

static struct history history;

static struct history_entry refusal(int64_t when)
{
	struct history_entry entry = { .when = when, .kind = HISTORY_REFUSED, .event = "migrate", .guest = "guest1", .uuid = UUID, .vfs = 2,
				       .ms = 137 };

	reason_set(&entry.why, -EPERM, "0000:81:00.0", "the guest has a vIOMMU");
	reason_cure(&entry.why, "take it out");
	reason_rule(&entry.why, "L2-viommu");
	return entry;
}

TEST(nothing_is_remembered_at_first)
{
	state_empty_root();
	CHECK_INT(history_read(&history, NULL), 0);
	CHECK_INT(history.count, 0);
}

TEST(an_entry_comes_back_as_it_was)
{
	struct history_entry entry = refusal(1700000000);

	state_empty_root();
	CHECK_INT(history_add(&entry, deadline_in(1000), NULL), 0);
	CHECK_INT(history_read(&history, NULL), 0);
	CHECK_INT(history.count, 1);
	CHECK_INT(history.entry[0].when, 1700000000);
	CHECK_INT(history.entry[0].kind, HISTORY_REFUSED);
	CHECK_STR(history.entry[0].event, "migrate");
	CHECK_STR(history.entry[0].guest, "guest1");
	CHECK_STR(history.entry[0].uuid, UUID);
	CHECK_INT(history.entry[0].vfs, 2);
	CHECK_INT(history.entry[0].ms, 137);
	CHECK_STR(history.entry[0].why.rule, "L2-viommu");
	CHECK_STR(history.entry[0].why.object, "0000:81:00.0");
	CHECK_STR(history.entry[0].why.what, "the guest has a vIOMMU");
	CHECK_STR(history.entry[0].why.cure, "take it out");
}

TEST(the_oldest_is_dropped)
{
	state_empty_root();
	for (int i = 1; i <= HISTORY_MAX + 3; i++) {
		struct history_entry entry = refusal(i);

		CHECK_INT(history_add(&entry, deadline_in(1000), NULL), 0);
	}
	CHECK_INT(history_read(&history, NULL), 0);
	CHECK_INT(history.count, HISTORY_MAX);
	CHECK_INT(history.entry[0].when, 4);
	CHECK_INT(history.entry[HISTORY_MAX - 1].when, HISTORY_MAX + 3);
}

TEST(the_file_is_private_to_its_owner)
{
	struct history_entry entry = refusal(1);
	char path[PATH_MAX + 32];
	struct stat st;

	state_empty_root();
	CHECK_INT(history_add(&entry, deadline_in(1000), NULL), 0);
	snprintf(path, sizeof(path), "%s/run/vferry/history", check_scratch());
	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(st.st_mode & 07777, 0600);
}

TEST(a_file_that_is_no_history_is_begun_anew)
{
	static const char *const texts[] = { "", "{", "[1, null, {\"what\": \"nonsense\"}, [[]]]", "{\"what\": \"left\"}" };
	struct history_entry entry = refusal(9);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		state_empty_root();
		CHECK_INT(record_make_directory(STATE_DIRECTORY, NULL), 0);
		check_file("/run/vferry/history", texts[i]);
		CHECK_INT(history_add(&entry, deadline_in(1000), NULL), 0);
		CHECK_INT(history_read(&history, NULL), 0);
		CHECK_INT(history.count, 1);
		CHECK_INT(history.entry[0].when, 9);
	}
}

TEST(two_writers_lose_nothing)
{
	int status;
	pid_t child;

	state_empty_root();
	child = fork();
	for (int i = 1; i <= 20; i++) {
		struct history_entry entry = refusal(child ? i : 100 + i);

		if (history_add(&entry, deadline_in(10000), NULL) && !child)
			_exit(1);
	}
	if (!child)
		_exit(0);
	CHECK_INT(waitpid(child, &status, 0), child);
	CHECK_INT(status, 0);
	CHECK_INT(history_read(&history, NULL), 0);
	CHECK_INT(history.count, 40);
}
