/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * issue.c: what this host writes into a guest's passport. See issue.h.
 */
#include "policy/issue.h"

#include <stdio.h>
#include <string.h>

/*
 * vf_mac() - the MAC that the guest has on a VF: as its XML says, as its passport said, as the function has been told
 */
static struct mac_address vf_mac(const struct guest_vf *vf, const struct inventory_vf *now)
{
	if (vf->device->has_mac)
		return vf->device->mac;
	if (vf->passport)
		return vf->passport->mac;
	return now && now->port.has_hw_addr ? now->port.hw_addr : (struct mac_address){ 0 };
}

/*
 * issue_settings() - what an operator or a controller has set on the representor's port, without what every host sets by itself
 */
struct port_settings issue_settings(const struct ovs_port *port, const char *uuid, const struct mac_address *mac)
{
	struct port_settings settings = port->settings;

	if (settings.has_attached_mac && mac_address_equal(&settings.attached_mac, mac)) {
		settings.has_attached_mac = false;
		settings.attached_mac = (struct mac_address){ 0 };
	}
	if (strcmp(settings.vm_id, uuid) == 0)
		*settings.vm_id = '\0';
	return settings;
}

/*
 * issue_vf() - one entry
 * Return: whether there is one
 */
static bool issue_vf(const struct guest_vf *vf, const char *uuid, struct inventory *inventory, struct passport_vf *out)
{
	unsigned int index = 0;
	const struct inventory_pf *pf = vf->device->has_source ? inventory_find_vf(inventory, &vf->device->source, &index) : NULL;
	const struct inventory_vf *now = pf && index < pf->num_vfs ? &pf->vf[index] : NULL;
	const struct ovs_port *port = now && *now->port.netdev ? ovs_find_interface(&inventory->ovs, now->port.netdev) : NULL;

	*out = (struct passport_vf){ .mac = vf_mac(vf, now), .has_guest = vf->device->has_guest, .guest = vf->device->guest };
	if (!pf || !mac_address_is_unicast(&out->mac))
		return false;
	out->has_pf = true;
	out->pf = pf->address;
	snprintf(out->psid, sizeof(out->psid), "%s", pf->info.psid);
	snprintf(out->firmware, sizeof(out->firmware), "%s", pf->info.firmware);
	out->mtu = now && now->representor_mtu >= PASSPORT_MIN_MTU && now->representor_mtu <= PASSPORT_MAX_MTU ? now->representor_mtu : 0;
	out->msix = now && now->msix <= PASSPORT_MAX_MSIX ? now->msix : 0;
	out->function = now && now->has_port ? now->port.function : (struct vf_function){ 0 };
	if (port) {
		snprintf(out->bridge, sizeof(out->bridge), "%s", port->bridge);
		out->port = issue_settings(port, uuid, &out->mac);
	}
	return true;
}

/*
 * issue_passport() - the passport of a guest that runs here
 * @guest:	its VFs
 * @uuid:	of the guest
 * @inventory:	host
 * @passport:	result
 * Return: number of VFs without an entry
 */
size_t issue_passport(const struct guest *guest, const char *uuid, struct inventory *inventory, struct passport *passport)
{
	size_t without = 0;

	memset(passport, 0, sizeof(*passport));
	passport->present = guest->vfs > 0;
	snprintf(passport->host, sizeof(passport->host), "%.63s", guest->vfs ? inventory->hostname : "");
	for (size_t i = 0; i < guest->vfs; i++) {
		if (passport->vfs < PASSPORT_MAX_VFS && issue_vf(&guest->vf[i], uuid, inventory, &passport->vf[passport->vfs]))
			passport->vfs++;
		else
			without++;
	}
	return without;
}
