/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * placement_vf.c: which VF of one PF a guest gets, and why not the others.
 *
 * A VF is given that nobody has, is promised or uses: not by libvirt, not by a lease, not by what the host's uses tell (uses.h).
 */
#include "policy/placement_vf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/desired.h"
#include "policy/network.h"
#include "policy/uses.h"

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
 * port_is_others() - whether somebody has put a VF's representor into another bridge than the one it would have to be in, or with other
 * VLANs: somebody who gives VFs to others
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
 * It takes the first that no interface of a pool has (src/network/bridge_driver.c networkAllocatePort()), which are free ones here. They
 * are not given to anybody by address meanwhile.
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
 * placement_pick_vf() - the VF of a PF that a guest gets
 * @guest:	whose VFs are being placed: it gets none twice
 * @vf:		one of them, or a copy; index, address and has_vf are set
 * @why:	filled on failure
 * Return: 0, -ENOSPC
 */
int placement_pick_vf(const struct placement *p, const struct guest *guest, struct guest_vf *vf, const struct inventory_pf *pf,
		      struct reason *why)
{
	if (pick_vf(p, guest, vf, pf) == 0)
		return 0;
	if (is_other_than_named(p, vf, &(struct pci_address){ 0 }))
		named_is_not_free(p, pf, vf, why);
	else
		no_free_vf(p, pf, vf, why);
	return -ENOSPC;
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
