/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_state_record.c: objects and leases on disk, and steps as JSON.
 */
#include "state.h"

#include <fcntl.h>

#include "base/sysroot.h"
#include "state/mark.h"
#include "state/record.h"

#define UUID "11111111-2222-3333-4444-555555555555"

#define VF_FILE "/run/vferry/vfs/0000:81:00.5.json"

/* A VF that is leased to an arriving guest, with one change. */
static struct object new_object(void)
{
	struct object object = { .has_vf = true, .index = 3 };
	struct step step = { .kind = STEP_PORT, .has_vf = true, .index = 3, .port_index = 65540, .number = 1, .text = "br-vferry",
			     .guest = UUID };

	pci_address_parse("0000:81:00.0", &object.pf);
	pci_address_parse("0000:81:00.5", &object.vf);
	object.owner = (struct owner){ .lease = "0123456789abcdef", .uuid = UUID, .name = "guest", .state = RECORD_ARRIVING, .touched = 4711,
				       .bridge = "br-vferry" };
	mac_address_parse("52:54:00:12:34:56", &object.owner.mac);
	step.pf = object.pf;
	step.vf = object.vf;
	step.before_mac = object.owner.mac;
	steps_add(&object.changes, &step);
	return object;
}

/* Reads the VF of new_object(). */
static struct object read_back(void)
{
	struct object object = { .has_vf = true };

	pci_address_parse("0000:81:00.5", &object.vf);
	CHECK_INT(object_read(&object, NULL), 0);
	return object;
}

TEST(an_object_comes_back_as_it_was_written)
{
	autoobject struct object object = new_object(), back = { 0 };

	state_empty_root();
	CHECK_INT(object_write(&object, NULL), 0);
	back = read_back();
	CHECK(memcmp(&back.owner, &object.owner, sizeof(back.owner)) == 0);
	CHECK_INT(back.index, 3);
	CHECK_INT(back.changes.count, 1);
	CHECK(memcmp(&back.changes.step[0], &object.changes.step[0], sizeof(struct step)) == 0);
}

TEST(a_lease_is_seen_by_its_guest_and_by_its_vf)
{
	autoobject struct object object = new_object();
	autorecord struct record record = { 0 };
	struct record_list list = { 0 };

	state_empty_root();
	CHECK_INT(object_write(&object, NULL), 0);
	CHECK_INT(record_read(UUID, &record, NULL), 0);
	CHECK_STR(record.name, "guest");
	CHECK_INT(record.state, RECORD_ARRIVING);
	CHECK_INT(record.touched, 4711);
	CHECK_INT(record.vfs, 1);
	CHECK_INT(record.changes, 1);
	CHECK_STR(record.vf[0].bridge, "br-vferry");
	CHECK_INT(record_read_all(&list, NULL), 0);
	CHECK(record_find_vf(&list, &object.vf, NULL) != NULL);
	CHECK(record_find_vf(&list, &object.vf, UUID) == NULL);
	record_list_release(&list);
}

TEST(a_guest_without_a_record_is_not_found)
{
	autorecord struct record record = { 0 };

	state_empty_root();
	CHECK_INT(record_read(UUID, &record, NULL), -ENOENT);
}

TEST(an_object_of_nobody_and_without_changes_has_no_file)
{
	autoobject struct object object = new_object();

	state_empty_root();
	CHECK_INT(object_write(&object, NULL), 0);
	object.owner = (struct owner){ 0 };
	CHECK_INT(object_write(&object, NULL), 0);
	CHECK(sysroot_exists(VF_FILE)); /* its changes are still to be given back */
	steps_release(&object.changes);
	CHECK_INT(object_write(&object, NULL), 0);
	CHECK(!sysroot_exists(VF_FILE));
}

TEST(the_baseline_stays_when_an_object_is_changed_again)
{
	autoobject struct object object = new_object();
	struct step step = object.changes.step[0];

	step.kind = STEP_RATES;
	strcpy(step.text, "0-0");
	strcpy(step.before_text, "5-100");
	CHECK_INT(object_note(&object, &step), 1);
	strcpy(step.text, "1-2");
	strcpy(step.before_text, "0-0");
	CHECK_INT(object_note(&object, &step), 1);
	CHECK_INT(object.changes.count, 2);
	CHECK_STR(object.changes.step[1].before_text, "5-100");
	CHECK_STR(object.changes.step[1].text, "1-2");
}

TEST(a_seat_of_a_pool_is_one_of_its_lease)
{
	struct object seat = new_object();
	autorecord struct record record = { 0 };

	steps_release(&seat.changes);
	seat.has_vf = false;
	seat.seat = 2;
	state_empty_root();
	CHECK_INT(object_write(&seat, NULL), 0);
	CHECK(sysroot_exists("/run/vferry/vfs/pool-0000:81:00.0-0123456789abcdef-2.json"));
	CHECK_INT(record_read(UUID, &record, NULL), 0);
	CHECK_INT(record.vfs, 1);
	CHECK(pci_address_equal(&record.vf[0].pf, &record.vf[0].address));
	CHECK_INT(object_remove(&seat, NULL), 0);
}

TEST(an_object_that_does_not_parse_is_set_aside_and_blocks_nothing)
{
	struct record_list list;

	state_empty_root();
	CHECK_INT(close(record_lock(NULL, deadline_in(100), NULL)), 0);
	CHECK_INT(sysroot_replace("{ nonsense", 10, VF_FILE), 0);
	CHECK_INT(record_read_all(&list, NULL), 0);
	CHECK_INT(list.count, 0);
	CHECK(!sysroot_exists(VF_FILE));
	CHECK(sysroot_exists(VF_FILE ".bad"));
	record_list_release(&list);
}

TEST(a_guest_is_known_from_its_note_until_its_last_lease_has_gone)
{
	autoobject struct object object = new_object();
	struct guest_note note = { .is_lost = true, .to = "other" };

	state_empty_root();
	CHECK_INT(guest_note_mark(UUID, false, NULL), 0);
	CHECK(sysroot_exists("/run/vferry/guests/" UUID ".json"));
	CHECK_INT(object_write(&object, NULL), 0);
	guest_note_forget(UUID);
	CHECK(sysroot_exists("/run/vferry/guests/" UUID ".json"));
	note.lost = object.vf;
	CHECK_INT(guest_note_write(UUID, &note, NULL), 0);
	CHECK_INT(guest_note_mark(UUID, true, NULL), 0); /* what is kept stays */
	note = (struct guest_note){ 0 };
	CHECK_INT(guest_note_read(UUID, &note, NULL), 0);
	CHECK(note.is_lost && pci_address_equal(&note.lost, &object.vf));
	CHECK_STR(note.to, "other");
	CHECK_INT(object_remove(&object, NULL), 0);
	guest_note_forget(UUID);
	CHECK_INT(guest_note_read(UUID, &note, NULL), -ENOENT);
}

TEST(a_note_says_that_its_guest_is_arriving_as_the_first_program_of_the_hook_looks_for_it)
{
	char *text = NULL;

	state_empty_root();
	CHECK_INT(guest_note_mark(UUID, true, NULL), 0);
	CHECK(sysroot_slurp(&text, 4096, MARK_DIRECTORY "/%s" MARK_SUFFIX, UUID) > 0);
	CHECK_CONTAINS(text, MARK_ARRIVING);
	free(text);
	CHECK_INT(guest_note_mark(UUID, false, NULL), 0);
	CHECK(sysroot_slurp(&text, 4096, MARK_DIRECTORY "/%s" MARK_SUFFIX, UUID) > 0);
	CHECK(!strstr(text, MARK_ARRIVING));
	free(text);
}

TEST(what_version_0_1_0_left_is_read_once)
{
	static const char old[] =
		"{\"version\":1,\"uuid\":\"" UUID "\",\"name\":\"old\",\"state\":\"running\",\"touched\":99,\"vfs\":[{\"pf\":\"0000:81:00.0\","
		"\"address\":\"0000:81:00.5\",\"index\":3,\"mac\":\"52:54:00:12:34:56\",\"bridge\":\"br0\"}],\"journal\":[{\"step\":\"rates\","
		"\"pf\":\"0000:81:00.0\",\"vf\":\"0000:81:00.5\",\"index\":3,\"name\":\"p0\",\"text\":\"0-0\",\"before-text\":\"0-7\"},"
		"{\"step\":\"port\",\"pf\":\"0000:81:00.0\",\"vf\":\"0000:81:00.5\",\"index\":3,\"name\":\"rep\",\"text\":\"br0\"}]}";
	static const char old_pf[] = "[{\"step\":\"num-vfs\",\"pf\":\"0000:81:00.0\",\"number\":8,\"before\":0}]";
	autoobject struct object back = { 0 }, pf = { 0 };

	state_empty_root();
	CHECK_INT(record_make_directories(NULL), 0);
	CHECK_INT(sysroot_replace(old, strlen(old), "/run/vferry/guests/" UUID ".json"), 0);
	CHECK_INT(sysroot_replace(old_pf, strlen(old_pf), "/run/vferry/pfs/0000:81:00.0.json"), 0);
	CHECK_INT(state_upgrade(NULL), 0);
	back = read_back();
	CHECK_STR(back.owner.name, "old");
	CHECK_INT(back.owner.state, RECORD_RUNNING);
	CHECK(back.owner.came);
	CHECK_STR(back.owner.bridge, "br0");
	CHECK_INT(back.changes.count, 2);
	CHECK_STR(back.changes.step[0].before_text, "0-7");
	CHECK_INT(back.changes.step[1].number, 1);
	pci_address_parse("0000:81:00.0", &pf.pf);
	CHECK_INT(object_read(&pf, NULL), 0);
	CHECK_INT(pf.changes.count, 1);
	CHECK_INT(sysroot_replace(old, strlen(old), "/run/vferry/guests/" UUID ".json"), 0);
	CHECK_INT(object_remove(&back, NULL), 0);
	CHECK_INT(state_upgrade(NULL), 0); /* once */
	CHECK(!sysroot_exists(VF_FILE));
}

/* Puts something in the place of the VF's file: write() a file first. Returns the path. */
static const char *place_of_object(void)
{
	static char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s" VF_FILE, state_empty_root());
	CHECK_INT(record_make_directories(NULL), 0);
	return path;
}

/* The file cannot be read, is set aside, and another can be written in its place. */
static void check_set_aside(void)
{
	autoobject struct object object = new_object(), back = read_back();

	CHECK(!object_is_owned(&back) && !back.changes.count);
	CHECK(!sysroot_exists(VF_FILE));
	CHECK_INT(object_write(&object, NULL), 0);
	object_release(&back);
	back = read_back();
	CHECK(object_is_owned(&back));
}

TEST(a_link_in_the_place_of_a_record_is_not_followed)
{
	autoobject struct object object = new_object();
	char target[PATH_MAX + 16], text[32];

	CHECK(place_of_object() != NULL);
	CHECK_INT(object_write(&object, NULL), 0);
	snprintf(target, sizeof(target), "%s/run/elsewhere", check_scratch());
	CHECK_INT(rename(place_of_object(), target), 0);
	CHECK_INT(symlink(target, place_of_object()), 0);
	check_set_aside();
	CHECK(sysroot_read(text, sizeof(text), "/run/elsewhere") == -E2BIG); /* it is there, whole */
}

TEST(a_pipe_in_the_place_of_a_record_does_not_hang)
{
	CHECK_INT(mkfifo(place_of_object(), 0600), 0);
	check_set_aside();
}

TEST(a_record_that_others_may_write_does_not_count)
{
	autoobject struct object object = new_object();

	CHECK(place_of_object() != NULL);
	CHECK_INT(object_write(&object, NULL), 0);
	CHECK_INT(chmod(place_of_object(), 0666), 0);
	check_set_aside();
}

TEST(records_and_locks_are_of_mode_0600_in_directories_of_0700)
{
	static const struct {
		const char *name;
		mode_t mode;
	} names[] = { { "", 0700 }, { "/guests", 0700 }, { "/pfs", 0700 }, { "/lock", 0600 }, { "/vfs", 0700 }, { "/vfs/0000:81:00.5.json", 0600 } };
	autoobject struct object object = new_object();
	const char *root = state_empty_root();
	mode_t mask = umask(0);

	CHECK_INT(close(record_lock(NULL, deadline_in(0), NULL)), 0);
	CHECK_INT(object_write(&object, NULL), 0);
	umask(mask);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[PATH_MAX + 80];
		struct stat info;

		snprintf(path, sizeof(path), "%s/run/vferry%s", root, names[i].name);
		CHECK_INT(lstat(path, &info), 0);
		CHECK_INT(info.st_mode & 07777, names[i].mode);
	}
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

TEST(a_pf_is_listed_until_it_has_no_changes)
{
	autoobject struct object pf = { 0 }, back = { 0 };
	struct step step = { .kind = STEP_NUM_VFS, .number = 8 };
	struct pci_address found[4];

	state_empty_root();
	pci_address_parse("0000:81:00.0", &pf.pf);
	step.pf = back.pf = pf.pf;
	steps_add(&pf.changes, &step);
	CHECK_INT(object_write(&pf, NULL), 0);
	CHECK_INT(record_list_pfs(found, 4, NULL), 1);
	CHECK(pci_address_equal(&found[0], &pf.pf));
	CHECK_INT(object_read(&back, NULL), 0);
	CHECK_INT(back.changes.count, 1);
	CHECK_INT(back.changes.step[0].number, 8);
	steps_release(&pf.changes);
	CHECK_INT(object_write(&pf, NULL), 0);
	CHECK_INT(record_list_pfs(found, 4, NULL), 0);
}

TEST(a_change_turned_round_wants_what_was_there)
{
	static const struct {
		struct step change, back;
	} rows[] = {
		{ { .kind = STEP_ESWITCH, .number = 1, .before = 0 }, { .kind = STEP_ESWITCH, .number = 0, .before = 1 } },
		{ { .kind = STEP_RATES, .text = "0-0", .before_text = "1-2" }, { .kind = STEP_RATES, .text = "1-2", .before_text = "0-0" } },
		{ { .kind = STEP_UNBIND, .before_text = "mlx5_core" }, { .kind = STEP_BIND, .text = "mlx5_core" } },
		{ { .kind = STEP_BIND, .text = "mlx5_vfio_pci" }, { .kind = STEP_UNBIND, .text = "mlx5_vfio_pci", .before_text = "mlx5_vfio_pci" } },
		{ { .kind = STEP_PORT, .number = 1, .before = 1, .text = "br0" }, { .kind = STEP_PORT, .before = 1, .text = "br0", .before_text = "br0" } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct step back = step_back(&rows[i].change);

		CHECK_INT(back.kind, rows[i].back.kind);
		CHECK_INT(back.number, rows[i].back.number);
		CHECK_STR(back.text, rows[i].back.text);
	}
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
