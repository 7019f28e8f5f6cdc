/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_record.c: state files. An input is the file of a VF and of a PF, and the record of a guest of version 0.1.0. What is read and written
 * again must read the same; what does not parse is set aside and blocks nobody.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/sysroot.h"
#include "state/record.h"

#define UUID "9e0c7f57-b8d6-4b29-8c3e-20d1f7a65b44"
#define GUEST_FILE "/run/vferry/guests/" UUID ".json"
#define VF_FILE "/run/vferry/vfs/0000:81:00.2.json"
#define PF_FILE "/run/vferry/pfs/0000:81:00.0.json"
#define FORM_FILE "/run/vferry/form"

static const int errors[] = { -EFBIG, 0 };

/* Demands what holds for every list of changes. */
static void check_changes(const struct steps *changes)
{
	char words[256];

	REQUIRE(changes->count <= STEPS_MAX);
	for (size_t i = 0; i < changes->count; i++) {
		const struct step *step = &changes->step[i];
		struct step back = step_back(step);

		REQUIRE(step->kind < STEP_KINDS && back.kind < STEP_KINDS);
		REQUIRE(memchr(step->name, '\0', sizeof(step->name)) && memchr(step->guest, '\0', sizeof(step->guest)));
		REQUIRE(memchr(step->text, '\0', sizeof(step->text)) && memchr(step->before_text, '\0', sizeof(step->before_text)));
		fuzz_check_address(&step->pf);
		fuzz_check_address(&step->vf);
		REQUIRE(step_describe(step, words, sizeof(words))[0] && step_describe(&back, words, sizeof(words))[0]);
	}
}

/* Demands what holds for every object. */
static void check_object(const struct object *object)
{
	const struct owner *owner = &object->owner;

	REQUIRE(!object_is_owned(object) || record_is_uuid(owner->uuid));
	REQUIRE(memchr(owner->name, '\0', sizeof(owner->name)) && memchr(owner->bridge, '\0', sizeof(owner->bridge)));
	REQUIRE(owner->state <= RECORD_RUNNING);
	fuzz_check_address(&object->pf);
	check_changes(&object->changes);
}

/* One object: what its file says is written again, read, and written once more: both texts must be the same. */
static void run_object(struct object *object, const char *file, const uint8_t *data, size_t size)
{
	autofree char *first = NULL, *second = NULL;
	struct reason why = { 0 };
	int error;

	fuzz_file(file, data, size);
	error = object_read(object, &why);
	if (error) {
		fuzz_check_reason(error, errors, &why);
		return;
	}
	check_object(object);
	REQUIRE(object_write(object, &why) == 0);
	first = fuzz_read(file);
	REQUIRE((first != NULL) == (object_is_owned(object) || object->changes.count > 0));
	REQUIRE(object_read(object, &why) == 0 && object_write(object, &why) == 0);
	check_object(object);
	second = fuzz_read(file);
	REQUIRE(first ? second && strcmp(first, second) == 0 : !second);
}

/* All leases, as those see them who only look. */
static void run_leases(void)
{
	struct record_list list = { 0 };
	struct reason why = { 0 };

	REQUIRE(record_read_all(&list, &why) == 0);
	for (size_t i = 0; i < list.count; i++) {
		REQUIRE(record_is_uuid(list.record[i].uuid) && list.record[i].vfs > 0);
		REQUIRE(record_find_vf(&list, &list.record[i].vf[0].address, NULL) != NULL);
	}
	record_list_release(&list);
}

/* The record of a guest of version 0.1.0, and what is kept of a guest today. */
static void run_guest(const uint8_t *data, size_t size)
{
	struct reason why = { 0 };
	struct guest_note note;
	char path[256];
	int error;

	fuzz_file(GUEST_FILE, data, size);
	error = guest_note_read(UUID, &note, &why);
	REQUIRE(error == 0 || error == -ENOENT);
	fuzz_file(GUEST_FILE, data, size);
	if (!sysroot_path(path, sizeof(path), FORM_FILE))
		(void)unlink(path);
	error = state_upgrade(&why);
	REQUIRE(error == 0 || error == -EFBIG);
	run_leases();
}

/* One input: a state file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autoobject struct object vf = { .pf = { .bus = 0x81 }, .has_vf = true, .vf = { .bus = 0x81, .function = 2 } };
	autoobject struct object pf = { .pf = { .bus = 0x81 } };
	struct object left = { .has_vf = true };

	run_guest(data, size);
	run_object(&vf, VF_FILE, data, size);
	run_leases();
	run_object(&pf, PF_FILE, data, size);
	left.vf = vf.vf;
	(void)object_remove(&left, NULL);
	return 0;
}
