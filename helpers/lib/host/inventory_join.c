/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * inventory_join.c: how PFs, VFs, devlink ports, netdevs and bridges find each other.
 *
 * A VF's port is known by flavour, controller and VF number, its representor by the port's ifindex. Names are read, never built: what a
 * representor is called differs between releases of systemd and drivers.
 */
#include "host/inventory_join.h"

#include <ctype.h>
#include <string.h>

#include "base/scope.h"
#include "base/sysroot.h"
#include "card/netdev_stack.h"

/* Whether anything lies on a netdev. */
static bool carries(const struct netdev *netdev, const struct netdev *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (netdev_lies_on(&list[i], netdev->ifindex))
			return true;
	}
	return false;
}

/* Leaves out what nobody here has to do with; see the header. */
void inventory_keep_netdevs(struct netdev *list, size_t *count)
{
	size_t kept = 0, all = *count;

	for (size_t i = 0; i < all; i++) {
		const struct netdev *netdev = &list[i];
		bool is_tap = strcmp(netdev->kind, "tun") == 0, is_loose = is_tap || strcmp(netdev->kind, "veth") == 0;
		bool is_member = netdev->master && (!is_tap || strcmp(netdev->master_kind, "openvswitch") != 0);

		if (!is_loose || netdev->parent[0] || is_member || netdev->addresses || netdev->default_route || netdev->other_route ||
		    carries(netdev, list, all))
			list[kept++] = *netdev;
	}
	*count = kept;
}

#define MAX_DEPTH 8 /* VLANs on VLANs that are followed */

/* Whether a netdev is the representor of one of a PF's VFs. vf: receives its number. */
static bool is_of_pf(const struct inventory_pf *pf, const struct netdev *netdev, unsigned int *vf)
{
	char address[PCI_ADDRESS_LEN];
	unsigned int number;

	return !netdev->space[0] && netdev_is_of_vf(netdev, &number, vf) &&
	       strcmp(netdev->parent, pci_address_format(&pf->address, address)) == 0 &&
	       *vf < pf->num_vfs;
}

/* Whether a PF lacks the port of a VF's representor; see the header. */
bool inventory_lacks_port(const struct inventory_pf *pf, const struct netdev *netdev, const struct devlink_port *ports, size_t count)
{
	unsigned int vf;

	if (!is_of_pf(pf, netdev, &vf))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (ports[i].ifindex == netdev->ifindex)
			return false;
	}
	return true;
}

/* Notes a representor that is known by its name. */
static void note_name(struct inventory_pf *pf, unsigned int index, const struct netdev *netdev)
{
	struct inventory_vf *vf = &pf->vf[index];
	char address[PCI_ADDRESS_LEN];

	vf->has_port = vf->port_unasked = true;
	vf->port = (struct devlink_port){ .bus = "pci", .flavour = DEVLINK_PCI_VF, .vf_number = (uint16_t)index, .ifindex = netdev->ifindex };
	snprintf(vf->port.device, sizeof(vf->port.device), "%s", pci_address_format(&pf->address, address));
	memcpy(vf->port.netdev, netdev->name, sizeof(vf->port.netdev));
}

/* Whether the names are plain; see the header. */
bool inventory_are_named(const struct inventory_pf *pf, const struct netdev *list, size_t count)
{
	bool has[INVENTORY_MAX_VFS] = { false };
	unsigned int found = 0, index;

	for (size_t i = 0; i < count; i++) {
		if (!is_of_pf(pf, &list[i], &index) || index >= INVENTORY_MAX_VFS)
			continue;
		if (has[index])
			return false;
		has[index] = true;
		found++;
	}
	return found == pf->num_vfs;
}

/* Gives VFs their representors by name; see the header. */
void inventory_join_names(struct inventory_pf *pf, const struct netdev *list, size_t count)
{
	unsigned int index;

	for (size_t i = 0; i < count; i++) {
		if (is_of_pf(pf, &list[i], &index))
			note_name(pf, index, &list[i]);
	}
}

/*
 * Gives each VF its port. All ports are of the PF's own instances, so the PF number in them need not be compared; ports of another
 * controller (the host's, seen from the Arm side of a BlueField) are not this machine's VFs.
 */
void inventory_join_ports(struct inventory_pf *pf, const struct devlink_port *ports, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct devlink_port *port = &ports[i];

		if (port->external)
			continue;
		if (port->flavour == DEVLINK_PHYSICAL && port->ifindex)
			pf->uplink_ifindex = port->ifindex;
		if (port->flavour != DEVLINK_PCI_VF || port->vf_number >= pf->num_vfs)
			continue;
		pf->vf[port->vf_number].has_port = true;
		pf->vf[port->vf_number].port_unasked = false;
		pf->vf[port->vf_number].port = *port;
	}
}

/* Whether phys_port_name is an uplink's: "p" and digits (Linux net/devlink/port.c __devlink_port_phys_port_name_get()). */
static bool is_uplink_name(const char *name)
{
	if (*name++ != 'p' || !isdigit((unsigned char)*name))
		return false;
	while (isdigit((unsigned char)*name))
		name++;
	return *name == '\0';
}

/* The only netdev of a PF in sysfs. Return: whether there is exactly one. */
static bool only_netdev(const char *address, char *name, size_t size)
{
	autoclosedir DIR *directory = sysroot_opendir("/sys/bus/pci/devices/%s/net", address);
	const struct dirent *entry;
	unsigned int found = 0;

	while (directory && (entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, size, "%.*s", (int)size - 1, entry->d_name);
		found++;
	}
	return found == 1;
}

/*
 * Finds the uplink: the netdev of the physical port; else the PF's netdev that is called like one; else the PF's only netdev (in legacy
 * mode, or where the kernel tells no port names). Return: NULL if there is none here.
 */
static const struct netdev *find_uplink(const struct inventory_pf *pf, const struct netdev *list, size_t count)
{
	const struct netdev *uplink = netdev_find_index(list, count, pf->uplink_ifindex);
	char address[PCI_ADDRESS_LEN], name[16];

	pci_address_format(&pf->address, address);
	for (size_t i = 0; !uplink && i < count; i++) {
		if (strcmp(list[i].parent, address) == 0 && is_uplink_name(list[i].port_name))
			uplink = &list[i];
	}
	if (!uplink && only_netdev(address, name, sizeof(name)))
		uplink = netdev_find(list, count, name);
	return uplink;
}

/* Adds up the addresses of what rides on a device to its own. default_route: set if one leaves by any of them; may be NULL. */
static unsigned int count_addresses(const struct netdev *netdev, const struct netdev *list, size_t count, bool *default_route)
{
	struct netdev_rider rider[NETDEV_MAX_RIDERS];
	size_t riders = netdev_find_riders(list, count, netdev->ifindex, rider, NETDEV_MAX_RIDERS);
	unsigned int addresses = netdev->addresses;

	if (default_route)
		*default_route = netdev->default_route;
	for (size_t i = 0; i < riders; i++) {
		if (rider[i].is_member)
			continue;
		addresses += rider[i].netdev->addresses;
		if (default_route)
			*default_route |= rider[i].netdev->default_route;
	}
	return addresses;
}

/* Notes what the uplink is used for. */
static void join_uplink(struct inventory_pf *pf, const struct netdev *list, size_t count)
{
	const struct netdev *uplink = find_uplink(pf, list, count), *master;

	pf->uplink_ifindex = 0;
	if (!uplink)
		return;
	memcpy(pf->uplink, uplink->name, sizeof(pf->uplink));
	pf->uplink_ifindex = uplink->ifindex;
	pf->uplink_up = uplink->up;
	pf->uplink_mtu = uplink->mtu;
	pf->uplink_addresses = count_addresses(uplink, list, count, &pf->uplink_default_route);
	master = netdev_find_index(list, count, uplink->master);
	if (!master || strcmp(master->kind, "openvswitch") == 0)
		return; /* a port of Open vSwitch is the datapath's slave */
	memcpy(pf->uplink_master, master->name, sizeof(pf->uplink_master));
	memcpy(pf->uplink_master_kind, master->kind, sizeof(pf->uplink_master_kind));
}

/* Notes the representor of a VF, and the netdev that the host itself has of it. */
static void join_vf(struct inventory_vf *vf, const struct netdev *list, size_t count)
{
	const struct netdev *representor = vf->has_port ? netdev_find_index(list, count, vf->port.ifindex) : NULL;
	char address[PCI_ADDRESS_LEN];

	pci_address_format(&vf->address, address);
	if (representor) {
		memcpy(vf->port.netdev, representor->name, sizeof(vf->port.netdev));
		vf->representor_up = representor->up;
		vf->representor_mtu = representor->mtu;
	}
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i].parent, address) != 0 || list[i].space[0])
			continue;
		memcpy(vf->host_netdev, list[i].name, sizeof(vf->host_netdev));
		vf->host_netdev_up = vf->host_netdev_up || list[i].up;
		vf->host_netdev_enslaved = vf->host_netdev_enslaved || list[i].master != 0;
		vf->host_addresses += count_addresses(&list[i], list, count, NULL);
	}
}

/* Finds uplink, representors and the VFs' own netdevs in the list of this network namespace. */
void inventory_join_netdevs(struct inventory_pf *pf, const struct netdev *list, size_t count)
{
	join_uplink(pf, list, count);
	for (unsigned int i = 0; i < pf->num_vfs; i++)
		join_vf(&pf->vf[i], list, count);
}

/* Whether a netdev is a representor: "pf0vf3", "c1pf0sf12", "pf1" (Linux net/devlink/port.c __devlink_port_phys_port_name_get()). */
static bool is_representor(const struct netdev *netdev)
{
	const char *name = netdev->port_name;

	if (*name == 'c')
		name += 1 + strspn(name + 1, "0123456789");
	return strncmp(name, "pf", 2) == 0 && isdigit((unsigned char)name[2]);
}

/*
 * Whether a netdev may lead to a cable: hardware, or what lies on it. Not what ends in this host: a guest's tap, a container's veth (the
 * list has neither), a representor.
 */
static bool may_lead(const struct netdev *netdev)
{
	static const char *const ends[] = { "tun", "veth", "dummy", "ifb", "openvswitch", "netkit", "vrf" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (strcmp(netdev->kind, ends[i]) == 0)
			return false;
	}
	return !is_representor(netdev);
}

/* The netdev at the bottom of a VLAN, a macvlan, or a VLAN on one. Return: netdev itself if it lies on none of the list. */
static const struct netdev *bottom(const struct netdev *netdev, const struct netdev *list, size_t count)
{
	for (unsigned int depth = 0; netdev->lower && depth < MAX_DEPTH; depth++) {
		const struct netdev *lower = netdev_find_index(list, count, netdev->lower);

		if (!lower)
			return netdev;
		netdev = lower;
	}
	return netdev;
}

/* Finds for each port of Open vSwitch the netdev that it may lead to a cable by. list: of this network namespace. */
void inventory_join_devices(struct inventory *inventory, const struct netdev *list, size_t count)
{
	for (size_t i = 0; i < inventory->ovs.ports; i++) {
		struct ovs_port *port = &inventory->ovs.port[i];
		const struct netdev *netdev = netdev_find(list, count, port->members ? port->member[0] : port->name);

		if (!netdev || !may_lead(netdev))
			continue;
		memcpy(port->leads, bottom(netdev, list, count)->name, sizeof(port->leads));
		port->mtu = netdev->mtu;
	}
}

/* Finds the bridge of a netdev, be it by way of a bond of Open vSwitch's own. Return: the port, NULL if none. */
static const struct ovs_port *find_port(const struct ovs_state *ovs, const char *netdev)
{
	return netdev[0] ? ovs_find_interface(ovs, netdev) : NULL;
}

/* Finds the bridges of uplinks (also through a bond of the kernel's) and representors. */
void inventory_join_ovs(struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->pfs; i++) {
		struct inventory_pf *pf = &inventory->pf[i];
		const struct ovs_port *port = find_port(&inventory->ovs, pf->uplink);

		if (!port)
			port = find_port(&inventory->ovs, pf->uplink_master);
		if (port)
			memcpy(pf->uplink_bridge, port->bridge, sizeof(pf->uplink_bridge));
		for (unsigned int k = 0; k < pf->num_vfs; k++) {
			struct inventory_vf *vf = &pf->vf[k];

			port = vf->has_port ? find_port(&inventory->ovs, vf->port.netdev) : NULL;
			if (!port)
				continue;
			memcpy(vf->bridge, port->bridge, sizeof(vf->bridge));
			vf->bridge_ours = port->ours;
		}
	}
}

/* Return: the PF at an address, NULL if the inventory has none there. */
struct inventory_pf *inventory_find_pf(struct inventory *inventory, const struct pci_address *pf)
{
	for (size_t i = 0; i < inventory->pfs; i++) {
		if (pci_address_equal(&inventory->pf[i].address, pf))
			return &inventory->pf[i];
	}
	return NULL;
}

/* Whether an address is, or would be, VF number index of a PF: as sysfs says where the VF exists, else by SR-IOV arithmetic. */
static bool is_vf(const struct inventory_pf *pf, const struct pci_address *vf, unsigned int index)
{
	struct pci_address address;

	if (index < pf->num_vfs)
		return pci_address_equal(&pf->vf[index].address, vf);
	return pf->offset && pci_address_vf(&pf->address, pf->offset, pf->stride, index, &address) == 0 && pci_address_equal(&address, vf);
}

/*
 * Finds the PF whose VF an address is, or would be once VFs are created. A recorded host that claims more VFs than TotalVFs can say (16
 * bits; PCI Express SR-IOV 1.1, 3.3.6) does not make this loop longer.
 * index: receives the VF's number. Return: the PF, NULL if it is no VF of a known card here.
 */
struct inventory_pf *inventory_find_vf(struct inventory *inventory, const struct pci_address *vf, unsigned int *index)
{
	for (size_t i = 0; i < inventory->pfs; i++) {
		struct inventory_pf *pf = &inventory->pf[i];
		unsigned int total = pf->total_vfs > pf->num_vfs ? pf->total_vfs : pf->num_vfs;

		for (unsigned int k = 0; k < total && k <= UINT16_MAX; k++) {
			if (is_vf(pf, vf, k)) {
				*index = k;
				return pf;
			}
		}
	}
	return NULL;
}
