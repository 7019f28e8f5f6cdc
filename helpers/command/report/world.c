/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * world.c: this host as a world of tests/worlds: the lines of its file "host".
 *
 * Numbers of netdevs are those that the world's own card has: uplink N is 10+N, representor I of it 1000+256·N+I; others keep theirs, out
 * of the way of these.
 */
#include <string.h>

#include "command/report/world.h"

#define OTHERS 20000 /* added to the number of a netdev that is none of a card */

/* The number that a netdev has in the world. Return: 0 for none. */
static unsigned int index_of(const struct inventory *inventory, uint32_t ifindex)
{
	for (size_t i = 0; ifindex && i < inventory->pfs; i++) {
		const struct inventory_pf *pf = &inventory->pf[i];

		if (pf->uplink_ifindex == ifindex)
			return 10 + (unsigned int)i;
		for (unsigned int k = 0; k < pf->num_vfs; k++) {
			if (pf->vf[k].has_port && pf->vf[k].port.ifindex == ifindex)
				return 1000 + 256 * (unsigned int)i + k;
		}
	}
	return ifindex ? OTHERS + ifindex : 0;
}

/* Writes a PF and its VFs. */
static void write_pf(const struct inventory_pf *pf, FILE *out)
{
	char address[PCI_ADDRESS_LEN];

	pci_address_format(&pf->address, address);
	fprintf(out, "pf %s device=0x%04x driver=%s vfs=%u total=%u offset=%u stride=%u autoprobe=%d mode=%s psid=%s firmware=%s "
		"stored=%s uplink=%s\n",
		address, pf->card.device, pf->driver, pf->num_vfs, pf->total_vfs, pf->offset, pf->stride, pf->autoprobe,
		pf->mode == ESWITCH_SWITCHDEV ? "switchdev" : "legacy", pf->info.psid, pf->info.firmware, pf->info.firmware_stored, pf->uplink);
	for (unsigned int i = 0; i < pf->num_vfs; i++) {
		const struct inventory_vf *vf = &pf->vf[i];

		fprintf(out, "vf %s %u", address, i);
		if (*vf->driver)
			fprintf(out, " driver=%s", vf->driver);
		if (vf->has_port)
			fprintf(out, " rep=%s migratable=%s", vf->port.netdev, !vf->port.can_migrate ? "none" : vf->port.migratable ? "1" : "0");
		else if (pf->mode == ESWITCH_SWITCHDEV)
			fputs(" port=none", out);
		fputc('\n', out);
	}
}

/* Writes a netdev. */
static void write_netdev(const struct inventory *inventory, const struct netdev *netdev, size_t number, FILE *out)
{
	unsigned int index = *netdev->space ? 30000 + (unsigned int)number : index_of(inventory, netdev->ifindex);

	if (*netdev->space) /* who is in that namespace tells nobody anything: a name is made up */
		fprintf(out, "space /run/netns/space%zu\n", number);
	fprintf(out, "link %u name=%s up=%d mtu=%u", index, netdev->name, netdev->up, netdev->mtu);
	if (*netdev->kind)
		fprintf(out, " kind=%s", netdev->kind);
	if (*netdev->parent)
		fprintf(out, " parent=%s", netdev->parent);
	if (*netdev->port_name && index >= OTHERS)
		fprintf(out, " port=%s", netdev->port_name);
	fprintf(out, " lower=%u master=%u peer=%u addresses=%u", index_of(inventory, netdev->lower),
		strcmp(netdev->master_kind, "openvswitch") ? index_of(inventory, netdev->master) : 0, index_of(inventory, netdev->peer),
		netdev->addresses);
	if (netdev->second)
		fprintf(out, " second=%u third=%u", index_of(inventory, netdev->second), index_of(inventory, netdev->third));
	if (netdev->default_route || netdev->other_route)
		fprintf(out, " route=%s", netdev->default_route ? "default" : "other");
	if (*netdev->space)
		fprintf(out, " far=%u space=/run/netns/space%zu", index_of(inventory, netdev->far), number);
	fputc('\n', out);
}

/* Writes who has functions beside their netdevs: each by a process or a child of its own. */
static void write_user(const struct device_user *user, size_t number, FILE *out)
{
	char address[PCI_ADDRESS_LEN];
	const char *name = strrchr(user->name, '/') ? strrchr(user->name, '/') + 1 : user->name;

	pci_address_format(&user->device, address);
	if (strcmp(user->kind, DEVICE_USER_VDPA) == 0)
		fprintf(out, "vdpa %s %s %zu\n", address, name, number);
	else if (strcmp(user->kind, DEVICE_USER_RDMA) == 0)
		fprintf(out, "file /sys/bus/pci/devices/%s/infiniband_verbs/%s/dev 1\n", address, name);
	else if (strcmp(user->kind, DEVICE_USER_FUNCTION) == 0)
		fprintf(out, "file /sys/bus/pci/devices/%s/%s/dev 1\n", address, name);
	if (strcmp(user->kind, DEVICE_USER_RDMA) == 0)
		fprintf(out, "process %zu program fd=/dev/infiniband/%s\n", 70000 + number, name);
	else if (strcmp(user->kind, DEVICE_USER_VFIO) == 0)
		fprintf(out, "process %zu program fd=/dev/vfio/of=%s\n", 70000 + number, address);
	else if (*user->process && strcmp(user->kind, DEVICE_USER_VDPA) == 0)
		fprintf(out, "process %zu program fd=/dev/vhost-vdpa-%zu\n", 70000 + number, number);
}

/* Writes Open vSwitch. */
static void write_ovs(const struct inventory *inventory, FILE *out)
{
	const struct ovs_state *ovs = &inventory->ovs;

	if (!inventory->has_ovs)
		fputs("ovs none\n", out);
	fprintf(out, "ovs options hw-offload=%s", ovs->hw_offload ? "true" : "");
	if (ovs->max_idle >= 0)
		fprintf(out, " max-idle=%ld", ovs->max_idle);
	fprintf(out, "%s%s\n", *ovs->ovn_bridge ? " ovn-bridge=" : "", ovs->ovn_bridge);
	for (size_t i = 0; i < ovs->bridges; i++)
		fprintf(out, "ovs bridge %s ours=%d datapath=%s\n", ovs->bridge[i].name, ovs->bridge[i].ours, ovs->bridge[i].datapath_type);
	for (size_t i = 0; i < ovs->ports; i++) {
		const struct ovs_port *port = &ovs->port[i];

		if (strcmp(port->name, port->bridge) == 0)
			continue;
		fprintf(out, "ovs port %s bridge=%s type=%s ofport=%d ours=%d tag=%d", port->name, port->bridge, port->type, port->ofport, port->ours,
			port->tag);
		fprintf(out, "%s%s%s%s%s%s", *port->peer ? " peer=" : "", port->peer, *port->guest ? " guest=" : "", port->guest,
			*port->vf ? " vf=" : "", port->vf);
		for (size_t k = 0; k < port->members; k++)
			fprintf(out, "%s%s", k ? "," : " members=", port->member[k]);
		fprintf(out, "%s\n", *port->error ? " error=it-failed" : "");
	}
}

/* Writes the guests that run with host devices, and what is set in vferry.conf. */
static void write_guests(const struct view *view, FILE *out)
{
	const struct config *config = view->scene.config;
	char address[PCI_ADDRESS_LEN], name[128];

	fprintf(out, "config bridge=%s vfs=%u\n", config->bridge, config->vfs);
	for (size_t i = 0; i < view->scene.running.count; i++) {
		const struct status *status = &view->scene.running.status[i];

		if (!status->devices)
			continue;
		reason_word(status->name, name, sizeof(name));
		fprintf(out, "guest %s passport=0 uuid=%s source=%s\nruns %s state=%s reason=%s\n", name, status->uuid,
			pci_address_format(&status->device[0], address), name, status->state, *status->state_reason ? status->state_reason : "booted");
	}
	fputs("guest arriving\n", out);
}

/* Writes the host as a world; see the header. */
void report_world(const struct view *view, FILE *out)
{
	const struct inventory *inventory = &view->scene.inventory;

	fputs("# SPDX-License-Identifier: LGPL-2.1-or-later\n# A host as vferry report saw it.\n", out);
	for (size_t i = 0; i < inventory->pfs; i++)
		write_pf(&inventory->pf[i], out);
	for (size_t i = 0; i < inventory->netdevs; i++) {
		/* the datapath and the bridges' own ports come with the lines of Open vSwitch, unless something is said of them */
		if (strcmp(inventory->netdev[i].name, "ovs-system") != 0)
			write_netdev(inventory, &inventory->netdev[i], i, out);
	}
	for (size_t i = 0; i < inventory->users; i++)
		write_user(&inventory->user[i], i, out);
	write_ovs(inventory, out);
	write_guests(view, out);
}
