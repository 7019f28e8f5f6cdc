/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_recorded.c: guests and leases of a recorded host. An input is JSON that is both; what is read and written again must read the same.
 */
#include "fuzz.h"

#include <errno.h>

#include "base/scope.h"
#include "command/recorded.h"

static const int errors[] = { -EINVAL, 0 };

/* Demands what holds for every guest. */
static void check_guests(const struct status_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct status *status = &list->status[i];

		REQUIRE(memchr(status->uuid, '\0', sizeof(status->uuid)) && memchr(status->name, '\0', sizeof(status->name)));
		REQUIRE(memchr(status->phase, '\0', sizeof(status->phase)) && status->job <= STATUS_OTHER_JOB);
		for (size_t k = 0; k < status->devices; k++) {
			fuzz_check_address(&status->device[k]);
			REQUIRE(status_find_device(list, &status->device[k]));
		}
	}
}

/* Demands what holds for every lease. */
static void check_leases(const struct record_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct record *record = &list->record[i];

		REQUIRE(memchr(record->uuid, '\0', sizeof(record->uuid)) && memchr(record->name, '\0', sizeof(record->name)));
		REQUIRE(record->state <= RECORD_RUNNING && record->vfs <= RECORD_MAX_VFS);
		for (size_t k = 0; k < record->vfs; k++)
			REQUIRE(record_find_vf(list, &record->vf[k].address, NULL));
	}
}

/* Reads guests. Return: what they are when written again, NULL if they are refused. */
static struct json_object *guests_again(struct json_object *json)
{
	struct status_list list = { 0 };
	struct json_object *again = NULL;
	struct reason why = { 0 };
	int error = recorded_read_guests(json, &list, &why);

	if (error) {
		fuzz_check_reason(error, errors, &why);
	} else {
		check_guests(&list);
		again = recorded_guests(&list);
	}
	status_list_release(&list);
	return again;
}

/* The same for leases. */
static struct json_object *leases_again(struct json_object *json)
{
	struct record_list list = { 0 };
	struct json_object *again = NULL;
	struct reason why = { 0 };
	int error = recorded_read_leases(json, &list, &why);

	if (error) {
		fuzz_check_reason(error, errors, &why);
	} else {
		check_leases(&list);
		again = recorded_leases(&list);
	}
	record_list_release(&list);
	return again;
}

/* Demands that what was written once is written the same again. */
static void check_again(struct json_object *json, struct json_object *(*again)(struct json_object *json))
{
	struct json_object *first = again(json), *second = first ? again(first) : NULL;

	REQUIRE(!first || (second && json_object_equal(first, second)));
	json_object_put(first);
	json_object_put(second);
}

/* One input: JSON. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = fuzz_text(data, size);
	struct json_object *json = json_tokener_parse(text);

	check_again(json, guests_again);
	check_again(json, leases_again);
	json_object_put(json);
	return 0;
}
