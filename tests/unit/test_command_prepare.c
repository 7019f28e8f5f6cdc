/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vferry prepare on recorded hosts: what it would do and what it would disturb. What it does is tested in the lab.
 */
#include "command_call.h"

#include <json-c/json.h>

/* Plans for a recorded host. */
static struct command_result prepare(const char *host, const char *option, const char *value)
{
	return call_command(&command_prepare, NULL, "--dry-run", "--inventory", host, "--settings", "/nonexistent/vferry.conf", option, value,
			    NULL);
}

TEST(a_fresh_port_is_made_ready_in_the_order_that_counts)
{
	struct command_result r = prepare(recorded("host-fresh.json"), NULL, NULL);
	static const char *const order[] = { "sriov_drivers_autoprobe 0", "eswitch mode switchdev", "sriov_numvfs 8", "bridge br-vferry",
					     "hw-offload=true", "max-idle=300000", "uplink into bridge br-vferry", "0000:81:00.2: migratable",
					     "0000:81:01.1: migratable" };
	const char *place = r.out;

	CHECK_INT(r.status, COMMAND_OK);
	CHECK_CONTAINS(r.out, "PF 0000:81:00.0 (enp129s0f0np0) for bridge br-vferry: 15 steps\n");
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		place = strstr(place, order[i]);
		if (!place)
			FAIL("%s is missing or too early in:\n%s", order[i], r.out);
	}
}

TEST(what_would_be_disturbed_is_said)
{
	struct command_result r = prepare(recorded("host-fresh.json"), NULL, NULL);

	CHECK_CONTAINS(r.out, "note: enp129s0f0np0 loses its link for a moment");
	CHECK_CONTAINS(r.out, "note: enp129s0f0np0 carries the frames of bridge br-vferry from then on");
}

TEST(on_a_ready_host_nothing_is_done)
{
	struct command_result r = prepare(recorded("host-ready.json"), NULL, NULL);

	CHECK_INT(r.status, COMMAND_OK);
	CHECK_STR(r.out, "PF 0000:81:00.0 (enp129s0f0np0) is ready for guests on bridge br-vferry.\nNothing had to be done.\n");
}

TEST(only_what_is_missing_is_done)
{
	struct command_result r = prepare(changed("host-ready.json", "\"uplink_bridge\": \"br-vferry\"", "\"uplink_bridge\": \"\"",
						  "\"name\": \"enp129s0f0np0\"", "\"name\": \"vnet9\"", NULL),
					  NULL, NULL);

	CHECK_INT(r.status, COMMAND_OK);
	CHECK_CONTAINS(r.out, ": 1 step\n");
	CHECK_CONTAINS(r.out, "uplink into bridge br-vferry");
}

TEST(the_card_alone_is_made_ready_on_all_pfs)
{
	struct command_result r = prepare(recorded("host-fresh.json"), "--card-only", NULL);
	static const char *const others[] = { "bridge br-vferry", "hw-offload", "uplink into bridge" };

	CHECK_INT(r.status, COMMAND_OK);
	CHECK_CONTAINS(r.out, "PF 0000:81:00.0 (enp129s0f0np0), the card alone: ");
	CHECK_CONTAINS(r.out, "PF 0000:81:00.1 (enp129s0f1np1), the card alone: ");
	CHECK_CONTAINS(r.out, "eswitch mode switchdev");
	CHECK_CONTAINS(r.out, "sriov_numvfs 8");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		CHECK(!strstr(r.out, others[i]));
	r = call_command(&command_prepare, NULL, "--dry-run", "--inventory", recorded("host-fresh.json"), "--card-only", "--pf", "0000:81:00.1", NULL);
	CHECK_CONTAINS(r.out, "PF 0000:81:00.1 (enp129s0f1np1), the card alone: ");
	CHECK(!strstr(r.out, "0000:81:00.0 (enp"));
	r = call_command(&command_prepare, NULL, "--dry-run", "--inventory", recorded("host-fresh.json"), "--card-only", "--bridge", "br0", NULL);
	CHECK_INT(r.status, COMMAND_USAGE);
}

TEST(a_bond_in_legacy_mode_is_told_how_to_come_to_one_that_carries_vfs)
{
	struct command_result r = prepare(changed("host-fresh.json", "\"uplink_master\": \"\"", "\"uplink_master\": \"bond0\"",
						  "\"uplink_master_kind\": \"\"", "\"uplink_master_kind\": \"bond\"", NULL), "--card-only", NULL);

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK_CONTAINS(r.err, "it is in bond bond0");
	CHECK_CONTAINS(r.err, "vferry prepare --card-only --yes");
}

TEST(another_port_can_be_named_by_address_or_device)
{
	CHECK_CONTAINS(prepare(recorded("host-fresh.json"), "--pf", "0000:81:00.1").out, "PF 0000:81:00.1 (enp129s0f1np1) for bridge");
	CHECK_CONTAINS(prepare(recorded("host-fresh.json"), "--pf", "enp129s0f1np1").out, "PF 0000:81:00.1 (enp129s0f1np1) for bridge");
}

TEST(a_bluefield_3_is_prepared_when_it_is_named_and_else_says_how_to_switch_it_on)
{
	const char *host = changed("host-fresh.json", "\"device\": 4129", "\"device\": 41692", "28.43.1014", "32.43.1014", NULL);
	struct command_result r = prepare(host, NULL, NULL);

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK_STR(r.err, "vferry: 0000:81:00.0: it is a BlueField-3, and cards of that kind are not switched on here; set cards = all in "
			 "vferry.conf, or cards = bluefield-3 to use no others\n");
	CHECK_CONTAINS(prepare(host, "--pf", "0000:81:00.1").out, "PF 0000:81:00.1 (enp129s0f1np1) for bridge");
}

TEST(a_port_that_is_not_there_is_refused)
{
	struct command_result r = prepare(recorded("host-fresh.json"), "--pf", "0000:99:00.0");

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK_STR(r.err, "vferry: 0000:99:00.0: this host has no such PF; see vferry status for its PFs\n");
}

TEST(a_second_uplink_in_one_bridge_is_refused)
{
	struct command_result r = prepare(recorded("host-ready.json"), "--pf", "0000:81:00.1");

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK_CONTAINS(r.err, "has the uplink enp129s0f0np0 already, and a second one would make a loop");
}

TEST(idle_vfs_are_taken_from_the_hosts_driver_first)
{
	const char *host = changed("host-ready.json", "\"mode\": \"switchdev\"", "\"mode\": \"legacy\"", "\"driver\": \"\"",
				   "\"driver\": \"mlx5_core\"",
				   "\"host_netdev\": \"\"", "\"host_netdev\": \"ens1v\"",
				   "\"migratable\": true", "\"migratable\": false", NULL);
	struct command_result r = prepare(host, NULL, NULL);
	const char *last_unbind = strstr(r.out, "0000:81:01.1: unbind from driver mlx5_core"), *mode = strstr(r.out,
													      "eswitch mode switchdev");

	CHECK_INT(r.status, COMMAND_OK);
	CHECK(last_unbind && mode && last_unbind < mode);
	CHECK_CONTAINS(r.out, "0000:81:00.2: migratable");
}

TEST(a_vf_that_the_host_uses_is_not_taken_away)
{
	const char *host = changed("host-busy.json", "\"mode\": \"switchdev\"", "\"mode\": \"legacy\"", "mlx5_vfio_pci", "", "guests\": [", "guests\": [], \"others\": [", NULL);
	struct command_result r = prepare(host, NULL, NULL);

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK_CONTAINS(r.err, "cannot be switched while its VF 0000:81:00.4 is in use: enp129s0f0v2 has an address of this host (driver mlx5_core)");
}

TEST(a_vf_that_a_vfio_driver_holds_is_not_taken_away)
{
	const char *host = changed("host-busy.json", "\"mode\": \"switchdev\"", "\"mode\": \"legacy\"", NULL);
	struct command_result r = prepare(host, NULL, NULL);

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK_CONTAINS(r.err, "while guest web1 has its VF 0000:81:00.2 (driver mlx5_vfio_pci)");
}

TEST(another_number_of_vfs_makes_all_of_them_anew)
{
	struct command_result r = prepare(recorded("host-ready.json"), "--vfs", "4");

	CHECK_INT(r.status, COMMAND_OK);
	CHECK_CONTAINS(r.out, "   1  0000:81:00.0: sriov_numvfs 4\n");
	CHECK_CONTAINS(r.out, "note: its 8 VFs are removed and 4 are made anew");
	CHECK_CONTAINS(r.out, "0000:81:00.5: migratable\n");
	CHECK(!strstr(r.out, "0000:81:00.6: migratable"));
}

TEST(the_number_of_vfs_stays_while_a_guest_has_one)
{
	struct command_result r = prepare(recorded("host-busy.json"), "--vfs", "4");

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK_CONTAINS(r.err, "it has 8 VFs, and that cannot be made 4 while its VF 0000:81:00.2 is held by driver mlx5_vfio_pci");
}

TEST(the_number_of_vfs_stays_while_one_is_promised)
{
	const char *host = changed("host-busy.json", "mlx5_vfio_pci", "", "\"host_addresses\": 1", "\"host_addresses\": 0", NULL);
	struct command_result r = prepare(host, "--vfs", "4");

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK_CONTAINS(r.err, "VF 0000:81:00.5 is promised to guest cache1");
}

TEST(more_vfs_than_the_card_offers_are_refused)
{
	struct command_result r = prepare(recorded("host-fresh.json"), "--vfs", "9");

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK_CONTAINS(r.err, "it offers 8 VFs, and 9 are wanted");
}

TEST(a_number_that_is_none_is_wrong_use)
{
	CHECK_INT(prepare(recorded("host-fresh.json"), "--vfs", "many").status, COMMAND_USAGE);
	CHECK_INT(prepare(recorded("host-fresh.json"), "--vfs", "-1").status, COMMAND_USAGE);
	CHECK_INT(prepare(recorded("host-fresh.json"), "--vfs", "0").status, COMMAND_USAGE);
}

TEST(a_bridge_that_no_device_can_be_called_is_wrong_use)
{
	CHECK_INT(prepare(recorded("host-fresh.json"), "--bridge", "a-name-of-more-than-15").status, COMMAND_USAGE);
	CHECK_INT(prepare(recorded("host-fresh.json"), "--bridge", "a/b").status, COMMAND_USAGE);
}

TEST(a_recorded_host_is_only_planned_for)
{
	struct command_result r = call_command(&command_prepare, NULL, "--inventory", recorded("host-fresh.json"), "--yes", NULL);

	CHECK_INT(r.status, COMMAND_USAGE);
	CHECK_CONTAINS(r.err, "--inventory needs --dry-run");
}

TEST(a_host_without_a_card_is_one_line)
{
	struct command_result r = prepare(recorded("host-no-card.json"), NULL, NULL);

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK_STR(r.err, "vferry: hostC has no ConnectX-7\n");
}

TEST(the_plan_is_json_with_stable_keys)
{
	struct json_object *json = json_tokener_parse(prepare(recorded("host-fresh.json"), "--json", NULL).out), *step;

	CHECK_STR(json_object_get_string(json_object_object_get(json, "verdict")), "planned");
	CHECK_STR(json_object_get_string(json_object_object_get(json, "pf")), "0000:81:00.0");
	step = json_object_array_get_idx(json_object_object_get(json, "steps"), 1);
	CHECK_STR(json_object_get_string(json_object_object_get(step, "step")), "eswitch");
	CHECK_CONTAINS(json_object_get_string(json_object_object_get(step, "disturbs")), "loses its link");
	json_object_put(json);
}

TEST(what_is_printed_fits_80_columns)
{
	CHECK(widest_line(prepare(recorded("host-fresh.json"), NULL, NULL).out) <= 80);
	CHECK(widest_line(call_command(&command_prepare, NULL, "--help", NULL).out) <= 80);
}
