/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_status.c: a status file of libvirt. One that cannot be understood is counted and stops no other guest's; one that is read gives
 * the same by the directory and by uuid.
 */
#include "fuzz.h"

#include <errno.h>

#include "domain/status.h"

#define GOOD "<domstatus state='running' reason='booted'><job type='none'/><domain><name>other</name>" \
	     "<uuid>00000000-1111-2222-3333-444444444444</uuid></domain></domstatus>"

static const int errors[] = { -EINVAL, -ENOENT, 0 };

/* Demands what holds for every status. */
static void check_status(const struct status_list *list, const struct status *status)
{
	REQUIRE(strlen(status->uuid) == 36 && strspn(status->uuid, "0123456789abcdef-") == 36);
	REQUIRE(memchr(status->name, '\0', sizeof(status->name)) && memchr(status->state, '\0', sizeof(status->state)));
	REQUIRE(memchr(status->state_reason, '\0', sizeof(status->state_reason)) && memchr(status->phase, '\0', sizeof(status->phase)));
	REQUIRE(status->job <= STATUS_OTHER_JOB);
	REQUIRE(!(status->job == STATUS_MIGRATION_IN && status_is_landed(status)));
	REQUIRE(status_find_uuid(list, status->uuid));
	for (size_t i = 0; i < status->devices; i++) {
		fuzz_check_address(&status->device[i]);
		REQUIRE(status_find_device(list, &status->device[i]));
	}
}

/* Demands that asking for the guest by its uuid gives the same. */
static void check_by_uuid(const struct status *known)
{
	struct reason why = { 0 };
	struct status status;
	int error = status_read(known->uuid, &status, &why);

	/* A file may spell its uuid in capitals or with references; then it is not found by its letters, and must not be found wrongly. */
	if (error) {
		fuzz_check_reason(error, errors, &why);
		return;
	}
	REQUIRE(strcmp(status.uuid, known->uuid) == 0);
	status_release(&status);
}

/* One input: a status file, beside one that is good. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reason why = { 0 };
	struct status_list list;

	fuzz_file("/run/libvirt/qemu/guest.xml", data, size);
	fuzz_file("/run/libvirt/qemu/other.xml", GOOD, sizeof(GOOD) - 1);
	REQUIRE(status_read_all(&list, &why) == 0);
	REQUIRE(list.count + list.unreadable == 2 && list.count >= 1);
	REQUIRE(status_find_uuid(&list, "00000000-1111-2222-3333-444444444444"));
	for (size_t i = 0; i < list.count; i++) {
		check_status(&list, &list.status[i]);
		check_by_uuid(&list.status[i]);
	}
	status_list_release(&list);
	return 0;
}
