/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_policy_network.c: how a bridge reaches a cable, on recorded states of Open vSwitch (data/network/record makes them), and what is
 * done about it.
 */
#include "policy_host.h"

#include "base/scope.h"
#include "host/inventory_join.h"
#include "policy/desired.h"
#include "policy/disturb.h"
#include "policy/network.h"
#include "switch/ovsdb.h"

#define P0 "enp129s0f0np0"
#define P1 "enp129s0f1np1"

/* The netdevs of the host; in a bond the uplinks have it as their master. */
static void join_netdevs(struct inventory *inventory, bool is_bonded)
{
	const uint32_t master = is_bonded ? 3 : 0;
	const struct netdev list[] = {
		{ .ifindex = 1, .name = P0, .parent = "0000:81:00.0", .port_name = "p0", .master = master, .mtu = 9000 },
		{ .ifindex = 2, .name = P1, .parent = "0000:81:00.1", .port_name = "p1", .master = master },
		{ .ifindex = 3, .name = "bond0", .kind = "bond" },
		{ .ifindex = 4, .name = "enp129s0f0.10", .kind = "vlan", .lower = 1 },
		{ .ifindex = 5, .name = "eno1", .parent = "0000:01:00.0" },
		{ .ifindex = 6, .name = "enp129s0f0r3", .parent = "0000:81:00.0", .port_name = "pf0vf3" },
	};
	const size_t count = sizeof(list) / sizeof(list[0]);

	for (size_t i = 0; i < inventory->pfs; i++)
		inventory_join_netdevs(&inventory->pf[i], list, count);
	inventory_join_devices(inventory, list, count);
	inventory_join_ovs(inventory);
}

/* A host with a recorded state of Open vSwitch. */
static struct policy_host *host_with(const char *state, bool is_bonded)
{
	struct policy_host *h = host_new();
	char path[64];
	autofree char *text = NULL;
	struct json_object *answer;

	snprintf(path, sizeof(path), "data/network/%s.json", state);
	text = CHECK_DATA(path, NULL);
	answer = json_tokener_parse(text);
	CHECK_INT(ovs_state_parse(answer, &h->inventory.ovs, NULL), 0);
	json_object_put(answer);
	join_netdevs(&h->inventory, is_bonded);
	return h;
}

static void host_free(struct policy_host *h)
{
	ovs_state_release(&h->inventory.ovs);
	free(h);
}

enum expected { TAKEN, PLUGGED, REFUSED };

static const struct network_row {
	const char *state;
	bool is_bonded;
	const char *bridge; /* that guests belong into */
	unsigned int pf;
	enum expected plug, present, ignore; /* for each value of the key */
	const char *says;   /* a part of the description, or of the refusal of "plug" */
} rows[] = {
	{ "nothing", false, "br-vferry", 0, PLUGGED, REFUSED, REFUSED, "" },
	{ "guests-only", false, "br-vferry", 0, PLUGGED, REFUSED, TAKEN, "" },
	{ "uplink", false, "br-ex", 0, TAKEN, TAKEN, TAKEN, P0 " is in bridge br-ex" },
	{ "uplink", false, "br-ex", 1, REFUSED, REFUSED, TAKEN, "has the uplink " P0 " already" },
	{ "patch", false, "br-int", 0, TAKEN, TAKEN, TAKEN, "bridge br-int reaches " P0 " by way of bridge br-ex" },
	{ "patch", false, "br-int", 1, REFUSED, REFUSED, TAKEN, "has the uplink " P0 " already" },
	{ "patch-chain", true, "br-int", 0, TAKEN, TAKEN, TAKEN, "reaches " P0 " by way of bridge br-ex" },
	{ "patch-chain", true, "br-mid", 1, TAKEN, TAKEN, TAKEN, "bridge br-mid reaches " P1 " by way of bridge br-ex" },
	{ "patch-broken", false, "br-int", 0, REFUSED, REFUSED, TAKEN, "is in bridge br-ex, and the VF belongs to bridge br-int" },
	{ "patch-empty", false, "br-int", 0, REFUSED, REFUSED, TAKEN, "joined with other bridges by patch ports" },
	{ "overlay", false, "br-int", 0, TAKEN, TAKEN, TAKEN, "reaches the network by tunnels (vx0)" },
	{ "overlay", true, "br-int", 1, TAKEN, TAKEN, TAKEN, "reaches the network by tunnels (vx0)" },
	{ "ovn", false, "br-int", 0, TAKEN, TAKEN, TAKEN, "bridge br-int is OVN's" },
	{ "ovn", false, "br-int", 1, TAKEN, TAKEN, TAKEN, "bridge br-int is OVN's" },
	{ "ovn-named", false, "br-cloud", 0, TAKEN, TAKEN, TAKEN, "bridge br-cloud is OVN's" },
	{ "vf-lag", true, "br-bond0", 0, TAKEN, TAKEN, TAKEN, P0 " is in bridge br-bond0" },
	{ "vf-lag", true, "br-bond0", 1, TAKEN, TAKEN, TAKEN, P1 " is in bridge br-bond0" },
	{ "vf-lag", false, "br-bond0", 0, REFUSED, TAKEN, TAKEN, "reaches the network by bond0 already" }, /* a bond of other devices */
	{ "nothing", true, "br-vferry", 0, REFUSED, REFUSED, REFUSED, "its uplink " P0 " is in bond bond0" },
	{ "ovs-bond", false, "br-ex", 1, TAKEN, TAKEN, TAKEN, P1 " is in bridge br-ex" },
	{ "two-bridges", false, "br-a", 0, TAKEN, TAKEN, TAKEN, P0 " is in bridge br-a" },
	{ "two-bridges", false, "br-b", 1, TAKEN, TAKEN, TAKEN, P1 " is in bridge br-b" },
	{ "two-bridges", false, "br-a", 1, REFUSED, REFUSED, TAKEN, "is in bridge br-b, and the VF belongs to bridge br-a" },
	{ "userspace", false, "br-ex", 0, REFUSED, REFUSED, REFUSED, "datapath of user space" },
	{ "vlan-device", false, "br-ex", 0, TAKEN, TAKEN, TAKEN, "bridge br-ex reaches " P0 " by way of a device on it" },
	{ "vlan-device", false, "br-ex", 1, REFUSED, REFUSED, TAKEN, "a second one would make a loop" },
	{ "other-device", false, "br-ex", 0, REFUSED, TAKEN, TAKEN, "reaches the network by eno1 already" },
};

/* Judges one row with one value of the key, and says what was found. */
static enum expected judge(const struct network_row *row, enum uplink uplink, char *says, size_t size)
{
	struct policy_host *h = host_with(row->state, row->is_bonded);
	const struct inventory_pf *pf = &h->inventory.pf[row->pf];
	struct reason why = { 0 };
	struct network network;
	bool plug = true;
	int error;

	h->config.uplink = uplink;
	snprintf(h->config.bridge, sizeof(h->config.bridge), "%s", row->bridge);
	error = network_judge(&h->config, &h->inventory, pf, row->bridge, &plug, &why);
	network_find(&h->inventory, row->bridge, &network);
	if (error)
		snprintf(says, size, "%s", why.what);
	else
		network_describe(&network, &h->inventory, pf, says, size);
	CHECK(!error == !*why.what && (!error || !plug));
	host_free(h);
	return error ? REFUSED : plug ? PLUGGED : TAKEN;
}

TEST(each_topology_is_taken_plugged_or_refused_as_the_key_says)
{
	static const char *const words[] = { "taken", "plugged", "refused" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct network_row *row = &rows[i];
		const enum expected expected[] = { row->plug, row->present, row->ignore };

		for (int uplink = UPLINK_PLUG; uplink <= UPLINK_IGNORE; uplink++) {
			char says[REASON_TEXT_MAX] = "";
			enum expected found = judge(row, (enum uplink)uplink, says, sizeof(says));

			if (found != expected[uplink])
				FAIL("%s, bridge %s, PF %u, uplink %d: %s, not %s: %s", row->state, row->bridge, row->pf, uplink, words[found],
				     words[expected[uplink]], says);
			if (uplink == UPLINK_PLUG)
				CHECK_CONTAINS(says, row->says);
		}
	}
}

TEST(no_uplink_is_plugged_where_the_key_says_that_it_is_somebody_elses_business)
{
	struct policy_host *h = host_with("nothing", false);
	struct reason why = { 0 };
	bool plug;

	CHECK_INT(network_judge(&h->config, &h->inventory, &h->inventory.pf[0], h->config.bridge, &plug, NULL), 0);
	CHECK(plug);
	h->config.plug_uplink = false;
	CHECK_INT(network_judge(&h->config, &h->inventory, &h->inventory.pf[0], h->config.bridge, &plug, &why), -EBUSY);
	CHECK_CONTAINS(why.what, "uplink = present");
	CHECK(*why.cure);
	host_free(h);
}

TEST(the_bridge_of_a_vf_that_nobody_tells_is_that_of_its_pf)
{
	static const struct {
		const char *state, *configured;
		unsigned int pf;
		const char *bridge;
	} cases[] = {
		{ "two-bridges", "br-a", 0, "br-a" },
		{ "two-bridges", "br-a", 1, "br-b" },
		{ "two-bridges", "br-vferry", 1, "br-b" },
		{ "uplink", "br-vferry", 1, "br-vferry" },
		{ "patch", "br-int", 0, "br-int" },
		{ "patch", "br-vferry", 0, "br-ex" },
		{ "ovn", "br-int", 0, "br-int" },
		{ "nothing", "br-vferry", 0, "br-vferry" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy_host *h = host_with(cases[i].state, false);

		snprintf(h->config.bridge, sizeof(h->config.bridge), "%s", cases[i].configured);
		CHECK_STR(network_bridge(&h->config, &h->inventory, &h->inventory.pf[cases[i].pf]), cases[i].bridge);
		CHECK_STR(network_bridge(&h->config, &h->inventory, NULL), cases[i].configured);
		host_free(h);
	}
}

/* Whether a plan has a step of a kind. */
static bool has_step(const struct steps *plan, enum step_kind kind)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->step[i].kind == kind)
			return true;
	}
	return false;
}

TEST(a_plan_plugs_nothing_and_sets_no_option_where_others_made_the_network)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_host *h = host_with(rows[i].state, rows[i].is_bonded);
		autosteps struct steps plan = { 0 };

		snprintf(h->config.bridge, sizeof(h->config.bridge), "%s", rows[i].bridge);
		CHECK_INT(plan_pf(&h->config, &h->inventory, &h->inventory.pf[rows[i].pf], rows[i].bridge, &plan), 0);
		CHECK_INT(has_step(&plan, STEP_UPLINK_PORT), rows[i].plug == PLUGGED);
		if (!strncmp(rows[i].state, "ov", 2) && strcmp(rows[i].state, "ovs-bond"))
			CHECK(!has_step(&plan, STEP_OVS_OPTION));
		host_free(h);
	}
}

/* Places a guest on a host with two PFs that are both ready. Return: as placement does. */
static int place(struct policy_host *h, const char *source, const char *bridge, struct reason *why)
{
	for (unsigned int i = 0; i < 2; i++) {
		char bridge_of_pf[64];

		memcpy(bridge_of_pf, h->inventory.pf[i].uplink_bridge, sizeof(bridge_of_pf));
		host_make_ready(h, i, bridge_of_pf);
	}
	guest_add(h, source, bridge ? "MT_0000000834" : NULL);
	if (bridge)
		snprintf(h->domain.passport.vf[0].bridge, sizeof(h->domain.passport.vf[0].bridge), "%s", bridge);
	CHECK_INT(guest_find(h, why), 0);
	return guest_place(h, why);
}

TEST(an_arriving_vf_gets_the_pf_whose_network_it_is_in)
{
	struct policy_host *h = host_with("two-bridges", false);
	struct reason why = { 0 };

	CHECK_INT(place(h, "0000:c1:00.2", "br-b", &why), 0);
	CHECK(h->guest.vf[0].pf == &h->inventory.pf[1]);
	host_free(h);
	h = host_with("two-bridges", false); /* without a passport: by its address */
	strcpy(h->config.bridge, "br-a");
	CHECK_INT(place(h, "0000:81:01.2", NULL, &why), 0);
	CHECK(h->guest.vf[0].pf == &h->inventory.pf[1]);
	CHECK_STR(h->guest.vf[0].bridge, "br-b");
	host_free(h);
	h = host_with("two-bridges", false); /* never another */
	CHECK_INT(place(h, "0000:c1:00.2", "br-c", &why), -ENOSPC);
	host_free(h);
	h = host_with("patch", false);
	CHECK_INT(place(h, "0000:c1:00.2", "br-int", &why), 0);
	CHECK(h->guest.vf[0].pf == &h->inventory.pf[0]);
	host_free(h);
}

TEST(vfs_of_both_members_of_a_bond_reach_its_bridge)
{
	struct policy_host *h = host_with("vf-lag", true);
	struct reason why = { 0 };

	CHECK_INT(place(h, "0000:c1:00.2", "br-bond0", &why), 0);
	for (unsigned int i = 0; i < 8; i++)
		strcpy(h->vf[0][i].driver, "vfio-pci");
	CHECK_INT(guest_place(h, &why), 0);
	CHECK(h->guest.vf[0].pf == &h->inventory.pf[1]);
	host_free(h);
}

TEST(more_bridges_than_are_looked_at_plug_nothing)
{
	struct ovs_bridge bridges[NETWORK_MAX_BRIDGES + 2] = { 0 };
	struct ovs_port ports[2 * (NETWORK_MAX_BRIDGES + 1)] = { 0 };
	struct policy_host *h = host_new();
	struct network network;
	bool plug;

	for (int i = 0; i < NETWORK_MAX_BRIDGES + 2; i++)
		snprintf(bridges[i].name, sizeof(bridges[i].name), "br%d", i);
	for (int i = 0; i < NETWORK_MAX_BRIDGES + 1; i++) {
		struct ovs_port *here = &ports[2 * i], *there = here + 1;

		snprintf(here->name, sizeof(here->name), "to%d", i);
		snprintf(there->name, sizeof(there->name), "from%d", i);
		snprintf(here->peer, sizeof(here->peer), "from%d", i);
		snprintf(there->peer, sizeof(there->peer), "to%d", i);
		snprintf(here->bridge, sizeof(here->bridge), "br%d", i);
		snprintf(there->bridge, sizeof(there->bridge), "br%d", i + 1);
		strcpy(here->type, "patch");
		strcpy(there->type, "patch");
	}
	h->inventory.ovs = (struct ovs_state){ .bridge = bridges, .bridges = NETWORK_MAX_BRIDGES + 2, .port = ports,
					       .ports = 2 * (NETWORK_MAX_BRIDGES + 1) };
	network_find(&h->inventory, "br0", &network);
	CHECK(network.too_many);
	CHECK_INT(network.bridges, NETWORK_MAX_BRIDGES);
	CHECK(network_has_way(&network));
	strcpy(h->config.bridge, "br0");
	CHECK_INT(network_judge(&h->config, &h->inventory, &h->inventory.pf[0], "br0", &plug, NULL), -EBUSY);
	free(h);
}

TEST(a_representor_gets_the_mtu_of_the_uplink_and_never_less_than_it_has)
{
	static const struct {
		unsigned int uplink, representor, wanted;
	} cases[] = { { 9000, 1500, 9000 }, { 1500, 1500, 0 }, { 1500, 9000, 0 }, { 0, 1500, 0 }, { 9000, 0, 0 }, { 1501, 1500, 1501 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct inventory_pf pf = { .uplink_mtu = cases[i].uplink };
		const struct inventory_vf vf = { .representor_mtu = cases[i].representor };

		CHECK_INT(network_mtu(&pf, &vf), cases[i].wanted);
	}
}

TEST(a_guests_representor_gets_its_mtu_before_it_becomes_a_port)
{
	struct inventory_pf pf = { .uplink_mtu = 9000 };
	struct inventory_vf now = { .representor_mtu = 1500 };
	const struct hostdev device = { .kind = HOSTDEV_INTERFACE, .managed = true };
	struct guest_vf vf = { .device = &device, .pf = &pf };
	const struct owner owner = { .uuid = "11111111-2222-3333-4444-555555555555" };
	static const struct {
		unsigned int vfs, has, mtu; /* VFs that the PF has, MTU of the representor, and the one that is wanted; 0: none */
	} cases[] = { { 0, 0, 9000 }, { 1, 1500, 9000 }, { 1, 9000, 0 }, { 1, 9216, 0 } };

	pf.vf = &now;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		autosteps struct steps steps = { 0 };
		size_t mtu = 0, port = 0;

		pf.num_vfs = cases[i].vfs;
		now.representor_mtu = cases[i].has;
		CHECK_INT(desired_of_guest(&vf, &owner, false, &steps), 0);
		for (size_t k = 0; k < steps.count; k++) {
			if (steps.step[k].kind == STEP_MTU)
				mtu = k + 1;
			if (steps.step[k].kind == STEP_PORT)
				port = k + 1;
		}
		CHECK(port && mtu < port);
		CHECK_INT(mtu ? steps.step[mtu - 1].number : 0, cases[i].mtu);
	}
}
