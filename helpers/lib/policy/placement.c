/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * placement.c: which PF and which VF each of a guest's VFs gets.
 *
 * The guest's VFs are placed one after the other, each on the best PF that no rule refuses. Scores only order what is allowed; they
 * never make something allowed.
 */
#include "policy/placement.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/desired.h"
#include "policy/disturb.h"
#include "policy/network.h"
#include "policy/rules.h"
#include "policy/trust.h"
#include "policy/uses.h"

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
 * usable_vfs() - how many VFs a PF has, or will have once they are created
 */
static unsigned int usable_vfs(const struct config *config, const struct inventory_pf *pf)
{
	if (pf->num_vfs)
		return pf->num_vfs;
	return config->vfs && config->vfs < pf->total_vfs ? config->vfs : pf->total_vfs;
}

/*
 * taken_in_guest() - whether another VF of this guest was placed there already
 */
static bool taken_in_guest(const struct guest *guest, const struct pci_address *address)
{
	for (size_t i = 0; i < guest->vfs; i++) {
		if (guest->vf[i].has_vf && pci_address_equal(&guest->vf[i].address, address))
			return true;
	}
	return false;
}

/*
 * is_complete() - whether a VF that exists has its port and its representor
 */
static bool is_complete(const struct inventory_vf *vf)
{
	return vf->has_port && vf->port.ifindex;
}

/*
 * is_sick() - whether a VF lacks its port or its representor while others of its PF have theirs: its firmware does not answer, or the
 * driver could not make it. Where all lack them the PF is only just being made ready.
 */
static bool is_sick(const struct inventory_pf *pf, unsigned int index)
{
	if (pf->mode != ESWITCH_SWITCHDEV || is_complete(&pf->vf[index]))
		return false;
	for (unsigned int i = 0; i < pf->num_vfs; i++) {
		if (is_complete(&pf->vf[i]))
			return true;
	}
	return false;
}

/* A search for a VF of one PF. */
struct search {
	const struct placement *p;
	const struct guest *guest;
	const struct inventory_pf *pf;
	const struct guest_vf *vf;/* of the guest, that would get it */
	bool lapsed;              /* also from a guest that has not come in time */
	const struct uses *uses;
};

/*
 * port_is_others() - whether somebody has put a VF's representor into another bridge than the one it would have to be in, or with other VLANs:
 * somebody who gives VFs to others
 */
static bool port_is_others(const struct search *search, const struct inventory_vf *now)
{
	const struct ovs_port *port = *now->port.netdev ? ovs_find_interface(&search->p->inventory->ovs, now->port.netdev) : NULL;
	const struct passport_vf *passport = search->vf->passport;

	if (*now->bridge && !now->bridge_ours && strcmp(now->bridge, search->vf->bridge) != 0)
		return true;
	return port && !port->ours && passport && desired_port_fits(port, &passport->port, NULL, 0, NULL);
}

/*
 * why_not() - why a VF that exists cannot be given away, as far as libvirt and leases do not tell
 * @out:	256 bytes: the reason, "" if it can
 * Return: out
 */
static const char *why_not(const struct search *search, unsigned int index, char *out)
{
	const struct inventory_vf *vf = &search->pf->vf[index];
	const struct use *by = NULL;

	*out = '\0';
	if (uses_grade(search->uses, vf, search->p->uuid, &by) > GRADE_IDLE && by)
		uses_say(by, out, 256);
	else if (port_is_others(search, vf))
		snprintf(out, 256, "its representor %s is a port of bridge %s, put there by somebody else", vf->port.netdev, vf->bridge);
	else if (vf->group_members > 1)
		snprintf(out, 256, "it shares its IOMMU group with other devices");
	else if (is_sick(search->pf, index))
		snprintf(out, 256, "it has no representor, and others have");
	return out;
}

/*
 * is_avoided() - whether a VF was tried before, and cannot be had now
 */
static bool is_avoided(const struct placement *p, const struct pci_address *address)
{
	for (size_t i = 0; i < p->avoided; i++) {
		if (pci_address_equal(&p->avoid[i], address))
			return true;
	}
	return false;
}

/*
 * is_promised() - whether a VF is another guest's
 * @lapsed:	one whose time ran out counts too
 */
static bool is_promised(const struct placement *p, const struct pci_address *address, bool lapsed)
{
	const struct record *lease = record_find_vf(p->leases, address, p->uuid);

	return lease && (lapsed || !lease->lapsed);
}

/*
 * vf_is_free() - whether VF number index of a PF may be given away
 * @address:	result: its address
 */
static bool vf_is_free(const struct search *search, unsigned int index, struct pci_address *address)
{
	const struct inventory_pf *pf = search->pf;
	char text[256];

	if (index < pf->num_vfs)
		*address = pf->vf[index].address;
	else if (pci_address_vf(&pf->address, pf->offset, pf->stride, index, address))
		return false;
	if (taken_in_guest(search->guest, address) || is_avoided(search->p, address) || is_promised(search->p, address, !search->lapsed))
		return false;
	if (status_find_device(search->p->running, address))
		return false;
	return index >= pf->num_vfs || !*why_not(search, index, text);
}

/*
 * fitness() - how gladly a free VF is given: one that no other guest is defined with, then one with the address that the guest has had
 */
static int fitness(const struct placement *p, const struct guest_vf *vf, const struct pci_address *address)
{
	bool is_same = vf->device->has_source && pci_address_equal(address, &vf->device->source);

	return (definitions_find(p->definitions, address, p->uuid) ? 0 : 2) + is_same;
}

/*
 * count_seats() - VFs of a PF that libvirt is about to take out of a pool: for arrivals, and for this guest
 *
 * It takes the first that no interface of a pool has (src/network/bridge_driver.c networkAllocatePort()), which are free ones here. They are
 * not given to anybody by address meanwhile.
 */
static unsigned int count_seats(const struct placement *p, const struct guest *guest, const struct inventory_pf *pf)
{
	unsigned int n = 0;

	for (size_t i = 0; i < p->leases->count; i++) {
		const struct record *record = &p->leases->record[i];

		for (size_t k = 0; k < record->vfs && !record->lapsed && strcmp(record->uuid, p->uuid) != 0; k++)
			n += pci_address_equal(&record->vf[k].address, &pf->address);
	}
	for (size_t i = 0; i < guest->vfs; i++)
		n += guest->vf[i].pool && guest->vf[i].pf == pf && !guest->vf[i].has_vf;
	return n;
}

/*
 * is_other_than_named() - whether a VF is not the one that the guest's XML names, where only that one may be given
 */
static bool is_other_than_named(const struct placement *p, const struct guest_vf *vf, const struct pci_address *address)
{
	return p->config->placement == PLACING_AS_NAMED && vf->device->has_source && !pci_address_equal(address, &vf->device->source);
}

/*
 * find_vf() - the fittest VF of a PF that is free, of these the first
 * @vf:		is given it
 * Return: whether there is one
 */
static bool find_vf(const struct search *search, struct guest_vf *vf)
{
	unsigned int seats = count_seats(search->p, search->guest, search->pf);
	struct pci_address address;
	int best = -1;

	for (unsigned int i = 0; i < usable_vfs(search->p->config, search->pf); i++) {
		if (!vf_is_free(search, i, &address) || (seats && seats--) ||
		    is_other_than_named(search->p, vf, &address) || fitness(search->p, vf, &address) <= best)
			continue;
		best = fitness(search->p, vf, &address);
		vf->index = i;
		vf->address = address;
		vf->has_vf = true;
	}
	return best >= 0;
}

/*
 * pick_vf() - the VF of a PF that a guest gets; one of a guest that has not come in time is the last choice
 * Return: 0, -ENOSPC, -ENOMEM
 */
static int pick_vf(const struct placement *p, const struct guest *guest, struct guest_vf *vf, const struct inventory_pf *pf)
{
	autouses struct uses uses = { 0 };
	const struct guest_vf wanted = *vf;
	struct search search = { .p = p, .guest = guest, .pf = pf, .vf = &wanted, .uses = &uses };

	if (uses_find_card(p->inventory, p->running, pf, &uses))
		return -ENOMEM;
	if (find_vf(&search, vf))
		return 0;
	search.lapsed = true;
	return find_vf(&search, vf) ? 0 : -ENOSPC;
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
 * list_guests() - who has VFs of a PF or is promised them
 * @names:	"web1, web2"
 */
static void list_guests(const struct placement *p, const struct inventory_pf *pf, char *names, size_t size)
{
	for (unsigned int i = 0; i < pf->num_vfs; i++) {
		const struct status *status = status_find_device(p->running, &pf->vf[i].address);
		const struct record *lease = record_find_vf(p->leases, &pf->vf[i].address, p->uuid);
		size_t used = strlen(names);
		char clean[64];

		if (!status && !lease)
			continue;
		reason_clean(clean, sizeof(clean), status ? status->name : lease->name);
		if (!strstr(names, clean))
			snprintf(names + used, size - used, "%s%s", used ? ", " : "", clean);
	}
}

/*
 * passed_over() - the first VF that no guest has and that is passed over all the same, with the reason
 * @out:	"VF 0000:81:00.2 is passed over: driver vfio-pci holds it"; "" there is none
 */
static void passed_over(const struct search *search, char *out, size_t size)
{
	const struct placement *p = search->p;
	char reason[256], address[PCI_ADDRESS_LEN];

	for (unsigned int i = 0; i < search->pf->num_vfs && !*out; i++) {
		const struct pci_address *vf = &search->pf->vf[i].address;

		if (status_find_device(p->running, vf) || record_find_vf(p->leases, vf, p->uuid) || !*why_not(search, i, reason))
			continue;
		snprintf(out, size, "VF %s is passed over: %s", pci_address_format(vf, address), reason);
	}
}

/*
 * no_free_vf() - the sentence for a PF whose VFs are taken: who has them, and why another is passed over. Their number is not changed while
 * one is in use.
 */
static void no_free_vf(const struct placement *p, const struct inventory_pf *pf, const struct guest_vf *vf, struct reason *why)
{
	autouses struct uses uses = { 0 };
	const struct search search = { .p = p, .pf = pf, .vf = vf, .uses = &uses };
	char names[160] = "", other[320] = "";

	list_guests(p, pf, names, sizeof(names));
	if (uses_find_card(p->inventory, p->running, pf, &uses) == 0)
		passed_over(&search, other, sizeof(other));
	reason_set(why, -ENOSPC, NULL, "no free VF among its %u%s%s%s%s%s", usable_vfs(p->config, pf), *names ? ": " : "", names,
		   *names ? (strchr(names, ',') ? " have them" : " has them") : "", *other ? (*names ? "; " : ": ") : "", other);
	reason_cure(why, "free a VF%s; the number of VFs of a PF (vferry prepare --vfs) can be changed only while none is in use",
		    *other ? " ('vferry status' tells who uses each)" : "");
}

/*
 * named_is_not_free() - the sentence where the guest's XML names a VF that it cannot get, and no other may be given
 */
static void named_is_not_free(const struct placement *p, const struct inventory_pf *pf, const struct guest_vf *vf, struct reason *why)
{
	const struct pci_address *named = &vf->device->source;
	const struct status *status = status_find_device(p->running, named);
	const struct record *lease = record_find_vf(p->leases, named, p->uuid);
	char address[PCI_ADDRESS_LEN], who[128] = "";
	unsigned int index;

	pci_address_format(named, address);
	reason_clean(who, sizeof(who), status ? status->name : lease ? lease->name : "");
	if (inventory_find_vf(p->inventory, named, &index) != pf)
		reason_set(why, -ENODEV, NULL, "VF %s, which the guest's XML names, is not one of its (placement = as-named)", address);
	else if (*who)
		reason_set(why, -ENOSPC, NULL, "VF %s, which the guest's XML names, is guest %s's (placement = as-named)", address, who);
	else
		reason_set(why, -ENOSPC, NULL, "VF %s, which the guest's XML names, is in use (placement = as-named)", address);
	reason_cure(why, "let whoever moves the guest name a VF that is free here, or set placement = choose in vferry.conf here");
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
	if (!trial->pool && pick_vf(p, guest, trial, pf)) {
		if (is_other_than_named(p, trial, &(struct pci_address){ 0 }))
			named_is_not_free(p, pf, trial, why);
		else
			no_free_vf(p, pf, trial, why);
		return -ENOSPC;
	}
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
 * placement_free() - how many VFs of a PF could be given away now
 */
unsigned int placement_free(const struct placement *p, const struct inventory_pf *pf)
{
	static const struct guest nobody;
	autouses struct uses uses = { 0 };
	struct guest_vf any = { 0 };
	const struct search search = { .p = p, .guest = &nobody, .pf = pf, .vf = &any, .uses = &uses };
	struct pci_address address;
	unsigned int n = usable_vfs(p->config, pf), count = 0;

	snprintf(any.bridge, sizeof(any.bridge), "%s", network_bridge(p->config, p->inventory, pf));
	if (uses_find_card(p->inventory, p->running, pf, &uses))
		return 0;
	for (unsigned int i = 0; i < n; i++)
		count += vf_is_free(&search, i, &address);
	return count;
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
		int error = trust_judge(p, &guest->vf[i], why);

		if (!error)
			error = place_one(p, guest, &guest->vf[i], why);
		if (error)
			return error;
		warn_of_pf(p, &guest->vf[i]);
	}
	return 0;
}

/*
 * refuse_held() - the sentence for a VF that a guest has, or is promised
 * Return: -EBUSY
 */
static int refuse_held(const struct pci_address *vf, const char *guest, bool runs, struct reason *why)
{
	char address[PCI_ADDRESS_LEN], name[128];

	reason_clean(name, sizeof(name), guest);
	reason_set(why, -EBUSY, pci_address_format(vf, address), runs ? "guest %s, which runs here, has the VF" :
		   "the VF is promised to guest %s, which is arriving", name);
	reason_cure(why, runs ? "give the guest another VF, or shut that one down first" :
		    "start the guest when that migration has ended, or give it another VF");
	return -EBUSY;
}

/*
 * judge_users() - whether a VF that a guest names is somebody else's
 * Return: 0, -EBUSY, -ENOMEM
 */
static int judge_users(const struct placement *p, const struct guest_vf *vf, struct reason *why)
{
	const struct record *lease = record_find_vf(p->leases, &vf->address, p->uuid);
	const struct status *guest = status_find_device(p->running, &vf->address);
	autouses struct uses uses = { 0 };
	char address[PCI_ADDRESS_LEN], sentence[256];
	const struct use *by = NULL;

	if (guest && strcmp(guest->uuid, p->uuid) != 0)
		return refuse_held(&vf->address, guest->name, true, why);
	if (p->holds)
		return 0;
	if (lease && lease->state == RECORD_ARRIVING && !lease->lapsed) /* what is over by now is found out by the claim */
		return refuse_held(&vf->address, lease->name, status_find_uuid(p->running, lease->uuid) != NULL, why);
	if (vf->index >= vf->pf->num_vfs)
		return 0;
	if (uses_find_card(p->inventory, NULL, vf->pf, &uses))
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	if (uses_grade(&uses, &vf->pf->vf[vf->index], p->uuid, &by) < GRADE_USED || by->kind == USE_DRIVER)
		return 0;
	reason_set(why, -EBUSY, pci_address_format(&vf->address, address), "the VF is in use: %s", uses_say(by, sentence, sizeof(sentence)));
	reason_cure(why, "take it out of use there, or give the guest another VF");
	return -EBUSY;
}

/*
 * fix_one() - places one VF at the address that the guest names
 * Return: as placement_fixed()
 */
static int fix_one(const struct placement *p, struct guest_vf *vf, struct reason *why)
{
	struct rule_case c = { .config = p->config, .inventory = p->inventory, .vf = vf, .running = p->running };
	char address[PCI_ADDRESS_LEN];

	if (!vf->pool)
		vf->pf = inventory_find_vf(p->inventory, &vf->device->source, &vf->index);
	if (!vf->pf) {
		reason_set(why, -ENODEV, pci_address_format(&vf->device->source, address), "it is not a VF of this host");
		reason_cure(why, "give the guest the address of a VF of this host");
		return -ENODEV;
	}
	if (trust_judge(p, vf, why))
		return -EACCES;
	c.pf = vf->pf;
	if (rules_judge_pf(&c, p->warn, p->arg, why))
		return -EPERM;
	if (vf->pool)
		return 0;
	vf->has_vf = true;
	vf->address = vf->device->source;
	return judge_users(p, vf, why);
}

/*
 * placement_fixed() - places a guest that starts here at the addresses that it names
 * @p:		host
 * @guest:	its VFs
 * @why:	filled on failure
 * Return: 0; -ENODEV if an address is no VF of this host; -EBUSY if somebody else has it; -EPERM if a rule refuses its PF; -EACCES if it
 * exceeds trust
 */
int placement_fixed(const struct placement *p, struct guest *guest, struct reason *why)
{
	int error = 0;

	for (size_t i = 0; !error && i < guest->vfs; i++)
		error = fix_one(p, &guest->vf[i], why);
	return error;
}
