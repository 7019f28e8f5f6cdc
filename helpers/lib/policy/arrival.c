/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * arrival.c: what the hook of another host would say about a guest: by the hook's own functions, on that host's inventory.
 */
#include "policy/arrival.h"

#include <stdio.h>
#include <string.h>

#include "policy/rules.h"

/*
 * arrival_write() - the passports of a guest
 * @guest:	its VFs, as found on the host that it leaves
 * @from:	that host
 * @passport:	result, in the order of the VFs
 * @domain:	whose devices get them
 */
void arrival_write(const struct guest *guest, struct inventory *from, struct passport_vf passport[GUEST_MAX_VFS], struct domain *domain)
{
	for (size_t i = 0; i < guest->vfs; i++) {
		const struct guest_vf *vf = &guest->vf[i];
		const struct inventory_pf *pf = vf->pf;
		struct passport_vf *out = &passport[i];
		unsigned int index = vf->index;

		if (!pf && vf->device->has_source)
			pf = inventory_find_vf(from, &vf->device->source, &index);
		*out = !pf && vf->passport ? *vf->passport : (struct passport_vf){ 0 };
		if (vf->device->has_mac)
			out->mac = vf->device->mac;
		if (pf) {
			out->has_pf = true;
			out->pf = pf->address;
			snprintf(out->psid, sizeof(out->psid), "%s", pf->info.psid);
			snprintf(out->firmware, sizeof(out->firmware), "%s", pf->info.firmware);
			out->msix = index < pf->num_vfs ? pf->vf[index].msix : 0;
			out->function = index < pf->num_vfs && pf->vf[index].has_port ? pf->vf[index].port.function : (struct vf_function){ 0 };
			out->mtu = index < pf->num_vfs ? pf->vf[index].representor_mtu : 0;
		}
		snprintf(out->bridge, sizeof(out->bridge), "%s", vf->bridge);
		domain->hostdev[vf->hostdev].passport = out;
	}
}

/*
 * arrival_judge() - what the rules about guests say
 * @a:		guest and host
 * @guest:	result: its VFs there, not placed
 * @why:	filled on refusal
 * Return: 0, negative errno
 */
int arrival_judge(const struct arrival *a, struct guest *guest, struct reason *why)
{
	struct guest_search search = { .config = a->config, .domain = a->domain, .inventory = a->to, .incoming = true };
	struct rule_case c = { .config = a->config, .domain = a->domain, .inventory = a->to, .guest = guest, .incoming = true };
	int error = guest_find_vfs(&search, guest, why);

	return error || !guest->vfs ? error : rules_judge_guest(&c, NULL, NULL, why);
}

/* arrival_placement() - the host as placement sees it */
struct placement arrival_placement(const struct arrival *a)
{
	return (struct placement){ .config = a->config, .inventory = a->to, .running = a->running, .leases = a->leases,
				   .uuid = a->domain->uuid, .incoming = true };
}
