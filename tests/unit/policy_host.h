/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy_host.h: a host and a guest made of structs, for the tests of policy. Nothing here touches a machine.
 *
 * The host has one card with two PFs, 0000:81:00.0 and 0000:81:00.1, 8 VFs each, as it boots: legacy mode, no VFs, no bridge.
 */
#ifndef VFERRY_TESTS_POLICY_HOST_H
#define VFERRY_TESTS_POLICY_HOST_H

#include "check.h"

#include "base/config.h"
#include "policy/guest.h"
#include "policy/placement.h"
#include "policy/plan.h"
#include "policy/rules.h"

struct policy_host {
	struct config config;
	struct inventory inventory;
	struct status_list running;
	struct record_list leases;
	struct domain domain;
	struct guest guest;
	struct inventory_vf vf[2][8];
	struct hostdev hostdev[64];
};

static inline struct pci_address address_of(const char *text)
{
	struct pci_address address = { 0 };

	if (pci_address_parse(text, &address))
		FAIL("the test has a bad PCI address: %s", text);
	return address;
}

/* One PF as it boots; its VFs are described, and exist once host_create_vfs() was called. */
static inline void host_fill_pf(struct policy_host *h, unsigned int number)
{
	struct inventory_pf *pf = &h->inventory.pf[number];

	*pf = (struct inventory_pf){ .address = address_of(number ? "0000:81:00.1" : "0000:81:00.0"),
				     .card = *card_find(0x15b3, 0x1021),
				     .mode = ESWITCH_LEGACY,
				     .total_vfs = 8,
				     .offset = number ? 9 : 2,
				     .stride = 1,
				     .autoprobe = true,
				     .numa_node = -1,
				     .uplink_up = true,
				     .vf = h->vf[number] };
	strcpy(pf->driver, "mlx5_core");
	strcpy(pf->info.psid, "MT_0000000834");
	strcpy(pf->info.firmware, "28.43.1014");
	snprintf(pf->uplink, sizeof(pf->uplink), "enp129s0f%unp%u", number, number);
	for (unsigned int i = 0; i < 8; i++) {
		struct inventory_vf *vf = &h->vf[number][i];

		*vf = (struct inventory_vf){ .index = i, .group_members = 1 };
		if (pci_address_vf(&pf->address, pf->offset, pf->stride, i, &vf->address))
			FAIL("no address for VF %u", i);
	}
}

/* A host as it boots, and a guest without devices. */
static inline struct policy_host *host_new(void)
{
	struct policy_host *h = calloc(1, sizeof(*h));

	if (!h)
		FAIL("out of memory");
	config_defaults(&h->config);
	h->inventory.pfs = 2;
	h->inventory.has_ovs = h->inventory.has_variant_driver = h->inventory.has_iommu = true;
	h->inventory.ovs.max_idle = -1;
	host_fill_pf(h, 0);
	host_fill_pf(h, 1);
	strcpy(h->domain.uuid, "11111111-2222-3333-4444-555555555555");
	strcpy(h->domain.name, "guest1");
	return h;
}

/* A PF that was made ready: switchdev, VFs, uplink in the bridge. */
static inline void host_make_ready(struct policy_host *h, unsigned int number, const char *bridge)
{
	struct inventory_pf *pf = &h->inventory.pf[number];

	pf->mode = ESWITCH_SWITCHDEV;
	pf->num_vfs = 8;
	pf->autoprobe = false;
	strcpy(pf->uplink_bridge, bridge);
	for (unsigned int i = 0; i < 8; i++) {
		pf->vf[i].has_port = pf->vf[i].port.can_migrate = true;
		pf->vf[i].port.ifindex = 100 * (number + 1) + i;
	}
}

/* Adds a hostdev interface with a source address and, if psid is not NULL, a passport entry of this PSID and the host's firmware. */
static inline struct hostdev *guest_add(struct policy_host *h, const char *source, const char *psid)
{
	struct hostdev *device = &h->hostdev[h->domain.hostdevs];
	struct passport_vf *entry = &h->domain.passport.vf[h->domain.passport.vfs];

	*device = (struct hostdev){ .kind = HOSTDEV_INTERFACE, .managed = true, .has_source = true, .source = address_of(source), .has_mac = true,
				    .mac = { { 0x52, 0x54, 0, 0, 0, (uint8_t)h->domain.hostdevs } } };
	h->domain.hostdev = h->hostdev;
	h->domain.hostdevs++;
	if (!psid)
		return device;
	*entry = (struct passport_vf){ .mac = device->mac, .has_pf = true, .pf = address_of("0000:c1:00.0") };
	snprintf(entry->psid, sizeof(entry->psid), "%s", psid);
	snprintf(entry->firmware, sizeof(entry->firmware), "28.43.1014");
	h->domain.passport.present = true;
	h->domain.passport.vfs++;
	device->passport = entry;
	return device;
}

/* Finds the guest's VFs, without pools. */
static inline int guest_find(struct policy_host *h, struct reason *why)
{
	struct guest_search search = { .config = &h->config, .domain = &h->domain, .inventory = &h->inventory, .incoming = true };

	return guest_find_vfs(&search, &h->guest, why);
}

/* Places the guest. */
static inline int guest_place(struct policy_host *h, struct reason *why)
{
	struct placement p = { .config = &h->config, .inventory = &h->inventory, .running = &h->running, .leases = &h->leases,
			       .uuid = h->domain.uuid, .incoming = true };

	return placement_choose(&p, &h->guest, why);
}

/* Plans the guest's first VF for a lease of it. */
static inline int plan_vf_of(struct policy_host *h, bool bound, struct steps *plan)
{
	struct owner owner = { .lease = "0123456789abcdef" };

	snprintf(owner.uuid, sizeof(owner.uuid), "%s", h->domain.uuid);
	return plan_vf(&h->inventory, &h->guest.vf[0], &owner, bound, plan);
}

#endif
