/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_decide.c: what policy decides about an incoming guest, whatever its XML says. The host has two PFs with 8 VFs each: on the first,
 * in switchdev mode, one VF arrives, one is promised and one has a guest; the second is as it boots. The configuration's
 * bridge is that of the first PF, or one that is still to be made. A guest that is let in keeps to every
 * limit, gets VFs that are nobody's, and its plan can be written to a journal and read back.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdio.h>

#include "base/scope.h"
#include "policy/placement.h"
#include "policy/plan.h"
#include "policy/rules.h"

#define PF_VFS 8
#define PSID "MT_0000000834"
#define FIRMWARE "28.43.1014"
#define BRIDGE "br-vferry"

static const int errors[] = { -EPERM, -ENODEV, PLACEMENT_WAIT, -ENOSPC, -E2BIG, 0 };

/* The host. */
static struct config config;
static struct inventory inventory;
static struct inventory_vf vfs[2][PF_VFS];
static struct pci_address devices[2];
static struct status statuses[2];
static struct record_vf promised_vf;
static struct record leases[1];
static const struct status_list running = { .status = statuses, .count = 2 };
static const struct record_list promised = { .record = leases, .count = 1 };
static struct network_pool pool = { .is_pool = true, .pf = "enp129s0f0np0" };

/* Fills one PF. */
static void fill_pf(unsigned int number)
{
	struct inventory_pf *pf = &inventory.pf[number];

	*pf = (struct inventory_pf){ .address = { .bus = 0x81, .function = (uint8_t)number }, .card = *card_find(0x15b3, 0x1021),
				     .mode = number ? ESWITCH_LEGACY : ESWITCH_SWITCHDEV, .total_vfs = PF_VFS,
				     .num_vfs = number ? 0 : PF_VFS, .offset = number ? 9 : 2, .stride = 1, .autoprobe = number,
				     .numa_node = -1, .uplink_up = true, .vf = vfs[number] };
	snprintf(pf->driver, sizeof(pf->driver), "mlx5_core");
	snprintf(pf->info.psid, sizeof(pf->info.psid), PSID);
	snprintf(pf->info.firmware, sizeof(pf->info.firmware), FIRMWARE);
	snprintf(pf->uplink, sizeof(pf->uplink), "enp129s0f%unp%u", number, number);
	snprintf(pf->uplink_bridge, sizeof(pf->uplink_bridge), "%s", number ? "" : BRIDGE);
	for (unsigned int i = 0; i < PF_VFS; i++) {
		vfs[number][i] = (struct inventory_vf){ .index = i, .group_members = 1, .has_port = true, .port.can_migrate = true };
		REQUIRE(pci_address_vf(&pf->address, pf->offset, pf->stride, i, &vfs[number][i].address) == 0);
	}
}

/* Makes the host, once. */
static void make_host(void)
{
	static struct ovs_bridge bridge = { .name = BRIDGE };

	if (inventory.pfs)
		return;
	config_defaults(&config);
	inventory.pfs = 2;
	inventory.has_ovs = inventory.has_variant_driver = inventory.has_iommu = true;
	inventory.ovs = (struct ovs_state){ .bridge = &bridge, .bridges = 1, .max_idle = -1 };
	fill_pf(0);
	fill_pf(1);
	for (unsigned int i = 0; i < 2; i++) {
		devices[i] = vfs[0][i].address;
		statuses[i] = (struct status){ .device = &devices[i], .devices = 1, .job = i ? STATUS_NO_JOB : STATUS_MIGRATION_IN };
		snprintf(statuses[i].uuid, sizeof(statuses[i].uuid), "00000000-0000-0000-0000-00000000000%u", i);
	}
	leases[0] = (struct record){ .state = RECORD_ARRIVING, .vfs = 1, .vf = &promised_vf };
	promised_vf = (struct record_vf){ .pf = inventory.pf[0].address, .index = 2 };
	leases[0].vf[0].address = vfs[0][2].address;
	snprintf(leases[0].uuid, sizeof(leases[0].uuid), "00000000-0000-0000-0000-000000000003");
}

/* How many VFs of a PF the guest was given. */
static unsigned int given_on(const struct guest *guest, const struct inventory_pf *pf)
{
	unsigned int count = 0;

	for (size_t i = 0; i < guest->vfs; i++)
		count += guest->vf[i].pf == pf;
	return count;
}

/* Demands that a VF is one of the PF that nobody has, and that no other of the guest is the same. */
static void check_vf(const struct guest *guest, const struct guest_vf *vf)
{
	REQUIRE(vf->pf && vf->pf->card.can_migrate);
	REQUIRE(vf->has_vf || vf->device->kind == HOSTDEV_POOL);
	if (!vf->has_vf)
		return;
	REQUIRE(vf->index < PF_VFS && pci_address_equal(&vf->address, &vf->pf->vf[vf->index].address));
	REQUIRE(vf->pf != &inventory.pf[0] || vf->index > 2);
	for (size_t i = 0; i < guest->vfs; i++)
		REQUIRE(&guest->vf[i] == vf || !guest->vf[i].has_vf || !pci_address_equal(&guest->vf[i].address, &vf->address));
}

/* Demands that what the passport says of the source is what the PF has: L5, L6. */
static void check_source(const struct guest_vf *vf)
{
	unsigned int a = 0, b = 0, c = 0;

	if (!vf->passport)
		return;
	REQUIRE(!vf->passport->psid[0] || strcmp(vf->passport->psid, PSID) == 0);
	if (!vf->passport->firmware[0])
		return;
	REQUIRE(sscanf(vf->passport->firmware, "%u.%u.%u", &a, &b, &c) == 3);
	REQUIRE(a == 28 && b == 43 && c == 1014);
}

/* Demands that a plan makes no bridge and connects no uplink but as the configuration says, and reads the same from a journal. */
static void check_plan(const struct steps *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct json_object *json = step_to_json(&plan->step[i]), *again;
		struct step step;

		REQUIRE(plan->step[i].kind != STEP_BRIDGE || strcmp(plan->step[i].name, config.bridge) == 0);
		REQUIRE(plan->step[i].kind != STEP_UPLINK_PORT || strcmp(plan->step[i].text, config.bridge) == 0);
		REQUIRE(step_from_json(json, &step) == 0);
		again = step_to_json(&step);
		REQUIRE(json_object_equal(json, again));
		json_object_put(json);
		json_object_put(again);
	}
}

/* Plans for every VF, as the engine does. */
static void check_plans(const struct guest *guest, const char *uuid)
{
	static struct steps plan;
	struct owner owner = { .lease = "0123456789abcdef" };

	snprintf(owner.uuid, sizeof(owner.uuid), "%s", uuid);
	for (size_t i = 0; i < guest->vfs; i++) {
		const struct guest_vf *vf = &guest->vf[i];
		int error;

		plan.count = 0;
		error = plan_pf(&config, &inventory, vf->pf, vf->bridge, &plan);
		if (!error)
			error = vf->has_vf ? plan_vf(&inventory, vf, &owner, false, &plan) : plan_pool(&config, vf->pf, &plan);
		REQUIRE(error == 0);
		check_plan(&plan);
	}
}

/* Demands what holds for every guest that is let in. */
static void check_admitted(struct domain *domain, const struct guest *guest)
{
	REQUIRE(!domain->has_iommu);
	for (size_t i = 0; i < guest->vfs; i++) {
		const struct guest_vf *vf = &guest->vf[i];

		check_vf(guest, vf);
		check_source(vf);
		if (vf->has_vf)
			REQUIRE(domain_set_source(domain, vf->hostdev, &vf->address) == 0);
	}
	REQUIRE(given_on(guest, &inventory.pf[0]) + 2 <= 4); /* one arrives, one is promised */
	REQUIRE(given_on(guest, &inventory.pf[1]) <= 4);
	check_plans(guest, domain->uuid);
}

/* Decides as the hook does. Return: 0, negative errno with *why filled. */
static int decide(const struct domain *domain, struct guest *guest, struct reason *why)
{
	const struct network_pool **pools = calloc(domain->hostdevs + 1, sizeof(*pools));
	struct guest_search search = { &config, domain, &inventory, true, pools };
	struct rule_case c = { .config = &config, .domain = domain, .inventory = &inventory, .guest = guest, .incoming = true };
	struct placement p = { .config = &config, .inventory = &inventory, .running = &running, .leases = &promised, .uuid = domain->uuid,
			       .incoming = true };
	int error;

	REQUIRE(pools);
	for (size_t i = 0; i < domain->hostdevs; i++)
		pools[i] = strcmp(domain->hostdev[i].network, "pool") == 0 ? &pool : NULL;
	error = guest_find_vfs(&search, guest, why);
	free(pools);
	if (!error && guest->vfs)
		error = rules_judge_guest(&c, NULL, NULL, why);
	return error || !guest->vfs ? error : placement_choose(&p, guest, why);
}

/* Whether a guest is one of those that the host knows: the hook refuses one that runs and forgets the lease of one that comes again. */
static bool is_known(const char *uuid)
{
	return strcmp(uuid, statuses[0].uuid) == 0 || strcmp(uuid, statuses[1].uuid) == 0 || strcmp(uuid, leases[0].uuid) == 0;
}

/* Decides about a guest with each choice for what no passport speaks of. */
static void decide_each(struct domain *domain)
{
	static struct guest guest;

	for (config.without_passport = WITHOUT_SAME_ADDRESS; config.without_passport <= WITHOUT_IGNORE; config.without_passport++) {
		struct reason why = { 0 };
		int error = decide(domain, &guest, &why);

		if (error)
			fuzz_check_reason(error, errors, &why);
		else if (guest.vfs)
			check_admitted(domain, &guest);
		REQUIRE(error != PLACEMENT_WAIT || guest.vfs > 2); /* two slots are free on the first PF */
	}
}

/* One input: the text of a domain. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const bridges[] = { BRIDGE, "br-new" };
	struct domain domain;

	make_host();
	for (size_t i = 0; i < sizeof(bridges) / sizeof(bridges[0]); i++) {
		snprintf(config.bridge, sizeof(config.bridge), "%s", bridges[i]);
		if (domain_parse((const char *)data, size, &domain, NULL) < 0)
			return 0;
		if (!is_known(domain.uuid))
			decide_each(&domain);
		domain_release(&domain);
	}
	return 0;
}
