/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_policy_rules.c: the limits, the VFs that count as ours, and what must not be disturbed.
 */
#include "policy_host.h"

#include "policy/disturb.h"

#define PSID "MT_0000000834"

/* The last warning of a judgement; all zero if there was none. */
static struct reason warned;

static void keep_warning(const struct reason *why, void *arg)
{
	(void)arg;
	warned = *why;
}

/* Judges the guest as an incoming one, and keeps the warning. */
static int guest_judge(struct policy_host *h, struct reason *why)
{
	struct rule_case c = { .config = &h->config, .domain = &h->domain, .inventory = &h->inventory, .guest = &h->guest,
			       .incoming = true };

	warned = (struct reason){ 0 };
	return rules_judge_guest(&c, keep_warning, NULL, why);
}

/* Judges PF 0 for the guest's first VF as for an incoming guest, and keeps the warning. */
static int pf_judge(struct policy_host *h, struct reason *why)
{
	struct rule_case c = { .config = &h->config, .inventory = &h->inventory, .incoming = true, .pf = &h->inventory.pf[0],
			       .vf = &h->guest.vf[0] };

	warned = (struct reason){ 0 };
	return rules_judge_pf(&c, keep_warning, NULL, why);
}

/* Judges by the rule "network" whether a PF's VFs reach the bridge of the configuration. Return: 0, -EBUSY. */
static int network_judge_by_rule(struct policy_host *h, const struct inventory_pf *pf, struct reason *why)
{
	struct guest_vf vf = { .bridge = "br-vferry" };
	struct rule_case c = { .config = &h->config, .inventory = &h->inventory, .pf = pf, .vf = &vf };

	return rules_judge_by(rules_find("network"), &c, why) == VERDICT_PASS ? 0 : -EBUSY;
}

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
	CHECK_INT(guest_find(h, NULL), 0);
	CHECK_INT(h->guest.vfs, 0);
	free(h);
}

TEST(a_device_that_this_host_does_not_have_is_none_of_vferrys_business)
{
	struct policy_host *h = host_new();

	guest_add(h, "0000:3b:00.0", NULL);
	CHECK_INT(guest_find(h, NULL), 0);
	CHECK_INT(h->guest.vfs, 0);
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

	guest_add(h, "0000:c1:00.2", PSID)->extras = EXTRA_VLAN;
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
	CHECK_STR(warned.rule, "L5-L6-unknown-source");
	CHECK_STR(warned.object, "0000:81:00.2");
	CHECK_STR(warned.what, "PSID and firmware of the source are unknown: neither the guest's passport nor [peer] in vferry.conf tells");
	CHECK_CONTAINS(warned.cure, "vferryd on the source");
	CHECK_CONTAINS(warned.cure, "[peer]");
	h->config.unknown_source = SEVERITY_REFUSE;
	CHECK_INT(guest_judge(h, &why), -EPERM);
	CHECK_STR(why.rule, "L5-L6-unknown-source");
	h->config.unknown_source = SEVERITY_ALLOW;
	CHECK_INT(guest_judge(h, &why), 0);
	CHECK_STR(warned.rule, "");
	free(h);
}

TEST(a_passport_that_tells_only_a_part_leaves_the_rest_unknown)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	guest_add(h, "0000:c1:00.2", PSID);
	h->domain.passport.vf[0].firmware[0] = '\0';
	h->config.unknown_source = SEVERITY_REFUSE;
	CHECK_INT(guest_find(h, NULL), 0);
	CHECK_INT(guest_judge(h, &why), -EPERM);
	CHECK_CONTAINS(why.what, "the firmware of the source is unknown");
	h->domain.passport.vf[0].psid[0] = '\0';
	strcpy(h->config.peer_firmware, "28.43.1014");
	CHECK_INT(guest_judge(h, &why), -EPERM);
	CHECK_CONTAINS(why.what, "the PSID of the source is unknown");
	strcpy(h->config.peer_psid, PSID);
	CHECK_INT(guest_judge(h, &why), 0);
	free(h);
}

TEST(without_a_passport_the_source_is_what_the_configuration_says_of_all_peers)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	guest_add(h, "0000:81:00.2", NULL);
	CHECK_INT(guest_find(h, NULL), 0);
	h->config.unknown_source = SEVERITY_REFUSE;
	strcpy(h->config.peer_psid, PSID);
	strcpy(h->config.peer_firmware, "28.43.1014");
	CHECK_INT(guest_judge(h, &why), 0);
	CHECK_INT(pf_judge(h, &why), 0);
	strcpy(h->config.peer_psid, "MT_0000000999");
	CHECK_INT(pf_judge(h, &why), -EPERM);
	CHECK_STR(why.rule, "L5-psid");
	CHECK_STR(why.what, "its PSID is MT_0000000834 and the source's is MT_0000000999");
	strcpy(h->config.peer_psid, PSID);
	strcpy(h->config.peer_firmware, "28.44.1000");
	CHECK_INT(pf_judge(h, &why), -EPERM);
	CHECK_STR(why.rule, "L6-same-firmware");
	CHECK_STR(why.what, "its firmware is 28.43.1014 and the source's is 28.44.1000");
	free(h);
}

TEST(a_passport_counts_more_than_what_is_said_of_all_peers)
{
	struct policy_host *h = host_new();

	guest_add(h, "0000:c1:00.2", PSID);
	CHECK_INT(guest_find(h, NULL), 0);
	strcpy(h->config.peer_psid, "MT_0000000999");
	strcpy(h->config.peer_firmware, "28.44.1000");
	CHECK_INT(pf_judge(h, NULL), 0);
	free(h);
}

TEST(an_ordinary_start_is_bound_to_no_source)
{
	struct policy_host *h = host_new();
	struct rule_case c = { .config = &h->config, .inventory = &h->inventory, .pf = &h->inventory.pf[0], .vf = &h->guest.vf[0] };

	guest_add(h, "0000:81:00.2", "MT_0000000999");
	strcpy(h->config.peer_firmware, "28.44.1000");
	CHECK_INT(guest_find(h, NULL), 0);
	CHECK_INT(rules_judge_pf(&c, NULL, NULL, NULL), 0);
	CHECK_INT(pf_judge(h, NULL), -EPERM);
	free(h);
}

TEST(another_psid_and_another_firmware_are_refused_with_both_named)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	guest_add(h, "0000:c1:00.2", "MT_0000000999");
	CHECK_INT(guest_find(h, NULL), 0);
	CHECK_INT(pf_judge(h, &why), -EPERM);
	CHECK_STR(why.rule, "L5-psid");
	CHECK_STR(why.what, "its PSID is MT_0000000834 and the source's is MT_0000000999");
	CHECK_STR(why.cure, "choose a host with the same card");
	strcpy(h->domain.passport.vf[0].psid, PSID);
	strcpy(h->domain.passport.vf[0].firmware, "28.43.1000");
	CHECK_INT(pf_judge(h, &why), -EPERM);
	CHECK_STR(why.rule, "L6-same-firmware");
	CHECK_STR(why.what, "its firmware is 28.43.1014 and the source's is 28.43.1000");
	CHECK_CONTAINS(why.cure, "same version");
	h->inventory.pf[0].info.firmware[0] = '\0';
	CHECK_INT(pf_judge(h, &why), -EPERM);
	CHECK_STR(why.what, "its firmware is unknown and the source's is 28.43.1000");
	free(h);
}

TEST(the_running_firmware_counts_and_not_the_stored_one)
{
	struct policy_host *h = host_new();

	guest_add(h, "0000:c1:00.2", PSID);
	CHECK_INT(guest_find(h, NULL), 0);
	strcpy(h->inventory.pf[0].info.firmware_stored, "28.10.1000");
	CHECK_INT(pf_judge(h, NULL), 0);
	strcpy(h->inventory.pf[0].info.firmware_stored, "28.43.1014");
	strcpy(h->inventory.pf[0].info.firmware, "28.10.1000");
	CHECK_INT(pf_judge(h, NULL), -EPERM);
	free(h);
}

TEST(firmware_below_a_threshold_is_refused_below_another_warned_about)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	guest_add(h, "0000:81:00.2", NULL);
	CHECK_INT(guest_find(h, NULL), 0);
	strcpy(h->inventory.pf[0].info.firmware, "28.36.1009");
	CHECK_INT(pf_judge(h, &why), -EPERM);
	CHECK_STR(why.rule, "L6-old-firmware");
	CHECK_STR(why.what, "its firmware is 28.36.1009, and live migration needs 28.36.1010");
	strcpy(h->inventory.pf[0].info.firmware, "28.9.2000");
	CHECK_INT(pf_judge(h, &why), -EPERM);
	strcpy(h->inventory.pf[0].info.firmware, "28.36.1010");
	CHECK_INT(pf_judge(h, &why), 0);
	CHECK_STR(warned.what, "its firmware is 28.36.1010, and 28.41.1000 or newer is advised for live migration");
	strcpy(h->inventory.pf[0].info.firmware, "28.41.1000");
	CHECK_INT(pf_judge(h, &why), 0);
	CHECK_STR(warned.what, "");
	strcpy(h->config.firmware_refuse_below, "28.42.0");
	CHECK_INT(pf_judge(h, &why), -EPERM);
	CHECK_CONTAINS(why.what, "needs 28.42.0");
	strcpy(h->config.firmware_refuse_below, "0.0.0");
	strcpy(h->config.firmware_warn_below, "28.42.0");
	CHECK_INT(pf_judge(h, &why), 0);
	CHECK_CONTAINS(warned.what, "28.42.0 or newer");
	free(h);
}

TEST(a_bluefield_3_is_used_only_when_it_is_switched_on)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	guest_add(h, "0000:81:00.2", NULL);
	CHECK_INT(guest_find(h, NULL), 0);
	h->inventory.pf[0].card = *card_find(0x15b3, 0xa2dc);
	strcpy(h->inventory.pf[0].info.firmware, "32.43.1014");
	CHECK_INT(pf_judge(h, &why), -EPERM);
	CHECK_STR(why.rule, "L7-card");
	CHECK_STR(why.what, "it is a BlueField-3, and cards of that kind are not switched on here");
	CHECK_STR(why.cure, "set cards = all in vferry.conf, or cards = bluefield-3 to use no others");
	h->config.cards = CARDS_ALL;
	CHECK_INT(pf_judge(h, NULL), 0);
	h->config.cards = CARDS_BLUEFIELD_3;
	CHECK_INT(pf_judge(h, NULL), 0);
	CHECK(!guest_can_use_pf(&h->config, &h->inventory.pf[1]));
	h->config.cards = CARDS_CONNECTX_7;
	strcpy(h->config.pf, "0000:81:00.0");
	CHECK_INT(pf_judge(h, NULL), 0);
	CHECK(!guest_can_use_pf(&h->config, &h->inventory.pf[1]));
	free(h);
}

TEST(firmware_of_a_bluefield_3_has_the_same_thresholds_behind_its_own_first_number)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	guest_add(h, "0000:81:00.2", NULL);
	CHECK_INT(guest_find(h, NULL), 0);
	h->config.cards = CARDS_ALL;
	h->inventory.pf[0].card = *card_find(0x15b3, 0xa2dc);
	strcpy(h->inventory.pf[0].info.firmware, "32.36.1000");
	CHECK_INT(pf_judge(h, &why), -EPERM);
	CHECK_STR(why.what, "its firmware is 32.36.1000, and live migration needs 32.36.1010");
	strcpy(h->inventory.pf[0].info.firmware, "32.39.1000");
	CHECK_INT(pf_judge(h, &why), 0);
	CHECK_CONTAINS(warned.what, "32.41.1000 or newer");
	strcpy(h->inventory.pf[0].info.firmware, "32.41.1000");
	CHECK_INT(pf_judge(h, &why), 0);
	CHECK_STR(warned.what, "");
	free(h);
}

TEST(a_pf_that_is_not_the_configured_one_is_passed_over)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	guest_add(h, "0000:81:00.2", NULL);
	CHECK_INT(guest_find(h, NULL), 0);
	strcpy(h->config.pf, "0000:81:00.1");
	CHECK_INT(pf_judge(h, &why), -EPERM);
	CHECK_STR(why.what, "the configuration says pf = 0000:81:00.1");
	CHECK_CONTAINS(why.cure, "set pf in vferry.conf");
	free(h);
}

TEST(a_card_that_cannot_migrate_stays_so_whatever_the_configuration_says)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	guest_add(h, "0000:c1:00.2", PSID);
	CHECK_INT(guest_find(h, NULL), 0);
	h->config.cards = CARDS_ALL;
	strcpy(h->config.pf, "0000:81:00.0");
	h->inventory.pf[0].card = *card_find(0x15b3, 0x101d);
	CHECK_INT(pf_judge(h, &why), -EPERM);
	CHECK_STR(why.what, "it is a ConnectX-6 Dx, whose VFs cannot be live-migrated");
	CHECK_STR(why.cure, "choose a host with such a card");
	free(h);
}

TEST(a_pf_that_could_not_be_read_or_has_another_driver_is_passed_over)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	guest_add(h, "0000:c1:00.2", PSID);
	CHECK_INT(guest_find(h, NULL), 0);
	strcpy(h->inventory.pf[0].trouble, "devlink does not answer");
	CHECK_INT(pf_judge(h, &why), -EPERM);
	CHECK_STR(why.rule, "pf-readable");
	CHECK_STR(why.what, "devlink does not answer");
	CHECK_CONTAINS(why.cure, "journalctl -k");
	h->inventory.pf[0].trouble[0] = '\0';
	strcpy(h->inventory.pf[0].driver, "vfio-pci");
	CHECK_INT(pf_judge(h, &why), -EPERM);
	CHECK_STR(why.what, "its driver is 'vfio-pci', not mlx5_core");
	strcpy(h->inventory.pf[0].driver, "mlx5_core");
	h->inventory.pf[0].total_vfs = 0;
	CHECK_INT(pf_judge(h, &why), -EPERM);
	CHECK_STR(why.rule, "S2-sriov");
	CHECK_CONTAINS(why.what, "SR-IOV is off");
	CHECK_CONTAINS(why.cure, "NUM_OF_VFS");
	free(h);
}

TEST(taken_slots_are_a_reason_to_wait_and_name_who_has_them)
{
	struct policy_host *h = host_new();
	struct flights flights = { .vfs = 3, .own = 0, .guests = "web1, web2" };
	struct rule_case c = { .config = &h->config, .flights = &flights };
	const struct rule *rule = rules_find("L4-slots");
	struct reason why = { 0 };

	CHECK_INT(rules_judge_by(rule, &c, &why), VERDICT_PASS);
	flights.own = 1;
	CHECK_INT(rules_judge_by(rule, &c, &why), VERDICT_WAIT);
	CHECK_STR(why.what, "its 4 slots for live migration are taken by web1, web2");
	CHECK_STR(why.cure, "try again when other migrations have ended");
	flights = (struct flights){ .vfs = 1, .guests = "web1" };
	h->config.vfs_in_flight = 1;
	CHECK_INT(rules_judge_by(rule, &c, &why), VERDICT_WAIT);
	CHECK_STR(why.what, "its 1 slot for live migration is taken by web1");
	flights = (struct flights){ .own = 1 };
	CHECK_INT(rules_judge_by(rule, &c, &why), VERDICT_REFUSE);
	CHECK_CONTAINS(why.what, "the guest itself has more");
	free(h);
}

TEST(figures_that_leave_a_vf_out_are_explained_and_nothing_is_refused)
{
	struct policy_host *h = host_new();
	struct rule_case c = { .config = &h->config, .guest = &h->guest };
	const struct rule *rule = rules_find("L3-dirty-rate");
	struct reason why = { 0 };

	CHECK_INT(rules_judge_by(rule, &c, &why), VERDICT_PASS);
	h->guest.vfs = 1;
	CHECK_INT(rules_judge_by(rule, &c, &why), VERDICT_EXPLAIN);
	CHECK_STR(why.what, "domjobinfo and domdirtyrate-calc count guest memory only: with a VF their figures are too low");
	c.guest = NULL;
	CHECK_INT(rules_judge_by(rule, &c, &why), VERDICT_EXPLAIN);
	free(h);
}

TEST(a_host_with_another_processor_is_refused)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	guest_add(h, "0000:c1:00.2", PSID);
	CHECK_INT(guest_find(h, NULL), 0);
	for (const char *const *name = (const char *const[]){ "", "x86_64", "aarch64", NULL }; *name; name++) {
		strcpy(h->inventory.architecture, *name);
		CHECK_INT(guest_judge(h, &why), 0);
	}
	strcpy(h->inventory.architecture, "riscv64");
	CHECK_INT(guest_judge(h, &why), -EPERM);
	CHECK_STR(why.rule, "L8-processor");
	CHECK_STR(why.what, "the processor is riscv64, and VFs are live-migrated on x86_64 and aarch64 only");
	CHECK_STR(why.cure, "choose another host");
	free(h);
}

TEST(a_host_without_open_vswitch_driver_or_iommu_is_refused)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	guest_add(h, "0000:c1:00.2", PSID);
	CHECK_INT(guest_find(h, NULL), 0);
	h->inventory.has_ovs = false;
	strcpy(h->inventory.ovs_trouble, "it does not run");
	CHECK_INT(guest_judge(h, &why), -EPERM);
	CHECK_STR(why.what, "it does not run");
	CHECK_CONTAINS(why.cure, "systemctl start openvswitch");
	strcpy(h->inventory.ovs_cure, "wind it up; then try again");
	CHECK_INT(guest_judge(h, &why), -EPERM);
	CHECK_STR(why.what, "it does not run");
	CHECK_STR(why.cure, "wind it up; then try again");
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

TEST(postcopy_is_told_by_the_flags_of_a_migration_only)
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
	CHECK_INT(rules_judge_flags(&status, &why), -EPERM);
	status.job = STATUS_OTHER_JOB;
	CHECK_INT(rules_judge_flags(&status, &why), 0);
}

TEST(what_a_pool_gives_its_interfaces_counts_as_theirs)
{
	struct policy_host *h = host_new();
	const struct network_pool pool = { .is_pool = true, .extras = EXTRA_VLAN | EXTRA_VIRTUALPORT };
	struct hostdev device = { .kind = HOSTDEV_POOL, .network = "tagged" };
	struct rule_case c = { .config = &h->config, .inventory = &h->inventory, .guest = &h->guest };
	struct reason why = { 0 };

	h->guest.vf[0] = (struct guest_vf){ .device = &device, .pool = &pool };
	h->guest.vfs = 1;
	CHECK_INT(rules_judge_by(rules_find("vlan"), &c, &why), VERDICT_REFUSE);
	CHECK_CONTAINS(why.what, "its network tagged gives the interface a <vlan>");
	CHECK_INT(rules_judge_by(rules_find("interface"), &c, &why), VERDICT_REFUSE);
	CHECK_CONTAINS(why.what, "gives the interface a <virtualport>");
	h->guest.vf[0].pool = NULL;
	CHECK_INT(rules_judge_by(rules_find("vlan"), &c, &why), VERDICT_PASS);
	free(h);
}

TEST(without_open_vswitch_a_bridge_of_the_kernel_is_said_to_be_unsupported)
{
	struct policy_host *h = host_new();
	struct rule_case c = { .config = &h->config, .inventory = &h->inventory };
	struct reason why = { 0 };

	h->inventory.has_ovs = false;
	strcpy(h->inventory.ovs_trouble, "nobody answers");
	strcpy(h->inventory.pf[1].uplink_master_kind, "bridge");
	CHECK_INT(rules_judge_by(rules_find("S5a-openvswitch"), &c, &why), VERDICT_REFUSE);
	CHECK_CONTAINS(why.what, "nobody answers; and VFs behind a bridge of the kernel");
	free(h);
}

TEST(an_mtu_that_nobody_tells_or_that_fits_is_no_obstacle)
{
	struct policy_host *h = host_new();
	struct passport_vf passport = { .mtu = 9000 };
	struct guest_vf vf = { .passport = &passport };
	struct rule_case c = { .config = &h->config, .inventory = &h->inventory, .incoming = true, .pf = &h->inventory.pf[0], .vf = &vf };

	CHECK_INT(rules_judge_by(rules_find("mtu"), &c, NULL), VERDICT_PASS); /* a record of an older vferry */
	h->inventory.pf[0].uplink_mtu = 8999;
	CHECK_INT(rules_judge_by(rules_find("mtu"), &c, NULL), VERDICT_REFUSE);
	c.incoming = false;
	CHECK_INT(rules_judge_by(rules_find("mtu"), &c, NULL), VERDICT_PASS);
	c.incoming = true;
	h->inventory.pf[0].uplink_mtu = 9000;
	CHECK_INT(rules_judge_by(rules_find("mtu"), &c, NULL), VERDICT_PASS);
	passport.mtu = 0;
	CHECK_INT(rules_judge_by(rules_find("mtu"), &c, NULL), VERDICT_PASS);
	free(h);
}

TEST(msi_x_tables_that_are_alike_or_can_be_set_or_are_not_told_are_no_obstacle)
{
	struct policy_host *h = host_new();
	struct passport_vf passport = { .msix = 12 };
	struct guest_vf vf = { .passport = &passport };
	struct inventory_pf *pf = &h->inventory.pf[0];
	struct rule_case c = { .config = &h->config, .inventory = &h->inventory, .incoming = true, .pf = pf, .vf = &vf };

	pf->vf[0].msix = 32;
	CHECK_INT(rules_judge_by(rules_find("msix"), &c, NULL), VERDICT_PASS); /* there are no VFs yet */
	pf->num_vfs = 4;
	CHECK_INT(rules_judge_by(rules_find("msix"), &c, NULL), VERDICT_REFUSE);
	pf->msix_dynamic = true;
	CHECK_INT(rules_judge_by(rules_find("msix"), &c, NULL), VERDICT_PASS);
	pf->msix_dynamic = false;
	passport.msix = 0; /* of an older vferry */
	CHECK_INT(rules_judge_by(rules_find("msix"), &c, NULL), VERDICT_PASS);
	passport.msix = 32;
	CHECK_INT(rules_judge_by(rules_find("msix"), &c, NULL), VERDICT_PASS);
	free(h);
}

/* All VFs of a PF may do something else of IPsec than the guest's VF might at the source. */
static void spoil_ipsec(struct inventory_pf *pf, struct passport_vf *source)
{
	for (unsigned int i = 0; i < pf->num_vfs; i++) {
		pf->vf[i].has_port = true;
		pf->vf[i].port.function = (struct vf_function){ .ipsec_packet = SWITCH_OFF };
	}
	source->function = (struct vf_function){ .roce = SWITCH_ON, .ipsec_crypto = SWITCH_ON, .ipsec_packet = SWITCH_ON };
}

TEST(attributes_of_a_function_that_can_be_set_or_are_not_told_or_that_one_vf_has_are_no_obstacle)
{
	struct policy_host *h = host_new();
	struct passport_vf passport = { 0 };
	struct guest_vf vf = { .passport = &passport };
	struct inventory_pf *pf = &h->inventory.pf[0];
	struct rule_case c = { .config = &h->config, .inventory = &h->inventory, .incoming = true, .pf = pf, .vf = &vf };

	pf->num_vfs = 4;
	spoil_ipsec(pf, &passport);
	CHECK_INT(rules_judge_by(rules_find("function"), &c, NULL), VERDICT_REFUSE);
	c.incoming = false;
	CHECK_INT(rules_judge_by(rules_find("function"), &c, NULL), VERDICT_PASS);
	c.incoming = true;
	pf->vf[2].port_unasked = true;
	CHECK_INT(rules_judge_by(rules_find("function"), &c, NULL), VERDICT_PASS);
	pf->vf[2].port_unasked = false;
	pf->vf[3].port.function.ipsec_packet = SWITCH_ON;
	CHECK_INT(rules_judge_by(rules_find("function"), &c, NULL), VERDICT_PASS);
	pf->vf[3].port.function = (struct vf_function){ .roce = SWITCH_OFF, .max_io_eqs = 4 };
	CHECK_INT(rules_judge_by(rules_find("function"), &c, NULL), VERDICT_PASS);
	free(h);
}

/* What a rule is to object to: a host that is all right but for one thing. */
static struct spoiled {
	struct policy_host *h;
	struct status status;
	struct flights flights;
	struct inventory_pf *pf;
} spoiled;

#define SPOIL(name, ...) static void name(void) { struct policy_host *h = spoiled.h; (void)h; __VA_ARGS__; }

SPOIL(by_postcopy, spoiled.status = (struct status){ .job = STATUS_MIGRATION_IN, .flags = STATUS_POSTCOPY })
SPOIL(by_viommu, h->domain.has_iommu = true; strcpy(h->domain.iommu_model, "virtio"))
SPOIL(by_a_second_vf, guest_add(h, "0000:c1:00.3", PSID); h->config.vfs_in_flight = 1)
SPOIL(by_a_note_of_the_passport, strcpy(h->domain.passport.note, "entry 1 has a wrong mac"))
SPOIL(by_a_stranger_in_the_passport, h->domain.hostdev[0].passport = NULL; h->config.without_passport = WITHOUT_ANY)
SPOIL(by_no_firmware_in_the_passport, h->domain.passport.vf[0].firmware[0] = 0; h->config.unknown_source = SEVERITY_REFUSE)
SPOIL(by_no_card, h->inventory.pfs = 0)
SPOIL(by_processor, strcpy(h->inventory.architecture, "s390x"))
SPOIL(by_no_iommu, h->inventory.has_iommu = false)
SPOIL(by_no_variant_driver, h->inventory.has_variant_driver = false)
SPOIL(by_no_ovs, h->inventory.has_ovs = false; strcpy(h->inventory.ovs_trouble, "nobody answers"))
SPOIL(by_vlan, h->domain.hostdev[0].extras = EXTRA_VLAN)
SPOIL(by_bandwidth, h->domain.hostdev[0].extras = EXTRA_BANDWIDTH)
SPOIL(by_card, spoiled.pf->card = *card_find(0x15b3, 0x1017))
SPOIL(by_trouble, strcpy(spoiled.pf->trouble, "it does not answer"))
SPOIL(by_driver, strcpy(spoiled.pf->driver, ""))
SPOIL(by_psid, strcpy(spoiled.pf->info.psid, "MT_0000000001"))
SPOIL(by_other_firmware, strcpy(spoiled.pf->info.firmware, "28.43.1015"))
SPOIL(by_old_firmware, strcpy(spoiled.pf->info.firmware, "28.30.1"); strcpy(h->domain.passport.vf[0].firmware, "28.30.1"))
SPOIL(by_advised_firmware, strcpy(spoiled.pf->info.firmware, "28.40.1"); strcpy(h->domain.passport.vf[0].firmware, "28.40.1"))
SPOIL(by_no_uplink, spoiled.pf->uplink[0] = 0)
SPOIL(by_no_bridge, h->config.create_bridge = false)
SPOIL(by_the_passports_bridge, strcpy(h->domain.passport.vf[0].bridge, "br-ex"))
SPOIL(by_plug_uplink, h->config.plug_uplink = false)
SPOIL(by_uplink_address, spoiled.pf->uplink_addresses = 1)
SPOIL(by_mtu, spoiled.pf->uplink_mtu = 1500; h->domain.passport.vf[0].mtu = 9000)
SPOIL(by_msix, spoiled.pf->num_vfs = 4; spoiled.pf->vf[0].msix = 32; h->domain.passport.vf[0].msix = 12)
SPOIL(by_ipsec, spoiled.pf->num_vfs = 4; spoil_ipsec(spoiled.pf, &h->domain.passport.vf[0]))
SPOIL(by_little_time, h->config.vfs = 8; h->config.hook_deadline = 10)
SPOIL(by_no_sriov, spoiled.pf->total_vfs = 0)
SPOIL(by_mode, spoiled.pf->mode = ESWITCH_UNKNOWN)
SPOIL(by_slots, spoiled.flights = (struct flights){ .vfs = 4, .guests = "web2" })
SPOIL(by_own_vfs, spoiled.flights = (struct flights){ .own = 4 })
SPOIL(by_nothing, (void)0)

static const struct verdict_row {
	const char *rule;
	void (*spoil)(void);
	enum verdict verdict;
	const char *sentence;
} verdict_rows[] = {
	{ "L1-postcopy", by_postcopy, VERDICT_REFUSE, "post-copy was asked for, and a VF cannot move by post-copy" },
	{ "L2-viommu", by_viommu, VERDICT_REFUSE, "the guest has a vIOMMU (model 'virtio'), and with it a VF cannot be live-migrated" },
	{ "L4-guest-alone", by_a_second_vf, VERDICT_REFUSE,
	  "the guest has 2 VFs of one PF, and at most 1 can be in live migration at the same time" },
	{ "passport", by_a_note_of_the_passport, VERDICT_WARN, "of the guest's passport something is left out: entry 1 has a wrong mac" },
	{ "passport", by_a_stranger_in_the_passport, VERDICT_WARN,
	  "the guest's passport speaks of a VF that the guest does not have; that is left out" },
	{ "L5-L6-unknown-source", by_no_firmware_in_the_passport, VERDICT_REFUSE,
	  "the firmware of the source is unknown: neither the guest's passport nor [peer] in vferry.conf tells" },
	{ "L7-any-card", by_no_card, VERDICT_REFUSE, "this host has no card whose VFs can be live-migrated" },
	{ "L8-processor", by_processor, VERDICT_REFUSE, "the processor is s390x, and VFs are live-migrated on x86_64 and aarch64 only" },
	{ "P5-iommu", by_no_iommu, VERDICT_REFUSE, "this host has no IOMMU groups, and without them no VF can be given to a guest" },
	{ "L7-variant-driver", by_no_variant_driver, VERDICT_REFUSE,
	  "this host's kernel does not have the driver that migrates VFs (no vfio_pci: alias for them in modules.alias)" },
	{ "S5a-openvswitch", by_no_ovs, VERDICT_REFUSE, "nobody answers" },
	{ "vlan", by_vlan, VERDICT_REFUSE, "the interface has a <vlan>, which a VF of an eswitch in switchdev mode does not take" },
	{ "interface", by_bandwidth, VERDICT_REFUSE, "the interface has a <bandwidth>, which libvirt does not take for a VF" },
	{ "L7-card", by_card, VERDICT_REFUSE, "it is a ConnectX-5, whose VFs cannot be live-migrated" },
	{ "pf-readable", by_trouble, VERDICT_REFUSE, "it does not answer" },
	{ "pf-driver", by_driver, VERDICT_REFUSE, "its driver is '', not mlx5_core" },
	{ "L5-psid", by_psid, VERDICT_REFUSE, "its PSID is MT_0000000001 and the source's is MT_0000000834" },
	{ "L6-same-firmware", by_other_firmware, VERDICT_REFUSE, "its firmware is 28.43.1015 and the source's is 28.43.1014" },
	{ "L6-old-firmware", by_old_firmware, VERDICT_REFUSE, "its firmware is 28.30.1, and live migration needs 28.36.1010" },
	{ "L6-old-firmware", by_advised_firmware, VERDICT_WARN,
	  "its firmware is 28.40.1, and 28.41.1000 or newer is advised for live migration" },
	{ "network", by_no_uplink, VERDICT_REFUSE, "it has no uplink netdev" },
	{ "network", by_no_bridge, VERDICT_REFUSE, "there is no bridge br-vferry, and create_bridge is off" },
	{ "network", by_the_passports_bridge, VERDICT_REFUSE,
	  "its uplink enp129s0f0np0 is not in bridge br-ex, which the guest's passport names, and vferry puts it only into the one of vferry.conf, "
	  "br-vferry" },
	{ "network", by_plug_uplink, VERDICT_REFUSE,
	  "there is no bridge br-vferry, and vferry does not see to that (uplink = present in vferry.conf)" },
	{ "network", by_uplink_address, VERDICT_REFUSE, "its uplink enp129s0f0np0 cannot be put into a bridge of Open vSwitch, which would take its traffic: enp129s0f0np0 has an address of this "
	  "host" },
	{ "mtu", by_mtu, VERDICT_REFUSE,
	  "the MTU of its uplink enp129s0f0np0 is 1500, and that of the guest's representor at the source is 9000" },
	{ "msix", by_msix, VERDICT_REFUSE, "the MSI-X tables of its VFs have 32 entries, and that of the guest's VF at the source has 12" },
	{ "function", by_ipsec, VERDICT_REFUSE, "the VF has ipsec_packet off, and the guest's VF has it on at the source" },
	{ "hook-deadline", by_little_time, VERDICT_REFUSE,
	  "making it ready may take 3.5 to 8.2 s: the mode change 1.3 to 4.0 s, 8 VFs 2.2 to 4.2 s; an arrival has 6 s for that, which is what "
	  "hook_deadline = 10 leaves" },
	{ "S2-sriov", by_no_sriov, VERDICT_REFUSE, "it offers no VFs: SR-IOV is off in its firmware settings (SRIOV_EN, NUM_OF_VFS)" },
	{ "eswitch", by_mode, VERDICT_REFUSE, "the mode of its eswitch is not known to vferry" },
	{ "eswitch", by_uplink_address, VERDICT_REFUSE,
	  "its eswitch is in legacy mode and switching it would take the carrier of enp129s0f0np0 for seconds: enp129s0f0np0 has an address of this "
	  "host" },
	{ "L4-slots", by_slots, VERDICT_WAIT, "its 4 slots for live migration are taken by web2" },
	{ "L4-slots", by_own_vfs, VERDICT_REFUSE,
	  "only 4 of its VFs can be in live migration at the same time, and the guest itself has more" },
	{ "L3-dirty-rate", by_nothing, VERDICT_EXPLAIN,
	  "domjobinfo and domdirtyrate-calc count guest memory only: with a VF their figures are too low" },
};

/* Judges the spoiled host by one rule. */
static enum verdict judge_spoiled(const struct rule *rule, void (*spoil)(void), struct reason *why)
{
	struct policy_host *h = host_new();
	struct rule_case c = { .config = &h->config, .inventory = &h->inventory, .incoming = true, .domain = &h->domain, .guest = &h->guest,
			       .status = &spoiled.status, .pf = &h->inventory.pf[0], .vf = &h->guest.vf[0], .running = &h->running,
			       .flights = &spoiled.flights };
	enum verdict verdict;

	spoiled = (struct spoiled){ .h = h, .pf = &h->inventory.pf[0] };
	guest_add(h, "0000:c1:00.2", PSID);
	spoil();
	CHECK_INT(guest_find(h, NULL), 0);
	verdict = rules_judge_by(rule, &c, why);
	free(h);
	return verdict;
}

TEST(every_rule_gives_its_verdict_with_its_sentence_and_what_to_do)
{
	for (const struct rule *rule = rules_table(); rule->name; rule++) {
		enum verdict hardest = VERDICT_PASS;

		for (size_t i = 0; i < sizeof(verdict_rows) / sizeof(verdict_rows[0]); i++) {
			const struct verdict_row *row = &verdict_rows[i];
			struct reason why = { 0 };

			if (strcmp(row->rule, rule->name))
				continue;
			CHECK_INT(judge_spoiled(rule, row->spoil, &why), row->verdict);
			CHECK_STR(why.what, row->sentence);
			CHECK_STR(why.rule, rule->name);
			CHECK(*why.cure);
			if (row->verdict > hardest)
				hardest = row->verdict;
		}
		if (hardest != rule->hardest)
			FAIL("the hardest verdict of rule %s is not shown", rule->name);
		if (rule->about != ABOUT_FIGURES)
			CHECK_INT(judge_spoiled(rule, by_nothing, NULL), VERDICT_PASS);
	}
}

TEST(every_rule_has_a_name_and_says_what_it_looks_at)
{
	for (const struct rule *rule = rules_table(); rule->name; rule++) {
		CHECK(*rule->name && *rule->looks_at && *rule->limit && *rule->cure && rule->judge);
		CHECK(strlen(rule->name) < sizeof(((struct reason *)NULL)->rule));
		CHECK(rule->hardest != VERDICT_PASS);
		CHECK(rules_find(rule->name) == rule);
	}
	CHECK(rules_find("L9") == NULL);
	CHECK_INT(rules_judge_by(rules_find("L9"), &(struct rule_case){ 0 }, NULL), VERDICT_REFUSE);
}

TEST(a_switch_of_mode_is_refused_while_a_driver_holds_a_vf)
{
	struct policy_host *h = host_new();
	struct inventory_pf *pf = &h->inventory.pf[0];
	struct reason why = { 0 };

	pf->num_vfs = 2;
	CHECK_INT(disturb_eswitch(&h->inventory, &h->running, pf, &why), 0);
	strcpy(pf->vf[1].driver, "mlx5_vfio_pci");
	CHECK_INT(disturb_eswitch(&h->inventory, &h->running, pf, &why), -EBUSY);
	CHECK_CONTAINS(why.what, "0000:81:00.3");
	CHECK_CONTAINS(why.what, "mlx5_vfio_pci");
	pf->mode = ESWITCH_SWITCHDEV;
	CHECK_INT(disturb_eswitch(&h->inventory, &h->running, pf, &why), 0);
	free(h);
}

TEST(a_switch_of_mode_is_refused_with_the_name_of_the_guest_that_has_a_vf)
{
	struct policy_host *h = host_new();
	struct inventory_pf *pf = &h->inventory.pf[0];
	struct pci_address device = address_of("0000:81:00.3");
	struct status other = { .name = "web\n1", .state = "running", .device = &device, .devices = 1 };
	struct reason why = { 0 };

	pf->num_vfs = 2;
	strcpy(pf->vf[1].driver, "mlx5_vfio_pci");
	h->running = (struct status_list){ .status = &other, .count = 1 };
	CHECK_INT(disturb_eswitch(&h->inventory, &h->running, pf, &why), -EBUSY);
	CHECK_STR(why.what, "its eswitch is in legacy mode and cannot be switched while guest web?1 has its VF 0000:81:00.3 "
			    "(driver mlx5_vfio_pci)");
	CHECK_CONTAINS(why.cure, "migrate or shut down that guest");
	free(h);
}

TEST(a_switch_of_mode_is_refused_with_the_address_of_a_vf_that_the_host_uses)
{
	struct policy_host *h = host_new();
	struct inventory_pf *pf = &h->inventory.pf[0];
	struct reason why = { 0 };

	pf->num_vfs = 2;
	strcpy(pf->vf[0].driver, "mlx5_core");
	strcpy(pf->vf[0].host_netdev, "enp129s0f0v0");
	CHECK_INT(disturb_eswitch(&h->inventory, NULL, pf, &why), -EBUSY);
	CHECK_CONTAINS(why.what, "its VF 0000:81:00.2 is held by driver mlx5_core");
	pf->vf[0].host_netdev_up = true;
	CHECK_INT(disturb_eswitch(&h->inventory, NULL, pf, &why), -EBUSY);
	CHECK_CONTAINS(why.what, "its VF 0000:81:00.2 is in use: enp129s0f0v0 is up, held by the host's driver (driver mlx5_core)");
	pf->vf[0].host_netdev_enslaved = true;
	CHECK_INT(disturb_eswitch(&h->inventory, NULL, pf, &why), -EBUSY);
	CHECK_CONTAINS(why.what, "it is in a bond or bridge (enp129s0f0v0)");
	pf->vf[0].host_addresses = 1;
	CHECK_INT(disturb_eswitch(&h->inventory, NULL, pf, &why), -EBUSY);
	CHECK_CONTAINS(why.what, "enp129s0f0v0 has an address of this host");
	CHECK_CONTAINS(why.cure, "take it out of use there");
	free(h);
}

TEST(tc_rules_on_the_uplink_keep_mode_and_bridge_as_they_are)
{
	struct policy_host *h = host_new();
	struct inventory_pf *pf = &h->inventory.pf[0];
	struct reason why = { 0 };

	pf->uplink_tc_rules = 1;
	CHECK_INT(disturb_eswitch(&h->inventory, NULL, pf, &why), -EBUSY);
	CHECK_STR(why.what, "its eswitch is in legacy mode and switching it would take the carrier of enp129s0f0np0 for seconds: enp129s0f0np0 has TC rules");
	CHECK_CONTAINS(why.cure, "tc filter show dev enp129s0f0np0 ingress");
	CHECK_INT(network_judge_by_rule(h, pf, &why), -EBUSY);
	CHECK_STR(why.what, "its uplink enp129s0f0np0 cannot be put into a bridge of Open vSwitch, which would take its traffic: "
			    "enp129s0f0np0 has TC rules");
	CHECK_CONTAINS(why.cure, "tc filter show dev enp129s0f0np0 ingress");
	pf->mode = ESWITCH_SWITCHDEV;
	strcpy(pf->uplink_bridge, "br-vferry");
	CHECK_INT(disturb_eswitch(&h->inventory, NULL, pf, &why), 0);
	CHECK_INT(network_judge_by_rule(h, pf, &why), 0);
	free(h);
}

TEST(an_eswitch_in_an_unknown_mode_is_left_alone)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	h->inventory.pf[0].mode = ESWITCH_UNKNOWN;
	CHECK_INT(disturb_eswitch(&h->inventory, NULL, &h->inventory.pf[0], &why), -EBUSY);
	CHECK_CONTAINS(why.what, "not known to vferry");
	free(h);
}

TEST(an_uplink_in_a_linux_bridge_or_a_bond_stays_there)
{
	struct policy_host *h = host_new();
	struct inventory_pf *pf = &h->inventory.pf[0];
	struct ovs_port port = { .name = "bond0", .bridge = "br-vferry", .ofport = 1 };
	struct ovs_bridge bridge = { .name = "br-vferry" };
	struct reason why = { 0 };

	strcpy(pf->uplink_master, "br0");
	strcpy(pf->uplink_master_kind, "bridge");
	CHECK_INT(network_judge_by_rule(h, pf, &why), -EBUSY);
	CHECK_STR(why.what, "its uplink enp129s0f0np0 is in bridge br0");
	CHECK_CONTAINS(why.cure, "bridge of the kernel are not supported");
	strcpy(pf->uplink_master, "bond0");
	strcpy(pf->uplink_master_kind, "bond");
	CHECK_INT(network_judge_by_rule(h, pf, &why), -EBUSY);
	CHECK_STR(why.what, "its uplink enp129s0f0np0 is in bond bond0");
	h->inventory.ovs = (struct ovs_state){ .port = &port, .ports = 1, .bridge = &bridge, .bridges = 1 };
	CHECK_INT(network_judge_by_rule(h, pf, &why), 0);
	free(h);
}

TEST(a_switch_of_mode_is_refused_in_a_bond_and_under_an_address)
{
	struct policy_host *h = host_new();
	struct inventory_pf *pf = &h->inventory.pf[0];
	struct reason why = { 0 };

	strcpy(pf->uplink_master, "bond0");
	strcpy(pf->uplink_master_kind, "bond");
	CHECK_INT(disturb_eswitch(&h->inventory, &h->running, pf, &why), -EBUSY);
	CHECK_CONTAINS(why.what, "bond0");
	*pf->uplink_master = *pf->uplink_master_kind = '\0';
	pf->uplink_addresses = 1;
	CHECK_INT(disturb_eswitch(&h->inventory, &h->running, pf, &why), -EBUSY);
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
	CHECK_INT(disturb_eswitch(&h->inventory, &h->running, pf, &why), -EBUSY);
	CHECK_CONTAINS(why.what, "vnet0");
	port.ofport = -1;
	CHECK_INT(disturb_eswitch(&h->inventory, &h->running, pf, &why), 0);
	free(h);
}

TEST(an_uplink_with_the_default_route_is_never_plugged)
{
	struct policy_host *h = host_new();
	struct inventory_pf *pf = &h->inventory.pf[0];
	struct reason why = { 0 };

	pf->uplink_default_route = true;
	CHECK_INT(network_judge_by_rule(h, pf, &why), -EBUSY);
	CHECK_CONTAINS(why.what, "default route");
	free(h);
}

TEST(a_second_uplink_in_one_bridge_is_refused_as_a_loop)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	strcpy(h->inventory.pf[1].uplink_bridge, "br-vferry");
	CHECK_INT(network_judge_by_rule(h, &h->inventory.pf[0], &why), -EBUSY);
	CHECK_CONTAINS(why.what, "loop");
	CHECK_INT(network_judge_by_rule(h, &h->inventory.pf[1], &why), 0);
	free(h);
}

TEST(an_uplink_in_another_bridge_stays_there)
{
	struct policy_host *h = host_new();
	struct reason why = { 0 };

	strcpy(h->inventory.pf[0].uplink_bridge, "br-ex");
	CHECK_INT(network_judge_by_rule(h, &h->inventory.pf[0], &why), -EBUSY);
	CHECK_CONTAINS(why.what, "br-ex");
	free(h);
}

