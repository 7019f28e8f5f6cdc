/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_state_record.c: leases and journals on disk, and steps as JSON.
 */
#include "state.h"

#include <fcntl.h>

#include "base/sysroot.h"
#include "state/record.h"

#define UUID "11111111-2222-3333-4444-555555555555"

static struct record *new_record(void)
{
	struct record *record = calloc(1, sizeof(*record));
	struct step step = { .kind = STEP_PORT, .has_vf = true, .index = 3, .port_index = 65540, .text = "br-vferry",
			     .guest = UUID };

	strcpy(record->uuid, UUID);
	strcpy(record->name, "guest");
	record->state = RECORD_ARRIVING;
	record->touched = 4711;
	record->vfs = 1;
	pci_address_parse("0000:81:00.0", &record->vf[0].pf);
	pci_address_parse("0000:81:00.5", &record->vf[0].address);
	mac_address_parse("52:54:00:12:34:56", &record->vf[0].mac);
	record->vf[0].index = 3;
	strcpy(record->vf[0].bridge, "br-vferry");
	step.pf = record->vf[0].pf;
	step.vf = record->vf[0].address;
	step.before_mac = record->vf[0].mac;
	steps_add(&record->journal, &step);
	return record;
}

TEST(a_record_comes_back_as_it_was_written)
{
	struct record *record = new_record(), *back = calloc(1, sizeof(*back));

	state_empty_root();
	CHECK_INT(record_write(record, NULL), 0);
	CHECK_INT(record_read(UUID, back, NULL), 0);
	CHECK_STR(back->name, "guest");
	CHECK_INT(back->state, RECORD_ARRIVING);
	CHECK_INT(back->touched, 4711);
	CHECK_INT(back->vfs, 1);
	CHECK(memcmp(&back->vf[0], &record->vf[0], sizeof(back->vf[0])) == 0);
	CHECK_INT(back->journal.count, 1);
	CHECK(memcmp(&back->journal.step[0], &record->journal.step[0], sizeof(struct step)) == 0);
	free(record);
	free(back);
}

TEST(a_guest_without_a_record_is_not_found)
{
	struct record *record = calloc(1, sizeof(*record));

	state_empty_root();
	CHECK_INT(record_read(UUID, record, NULL), -ENOENT);
	free(record);
}

TEST(a_record_that_does_not_parse_is_set_aside_and_blocks_nothing)
{
	struct record *record = calloc(1, sizeof(*record));
	struct record_list list;

	state_empty_root();
	CHECK_INT(close(record_lock(NULL, deadline_in(100), NULL)), 0);
	CHECK_INT(sysroot_replace("{ nonsense", 10, "/run/vferry/guests/" UUID ".json"), 0);
	CHECK_INT(record_read_all(&list, NULL), 0);
	CHECK_INT(list.count, 0);
	CHECK(!sysroot_exists("/run/vferry/guests/" UUID ".json"));
	CHECK(sysroot_exists("/run/vferry/guests/" UUID ".json.bad"));
	record_list_release(&list);
	free(record);
}

/* Puts something in the place of the guest's record: write() a file first. Returns the path. */
static const char *place_of_record(void)
{
	static char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/run/vferry/guests/" UUID ".json", state_empty_root());
	CHECK_INT(record_make_directories(NULL), 0);
	return path;
}

/* The record cannot be read, is set aside, and another can be written in its place. */
static void check_set_aside(void)
{
	struct record *record = new_record(), *back = calloc(1, sizeof(*back));

	CHECK_INT(record_read(UUID, back, NULL), -ENOENT);
	CHECK(!sysroot_exists("/run/vferry/guests/" UUID ".json"));
	CHECK_INT(record_write(record, NULL), 0);
	CHECK_INT(record_read(UUID, back, NULL), 0);
	free(record);
	free(back);
}

TEST(a_link_in_the_place_of_a_record_is_not_followed)
{
	struct record *record = new_record();
	char target[PATH_MAX + 16], text[32];

	CHECK(place_of_record() != NULL);
	CHECK_INT(record_write(record, NULL), 0);
	snprintf(target, sizeof(target), "%s/run/elsewhere", check_scratch());
	CHECK_INT(rename(place_of_record(), target), 0);
	CHECK_INT(symlink(target, place_of_record()), 0);
	check_set_aside();
	CHECK(sysroot_read(text, sizeof(text), "/run/elsewhere") == -E2BIG); /* it is there, whole */
	free(record);
}

TEST(a_pipe_in_the_place_of_a_record_does_not_hang)
{
	CHECK_INT(mkfifo(place_of_record(), 0600), 0);
	check_set_aside();
}

TEST(a_record_that_others_may_write_does_not_count)
{
	struct record *record = new_record();

	CHECK(place_of_record() != NULL);
	CHECK_INT(record_write(record, NULL), 0);
	CHECK_INT(chmod(place_of_record(), 0666), 0);
	check_set_aside();
	free(record);
}

TEST(records_and_locks_are_of_mode_0600_in_directories_of_0700)
{
	static const struct {
		const char *name;
		mode_t mode;
	} names[] = { { "", 0700 }, { "/guests", 0700 }, { "/pfs", 0700 }, { "/lock", 0600 }, { "/guests/" UUID ".json", 0600 } };
	struct record *record = new_record();
	const char *root = state_empty_root();
	mode_t mask = umask(0);

	CHECK_INT(close(record_lock(NULL, deadline_in(0), NULL)), 0);
	CHECK_INT(record_write(record, NULL), 0);
	umask(mask);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[PATH_MAX + 80];
		struct stat info;

		snprintf(path, sizeof(path), "%s/run/vferry%s", root, names[i].name);
		CHECK_INT(lstat(path, &info), 0);
		CHECK_INT(info.st_mode & 07777, names[i].mode);
	}
	free(record);
}

TEST(a_lock_whose_file_was_removed_is_taken_anew)
{
	const char *root = state_empty_root();
	char path[PATH_MAX + 32];
	int first, second, third;

	first = record_lock(NULL, deadline_in(0), NULL);
	CHECK(first >= 0);
	snprintf(path, sizeof(path), "%s/run/vferry/lock", root);
	CHECK_INT(unlink(path), 0);
	second = record_lock(NULL, deadline_in(0), NULL);
	CHECK(second >= 0);
	third = record_lock(NULL, deadline_in(30), NULL);
	CHECK_INT(third, -ETIME); /* the new file is everybody's */
	close(first);
	third = record_lock(NULL, deadline_in(30), NULL);
	CHECK_INT(third, -ETIME);
	close(second);
}

TEST(a_lock_file_that_is_a_link_is_refused_with_a_sentence)
{
	char path[PATH_MAX + 32];
	struct reason why = { 0 };

	snprintf(path, sizeof(path), "%s/run/vferry/lock", state_empty_root());
	CHECK_INT(record_make_directories(NULL), 0);
	CHECK_INT(symlink("/etc/passwd", path), 0);
	CHECK_INT(record_lock(NULL, deadline_in(0), &why), -ELOOP);
	CHECK_CONTAINS(why.what, "it is a symbolic link");
	CHECK_CONTAINS(why.cure, "remove the link");
}

TEST(what_killed_writers_left_is_swept_when_it_is_old)
{
	const struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	char path[PATH_MAX + 80];
	const char *root = state_empty_root();

	CHECK_INT(record_make_directories(NULL), 0);
	check_file("/run/vferry/guests/." UUID ".json.AbCdEf", "half");
	check_file("/run/vferry/pfs/.0000:81:00.0.json.AbCdEf", "half");
	snprintf(path, sizeof(path), "%s/run/vferry/guests/." UUID ".json.AbCdEf", root);
	CHECK_INT(utimensat(AT_FDCWD, path, old, 0), 0);
	record_sweep();
	CHECK(!sysroot_exists("/run/vferry/guests/." UUID ".json.AbCdEf"));
	CHECK(sysroot_exists("/run/vferry/pfs/.0000:81:00.0.json.AbCdEf")); /* its writer may live */
}

TEST(a_lock_is_held_by_one_and_freed_by_closing)
{
	struct pci_address pf;
	struct reason why = { 0 };
	int first, second;

	state_empty_root();
	pci_address_parse("0000:81:00.0", &pf);
	first = record_lock(&pf, deadline_in(0), NULL);
	CHECK(first >= 0);
	second = record_lock(&pf, deadline_in(30), &why);
	CHECK_INT(second, -ETIME);
	CHECK_CONTAINS(why.what, "another vferry");
	close(first);
	second = record_lock(&pf, deadline_in(0), NULL);
	CHECK(second >= 0);
	close(second);
}

TEST(a_state_directory_that_others_may_write_is_refused)
{
	struct reason why = { 0 };
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/run/vferry", state_empty_root());
	CHECK_INT(mkdir(path, 0777), 0);
	CHECK_INT(chmod(path, 0777), 0);
	CHECK_INT(record_lock(NULL, deadline_in(0), &why), -EPERM);
	CHECK_CONTAINS(why.what, "not ours");
}

TEST(a_state_directory_that_is_a_link_is_refused)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/run/vferry", state_empty_root());
	CHECK_INT(symlink("/tmp", path), 0);
	CHECK_INT(record_lock(NULL, deadline_in(0), NULL), -EPERM);
}

TEST(a_pfs_journal_is_listed_until_it_is_empty)
{
	struct steps *steps = calloc(1, sizeof(*steps)), *back = calloc(1, sizeof(*back));
	struct step step = { .kind = STEP_NUM_VFS, .number = 8 };
	struct pci_address pf, found[4];

	state_empty_root();
	pci_address_parse("0000:81:00.0", &pf);
	step.pf = pf;
	steps_add(steps, &step);
	CHECK_INT(record_write_pf(&pf, steps, NULL), 0);
	CHECK_INT(record_list_pfs(found, 4, NULL), 1);
	CHECK(pci_address_equal(&found[0], &pf));
	CHECK_INT(record_read_pf(&pf, back, NULL), 0);
	CHECK_INT(back->count, 1);
	CHECK_INT(back->step[0].number, 8);
	steps->count = 0;
	CHECK_INT(record_write_pf(&pf, steps, NULL), 0);
	CHECK_INT(record_list_pfs(found, 4, NULL), 0);
	free(steps);
	free(back);
}

TEST(every_kind_of_step_survives_json)
{
	for (unsigned int kind = 0; kind < STEP_KINDS; kind++) {
		struct step step = { .kind = (enum step_kind)kind, .number = 1, .before = 2, .name = "n", .text = "t", .before_text = "b" }, back;
		struct json_object *json = step_to_json(&step);

		CHECK_INT(step_from_json(json, &back), 0);
		CHECK(memcmp(&step, &back, sizeof(step)) == 0);
		json_object_put(json);
	}
}

TEST(what_is_no_step_is_refused)
{
	static const char *const bad[] = { "[]", "{}", "{\"step\":\"eswitch\"}", "{\"step\":\"dance\",\"pf\":\"0000:81:00.0\"}",
					   "{\"step\":\"eswitch\",\"pf\":\"0000:81:00.0\",\"number\":-1}",
					   "{\"step\":\"port\",\"pf\":\"0000:81:00.0\",\"vf\":\"x\"}" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct json_object *json = json_tokener_parse(bad[i]);
		struct step step;

		CHECK_INT(step_from_json(json, &step), -EINVAL);
		json_object_put(json);
	}
}
