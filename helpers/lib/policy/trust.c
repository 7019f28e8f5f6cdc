/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * trust.c: what a passport may ask for.
 *
 * It comes with XML that another host's administrator wrote, or whoever may set a guest's metadata. So it gets no more at an ordinary start
 * than at an arrival, and what another port or guest of this host is known by is never given a second time.
 */
#include "policy/trust.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define SEPARATORS " ,\t"

/* Whether a name stands in a list of names, or that says "any". */
static bool is_listed(const char *list, const char *name)
{
	for (const char *at = list + strspn(list, SEPARATORS); *at; at += strspn(at, SEPARATORS)) {
		size_t len = strcspn(at, SEPARATORS);

		if ((len == strlen(name) && strncmp(at, name, len) == 0) || (len == 3 && strncmp(at, "any", len) == 0))
			return true;
		at += len;
	}
	return false;
}

/* Refuses what a key of [trust] does not allow. what: "bridge br-ex". Return: -EACCES. */
static int refuse(const char *what, const char *key, struct reason *why)
{
	reason_set(why, -EACCES, NULL, "the guest's passport asks for %s, which %s in [trust] of vferry.conf does not allow", what, key);
	reason_cure(why, "allow it there, or change it where the guest comes from");
	return -EACCES;
}

/* Judges the bridge that a passport names; that of vferry.conf is always allowed. Return: 0, -EACCES with *why filled. */
static int judge_bridge(const struct config *config, const struct passport_vf *passport, struct reason *why)
{
	char what[80];

	if (!*passport->bridge || strcmp(passport->bridge, config->bridge) == 0 || is_listed(config->trust_bridges, passport->bridge))
		return 0;
	snprintf(what, sizeof(what), "bridge %s", passport->bridge);
	return refuse(what, "bridges", why);
}

/* Whether a port carries every VLAN, as one does that has neither tag nor trunks (vswitch.xml, Port vlan_mode and trunks). */
static bool carries_all(const struct port_settings *port)
{
	bool is_access = strcmp(port->vlan_mode, "access") == 0 || strcmp(port->vlan_mode, "dot1q-tunnel") == 0;

	return !is_access && !port->trunks && (!port->has_tag || *port->vlan_mode);
}

/* Judges the VLANs of a port. Return: 0, -EACCES with *why filled. */
static int judge_vlans(const struct config *config, const struct port_settings *port, struct reason *why)
{
	const struct vlan_set *vlans = &config->trust_vlans;
	char what[64];

	if (!config->trust_trunks && (port->trunks || (*port->vlan_mode && strcmp(port->vlan_mode, "access"))))
		return refuse("a port that carries several VLANs", "trunks", why);
	if (!vlans->any && carries_all(port) && (port->has_tag || *port->vlan_mode || !vlans->none))
		return refuse("a port that carries every VLAN", "vlans", why);
	snprintf(what, sizeof(what), "VLAN %u", port->tag);
	if (port->has_tag && !vlan_set_has(vlans, port->tag))
		return refuse(what, "vlans", why);
	for (unsigned int vlan = 0; port->trunks && vlan <= PORT_MAX_VLAN; vlan++) {
		snprintf(what, sizeof(what), "VLAN %u", vlan);
		if (port_settings_has_trunk(port, vlan) && !vlan_set_has(vlans, vlan))
			return refuse(what, "vlans", why);
	}
	return 0;
}

/* Judges the names and limits of a port. Return: 0, -EACCES with *why filled. */
static int judge_rest(const struct config *config, const struct port_settings *port, struct reason *why)
{
	char what[PORT_NAME_MAX + 16];

	snprintf(what, sizeof(what), "iface-id %s", port->iface_id);
	if (*port->iface_id && !config->trust_iface_id)
		return refuse(what, "iface_id", why);
	if (!config->trust_qos && (*port->qos || port->ingress_rate || port->ingress_burst))
		return refuse("limits of traffic (QoS)", "qos", why);
	return 0;
}

/* ---- What others have --------------------------------------------------------------------------------------------------------- */

/* Return: the VF whose representor a port is, NULL if it is none's. */
static const struct inventory_vf *vf_of_port(const struct placement *p, const struct ovs_port *port)
{
	for (size_t i = 0; i < p->inventory->pfs; i++) {
		const struct inventory_pf *pf = &p->inventory->pf[i];

		for (unsigned int k = 0; *port->name && k < pf->num_vfs; k++) {
			if (pf->vf[k].has_port && strcmp(pf->vf[k].port.netdev, port->name) == 0)
				return &pf->vf[k];
		}
	}
	return NULL;
}

/* Return: the guest that has, or is promised, the VF whose representor a port is; "" if no guest has it; NULL if it is none's. */
static const char *holder_of_port(const struct placement *p, const struct ovs_port *port)
{
	const struct inventory_vf *vf = vf_of_port(p, port);
	const struct status *guest = vf ? status_find_device(p->running, &vf->address) : NULL;
	const struct record *lease = vf ? record_find_vf(p->leases, &vf->address, NULL) : NULL;

	return guest ? guest->uuid : lease ? lease->uuid : vf ? "" : NULL;
}

/* Whether a port is that of another VF which the guest runs with: it does not go. */
static bool is_staying(const struct placement *p, const struct ovs_port *port, const struct guest_vf *vf)
{
	const struct inventory_vf *other = p->holds && vf->device->has_source ? vf_of_port(p, port) : NULL;
	const struct status *guest = other ? status_find_device(p->running, &other->address) : NULL;

	return guest && strcmp(guest->uuid, p->uuid) == 0 && !pci_address_equal(&other->address, &vf->device->source);
}

/* Whether a port is another's: not of this guest, and not that of a VF which nobody has any more. */
static bool is_others(const struct placement *p, const struct ovs_port *port)
{
	const char *holder;

	if (strcmp(port->guest, p->uuid) == 0 || strcasecmp(port->settings.vm_id, p->uuid) == 0 ||
	    strcasecmp(port->settings.vm_uuid, p->uuid) == 0)
		return false;
	holder = holder_of_port(p, port);
	return !holder || (*holder && strcmp(holder, p->uuid));
}

/* Refuses what another has. of: "iface-id 2f1c…"; by: "port vnet3". Return: -EACCES. */
static int refuse_taken(const char *of, const char *kind, const char *by, struct reason *why)
{
	char name[128];

	reason_clean(name, sizeof(name), by);
	reason_set(why, -EACCES, NULL, "%s, which the guest brings along, is that of %s %s here", of, kind, name);
	reason_cure(why, "give each its own; if it was left behind, remove it");
	return -EACCES;
}

/* Judges a MAC by the guests that are here or promised to come. Return: 0, -EACCES with *why filled. */
static int judge_mac_of_guests(const struct placement *p, const struct mac_address *mac, const char *what, struct reason *why)
{
	for (size_t i = 0; i < p->running->count; i++) {
		const struct status *guest = &p->running->status[i];

		if (strcmp(guest->uuid, p->uuid) && status_has_mac(guest, mac))
			return refuse_taken(what, "guest", guest->name, why);
	}
	for (size_t i = 0; i < p->leases->count; i++) {
		const struct record *lease = &p->leases->record[i];

		for (size_t k = 0; strcmp(lease->uuid, p->uuid) && k < lease->vfs; k++) {
			if (mac_address_equal(&lease->vf[k].mac, mac))
				return refuse_taken(what, "guest", lease->name, why);
		}
	}
	return 0;
}

/* Judges one MAC. Return: 0, -EACCES with *why filled. */
static int judge_mac(const struct placement *p, const struct mac_address *mac, struct reason *why)
{
	const struct ovs_state *ovs = &p->inventory->ovs;
	char text[MAC_ADDRESS_LEN], what[MAC_ADDRESS_LEN + 8];

	if (!mac_address_is_unicast(mac))
		return 0;
	snprintf(what, sizeof(what), "MAC %s", mac_address_format(mac, text));
	for (size_t i = 0; i < ovs->ports; i++) {
		const struct port_settings *port = &ovs->port[i].settings;

		if (port->has_attached_mac && mac_address_equal(&port->attached_mac, mac) && is_others(p, &ovs->port[i]))
			return refuse_taken(what, "port", ovs->port[i].name, why);
	}
	return judge_mac_of_guests(p, mac, what, why);
}

/* Judges the name by which OVN knows a port: no other has it, be it another of the guest's own. Return: 0, -EACCES with *why filled. */
static int judge_iface_id(const struct placement *p, const struct guest *guest, const struct guest_vf *vf, struct reason *why)
{
	const struct ovs_state *ovs = &p->inventory->ovs;
	const char *wanted = vf->passport->port.iface_id;
	char what[PORT_NAME_MAX + 16], mac[MAC_ADDRESS_LEN];

	snprintf(what, sizeof(what), "iface-id %s", wanted);
	for (size_t i = 0; *wanted && i < ovs->ports; i++) {
		const struct ovs_port *port = &ovs->port[i];

		if (strcmp(port->settings.iface_id, wanted) == 0 && (is_others(p, port) || is_staying(p, port, vf)))
			return refuse_taken(what, "port", port->name, why);
	}
	for (size_t i = 0; *wanted && i < guest->vfs; i++) {
		const struct passport_vf *other = guest->vf[i].passport;

		if (other && other != vf->passport && strcmp(other->port.iface_id, wanted) == 0)
			return refuse_taken(what, "its own VF with MAC", mac_address_format(&other->mac, mac), why);
	}
	return 0;
}

/* Judges the names by which a cloud's controller knows a guest. Return: 0, -EACCES with *why filled. */
static int judge_uuids(const struct placement *p, const struct port_settings *wanted, struct reason *why)
{
	const char *const ids[] = { wanted->vm_id, wanted->vm_uuid };
	char what[PORT_NAME_MAX + 16];

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		snprintf(what, sizeof(what), "uuid %s", ids[i]);
		for (size_t k = 0; strcasecmp(ids[i], p->uuid) && k < p->running->count; k++) {
			if (strcasecmp(p->running->status[k].uuid, ids[i]) == 0)
				return refuse_taken(what, "guest", p->running->status[k].name, why);
		}
	}
	return 0;
}

/*
 * Judges a VF that arrives without an entry of a passport: what nobody understands, and what nobody says, gives no more than what somebody
 * asks for. Where a guest starts, this host alone decides about such a VF. Return: 0, -EACCES with *why filled.
 */
static int judge_untold(const struct placement *p, const struct guest_vf *vf, struct reason *why)
{
	if (!p->incoming)
		return 0;
	if (vf->garbled && *vf->garbled) {
		reason_set(why, -EACCES, NULL, "what the guest's passport says of a device, which may be this VF, cannot be understood: %s",
			   vf->garbled);
		reason_cure(why, "let the agent write the passport anew on the source: systemctl restart vferryd");
		return -EACCES;
	}
	if (p->config->trust_vlans.any || p->config->trust_vlans.none)
		return 0;
	reason_set(why, -EACCES, NULL, "the guest has no passport for it, which leaves a port that carries every VLAN, which vlans in [trust] of "
		   "vferry.conf does not allow");
	reason_cure(why, "let the agent write the passport on the source, with the VLAN of the VF's port there, or add the word none to vlans here");
	return -EACCES;
}

/* Judges a passport's entry. Return: 0, -EACCES with *why filled. */
static int judge_passport(const struct placement *p, const struct guest *guest, const struct guest_vf *vf, struct reason *why)
{
	const struct passport_vf *passport = vf->passport;
	int error = judge_bridge(p->config, passport, why);

	if (!error)
		error = judge_vlans(p->config, &passport->port, why);
	if (!error)
		error = judge_rest(p->config, &passport->port, why);
	if (!error)
		error = judge_iface_id(p, guest, vf, why);
	if (!error)
		error = judge_uuids(p, &passport->port, why);
	if (!error)
		error = judge_mac(p, &passport->mac, why);
	return error || !passport->port.has_attached_mac ? error : judge_mac(p, &passport->port.attached_mac, why);
}

/*
 * trust_judge() - what a guest's VF brings along
 * @p:		host, configuration, who is here, the guest's uuid
 * @guest:	the guest
 * @vf:		VF of the guest
 * @why:	filled on refusal
 * Return: 0, -EACCES
 */
int trust_judge(const struct placement *p, const struct guest *guest, const struct guest_vf *vf, struct reason *why)
{
	int error = vf->device->has_mac ? judge_mac(p, &vf->device->mac, why) : 0;

	if (!error)
		error = vf->passport ? judge_passport(p, guest, vf, why) : judge_untold(p, vf, why);
	if (error)
		reason_rule(why, "trust");
	return error;
}
