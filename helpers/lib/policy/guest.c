/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guest.c: which of a guest's host devices are VFs that vferry is to carry.
 */
#include "policy/guest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/network.h"

/* What is known of a device after looking at passport and address. */
enum finding { FINDING_VF, FINDING_UNKNOWN, FINDING_OTHER };

/*
 * guest_can_use_pf() - whether a PF is one that vferry may use
 * @config:	configuration: pf, a PCI address or the uplink's name; cards
 * @pf:		PF
 * Return: true if its card can migrate VFs, and it is named, or none is and its kind of card is switched on
 */
bool guest_can_use_pf(const struct config *config, const struct inventory_pf *pf)
{
	char address[PCI_ADDRESS_LEN];
	enum card_profile profile = pf->card.profile;
	bool named;

	if (!pf->card.can_migrate)
		return false;
	named = *config->pf && (strcmp(config->pf, pci_address_format(&pf->address, address)) == 0 || strcmp(config->pf, pf->uplink) == 0);
	if (named || *config->pf)
		return named;
	return config->cards == CARDS_ALL || profile == (config->cards == CARDS_BLUEFIELD_3 ? CARD_BLUEFIELD_3 : CARD_CONNECTX_7);
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
 * pf_here() - the PF of this host that a device is a VF of: its pool's, or the one at its address
 * Return: NULL if it is of none
 */
static const struct inventory_pf *pf_here(const struct guest_vf *vf, struct inventory *inventory)
{
	unsigned int index;

	if (vf->pf)
		return vf->pf;
	return vf->device->has_source ? inventory_find_vf(inventory, &vf->device->source, &index) : NULL;
}

/*
 * refuse_unknown() - the sentence for a device that nothing identifies
 * @error:	-EPERM: the configuration refuses it; -ENODEV: this host has no device at its address
 * Return: error
 */
static int refuse_unknown(const struct hostdev *device, int error, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];

	reason_set(why, error, pci_address_format(&device->source, address),
		   "the guest has this host device, %sand neither a passport nor its address tells whether it is a VF that can migrate",
		   error == -ENODEV ? "this host has none at that address, " : "");
	reason_cure(why, "give the guest a passport on the source, or set without_passport in vferry.conf here");
	reason_rule(why, "without-passport");
	return error;
}

/*
 * judge_unknown() - a host device that neither passport nor address identifies
 * @i:		its number in the domain
 * @carry:	result: treat it as a VF to carry
 * Return: 0, negative errno with *why filled when it is refused
 */
static int judge_unknown(const struct guest_search *search, size_t i, bool *carry, struct reason *why)
{
	const struct hostdev *device = &search->domain->hostdev[i];

	*carry = false;
	switch (search->config->without_passport) {
	case WITHOUT_ANY:
		*carry = device->kind == HOSTDEV_INTERFACE;
		return 0;
	case WITHOUT_REFUSE:
		return refuse_unknown(device, -EPERM, why);
	case WITHOUT_SAME_ADDRESS:
		return search->present[i] ? 0 : refuse_unknown(device, -ENODEV, why);
	default:
		return 0;
	}
}

/*
 * guest_find_vfs() - finds the VFs to carry
 * @search:	configuration, guest, host
 * @guest:	result
 * @why:	filled on failure
 * Return: 0, -EPERM, -ENODEV (see guest.h)
 */
int guest_find_vfs(const struct guest_search *search, struct guest *guest, struct reason *why)
{
	const struct config *config = search->config;

	guest->vfs = 0;
	for (size_t i = 0; i < search->domain->hostdevs; i++) {
		const struct hostdev *device = &search->domain->hostdev[i];
		struct guest_vf vf = { .hostdev = i, .device = device, .passport = device->passport, .pool = search->pools[i] };
		enum finding finding = examine(&vf, search->inventory);
		bool carry = finding == FINDING_VF;
		int error = finding == FINDING_UNKNOWN && search->incoming ? judge_unknown(search, i, &carry, why) : 0;

		if (error)
			return error;
		if (!carry)
			continue;
		snprintf(vf.bridge, sizeof(vf.bridge), "%s", vf.passport && *vf.passport->bridge ? vf.passport->bridge :
			 network_bridge(config, search->inventory, pf_here(&vf, search->inventory)));
		guest->vf[guest->vfs++] = vf;
	}
	return 0;
}
