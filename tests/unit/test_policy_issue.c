/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a host writes into the passport of a guest that runs there, and what the steps of the next host make of it. */
#include "policy_host.h"

#include <errno.h>

#include "policy/desired.h"
#include "policy/issue.h"

/* A host on which the guest runs with VF 2 of PF 0, whose representor is a port. */
static struct policy_host *running_host(struct ovs_port *port)
{
	struct policy_host *h = host_new();
	struct reason why = {0};

	host_make_ready(h, 0, "br0");
	strcpy(h->vf[0][2].port.netdev, "rep2");
	*port = (struct ovs_port){.name = "rep2", .bridge = "br0", .ofport = 3, .tag = -1};
	h->inventory.ovs.port = port;
	h->inventory.ovs.ports = 1;
	guest_add(h, "0000:81:00.4", NULL);
	CHECK_INT(guest_find(h, &why), 0);
	CHECK_INT(h->guest.vfs, 1);
	return h;
}

TEST(an_entry_says_where_the_vf_is_and_what_was_set_on_its_port)
{
	struct ovs_port port;
	struct policy_host *h = running_host(&port);
	struct passport passport;
	const struct passport_vf *vf = &passport.vf[0];

	port.settings = (struct port_settings){.has_tag = true, .tag = 42, .has_attached_mac = true, .attached_mac = h->domain.hostdev[0].mac};
	snprintf(port.settings.vm_id, sizeof(port.settings.vm_id), "%s", h->domain.uuid);
	snprintf(port.settings.iface_id, sizeof(port.settings.iface_id), "port-1");
	CHECK_INT(issue_passport(&h->guest, h->domain.uuid, &h->inventory, &passport), 0);
	CHECK(passport.present);
	CHECK_INT(passport.vfs, 1);
	CHECK(mac_address_equal(&vf->mac, &h->domain.hostdev[0].mac));
	CHECK(vf->has_pf && pci_address_equal(&vf->pf, &h->inventory.pf[0].address));
	CHECK_STR(vf->psid, "MT_0000000834");
	CHECK_STR(vf->firmware, "28.43.1014");
	CHECK_STR(vf->bridge, "br0");
	CHECK(vf->port.has_tag && vf->port.tag == 42);
	CHECK_STR(vf->port.iface_id, "port-1");
	/* what each host says by itself does not travel */
	CHECK(!vf->port.has_attached_mac);
	CHECK_STR(vf->port.vm_id, "");
	free(h);
}

TEST(names_that_a_controller_gave_travel)
{
	struct ovs_port port;
	struct policy_host *h = running_host(&port);
	struct passport passport;

	port.settings = (struct port_settings){.has_attached_mac = true, .attached_mac = {{2, 0, 0, 0, 0, 9}}, .vm_id = "vm-9"};
	CHECK_INT(issue_passport(&h->guest, h->domain.uuid, &h->inventory, &passport), 0);
	CHECK(port_settings_equal(&passport.vf[0].port, &port.settings));
	free(h);
}

TEST(a_plain_hostdev_gets_the_mac_of_its_function_or_no_entry)
{
	struct ovs_port port;
	struct policy_host *h = running_host(&port);
	struct passport passport;

	h->domain.hostdev[0].kind = HOSTDEV_PLAIN;
	h->domain.hostdev[0].has_mac = false;
	CHECK_INT(issue_passport(&h->guest, h->domain.uuid, &h->inventory, &passport), 1);
	CHECK_INT(passport.vfs, 0);
	h->vf[0][2].port.has_hw_addr = true;
	h->vf[0][2].port.hw_addr = (struct mac_address){{2, 0, 0, 0, 0, 7}};
	CHECK_INT(issue_passport(&h->guest, h->domain.uuid, &h->inventory, &passport), 0);
	CHECK(mac_address_equal(&passport.vf[0].mac, &h->vf[0][2].port.hw_addr));
	free(h);
}

TEST(a_guest_without_vfs_has_no_passport)
{
	struct policy_host *h = host_new();
	struct passport passport;

	CHECK_INT(issue_passport(&h->guest, h->domain.uuid, &h->inventory, &passport), 0);
	CHECK(!passport.present);
	free(h);
}

/* Returns the step of the port in a plan, NULL if there is none. */
static const struct step *port_step(const struct steps *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->step[i].kind == STEP_PORT)
			return &plan->step[i];
	return NULL;
}

TEST(somebody_elses_port_fits_with_its_vlans_and_iface_id_and_what_else_it_lacks_is_told)
{
	struct ovs_port port = { .name = "rep2", .bridge = "br0", .ofport = 3, .tag = -1 };
	struct port_settings wanted = { .ingress_rate = 1000 };
	struct reason why = { 0 };
	char missing[64];

	CHECK_INT(desired_port_fits(&port, &wanted, missing, sizeof(missing), &why), 0);
	CHECK_STR(missing, "ingress policing");
	strcpy(wanted.iface_id, "lsp1");
	CHECK_INT(desired_port_fits(&port, &wanted, missing, sizeof(missing), &why), -EEXIST);
	CHECK_CONTAINS(why.what, "without the guest's iface-id lsp1");
	strcpy(port.settings.iface_id, "lsp1");
	CHECK_INT(desired_port_fits(&port, &wanted, missing, sizeof(missing), &why), 0);
	port.tag = 100;
	CHECK_INT(desired_port_fits(&port, &wanted, missing, sizeof(missing), &why), -EEXIST);
	CHECK_CONTAINS(why.what, "VLAN tag 100 instead of no VLAN tag");
}

/* Whether somebody else's port with some trunks fits a guest that wants others. */
static bool fits_with_trunks(const char *has, const char *wants)
{
	struct ovs_port port = { .name = "rep2", .bridge = "br0", .ofport = 3, .tag = -1 };
	struct port_settings wanted = { 0 };
	struct reason why = { 0 };

	CHECK_INT(port_settings_parse_trunks(has, &port.settings), 0);
	CHECK_INT(port_settings_parse_trunks(wants, &wanted), 0);
	return desired_port_fits(&port, &wanted, NULL, 0, &why) == 0;
}

TEST(somebody_elses_port_with_as_many_trunks_fits_only_if_they_are_the_same)
{
	CHECK(fits_with_trunks("100 200", "100 200"));
	CHECK(!fits_with_trunks("100", "200"));
	CHECK(!fits_with_trunks("100 4095", "100 4094"));
	CHECK(!fits_with_trunks("0 1 2", "0 1 30"));
}

TEST(a_port_is_the_guests_by_its_lease_alone_and_somebody_elses_if_it_fits)
{
	struct policy_host *h = host_new();
	struct steps *plan = calloc(1, sizeof(*plan));
	struct ovs_port port = { .name = "rep2", .bridge = "br0", .ofport = 3, .tag = -1 };
	struct reason why = {0};

	CHECK(plan);
	host_make_ready(h, 0, "br0");
	strcpy(h->config.bridge, "br0");
	strcpy(h->vf[0][2].port.netdev, "rep2");
	h->vf[0][2].representor_up = true;
	guest_add(h, "0000:81:00.4", "MT_0000000834");
	CHECK_INT(guest_find(h, &why), 0);
	CHECK_INT(guest_place(h, &why), 0);
	h->inventory.ovs.port = &port;
	h->inventory.ovs.ports = 1;
	CHECK_INT(plan_vf_of(h, true, plan), 0);
	CHECK(!port_step(plan)); /* somebody else's without a tag, as the passport tells */
	port.tag = 42;
	CHECK_INT(plan_vf_of(h, true, plan), 0);
	CHECK(port_step(plan) != NULL);
	steps_release(plan);
	port.ours = true;
	strcpy(port.lease, "0123456789abcdef");
	CHECK_INT(plan_vf_of(h, true, plan), 0);
	CHECK(!port_step(plan)); /* the guest's own: what was set on it since is the operator's */
	strcpy(port.lease, "fedcba9876543210");
	h->domain.passport.vf[0].port = (struct port_settings){.has_tag = true, .tag = 42};
	CHECK_INT(plan_vf_of(h, true, plan), 0);
	CHECK(port_step(plan) && port_step(plan)->port.tag == 42);
	steps_release(plan);
	free(plan);
	free(h);
}
