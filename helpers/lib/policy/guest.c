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
		vf->has_source_pf = vf->passport && vf->passport->has_pf;
		if (vf->has_source_pf)
			vf->source_pf = vf->passport->pf;
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
 * judge_unknown() - a host device that neither passport nor address identifies
 * @i:		its number in the domain
 * @carry:	result: treat it as a VF to carry
 * Return: 0, -EPERM with *why filled when the configuration refuses it
 *
 * One that this host does not have is none of vferry's either: it may be of any make, and a definition may move without its devices
 * (virsh migrate --offline). A guest that is to run here without it is refused by libvirt itself. One whose passport speaks of a device in
 * words that nobody understands may be ours, and is refused.
 */
static int judge_unknown(const struct guest_search *search, size_t i, bool *carry, struct reason *why)
{
	const struct hostdev *device = &search->domain->hostdev[i];
	char address[PCI_ADDRESS_LEN];

	*carry = search->config->without_passport == WITHOUT_ANY && device->kind == HOSTDEV_INTERFACE;
	pci_address_format(&device->source, address);
	if (search->domain->passport.ignored && search->config->without_passport != WITHOUT_IGNORE && !*carry) {
		reason_set(why, -EPERM, address, "the guest has this host device, and what its passport says of a device cannot be understood: %s",
			   search->domain->passport.note);
		reason_cure(why, "let the agent write the passport anew on the source: systemctl restart vferryd");
		reason_rule(why, "without-passport");
		return -EPERM;
	}
	if (search->config->without_passport != WITHOUT_REFUSE)
		return 0;
	reason_set(why, -EPERM, address,
		   "the guest has this host device, and neither a passport nor its address tells whether it is a VF that can migrate");
	reason_cure(why, "give the guest a passport on the source, or set without_passport in vferry.conf here");
	reason_rule(why, "without-passport");
	return -EPERM;
}

/*
 * refuse_so_many() - the sentence for a guest of more VFs than can be kept account of
 * Return: -E2BIG
 */
static int refuse_so_many(struct reason *why)
{
	reason_set(why, -E2BIG, NULL, "the guest has more than %d VFs that can migrate", GUEST_MAX_VFS);
	reason_cure(why, "give it fewer, or a bond of fewer with more traffic each");
	return -E2BIG;
}

/*
 * guest_find_vfs() - finds the VFs to carry
 * @search:	configuration, guest, host
 * @guest:	result
 * @why:	filled on failure
 * Return: 0, -EPERM, -E2BIG (see guest.h)
 */
int guest_find_vfs(const struct guest_search *search, struct guest *guest, struct reason *why)
{
	const struct config *config = search->config;
	const struct passport *passport = &search->domain->passport;

	guest->vfs = 0;
	for (size_t i = 0; i < search->domain->hostdevs; i++) {
		const struct hostdev *device = &search->domain->hostdev[i];
		struct guest_vf vf = { .hostdev = i, .device = device, .passport = device->passport, .pool = search->pools ? search->pools[i] : NULL,
				       .garbled = passport->ignored && !device->passport ? passport->note : "" };
		enum finding finding = examine(&vf, search->inventory);
		bool carry = finding == FINDING_VF;
		int error = finding == FINDING_UNKNOWN && search->incoming ? judge_unknown(search, i, &carry, why) : 0;

		if (error)
			return error;
		if (!carry)
			continue;
		if (guest->vfs == GUEST_MAX_VFS)
			return refuse_so_many(why);
		snprintf(vf.bridge, sizeof(vf.bridge), "%s", vf.passport && *vf.passport->bridge ? vf.passport->bridge :
			 network_bridge(config, search->inventory, pf_here(&vf, search->inventory)));
		guest->vf[guest->vfs++] = vf;
	}
	return 0;
}
