/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * placement_fixed.c: a guest that starts here keeps the VFs that it names; whether they are its own to have.
 */
#include <errno.h>
#include <string.h>

#include "policy/placement.h"
#include "policy/rules.h"
#include "policy/trust.h"
#include "policy/uses.h"

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
static int fix_one(const struct placement *p, const struct guest *guest, struct guest_vf *vf, struct reason *why)
{
	struct rule_case c = { .config = p->config, .inventory = p->inventory, .vf = vf, .running = p->running,
			       .incoming = p->incoming };
	char address[PCI_ADDRESS_LEN];

	if (!vf->pool)
		vf->pf = inventory_find_vf(p->inventory, &vf->device->source, &vf->index);
	if (!vf->pf) {
		reason_set(why, -ENODEV, pci_address_format(&vf->device->source, address), "it is not a VF of this host");
		reason_cure(why, "give the guest the address of a VF of this host");
		return -ENODEV;
	}
	if (trust_judge(p, guest, vf, why))
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
 * placement_fixed() - places a guest that starts here, or that comes and has its XML already, at the addresses that it names
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
		error = fix_one(p, guest, &guest->vf[i], why);
	return error;
}
