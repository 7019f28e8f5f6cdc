/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * placement.c: which PF each of a guest's VFs gets; which VF of it, placement_vf.c tells.
 *
 * The guest's VFs are placed one after the other, each on the best PF that no rule refuses. Scores only order what is allowed; they
 * never make something allowed.
 */
#include "policy/placement.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/network.h"
#include "policy/rules.h"
#include "policy/trust.h"

#define SCORE_SAME_ADDRESS 4
#define SCORE_IN_BRIDGE 2
#define SCORE_SWITCHDEV 1

/* Why PFs were passed over, as one text. */
struct passed {
	char text[REASON_TEXT_MAX];
	bool slots; /* one of them only for want of a slot */
	char cure[REASON_TEXT_MAX]; /* of the first; that of a PF which is not to be used counts only where all are such */
	bool cure_of_unused, cures_differ;
};

/*
 * note() - adds a PF and its reason to the list
 */
static void note(struct passed *passed, const struct inventory_pf *pf, const struct reason *why)
{
	bool is_unused = strcmp(why->rule, "L7-card") == 0;
	size_t used = strlen(passed->text);
	char address[PCI_ADDRESS_LEN];

	snprintf(passed->text + used, sizeof(passed->text) - used, "%sPF %s: %.300s", used ? "; " : "", pci_address_format(&pf->address, address),
		 why->what);
	if (!used || (passed->cure_of_unused && !is_unused)) {
		memcpy(passed->cure, why->cure, sizeof(passed->cure));
		passed->cure_of_unused = is_unused;
		passed->cures_differ = false;
	} else if (is_unused == passed->cure_of_unused) {
		passed->cures_differ |= strcmp(passed->cure, why->cure) != 0;
	}
}

/*
 * own_on_pf() - VFs of the guest that were placed on a PF before one of them; one of a pool has its PF before its turn comes
 */
static unsigned int own_on_pf(const struct guest *guest, const struct guest_vf *vf, const struct inventory_pf *pf)
{
	unsigned int n = 0;

	for (size_t i = 0; i < guest->vfs; i++)
		n += guest->vf[i].hostdev < vf->hostdev && guest->vf[i].pf == pf && !guest->vf[i].device->is_transient;
	return n;
}

/*
 * reaches() - whether nothing need be plugged for a PF's VFs in a bridge
 */
static bool reaches(const struct inventory *inventory, const struct inventory_pf *pf, const char *bridge)
{
	struct network network;

	network_find(inventory, bridge, &network);
	return network_has_way(&network) && (!network.uplinks || network_reaches(&network, inventory, pf));
}

/*
 * score() - how well a PF suits
 */
static int score(const struct guest_vf *vf, struct inventory_pf *pf, struct inventory *inventory)
{
	unsigned int index;
	int s = 0;

	if (vf->device->has_source && inventory_find_vf(inventory, &vf->device->source, &index) == pf)
		s += SCORE_SAME_ADDRESS;
	if (reaches(inventory, pf, vf->bridge))
		s += SCORE_IN_BRIDGE;
	if (pf->mode == ESWITCH_SWITCHDEV && pf->num_vfs)
		s += SCORE_SWITCHDEV;
	return s;
}

/*
 * is_to_be_plugged() - whether a PF's uplink has to be put into a bridge first
 */
static bool is_to_be_plugged(const struct placement *p, const struct inventory_pf *pf, const char *bridge)
{
	bool plug;

	return network_judge(p->config, p->inventory, pf, bridge, &plug, NULL) == 0 && plug;
}

/*
 * rival_uplink() - a guest that is expected, or here, on another PF by way of the same bridge
 *
 * Its PF's uplink is in that bridge or about to be put there, and a second uplink in one bridge makes a loop.
 * Return: its record, NULL if there is none or this PF's uplink is not to be plugged
 */
static const struct record *rival_uplink(const struct placement *p, const struct inventory_pf *pf, const char *bridge)
{
	if (!is_to_be_plugged(p, pf, bridge))
		return NULL;
	for (size_t i = 0; i < p->leases->count; i++) {
		const struct record *record = &p->leases->record[i];

		for (size_t k = 0; k < record->vfs; k++) {
			if (!record->lapsed && strcmp(record->vf[k].bridge, bridge) == 0 && !pci_address_equal(&record->vf[k].pf, &pf->address))
				return record;
		}
	}
	return NULL;
}

/*
 * own_rival() - whether the guest itself was given another PF for the same bridge, whose uplink is not in it yet
 */
static bool own_rival(const struct placement *p, const struct guest *guest, const struct inventory_pf *pf, const char *bridge)
{
	for (size_t i = 0; i < guest->vfs; i++) {
		const struct guest_vf *vf = &guest->vf[i];

		if (vf->has_vf && vf->pf != pf && strcmp(vf->bridge, bridge) == 0 && is_to_be_plugged(p, pf, bridge))
			return true;
	}
	return false;
}

/*
 * judge_pf() - the rules about one VF on one PF, and which VF it would be
 * @trial:	copy of the guest's VF, filled on success
 * Return: 0; -EBUSY for want of a slot; other negative errno; *why filled
 */
static int judge_pf(const struct placement *p, const struct guest *guest, struct guest_vf *trial, struct inventory_pf *pf,
		    struct reason *why)
{
	struct flights flights = placement_flights(p, pf);
	struct rule_case c = { .config = p->config, .inventory = p->inventory, .incoming = p->incoming, .pf = pf, .vf = trial,
			       .running = p->running, .flights = p->incoming ? &flights : NULL };
	int error;

	flights.own = own_on_pf(guest, trial, pf);
	error = rules_judge_pf(&c, NULL, NULL, why);
	if (error && error != -EBUSY)
		return error;
	if (rival_uplink(p, pf, trial->bridge) || own_rival(p, guest, pf, trial->bridge))
		return reason_set(why, -EPERM, NULL,
				  "another PF's uplink is about to be in the same bridge, and a second one would make a loop");
	if (!trial->pool && placement_pick_vf(p, guest, trial, pf, why))
		return -ENOSPC;
	return error;
}

/*
 * try_pf() - whether a PF can take a VF, and which VF
 * @trial:	copy of the guest's VF, filled on success
 */
static bool try_pf(const struct placement *p, const struct guest *guest, struct guest_vf *trial, struct inventory_pf *pf,
		   struct passed *passed)
{
	struct reason why = { 0 };
	int error = judge_pf(p, guest, trial, pf, &why);

	if (error) {
		passed->slots |= error == -EBUSY;
		note(passed, pf, &why);
		return false;
	}
	trial->pf = pf;
	return true;
}

/*
 * give_up() - the refusal when no PF suits
 */
static int give_up(const struct guest_vf *vf, const struct passed *passed, struct reason *why)
{
	int error = passed->slots ? PLACEMENT_WAIT : -ENOSPC;
	char mac[MAC_ADDRESS_LEN] = "";

	if (vf->device->has_mac)
		mac_address_format(&vf->device->mac, mac);
	reason_set(why, error, mac, "no VF of this host can take the guest's VF: %s", passed->text);
	if (passed->slots)
		reason_cure(why, "%s", rules_find("L4-slots")->cure);
	else if (*passed->cure && !passed->cures_differ)
		reason_cure(why, "%s", passed->cure);
	else
		reason_cure(why, "mend what is said of one of these PFs, or choose another destination");
	reason_rule(why, "placement");
	return error;
}

/*
 * place_one() - chooses for one VF
 */
static int place_one(const struct placement *p, struct guest *guest, struct guest_vf *vf, struct reason *why)
{
	struct passed passed = { 0 };
	struct guest_vf best = *vf;
	int best_score = -1;

	best.pf = NULL;
	for (size_t i = 0; i < p->inventory->pfs; i++) {
		struct inventory_pf *pf = &p->inventory->pf[i];
		struct guest_vf trial = *vf;
		int s = score(vf, pf, p->inventory);

		if (vf->pool && vf->pf != pf)
			continue;
		trial.pf = NULL;
		if (!try_pf(p, guest, &trial, pf, &passed) || s <= best_score)
			continue;
		best = trial;
		best_score = s;
	}
	if (!best.pf) {
		vf->pf = NULL;
		return give_up(vf, &passed, why);
	}
	*vf = best;
	return 0;
}

/*
 * placement_can_take() - whether a PF can take a VF once it has a free one and a slot
 * @vf:		VF of a guest
 * @why:	filled if not
 */
bool placement_can_take(const struct placement *p, const struct guest_vf *vf, struct inventory_pf *pf, struct reason *why)
{
	struct rule_case c = { .config = p->config, .inventory = p->inventory, .incoming = p->incoming, .pf = pf, .vf = vf,
			       .running = p->running };

	if (vf->pool && vf->pf != pf) {
		(void)reason_set(why, -EPERM, NULL, "the guest's pool takes its VFs from another PF");
		return false;
	}
	if (rules_judge_pf(&c, NULL, NULL, why))
		return false;
	if (!rival_uplink(p, pf, vf->bridge))
		return true;
	(void)reason_set(why, -EPERM, NULL, "another PF's uplink is about to be in the same bridge, and a second one would make a loop");
	return false;
}

/*
 * warn_of_pf() - gives the warnings about the PF that was chosen
 */
static void warn_of_pf(const struct placement *p, const struct guest_vf *vf)
{
	struct rule_case c = { .config = p->config, .inventory = p->inventory, .incoming = p->incoming, .pf = vf->pf, .vf = vf,
			       .running = p->running };
	struct reason ignored;

	(void)rules_judge_pf(&c, p->warn, p->arg, &ignored);
}

/*
 * placement_choose() - places a guest
 * @p:		host, configuration, who is here
 * @guest:	its VFs; pf, index and address are set
 * @why:	filled on failure
 * Return: 0, -EACCES (trust), PLACEMENT_WAIT, -ENOSPC
 */
int placement_choose(const struct placement *p, struct guest *guest, struct reason *why)
{
	for (size_t i = 0; i < guest->vfs; i++) {
		if (!guest->vf[i].pool)
			guest->vf[i].pf = NULL;
		guest->vf[i].has_vf = false;
	}
	for (size_t i = 0; i < guest->vfs; i++) {
		int error = trust_judge(p, guest, &guest->vf[i], why);

		if (!error)
			error = place_one(p, guest, &guest->vf[i], why);
		if (error)
			return error;
		warn_of_pf(p, &guest->vf[i]);
	}
	return 0;
}
