/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guest.c: which of a guest's host devices are VFs that vferry is to carry.
 */
#include "policy/guest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What is known of a device after looking at passport and address. */
enum finding { FINDING_VF, FINDING_UNKNOWN, FINDING_OTHER };

/*
 * guest_can_use_pf() - whether a PF is one that vferry may use
 * @config:	configuration: pf, a PCI address or the uplink's name
 * @pf:		PF
 * Return: true if its card can migrate VFs and is either used by default or named
 */
bool guest_can_use_pf(const struct config *config, const struct inventory_pf *pf)
{
	char address[PCI_ADDRESS_LEN];
	bool named;

	if (!pf->card.can_migrate)
		return false;
	named = *config->pf && (strcmp(config->pf, pci_address_format(&pf->address, address)) == 0 || strcmp(config->pf, pf->uplink) == 0);
	return named || (!*config->pf && pf->card.by_default);
}

/*
 * guest_pool_pf() - the PF of a pool
 * @pool:	pool; its PF is named by netdev, or told by its first member's address
 * @inventory:	host
 * Return: the PF if its card can migrate VFs, else NULL
 */
struct inventory_pf *guest_pool_pf(const struct network_pool *pool, struct inventory *inventory)
{
	struct inventory_pf *pf = NULL;
	unsigned int index;

	if (pool->members)
		pf = inventory_find_vf(inventory, &pool->member[0], &index);
	for (size_t i = 0; !pf && *pool->pf && i < inventory->pfs; i++) {
		if (strcmp(pool->pf, inventory->pf[i].uplink) == 0)
			pf = &inventory->pf[i];
	}
	return pf && pf->card.can_migrate ? pf : NULL;
}

/*
 * examine() - what a device is, by passport, then by address
 * @vf:		filled with what is known; device and pool are set already
 */
static enum finding examine(struct guest_vf *vf, struct inventory *inventory)
{
	const struct hostdev *device = vf->device;
	struct inventory_pf *pf;
	unsigned int index;

	if (device->kind == HOSTDEV_POOL) {
		vf->pf = vf->pool ? guest_pool_pf(vf->pool, inventory) : NULL;
		return vf->pf ? FINDING_VF : FINDING_OTHER;
	}
	if (!device->has_source)
		return FINDING_OTHER;
	pf = inventory_find_vf(inventory, &device->source, &index);
	if (vf->passport) {
		vf->has_source_pf = vf->passport->has_pf;
		vf->source_pf = vf->passport->pf;
		return FINDING_VF;
	}
	if (pf) {
		vf->has_source_pf = true;
		vf->source_pf = pf->address;
		return pf->card.can_migrate ? FINDING_VF : FINDING_OTHER;
	}
	return FINDING_UNKNOWN;
}

/*
 * judge_unknown() - a host device that neither passport nor address identifies
 * @carry:	result: treat it as a VF to carry
 * Return: 0, negative errno with *why filled when the configuration refuses it
 */
static int judge_unknown(const struct config *config, const struct hostdev *device, bool *carry, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];

	pci_address_format(&device->source, address);
	*carry = config->without_passport == WITHOUT_ANY && device->kind == HOSTDEV_INTERFACE;
	if (config->without_passport != WITHOUT_REFUSE)
		return 0;
	reason_set(why, -EPERM, address, "the guest has this host device, and neither a passport nor its address tells whether it is a VF "
		   "that can migrate");
	reason_cure(why, "give the guest a passport on the source, or set without_passport in vferry.conf");
	reason_rule(why, "without-passport");
	return -EPERM;
}

/*
 * guest_find_vfs() - finds the VFs to carry
 * @config:	configuration
 * @domain:	the guest
 * @pools:	by hostdev, see guest.h
 * @inventory:	this host
 * @guest:	result
 * @why:	filled on failure
 * Return: 0, -EPERM (without_passport=refuse)
 */
int guest_find_vfs(const struct config *config, const struct domain *domain, const struct network_pool *const *pools,
		   struct inventory *inventory, struct guest *guest, struct reason *why)
{
	guest->vfs = 0;
	for (size_t i = 0; i < domain->hostdevs; i++) {
		const struct hostdev *device = &domain->hostdev[i];
		struct guest_vf vf = { .hostdev = i, .device = device, .passport = device->passport, .pool = pools[i] };
		enum finding finding = examine(&vf, inventory);
		bool carry = finding == FINDING_VF;

		if (finding == FINDING_UNKNOWN) {
			int error = judge_unknown(config, device, &carry, why);

			if (error)
				return error;
		}
		if (!carry)
			continue;
		snprintf(vf.bridge, sizeof(vf.bridge), "%s", vf.passport && *vf.passport->bridge ? vf.passport->bridge : config->bridge);
		guest->vf[guest->vfs++] = vf;
	}
	return 0;
}
