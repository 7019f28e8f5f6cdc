/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * network.h: which libvirt networks of this host are pools of VFs (<forward mode='hostdev'>).
 *
 * Read from /run/libvirt/network/NAME.xml, the status of an active network (src/network/bridge_driver.c), since a hook may not call
 * libvirt.
 */
#ifndef VFERRY_DOMAIN_NETWORK_H
#define VFERRY_DOMAIN_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/pci_address.h"
#include "base/reason.h"

#define NETWORK_MAX_MEMBERS 4096 /* a pool may list the VFs of many PFs */

struct network_pool {
	bool is_pool;                  /* an active network with forward mode hostdev */
	char pf[64];                   /* <pf dev=>, empty if it lists addresses */
	struct pci_address member[NETWORK_MAX_MEMBERS];
	size_t members;                /* <address type='pci'> entries */
	unsigned int extras;           /* bits of enum extra: what its interfaces are to have, by their port group or else by the network */
};

/*
 * Looks up a network by name. A name that cannot be a file name is no pool. portgroup: that the interface names; "": then the default one
 * counts, if there is one (src/network/bridge_driver.c, networkAllocatePort()).
 * Return: 0 (see is_pool; an absent network is no pool), -EINVAL for a file that does not parse.
 */
int network_read_pool(const char *name, const char *portgroup, struct network_pool *pool, struct reason *why);

#endif
