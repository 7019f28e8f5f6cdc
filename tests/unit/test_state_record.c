/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_state_record.c: leases and journals on disk, and steps as JSON.
 */
#include "check.h"

#include "base/sysroot.h"
#include "state/record.h"

#define UUID "11111111-2222-3333-4444-555555555555"

/* A root of its own with an empty /run. */
static const char *empty_root(void)
{
	const char *root = check_scratch();
	char run[PATH_MAX + 8];

	snprintf(run, sizeof(run), "%s/run", root);
	if (mkdir(run, 0755) && errno != EEXIST)
		FAIL("cannot make %s", run);
	CHECK_INT(sysroot_set(root), 0);
	return root;
}

static struct record *new_record(void)
{
	struct record *record = calloc(1, sizeof(*record));
	struct step step = { .kind = STEP_PORT, .has_vf = true, .index = 3, .text = "br-vferry", .guest = UUID };

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

	empty_root();
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

	empty_root();
	CHECK_INT(record_read(UUID, record, NULL), -ENOENT);
	free(record);
}

TEST(a_record_that_does_not_parse_is_set_aside_and_blocks_nothing)
{
	struct record *record = calloc(1, sizeof(*record));
	struct record_list list;

	empty_root();
	CHECK_INT(close(record_lock(NULL, deadline_in(100), NULL)), 0);
	CHECK_INT(sysroot_replace("{ nonsense", 10, "/run/vferry/guests/" UUID ".json"), 0);
	CHECK_INT(record_read_all(&list, NULL), 0);
	CHECK_INT(list.count, 0);
	CHECK(!sysroot_exists("/run/vferry/guests/" UUID ".json"));
	CHECK(sysroot_exists("/run/vferry/guests/" UUID ".json.bad"));
	record_list_release(&list);
	free(record);
}

TEST(a_lock_is_held_by_one_and_freed_by_closing)
{
	struct pci_address pf;
	struct reason why = { 0 };
	int first, second;

	empty_root();
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

	snprintf(path, sizeof(path), "%s/run/vferry", empty_root());
	CHECK_INT(mkdir(path, 0777), 0);
	CHECK_INT(chmod(path, 0777), 0);
	CHECK_INT(record_lock(NULL, deadline_in(0), &why), -EPERM);
	CHECK_CONTAINS(why.what, "not ours");
}

TEST(a_state_directory_that_is_a_link_is_refused)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/run/vferry", empty_root());
	CHECK_INT(symlink("/tmp", path), 0);
	CHECK_INT(record_lock(NULL, deadline_in(0), NULL), -EPERM);
}

TEST(a_pfs_journal_is_listed_until_it_is_empty)
{
	struct steps *steps = calloc(1, sizeof(*steps)), *back = calloc(1, sizeof(*back));
	struct step step = { .kind = STEP_NUM_VFS, .number = 8 };
	struct pci_address pf, found[4];

	empty_root();
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
