/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ours.c: whether a guest is any of vferry's business. See ours.h. Touches sysfs, libvirt's networks and /run/vferry, all read-only.
 */
#include "ours.h"

#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/sysroot.h"
#include "card/card.h"
#include "domain/network.h"
#include "host/inventory.h"
#include "policy/guest.h"
#include "state/mark.h"
#include "state/record.h"

/* The networks of a guest's interfaces. */
struct pools {
	const struct network_pool **pool; /* one for each hostdev, NULL: no pool; an interface of a network that another has too shares it */
	struct network_pool *room;
};

/*
 * read_pool() - looks one network up
 * Return: the pool, NULL if it is none or cannot be read
 */
static const struct network_pool *read_pool(const struct domain *domain, size_t i, struct pools *pools)
{
	for (size_t k = 0; k < i; k++) {
		if (domain->hostdev[k].kind == HOSTDEV_POOL && strcmp(domain->hostdev[k].network, domain->hostdev[i].network) == 0)
			return pools->pool[k];
	}
	return network_read_pool(domain->hostdev[i].network, "", &pools->room[i], NULL) == 0 && pools->room[i].is_pool ? &pools->room[i] : NULL;
}

/*
 * search_host() - finds VFs of ours on the host as sysfs shows it
 * @found:	result
 * Return: whether that could be done
 */
static bool search_host(const struct config *config, const struct domain *domain, bool incoming, bool *found)
{
	autofree const struct network_pool **pool = calloc(domain->hostdevs, sizeof(void *));
	autofree struct network_pool *room = calloc(domain->hostdevs, sizeof(*room));
	autofree struct guest *guest = calloc(1, sizeof(*guest));
	struct pools pools = { pool, room };
	struct inventory inventory;
	struct guest_search search = { .config = config, .domain = domain, .inventory = &inventory, .incoming = incoming, .pools = pool };

	if (!pool || !room || !guest || inventory_read_functions(&inventory, NULL))
		return false;
	for (size_t i = 0; i < domain->hostdevs; i++)
		pool[i] = domain->hostdev[i].kind == HOSTDEV_POOL ? read_pool(domain, i, &pools) : NULL;
	*found = guest_find_vfs(&search, guest, NULL) || guest->vfs;
	inventory_release(&inventory);
	return true;
}

/*
 * is_vf_by_ids() - whether a device is a VF of a maker of cards that can migrate, when more cannot be read
 */
static bool is_vf_by_ids(const struct hostdev *device)
{
	char address[PCI_ADDRESS_LEN];
	autofree char *vendor = NULL;

	pci_address_format(&device->source, address);
	if (!device->has_source || sysroot_slurp(&vendor, 64, "/sys/bus/pci/devices/%s/physfn/vendor", address) < 0)
		return false;
	return strtoul(vendor, NULL, 16) == CARD_VF_VENDOR;
}

/*
 * has_vf() - whether the XML has a VF of ours
 */
static bool has_vf(const struct config *config, const struct domain *domain, bool incoming)
{
	bool found = false, maybe = false;

	for (size_t i = 0; i < domain->hostdevs; i++) {
		if (domain->hostdev[i].has_source && domain->hostdev[i].passport)
			return true;
		maybe |= domain->hostdev[i].has_source || domain->hostdev[i].kind == HOSTDEV_POOL;
	}
	if (!maybe || search_host(config, domain, incoming, &found))
		return found;
	for (size_t i = 0; i < domain->hostdevs && !found; i++)
		found = is_vf_by_ids(&domain->hostdev[i]);
	return found;
}

/* See ours.h. */
void ours_look(const struct config *config, const struct domain *domain, bool incoming, struct ours *ours)
{
	autorecord struct record record = { 0 };

	ours->has_state = sysroot_exists(MARK_FORM, domain->uuid);
	ours->has_vf = has_vf(config, domain, incoming);
	ours->is_arriving = ours->has_state && record_read(domain->uuid, &record, NULL) == 0 && record.state == RECORD_ARRIVING;
}
