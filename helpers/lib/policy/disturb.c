/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * disturb.c: what a change to a PF would cut off: the rules about its uplink and its eswitch, by the list of uses (uses.h).
 *
 * A mode change takes the uplink's carrier away for a moment and re-creates every representor; with a VF that a driver holds the
 * firmware refuses it after the old forwarding was torn down, which leaves the running VFs without network (mlx5 eswitch_offloads.c).
 */
#include "policy/disturb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/uses.h"

#define LEGACY "its eswitch is in legacy mode and "
#define TC_CURE "see 'tc filter show dev %s ingress' and remove what is not needed, or let guests use another PF"

/*
 * disturb_bound_vf() - a VF that some driver holds
 * @pf:		PF
 * Return: the first such VF, NULL if there is none
 */
const struct inventory_vf *disturb_bound_vf(const struct inventory_pf *pf)
{
	for (unsigned int i = 0; i < pf->num_vfs; i++) {
		if (*pf->vf[i].driver)
			return &pf->vf[i];
	}
	return NULL;
}

/*
 * find_vf() - a VF by its address
 * Return: NULL if the host has none there
 */
static const struct inventory_vf *find_vf(const struct inventory *inventory, const struct pci_address *address)
{
	for (size_t i = 0; i < inventory->pfs; i++) {
		for (unsigned int k = 0; k < inventory->pf[i].num_vfs; k++) {
			if (pci_address_equal(&inventory->pf[i].vf[k].address, address))
				return &inventory->pf[i].vf[k];
		}
	}
	return NULL;
}

/*
 * cure_of() - what to do about a use
 */
static void cure_of(const struct use *use, const struct inventory_pf *pf, struct reason *why)
{
	switch (use->kind) {
	case USE_GUEST:
		reason_cure(why, "migrate or shut down that guest, or let guests use another PF");
		break;
	case USE_RULES:
		reason_cure(why, TC_CURE, pf->uplink);
		break;
	case USE_UNSEEN:
		reason_cure(why, "look as root ('vferry status' says what it sees), or let guests use another PF");
		break;
	case USE_DRIVER:
	case USE_UP:
		reason_cure(why, "free it: virsh nodedev-detach, or 'vferry prepare' where nobody uses it");
		break;
	default:
		reason_cure(why, "take it out of use there, or let guests use another PF");
	}
}

/* ---- The uplink ---------------------------------------------------------------------------------------------------------------- */

/*
 * disturb_uplink() - whether anybody uses an uplink that is in no bridge: his traffic would end in the bridge
 * @inventory:	host
 * @pf:		PF
 * @why:	filled if somebody does
 * Return: 0, -EBUSY, -ENOMEM
 */
int disturb_uplink(const struct inventory *inventory, const struct inventory_pf *pf, struct reason *why)
{
	autouses struct uses uses = { 0 };
	const struct use_target target = use_pf(&pf->address);
	const struct use *use;
	char sentence[256];
	int error = uses_find_card(inventory, NULL, pf, &uses);

	if (error)
		return reason_set(why, error, NULL, "out of memory");
	use = uses_find_user(&uses, &target, CHANGE_PLUG_UPLINK, NULL);
	if (!use)
		return 0;
	uses_say(use, sentence, sizeof(sentence));
	reason_set(why, -EBUSY, pf->uplink, "its uplink %s cannot be put into a bridge of Open vSwitch, which would take its traffic: %s",
		   pf->uplink, sentence);
	if (use->kind == USE_RULES || use->kind == USE_UNSEEN)
		cure_of(use, pf, why);
	else
		reason_cure(why, "move it to another device or to the bridge, or let guests use another PF");
	return -EBUSY;
}

/* ---- The eswitch --------------------------------------------------------------------------------------------------------------- */

/*
 * then_prepare() - adds to a cure what is to be done afterwards: the hook switches no card that carries anything
 */
static void then_prepare(struct reason *why)
{
	char cure[REASON_TEXT_MAX];

	if (!why || !*why->cure)
		return;
	snprintf(cure, sizeof(cure), "%s", why->cure);
	reason_cure(why, "%.400s; then run 'vferry prepare' here, before guests come", cure);
}

/*
 * keeps_eswitch() - the sentence for a use that keeps an eswitch as it is
 * Return: -EBUSY
 */
static int keeps_eswitch(const struct inventory *inventory, const struct inventory_pf *pf, const struct use *use, struct reason *why)
{
	char address[PCI_ADDRESS_LEN], other[PCI_ADDRESS_LEN], sentence[256];
	const struct inventory_vf *vf = use->of.object == USE_OF_VF ? find_vf(inventory, &use->of.pci) : NULL;

	pci_address_format(&use->of.pci, address);
	uses_say(use, sentence, sizeof(sentence));
	if (!pci_address_equal(&use->pf, &pf->address))
		reason_set(why, -EBUSY, address, LEGACY "cannot be switched: that may take the carrier of the card's other port (%s) for seconds, "
			   "%s%s%s%s", pci_address_format(&use->pf, other), vf ? "whose VF " : "where ", vf ? address : sentence,
			   vf ? " is in use: " : "", vf ? sentence : "");
	else if (use->kind == USE_GUEST)
		reason_set(why, -EBUSY, address, LEGACY "cannot be switched while %s has its VF %s (driver %s)", use->name, address,
			   vf ? vf->driver : "");
	else if (vf)
		reason_set(why, -EBUSY, address, LEGACY "cannot be switched while its VF %s is in use: %s (driver %s)", address, sentence, vf->driver);
	else
		reason_set(why, -EBUSY, pf->uplink, LEGACY "switching it would take the carrier of %s for seconds: %s", pf->uplink, sentence);
	cure_of(use, pf, why);
	then_prepare(why);
	return -EBUSY;
}

/*
 * held_vf() - the sentence for a VF that nobody uses, but that a driver holds: the firmware refuses then
 * Return: -EBUSY
 */
static int held_vf(const struct inventory_vf *vf, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];

	pci_address_format(&vf->address, address);
	reason_set(why, -EBUSY, address, LEGACY "cannot be switched while its VF %s is held by driver %s", address, vf->driver);
	reason_cure(why, "free it: virsh nodedev-detach, or 'vferry prepare' where nobody uses it");
	return -EBUSY;
}

/*
 * disturb_eswitch() - whether a PF is in switchdev mode, or can be switched without cutting anybody off
 * @inventory:	host
 * @running:	guests, to name the one that has a VF; may be NULL
 * @pf:		PF
 * @why:	filled if not
 * Return: 0, -EBUSY
 */
int disturb_eswitch(const struct inventory *inventory, const struct status_list *running, const struct inventory_pf *pf,
		    struct reason *why)
{
	autouses struct uses uses = { 0 };
	const struct use_target target = use_pf(&pf->address);
	const struct inventory_vf *bound = disturb_bound_vf(pf);
	const struct use *use;

	if (pf->mode == ESWITCH_SWITCHDEV)
		return 0;
	if (pf->mode != ESWITCH_LEGACY)
		return reason_set(why, -EBUSY, NULL, "the mode of its eswitch is not known to vferry");
	if (uses_find_card(inventory, running, pf, &uses))
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	use = uses_find_user(&uses, &target, CHANGE_ESWITCH, NULL);
	if (use)
		return keeps_eswitch(inventory, pf, use, why);
	return bound ? held_vf(bound, why) : 0;
}

/*
 * is_used() - whether somebody would lose something by a change of a PF that gives it back
 * Return: 0, -EBUSY, -ENOMEM
 */
static int is_used(const struct inventory *inventory, const struct status_list *running, const struct inventory_pf *pf,
		   enum use_change change, struct reason *why)
{
	autouses struct uses uses = { 0 };
	const struct use_target target = use_pf(&pf->address);
	const struct use *use;
	char sentence[256];

	if (uses_find_card(inventory, running, pf, &uses))
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	use = uses_find_user(&uses, &target, change, NULL);
	if (!use)
		return 0;
	return reason_set(why, -EBUSY, pf->uplink, "the PF is in use by now: %s", uses_say(use, sentence, sizeof(sentence)));
}

/* See disturb.h. */
int disturb_switching(const struct inventory *inventory, const struct status_list *running, const struct inventory_pf *pf,
		      struct reason *why)
{
	return is_used(inventory, running, pf, CHANGE_ESWITCH, why);
}

/* See disturb.h. */
int disturb_unplug(const struct inventory *inventory, const struct status_list *running, const struct inventory_pf *pf, struct reason *why)
{
	return is_used(inventory, running, pf, CHANGE_UNPLUG_UPLINK, why);
}

/* See disturb.h. */
int disturb_bridge(const struct inventory *inventory, const struct status_list *running, const char *bridge, struct reason *why)
{
	autouses struct uses uses = { 0 };
	const struct use_target target = use_bridge(bridge);
	const struct use *use;
	char sentence[256];

	if (uses_find(inventory, running, &uses))
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	use = uses_find_user(&uses, &target, CHANGE_DELETE_BRIDGE, NULL);
	if (!use)
		return 0;
	return reason_set(why, -EBUSY, bridge, "the bridge is in use by now: %s", uses_say(use, sentence, sizeof(sentence)));
}

/* See disturb.h. */
int disturb_uplink_down(const struct inventory *inventory, const struct status_list *running, const struct inventory_pf *pf,
			struct reason *why)
{
	return is_used(inventory, running, pf, CHANGE_UPLINK_DOWN, why);
}
