/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_policy_placement.c: which VF a guest gets, and the plan that makes it ready.
 */
#include "policy_host.h"

#define PSID "MT_0000000834"

/* An incoming guest with one VF, found. */
static struct policy_host *with_guest(const char *source, const char *psid)
{
	struct policy_host *h = host_new();

	guest_add(h, source, psid);
	if (guest_find(h, NULL))
		FAIL("the guest's VFs were not found");
	return h;
}

static const char *placed(const struct policy_host *h, size_t i)
{
	static char text[PCI_ADDRESS_LEN];

	return h->guest.vf[i].has_vf ? pci_address_format(&h->guest.vf[i].address, text) : "none";
}

TEST(a_fresh_host_gives_its_first_vf)
{
	struct policy_host *h = with_guest("0000:c1:00.5", PSID);

	CHECK_INT(guest_place(h, NULL), 0);
	CHECK_STR(placed(h, 0), "0000:81:00.2");
	free(h);
}

TEST(the_same_address_is_kept_when_it_is_free)
{
	struct policy_host *h = with_guest("0000:81:01.4", PSID);

	CHECK_INT(guest_place(h, NULL), 0);
	CHECK_STR(placed(h, 0), "0000:81:01.4");
	CHECK(h->guest.vf[0].pf == &h->inventory.pf[1]);
	free(h);
}

TEST(a_vf_that_a_running_guest_has_is_not_given_away)
{
	struct policy_host *h = with_guest("0000:81:00.2", PSID);
	struct pci_address used = address_of("0000:81:00.2");
	struct status other = { .uuid = "other", .state = "running", .device = &used, .devices = 1 };

	h->running = (struct status_list){ .status = &other, .count = 1 };
	CHECK_INT(guest_place(h, NULL), 0);
	CHECK_STR(placed(h, 0), "0000:81:00.3");
	free(h);
}

TEST(a_leased_vf_is_not_given_away_but_the_guests_own_lease_does_not_count)
{
	struct policy_host *h = with_guest("0000:81:00.2", PSID);
	struct record lease = { .uuid = "99999999-2222-3333-4444-555555555555", .vf = (struct record_vf[4]){ { .index = 0 } }, .vfs = 1 };

	lease.vf[0].pf = h->inventory.pf[0].address;
	lease.vf[0].address = address_of("0000:81:00.2");
	h->leases = (struct record_list){ .record = &lease, .count = 1 };
	CHECK_INT(guest_place(h, NULL), 0);
	CHECK_STR(placed(h, 0), "0000:81:00.3");
	strcpy(lease.uuid, h->domain.uuid);
	CHECK_INT(guest_place(h, NULL), 0);
	CHECK_STR(placed(h, 0), "0000:81:00.2");
	free(h);
}

TEST(a_vf_that_the_host_uses_is_not_given_away)
{
	struct policy_host *h = with_guest("0000:c1:00.2", PSID);
	struct inventory_vf *vf = h->inventory.pf[0].vf;

	host_make_ready(h, 0, "br-vferry");
	strcpy(vf[0].driver, "mlx5_core");
	vf[0].host_addresses = 1;
	strcpy(vf[1].driver, "vfio-pci");
	strcpy(vf[2].driver, "mlx5_core");
	strcpy(vf[2].host_netdev, "ens1v2");
	CHECK_INT(guest_place(h, NULL), 0);
	CHECK_STR(placed(h, 0), "0000:81:00.4");
	free(h);
}

TEST(a_guest_whose_xml_names_the_vf_gets_that_one_or_none)
{
	struct policy_host *h = with_guest("0000:81:00.5", PSID);
	struct pci_address used = address_of("0000:81:00.5");
	struct status other = { .uuid = "other", .name = "web9", .state = "running", .device = &used, .devices = 1 };
	struct reason why = { 0 };

	h->config.placement = PLACING_AS_NAMED;
	CHECK_INT(guest_place(h, &why), 0);
	CHECK_STR(placed(h, 0), "0000:81:00.5");
	h->running = (struct status_list){ .status = &other, .count = 1 };
	CHECK_INT(guest_place(h, &why), -ENOSPC);
	CHECK_CONTAINS(why.what, "VF 0000:81:00.5, which the guest's XML names, is guest web9's");
	CHECK_CONTAINS(why.what, "PF 0000:81:00.1: VF 0000:81:00.5, which the guest's XML names, is not one of its");
	h->config.placement = PLACING_CHOOSE;
	CHECK_INT(guest_place(h, &why), 0);
	CHECK_STR(placed(h, 0), "0000:81:00.2");
	free(h);
}

TEST(a_guest_whose_xml_names_a_vf_of_another_host_gets_none)
{
	struct policy_host *h = with_guest("0000:c1:00.5", PSID);
	struct reason why = { 0 };

	h->config.placement = PLACING_AS_NAMED;
	CHECK_INT(guest_place(h, &why), -ENOSPC);
	CHECK_CONTAINS(why.what, "0000:c1:00.5, which the guest's XML names, is not one of its (placement = as-named)");
	CHECK_CONTAINS(why.cure, "placement = choose");
	free(h);
}

TEST(a_named_vf_that_was_tried_and_cannot_be_had_is_not_replaced)
{
	struct policy_host *h = with_guest("0000:81:00.5", PSID);
	struct pci_address tried = address_of("0000:81:00.5");
	struct placement p = { .config = &h->config, .inventory = &h->inventory, .running = &h->running, .leases = &h->leases,
			       .uuid = h->domain.uuid, .incoming = true, .avoid = &tried, .avoided = 1 };

	h->config.placement = PLACING_AS_NAMED;
	CHECK_INT(placement_choose(&p, &h->guest, NULL), -ENOSPC);
	free(h);
}

TEST(a_vf_that_shares_its_iommu_group_is_not_given_away)
{
	struct policy_host *h = with_guest("0000:c1:00.2", PSID);

	host_make_ready(h, 0, "br-vferry");
	h->inventory.pf[0].vf[0].group_members = 2;
	CHECK_INT(guest_place(h, NULL), 0);
	CHECK_STR(placed(h, 0), "0000:81:00.3");
	free(h);
}

TEST(two_vfs_of_one_guest_get_two_vfs)
{
	struct policy_host *h = host_new();

	guest_add(h, "0000:c1:00.2", PSID);
	guest_add(h, "0000:c1:00.3", PSID);
	CHECK_INT(guest_find(h, NULL), 0);
	CHECK_INT(guest_place(h, NULL), 0);
	CHECK_STR(placed(h, 0), "0000:81:00.2");
	CHECK_STR(placed(h, 1), "0000:81:00.3");
	free(h);
}

TEST(a_pf_that_is_ready_in_the_guests_bridge_comes_first)
{
	struct policy_host *h = with_guest("0000:c1:00.2", PSID);

	host_make_ready(h, 1, "br-vferry");
	CHECK_INT(guest_place(h, NULL), 0);
	CHECK(h->guest.vf[0].pf == &h->inventory.pf[1]);
	free(h);
}

TEST(another_psid_is_refused_and_both_are_named_for_each_pf)
{
	struct policy_host *h = with_guest("0000:c1:00.2", "MT_0000000999");
	struct reason why = { 0 };

	CHECK_INT(guest_place(h, &why), -ENOSPC);
	CHECK_CONTAINS(why.what, "PF 0000:81:00.0: its PSID is MT_0000000834 and the source's is MT_0000000999");
	CHECK_CONTAINS(why.what, "PF 0000:81:00.1");
	free(h);
}

TEST(another_firmware_is_refused)
{
	struct policy_host *h = with_guest("0000:c1:00.2", PSID);
	struct reason why = { 0 };

	strcpy(h->domain.passport.vf[0].firmware, "28.44.1036");
	CHECK_INT(guest_place(h, &why), -ENOSPC);
	CHECK_CONTAINS(why.what, "its firmware is 28.43.1014 and the source's is 28.44.1036");
	free(h);
}

TEST(firmware_below_the_lowest_is_refused)
{
	struct policy_host *h = with_guest("0000:81:00.2", NULL);
	struct reason why = { 0 };

	strcpy(h->inventory.pf[0].info.firmware, "28.35.1012");
	strcpy(h->inventory.pf[1].info.firmware, "28.35.1012");
	CHECK_INT(guest_place(h, &why), -ENOSPC);
	CHECK_CONTAINS(why.what, "live migration needs 28.36.1010");
	free(h);
}

TEST(no_free_vf_is_told_for_each_pf)
{
	struct policy_host *h = with_guest("0000:c1:00.2", PSID);
	struct status other = { .uuid = "1", .name = "web1", .device = &h->vf[0][3].address, .devices = 1 };
	struct reason why = { 0 };

	h->inventory.pfs = 1;
	host_make_ready(h, 0, "br-vferry");
	for (int i = 0; i < 8; i++)
		strcpy(h->inventory.pf[0].vf[i].driver, "vfio-pci");
	CHECK_INT(guest_place(h, &why), -ENOSPC);
	CHECK_CONTAINS(why.what, "PF 0000:81:00.0: no free VF among its 8");
	CHECK_CONTAINS(why.cure, "the number of VFs of a PF (vferry prepare --vfs) can be changed only while none is in use");
	h->running = (struct status_list){ .status = &other, .count = 1 };
	CHECK_INT(guest_place(h, &why), -ENOSPC);
	CHECK_CONTAINS(why.what, "PF 0000:81:00.0: no free VF among its 8: web1 has them");
	free(h);
}

TEST(four_vfs_of_a_pf_in_flight_leave_no_slot_on_it)
{
	struct policy_host *h = with_guest("0000:c1:00.2", PSID);
	struct pci_address used[4];
	struct status moving = { .uuid = "moving", .name = "web\x1b" "1", .state = "paused", .job = STATUS_MIGRATION_IN, .device = used,
				 .devices = 4 };
	struct reason why = { 0 };

	h->inventory.pfs = 1;
	for (unsigned int i = 0; i < 4; i++)
		used[i] = h->vf[0][i].address;
	h->running = (struct status_list){ .status = &moving, .count = 1 };
	CHECK_INT(guest_place(h, &why), PLACEMENT_WAIT);
	CHECK_CONTAINS(why.what, "PF 0000:81:00.0: its 4 slots for live migration are taken by web?1");
	CHECK_STR(why.cure, "try again when other migrations have ended");
	moving.devices = 3;
	CHECK_INT(guest_place(h, &why), 0);
	moving.devices = 4;
	moving.job = STATUS_NO_JOB;
	CHECK_INT(guest_place(h, &why), 0);
	free(h);
}

TEST(who_is_in_flight_is_told_for_each_pf_with_arrivals_and_departures)
{
	struct policy_host *h = with_guest("0000:c1:00.2", PSID);
	struct pci_address in = h->vf[0][0].address, out = h->vf[0][1].address;
	struct status status[2] = { { .uuid = "1", .name = "web1", .job = STATUS_MIGRATION_IN, .device = &in, .devices = 1 },
				    { .uuid = "2", .name = "web2", .job = STATUS_MIGRATION_OUT, .device = &out, .devices = 1 } };
	struct record lease = { .uuid = "3", .name = "web3", .vf = (struct record_vf[4]){ { .index = 0 } }, .vfs = 1, .state = RECORD_ARRIVING };
	struct placement p = { .config = &h->config, .inventory = &h->inventory, .running = &h->running, .leases = &h->leases, .uuid = "" };
	char text[240];

	placement_say_flights(&p, text, sizeof(text));
	CHECK_STR(text, "");
	lease.vf[0] = (struct record_vf){ .pf = h->inventory.pf[1].address, .address = h->vf[1][0].address };
	h->running = (struct status_list){ .status = status, .count = 2 };
	h->leases = (struct record_list){ .record = &lease, .count = 1 };
	placement_say_flights(&p, text, sizeof(text));
	CHECK_STR(text, "PF 0000:81:00.0: web1, web2; PF 0000:81:00.1: web3");
	CHECK_INT(placement_in_flight(&p, &h->inventory.pf[0]), 2);
	free(h);
}

TEST(a_guest_that_alone_has_more_vfs_than_the_only_pf_has_slots_is_not_told_to_wait)
{
	struct policy_host *h = with_guest("0000:c1:00.2", PSID);
	struct reason why = { 0 };

	h->inventory.pfs = 1;
	h->config.vfs_in_flight = 1;
	guest_add(h, "0000:c1:00.3", PSID);
	h->domain.passport.vf[1].pf = address_of("0000:c1:00.1");
	CHECK_INT(guest_find(h, NULL), 0);
	CHECK_INT(guest_place(h, &why), -ENOSPC);
	CHECK_CONTAINS(why.what, "only 1 of its VFs can be in live migration at the same time, and the guest itself has more");
	CHECK_CONTAINS(why.cure, "detach VFs");
	free(h);
}

TEST(an_arrival_that_libvirt_does_not_show_yet_holds_its_slots)
{
	struct policy_host *h = with_guest("0000:c1:00.2", PSID);
	struct record lease = { .uuid = "99999999-2222-3333-4444-555555555555", .vf = (struct record_vf[4]){ { .index = 0 } }, .vfs = 4, .state = RECORD_ARRIVING };

	h->inventory.pfs = 1;
	for (unsigned int i = 0; i < 4; i++)
		lease.vf[i] = (struct record_vf){ .pf = h->inventory.pf[0].address, .address = h->vf[0][i].address };
	h->leases = (struct record_list){ .record = &lease, .count = 1 };
	CHECK_INT(guest_place(h, NULL), PLACEMENT_WAIT);
	lease.state = RECORD_RUNNING;
	CHECK_INT(guest_place(h, NULL), 0);
	CHECK_STR(placed(h, 0), "0000:81:00.6");
	free(h);
}

TEST(a_guest_that_is_expected_on_another_pf_keeps_its_bridge_from_a_second_uplink)
{
	struct policy_host *h = with_guest("0000:c1:00.2", PSID);
	struct record lease = { .uuid = "99999999-2222-3333-4444-555555555555", .vf = (struct record_vf[4]){ { .index = 0 } }, .vfs = 1, .state = RECORD_ARRIVING };
	struct reason why = { 0 };

	h->config.vfs_in_flight = 1;
	lease.vf[0] = (struct record_vf){ .pf = h->inventory.pf[0].address, .address = h->vf[0][0].address };
	strcpy(lease.vf[0].bridge, "br-vferry");
	h->leases = (struct record_list){ .record = &lease, .count = 1 };
	CHECK_INT(guest_place(h, &why), PLACEMENT_WAIT);
	CHECK_CONTAINS(why.what, "PF 0000:81:00.1: another PF's uplink is about to be in the same bridge");
	strcpy(lease.vf[0].bridge, "br-other");
	CHECK_INT(guest_place(h, &why), 0);
	CHECK(h->guest.vf[0].pf == &h->inventory.pf[1]);
	free(h);
}

TEST(what_to_do_is_said_of_the_pf_that_is_to_be_used)
{
	struct policy_host *h = with_guest("0000:c1:00.2", "MT_0000000999");
	struct reason why = { 0 };

	for (int number = 0; number < 2; number++) {
		strcpy(h->config.pf, number ? "0000:81:00.1" : "0000:81:00.0");
		CHECK_INT(guest_place(h, &why), -ENOSPC);
		CHECK_CONTAINS(why.what, "the configuration says pf = ");
		CHECK_STR(why.cure, "choose a host with the same card");
	}
	strcpy(h->config.pf, "0000:5e:00.0");
	CHECK_INT(guest_place(h, &why), -ENOSPC);
	CHECK_STR(why.cure, "set pf in vferry.conf to this one, or to nothing");
	free(h);
}

TEST(two_vfs_of_a_guest_for_one_bridge_share_a_pf)
{
	struct policy_host *h = host_new();

	guest_add(h, "0000:81:00.2", PSID);
	guest_add(h, "0000:81:01.2", PSID);
	CHECK_INT(guest_find(h, NULL), 0);
	CHECK_INT(guest_place(h, NULL), 0);
	CHECK(h->guest.vf[0].pf == h->guest.vf[1].pf);
	free(h);
}

/* The kinds of a plan's steps, one word each. */
static const char *kinds(const struct steps *plan)
{
	static char text[1024];

	*text = '\0';
	for (size_t i = 0; i < plan->count; i++) {
		strcat(text, i ? " " : "");
		strcat(text, step_kind_name(plan->step[i].kind));
	}
	return text;
}

TEST(a_fresh_pf_is_made_ready_in_the_safe_order)
{
	struct policy_host *h = host_new();
	struct steps *plan = calloc(1, sizeof(*plan));

	h->inventory.pf[0].uplink_up = false;
	CHECK_INT(plan_pf(&h->config, &h->inventory, &h->inventory.pf[0], "br-vferry", plan), 0);
	CHECK_STR(kinds(plan), "autoprobe eswitch num-vfs uplink-up bridge ovs-option ovs-option uplink-port");
	steps_release(plan);
	free(plan);
	free(h);
}

TEST(a_ready_pf_needs_no_step)
{
	struct policy_host *h = host_new();
	struct steps *plan = calloc(1, sizeof(*plan));
	struct ovs_bridge bridge = { .name = "br-vferry" };

	host_make_ready(h, 0, "br-vferry");
	h->inventory.ovs.bridge = &bridge;
	h->inventory.ovs.bridges = 1;
	h->inventory.ovs.hw_offload = true;
	h->inventory.ovs.max_idle = 300000;
	CHECK_INT(plan_pf(&h->config, &h->inventory, &h->inventory.pf[0], "br-vferry", plan), 0);
	CHECK_STR(kinds(plan), "");
	steps_release(plan);
	free(plan);
	free(h);
}

TEST(open_vswitch_options_are_left_alone_when_another_bridge_depends_on_them)
{
	struct policy_host *h = host_new();
	struct steps *plan = calloc(1, sizeof(*plan));
	struct ovs_bridge bridge = { .name = "br-other" };

	h->inventory.ovs.bridge = &bridge;
	h->inventory.ovs.bridges = 1;
	CHECK_INT(plan_pf(&h->config, &h->inventory, &h->inventory.pf[0], "br-vferry", plan), 0);
	CHECK_STR(kinds(plan), "autoprobe eswitch num-vfs bridge uplink-port");
	steps_release(plan);
	free(plan);
	free(h);
}

TEST(the_number_of_vfs_is_bounded_by_the_card)
{
	struct policy_host *h = host_new();
	struct steps *plan = calloc(1, sizeof(*plan));

	h->config.vfs = 100;
	CHECK_INT(plan_pf(&h->config, &h->inventory, &h->inventory.pf[0], "br-vferry", plan), 0);
	CHECK_INT(plan->step[2].number, 8);
	steps_release(plan);
	free(plan);
	free(h);
}

TEST(a_vf_is_migratable_before_it_is_bound_and_its_representor_comes_last)
{
	struct policy_host *h = with_guest("0000:c1:00.2", PSID);
	struct steps *plan = calloc(1, sizeof(*plan));

	h->domain.hostdev[0].managed = false;
	h->domain.hostdev[0].kind = HOSTDEV_PLAIN;
	CHECK_INT(guest_place(h, NULL), 0);
	CHECK_INT(plan_vf_of(h, false, plan), 0);
	CHECK_STR(kinds(plan), "rates mac migratable bind representor-up port");
	CHECK_STR(plan->step[5].guest, h->domain.uuid);
	steps_release(plan);
	free(plan);
	free(h);
}

TEST(a_managed_interface_is_bound_and_given_its_mac_by_libvirt)
{
	struct policy_host *h = with_guest("0000:c1:00.2", PSID);
	struct steps *plan = calloc(1, sizeof(*plan));

	CHECK_INT(guest_place(h, NULL), 0);
	CHECK_INT(plan_vf_of(h, false, plan), 0);
	CHECK_STR(kinds(plan), "rates migratable representor-up port");
	steps_release(plan);
	free(plan);
	free(h);
}

TEST(the_mac_of_the_last_guest_goes_where_nobody_tells_the_next_ones)
{
	struct policy_host *h = with_guest("0000:c1:00.2", PSID);
	struct steps *plan = calloc(1, sizeof(*plan));

	host_make_ready(h, 0, "br-vferry");
	h->domain.hostdev[0].kind = HOSTDEV_PLAIN;
	h->domain.hostdev[0].has_mac = false;
	CHECK_INT(guest_place(h, NULL), 0);
	h->guest.vf[0].passport = NULL;
	mac_address_parse("52:54:00:12:34:56", &h->inventory.pf[0].vf[0].port.hw_addr);
	CHECK_INT(plan_vf_of(h, false, plan), 0);
	CHECK_STR(step_kind_name(plan->step[0].kind), "rates");
	CHECK_STR(plan->step[0].name, h->inventory.pf[0].uplink);
	CHECK_STR(plan->step[0].text, "0-0");
	CHECK_STR(step_kind_name(plan->step[1].kind), "mac");
	CHECK(mac_address_is_zero(&plan->step[1].mac));
	steps_release(plan);
	free(plan);
	free(h);
}

TEST(a_vf_whose_port_or_representor_is_missing_is_passed_over)
{
	struct policy_host *h = with_guest("0000:c1:00.2", PSID);

	host_make_ready(h, 0, "br-vferry");
	h->inventory.pf[0].vf[0].has_port = false;
	h->inventory.pf[0].vf[1].port.ifindex = 0;
	CHECK_INT(guest_place(h, NULL), 0);
	CHECK_INT(h->guest.vf[0].index, 2);
	free(h);
}

TEST(a_vf_that_a_driver_holds_is_unbound_first)
{
	struct policy_host *h = with_guest("0000:c1:00.2", PSID);
	struct steps *plan = calloc(1, sizeof(*plan));

	host_make_ready(h, 0, "br-vferry");
	strcpy(h->inventory.pf[0].vf[0].driver, "pci-stub");
	CHECK_INT(guest_place(h, NULL), 0);
	CHECK_INT(plan_vf_of(h, false, plan), 0);
	CHECK_STR(kinds(plan), "unbind rates migratable representor-up port");
	CHECK_STR(plan->step[0].before_text, "pci-stub");
	steps_release(plan);
	free(plan);
	free(h);
}

TEST(a_step_names_the_devlink_port_that_its_vf_has_now)
{
	struct policy_host *h = with_guest("0000:c1:00.2", PSID);
	struct steps *plan = calloc(1, sizeof(*plan));

	CHECK_INT(guest_place(h, NULL), 0);
	CHECK_INT(plan_vf_of(h, false, plan), 0);
	CHECK_INT(plan->step[0].port_index, 0); /* there is no VF yet */
	host_make_ready(h, 0, "br-vferry");
	for (unsigned int i = 0; i < h->inventory.pf[0].num_vfs; i++) {
		h->inventory.pf[0].vf[i].has_port = true;
		h->inventory.pf[0].vf[i].port.index = 65537 + i;
	}
	plan->count = 0;
	CHECK_INT(guest_place(h, NULL), 0);
	CHECK_INT(plan_vf_of(h, false, plan), 0);
	for (size_t i = 0; i < plan->count; i++)
		CHECK_INT(plan->step[i].port_index, 65537 + h->guest.vf[0].index);
	steps_release(plan);
	free(plan);
	free(h);
}

TEST(when_libvirt_has_bound_the_vf_only_the_rates_and_the_representor_are_left)
{
	struct policy_host *h = with_guest("0000:c1:00.2", PSID);
	struct steps *plan = calloc(1, sizeof(*plan));

	CHECK_INT(guest_place(h, NULL), 0);
	CHECK_INT(plan_vf_of(h, true, plan), 0);
	CHECK_STR(kinds(plan), "rates representor-up port");
	steps_release(plan);
	free(plan);
	free(h);
}
