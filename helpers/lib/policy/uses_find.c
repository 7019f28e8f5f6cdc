/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * uses_find.c: makes the list of uses. See uses.h.
 *
 * An uplink is used by all that rides on it, followed through the kernel's own stacking and through Open vSwitch in turn: a bridge there,
 * its other ports, its local port and what rides on that, and by patch ports the next bridge.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "card/netdev_stack.h"
#include "policy/uses.h"

#define MAX_BRIDGES 64 /* that one uplink reaches */

/* What is worked on. */
struct finder {
	const struct inventory *inventory;
	const struct status_list *running;
	struct uses *uses;
	struct use use;      /* whose target is being looked at */
	const char *bridge[MAX_BRIDGES]; /* that were reached from it */
	size_t bridges;
	bool has_far;        /* some netdev is in another namespace */
	bool has_odd;        /* some representor has an address or a master that is not Open vSwitch */
	int error;
};

/* Notes a use of the target that is being looked at. uuid: of a guest, "" none. */
__attribute__((format(printf, 4, 5)))
static void note(struct finder *finder, enum use_kind kind, const char *uuid, const char *format, ...)
{
	struct use use = finder->use;
	va_list args;

	use.kind = kind;
	snprintf(use.uuid, sizeof(use.uuid), "%s", uuid);
	va_start(args, format);
	vsnprintf(use.name, sizeof(use.name), format, args);
	va_end(args);
	if (!finder->error)
		finder->error = uses_add(finder->uses, &use);
}

/* How a netdev is called: "vlan p0.100", "macvlan eth0 (process 4711 (pause))". */
static const char *name_of(const struct netdev *netdev, char *out, size_t size)
{
	bool is_local = strcmp(netdev->kind, "openvswitch") == 0;

	snprintf(out, size, "%s%s%s%s%.60s%s", is_local ? "port" : netdev->kind, *netdev->kind ? " " : "", netdev->name,
		 *netdev->space ? " (" : "", netdev->space, *netdev->space ? ")" : "");
	return out;
}

/* ---- What rides on a netdev ---------------------------------------------------------------------------------------------------- */

/* Notes routes and addresses of a netdev. Return: whether there are some. */
static bool note_own(struct finder *finder, const struct netdev *netdev)
{
	char name[128];

	name_of(netdev, name, sizeof(name));
	if (netdev->default_route || netdev->other_route)
		note(finder, USE_ROUTE, "", "%.90s has %s of this host", name, netdev->default_route ? "the default route" : "a route");
	if (netdev->addresses)
		note(finder, USE_ADDRESS, "", "%s", name);
	return netdev->default_route || netdev->other_route || netdev->addresses;
}

/* Notes one rider. */
static void note_rider(struct finder *finder, const struct netdev_rider *rider)
{
	const struct netdev *netdev = rider->netdev;
	char name[128];

	name_of(netdev, name, sizeof(name));
	if (rider->is_member)
		note(finder, USE_MEMBER, "", "%s", name);
	else if (!*netdev->space && (strcmp(netdev->kind, "bond") == 0 || strcmp(netdev->kind, "team") == 0))
		note(finder, USE_BOND, "", "%s", name);
	else if (*netdev->space || !note_own(finder, netdev))
		note(finder, USE_STACK, "", "%s", name);
}

static void follow_port(struct finder *finder, const char *netdev);

/* Notes all that rides on a netdev, in the kernel and in Open vSwitch. */
static void follow_netdev(struct finder *finder, const struct netdev *netdev)
{
	const struct inventory *inventory = finder->inventory;
	autofree struct netdev_rider *rider = calloc(NETDEV_MAX_RIDERS, sizeof(*rider));
	size_t riders;

	if (!rider) {
		finder->error = -ENOMEM;
		return;
	}
	riders = netdev_find_riders(inventory->netdev, inventory->netdevs, netdev->ifindex, rider, NETDEV_MAX_RIDERS);
	for (size_t i = 0; i < riders; i++)
		note_rider(finder, &rider[i]);
	follow_port(finder, netdev->name);
	for (size_t i = 0; i < riders; i++) {
		if (!rider[i].is_member && !*rider[i].netdev->space)
			follow_port(finder, rider[i].netdev->name);
	}
}

/* ---- What shares a bridge of Open vSwitch -------------------------------------------------------------------------------------- */

/* Whether a bridge is new to the walk; it is noted. */
static bool is_new(struct finder *finder, const char *bridge)
{
	for (size_t i = 0; i < finder->bridges; i++) {
		if (strcmp(finder->bridge[i], bridge) == 0)
			return false;
	}
	if (finder->bridges == MAX_BRIDGES)
		return false;
	finder->bridge[finder->bridges++] = bridge;
	return true;
}

/* Notes a port that shares a bridge with the uplink; a port that does not work has nothing to lose. */
static void note_port(struct finder *finder, const struct ovs_port *port)
{
	if (port->ofport > 0)
		note(finder, USE_PORT, port->ours ? port->guest : "", "port %s of bridge %s reaches the network by it", port->name, port->bridge);
}

static void follow_bridge(struct finder *finder, const char *bridge, const struct ovs_port *from);

/* Follows one port of a bridge: the local one to what rides on it, a patch port to the next bridge. */
static void follow_one(struct finder *finder, const struct ovs_port *port)
{
	const struct inventory *inventory = finder->inventory;
	const struct ovs_port *peer = strcmp(port->type, "patch") == 0 ? ovs_find_port(&inventory->ovs, port->peer) : NULL;
	bool is_local = strcmp(port->name, port->bridge) == 0;

	if (is_local || strcmp(port->type, "internal") == 0) {
		const struct netdev *netdev = netdev_find(inventory->netdev, inventory->netdevs, port->name);

		if (netdev)
			(void)note_own(finder, netdev);
		if (netdev)
			follow_netdev(finder, netdev);
		else if (!is_local)
			note_port(finder, port);
	} else if (peer) {
		follow_bridge(finder, peer->bridge, peer);
	} else {
		note_port(finder, port);
	}
}

/* Notes what shares a bridge. from: the port by which it was reached. */
static void follow_bridge(struct finder *finder, const char *bridge, const struct ovs_port *from)
{
	const struct ovs_state *ovs = &finder->inventory->ovs;

	if (!is_new(finder, bridge))
		return;
	for (size_t i = 0; i < ovs->ports; i++) {
		if (&ovs->port[i] != from && strcmp(ovs->port[i].bridge, bridge) == 0)
			follow_one(finder, &ovs->port[i]);
	}
}

/* Goes on in Open vSwitch where a netdev is one of its ports. */
static void follow_port(struct finder *finder, const char *netdev)
{
	const struct ovs_port *port = ovs_find_interface(&finder->inventory->ovs, netdev);

	if (port && strcmp(port->name, port->bridge) != 0)
		follow_bridge(finder, port->bridge, port);
}

/* ---- PFs ----------------------------------------------------------------------------------------------------------------------- */

/* Notes what an uplink is used for, by the inventory's own fields: a record of an older vferry has no more. */
static void note_summary(struct finder *finder, const struct inventory_pf *pf)
{
	const struct ovs_port *port;

	if (strcmp(pf->uplink_master_kind, "bond") == 0)
		note(finder, USE_BOND, "", "bond %s", pf->uplink_master);
	else if (*pf->uplink_master)
		note(finder, USE_STACK, "", "%s %s", pf->uplink_master_kind, pf->uplink_master);
	if (pf->uplink_default_route)
		note(finder, USE_ROUTE, "", "%s has the default route of this host", pf->uplink);
	if (pf->uplink_addresses)
		note(finder, USE_ADDRESS, "", "%s", pf->uplink);
	port = ovs_find_interface(&finder->inventory->ovs, pf->uplink);
	if (!port && *pf->uplink_master)
		port = ovs_find_interface(&finder->inventory->ovs, pf->uplink_master);
	if (*pf->uplink_bridge)
		follow_bridge(finder, pf->uplink_bridge, port);
}

/* Notes who has a function beside its netdev. */
static void note_users(struct finder *finder, const struct pci_address *device)
{
	for (size_t i = 0; i < finder->inventory->users; i++) {
		const struct device_user *user = &finder->inventory->user[i];

		if (!pci_address_equal(&user->device, device))
			continue;
		if (strcmp(user->kind, DEVICE_USER_VDPA) == 0)
			note(finder, USE_VDPA, "", "%s%s%s", *user->process ? user->process : "vDPA device ", *user->process ? ", " : "", user->name);
		else if (strcmp(user->kind, DEVICE_USER_RDMA) == 0)
			note(finder, USE_RDMA, "", "%s", user->process);
		else if (strcmp(user->kind, DEVICE_USER_VFIO) == 0)
			note(finder, USE_VFIO, "", "%s", user->process);
		else
			note(finder, USE_FUNCTION, "", "%s", user->name);
	}
}

/* Notes netdevs of a function that are in other network namespaces. Return: whether there are some. */
static bool note_spaces(struct finder *finder, const struct pci_address *device)
{
	char address[PCI_ADDRESS_LEN], name[128];
	bool some = false;

	pci_address_format(device, address);
	for (size_t i = 0; finder->has_far && i < finder->inventory->netdevs; i++) {
		const struct netdev *netdev = &finder->inventory->netdev[i];

		if (!*netdev->space || strcmp(netdev->parent, address) != 0)
			continue;
		note(finder, USE_NAMESPACE, "", "%s", name_of(netdev, name, sizeof(name)));
		some = true;
	}
	return some;
}

/* Finds the uses of a PF. */
static void find_pf(struct finder *finder, const struct inventory_pf *pf)
{
	const struct inventory *inventory = finder->inventory;
	const struct netdev *uplink = netdev_find_index(inventory->netdev, inventory->netdevs, pf->uplink_ifindex);

	finder->use = (struct use){ .of = use_pf(&pf->address), .pf = pf->address };
	finder->bridges = 0;
	if (uplink) {
		(void)note_own(finder, uplink);
		follow_netdev(finder, uplink);
	} else {
		note_summary(finder, pf);
	}
	if (pf->uplink_tc_rules)
		note(finder, USE_RULES, "", "%s", pf->uplink);
	note_users(finder, &pf->address);
	(void)note_spaces(finder, &pf->address);
	if (inventory->users_unseen)
		note(finder, USE_UNSEEN, "", "it cannot be seen who uses it: not all processes and network namespaces show themselves");
}

/* ---- VFs ----------------------------------------------------------------------------------------------------------------------- */

/* Notes what the host does with a VF's own netdev. Return: whether it has one here. */
static bool note_netdev(struct finder *finder, const struct inventory_vf *vf)
{
	const struct netdev *netdev = netdev_find(finder->inventory->netdev, finder->inventory->netdevs, vf->host_netdev);

	if (!*vf->host_netdev)
		return false;
	if (netdev) {
		(void)note_own(finder, netdev);
		follow_netdev(finder, netdev);
	} else if (vf->host_addresses) {
		note(finder, USE_ADDRESS, "", "%s", vf->host_netdev);
	} else if (vf->host_netdev_enslaved) {
		note(finder, USE_BOND, "", "a bond or bridge (%s)", vf->host_netdev);
	}
	if (vf->host_netdev_up && *vf->driver)
		note(finder, USE_UP, "", "%s", vf->host_netdev);
	return true;
}

/* Notes who uses a VF's representor: a port of somebody else, a bridge or an address of the host. */
static void note_representor(struct finder *finder, const struct inventory_vf *vf)
{
	const struct inventory *inventory = finder->inventory;
	const struct netdev *netdev = NULL;

	if (finder->has_odd && vf->has_port)
		netdev = netdev_find_index(inventory->netdev, inventory->netdevs, vf->port.ifindex);
	if (*vf->bridge && !vf->bridge_ours)
		note(finder, USE_PORT, "", "its representor %s is a port of bridge %s, which somebody else put there", vf->port.netdev, vf->bridge);
	if (!netdev)
		return;
	(void)note_own(finder, netdev);
	if (netdev->master && strcmp(netdev->master_kind, "openvswitch") != 0)
		note(finder, USE_BOND, "", "a %s with its representor %s", netdev->master_kind, netdev->name);
}

/* Notes what the driver of a VF says of its use. has_netdev: it is here, or was seen elsewhere. */
static void note_driver(struct finder *finder, const struct inventory_vf *vf, bool has_netdev)
{
	static const char *const free_drivers[] = { "", "mlx5_core", "mlx5_vfio_pci", "pci-stub" };
	bool is_free = false;

	for (size_t i = 0; i < sizeof(free_drivers) / sizeof(free_drivers[0]); i++)
		is_free |= strcmp(vf->driver, free_drivers[i]) == 0;
	if (!is_free)
		note(finder, USE_DRIVER, "", "%s", vf->driver);
	if (strcmp(vf->driver, "mlx5_core") != 0)
		return;
	if (!has_netdev)
		note(finder, USE_UNSEEN, "", "mlx5_core holds it, and it has no network device here: it may be in a container, or lent to vDPA or RDMA");
	else if (finder->inventory->users_unseen)
		note(finder, USE_UNSEEN, "", "mlx5_core holds it, and it cannot be seen who has it open");
}

/* Finds the uses of a VF. */
static void find_vf(struct finder *finder, const struct inventory_pf *pf, const struct inventory_vf *vf)
{
	const struct status *guest = finder->running ? status_find_device(finder->running, &vf->address) : NULL;
	bool is_far, is_here;

	finder->use = (struct use){ .of = use_vf(&vf->address), .pf = pf->address };
	finder->bridges = 0;
	if (guest)
		note(finder, USE_GUEST, guest->uuid, "guest %s", guest->name);
	note_users(finder, &vf->address);
	is_far = note_spaces(finder, &vf->address);
	is_here = note_netdev(finder, vf);
	note_representor(finder, vf);
	note_driver(finder, vf, is_far || is_here);
}

/* ---- Bridges and ports --------------------------------------------------------------------------------------------------------- */

/* Finds the uses of a port: its guest, or whoever put it there if that was not vferry. */
static void find_port(struct finder *finder, const struct ovs_port *port)
{
	const struct status *guest = finder->running && *port->guest ? status_find_uuid(finder->running, port->guest) : NULL;

	finder->use = (struct use){ .of = use_port(port->name) };
	if (!port->ours)
		note(finder, USE_PORT, "", "port %s was made by somebody else", port->name);
	if (guest)
		note(finder, USE_GUEST, guest->uuid, "guest %s", guest->name);
}

/* Finds the uses of a bridge: its ports, and what rides on its own. */
static void find_bridge(struct finder *finder, const struct ovs_bridge *bridge)
{
	finder->use = (struct use){ .of = use_bridge(bridge->name) };
	finder->bridges = 0;
	if (!bridge->ours)
		note(finder, USE_PORT, "", "bridge %s was made by somebody else", bridge->name);
	follow_bridge(finder, bridge->name, NULL);
}

/* Finds the uses of a PF and its VFs. */
static void find_function(struct finder *finder, const struct inventory_pf *pf)
{
	find_pf(finder, pf);
	for (unsigned int k = 0; k < pf->num_vfs; k++)
		find_vf(finder, pf, &pf->vf[k]);
}

/* Begins: looks whether there is what few hosts have, so that it need not be looked for again for each VF. */
static struct finder begin(const struct inventory *inventory, const struct status_list *running, struct uses *uses)
{
	struct finder finder = { .inventory = inventory, .running = running, .uses = uses };

	memset(uses, 0, sizeof(*uses));
	for (size_t i = 0; i < inventory->netdevs; i++) {
		const struct netdev *netdev = &inventory->netdev[i];
		bool in_ovs = !netdev->master || strcmp(netdev->master_kind, "openvswitch") == 0;

		finder.has_far |= *netdev->space != 0;
		finder.has_odd |= *netdev->parent && (netdev->addresses || netdev->default_route || netdev->other_route || !in_ovs);
	}
	return finder;
}

/* Ends. Return: 0, -ENOMEM. */
static int end(struct finder *finder)
{
	if (finder->error)
		uses_release(finder->uses);
	return finder->error;
}

/* Lists who uses what; see the header. */
int uses_find(const struct inventory *inventory, const struct status_list *running, struct uses *uses)
{
	struct finder finder = begin(inventory, running, uses);

	for (size_t i = 0; i < inventory->pfs; i++)
		find_function(&finder, &inventory->pf[i]);
	for (size_t i = 0; i < inventory->ovs.ports; i++)
		find_port(&finder, &inventory->ovs.port[i]);
	for (size_t i = 0; i < inventory->ovs.bridges; i++)
		find_bridge(&finder, &inventory->ovs.bridge[i]);
	return end(&finder);
}

/* Lists who uses one card; see the header. */
int uses_find_card(const struct inventory *inventory, const struct status_list *running, const struct inventory_pf *pf, struct uses *uses)
{
	struct finder finder = begin(inventory, running, uses);

	find_function(&finder, pf);
	for (size_t i = 0; i < inventory->pfs; i++) {
		if (pci_address_is_sibling(&inventory->pf[i].address, &pf->address))
			find_function(&finder, &inventory->pf[i]);
	}
	return end(&finder);
}
