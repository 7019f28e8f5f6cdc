/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_record.c: state files. An input is the file of a guest and also the journal of a PF. What is read and written again must read the
 * same; what does not parse is set aside and blocks nobody.
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
#define PF_FILE "/run/vferry/pfs/0000:81:00.0.json"

static const int errors[] = { -EFBIG, 0 };
static struct record record;

/* Demands what holds for every journal. */
static void check_journal(const struct steps *journal)
{
	char words[256];

	REQUIRE(journal->count <= STEPS_MAX);
	for (size_t i = 0; i < journal->count; i++) {
		const struct step *step = &journal->step[i];

		REQUIRE(step->kind < STEP_KINDS);
		REQUIRE(memchr(step->name, '\0', sizeof(step->name)) && memchr(step->guest, '\0', sizeof(step->guest)));
		REQUIRE(memchr(step->text, '\0', sizeof(step->text)) && memchr(step->before_text, '\0', sizeof(step->before_text)));
		fuzz_check_address(&step->pf);
		fuzz_check_address(&step->vf);
		REQUIRE(step_describe(step, words, sizeof(words))[0]);
	}
}

/* Demands what holds for every record of a guest. */
static void check_record(const struct record *r)
{
	REQUIRE(strlen(r->uuid) == 36 && strspn(r->uuid, "0123456789abcdef-") == 36);
	REQUIRE(memchr(r->name, '\0', sizeof(r->name)));
	REQUIRE(r->state <= RECORD_RUNNING && r->vfs <= RECORD_MAX_VFS);
	for (size_t i = 0; i < r->vfs; i++) {
		fuzz_check_address(&r->vf[i].pf);
		fuzz_check_address(&r->vf[i].address);
		REQUIRE(memchr(r->vf[i].bridge, '\0', sizeof(r->vf[i].bridge)));
	}
	check_journal(&r->journal);
}

/* The path of the file that a guest's record is written to. Returns out. */
static const char *file_of(const struct record *r, char out[128])
{
	snprintf(out, 128, "/run/vferry/guests/%s.json", r->uuid);
	return out;
}

/* Demands that the numbers of the file that was read are those of the one that was written. */
static void check_numbers(const uint8_t *data, size_t size, const char *written)
{
	autofree char *text = fuzz_text(data, size);
	struct json_object *before = json_tokener_parse(text), *after = json_tokener_parse(written);

	if (json_object_is_type(before, json_type_object))
		json_object_object_del(before, "version"); /* written is always today's */
	fuzz_check_numbers(before, after);
	json_object_put(before);
	json_object_put(after);
}

/* Writes the record that was read, reads it and writes it again: both texts must be the same. */
static void check_guest_again(const uint8_t *data, size_t size)
{
	autofree char *first = NULL, *second = NULL;
	struct reason why = { 0 };
	char file[128];

	REQUIRE(record_write(&record, &why) == 0);
	first = fuzz_read(file_of(&record, file));
	REQUIRE(first);
	check_numbers(data, size, first);
	REQUIRE(record_read(record.uuid, &record, &why) == 0);
	check_record(&record);
	REQUIRE(record_write(&record, &why) == 0);
	second = fuzz_read(file_of(&record, file));
	REQUIRE(first && second && strcmp(first, second) == 0);
	REQUIRE(record_remove(record.uuid, &why) == 0);
	REQUIRE(record_read(record.uuid, &record, &why) == -ENOENT);
}

/* The record of a guest, alone and in the list of all. */
static void run_guest(const uint8_t *data, size_t size)
{
	struct record_list list = { 0 };
	struct reason why = { 0 };
	int error;

	fuzz_file(GUEST_FILE, data, size);
	error = record_read_all(&list, &why);
	REQUIRE(error == 0 || error == -EFBIG);
	REQUIRE(list.count <= 1);
	record_list_release(&list);
	fuzz_file(GUEST_FILE, data, size);
	error = record_read(UUID, &record, &why);
	if (error == -ENOENT) {
		REQUIRE(!sysroot_exists(GUEST_FILE)); /* set aside */
		return;
	}
	if (error) {
		fuzz_check_reason(error, errors, &why);
		return;
	}
	check_record(&record);
	check_guest_again(data, size);
}

/* The journal of a PF. */
static void run_pf(const uint8_t *data, size_t size)
{
	const struct pci_address pf = { .bus = 0x81 };
	autofree char *first = NULL, *second = NULL;
	struct steps *journal = &record.journal;
	struct reason why = { 0 };
	int error;

	fuzz_file(PF_FILE, data, size);
	error = record_read_pf(&pf, journal, &why);
	if (error) {
		fuzz_check_reason(error, errors, &why);
		return;
	}
	check_journal(journal);
	REQUIRE(record_write_pf(&pf, journal, &why) == 0);
	first = fuzz_read(PF_FILE);
	REQUIRE((first != NULL) == (journal->count > 0));
	if (first)
		check_numbers(data, size, first);
	REQUIRE(record_read_pf(&pf, journal, &why) == 0 && record_write_pf(&pf, journal, &why) == 0);
	second = fuzz_read(PF_FILE);
	REQUIRE(first ? second && strcmp(first, second) == 0 : !second);
}

/* One input: a state file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run_guest(data, size);
	run_pf(data, size);
	return 0;
}
