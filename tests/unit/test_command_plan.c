/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vferry plan, inventory and version on recorded hosts, and what all subcommands have in common.
 */
#include "command_call.h"

#include <json-c/json.h>
#include <unistd.h>

/* Plans the guest of data/command on a recorded host. */
static struct command_result plan(const char *host, const char *guest, const char *extra)
{
	return call_command(&command_plan, NULL, "--inventory", host, "--domain", guest, "--settings", "/nonexistent/vferry.conf", extra,
			    NULL);
}

TEST(a_guest_can_come_to_a_fresh_host_and_every_step_is_listed)
{
	struct command_result r = plan(recorded("host-fresh.json"), recorded("guest.xml"), NULL);

	CHECK_INT(r.status, COMMAND_OK);
	CHECK_CONTAINS(r.out, "guest1 can come to hostA.\n");
	CHECK_CONTAINS(r.out, "52:54:00:12:34:56: VF 0000:c1:00.3 becomes VF 0000:81:00.2, PF 0000:81:00.0,\n  bridge br-vferry\n");
	CHECK_CONTAINS(r.out, "   1  0000:81:00.0: sriov_drivers_autoprobe 0\n   2  0000:81:00.0: eswitch mode switchdev\n"
			      "   3  0000:81:00.0: sriov_numvfs 8\n");
	CHECK_CONTAINS(r.out, "0000:81:00.2: migratable\n");
	CHECK_CONTAINS(r.out, "0000:81:00.2: representor into bridge br-vferry\n");
}

TEST(on_a_ready_host_only_the_vf_is_left_to_do)
{
	struct command_result r = plan(recorded("host-ready.json"), recorded("guest.xml"), NULL);

	CHECK_INT(r.status, COMMAND_OK);
	CHECK_CONTAINS(r.out, "guest1 can come to hostB.\n");
	CHECK(!strstr(r.out, "eswitch mode"));
	CHECK_CONTAINS(r.out, "representor up\n");
}

TEST(another_psid_is_refused_with_both_named)
{
	struct command_result r = plan(changed("host-ready.json", "MT_0000000834", "MT_0000000999", NULL), recorded("guest.xml"), NULL);

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK_CONTAINS(r.out, "guest1 cannot come to hostB:\n");
	CHECK_CONTAINS(r.out, "MT_0000000999");
	CHECK_CONTAINS(r.out, "MT_0000000834");
}

TEST(a_viommu_is_refused)
{
	struct command_result r = plan(recorded("host-ready.json"), changed("guest.xml", "</devices>", "<iommu model='intel'/></devices>",
									    NULL), NULL);

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK_CONTAINS(r.out, "the guest has a vIOMMU (model 'intel')");
}

TEST(a_guest_that_starts_keeps_its_addresses)
{
	struct command_result r = call_command(&command_plan, NULL, "--inventory", recorded("host-fresh.json"), "--domain",
					       changed("guest.xml", "bus='0xc1'", "bus='0x81'", NULL), "--as", "start", NULL);

	CHECK_INT(r.status, COMMAND_OK);
	CHECK_CONTAINS(r.out, "guest1 can start on hostA.\n");
	CHECK_CONTAINS(r.out, "VF 0000:81:00.3 becomes VF 0000:81:00.3");
}

TEST(a_host_without_a_card_is_refused_with_a_sentence)
{
	struct command_result r = plan(recorded("host-no-card.json"), recorded("guest.xml"), NULL);

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK_CONTAINS(r.out, "no card whose VFs can be");
}

TEST(the_plan_is_json_with_stable_keys)
{
	struct command_result r = plan(recorded("host-fresh.json"), recorded("guest.xml"), "--json");
	struct json_object *json = json_tokener_parse(r.out), *steps, *step, *vf;

	CHECK_INT(r.status, COMMAND_OK);
	CHECK(json != NULL);
	CHECK_STR(json_object_get_string(json_object_object_get(json, "verdict")), "ready");
	CHECK_STR(json_object_get_string(json_object_object_get(json, "guest")), "guest1");
	CHECK_STR(json_object_get_string(json_object_object_get(json, "host")), "hostA");
	CHECK_STR(json_object_get_string(json_object_object_get(json, "as")), "migrate");
	vf = json_object_array_get_idx(json_object_object_get(json, "vfs"), 0);
	CHECK_STR(json_object_get_string(json_object_object_get(vf, "source")), "0000:c1:00.3");
	CHECK_STR(json_object_get_string(json_object_object_get(vf, "vf")), "0000:81:00.2");
	steps = json_object_object_get(json, "steps");
	CHECK(json_object_array_length(steps) >= 9);
	step = json_object_array_get_idx(steps, 1);
	CHECK_STR(json_object_get_string(json_object_object_get(step, "step")), "eswitch");
	CHECK_STR(json_object_get_string(json_object_object_get(step, "sentence")), "0000:81:00.0: eswitch mode switchdev");
	json_object_put(json);
}

TEST(a_refusal_is_json_with_its_rule)
{
	struct command_result r = plan(recorded("host-ready.json"), changed("guest.xml", "</devices>", "<iommu model='intel'/></devices>",
									    NULL), "--json");
	struct json_object *json = json_tokener_parse(r.out), *reason = json_object_object_get(json, "reason");

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK_STR(json_object_get_string(json_object_object_get(json, "verdict")), "refused");
	CHECK_STR(json_object_get_string(json_object_object_get(reason, "rule")), "L2-viommu");
	json_object_put(json);
}

TEST(a_recorded_host_that_is_no_json_says_how_to_make_one)
{
	struct command_result r = plan(recorded("guest.xml"), recorded("guest.xml"), NULL);

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK_CONTAINS(r.err, "vferry inventory >FILE");
}

TEST(neither_a_guest_nor_a_file_is_wrong_use)
{
	struct command_result r = call_command(&command_plan, NULL, "--inventory", recorded("host-ready.json"), NULL);

	CHECK_INT(r.status, COMMAND_USAGE);
	CHECK_CONTAINS(r.err, "name a guest");
}

TEST(another_way_than_migrate_or_start_is_wrong_use)
{
	struct command_result r = plan(recorded("host-ready.json"), recorded("guest.xml"), "--as=save");

	CHECK_INT(r.status, COMMAND_USAGE);
	CHECK_CONTAINS(r.err, "--as is 'migrate' or 'start', not 'save'");
}

TEST(an_unknown_option_is_wrong_use_and_named)
{
	struct command_result r = call_command(&command_plan, NULL, "--frobnicate", NULL);

	CHECK_INT(r.status, COMMAND_USAGE);
	CHECK_STR(r.err, "vferry plan: unknown option '--frobnicate'; see vferry plan --help\n");
}

TEST(an_option_without_its_value_is_wrong_use)
{
	struct command_result r = call_command(&command_plan, NULL, "--domain", NULL);

	CHECK_INT(r.status, COMMAND_USAGE);
	CHECK_CONTAINS(r.err, "option '--domain' needs a value");
}

TEST(an_operand_too_many_is_wrong_use)
{
	struct command_result r = call_command(&command_version, NULL, "now", NULL);

	CHECK_INT(r.status, COMMAND_USAGE);
	CHECK_CONTAINS(r.err, "'now' is one argument too many");
}

TEST(a_wrong_configuration_is_named_with_its_line)
{
	struct command_result r = call_command(&command_plan, NULL, "--settings", check_file("/bad.conf", "[host]\nvfs = many\n"), "guest1",
					       NULL);

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK_CONTAINS(r.err, "bad.conf");
}

TEST(the_version_is_said_by_word_and_by_option)
{
	CHECK_STR(call_command(&command_version, NULL, NULL).out, "vferry " VFERRY_VERSION "\n");
	CHECK_STR(call_command(&command_plan, NULL, "--version", NULL).out, "vferry " VFERRY_VERSION "\n");
}

TEST(the_inventory_of_this_machine_can_be_read_back)
{
	struct command_result r;
	struct json_object *json, *software;

	if (access("/sys/bus/pci/devices", F_OK))
		SKIP("there is no /sys here, as where some build packages");
	r = call_command(&command_inventory, NULL, NULL);
	json = json_tokener_parse(r.out);
	software = json_object_object_get(json, "software");
	CHECK_INT(r.status, COMMAND_OK);
	CHECK(json_object_get_int(json_object_object_get(json, "schema")) == 1);
	CHECK(*json_object_get_string(json_object_object_get(software, "kernel")));
	json_object_put(json);
	r = plan(check_file("/this.json", r.out), recorded("guest.xml"), NULL);
	CHECK(strstr(r.out, "come to") != NULL);
}

TEST(what_is_printed_fits_80_columns)
{
	CHECK(widest_line(plan(recorded("host-fresh.json"), recorded("guest.xml"), NULL).out) <= 80);
	CHECK(widest_line(plan(changed("host-ready.json", "MT_0000000834", "MT_0000000999", NULL), recorded("guest.xml"), NULL).out) <= 80);
	CHECK(widest_line(call_command(&command_plan, NULL, "--help", NULL).out) <= 80);
}
