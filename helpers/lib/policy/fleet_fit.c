/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet_fit.c: whether one guest fits to one host: by the hook's rules about guests and PFs, the checker's about machines.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/arrival.h"
#include "policy/fleet.h"
#include "policy/rules.h"

/* What one question needs: too large for the stack. */
struct trial {
	struct domain domain;               /* a copy with devices of its own */
	struct passport_vf passport[GUEST_MAX_VFS];
	struct guest there;
};

/* fleet_need_word() - a word for a table */
const char *fleet_need_word(enum fleet_need need)
{
	static const char *const words[FLEET_NEEDS] = {
		[NEED_NOTHING] = "yes", [NEED_HERE] = "here", [NEED_CARD] = "card", [NEED_FLASH] = "flash", [NEED_NETWORK] = "network",
		[NEED_PREPARE] = "prepare", [NEED_MACHINE] = "machine", [NEED_MEMORY] = "memory", [NEED_VFS] = "VFs", [NEED_POOL] = "pool",
		[NEED_OPEN] = "closed", [NEED_GUEST] = "guest", [NEED_OTHER] = "no",
	};

	return words[need];
}

/*
 * need_of() - what the refusal of a rule comes to
 */
static enum fleet_need need_of(const char *rule)
{
	static const struct {
		const char *rule;
		enum fleet_need need;
	} table[] = {
		{ "L6-same-firmware", NEED_FLASH }, { "L6-old-firmware", NEED_FLASH }, { "L5-psid", NEED_CARD }, { "L7-card", NEED_CARD },
		{ "L7-any-card", NEED_CARD }, { "pf-driver", NEED_CARD }, { "network", NEED_NETWORK }, { "L2-viommu", NEED_GUEST },
		{ "L4-guest-alone", NEED_GUEST }, { "vlan", NEED_GUEST }, { "P5-iommu", NEED_PREPARE }, { "S5a-openvswitch", NEED_PREPARE },
		{ "L7-variant-driver", NEED_PREPARE }, { "eswitch", NEED_PREPARE }, { "S2-sriov", NEED_PREPARE }, { "pf-readable", NEED_PREPARE },
		{ "P10-machine", NEED_MACHINE }, { "mtu", NEED_NETWORK }, { "interface", NEED_GUEST }, { "L5-L6-unknown-source", NEED_CARD },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(rule, table[i].rule) == 0)
			return table[i].need;
	}
	return NEED_OTHER;
}

/*
 * is_nearer() - whether one need is easier to mend than another, where each PF says something else
 */
static bool is_nearer(enum fleet_need a, enum fleet_need b)
{
	static const int far[FLEET_NEEDS] = { [NEED_FLASH] = 1, [NEED_NETWORK] = 2, [NEED_PREPARE] = 3, [NEED_OTHER] = 4, [NEED_CARD] = 5 };

	return b == NEED_NOTHING || far[a] < far[b];
}

/*
 * mark_pfs() - which PFs can take a VF
 * @why:	if none can: why not the nearest one
 */
static enum fleet_need mark_pfs(const struct placement *p, const struct guest_vf *vf, uint16_t *mask, struct reason *why)
{
	enum fleet_need need = NEED_NOTHING;

	*mask = 0;
	for (size_t i = 0; i < p->inventory->pfs; i++) {
		struct reason its = { 0 };
		char address[PCI_ADDRESS_LEN];
		enum fleet_need now;

		if (placement_can_take(p, vf, &p->inventory->pf[i], &its)) {
			*mask |= (uint16_t)(1u << i);
			continue;
		}
		now = need_of(its.rule);
		if (!is_nearer(now, need))
			continue;
		need = now;
		*why = its;
		snprintf(why->object, sizeof(why->object), "PF %s", pci_address_format(&p->inventory->pf[i].address, address));
	}
	if (!*mask && need == NEED_NOTHING) {
		need = NEED_CARD;
		(void)reason_set(why, -ENODEV, NULL, "it has no card whose VFs can be live-migrated");
	}
	return *mask ? NEED_NOTHING : need;
}

/*
 * judge_devices() - devices that nothing is known of: where in doubt, the guest stays
 */
static enum fleet_need judge_devices(const struct fleet_guest *g, struct reason *why)
{
	if (g->devices <= g->vfs.vfs)
		return NEED_NOTHING;
	if (!g->domain) {
		(void)reason_set(why, -EPERM, NULL, "its host's record does not tell what the guest is made of");
		reason_cure(why, "make the record anew with this version of vferry: vferry inventory");
		return NEED_GUEST;
	}
	for (size_t i = 0; i < g->domain->hostdevs; i++) {
		if (g->domain->hostdev[i].kind != HOSTDEV_POOL)
			continue;
		(void)reason_set(why, -EPERM, NULL, "its VF comes from a pool of libvirt's, and records do not tell pools");
		reason_cure(why, "ask that host itself: vferry plan GUEST");
		return NEED_POOL;
	}
	(void)reason_set(why, -EPERM, NULL, "it has a host device that is no VF that can be live-migrated");
	reason_cure(why, "detach that device first");
	return NEED_GUEST;
}

/*
 * judge_vfs() - its VFs by the hook's rules
 */
static enum fleet_need judge_vfs(const struct fleet *fleet, struct trial *t, const struct fleet_host *to,
				 const struct fleet_question *question, struct fleet_fit *fit, struct reason *why)
{
	struct arrival arrival = { .config = fleet->config, .domain = &t->domain, .to = to->inventory, .running = to->running,
				   .leases = to->leases };
	struct placement placement;
	int error = arrival_judge(&arrival, &t->there, why);

	if (error)
		return need_of(why->rule);
	placement = arrival_placement(&arrival);
	placement.incoming = !question->start;
	for (size_t i = 0; i < t->there.vfs; i++) {
		enum fleet_need need = mark_pfs(&placement, &t->there.vf[i], &fit->mask[i], why);

		if (need != NEED_NOTHING)
			return need;
	}
	return NEED_NOTHING;
}

/*
 * same_firmware() - lets the passports speak of the firmware that the other host has
 */
static void same_firmware(struct trial *t, size_t vfs, const struct inventory *to)
{
	for (size_t i = 0; i < vfs; i++) {
		for (size_t k = 0; k < to->pfs; k++) {
			if (strcmp(t->passport[i].psid, to->pf[k].info.psid) == 0)
				memcpy(t->passport[i].firmware, to->pf[k].info.firmware, sizeof(t->passport[i].firmware));
		}
	}
}

/*
 * try() - the guest with the passports that it would have, on the host
 */
static enum fleet_need try(const struct fleet *fleet, size_t guest, size_t host, const struct fleet_question *question,
			   struct fleet_fit *fit, struct reason *why)
{
	const struct fleet_guest *g = &fleet->guest[guest];
	struct trial *t = calloc(1, sizeof(*t));
	struct hostdev *devices = calloc(g->domain->hostdevs + 1, sizeof(*devices));
	enum fleet_need need = NEED_OTHER;

	if (t && devices) {
		t->domain = *g->domain;
		memcpy(devices, g->domain->hostdev, g->domain->hostdevs * sizeof(*devices));
		t->domain.hostdev = devices;
		arrival_write(&g->vfs, fleet->host[g->host].inventory, t->passport, &t->domain);
		if (question->any_firmware)
			same_firmware(t, g->vfs.vfs, fleet->host[host].inventory);
		need = judge_vfs(fleet, t, &fleet->host[host], question, fit, why);
	} else {
		reason_set(why, -ENOMEM, NULL, "out of memory");
	}
	free(devices);
	free(t);
	return need;
}

/*
 * fleet_judge() - whether a guest fits to a host, free VFs, memory and slots left out
 * @question:	how it is asked
 * @why:	filled if not; may be NULL
 */
struct fleet_fit fleet_judge(const struct fleet *fleet, size_t guest, size_t host, const struct fleet_question *question,
			     struct reason *why)
{
	const struct fleet_guest *g = &fleet->guest[guest];
	const struct fleet_host *to = &fleet->host[host];
	struct fleet_fit fit = { .vfs = (unsigned int)g->vfs.vfs };
	struct reason found = { 0 };

	if (g->host == host)
		fit.need = NEED_HERE;
	else
		fit.need = judge_devices(g, &found);
	if (fit.need == NEED_NOTHING && machine_judge(&g->machine, fleet->host[g->host].facts, to->facts, &found))
		fit.need = NEED_MACHINE;
	if (fit.need == NEED_NOTHING && g->vfs.vfs)
		fit.need = try(fleet, guest, host, question, &fit, &found);
	if (fit.need == NEED_NOTHING && to->is_closed) {
		fit.need = NEED_OPEN;
		(void)reason_set(&found, -EPERM, NULL, "it takes no arrivals: maintenance");
		reason_cure(&found, "let %s take arrivals again when its maintenance is over", to->name);
	}
	if (why)
		*why = found;
	return fit;
}

/* fleet_free_vfs() - free VFs of a PF */
unsigned int fleet_free_vfs(const struct fleet *fleet, size_t host, size_t pf)
{
	const struct fleet_host *h = &fleet->host[host];
	struct placement p = { .config = fleet->config, .inventory = h->inventory, .running = h->running, .leases = h->leases, .uuid = "" };

	return placement_free(&p, &h->inventory->pf[pf]);
}

/* fleet_free_memory() - free memory in MiB */
int32_t fleet_free_memory(const struct fleet *fleet, size_t host)
{
	const struct facts *facts = fleet->host[host].facts;

	return facts->memory ? (int32_t)(facts->memory_available < INT32_MAX ? facts->memory_available : INT32_MAX) : INT32_MAX;
}
