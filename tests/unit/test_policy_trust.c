/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_policy_trust.c: what a passport may ask for, at an arrival and at an ordinary start alike, and what it may not take from others.
 */
#include "policy_host.h"

#include "policy/trust.h"

#define UUID "11111111-2222-3333-4444-555555555555"
#define OTHER "99999999-2222-3333-4444-555555555555"
#define PSID "MT_0000000834"

/* A host whose two PFs are ready in one bridge, and a guest with one VF. */
static struct policy_host *host_with_guest(void)
{
	static struct ovs_bridge bridge = { .name = "br-vferry" };
	struct policy_host *h = host_new();

	host_make_ready(h, 0, "br-vferry");
	for (unsigned int i = 0; i < 8; i++)
		snprintf(h->vf[0][i].port.netdev, sizeof(h->vf[0][i].port.netdev), "rep%u", i);
	h->inventory.ovs.bridge = &bridge;
	h->inventory.ovs.bridges = 1;
	guest_add(h, "0000:81:00.4", PSID);
	snprintf(h->domain.passport.vf[0].bridge, sizeof(h->domain.passport.vf[0].bridge), "br-vferry");
	return h;
}

/* Judges as at an arrival, and as at a start: both must say the same. Return: 0, -EACCES with *why. */
static int judge(struct policy_host *h, struct reason *why)
{
	struct placement p = { .config = &h->config, .inventory = &h->inventory, .running = &h->running, .leases = &h->leases,
			       .uuid = h->domain.uuid, .incoming = true };
	struct reason at_start = { 0 };
	int arrival, start;

	CHECK_INT(guest_find(h, NULL), 0);
	arrival = placement_choose(&p, &h->guest, why);
	p.incoming = false;
	start = placement_fixed(&p, &h->guest, &at_start);
	CHECK((arrival == -EACCES) == (start == -EACCES));
	if (arrival == -EACCES) {
		CHECK_STR(at_start.what, why->what);
		CHECK_STR(why->rule, "trust");
		CHECK(*why->cure);
	}
	return arrival;
}

/* What a passport asks for, and what the keys allow. */
static const struct trust_row {
	const char *key, *value; /* of [trust] */
	struct port_settings port;
	const char *bridge;
	const char *refused;     /* what is named; NULL: allowed */
	const char *trunks;      /* of the port, beside the rest */
} rows[] = {
	{ "bridges", "any", { 0 }, "br-vferry", NULL, NULL },
	{ "bridges", "br-a br-b", { 0 }, "br-vferry", NULL, NULL }, /* that of [host] is always allowed */
	{ "bridges", "br-a, br-b", { 0 }, "br-c", "bridge br-c, which bridges in [trust]", NULL },
	{ "bridges", "br-a, br-b", { 0 }, "br-", "bridge br-, which", NULL },
	{ "vlans", "any", { .has_tag = true, .tag = 42 }, NULL, NULL, NULL },
	{ "vlans", "100-199", { .has_tag = true, .tag = 100 }, NULL, NULL, NULL },
	{ "vlans", "100-199", { .has_tag = true, .tag = 42 }, NULL, "VLAN 42, which vlans", NULL },
	{ "vlans", "100-199", { 0 }, NULL, "a port that carries every VLAN", NULL },
	{ "vlans", "none 100-199", { 0 }, NULL, NULL, NULL },
	{ "vlans", "none 100-199", { .vlan_mode = "trunk" }, NULL, "a port that carries every VLAN", NULL },
	{ "vlans", "none 100-199", { .has_tag = true, .tag = 100, .vlan_mode = "native-untagged" }, NULL, "every VLAN", NULL },
	{ "vlans", "100-199", { .has_tag = true, .tag = 100, .vlan_mode = "access" }, NULL, NULL, NULL },
	{ "vlans", "100-199", { .has_tag = true, .tag = 100, .vlan_mode = "dot1q-tunnel" }, NULL, NULL, NULL },
	{ "vlans", "100-199", { 0 }, NULL, "VLAN 200, which vlans", "100 200" },
	{ "vlans", "0-199", { 0 }, NULL, "VLAN 200, which vlans", "100 200" },
	{ "vlans", "100-199", { 0 }, NULL, "VLAN 99, which vlans", "99 100 199" },
	{ "vlans", "100-199", { 0 }, NULL, NULL, "100 199" },
	{ "vlans", "100-200", { 0 }, NULL, NULL, "100 200" },
	{ "vlans", "0-4094", { 0 }, NULL, "VLAN 4095, which vlans", "0 4095" },
	{ "trunks", "no", { 0 }, NULL, "a port that carries several VLANs, which trunks", "100" },
	{ "trunks", "no", { .has_tag = true, .tag = 5, .vlan_mode = "native-tagged" }, NULL, "several VLANs", NULL },
	{ "trunks", "no", { .has_tag = true, .tag = 5 }, NULL, NULL, NULL },
	{ "iface_id", "yes", { .iface_id = "2f1c" }, NULL, NULL, NULL },
	{ "iface_id", "no", { .iface_id = "2f1c" }, NULL, "iface-id 2f1c, which iface_id", NULL },
	{ "qos", "no", { .ingress_rate = 1000 }, NULL, "limits of traffic (QoS), which qos", NULL },
	{ "qos", "no", { .qos = "linux-htb max-rate=1000" }, NULL, "limits of traffic (QoS), which qos", NULL },
	{ "qos", "yes", { .ingress_rate = 1000 }, NULL, NULL, NULL },
};

/* Sets a key of [trust]. */
static void set_key(struct config *config, const char *name, const char *value)
{
	for (const struct config_key *key = config_keys(); key->section; key++) {
		if (strcmp(key->section, "trust") == 0 && strcmp(key->name, name) == 0) {
			CHECK_INT(key->set(key, value, config), 0);
			return;
		}
	}
	FAIL("there is no key %s in [trust]", name);
}

TEST(what_a_passport_asks_for_is_allowed_or_refused_by_name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_host *h = host_with_guest();
		struct passport_vf *passport = &h->domain.passport.vf[0];
		struct reason why = { 0 };
		int error;

		set_key(&h->config, rows[i].key, rows[i].value);
		passport->port = rows[i].port;
		if (rows[i].trunks)
			CHECK_INT(port_settings_parse_trunks(rows[i].trunks, &passport->port), 0);
		if (rows[i].bridge)
			snprintf(passport->bridge, sizeof(passport->bridge), "%s", rows[i].bridge);
		error = judge(h, &why);
		if (error == -EACCES && !rows[i].refused)
			FAIL("row %zu: %s", i, why.what);
		if (rows[i].refused) {
			CHECK_INT(error, -EACCES);
			CHECK_CONTAINS(why.what, rows[i].refused);
		}
		free(h);
	}
}

/* A port of Open vSwitch beside the guest's, and who may have it. */
static struct ovs_port port_with(const char *name, const char *iface_id, const char *vm_id)
{
	struct ovs_port port = { .bridge = "br-vferry" };

	snprintf(port.name, sizeof(port.name), "%s", name);
	snprintf(port.settings.iface_id, sizeof(port.settings.iface_id), "%s", iface_id);
	snprintf(port.settings.vm_id, sizeof(port.settings.vm_id), "%s", vm_id);
	return port;
}

/* Judges a guest with iface-id 2f1c beside one port. */
static int judge_beside(struct policy_host *h, struct ovs_port *port, struct reason *why)
{
	snprintf(h->domain.passport.vf[0].port.iface_id, sizeof(h->domain.passport.vf[0].port.iface_id), "2f1c");
	h->inventory.ovs.port = port;
	h->inventory.ovs.ports = 1;
	return judge(h, why);
}

TEST(an_iface_id_that_another_port_has_is_refused)
{
	struct policy_host *h = host_with_guest();
	struct ovs_port port = port_with("vnet3", "2f1c", "");
	struct reason why = { 0 };

	CHECK_INT(judge_beside(h, &port, &why), -EACCES);
	CHECK_STR(why.what, "iface-id 2f1c, which the guest brings along, is that of port vnet3 here");
	port = port_with("vnet3", "2f1c", OTHER);
	CHECK_INT(judge_beside(h, &port, &why), -EACCES);
	port = port_with("vnet3", "2f1d", "");
	CHECK_INT(judge_beside(h, &port, &why), 0);
	free(h);
}

TEST(a_port_of_the_same_guest_or_of_a_vf_that_nobody_has_is_no_obstacle)
{
	struct policy_host *h = host_with_guest();
	struct pci_address device = address_of("0000:81:00.5");
	struct status status = { .uuid = OTHER, .name = "web2", .device = &device, .devices = 1 };
	struct ovs_port port = port_with("old", "2f1c", UUID);
	struct reason why = { 0 };

	CHECK_INT(judge_beside(h, &port, &why), 0);
	port = port_with("old", "2f1c", "");
	snprintf(port.guest, sizeof(port.guest), UUID);
	CHECK_INT(judge_beside(h, &port, &why), 0);
	port = port_with("old", "2f1c", "");
	snprintf(port.settings.vm_uuid, sizeof(port.settings.vm_uuid), UUID);
	CHECK_INT(judge_beside(h, &port, &why), 0);
	port = port_with("rep3", "2f1c", ""); /* VF 3, which nobody has */
	CHECK_INT(judge_beside(h, &port, &why), 0);
	h->running = (struct status_list){ .status = &status, .count = 1 };
	CHECK_INT(judge_beside(h, &port, &why), -EACCES); /* and now somebody has it */
	free(h);
}

TEST(a_mac_that_another_guest_or_port_has_is_refused)
{
	struct policy_host *h = host_with_guest();
	struct mac_address mac = h->domain.hostdev[0].mac;
	struct status status = { .uuid = OTHER, .name = "web\n2", .mac = &mac, .macs = 1 };
	struct ovs_port port = port_with("tap7", "", "");
	struct record_vf leased = { .mac = mac };
	struct record lease = { .uuid = OTHER, .name = "web3", .vfs = 1, .vf = &leased };
	struct reason why = { 0 };

	h->running = (struct status_list){ .status = &status, .count = 1 };
	CHECK_INT(judge(h, &why), -EACCES);
	CHECK_STR(why.what, "MAC 52:54:00:00:00:00, which the guest brings along, is that of guest web?2 here");
	strcpy(status.uuid, UUID);
	CHECK_INT(judge(h, &why), 0);
	h->running.count = 0;
	port.settings.has_attached_mac = true;
	port.settings.attached_mac = mac;
	CHECK_INT(judge_beside(h, &port, &why), -EACCES);
	CHECK_CONTAINS(why.what, "port tap7");
	h->inventory.ovs.ports = 0;
	h->leases = (struct record_list){ .record = &lease, .count = 1 };
	CHECK_INT(judge(h, &why), -EACCES);
	CHECK_CONTAINS(why.what, "guest web3");
	free(h);
}

TEST(an_attached_mac_or_uuid_that_is_anothers_is_refused)
{
	struct policy_host *h = host_with_guest();
	struct mac_address mac = { { 0x52, 0x54, 0, 9, 9, 9 } };
	struct status status = { .uuid = OTHER, .name = "web2", .mac = &mac, .macs = 1 };
	struct port_settings *port = &h->domain.passport.vf[0].port;
	struct reason why = { 0 };

	h->running = (struct status_list){ .status = &status, .count = 1 };
	CHECK_INT(judge(h, &why), 0);
	port->has_attached_mac = true;
	port->attached_mac = mac;
	CHECK_INT(judge(h, &why), -EACCES);
	CHECK_CONTAINS(why.what, "MAC 52:54:00:09:09:09");
	port->has_attached_mac = false;
	strcpy(port->vm_id, OTHER);
	CHECK_INT(judge(h, &why), -EACCES);
	CHECK_CONTAINS(why.what, "uuid " OTHER);
	strcpy(port->vm_id, UUID);
	strcpy(port->vm_uuid, OTHER);
	CHECK_INT(judge(h, &why), -EACCES);
	free(h);
}

TEST(a_uuid_is_the_same_in_other_letters)
{
	static const char running[] = "abcdef99-2222-3333-4444-5555555555ff", wanted[] = "ABCDEF99-2222-3333-4444-5555555555FF";
	struct policy_host *h = host_with_guest();
	struct port_settings *asked = &h->domain.passport.vf[0].port;
	struct status status = { .name = "web2" };
	struct ovs_port port = port_with("old", "2f1c", wanted);
	struct reason why = { 0 };

	strcpy(status.uuid, running);
	h->running = (struct status_list){ .status = &status, .count = 1 };
	strcpy(asked->vm_id, wanted);
	CHECK_INT(judge(h, &why), -EACCES);
	CHECK_CONTAINS(why.what, "that of guest web2 here");
	*asked->vm_id = '\0';
	strcpy(asked->vm_uuid, wanted);
	CHECK_INT(judge(h, &why), -EACCES);
	h->running.count = 0;
	strcpy(h->domain.uuid, running); /* and its own port is its own */
	CHECK_INT(judge_beside(h, &port, &why), 0);
	free(h);
}

TEST(two_vfs_of_a_guest_have_an_iface_id_each)
{
	struct policy_host *h = host_with_guest();
	struct passport_vf *passport = h->domain.passport.vf;
	struct reason why = { 0 };

	guest_add(h, "0000:81:00.5", PSID);
	snprintf(passport[1].bridge, sizeof(passport[1].bridge), "br-vferry");
	strcpy(passport[0].port.iface_id, "2f1c");
	strcpy(passport[1].port.iface_id, "2f1d");
	CHECK_INT(judge(h, &why), 0);
	strcpy(passport[1].port.iface_id, "2f1c");
	CHECK_INT(judge(h, &why), -EACCES);
	CHECK_CONTAINS(why.what, "iface-id 2f1c");
	free(h);
}

/* The host with the guest, whose VF has no passport. Free it. */
static struct policy_host *host_with_untold_guest(void)
{
	struct policy_host *h = host_with_guest();

	h->hostdev[0].passport = NULL;
	h->domain.passport.vfs = 0;
	return h;
}

TEST(what_cannot_be_understood_of_a_passport_is_no_way_round_it)
{
	struct policy_host *h = host_with_untold_guest();
	struct reason why = { 0 };

	CHECK_INT(guest_find(h, &why), 0);
	CHECK_INT(guest_place(h, &why), 0);
	h->domain.passport.ignored = 1;
	strcpy(h->domain.passport.note, "entry 1 has a wrong trunks");
	CHECK_INT(guest_find(h, &why), 0);
	CHECK_INT(guest_place(h, &why), -EACCES);
	CHECK_CONTAINS(why.what, "entry 1 has a wrong trunks");
	CHECK(*why.cure);
	free(h);
}

TEST(a_guest_that_arrives_without_a_passport_gets_no_more_vlans_than_one_that_asks_for_none)
{
	struct policy_host *h = host_with_untold_guest();
	struct reason why = { 0 };

	set_key(&h->config, "vlans", "100-199");
	CHECK_INT(guest_find(h, &why), 0);
	CHECK_INT(guest_place(h, &why), -EACCES);
	CHECK_CONTAINS(why.what, "a port that carries every VLAN, which vlans in [trust]");
	set_key(&h->config, "vlans", "100-199 none");
	CHECK_INT(guest_place(h, &why), 0);
	set_key(&h->config, "vlans", "any");
	CHECK_INT(guest_place(h, &why), 0);
	free(h);
}

TEST(an_iface_id_of_another_vf_that_the_guest_runs_with_is_not_given_twice)
{
	struct policy_host *h = host_with_guest();
	struct pci_address device[] = { address_of("0000:81:00.4"), address_of("0000:81:00.5") };
	struct status status = { .uuid = UUID, .name = "guest1", .device = device, .devices = 2 };
	struct placement p = { .config = &h->config, .inventory = &h->inventory, .running = &h->running, .leases = &h->leases,
			       .uuid = h->domain.uuid, .holds = true };
	struct ovs_port port = port_with("rep3", "2f1c", UUID); /* VF 3 is 0000:81:00.5 */
	struct reason why = { 0 };

	h->running = (struct status_list){ .status = &status, .count = 1 };
	strcpy(h->domain.passport.vf[0].port.iface_id, "2f1c");
	h->inventory.ovs.port = &port;
	h->inventory.ovs.ports = 1;
	CHECK_INT(guest_find(h, NULL), 0);
	CHECK_INT(placement_fixed(&p, &h->guest, &why), -EACCES);
	CHECK_CONTAINS(why.what, "is that of port rep3 here");
	strcpy(port.name, "rep2"); /* its own */
	CHECK_INT(placement_fixed(&p, &h->guest, &why), 0);
	free(h);
}
