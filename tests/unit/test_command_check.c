/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vferry check on recorded hosts, each with one fault: the fault is named, with the command that mends it.
 */
#include "command_call.h"

#include <json-c/json.h>

#include "card/vfio.h"
#include "command/check/tables.h"

/* Checks a recorded host. */
static struct command_result check(const char *host)
{
	return call_command(&command_check, NULL, "--inventory", host, "--settings", "/nonexistent/vferry.conf", "--json", NULL);
}

/* Finds a result by its id and, if object is not NULL, its object. Fails if there is none. */
static struct json_object *find(struct json_object *json, const char *id, const char *object)
{
	struct json_object *checks = json_object_object_get(json, "checks");

	for (size_t i = 0; i < json_object_array_length(checks); i++) {
		struct json_object *result = json_object_array_get_idx(checks, i);

		if (strcmp(json_object_get_string(json_object_object_get(result, "id")), id) == 0 &&
		    (!object || strcmp(json_object_get_string(json_object_object_get(result, "object")), object) == 0))
			return result;
	}
	FAIL("no result %s %s", id, object ? object : "");
}

/* A member of a result. */
static const char *text(struct json_object *result, const char *key)
{
	return json_object_get_string(json_object_object_get(result, key));
}

/* What a fault must look like in the output. */
struct expected {
	const char *id, *object, *state, *found, *mend;
};

/* Checks a host and fails unless it is named as expected. */
static void expect(const char *host, const struct expected *e)
{
	struct command_result r = check(host);
	struct json_object *json = json_tokener_parse(r.out), *result;

	if (!json)
		FAIL("no JSON: %s%s", r.out, r.err);
	result = find(json, e->id, e->object);
	CHECK_STR(text(result, "state"), e->state);
	CHECK_CONTAINS(text(result, "found"), e->found);
	if (e->mend)
		CHECK_CONTAINS(text(result, "mend"), e->mend);
	if (strcmp(e->state, "failure") == 0)
		CHECK_INT(r.status, COMMAND_NOT_READY);
	json_object_put(json);
}

/* A test: a recorded host with "from" made "to" shows a fault. */
#define FAULT(test_name, host, from, to, ...) \
	TEST(test_name) { expect(changed(host, from, to, NULL), &(struct expected){ __VA_ARGS__ }); }

#define PF0 "0000:81:00.0"
#define READY "host-ready.json"
#define FRESH "host-fresh.json"

TEST(a_prepared_host_has_neither_warning_nor_failure)
{
	struct command_result r = check(recorded(READY));
	struct json_object *json = json_tokener_parse(r.out), *summary = json_object_object_get(json, "summary");

	CHECK_INT(r.status, COMMAND_OK);
	CHECK(json_object_get_boolean(json_object_object_get(json, "ready")));
	CHECK_INT(json_object_get_int(json_object_object_get(summary, "warning")), 0);
	CHECK_INT(json_object_get_int(json_object_object_get(summary, "failure")), 0);
	CHECK_INT(json_object_get_int(json_object_object_get(summary, "unknown")), 0);
	json_object_put(json);
}

TEST(a_fresh_host_has_warnings_that_prepare_mends_and_no_failure)
{
	struct command_result r = check(recorded(FRESH));
	struct json_object *json = json_tokener_parse(r.out);

	CHECK_INT(r.status, COMMAND_OK);
	for (const char *const *id = (const char *const[]){ "S1", "S2", "S5f", NULL }; *id; id++) {
		CHECK_STR(text(find(json, *id, PF0), "state"), "warning");
		CHECK_STR(text(find(json, *id, PF0), "mend"), "vferry prepare --pf " PF0 " --yes");
	}
	json_object_put(json);
}

TEST(the_last_line_says_whether_the_host_is_ready_and_what_is_not)
{
	const char *ready = recorded(READY), *settings = "/nonexistent/vferry.conf";
	const char *bad = changed(READY, "28.43.1014", "28.36.1000", "\"can_migrate\": true", "\"can_migrate\": false", NULL);
	struct command_result r = call_command(&command_check, NULL, "--inventory", ready, "--settings", settings, NULL);

	CHECK_CONTAINS(r.out, " 0 warnings, 0 failures, ");
	CHECK_CONTAINS(r.out, "\nReady.\n");
	r = call_command(&command_check, NULL, "--inventory", bad, "--settings", settings, NULL);
	CHECK_CONTAINS(r.out, "\nNot ready: P1 firmware, P3 VF_MIGRATION_MODE");
	CHECK_INT(r.status, COMMAND_NOT_READY);
}

TEST(a_pf_beside_one_whose_uplink_is_in_the_bridge_is_not_needed)
{
	expect(changed(FRESH, "\"uplink\": \"enp129s0f0np0\",", "\"uplink\": \"enp129s0f0np0\", \"uplink_bridge\": \"br-vferry\",", "\"uplink_bridge\": \"\",",
		       "", NULL),
	       &(struct expected){ "S5f", "0000:81:00.1", "not-applicable", "this PF is not prepared; another one is", NULL });
}

/* Every line of the procedure has a row. */
TEST(every_line_of_the_procedure_that_concerns_a_host_is_there)
{
	static const char *const ids[] = { "P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9", "P13", "L1", "L3", "L4", "L6", "L7", "L8",
					   "S1", "S2", "S3", "S4", "S5a", "S5b", "S5c", "S5d", "S5e", "S5f", "S5g", "V7", "V8", "V10", "V12", "V13" };
	struct json_object *json = json_tokener_parse(check(recorded(READY)).out);

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		CHECK(*text(find(json, ids[i], NULL), "why"));
	json_object_put(json);
}

FAULT(firmware_that_cannot_migrate, READY, "28.43.1014", "28.36.1000", "P1", PF0, "failure", "its firmware is 28.36.1000, and live migration needs 28.36.1010",
      "mstflint -d " PF0 " -i IMAGE burn")
FAULT(firmware_that_is_old, READY, "28.43.1014", "28.39.1002", "P1", PF0, "warning", "28.41.1000 or newer is advised", "mstfwreset -y -d " PF0)
FAULT(firmware_is_compared_as_numbers, READY, "28.43.1014", "28.100.1", "P1", PF0, "ok", "28.100.1 runs", NULL)
FAULT(threads_are_too_few_for_those_who_wait, READY, "\"seen_by_root\": true", "\"seen_by_root\": true, \"libvirt_workers\": 9", "V7", NULL, "warning",
      "libvirtd has 9 threads for calls; with 8 guests that wait for a slot (slot_queue) it needs 10",
      "virt-admin server-threadpool-set libvirtd --min-workers 20")
FAULT(threads_are_enough, READY, "\"seen_by_root\": true", "\"seen_by_root\": true, \"libvirt_workers\": 10", "V7", NULL, "ok", "10 threads", NULL)

TEST(a_modular_libvirt_that_is_idle_does_not_run_and_that_is_no_fault)
{
	expect(changed(READY, "\"is_modular\": false", "\"is_modular\": true, \"libvirt_workers\": 0", NULL),
	       &(struct expected){ "V7", NULL, "not-applicable", "virtqemud does not run at the moment; it is started by whoever calls it", NULL });
}

/* Not the same on RHEL and its kin as on Fedora. */
TEST(open_vswitch_is_installed_by_the_name_that_it_has_there)
{
	static const struct { const char *system, *mend; } rows[] = {
		{ "Fedora Linux 42 (Server Edition)", "dnf install openvswitch" },
		{ "Red Hat Enterprise Linux 9.4 (Plow)", "dnf install openvswitch3.5" },
		{ "CentOS Stream 10 (Coughlan)", "dnf install openvswitch3.5" },
		{ "Rocky Linux 9.4 (Blue Onyx)", "dnf install openvswitch3.5" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char system[128];
		struct json_object *json;

		snprintf(system, sizeof(system), "\"has_systemd\": true, \"system\": \"%s\", \"installer\": \"dnf install\"", rows[i].system);
		json = json_tokener_parse(check(changed(FRESH, "\"has_openvswitch\": true", "\"has_openvswitch\": false", "\"has_ovs\": true",
							"\"has_ovs\": false", "\"has_systemd\": true", system, NULL)).out);
		CHECK_STR(text(find(json, "P4", NULL), "state"), "failure");
		CHECK_STR(text(find(json, "P4", NULL), "mend"), rows[i].mend);
		json_object_put(json);
	}
}

FAULT(mstflint_is_missing, READY, "\"has_mstflint\": true", "\"has_mstflint\": false", "P2", NULL, "warning", "mstflint is not installed",
      "apt-get install mstflint")
FAULT(vf_migration_mode_is_off, READY, "\"can_migrate\": true", "\"can_migrate\": false", "P3", PF0, "failure",
      "does not offer 'migratable' for 8 of 8 VFs", "mstconfig -y -d " PF0 " set VF_MIGRATION_MODE=2")
FAULT(the_iommu_is_off, READY, "\"has_iommu\": true", "\"has_iommu\": false", "P5", NULL, "failure", "this host has no IOMMU groups",
      "intel_iommu=on iommu=pt")
FAULT(a_vf_shares_its_group, READY, "\"index\": 2,\n     \"driver\": \"\",\n     \"representor_up\": false,\n     \"bridge\": \"\",\n     \"bridge_ours\": "
      "false,\n     \"group_members\": 1", "\"index\": 2,\n     \"driver\": \"\",\n     \"group_members\": 3", "P6", PF0, "failure",
      "share an IOMMU group with other devices: 0000:81:00.4", NULL)
FAULT(the_uplink_is_down, READY, "\"uplink_up\": true", "\"uplink_up\": false", "P7", PF0, "failure", "enp129s0f0np0 is down",
      "ip link set dev enp129s0f0np0 up")
FAULT(kvm_is_missing, READY, "\"has_kvm\": true", "\"has_kvm\": false", "P8", NULL, "warning", "no /dev/kvm", "modprobe kvm_intel")
FAULT(no_port_is_open, READY, "\"listens_ssh\": true", "\"listens_ssh\": false", "P9", NULL, "failure", "ssh 22 closed", "systemctl enable --now ssh")
FAULT(a_firewall_drops_what_comes_in, READY, "\"firewall\": \"\"", "\"firewall\": \"nftables: chain inet filter input drops\", \"firewall_mend\": "
      "\"nft insert rule inet filter input tcp dport 49152-49215 accept\"", "P9", NULL, "warning", "chain inet filter input drops",
      "nft insert rule inet filter input tcp dport 49152-49215 accept")
FAULT(libvirts_socket_is_off, READY, "\"listens_libvirt\": true", "\"listens_libvirt\": false", "P13", NULL, "failure", "nobody listens",
      "systemctl enable --now virtqemud.socket")
FAULT(the_hook_is_missing, READY, "\"has_hook\": true", "\"has_hook\": false", "L1", NULL, "failure", "vferry's hook is not installed",
      "systemctl reload libvirtd")
FAULT(a_user_may_not_see_the_hook, READY, "\"has_hook\": true", "\"has_hook\": false, \"is_hook_hidden\": true", "L1", NULL, "unknown",
      "only root sees whether vferry's hook is installed", NULL)
FAULT(without_selinux_there_is_no_label, READY, "\"seen_by_root\": true", "\"seen_by_root\": true", "V8", NULL, "not-applicable", "SELinux is not on", NULL)
FAULT(hook_and_worker_have_their_label, READY, "\"seen_by_root\": true", "\"seen_by_root\": true, \"has_selinux\": true, \"hook_label\": "
      "\"vferry_hook_exec_t\", \"worker_label\": \"vferry_hook_exec_t\"", "V8", NULL, "ok", "vferry_hook_exec_t", NULL)
FAULT(the_hook_has_the_label_of_its_folder, READY, "\"seen_by_root\": true", "\"seen_by_root\": true, \"has_selinux\": true, \"selinux_enforces\": true, "
      "\"hook_label\": \"virt_hook_t\", \"worker_label\": \"vferry_hook_exec_t\"", "V8", NULL, "failure",
      "vferry's hook has the label virt_hook_t, not vferry_hook_exec_t", "restorecon -Rv /etc/libvirt/hooks")
FAULT(the_worker_has_the_label_of_its_folder, READY, "\"seen_by_root\": true", "\"seen_by_root\": true, \"has_selinux\": true, \"hook_label\": "
      "\"vferry_hook_exec_t\", \"worker_label\": \"bin_t\"", "V8", NULL, "warning", "vferry's worker has the label bin_t", "restorecon -Rv")
FAULT(selinux_without_a_policy_has_no_labels, READY, "\"has_hook\": true", "\"has_hook\": true, \"has_worker\": true, \"has_selinux\": true", "V8", NULL,
      "not-applicable", "hook and worker have no label: SELinux has no policy", NULL)
FAULT(a_hook_that_is_not_there_has_no_label, READY, "\"has_hook\": true", "\"has_hook\": false, \"has_worker\": true, \"has_selinux\": true", "V8", NULL,
      "not-applicable", "hook or worker is not installed", NULL)
FAULT(a_label_that_nobody_may_see, READY, "\"has_hook\": true", "\"has_hook\": false, \"is_hook_hidden\": true, \"has_selinux\": true", "V8", NULL,
      "unknown", "only root sees the labels", NULL)
FAULT(the_module_of_selinux_is_missing, READY, "\"seen_by_root\": true", "\"seen_by_root\": true, \"has_selinux\": true, "
      "\"selinux_enforces\": true, \"selinux_lacks\": \"vferry_hook_exec_t\", \"hook_label\": \"vferry_hook_exec_t\"", "V8", NULL, "failure",
      "does not know the type vferry_hook_exec_t", NULL)
FAULT(the_module_of_selinux_is_old, READY, "\"seen_by_root\": true", "\"seen_by_root\": true, \"has_selinux\": true, \"selinux_lacks\": "
      "\"vferry_tmpfs_t\", \"hook_label\": \"vferry_hook_exec_t\", \"worker_label\": \"vferry_hook_exec_t\"", "V8", NULL, "warning",
      "or older than vferry", NULL)
FAULT(libvirt_is_too_old_for_the_hook, READY, "\"libvirt\": \"11.3.0\"", "\"libvirt\": \"6.4.0\"", "L1", NULL, "failure",
      "libvirt 6.4.0 is older than 6.5.0 and never calls vferry's hook", NULL)
FAULT(libvirt_is_just_new_enough_for_the_hook, READY, "\"libvirt\": \"11.3.0\"", "\"libvirt\": \"6.5.0\"", "L1", NULL, "ok", "is installed", NULL)
FAULT(firmware_waits_for_a_reset, READY, "\"firmware_stored\": \"28.43.1014\"", "\"firmware_stored\": \"28.44.1036\"", "L6", PF0, "warning",
      "28.43.1014 runs and 28.44.1036 is stored", "mstfwreset")
FAULT(the_kernel_lacks_the_variant_driver, READY, "\"has_variant_driver\": true", "\"has_variant_driver\": false", "L7", PF0, "failure",
      "kernel does not have the driver that migrates VFs", "depmod -a")
FAULT(the_pf_has_another_driver, READY, "\"driver\": \"mlx5_core\"", "\"driver\": \"vfio-pci\"", "L7", PF0, "failure", "its driver is 'vfio-pci'",
      "/sys/bus/pci/drivers/mlx5_core/bind")
FAULT(a_bluefield_3_that_is_not_switched_on, READY, "\"device\": 4129", "\"device\": 41692", "L7", PF0, "failure",
      "it is a BlueField-3, and cards of that kind are not switched on here", NULL)
FAULT(another_processor, READY, "x86_64", "riscv64", "L8", NULL, "failure", "the processor is riscv64", NULL)
FAULT(the_eswitch_cannot_be_switched, FRESH, "\"uplink_addresses\": 0", "\"uplink_addresses\": 1", "S1", PF0, "failure",
      "switching it would take the carrier of enp129s0f0np0 for seconds: enp129s0f0np0 has an address of this host", NULL)
FAULT(sriov_is_off_in_the_card, FRESH, "\"total_vfs\": 8", "\"total_vfs\": 0", "S2", PF0, "failure", "SR-IOV is off",
      "set SRIOV_EN=1 NUM_OF_VFS=8")
FAULT(an_idle_driver_holds_a_vf, "host-busy.json", "\"host_addresses\": 1", "\"host_addresses\": 0", "S3", PF0, "warning",
      "holds VFs that nobody uses: 0000:81:00.4", "vferry prepare")
FAULT(a_vf_of_the_host_itself_is_left_alone, "host-busy.json", "hostD", "hostD", "S3", PF0, "ok", "these VFs are in use, and vferry leaves them alone: 0000:81:00.4 (enp129s0f0v2 has an address of this host)", NULL)
FAULT(vfs_are_not_migratable, READY, "\"migratable\": true", "\"migratable\": false", "S4", PF0, "warning", "0 of 8 VFs are migratable",
      "vferry prepare --pf " PF0)
FAULT(a_guest_runs_with_a_vf_that_cannot_move, "host-busy.json", "\"migratable\": true", "\"migratable\": false", "S4", PF0, "failure",
      "guests run with VFs that are not migratable: web1, 0000:81:00.2", NULL)
FAULT(open_vswitch_does_not_run, READY, "\"has_ovs\": true,\n \"ovs_trouble\": \"\"", "\"has_ovs\": false, \"ovs_trouble\": \"it does not run\"",
      "S5a", NULL, "failure", "it does not run", "systemctl start openvswitch-switch")
FAULT(offload_is_off, READY, "\"hw_offload\": true", "\"hw_offload\": false", "S5b", NULL, "warning", "hw-offload is not true",
      "ovs-vsctl set Open_vSwitch . other_config:hw-offload=true")
FAULT(idle_flows_leave_early, READY, "\"max_idle\": 300000", "\"max_idle\": 10000", "S5c", NULL, "warning", "max-idle is 10000 ms",
      "other_config:max-idle=300000")
FAULT(the_bridge_is_missing, READY, "{\n    \"name\": \"br-vferry\"", "{\n    \"name\": \"br-other\"", "S5d", NULL, "warning",
      "there is no bridge br-vferry", "ovs-vsctl --may-exist add-br br-vferry")
FAULT(a_port_has_failed, READY, "\"ofport\": 1,\n    \"error\": \"\"", "\"ofport\": -1, \"error\": \"could not open network device\"", "S5e", NULL,
      "warning", "could not open network device", "ovs-vsctl del-port br-vferry enp129s0f0np0")

/* The ready host with its uplink elsewhere: in what bridge, and what is in br-vferry in its place. */
static const char *moved(const char *bridge, const char *instead)
{
	char uplink[64], port[64];

	snprintf(uplink, sizeof(uplink), "\"uplink_bridge\": \"%s\"", bridge);
	snprintf(port, sizeof(port), "\"name\": \"%s\"", instead);
	return changed(READY, "\"uplink_bridge\": \"br-vferry\"", uplink, "\"name\": \"enp129s0f0np0\"", port, NULL);
}

TEST(the_uplink_is_in_no_bridge)
{
	expect(moved("", "vnet9"), &(struct expected){ "S5f", PF0, "warning", "enp129s0f0np0 is in no bridge", "vferry prepare --pf " PF0 });
}

TEST(the_uplink_is_in_another_bridge)
{
	expect(moved("br-ext", "vnet9"),
	       &(struct expected){ "S5f", PF0, "ok", "enp129s0f0np0 is in bridge br-ext, and vferry.conf says bridge = br-vferry", NULL });
}

TEST(the_bridge_reaches_the_network_by_another_device)
{
	expect(moved("", "eno1\", \"leads\": \"eno1"),
	       &(struct expected){ "S5f", PF0, "failure", "bridge br-vferry reaches the network by eno1 already", NULL });
}

TEST(the_bridge_has_the_datapath_of_user_space)
{
	expect(changed(READY, "\"datapath_type\": \"\"", "\"datapath_type\": \"netdev\"", NULL),
	       &(struct expected){ "S5f", PF0, "failure", "bridge br-vferry has the datapath of user space", NULL });
}

FAULT(a_guest_has_no_link, "host-busy.json", "\"representor_up\": true", "\"representor_up\": false", "S5g", PF0, "failure",
      "the representor enp129s0f0r0 of guest web1 is down", "ip link set dev enp129s0f0r0 up")
FAULT(a_guest_is_in_no_bridge, "host-busy.json", "\"representor_up\": true,\n     \"bridge\": \"br-vferry\"", "\"representor_up\": true, \"bridge\": \"\"",
      "S5g", PF0, "failure", "the representor enp129s0f0r0 of guest web1 is in no bridge", "ovs-vsctl --may-exist add-port br-vferry enp129s0f0r0")
FAULT(two_guests_here_have_one_mac, "host-busy.json", "52:54:00:aa:bb:02", "52:54:00:aa:bb:01", "MAC", NULL, "failure",
      "guest web1 here and guest db1 here have one MAC, 52:54:00:aa:bb:01", NULL)
FAULT(each_guest_has_a_mac_of_its_own, "host-busy.json", "52:54:00:aa:bb:02", "52:54:00:aa:bb:03", "MAC", NULL, "ok", "no two guests here", NULL)
FAULT(all_slots_are_taken, "host-busy.json", "\"job\": \"\"", "\"job\": \"migration out\"", "L4", PF0, "ok", "3 of 4 VFs are in live migration", NULL)

TEST(open_vswitch_is_not_installed)
{
	expect(changed(READY, "\"has_ovs\": true", "\"has_ovs\": false", "\"has_openvswitch\": true", "\"has_openvswitch\": false", NULL),
	       &(struct expected){ "P4", NULL, "failure", "is not installed", "apt-get install openvswitch-switch" });
}

/* ---- With a guest, and beside another host ------------------------------------------------------------------------------------- */

/* The guest of data/command at a VF of this host, and otherwise changed. */
#define HERE "bus='0xc1'", "bus='0x81'"

/* Checks a guest on one recorded host beside another. */
static void expect_guest(const char *host, const char *guest, const char *other, const struct expected *e)
{
	struct command_result r = call_command(&command_check, NULL, "--inventory", host, "--json", "--settings", "/nonexistent/vferry.conf",
					       guest ? "--domain" : "--against", guest ? guest : other, guest && other ? "--against" : NULL, other,
					       NULL);
	struct json_object *json = json_tokener_parse(r.out), *checks, *found = NULL;

	if (!json)
		FAIL("no JSON: %s%s", r.out, r.err);
	checks = json_object_object_get(json, "checks");
	for (size_t i = 0; i < json_object_array_length(checks); i++) {
		struct json_object *result = json_object_array_get_idx(checks, i);

		if (strcmp(text(result, "id"), e->id) == 0 && strcmp(text(result, "name"), e->object) == 0 && !found)
			found = result;
	}
	if (!found)
		FAIL("no result %s %s", e->id, e->object);
	CHECK_STR(text(found, "state"), e->state);
	CHECK_CONTAINS(text(found, "found"), e->found);
	if (e->mend)
		CHECK_CONTAINS(text(found, "mend"), e->mend);
	json_object_put(json);
}

TEST(a_guest_that_can_move_is_all_right)
{
	static const struct expected all[] = {
		{ "P10", "machine and CPU", "ok", "machine pc-q35-10.0, CPU custom Skylake-Server", NULL },
		{ "P11", "disks", "ok", "other hosts can reach them", NULL },
		{ "L2", "no vIOMMU", "ok", "no vIOMMU", NULL },
		{ "L4", "guest alone", "ok", "fit into its slots", NULL },
		{ "L5", "passport", "ok", "PSID and firmware of the source are known", NULL },
		{ "V3", "memory", "ok", "4096 MiB", NULL },
		{ "V4", "the guest's VFs", "ok", "1 VF, each of a PF that can move it", NULL },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		expect_guest(recorded(READY), changed("guest.xml", HERE, NULL), NULL, &all[i]);
}

/* A test: a guest with "from" made "to", on a prepared host. */
#define GUEST_FAULT(test_name, from, to, ...)                                                                   \
	TEST(test_name)                                                                                         \
	{                                                                                                       \
		expect_guest(recorded(READY), changed("guest.xml", HERE, from, to, NULL), NULL,                 \
			     &(struct expected){ __VA_ARGS__ });                                                \
	}

GUEST_FAULT(a_guest_with_a_viommu, "</devices>", "<iommu model='virtio'/></devices>", "L2", "no vIOMMU", "failure",
	    "the guest has a vIOMMU (model 'virtio')", NULL)
GUEST_FAULT(a_guest_with_the_hosts_own_cpu, "mode='custom'", "mode='host-passthrough'", "P10", "machine and CPU", "warning",
	    "host-passthrough", NULL)
GUEST_FAULT(a_guest_without_a_passport, "urn:vferry:passport:1", "urn:vferry:passport:none", "L5", "passport", "warning",
	    "PSID and firmware of the source are unknown", NULL)
GUEST_FAULT(a_guest_with_a_vlan, "</source>\n    </interface>", "</source><vlan><tag id='42'/></vlan></interface>", "V2", "no <vlan>", "failure",
	    "which a VF of an eswitch in switchdev mode does not take", NULL)
GUEST_FAULT(a_guest_that_may_not_lock_its_memory, "<vcpu>", "<memtune><hard_limit unit='KiB'>4194304</hard_limit></memtune><vcpu>", "V3", "memory",
	    "warning", "hard_limit is 4096 MiB", "virsh memtune --domain guest1 --hard-limit 5242880 --config")
#define MODEL "<model fallback='forbid'>Skylake-Server</model>"
GUEST_FAULT(a_guest_with_several_cpu_threads, MODEL, MODEL "<topology sockets='2' dies='1' cores='1' threads='2'/>", "V9", "CPU threads", "warning",
	    "libvirt 11.3.0 with QEMU 10.0.2 may refuse it when it arrives (\"extra features: ht\"): it has 2 CPU threads in a socket", NULL)
GUEST_FAULT(a_guest_with_several_cores, MODEL, MODEL "<topology sockets='1' dies='1' cores='4' threads='1'/>", "V9", "CPU threads", "warning",
	    "it has 4 CPU threads in a socket", NULL)
GUEST_FAULT(a_guest_with_sockets_alone, MODEL, MODEL "<topology sockets='4' dies='1' cores='1' threads='1'/>", "V9", "CPU threads", "ok", "libvirt 11.3.0", NULL)
GUEST_FAULT(a_guest_with_a_block_device, "<disk type='network' device='disk'>\n      <source protocol='rbd' name='pool/guest1'/>",
	    "<disk type='block' device='disk'><source dev='/dev/vg/guest1'/>", "P11", "disks", "unknown", "/dev/vg/guest1, is on a block device", NULL)

/* A test: a guest with several CPU threads on a prepared host whose libvirt, or QEMU, is another. */
#define THREADS_HOST(test_name, from, to, ...)                                                                                  \
	TEST(test_name)                                                                                                         \
	{                                                                                                                       \
		expect_guest(changed(READY, from, to, NULL), changed("guest.xml", HERE, MODEL, MODEL "<topology cores='2' threads='2'/>", NULL), \
			     NULL, &(struct expected){ __VA_ARGS__ });                                                          \
	}

THREADS_HOST(libvirt_11_10_takes_cpu_threads, "11.3.0", "11.10.0", "V9", "CPU threads", "ok", "libvirt 11.10.0 takes it", NULL)
THREADS_HOST(libvirt_11_9_does_not, "11.3.0", "11.9.0", "V9", "CPU threads", "warning", "libvirt 11.9.0 with QEMU 10.0.2", NULL)
THREADS_HOST(an_older_qemu_shows_no_ht, "\"10.0.2\"", "\"9.2.4\"", "V9", "CPU threads", "ok", "libvirt 11.3.0", NULL)

FAULT(libvirt_that_crashes_at_a_hostdev_network, READY, "11.3.0", "12.1.0", "V9", NULL, "warning", "libvirt 12.1.0 crashes", NULL)
FAULT(libvirt_12_2_does_not_crash, READY, "11.3.0", "12.2.0", "V9", NULL, "ok", "libvirt 12.2.0 has no fault that vferry knows", NULL)

/* Checks the host with guests beside the same one, where each guest has another uuid and db1 another MAC than here. */
static struct json_object *check_beside(const char *mac, struct command_result *r)
{
	const char *other = changed("host-busy.json", "hostD", "hostE", "11111111-2222-3333-4444-00", "99999999-2222-3333-4444-00",
				    "52:54:00:aa:bb:01", "52:54:00:aa:cc:01", "52:54:00:aa:bb:02", mac, NULL);

	*r = call_command(&command_check, NULL, "--json", "--inventory", recorded("host-busy.json"), "--against", other, "--settings",
			  "/nonexistent/vferry.conf", NULL);
	return json_tokener_parse(r->out);
}

TEST(a_guest_there_that_has_a_mac_of_one_here_is_named)
{
	struct command_result r;
	struct json_object *json = check_beside("52:54:00:aa:bb:01", &r), *result = find(json, "MAC", NULL);

	CHECK_STR(text(result, "state"), "failure");
	CHECK_CONTAINS(text(result, "found"), "guest web1 here and guest db1 on hostE have one MAC, 52:54:00:aa:bb:01");
	json_object_put(json);
	json = check_beside("52:54:00:aa:cc:02", &r);
	CHECK_STR(text(find(json, "MAC", NULL), "state"), "ok");
	json_object_put(json);
}

TEST(a_guest_whose_vf_is_elsewhere)
{
	expect_guest(recorded(READY), recorded("guest.xml"), NULL,
		     &(struct expected){ "V4", "the guest's VFs", "failure", "0000:c1:00.3: it is not a VF of this host", NULL });
}

TEST(without_a_guest_its_lines_say_how_to_name_one)
{
	CHECK_CONTAINS(call_command(&command_check, NULL, "--inventory", recorded(READY), NULL).out, "name a guest: vferry check GUEST");
}

/* A test: a guest on a prepared host beside the same host with "from" made "to". */
#define PAIR_FAULT(test_name, from, to, ...)                                                                                     \
	TEST(test_name)                                                                                                          \
	{                                                                                                                        \
		expect_guest(recorded(READY), changed("guest.xml", HERE, NULL), changed(READY, "hostB", "hostE", from, to, NULL), \
			     &(struct expected){ __VA_ARGS__ });                                                                 \
	}

PAIR_FAULT(a_guest_can_go_to_a_twin_and_back, "28.43.1014", "28.43.1014", "V5", "there and back", "ok", "can go to hostE, and back", NULL)
PAIR_FAULT(another_psid, "MT_0000000834", "MT_0000000999", "L5", "same PSID", "failure", "PSID MT_0000000834 here, MT_0000000999 on hostE", NULL)
PAIR_FAULT(another_psid_stops_the_guest, "MT_0000000834", "MT_0000000999", "V5", "there and back", "failure", "cannot go there", NULL)
PAIR_FAULT(newer_firmware_there, "28.43.1014", "28.44.1036", "L6", "same firmware", "failure", "firmware 28.43.1014 here, 28.44.1036 on hostE",
	   "mstflint -d " PF0 " -i IMAGE burn")
PAIR_FAULT(the_same_mtu_there, "28.43.1014", "28.43.1014", "MTU", "same MTU", "ok", "the MTU of the uplinks is 9000", NULL)
PAIR_FAULT(a_smaller_mtu_there, "\"uplink_mtu\": 9000", "\"uplink_mtu\": 1500", "MTU", "same MTU", "warning",
	   "the MTU of enp129s0f0np0 is 9000, and on hostE that of enp129s0f0np0 is 1500", "ssh hostE ip link set dev enp129s0f0np0 mtu 9000")
PAIR_FAULT(a_larger_mtu_there, "\"uplink_mtu\": 9000", "\"uplink_mtu\": 9216", "MTU", "same MTU", "warning", "that of enp129s0f0np0 is 9216",
	   "ip link set dev enp129s0f0np0 mtu 9216")
PAIR_FAULT(another_maker_of_processors, "GenuineIntel", "AuthenticAMD", "P10", "processors", "failure", "AuthenticAMD on hostE", NULL)
PAIR_FAULT(another_model_of_processor, "Gold 6430", "Gold 5420", "P10", "processors", "warning", "Gold 5420", NULL)
PAIR_FAULT(an_older_qemu_there, "\"qemu\": \"10.0.2\"", "\"qemu\": \"8.2.0\"", "P10", "versions", "warning", "QEMU 10.0.2 here, 8.2.0 on hostE", NULL)
PAIR_FAULT(no_open_vswitch_there, "\"has_ovs\": true", "\"has_ovs\": false", "S6", "other host ready", "failure", "has no Open vSwitch that runs",
	   "ssh hostE vferry check")

TEST(a_guest_that_cannot_come_back_is_told_before_it_goes)
{
	/* Here all of its PF's slots are taken by others; its own VF counts as free, but there is no slot for it. */
	expect_guest(changed("host-busy.json", "\"job\": \"\"", "\"job\": \"migration out\"", "\"devices\": [\n    \"0000:81:00.2\"",
			     "\"devices\": [ \"0000:81:00.2\", \"0000:81:00.7\"", NULL), changed("guest.xml", HERE, NULL), recorded(READY),
		     &(struct expected){ "V5", "there and back", "warning", "can go there, but not come back", NULL });
}

TEST(a_fresh_host_there_is_prepared_by_its_hook)
{
	expect_guest(recorded(READY), NULL, recorded(FRESH), &(struct expected){ "S6", "other host ready", "warning",
										 "hostA is not prepared",
		     "ssh hostA vferry prepare --yes" });
}

TEST(a_host_that_cannot_be_asked_is_named_with_what_can)
{
	struct command_result r = call_command(&command_check, NULL, "--inventory", recorded(READY), "--against", "qemu+tls://hostE/system",
					       NULL);

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK_CONTAINS(r.err, "qemu+tls://hostE/system: such a host cannot be asked; name it by ssh://HOST");
}

TEST(a_host_without_a_card_is_one_line)
{
	struct command_result r = check(recorded("host-no-card.json"));

	CHECK_INT(r.status, COMMAND_NOT_READY);
	CHECK(!*r.out || strstr(r.out, "\"verdict\": \"refused\""));
	CHECK_STR(r.err, "vferry: hostC has no ConnectX-7\n");
}

TEST(what_only_root_may_read_is_unknown_and_no_failure)
{
	struct command_result r = check(changed(FRESH, "\"mode\": \"legacy\"", "\"mode\": \"unknown\"", "\"seen_by_root\": true",
						"\"seen_by_root\": false",
						"\"has_ovs\": true", "\"has_ovs\": false", NULL));
	struct json_object *json = json_tokener_parse(r.out);

	CHECK_STR(text(find(json, "S1", PF0), "state"), "unknown");
	CHECK_STR(text(find(json, "S5a", NULL), "state"), "unknown");
	CHECK_INT(r.status, COMMAND_OK);
	json_object_put(json);
}

TEST(a_person_reads_state_why_and_mend_in_80_columns)
{
	struct command_result r = call_command(&command_check, NULL, "--inventory", changed(READY, "\"hw_offload\": true",
											    "\"hw_offload\": false", NULL),
					       NULL);

	CHECK_CONTAINS(r.out, "S5b  hw-offload        WARNING hw-offload is not true\n");
	CHECK_CONTAINS(r.out, "     why:  without it every frame goes through the host's processor\n");
	CHECK_CONTAINS(r.out, "     mend: ovs-vsctl set Open_vSwitch . other_config:hw-offload=true\n");
	CHECK(widest_line(r.out) <= 80);
}

TEST(nothing_is_coloured_where_no_terminal_is)
{
	CHECK(!strchr(call_command(&command_check, NULL, "--inventory", recorded(READY), NULL).out, '\033'));
}

/* One row about a recorded host that is taken for this one. Returns what it finds. */
static struct finding look(const struct check_row *rows, const char *name, const char *host, struct check_case *c)
{
	static struct config config;
	static struct view view;
	struct finding f = { .state = STATE_NONE };
	struct reason why = { 0 };
	char *text = CHECK_DATA("data/command/host-ready.json", NULL);

	config_defaults(&config);
	if (view_parse(text, host, &config, &view, &why))
		FAIL("%s", why.what);
	view.is_recorded = false;
	view.facts.seen_by_root = true;
	c->config = &config;
	c->view = &view;
	c->pf = &view.scene.inventory.pf[0];
	for (const struct check_row *row = rows; row->id; row++) {
		if (strcmp(row->name, name) == 0)
			row->look(c, &f);
	}
	free(text);
	view_release(&view);
	return f;
}

TEST(a_host_that_is_not_as_it_was_prepared)
{
	struct prepared prepared = { .pfs = 1, .pf[0] = { .vfs = 4, .bridge = "br-other" } };
	struct check_case c = { .prepared = &prepared };
	struct finding f;

	CHECK_INT(pci_address_parse("0000:81:00.0", &prepared.pf[0].pf), 0);
	f = look(check_rows_kept, "kept", "h", &c);
	CHECK_INT(f.state, STATE_WARNING);
	CHECK_CONTAINS(f.found, "not as vferry prepare made it, since it lacks: 0000:81:00.0: sriov_numvfs 4");
	CHECK_STR(f.mend, "vferry prepare --boot host");
	CHECK_INT(pci_address_parse("0000:99:00.0", &prepared.pf[0].pf), 0);
	f = look(check_rows_kept, "kept", "h", &c);
	CHECK_CONTAINS(f.found, "0000:99:00.0 is gone");
	prepared.pfs = 0;
	f = look(check_rows_kept, "kept", "h", &c);
	CHECK_INT(f.state, STATE_NONE);
	CHECK_CONTAINS(f.found, "vferry prepare was not called here");
}

TEST(what_vfio_says_of_a_vf)
{
	static const struct {
		bool was_asked;
		int flags;
		enum state state;
		const char *found;
	} cases[] = {
		{ false, 0, STATE_NONE, "would have to be taken by mlx5_vfio_pci" },
		{ true, VFIO_STOP_COPY | VFIO_P2P | VFIO_PRE_COPY, STATE_OK, "VF 0000:81:00.4 offers stop-copy, P2P, pre-copy" },
		{ true, VFIO_STOP_COPY, STATE_OK, "offers stop-copy" },
		{ true, 0, STATE_FAILURE, "offers no migration feature" },
		{ true, -EBUSY, STATE_UNKNOWN, "could not be asked: Device or resource busy" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vfio_answer vfio = { .was_asked = cases[i].was_asked, .flags = cases[i].flags };
		struct check_case c = { .vfio = &vfio };
		struct finding f;

		CHECK_INT(pci_address_parse("0000:81:00.4", &vfio.vf), 0);
		f = look(check_rows_card, "VFIO", "h", &c);
		CHECK_INT(f.state, cases[i].state);
		CHECK_CONTAINS(f.found, cases[i].found);
	}
}
