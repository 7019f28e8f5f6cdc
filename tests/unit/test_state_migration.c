/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_state_migration.c: the file in which migrations are remembered.
 */
#include "state.h"

#include "state/migration.h"

#define FILE_NAME "/var/lib/vferry/migrations.jsonl"

static struct migration migration(const char *guest)
{
	struct migration made = { .when = 1700000000123, .from = "node1", .vfs = 2, .phases = 3, .ms = 5120, .downtime = 480,
				  .downtime_limit = 950, .memory_bytes = 1000, .dirty_rate = 7, .vfio_bytes = MIGRATION_UNKNOWN,
				  .outcome = MIGRATION_ENDED,
				  .phase = { { "begin3", 20 }, { "perform3", 5000 }, { "begin3", 100 } } };

	snprintf(made.guest, sizeof(made.guest), "%s", guest);
	reason_set(&made.why, -EPERM, NULL, "post-copy was asked for");
	reason_rule(&made.why, "L1-postcopy");
	return made;
}

/* An empty host with a /var/lib. */
static void empty_root(void)
{
	state_empty_root();
	check_file("/var/lib/.keep", "");
}

TEST(a_migration_is_one_line_with_all_that_is_known)
{
	struct migration made = migration("guest1");
	struct json_object *last;

	empty_root();
	CHECK_INT(migration_add(&made, NULL), 0);
	last = migration_last(5);
	CHECK_INT(json_object_array_length(last), 1);
	CHECK_STR(json_object_to_json_string_ext(json_object_array_get_idx(last, 0), JSON_C_TO_STRING_PLAIN),
		  "{\"when_ms\":1700000000123,\"guest\":\"guest1\",\"uuid\":null,\"direction\":\"out\",\"from\":\"node1\",\"to\":null,\"vfs\":2,"
		  "\"parallel\":false,\"outcome\":\"ended\",\"milliseconds\":5120,\"phases_ms\":{\"begin3\":120,\"perform3\":5000},"
		  "\"downtime_ms\":480,\"downtime_limit_ms\":950,\"memory_bytes\":1000,\"dirty_bytes_per_second\":7,\"vfio_bytes\":null,"
		  "\"counts_guest_memory_only\":[\"memory_bytes\",\"dirty_bytes_per_second\"],\"rule\":\"L1-postcopy\","
		  "\"reason\":\"post-copy was asked for\"}");
	json_object_put(last);
}

TEST(the_newest_come_last_and_what_is_no_json_is_left_out)
{
	struct json_object *last;

	empty_root();
	check_file(FILE_NAME, "{\"guest\":\"a\"}\nnonsense\n[]\n{\"guest\":\"b\"}\n{\"guest\":\"c\"}\n{\"half");
	last = migration_last(2);
	CHECK_STR(json_object_to_json_string_ext(last, JSON_C_TO_STRING_PLAIN), "[{\"guest\":\"b\"},{\"guest\":\"c\"}]");
	json_object_put(last);
}

TEST(a_file_that_has_grown_is_rotated_and_both_are_read)
{
	struct migration made = migration("newest");
	char *long_text = calloc(1, MIGRATION_FILE_MAX + 32);
	struct json_object *last;

	empty_root();
	memset(long_text, ' ', MIGRATION_FILE_MAX);
	memcpy(long_text, "{\"guest\":\"old\"}\n", 16);
	check_file(FILE_NAME, long_text);
	free(long_text);
	CHECK_INT(migration_add(&made, NULL), 0);
	CHECK(sysroot_exists(FILE_NAME ".1"));
	last = migration_last(9);
	CHECK_INT(json_object_array_length(last), 2);
	CHECK_CONTAINS(json_object_to_json_string(json_object_array_get_idx(last, 1)), "newest");
	json_object_put(last);
}

TEST(where_it_cannot_be_written_there_is_a_sentence)
{
	struct migration made = migration("guest1");
	struct reason why = { 0 };

	state_empty_root();
	check_file("/var", "");
	CHECK(migration_add(&made, &why) < 0);
	CHECK_CONTAINS(why.what, "what was migrated cannot be written");
}
