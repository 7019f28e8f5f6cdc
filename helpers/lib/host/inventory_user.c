/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * inventory_user.c: who uses a card in ways that its netdevs do not show: other network namespaces, vDPA, RDMA, DPDK, VFIO.
 *
 * To look at all processes takes some time on a host with many; for an arrival on a host that was made ready there is nothing to ask
 * for.
 */
#include "host/inventory_user.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "card/netdev_space.h"

/* Whether something may be changed of a PF that its users would feel, or all is asked. */
static bool may_change(const struct inventory *inventory, const struct inventory_pf *pf, const struct netdev_part *netdevs)
{
	const struct netdev *uplink = netdev_find_index(netdevs->netdev, netdevs->count, pf->uplink_ifindex);

	return !inventory->is_few || pf->mode != ESWITCH_SWITCHDEV || !uplink || !uplink->master;
}

/* Whether a PF is to be asked for: it may change, or another port of its card, which may take its carrier. */
static bool wants_pf(const struct inventory *inventory, const struct inventory_pf *pf, const struct netdev_part *netdevs)
{
	bool wants = may_change(inventory, pf, netdevs);

	for (size_t i = 0; !wants && i < inventory->pfs; i++) {
		const struct inventory_pf *other = &inventory->pf[i];

		wants = pci_address_is_sibling(&other->address, &pf->address) && may_change(inventory, other, netdevs);
	}
	return wants;
}

/* Whether a VF is to be asked for: the host's own driver holds it. */
static bool wants_vf(const struct inventory_vf *vf)
{
	return strcmp(vf->driver, "mlx5_core") == 0;
}

/* Lists the functions to ask for. device: room for all. Return: how many. */
static size_t list_devices(const struct inventory *inventory, const struct netdev_part *netdevs, struct pci_address *device)
{
	size_t count = 0;

	for (size_t i = 0; i < inventory->pfs; i++) {
		const struct inventory_pf *pf = &inventory->pf[i];

		if (wants_pf(inventory, pf, netdevs))
			device[count++] = pf->address;
		for (unsigned int k = 0; k < pf->num_vfs; k++) {
			if (wants_vf(&pf->vf[k]))
				device[count++] = pf->vf[k].address;
		}
	}
	return count;
}

/* Reads who has them; see the header. */
void inventory_read_users(const struct inventory *inventory, const struct netdev_part *netdevs, struct inventory_user_part *part)
{
	struct device_users users = { .user = part->user, .max = INVENTORY_MAX_USERS };
	autofree struct pci_address *device = calloc(INVENTORY_MAX_PFS * (INVENTORY_MAX_VFS + 1), sizeof(*device));
	size_t devices = device ? list_devices(inventory, netdevs, device) : 0;

	part->is_unseen = !device;
	if (!devices)
		return;
	part->is_unseen = device_users_find(device, devices, &users) < 0;
	part->users = users.count;
	part->netdevs = netdev_list_spaces(part->netdev, INVENTORY_MAX_FAR, &part->is_unseen);
}
