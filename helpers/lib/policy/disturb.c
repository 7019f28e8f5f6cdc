/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * disturb.c: what a change to a PF would cut off.
 *
 * A mode change takes the uplink's carrier away for a moment and re-creates every representor; with a VF that a driver holds the
 * firmware refuses it after the old forwarding was torn down, which leaves the running VFs without network (mlx5 eswitch_offloads.c).
 */
#include "policy/disturb.h"

#include <errno.h>
#include <string.h>

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
 * netdev_use() - what the host does with a VF's own netdev
 */
static const char *netdev_use(const struct inventory_vf *vf)
{
	return vf->host_addresses ? "has an address" : vf->host_netdev_enslaved ? "is in a bond or bridge" : "is up";
}

/*
 * disturb_host_uses_vf() - whether the host itself uses a VF
 * @vf:		VF
 * @why:	filled if it does
 * Return: true if its own netdev is up, has addresses, or belongs to a bond or bridge
 */
bool disturb_host_uses_vf(const struct inventory_vf *vf, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];

	if (!vf->host_addresses && !vf->host_netdev_up && !vf->host_netdev_enslaved)
		return false;
	reason_set(why, -EBUSY, pci_address_format(&vf->address, address), "the host itself uses this VF (%s %s)", vf->host_netdev,
		   netdev_use(vf));
	return true;
}

/*
 * disturb_uplink() - whether the host itself uses an uplink that is in no bridge: its traffic would end in the bridge
 * @pf:		PF
 * @why:	filled if it does
 * Return: 0, -EBUSY
 */
int disturb_uplink(const struct inventory_pf *pf, struct reason *why)
{
	if (pf->uplink_addresses || pf->uplink_default_route) {
		reason_set(why, -EBUSY, pf->uplink, "its uplink %s carries %s of this host", pf->uplink,
			   pf->uplink_default_route ? "the default route" : "an IP address");
		reason_cure(why, "move them to another device or to the bridge, or let guests use another PF");
		return -EBUSY;
	}
	if (pf->uplink_tc_rules) {
		reason_set(why, -EBUSY, pf->uplink, "its uplink %s has TC rules, which Open vSwitch would remove", pf->uplink);
		reason_cure(why, TC_CURE, pf->uplink);
		return -EBUSY;
	}
	return 0;
}

/*
 * busy_port() - a port beside the uplink in its bridge that would lose the network for a moment
 */
static const struct ovs_port *busy_port(const struct inventory *inventory, const struct inventory_pf *pf)
{
	for (size_t i = 0; *pf->uplink_bridge && i < inventory->ovs.ports; i++) {
		const struct ovs_port *port = &inventory->ovs.port[i];

		if (strcmp(port->bridge, pf->uplink_bridge) == 0 && strcmp(port->name, pf->uplink) && strcmp(port->name, port->bridge) &&
		    port->ofport > 0)
			return port;
	}
	return NULL;
}

/*
 * held_vf() - the sentence for a VF that keeps the eswitch from being switched: who has it
 * Return: -EBUSY
 */
static int held_vf(const struct status_list *running, const struct inventory_vf *vf, struct reason *why)
{
	const struct status *guest = running ? status_find_device(running, &vf->address) : NULL;
	char address[PCI_ADDRESS_LEN], name[128];

	pci_address_format(&vf->address, address);
	if (guest) {
		reason_clean(name, sizeof(name), guest->name);
		reason_set(why, -EBUSY, address, LEGACY "cannot be switched while guest %s has its VF %s (driver %s)", name, address,
			   vf->driver);
		reason_cure(why, "migrate or shut down that guest, or let guests use another PF");
	} else if (disturb_host_uses_vf(vf, NULL)) {
		reason_set(why, -EBUSY, address, LEGACY "cannot be switched while the host itself uses its VF %s (%s %s, driver %s)",
			   address, vf->host_netdev, netdev_use(vf), vf->driver);
		reason_cure(why, "take %s out of use, or let guests use another PF", vf->host_netdev);
	} else {
		reason_set(why, -EBUSY, address, LEGACY "cannot be switched while its VF %s is held by driver %s", address, vf->driver);
		reason_cure(why, "free it: virsh nodedev-detach, or 'vferry prepare' where nobody uses it");
	}
	return -EBUSY;
}

/*
 * interrupted() - what the uplink carries, and would lose for a moment
 * Return: 0, -EBUSY with *why
 */
static int interrupted(const struct inventory *inventory, const struct inventory_pf *pf, struct reason *why)
{
	const struct ovs_port *port = busy_port(inventory, pf);

	if (strcmp(pf->uplink_master_kind, "bond") == 0)
		return reason_set(why, -EBUSY, pf->uplink, LEGACY "cannot be switched while %s is in bond %s", pf->uplink,
				  pf->uplink_master);
	if (pf->uplink_addresses || pf->uplink_default_route)
		return reason_set(why, -EBUSY, pf->uplink, LEGACY "switching it would interrupt %s, which has %s", pf->uplink,
				  pf->uplink_default_route ? "the default route" : "an address");
	if (port)
		return reason_set(why, -EBUSY, port->name, LEGACY "switching it would interrupt port %s of bridge %s", port->name,
				  port->bridge);
	if (!pf->uplink_tc_rules)
		return 0;
	reason_set(why, -EBUSY, pf->uplink, LEGACY "cannot be switched while %s has TC rules", pf->uplink);
	reason_cure(why, TC_CURE, pf->uplink);
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
	const struct inventory_vf *bound = disturb_bound_vf(pf);

	if (pf->mode == ESWITCH_SWITCHDEV)
		return 0;
	if (pf->mode != ESWITCH_LEGACY)
		return reason_set(why, -EBUSY, NULL, "the mode of its eswitch is not known to vferry");
	return bound ? held_vf(running, bound, why) : interrupted(inventory, pf, why);
}
