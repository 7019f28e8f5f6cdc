/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vferry status on recorded hosts, and vferry release on records in a scratch directory.
 */
#include "command_call.h"

#include <json-c/json.h>

#include "command/status/migrations.h"
#include "state/history.h"
#include "state/migration.h"
#include "state/queue.h"
#include "state/record.h"

#define UUID "99999999-2222-3333-4444-555555555555"

/* The state of a recorded host. */
static struct command_result status(const char *host, const char *extra)
{
	return call_command(&command_status_row, NULL, "--inventory", host, "--settings", "/nonexistent/vferry.conf", extra, NULL);
}

/* Fails unless a line of the text begins with start and ends with end. */
static void check_row(const char *text, const char *start, const char *end)
{
	const char *line = strstr(text, start);
	size_t len = line ? strcspn(line, "\n") : 0;

	if (!line || len < strlen(end) || strncmp(line + len - strlen(end), end, strlen(end)) != 0)
		FAIL("no line %s ... %s in:\n%s", start, end, text);
}

TEST(who_has_a_vf_is_told)
{
	struct command_result r = status(recorded("host-busy.json"), NULL);

	CHECK_INT(r.status, COMMAND_OK);
	check_row(r.out, "  0000:81:00.2  mlx5_vfio_pci yes enp129s0f0r0    up   br-vferry   42   ", "web1");
	check_row(r.out, "  0000:81:00.3  mlx5_vfio_pci yes enp129s0f0r1    up   br-vferry   -    ", "db1");
	check_row(r.out, "  0000:81:00.4  mlx5_core ", "host");
	check_row(r.out, "  0000:81:00.5 ", "(cache1)");
	check_row(r.out, "  0000:81:00.6 ", "free");
}

TEST(a_long_name_is_whole_in_a_file)
{
	struct command_result r = status(changed("host-busy.json", "\"web1\"", "\"web-frontend-production-01\"", NULL), NULL);

	check_row(r.out, "  0000:81:00.2 ", "web-frontend-production-01");
}

TEST(what_is_in_flight_is_counted_and_named_with_its_phase)
{
	struct command_result r = status(recorded("host-busy.json"), NULL);

	CHECK_CONTAINS(r.out, "2 of 4 slots in flight");
	CHECK_CONTAINS(r.out, "  coming    prepare    db1\n");
	CHECK_CONTAINS(r.out, "expected");
	CHECK_CONTAINS(r.out, "cache1\n");
}

TEST(a_plan_gives_away_no_vf_that_is_taken_on_the_recorded_host)
{
	struct command_result r = call_command(&command_plan, NULL, "--inventory", recorded("host-busy.json"), "--domain",
					       recorded("guest.xml"),
					       NULL);

	CHECK_INT(r.status, COMMAND_OK);
	CHECK_CONTAINS(r.out, "becomes VF 0000:81:00.6");
}

TEST(a_fresh_host_shows_its_ports_without_vfs)
{
	struct command_result r = status(recorded("host-fresh.json"), NULL);

	CHECK_INT(r.status, COMMAND_OK);
	CHECK_CONTAINS(r.out, "PF 0000:81:00.0  ConnectX-7, firmware 28.43.1014, legacy\n");
	CHECK_CONTAINS(r.out, "in no bridge; 0 of 8 VFs");
	CHECK(!strstr(r.out, "REPRESENTOR"));
}

TEST(without_a_card_it_is_one_line_and_not_ready)
{
	struct command_result r = status(recorded("host-no-card.json"), NULL);

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK(!*r.out || strstr(r.out, "\"verdict\": \"refused\""));
	CHECK_STR(r.err, "vferry: hostC has no ConnectX-7\n");
}

TEST(an_older_card_is_named_in_that_line)
{
	struct command_result r = status(changed("host-fresh.json", "\"device\": 4129", "\"device\": 4125", NULL), NULL);

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK_STR(r.err, "vferry: hostA has no ConnectX-7, only a ConnectX-6 Dx, whose VFs cannot be live-migrated\n");
}

TEST(a_host_without_open_vswitch_says_so)
{
	struct command_result r = status(changed("host-fresh.json", "\"has_ovs\": true", "\"has_ovs\": false", "\"ovs_trouble\": \"\"",
						 "\"ovs_trouble\": \"it does not run\"", NULL), NULL);

	CHECK_CONTAINS(r.out, "Open vSwitch: it does not run\n");
	r = status(changed("host-fresh.json", "\"has_ovs\": true", "\"has_ovs\": false", "\"ovs_trouble\": \"\"",
			   "\"ovs_trouble\": \"it does not run\"", "\"ovs_cure\": \"\"", "\"ovs_cure\": \"start it\"", NULL), NULL);
	CHECK_CONTAINS(r.out, "Open vSwitch: it does not run; start it\n");
}

TEST(the_status_is_json_with_stable_keys)
{
	struct command_result r = status(recorded("host-busy.json"), "--json");
	struct json_object *json = json_tokener_parse(r.out), *pf, *vf, *flight;

	CHECK(json != NULL);
	pf = json_object_array_get_idx(json_object_object_get(json, "pfs"), 0);
	vf = json_object_array_get_idx(json_object_object_get(pf, "vfs"), 0);
	flight = json_object_array_get_idx(json_object_object_get(json, "migrations"), 0);
	CHECK_INT(json_object_get_int(json_object_object_get(pf, "in_flight")), 2);
	CHECK_STR(json_object_get_string(json_object_object_get(vf, "held")), "guest");
	CHECK_STR(json_object_get_string(json_object_object_get(vf, "holder")), "web1");
	CHECK_INT(json_object_get_int(json_object_object_get(vf, "vlan")), 42);
	CHECK_STR(json_object_get_string(json_object_object_get(flight, "direction")), "coming");
	json_object_put(json);
}

TEST(the_table_fits_80_columns)
{
	CHECK(widest_line(status(recorded("host-busy.json"), NULL).out) <= 80);
	CHECK(widest_line(status(recorded("host-fresh.json"), NULL).out) <= 80);
}

/* ---- Release ------------------------------------------------------------------------------------------------------------------- */

/* A machine without PCI devices, and on it the record of a guest that was expected age milliseconds ago. */
static void lost_guest(int64_t age)
{
	autoobject struct object object = { .has_vf = true };
	struct reason why = { 0 };

	if (geteuid() != 0)
		SKIP("records are root's");
	check_file("/sys/bus/pci/devices/.keep", "");
	check_file("/run/.keep", "");
	CHECK_INT(sysroot_set(check_scratch()), 0);
	close(record_lock(NULL, deadline_in(1000), &why)); /* makes the directories */
	pci_address_parse("0000:81:00.0", &object.pf);
	pci_address_parse("0000:81:00.2", &object.vf);
	object_new_lease(object.owner.lease);
	snprintf(object.owner.uuid, sizeof(object.owner.uuid), UUID);
	snprintf(object.owner.name, sizeof(object.owner.name), "cache1");
	object.owner.state = RECORD_ARRIVING;
	object.owner.touched = clock_ms() - age;
	CHECK_INT(object_write(&object, &why), 0);
}

/* Calls vferry release on that machine. */
static struct command_result release(const char *answer, const char *option)
{
	struct command_result r = call_command(&command_release, answer, "--settings", "/nonexistent/vferry.conf", option, NULL);

	return r;
}

/* Whether the record is still there. */
static bool is_recorded(void)
{
	return sysroot_exists("/run/vferry/vfs/0000:81:00.2.json");
}

TEST(a_guest_that_never_came_is_shown_and_kept_without_a_word)
{
	lost_guest(600000);
	struct command_result r = release(NULL, NULL);

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK_CONTAINS(r.out, "cache1 (arriving, last heard of 600 seconds ago) is not here");
	CHECK_CONTAINS(r.err, "nothing was changed; run it with --yes");
	CHECK(is_recorded());
	sysroot_set("");
}

TEST(a_guest_that_never_came_is_released_with_yes)
{
	lost_guest(600000);
	struct command_result r = release(NULL, "--yes");

	CHECK_INT(r.status, COMMAND_OK);
	CHECK_CONTAINS(r.out, "1 of 1 released.\n");
	CHECK(!is_recorded());
	CHECK_CONTAINS(release(NULL, "--yes").out, "Nothing is left behind.\n");
	sysroot_set("");
}

TEST(a_person_is_asked_and_no_is_no)
{
	lost_guest(600000);
	struct command_result r = release("n\n", NULL);

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK_CONTAINS(r.out, "Take this back? [y/N] ");
	CHECK(is_recorded());
	CHECK_INT(release("y\n", NULL).status, COMMAND_OK);
	CHECK(!is_recorded());
	sysroot_set("");
}

TEST(a_dry_run_changes_nothing)
{
	lost_guest(600000);
	CHECK_INT(release(NULL, "--dry-run").status, COMMAND_OK);
	CHECK(is_recorded());
	sysroot_set("");
}

TEST(a_guest_that_may_still_come_is_left_alone)
{
	lost_guest(1000);
	struct command_result r = release(NULL, "--yes");

	CHECK_INT(r.status, COMMAND_OK);
	CHECK_CONTAINS(r.out, "cache1 (arriving): expected for 11");
	CHECK(is_recorded());
	sysroot_set("");
}

/* What vferry status says of migrations on a host that has no guest and no card, but a past. */
static const char *migrations(void)
{
	static char *text;
	static struct view view;
	size_t len;
	struct call call = { 0 };

	free(text);
	call.out = open_memstream(&text, &len);
	view = (struct view){ 0 };
	status_show_migrations(&call, &view);
	fclose(call.out);
	return text;
}

TEST(who_waits_for_a_slot_is_named)
{
	struct ticket ticket = { 0 };

	check_file("/run/.keep", "");
	CHECK_INT(sysroot_set(check_scratch()), 0);
	CHECK_INT(queue_enter(UUID, "web7", 8, &ticket, NULL), 0);
	CHECK_CONTAINS(migrations(), "  waiting   0 s        web7\n");
	queue_leave(&ticket);
	CHECK_CONTAINS(migrations(), "none in flight");
	CHECK_INT(sysroot_set(""), 0);
}

TEST(what_was_done_and_refused_is_told_with_milliseconds_and_reason)
{
	struct history_entry ready = { .when = 1700000000, .kind = HISTORY_READY, .event = "migrate", .guest = "web1", .vfs = 2, .ms = 812 };
	struct history_entry refused = { .when = 1700000060, .kind = HISTORY_REFUSED, .event = "started", .guest = "web2", .ms = 41 };
	struct history_entry left = { .when = 1700000120, .kind = HISTORY_LEFT, .event = "release", .guest = "db1", .vfs = 1 };
	struct migration moved = { .when = 1700000120000, .guest = "db1", .vfs = 1, .ms = 8210, .downtime = 159 };
	struct migration came = { .when = 1700000121000, .guest = "db2", .is_incoming = true, .from = "node7", .vfs = 1, .ms = 1000,
				  .downtime = MIGRATION_UNKNOWN, .outcome = MIGRATION_FAILED };
	const char *text;

	check_file("/run/.keep", "");
	check_file("/var/lib/vferry/.keep", "");
	CHECK_INT(sysroot_set(check_scratch()), 0);
	reason_set(&refused.why, -EPERM, NULL, "post-copy was asked for");
	reason_cure(&refused.why, "migrate without --postcopy");
	CHECK_INT(history_add(&ready, deadline_in(1000), NULL), 0);
	CHECK_INT(history_add(&refused, deadline_in(1000), NULL), 0);
	CHECK_INT(history_add(&left, deadline_in(1000), NULL), 0);
	CHECK_INT(migration_add(&moved, NULL), 0);
	reason_set(&came.why, -ECANCELED, "", "it ended in libvirt's phase finish3");
	CHECK_INT(migration_add(&came, NULL), 0);
	text = migrations();
	CHECK_CONTAINS(text, "  ready    web1: 2 VFs in 812 ms\n");
	CHECK_CONTAINS(text, "  refused  web2: at started, after 41 ms: post-copy was asked\n");
	CHECK_CONTAINS(text, "without --postcopy\n");
	CHECK_CONTAINS(text, "  left     db1\n");
	CHECK_CONTAINS(text, "  completed db1: left in 8.2 s, stood still for 159 ms\n");
	CHECK_CONTAINS(text, "  failed    db2: came from node7 in 1.0 s: it ended in\n");
	CHECK_CONTAINS(text, "libvirt's phase finish3\n");
	for (const char *line = text; *line; line = strchr(line, '\n') + 1)
		CHECK(strcspn(line, "\n") <= 80);
	CHECK_INT(sysroot_set(""), 0);
}
