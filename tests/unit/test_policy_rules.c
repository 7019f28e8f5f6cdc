/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_policy_rules.c: the limits, the VFs that count as ours, and what must not be disturbed.
 */
#include "policy_host.h"

#include "policy/disturb.h"

#define PSID "MT_0000000834"

TEST(firmware_is_compared_number_by_number)
{
	CHECK(firmware_compare("28.41.1000", "28.36.1010") > 0);
	CHECK(firmware_compare("28.9.1000", "28.36.1010") < 0);
	CHECK(firmware_compare("28.36.1010", "28.36.1010") == 0);
	CHECK(firmware_compare("28.36.0999", "28.36.999") == 0);
	CHECK(firmware_compare("28.36", "28.36.1") < 0);
	CHECK(firmware_compare("", "28") < 0);
}

TEST(a_vf_with_a_passport_is_carried_whatever_its_source_address)
{
	struct policy_host *h = host_new();

	guest_add(h, "0000:c1:00.2", PSID);
	CHECK_INT(guest_find(h, NULL), 0);
	CHECK_INT(h->guest.vfs, 1);
	CHECK(h->guest.vf[0].has_source_pf);
	free(h);
}

TEST(a_device_whose_address_would_be_a_vf_here_is_carried_without_a_passport)
{
	struct policy_host *h = host_new();

	guest_add(h, "0000:81:00.4", NULL);
	CHECK_INT(guest_find(h, NULL), 0);
	CHECK_INT(h->guest.vfs, 1);
	free(h);
}

TEST(a_device_that_nothing_identifies_keeps_its_address_by_default)
{
	struct policy_host *h = host_new();

	guest_add(h, "0000:3b:00.0", NULL);
	h->present[0] = true;
	CHECK_INT(guest_find(h, NULL), 0);
	CHECK_INT(h->guest.vfs, 0);
	free(h);
}

TEST(a_device_that_must_keep_an_address_this_host_does_not_have_is_refused)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	guest_add(h, "0000:3b:00.0", NULL);
	CHECK_INT(guest_find(h, &why), -ENODEV);
	CHECK_STR(why.object, "0000:3b:00.0");
	CHECK_CONTAINS(why.what, "none at that address");
	h->config.without_passport = WITHOUT_IGNORE;
	CHECK_INT(guest_find(h, NULL), 0);
	CHECK_INT(h->guest.vfs, 0);
	free(h);
}

TEST(a_device_that_nothing_identifies_is_refused_when_the_configuration_says_so)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	h->config.without_passport = WITHOUT_REFUSE;
	guest_add(h, "0000:3b:00.0", NULL);
	CHECK_INT(guest_find(h, &why), -EPERM);
	CHECK_STR(why.object, "0000:3b:00.0");
	CHECK_CONTAINS(why.what, "neither a passport nor its address");
	CHECK_CONTAINS(why.cure, "without_passport");
	free(h);
}

TEST(any_carries_an_unidentified_interface_but_no_plain_hostdev)
{
	struct policy_host *h = host_new();

	h->config.without_passport = WITHOUT_ANY;
	guest_add(h, "0000:3b:00.0", NULL);
	guest_add(h, "0000:5e:00.0", NULL)->kind = HOSTDEV_PLAIN;
	CHECK_INT(guest_find(h, NULL), 0);
	CHECK_INT(h->guest.vfs, 1);
	CHECK_INT(h->guest.vf[0].hostdev, 0);
	free(h);
}

TEST(a_vf_of_another_make_is_never_touched)
{
	struct policy_host *h = host_new();

	h->inventory.pf[0].card = *card_find(0x15b3, 0x101d);
	guest_add(h, "0000:81:00.2", NULL);
	CHECK_INT(guest_find(h, NULL), 0);
	CHECK_INT(h->guest.vfs, 0);
	free(h);
}

TEST(any_viommu_is_refused_with_its_model)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	guest_add(h, "0000:c1:00.2", PSID);
	h->domain.has_iommu = true;
	strcpy(h->domain.iommu_model, "intel");
	CHECK_INT(guest_find(h, NULL), 0);
	CHECK_INT(guest_judge(h, &why), -EPERM);
	CHECK_STR(why.rule, "L2-viommu");
	CHECK_CONTAINS(why.what, "vIOMMU (model 'intel')");
	CHECK_CONTAINS(why.cure, "<iommu>");
	free(h);
}

TEST(five_vfs_of_one_pf_are_refused_and_four_are_not)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	for (int i = 0; i < 4; i++)
		guest_add(h, "0000:c1:00.2", PSID);
	CHECK_INT(guest_find(h, NULL), 0);
	CHECK_INT(guest_judge(h, &why), 0);
	guest_add(h, "0000:c1:00.3", PSID);
	CHECK_INT(guest_find(h, NULL), 0);
	CHECK_INT(guest_judge(h, &why), -EPERM);
	CHECK_STR(why.rule, "L4-guest-alone");
	CHECK_STR(why.object, "0000:c1:00.0");
	CHECK_CONTAINS(why.what, "5 VFs of one PF");
	free(h);
}

TEST(five_vfs_of_two_pfs_are_allowed)
{
	struct policy_host *h = host_new();

	for (int i = 0; i < 5; i++)
		guest_add(h, "0000:c1:00.2", PSID);
	h->domain.passport.vf[4].pf = address_of("0000:c1:00.1");
	CHECK_INT(guest_find(h, NULL), 0);
	CHECK_INT(guest_judge(h, NULL), 0);
	free(h);
}

TEST(a_vlan_on_the_interface_is_refused)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	guest_add(h, "0000:c1:00.2", PSID)->has_vlan = true;
	CHECK_INT(guest_find(h, NULL), 0);
	CHECK_INT(guest_judge(h, &why), -EPERM);
	CHECK_CONTAINS(why.what, "<vlan>");
	free(h);
}

TEST(an_unknown_source_is_refused_only_when_the_configuration_says_so)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	guest_add(h, "0000:81:00.2", NULL);
	CHECK_INT(guest_find(h, NULL), 0);
	CHECK_INT(guest_judge(h, &why), 0);
	h->config.unknown_source = SEVERITY_REFUSE;
	CHECK_INT(guest_judge(h, &why), -EPERM);
	CHECK_STR(why.rule, "L5-L6-unknown-source");
	free(h);
}

TEST(a_host_without_open_vswitch_driver_or_iommu_is_refused)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	guest_add(h, "0000:c1:00.2", PSID);
	CHECK_INT(guest_find(h, NULL), 0);
	h->inventory.has_ovs = false;
	strcpy(h->inventory.ovs_trouble, "Open vSwitch does not run");
	CHECK_INT(guest_judge(h, &why), -EPERM);
	CHECK_CONTAINS(why.what, "does not run");
	h->inventory.has_variant_driver = false;
	CHECK_INT(guest_judge(h, &why), -EPERM);
	CHECK_STR(why.object, "mlx5_vfio_pci");
	h->inventory.has_iommu = false;
	CHECK_INT(guest_judge(h, &why), -EPERM);
	CHECK_CONTAINS(why.cure, "intel_iommu=on");
	free(h);
}

TEST(a_host_without_the_card_says_so_before_anything_else)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	guest_add(h, "0000:c1:00.2", PSID);
	CHECK_INT(guest_find(h, NULL), 0);
	h->inventory.pfs = 0;
	h->inventory.has_iommu = h->inventory.has_ovs = false;
	CHECK_INT(guest_judge(h, &why), -EPERM);
	CHECK_STR(why.rule, "L7-any-card");
	CHECK_CONTAINS(why.what, "no card whose VFs can be live-migrated");
	free(h);
}

TEST(a_card_that_cannot_migrate_is_named)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	guest_add(h, "0000:c1:00.2", PSID);
	CHECK_INT(guest_find(h, NULL), 0);
	h->inventory.pfs = 1;
	h->inventory.pf[0].card = *card_find(0x15b3, 0x101d);
	CHECK_INT(guest_judge(h, &why), -EPERM);
	CHECK_CONTAINS(why.what, "PF 0000:81:00.0: it is a ConnectX-6 Dx");
	free(h);
}

TEST(postcopy_is_told_by_the_flags_of_an_incoming_job_only)
{
	struct status status = { .job = STATUS_MIGRATION_IN, .flags = 0x8003 };
	struct reason why = { 0 };

	CHECK_INT(rules_judge_flags(&status, &why), -EPERM);
	CHECK_STR(why.rule, "L1-postcopy");
	CHECK_CONTAINS(why.cure, "without --postcopy");
	status.flags = 0x3;
	CHECK_INT(rules_judge_flags(&status, &why), 0);
	status.flags = 0x8003;
	status.job = STATUS_MIGRATION_OUT;
	CHECK_INT(rules_judge_flags(&status, &why), 0);
}

TEST(every_rule_has_a_name_and_says_what_it_looks_at)
{
	for (const struct guest_rule *rule = guest_rules(); rule->name; rule++)
		CHECK(*rule->name && *rule->looks_at && rule->judge);
	for (const struct pf_rule *rule = pf_rules(); rule->name; rule++)
		CHECK(*rule->name && *rule->looks_at && rule->judge);
}

TEST(a_switch_of_mode_is_refused_while_a_driver_holds_a_vf)
{
	struct policy_host *h = host_new();
	struct inventory_pf *pf = &h->inventory.pf[0];
	struct reason why = { 0 };

	pf->num_vfs = 2;
	CHECK_INT(disturb_eswitch(&h->inventory, pf, &why), 0);
	strcpy(pf->vf[1].driver, "mlx5_vfio_pci");
	CHECK_INT(disturb_eswitch(&h->inventory, pf, &why), -EBUSY);
	CHECK_CONTAINS(why.what, "0000:81:00.3");
	CHECK_CONTAINS(why.what, "mlx5_vfio_pci");
	pf->mode = ESWITCH_SWITCHDEV;
	CHECK_INT(disturb_eswitch(&h->inventory, pf, &why), 0);
	free(h);
}

TEST(a_switch_of_mode_is_refused_in_a_bond_and_under_an_address)
{
	struct policy_host *h = host_new();
	struct inventory_pf *pf = &h->inventory.pf[0];
	struct reason why = { 0 };

	strcpy(pf->uplink_master, "bond0");
	strcpy(pf->uplink_master_kind, "bond");
	CHECK_INT(disturb_eswitch(&h->inventory, pf, &why), -EBUSY);
	CHECK_CONTAINS(why.what, "bond0");
	*pf->uplink_master = *pf->uplink_master_kind = '\0';
	pf->uplink_addresses = 1;
	CHECK_INT(disturb_eswitch(&h->inventory, pf, &why), -EBUSY);
	CHECK_CONTAINS(why.what, "enp129s0f0np0");
	free(h);
}

TEST(a_switch_of_mode_is_refused_when_the_uplink_serves_other_ports_of_its_bridge)
{
	struct policy_host *h = host_new();
	struct inventory_pf *pf = &h->inventory.pf[0];
	struct ovs_port port = { .name = "vnet0", .bridge = "br-vferry", .ofport = 3 };
	struct reason why = { 0 };

	strcpy(pf->uplink_bridge, "br-vferry");
	h->inventory.ovs.port = &port;
	h->inventory.ovs.ports = 1;
	CHECK_INT(disturb_eswitch(&h->inventory, pf, &why), -EBUSY);
	CHECK_CONTAINS(why.what, "vnet0");
	port.ofport = -1;
	CHECK_INT(disturb_eswitch(&h->inventory, pf, &why), 0);
	free(h);
}

TEST(an_uplink_with_the_default_route_is_never_plugged)
{
	struct policy_host *h = host_new();
	struct inventory_pf *pf = &h->inventory.pf[0];
	struct reason why = { 0 };

	pf->uplink_default_route = true;
	CHECK_INT(disturb_uplink(&h->config, &h->inventory, pf, "br-vferry", &why), -EBUSY);
	CHECK_CONTAINS(why.what, "default route");
	free(h);
}

TEST(a_second_uplink_in_one_bridge_is_refused_as_a_loop)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	strcpy(h->inventory.pf[1].uplink_bridge, "br-vferry");
	CHECK_INT(disturb_uplink(&h->config, &h->inventory, &h->inventory.pf[0], "br-vferry", &why), -EBUSY);
	CHECK_CONTAINS(why.what, "loop");
	CHECK_INT(disturb_uplink(&h->config, &h->inventory, &h->inventory.pf[1], "br-vferry", &why), 0);
	free(h);
}

TEST(an_uplink_in_another_bridge_stays_there)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	strcpy(h->inventory.pf[0].uplink_bridge, "br-ex");
	CHECK_INT(disturb_uplink(&h->config, &h->inventory, &h->inventory.pf[0], "br-vferry", &why), -EBUSY);
	CHECK_CONTAINS(why.what, "br-ex");
	free(h);
}

