/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * choose.c: what vferry attach gives to a guest: a MAC that nobody has, a VF that is nobody's.
 *
 * A VF is free if no guest runs with it, none is promised it, the host itself does not use it, and no guest's definition names it: one
 * that is shut off would not start any more. The rules are those by which the hook places a guest that arrives.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strcasestr */
#endif
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/scope.h"
#include "command/attach/choose.h"
#include "policy/network.h"

#define MAC_TRIES 100
#define PF_NAMED 4
#define PF_IN_BRIDGE 2
#define PF_SWITCHDEV 1

/* ---- MAC ----------------------------------------------------------------------------------------------------------------------- */

/* Return: the name of a guest that has the MAC, "the host" for a VF that was left with it, NULL. */
static const char *mac_user(const struct attachment *a, const struct mac_address *mac)
{
	const struct inventory *inventory = &a->view.scene.inventory;
	char text[MAC_ADDRESS_LEN];

	mac_address_format(mac, text);
	for (size_t i = 0; i < a->knowns; i++) {
		if (strcasestr(a->known[i].xml, text))
			return a->known[i].name;
	}
	for (size_t i = 0; i < inventory->pfs; i++) {
		for (unsigned int k = 0; k < inventory->pf[i].num_vfs; k++) {
			const struct devlink_port *port = &inventory->pf[i].vf[k].port;

			if (port->has_hw_addr && mac_address_equal(&port->hw_addr, mac))
				return "the host";
		}
	}
	return NULL;
}

/*
 * Makes a MAC of a cluster's own: locally administered (bit 1 of the first octet, IEEE 802), and the other 40 bits by chance, since no host
 * knows the guests of all others: among 1000 guests two are alike once in two million clusters. Not from 52:54:00, of which QEMU and
 * libvirt make theirs with 24 bits. Return: 0, -EIO.
 */
static int make_mac(struct mac_address *mac)
{
	do {
		mac->octet[0] = 0x52;
		if (getrandom(mac->octet + 1, sizeof(mac->octet) - 1, 0) != sizeof(mac->octet) - 1)
			return -EIO;
	} while (mac->octet[1] == 0x54);
	return 0;
}

/* Takes the MAC that was asked for, or makes one. Return: 0, negative errno with *why filled. */
static int choose_mac(struct attachment *a, struct reason *why)
{
	const char *user;

	if (a->call->mac) {
		user = mac_user(a, &a->mac);
		if (!user)
			return 0;
		reason_set(why, -EEXIST, a->call->mac, "a device of %s has this MAC", user);
		reason_cure(why, "give another one, or none: then one is made");
		return -EEXIST;
	}
	for (int i = 0; i < MAC_TRIES; i++) {
		if (make_mac(&a->mac))
			return reason_set(why, -EIO, NULL, "the kernel gives no random numbers for a MAC");
		if (!mac_user(a, &a->mac))
			return 0;
	}
	return reason_set(why, -EEXIST, NULL, "no free MAC was found");
}

/* ---- VF ------------------------------------------------------------------------------------------------------------------------ */

/* The bridge that a PF's guests belong into. */
static const char *bridge_of(const struct attachment *a, const struct inventory_pf *pf)
{
	return network_bridge(&a->call->config, &a->view.scene.inventory, pf);
}

/* How near a PF is to what is wanted. */
static int score(const struct attachment *a, const struct inventory_pf *pf)
{
	return (strcmp(bridge_of(a, pf), a->call->config.bridge) == 0 ? PF_NAMED : 0) + (*pf->uplink_bridge ? PF_IN_BRIDGE : 0) +
	       (pf->mode == ESWITCH_SWITCHDEV && pf->num_vfs ? PF_SWITCHDEV : 0);
}

/* Chooses a VF of one PF by the hook's rules. Return: 0, negative errno with *why filled. */
static int choose_vf(struct attachment *a, struct inventory_pf *pf, struct reason *why)
{
	struct placement placement = scene_placement(&a->view.scene);
	const struct hostdev device = { .kind = HOSTDEV_INTERFACE, .managed = true, .has_mac = true, .mac = a->mac };
	autofree struct guest *guest = calloc(1, sizeof(*guest));
	struct config config = a->call->config;
	int error;

	if (!guest)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	pci_address_format(&pf->address, config.pf);
	placement.config = &config;
	placement.uuid = "";
	placement.warn = NULL;
	guest->vfs = 1;
	guest->vf[0].device = &device;
	snprintf(guest->vf[0].bridge, sizeof(guest->vf[0].bridge), "%s", bridge_of(a, pf));
	error = placement_choose(&placement, guest, why);
	if (error)
		return error;
	a->pf = pf->address;
	a->vf = guest->vf[0].address;
	a->has_vf = true;
	memcpy(a->bridge, guest->vf[0].bridge, sizeof(a->bridge));
	return 0;
}

/* Chooses a PF and a VF of it, the one that is nearest to being ready first. Return: 0, negative errno with *why filled. */
static int choose_by_address(struct attachment *a, struct reason *why)
{
	struct inventory *inventory = &a->view.scene.inventory;
	int error = -ENODEV;

	if (a->call->pf && !view_find_pf(&a->view, a->call->pf)) {
		reason_set(why, -ENODEV, a->call->pf, "this host has no such PF");
		reason_cure(why, "see vferry status for its PFs");
		return -ENODEV;
	}
	(void)view_no_pf(&a->view, why);
	for (int wanted = PF_NAMED + PF_IN_BRIDGE + PF_SWITCHDEV; wanted >= 0; wanted--) {
		for (size_t i = 0; i < inventory->pfs; i++) {
			struct inventory_pf *pf = &inventory->pf[i];
			struct reason reason = { 0 };

			if (score(a, pf) != wanted || !guest_can_use_pf(&a->call->config, pf))
				continue;
			if (!choose_vf(a, pf, &reason))
				return 0;
			if (error == -ENODEV)
				*why = reason;
			error = reason.error;
		}
	}
	return error;
}

/* Takes the PF of a pool; libvirt chooses the VF. Return: 0, negative errno with *why filled. */
static int choose_by_network(struct attachment *a, struct reason *why)
{
	autofree struct network_pool *pool = calloc(1, sizeof(*pool));
	struct inventory_pf *pf;
	int error;

	if (!pool)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	error = network_read_pool(a->call->network, "", pool, why);
	if (error)
		return error;
	pf = pool->is_pool ? guest_pool_pf(pool, &a->view.scene.inventory) : NULL;
	if (!pf) {
		reason_set(why, -ENODEV, a->call->network, pool->is_pool ? "the network is no pool of ConnectX-7 VFs" :
			   "it is no active network of libvirt that is a pool of VFs (forward mode hostdev)");
		reason_cure(why, "see 'virsh net-list --all', and " DATADIR "/vferry/xml-templates/network.xml.in for one");
		return -ENODEV;
	}
	a->pf = pf->address;
	snprintf(a->bridge, sizeof(a->bridge), "%s", bridge_of(a, pf));
	return 0;
}

/* Chooses MAC, PF, VF and bridge; see the header. */
int attach_choose(struct attachment *a, struct reason *why)
{
	int error = choose_mac(a, why);

	if (error)
		return error;
	return a->call->network ? choose_by_network(a, why) : choose_by_address(a, why);
}
