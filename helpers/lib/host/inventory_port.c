/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * inventory_port.c: asks the card for the ports of a few VFs, after inventory_read_few(), in a child: devlink waits behind a driver at
 * work.
 */
#include <errno.h>
#include <string.h>

#include "base/guard.h"
#include "base/scope.h"
#include "host/inventory.h"

#define BATCH 16 /* ports that one question of the child is about */

/* What a child is asked, and finds. */
struct batch {
	struct pci_address pf;
	size_t count;
	uint32_t ifindex[BATCH];
	int error[BATCH]; /* 0: it is in port; netlink_says_absent(): there is none; else it could not be read */
	struct devlink_port port[BATCH];
};

_Static_assert(sizeof(struct batch) <= GUARD_ARG_MAX, "must reach the child");

/* Looks for the ports in the list of all. Return: 0, negative errno with *why filled. */
static int look_in_dump(struct netlink *nl, struct batch *batch, struct reason *why)
{
	autofree struct devlink_port *ports = NULL;
	size_t count = 0;
	int error = devlink_ports(nl, &batch->pf, &ports, &count, why);

	for (size_t i = 0; i < batch->count; i++)
		batch->error[i] = -ENODEV;
	for (size_t k = 0; !error && k < count; k++) {
		for (size_t i = 0; i < batch->count; i++) {
			if (ports[k].ifindex != batch->ifindex[i])
				continue;
			batch->error[i] = 0;
			batch->port[i] = ports[k];
		}
	}
	return error;
}

/* The child that asks. A kernel that does not tell the port of a netdev is asked for the list. */
static int ask(void *arg, struct reason *why)
{
	autonetlink struct netlink nl = { 0 };
	struct batch *batch = arg;
	int error = devlink_open(&nl, why), result = 0;

	for (size_t i = 0; !error && i < batch->count && result != -EOPNOTSUPP; i++) {
		result = devlink_port_of(&nl, batch->ifindex[i], &batch->port[i], NULL);
		batch->error[i] = result;
	}
	return error || result != -EOPNOTSUPP ? error : look_in_dump(&nl, batch, why);
}

/* Takes what was found of one VF: the port must be the VF's own, whatever its representor is called. error: why there is none. */
static void take(struct inventory_vf *vf, int error, const struct devlink_port *port)
{
	char netdev[sizeof(vf->port.netdev)];

	memcpy(netdev, vf->port.netdev, sizeof(netdev));
	vf->port_unasked = error && !netlink_says_absent(error);
	vf->port_error = vf->port_unasked ? error : 0;
	if (vf->port_unasked)
		return;
	vf->has_port = !error && port->flavour == DEVLINK_PCI_VF && !port->external && port->vf_number == vf->index;
	if (!vf->has_port) {
		memset(&vf->port, 0, sizeof(vf->port));
		return;
	}
	vf->port = *port;
	memcpy(vf->port.netdev, netdev, sizeof(netdev));
}

/* Asks for ports; see the header. */
int inventory_ask_ports(struct inventory_pf *pf, struct inventory_vf *const *vf, size_t count, deadline_t deadline, struct reason *why)
{
	char address[PCI_ADDRESS_LEN], label[80];
	struct guard_limit limit = { label, deadline };
	struct guard guard = { 0 };
	int error = 0;

	snprintf(label, sizeof(label), "reading the ports of VFs of %s", pci_address_format(&pf->address, address));
	for (size_t done = 0; !error && done < count;) {
		struct batch batch = { .pf = pf->address };
		struct inventory_vf *asked[BATCH];
		size_t n = 0;

		for (; done < count && n < BATCH; done++) {
			if (!vf[done]->port_unasked)
				continue;
			asked[n] = vf[done];
			batch.ifindex[n++] = vf[done]->port.ifindex;
		}
		batch.count = n;
		error = n ? guard_ask(&guard, ask, &batch, sizeof(batch), &limit, why) : 0;
		for (size_t i = 0; !error && i < n; i++)
			take(asked[i], batch.error[i], &batch.port[i]);
	}
	guard_end(&guard);
	return error;
}
