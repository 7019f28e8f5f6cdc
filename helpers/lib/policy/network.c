/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * network.c: the network that a guest's port is in.
 *
 * A bridge that reaches a cable already is left as it is, whoever made it so: a second way out of it, by another uplink or by the same
 * one beside a VLAN or a tunnel over it, makes a loop or joins two networks. Only a bridge that ends in this host gets an uplink.
 */
#include "policy/network.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Whether a port is a tunnel (vswitch.xml, Interface type). */
static bool is_tunnel(const struct ovs_port *port)
{
	static const char *const types[] = { "geneve", "gre", "ip6gre", "vxlan", "lisp", "stt", "erspan", "ip6erspan", "gtpu", "bareudp", "srv6" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(port->type, types[i]) == 0)
			return true;
	}
	return false;
}

/* Whether a port is a netdev of the kernel. */
static bool is_netdev(const struct ovs_port *port)
{
	return !*port->type || strcmp(port->type, "system") == 0;
}

/* Whether a port is a device that no netdev of the kernel stands for: it is taken for one that leads to a cable. */
static bool is_foreign_device(const struct ovs_port *port)
{
	static const char *const prefixes[] = { "dpdk", "afxdp", "netmap", "doca" };

	if (strncmp(port->type, "dpdkvhost", strlen("dpdkvhost")) == 0)
		return false; /* a guest's */
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (strncmp(port->type, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	}
	return false;
}

/* Whether a port is a netdev, or a bond with it, or lies on it. */
static bool is_over(const struct ovs_port *port, const char *netdev)
{
	bool is_it = *netdev && (strcmp(port->name, netdev) == 0 || strcmp(port->leads, netdev) == 0);

	for (size_t i = 0; *netdev && !is_it && i < port->members; i++)
		is_it = strcmp(port->member[i], netdev) == 0;
	return is_it;
}

/* The PFs whose uplink, or whose uplink's bond, a port is or lies on. Return: a bit for each. */
static unsigned int uplinks_of(const struct inventory *inventory, const struct ovs_port *port)
{
	unsigned int uplinks = 0;

	for (size_t i = 0; i < inventory->pfs; i++) {
		const struct inventory_pf *pf = &inventory->pf[i];

		if (is_over(port, pf->uplink) || (strcmp(pf->uplink_master_kind, "bond") == 0 && is_over(port, pf->uplink_master)))
			uplinks |= 1u << i;
	}
	return uplinks;
}

/* Return: the port at the other end of a patch port; NULL if it has none, or one that does not lead back. */
static const struct ovs_port *other_end(const struct ovs_state *ovs, const struct ovs_port *port)
{
	const struct ovs_port *other = ovs_find_port(ovs, port->peer);

	return other && strcmp(other->type, "patch") == 0 && strcmp(other->peer, port->name) == 0 ? other : NULL;
}

/* Adds a bridge that a patch port leads to. */
static void join_bridge(const struct inventory *inventory, const char *name, struct network *network)
{
	const struct ovs_bridge *bridge = ovs_find_bridge(&inventory->ovs, name);

	for (size_t i = 0; bridge && i < network->bridges; i++) {
		if (network->bridge[i] == bridge)
			return;
	}
	if (network->bridges == NETWORK_MAX_BRIDGES)
		network->too_many = true;
	else if (bridge)
		network->bridge[network->bridges++] = bridge;
}

/* Notes the port that carries most. A bond of Open vSwitch's own is no netdev: its members are judged as uplinks. */
static void note_mtu(const struct ovs_port *port, bool is_uplink, struct network *network)
{
	const struct ovs_port *widest = network->widest;

	if (!is_netdev(port) || port->members || !port->mtu || (widest && network->widest_is_uplink && !is_uplink))
		return;
	if (widest && network->widest_is_uplink == is_uplink && widest->mtu >= port->mtu)
		return;
	network->widest = port;
	network->widest_is_uplink = is_uplink;
}

/* Notes what a port is to the network. */
static void note_port(const struct inventory *inventory, const struct ovs_port *port, struct network *network)
{
	unsigned int uplinks = is_netdev(port) ? uplinks_of(inventory, port) : 0;
	const struct ovs_port *other = strcmp(port->type, "patch") == 0 ? other_end(&inventory->ovs, port) : NULL;

	network->uplinks |= uplinks;
	note_mtu(port, uplinks != 0, network);
	if (other)
		join_bridge(inventory, other->bridge, network);
	else if (is_tunnel(port))
		network->tunnel = network->tunnel ? network->tunnel : port;
	else if (is_foreign_device(port) || (is_netdev(port) && *port->leads && !uplinks))
		network->device = network->device ? network->device : port;
}

/* Notes what is in one bridge. */
static void note_bridge(const struct inventory *inventory, const struct ovs_bridge *bridge, struct network *network)
{
	const struct ovs_state *ovs = &inventory->ovs;

	network->is_userspace |= strcmp(bridge->datapath_type, "netdev") == 0;
	network->is_ovn |= *ovs->ovn_bridge && strcmp(bridge->name, ovs->ovn_bridge) == 0 && bridge == network->bridge[0];
	for (size_t i = 0; i < inventory->pfs; i++) {
		if (strcmp(inventory->pf[i].uplink_bridge, bridge->name) == 0)
			network->uplinks |= 1u << i;
	}
	for (size_t i = 0; i < ovs->ports; i++) {
		if (strcmp(ovs->port[i].bridge, bridge->name) == 0)
			note_port(inventory, &ovs->port[i], network);
	}
}

/*
 * network_find() - the network of a bridge
 * @inventory:	host
 * @bridge:	name
 * @network:	result; points into the inventory
 */
void network_find(const struct inventory *inventory, const char *bridge, struct network *network)
{
	memset(network, 0, sizeof(*network));
	join_bridge(inventory, bridge, network);
	for (size_t i = 0; i < network->bridges; i++)
		note_bridge(inventory, network->bridge[i], network);
	for (size_t i = 0; !network->bridges && i < inventory->pfs; i++) {
		if (strcmp(inventory->pf[i].uplink_bridge, bridge) == 0)
			network->uplinks |= 1u << i;
	}
}

/* Whether something joins a network with the world outside. */
bool network_has_way(const struct network *network)
{
	return network->is_ovn || network->uplinks || network->tunnel || network->device || network->too_many;
}

/* Whether the uplink of a PF, which is one of the inventory or a copy of it, is a way out of a network. */
bool network_reaches(const struct network *network, const struct inventory *inventory, const struct inventory_pf *pf)
{
	for (size_t i = 0; i < inventory->pfs; i++) {
		if (network->uplinks & 1u << i && pci_address_equal(&inventory->pf[i].address, &pf->address))
			return true;
	}
	return false;
}

/* Whose business the uplink is. */
enum uplink network_uplink(const struct config *config)
{
	return config->uplink == UPLINK_PLUG && !config->plug_uplink ? UPLINK_PRESENT : config->uplink;
}

/* ---- Judging ------------------------------------------------------------------------------------------------------------------- */

/* What is judged: whether VFs of a PF reach the network of a bridge. */
struct question {
	const struct config *config;
	const struct inventory *inventory;
	const struct inventory_pf *pf;
	const char *bridge;
	struct network network; /* the bridge's */
};

/* Return: the uplink of another PF that is a way out of the network, NULL if there is none. */
static const char *other_uplink(const struct question *q)
{
	for (size_t i = 0; i < q->inventory->pfs; i++) {
		if (q->network.uplinks & 1u << i && !pci_address_equal(&q->inventory->pf[i].address, &q->pf->address))
			return q->inventory->pf[i].uplink;
	}
	return NULL;
}

/* Refuses what no setting allows. Return: 0, -EBUSY with *why filled. */
static int is_impossible(const struct question *q, struct reason *why)
{
	if (!*q->pf->uplink)
		return reason_set(why, -EBUSY, NULL, "it has no uplink netdev");
	if (!q->network.is_userspace)
		return 0;
	reason_set(why, -EBUSY, q->bridge, "bridge %s has the datapath of user space (datapath_type netdev: DPDK, DOCA), where nothing of what a "
		   "VF sends is offloaded, which is not supported", q->bridge);
	reason_cure(why, "let guests use a bridge with the kernel's datapath (datapath_type system)");
	return -EBUSY;
}

/* Refuses an uplink that is somewhere else already. Return: 0 if it is nowhere, -EBUSY with *why filled. */
static int is_elsewhere(const struct question *q, struct reason *why)
{
	const struct inventory_pf *pf = q->pf;
	char bridge[160], bond[64];

	if (*pf->uplink_bridge)
		return reason_set(why, -EBUSY, pf->uplink, "its uplink %s is in bridge %s, and the VF belongs to bridge %s", pf->uplink,
				  pf->uplink_bridge, q->bridge);
	if (!*pf->uplink_master)
		return 0;
	reason_set(why, -EBUSY, pf->uplink, "its uplink %s is in %s %s", pf->uplink, pf->uplink_master_kind, pf->uplink_master);
	if (strcmp(pf->uplink_master_kind, "bridge") == 0)
		reason_cure(why, "put it into an Open vSwitch bridge instead: VFs behind a bridge of the kernel are not supported; or let guests "
			    "use another PF");
	else if (strcmp(pf->uplink_master_kind, "bond") == 0)
		reason_cure(why, "put the bond into the bridge: ovs-vsctl add-port %s %s", reason_word(q->bridge, bridge, sizeof(bridge)),
			    reason_word(pf->uplink_master, bond, sizeof(bond)));
	return -EBUSY;
}

/* Refuses to plug an uplink into a bridge that has another way. Return: 0 if it has none, -EBUSY with *why filled. */
static int has_other_way(const struct question *q, struct reason *why)
{
	const struct ovs_port *device = q->network.device;
	const char *other = other_uplink(q), *bridge = q->bridge;

	if (other)
		return reason_set(why, -EBUSY, bridge, "bridge %s has the uplink %s already, and a second one would make a loop", bridge, other);
	if (device) {
		reason_set(why, -EBUSY, device->name, "bridge %s reaches the network by %s already, and an uplink beside it would make a loop",
			   bridge, device->name);
		reason_cure(why, "set uplink = present in vferry.conf if guests shall use %s, or take it out of the bridge", device->name);
		return -EBUSY;
	}
	if (q->network.bridges < 2 && !q->network.too_many)
		return 0;
	reason_set(why, -EBUSY, bridge, "bridge %s is joined with other bridges by patch ports, and none of them reaches the network", bridge);
	reason_cure(why, "put the uplink %s into the bridge that it belongs into", q->pf->uplink);
	return -EBUSY;
}

/* Judges an uplink that is nowhere, for a bridge without a way: it may be put there. Return: 0, -EBUSY with *why filled. */
static int can_plug(const struct question *q, struct reason *why)
{
	if (!q->config->create_bridge && !q->network.bridges)
		return reason_set(why, -EBUSY, q->bridge, "there is no bridge %s, and create_bridge is off", q->bridge);
	if (strcmp(q->bridge, q->config->bridge) != 0)
		return reason_set(why, -EBUSY, q->bridge, "its uplink %s is not in bridge %s, which the guest's passport names, and vferry puts it "
				  "only into the one of vferry.conf, %s", q->pf->uplink, q->bridge, q->config->bridge);
	return 0;
}

/* Refuses a bridge that lacks the way which is not vferry's business to make. Return: -EBUSY with *why filled. */
static int is_absent(const struct question *q, struct reason *why)
{
	bool exists = q->network.bridges;

	reason_set(why, -EBUSY, q->bridge, "%s %s%s, and vferry does not see to that (uplink = %s in vferry.conf)",
		   exists ? "bridge" : "there is no bridge", q->bridge, exists ? " has no way to the network" : "",
		   network_uplink(q->config) == UPLINK_IGNORE ? "ignore" : "present");
	if (exists)
		reason_cure(why, "put the uplink %s or a bond of it there, or set uplink in vferry.conf", q->pf->uplink);
	else
		reason_cure(why, "make it, with its way to the network, or set bridge or uplink in vferry.conf");
	return -EBUSY;
}

/* Whether the bridge has a port of which a record does not tell what it is: its administrator says that it leads to the network. */
static bool has_untold_port(const struct question *q)
{
	const struct ovs_state *ovs = &q->inventory->ovs;

	for (size_t i = 0; q->inventory->ports_untold && i < ovs->ports; i++) {
		if (strcmp(ovs->port[i].bridge, q->bridge) == 0 && strcmp(ovs->port[i].name, q->bridge) != 0)
			return true;
	}
	return false;
}

/* Judges a bridge that only its administrator joins with the network. Return: 0, -EBUSY with *why filled. */
static int is_present(const struct question *q, struct reason *why)
{
	const char *other = other_uplink(q);

	if (q->network.bridges && network_uplink(q->config) == UPLINK_IGNORE)
		return 0;
	if (q->network.device && !other)
		return 0;
	if (!other && has_untold_port(q))
		return 0;
	if (!other)
		return is_absent(q, why);
	reason_set(why, -EBUSY, q->bridge, "bridge %s reaches the network by the uplink %s of another PF", q->bridge, other);
	reason_cure(why, "let guests of this bridge use VFs of that PF, or set uplink = ignore in vferry.conf");
	return -EBUSY;
}

/*
 * network_judge() - whether a VF reaches the network of a bridge
 * @config:	uplink, plug_uplink, create_bridge, bridge
 * @inventory:	host
 * @pf:		PF of it
 * @bridge:	name
 * @plug:	result: the PF's uplink has to be put into the bridge; false on failure
 * @why:	filled on failure
 * Return: 0, -EBUSY
 */
int network_judge(const struct config *config, const struct inventory *inventory, const struct inventory_pf *pf, const char *bridge,
		  bool *plug, struct reason *why)
{
	struct question q = { .config = config, .inventory = inventory, .pf = pf, .bridge = bridge };
	int error;

	*plug = false;
	network_find(inventory, bridge, &q.network);
	error = is_impossible(&q, why);
	if (error || q.network.is_ovn || q.network.tunnel || network_reaches(&q.network, inventory, pf))
		return error;
	if (network_uplink(config) != UPLINK_PLUG)
		return is_present(&q, why);
	error = is_elsewhere(&q, why);
	if (!error)
		error = has_other_way(&q, why);
	if (!error)
		error = can_plug(&q, why);
	*plug = !error;
	return error;
}

/*
 * network_bridge() - the bridge of a VF of which nobody tells it
 * @config:	bridge
 * @inventory:	host
 * @pf:		the VF's PF, NULL: not known
 * Return: a name of either
 */
const char *network_bridge(const struct config *config, const struct inventory *inventory, const struct inventory_pf *pf)
{
	struct network network;

	if (!pf || !*pf->uplink_bridge || network_uplink(config) == UPLINK_IGNORE)
		return config->bridge;
	network_find(inventory, config->bridge, &network);
	if (network.is_ovn || network.tunnel || network_reaches(&network, inventory, pf))
		return config->bridge;
	return pf->uplink_bridge;
}

/*
 * network_describe() - how VFs of a PF reach a network
 * @network:	of network_find(), whose bridge exists
 * @inventory:	host
 * @pf:		PF of it
 * @out, @size:	result
 * Return: out
 */
char *network_describe(const struct network *network, const struct inventory *inventory, const struct inventory_pf *pf, char *out,
		       size_t size)
{
	const char *bridge = network->bridges ? network->bridge[0]->name : pf->uplink_bridge;
	const char *via = pf->uplink_bridge;

	*out = '\0';
	if (network->is_ovn)
		snprintf(out, size, "bridge %s is OVN's, which decides by its iface-id what a port reaches", bridge);
	else if (network_reaches(network, inventory, pf) && strcmp(via, bridge) == 0)
		snprintf(out, size, "%s is in bridge %s", pf->uplink, bridge);
	else if (network_reaches(network, inventory, pf))
		snprintf(out, size, "bridge %s reaches %s by way of %s%s", bridge, pf->uplink, *via ? "bridge " : "a device on it", via);
	else if (network->tunnel)
		snprintf(out, size, "bridge %s reaches the network by tunnels (%s)", bridge, network->tunnel->name);
	else if (network->device)
		snprintf(out, size, "bridge %s reaches the network by %s", bridge, network->device->name);
	return out;
}

/* Return: the MTU that a VF's representor is to have, 0: it is left as it is. */
unsigned int network_mtu(const struct inventory_pf *pf, const struct inventory_vf *vf)
{
	return vf->representor_mtu && vf->representor_mtu < pf->uplink_mtu ? pf->uplink_mtu : 0;
}

/* See the header. */
int network_judge_pf(const struct config *config, const struct inventory *inventory, const struct inventory_pf *pf, bool *plug,
		     struct reason *why)
{
	return network_judge(config, inventory, pf, network_bridge(config, inventory, pf), plug, why);
}
