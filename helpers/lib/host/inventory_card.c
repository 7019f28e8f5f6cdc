/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * inventory_card.c: what children read of the cards: netdevs, devlink, TC rules. See inventory_card.h.
 *
 * Theory of operation. The deadline holds although devlink and rtnetlink wait in the kernel, where no signal reaches, behind a driver at
 * work: these are read by children (guard.h) that write what they find into memory shared with us. One child reads all PFs, since a process
 * for each would be most of the cost. What it has not read within a small part of the time is read by a child for each PF: one that does
 * not answer costs its share of the time and gets a "trouble"; the others are there.
 */
#include "host/inventory_card.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/scope.h"
#include "host/inventory_join.h"
#include "host/inventory_user.h"
#include "card/netdev.h"
#include "card/netdev_stack.h"
#include "card/tc.h"

/* ---- What children read -------------------------------------------------------------------------------------------------------- */

/* What a child reads of one PF. What is there at the deadline counts. */
struct devlink_part {
	const struct inventory_pf *pf;
	const struct netdev_part *netdevs;
	struct devlink_info info;
	enum eswitch_mode mode;
	bool is_named;  /* the ports are known by names: none is in the list */
	size_t ports;
	struct devlink_port port[INVENTORY_MAX_PORTS];
};

/* The child that reads all netdevs. Those that no card and no bridge can have anything to do with are left out. */
static int read_netdevs(void *arg, struct reason *why)
{
	struct netdev_part *part = arg;
	autofree struct netdev *list = NULL;
	autonetlink struct netlink rt;
	size_t count = 0;
	int error = netlink_open(&rt, NULL, why);

	if (!error)
		error = netdev_list(&rt, &list, &count, why);
	if (error)
		return error;
	inventory_keep_netdevs(list, &count);
	netdev_complete_stack(list, count);
	part->count = count < INVENTORY_MAX_NETDEVS ? count : INVENTORY_MAX_NETDEVS;
	memcpy(part->netdev, list, part->count * sizeof(*list));
	return 0;
}

/*
 * Asks again for the ports that the dump lacks: a VF whose firmware does not answer cuts it short (Linux net/devlink/port.c
 * devlink_nl_port_fill()). The kernel tells the port of each representor, so that nothing need be guessed.
 * Return: 0, also if one is not there or its firmware does not answer; negative errno with *why if one could not be read.
 */
static int complete_ports(struct netlink *nl, struct devlink_part *part, struct reason *why)
{
	for (size_t i = 0; i < part->netdevs->count && part->ports < INVENTORY_MAX_PORTS; i++) {
		const struct netdev *netdev = &part->netdevs->netdev[i];
		struct reason trouble = { 0 };
		struct devlink_port port;
		int error;

		if (!inventory_lacks_port(part->pf, netdev, part->port, part->ports))
			continue;
		error = devlink_port_of(nl, netdev->ifindex, &port, &trouble);
		if (!error)
			part->port[part->ports++] = port;
		else if (!netlink_says_absent(error) && error != -EMSGSIZE && error != -EOPNOTSUPP)
			return reason_set(why, error, "", "the port of %s cannot be read: %.120s", netdev->name, trouble.what);
	}
	return 0;
}

/* Whether the names of a PF's representors tell enough: then its ports are not asked for. */
static bool are_named(const struct devlink_part *part)
{
	if (!part->pf->ports_unasked)
		return false;
	return part->mode == ESWITCH_LEGACY ||
	       (part->mode == ESWITCH_SWITCHDEV && inventory_are_named(part->pf, part->netdevs->netdev, part->netdevs->count));
}

/* Reads the ports of a PF. Return: 0, negative errno with *why filled. */
static int read_ports(struct netlink *nl, struct devlink_part *part, struct reason *why)
{
	autofree struct devlink_port *ports = NULL;
	size_t count = 0;
	int error;

	part->is_named = are_named(part);
	if (part->is_named)
		return 0;
	error = devlink_ports(nl, &part->pf->address, &ports, &count, why);
	if (error)
		return error;
	part->ports = count < INVENTORY_MAX_PORTS ? count : INVENTORY_MAX_PORTS;
	memcpy(part->port, ports, part->ports * sizeof(*ports));
	return complete_ports(nl, part, why);
}

/* The child that reads what devlink knows of one PF: as much as can be read. Return: 0, the first error with *why filled. */
static int read_devlink(void *arg, struct reason *why)
{
	struct devlink_part *part = arg;
	autonetlink struct netlink nl;
	int error = devlink_open(&nl, why), failed;

	if (error)
		return error;
	error = devlink_info_get(&nl, &part->pf->address, &part->info, why);
	failed = devlink_eswitch_get(&nl, &part->pf->address, &part->mode, error ? NULL : why);
	if (!error)
		error = failed;
	failed = read_ports(&nl, part, error ? NULL : why);
	return error ? error : failed;
}

/* What a child reads of an uplink's TC rules. */
struct tc_part {
	uint32_t ifindex;
	unsigned int rules;
};

/* The child that counts the TC rules of an uplink. */
static int read_rules(void *arg, struct reason *why)
{
	struct tc_part *part = arg;
	autonetlink struct netlink rt;
	int error = netlink_open(&rt, NULL, why);

	return error ? error : tc_count_rules(&rt, part->ifindex, &part->rules, why);
}

/* Memory that a child shares with us. Return: NULL if there is none. */
static void *share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* ---- One PF -------------------------------------------------------------------------------------------------------------------- */

/* Notes a trouble; see the header. */
void inventory_note_trouble(struct inventory_pf *pf, const struct reason *why)
{
	char address[PCI_ADDRESS_LEN];
	struct reason what = *why;

	if (pf->trouble[0])
		return;
	if (strcmp(why->object, pci_address_format(&pf->address, address)) == 0)
		what.object[0] = '\0';
	what.cure[0] = '\0';
	reason_format(&what, NULL, pf->trouble, sizeof(pf->trouble));
	reason_clean(pf->cure, sizeof(pf->cure), why->cure);
}

/* Joins what the child has written until now. part may still be written to by a child that is stuck: nothing in it is trusted. */
static void join_part(struct inventory_pf *pf, const struct devlink_part *part, const struct netdev_part *netdevs)
{
	size_t ports = part->ports;

	pf->info = part->info;
	pf->mode = part->mode;
	pf->ports_unasked = part->is_named;
	if (part->is_named && pf->mode == ESWITCH_SWITCHDEV)
		inventory_join_names(pf, netdevs->netdev, netdevs->count);
	inventory_join_ports(pf, part->port, ports < INVENTORY_MAX_PORTS ? ports : INVENTORY_MAX_PORTS);
}

/*
 * Reads one PF's e-switch and ports in a child. Each PF has shared memory of its own, since a child that is stuck in the kernel writes
 * when it comes back.
 */
static void read_switch(struct inventory_pf *pf, const struct netdev_part *netdevs, deadline_t deadline)
{
	struct devlink_part *part = share(sizeof(*part));
	char address[PCI_ADDRESS_LEN], label[64];
	struct reason why = { 0 };

	snprintf(label, sizeof(label), "reading the e-switch of %s", pci_address_format(&pf->address, address));
	if (!part) {
		reason_set(&why, -ENOMEM, "", "out of memory for %s", label);
		inventory_note_trouble(pf, &why);
		return;
	}
	part->pf = pf;
	part->netdevs = netdevs;
	part->mode = ESWITCH_UNKNOWN;
	if (guard_call(read_devlink, part, label, deadline, &why) < 0)
		inventory_note_trouble(pf, &why);
	join_part(pf, part, netdevs);
	munmap(part, sizeof(*part));
}

/*
 * Whether the TC rules of a PF's uplink matter: not where the eswitch is in switchdev mode and the uplink a port of Open vSwitch, since
 * then nothing is changed that could take a person's rules away, and Open vSwitch's own may be very many.
 */
static bool wants_rules(const struct inventory_pf *pf, const struct netdev_part *netdevs)
{
	const struct netdev *uplink = netdev_find_index(netdevs->netdev, netdevs->count, pf->uplink_ifindex);

	if (pf->mode == ESWITCH_SWITCHDEV && uplink && strcmp(uplink->master_kind, "openvswitch") == 0)
		return false;
	return pf->uplink_ifindex;
}

/* Reads the TC rules of a PF's uplink, where they matter. A failure is a trouble of the PF: nobody knows then what a change would cut. */
static void read_uplink_rules(struct inventory_pf *pf, const struct netdev_part *netdevs, deadline_t deadline)
{
	struct tc_part *part = share(sizeof(*part));
	struct reason why = { 0 };

	if (part && wants_rules(pf, netdevs)) {
		part->ifindex = pf->uplink_ifindex;
		if (guard_call(read_rules, part, "reading the TC rules of the uplink", deadline, &why) < 0)
			inventory_note_trouble(pf, &why);
		pf->uplink_tc_rules = part->rules;
	}
	if (part)
		munmap(part, sizeof(*part));
}

/* What the child that reads everything has found of one PF. Valid once done is set. */
struct pf_part {
	struct devlink_part devlink;
	struct tc_part tc;
	struct reason trouble; /* the first; error 0: none */
	volatile bool done;
};

/* What it has found at all. */
struct whole_part {
	struct inventory *inventory; /* the child's own copy */
	struct netdev_part netdevs;
	struct reason trouble;       /* with the netdevs */
	volatile bool has_netdevs;
	struct inventory_user_part users;
	volatile bool has_users;
	struct pf_part pf[INVENTORY_MAX_PFS];
};

/* Reads one PF, in the child. */
static void read_pf_part(struct inventory_pf *pf, const struct netdev_part *netdevs, struct pf_part *part)
{
	part->devlink.pf = pf;
	part->devlink.netdevs = netdevs;
	part->devlink.mode = ESWITCH_UNKNOWN;
	(void)read_devlink(&part->devlink, &part->trouble);
	join_part(pf, &part->devlink, netdevs);
	inventory_join_netdevs(pf, netdevs->netdev, netdevs->count);
	if (wants_rules(pf, netdevs)) {
		part->tc.ifindex = pf->uplink_ifindex;
		(void)read_rules(&part->tc, part->trouble.error ? NULL : &part->trouble);
	}
	part->done = true;
}

/* The child that reads everything, PF by PF. What fails is told in the parts. */
static int read_whole(void *arg, struct reason *why)
{
	struct whole_part *whole = arg;

	(void)why;
	(void)read_netdevs(&whole->netdevs, &whole->trouble);
	whole->has_netdevs = true;
	for (size_t i = 0; i < whole->inventory->pfs; i++)
		read_pf_part(&whole->inventory->pf[i], &whole->netdevs, &whole->pf[i]);
	inventory_read_users(whole->inventory, &whole->netdevs, &whole->users);
	whole->has_users = true;
	return 0;
}

/*
 * Takes what was read of a PF, or reads it now, within the PF's share of the time.
 * part: NULL if the child did not come so far.
 */
static void take_pf(struct inventory_pf *pf, const struct netdev_part *netdevs, const struct pf_part *part, deadline_t deadline)
{
	if (part) {
		if (part->trouble.error)
			inventory_note_trouble(pf, &part->trouble);
		join_part(pf, &part->devlink, netdevs);
	} else {
		read_switch(pf, netdevs, deadline);
	}
	inventory_join_netdevs(pf, netdevs->netdev, netdevs->count);
	if (part)
		pf->uplink_tc_rules = part->tc.rules;
	else
		read_uplink_rules(pf, netdevs, deadline);
}

/* ---- Users ---------------------------------------------------------------------------------------------------------------------- */

/* Keeps the netdevs and the users that were found. Return: 0, -ENOMEM. */
static int take_users(struct inventory *inventory, const struct netdev_part *netdevs, const struct inventory_user_part *users)
{
	size_t here = netdevs->count, far = users->netdevs, count = users->users;

	if (here > INVENTORY_MAX_NETDEVS || far > INVENTORY_MAX_FAR || count > INVENTORY_MAX_USERS)
		return -EPROTO;
	inventory->netdev = calloc(here + far + 1, sizeof(*inventory->netdev));
	inventory->user = calloc(count + 1, sizeof(*inventory->user));
	if (!inventory->netdev || !inventory->user)
		return -ENOMEM;
	memcpy(inventory->netdev, netdevs->netdev, here * sizeof(*inventory->netdev));
	memcpy(inventory->netdev + here, users->netdev, far * sizeof(*inventory->netdev));
	memcpy(inventory->user, users->user, count * sizeof(*inventory->user));
	inventory->netdevs = here + far;
	inventory->users = count;
	inventory->users_unseen = users->is_unseen;
	return 0;
}

/* Takes netdevs and e-switches of all PFs, each within its share of the time. whole: as far as the child came; own: else the netdevs. */
static void take_switches(struct inventory *inventory, const struct whole_part *whole, struct netdev_part *own, deadline_t deadline)
{
	static const struct inventory_user_part unseen = { .is_unseen = true };
	int shares = (int)inventory->pfs + 2; /* netdevs, each PF, and what the caller has to do */
	struct reason trouble = whole->trouble;
	bool has_netdevs = whole->has_netdevs;
	const struct netdev_part *netdevs = has_netdevs ? &whole->netdevs : own;

	if (!has_netdevs)
		(void)guard_call(read_netdevs, own, "reading the network interfaces",
				 deadline_within(deadline, deadline_left(deadline) / shares), &trouble);
	if (own->count > INVENTORY_MAX_NETDEVS)
		own->count = INVENTORY_MAX_NETDEVS;
	for (size_t i = 0; i < inventory->pfs; i++) {
		const struct pf_part *part = has_netdevs && whole->pf[i].done ? &whole->pf[i] : NULL;

		if (trouble.error)
			inventory_note_trouble(&inventory->pf[i], &trouble);
		take_pf(&inventory->pf[i], netdevs, part, deadline_within(deadline, deadline_left(deadline) / --shares));
	}
	inventory_join_devices(inventory, netdevs->netdev, netdevs->count);
	if (take_users(inventory, netdevs, whole->has_users ? &whole->users : &unseen) < 0)
		inventory->users_unseen = true;
}

/* ---- All PFs ------------------------------------------------------------------------------------------------------------------- */

/* Ends the child; see the header. */
void inventory_cards_end(struct inventory_cards *cards)
{
	guard_end(&cards->guard);
	if (cards->whole)
		munmap(cards->whole, sizeof(*cards->whole));
	if (cards->netdevs)
		munmap(cards->netdevs, sizeof(*cards->netdevs));
}

/* Lets the child begin; see the header. One that cannot be made has read nothing. Return: 0, -ENOMEM with *why filled. */
int inventory_cards_begin(struct inventory_cards *cards, struct inventory *inventory, deadline_t deadline, struct reason *why)
{
	int share_of_time = deadline_left(deadline) / (2 * (int)inventory->pfs + 4);

	cards->whole = share(sizeof(*cards->whole));
	cards->netdevs = share(sizeof(*cards->netdevs));
	if (!cards->whole || !cards->netdevs)
		return reason_set(why, -ENOMEM, "inventory", "out of memory");
	cards->limit = (struct guard_limit){ "reading the cards", deadline_within(deadline, share_of_time) };
	cards->whole->inventory = inventory;
	if (inventory->pfs)
		(void)guard_begin(&cards->guard, read_whole, cards->whole, &cards->limit, NULL);
	return 0;
}

/* Waits for the child, and takes what it has found; see the header. */
void inventory_cards_take(struct inventory_cards *cards, struct inventory *inventory, deadline_t deadline)
{
	if (cards->guard.child)
		(void)guard_finish(&cards->guard, &cards->limit, NULL);
	take_switches(inventory, cards->whole, cards->netdevs, deadline);
}
