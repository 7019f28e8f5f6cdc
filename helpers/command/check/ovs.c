/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ovs.c: Open vSwitch and the bridges: S5a to S5g.
 */
#include <string.h>

#include "command/check/tables.h"
#include "policy/network.h"

/* Says that Open vSwitch cannot be read. Return: whether that is so. */
static bool is_unseen(const struct check_case *c, struct finding *f)
{
	if (c->view->scene.inventory.has_ovs)
		return false;
	check_found(f, STATE_UNKNOWN, "Open vSwitch cannot be read (S5a)");
	return true;
}

/* S5a: it runs. */
static void look_runs(const struct check_case *c, struct finding *f)
{
	const struct inventory *inventory = &c->view->scene.inventory;

	char fine[64];

	snprintf(fine, sizeof(fine), "Open vSwitch %.32s answers", inventory->ovs.version);
	if (check_by_rule(c, "S5a-openvswitch", fine, f) == VERDICT_PASS)
		return;
	*f->advice = '\0';
	if (!c->view->facts.seen_by_root)
		f->state = STATE_UNKNOWN;
	else
		check_mend(f, "%s", *c->view->facts.ovs_start ? c->view->facts.ovs_start : "systemctl start openvswitch");
}

/* S5b: hardware offload. */
static void look_offload(const struct check_case *c, struct finding *f)
{
	if (is_unseen(c, f))
		return;
	if (!c->config->ovs_offload) {
		check_found(f, STATE_NONE, "the configuration says ovs_offload = no");
	} else if (c->view->scene.inventory.ovs.hw_offload) {
		check_found(f, STATE_OK, "hw-offload is true");
	} else {
		check_found(f, STATE_WARNING, "hw-offload is not true");
		check_mend(f, "ovs-vsctl set Open_vSwitch . other_config:hw-offload=true");
	}
}

/* S5c: how long an idle flow stays. */
static void look_idle(const struct check_case *c, struct finding *f)
{
	long now = c->view->scene.inventory.ovs.max_idle, wanted = (long)c->config->max_idle;

	if (is_unseen(c, f))
		return;
	if (!c->config->ovs_offload) {
		check_found(f, STATE_NONE, "the configuration says ovs_offload = no");
		return;
	}
	if (now >= wanted) {
		check_found(f, STATE_OK, "max-idle is %ld ms", now);
		return;
	}
	if (now < 0)
		check_found(f, STATE_WARNING, "max-idle is not set: idle flows leave the card after 10 s");
	else
		check_found(f, STATE_WARNING, "max-idle is %ld ms, and %ld ms are wanted", now, wanted);
	check_mend(f, "ovs-vsctl set Open_vSwitch . other_config:max-idle=%ld", wanted);
}

/* Whether VFs of a PF that vferry may use reach the network of a bridge; why: the first reason why not. */
static bool is_reached(const struct check_case *c, const char *bridge, struct reason *why)
{
	const struct inventory *inventory = &c->view->scene.inventory;
	struct reason refused = { 0 };
	bool plug;

	for (size_t i = 0; i < inventory->pfs; i++) {
		if (!guest_can_use_pf(c->config, &inventory->pf[i]))
			continue;
		if (network_judge(c->config, inventory, &inventory->pf[i], bridge, &plug, &refused) == 0)
			return true;
		if (!*why->what)
			*why = refused;
	}
	return !*why->what; /* no PF at all: other rows say so */
}

/* S5d: the bridge. */
static void look_bridge(const struct check_case *c, struct finding *f)
{
	const char *bridge = c->config->bridge;
	struct reason why = { 0 };
	char word[WORD];

	if (is_unseen(c, f))
		return;
	if (ovs_find_bridge(&c->view->scene.inventory.ovs, bridge)) {
		if (is_reached(c, bridge, &why)) {
			check_found(f, STATE_OK, "bridge %s is there", bridge);
			return;
		}
		check_found(f, STATE_FAILURE, "no PF serves bridge %s, which vferry.conf names: %s", bridge, why.what);
		check_advise(f, "%s", *why.cure ? why.cure : "set bridge in vferry.conf to one that a PF's uplink is in");
		return;
	}
	check_found(f, c->config->create_bridge ? STATE_WARNING : STATE_FAILURE, "there is no bridge %s%s", bridge,
		    c->config->create_bridge ? "; the hook makes it when a guest arrives" : ", and create_bridge is off");
	check_mend(f, "ovs-vsctl --may-exist add-br %s", reason_word(bridge, word, sizeof(word)));
}

/* Whether a port has failed. */
static bool has_failed(const struct ovs_port *port)
{
	return *port->error || port->ofport < 0;
}

/* Return: the port that failed and most concerns vferry: one of its own, then one of its bridge, then any; NULL: none failed. */
static const struct ovs_port *find_failed(const struct ovs_state *ovs, const char *bridge)
{
	const struct ovs_port *found = NULL;
	int best = 0;

	for (size_t i = 0; i < ovs->ports; i++) {
		int rank = !has_failed(&ovs->port[i]) ? 0 : ovs->port[i].ours ? 3 : strcmp(ovs->port[i].bridge, bridge) == 0 ? 2 : 1;

		if (rank > best)
			found = &ovs->port[i];
		best = rank > best ? rank : best;
	}
	return found;
}

/* S5e: no restart is needed; ports that failed show that something else is. A port of others is theirs to mend. */
static void look_ports(const struct check_case *c, struct finding *f)
{
	const struct ovs_port *bad;
	char port[WORD], bridge[WORD];

	if (is_unseen(c, f))
		return;
	bad = find_failed(&c->view->scene.inventory.ovs, c->config->bridge);
	if (!bad) {
		check_found(f, STATE_OK, "no port has an error (a restart is not needed: hw-offload=true is taken at run time)");
		return;
	}
	check_found(f, STATE_WARNING, "port %s of bridge %s: %s", bad->name, bad->bridge, *bad->error ? bad->error : "it failed");
	if (bad->ours)
		check_mend(f, "ovs-vsctl del-port %s %s", reason_word(bad->bridge, bridge, sizeof(bridge)),
			   reason_word(bad->name, port, sizeof(port)));
	else
		check_advise(f, "vferry did not make it and leaves it alone: whoever put it there takes it out, or brings its device back");
}

/* Whether guests reach the network by another PF of the host. */
static bool has_other_way(const struct check_case *c)
{
	const struct inventory *inventory = &c->view->scene.inventory;
	bool plug;

	for (size_t i = 0; i < inventory->pfs; i++) {
		const struct inventory_pf *pf = &inventory->pf[i];

		if (pf != c->pf && guest_can_use_pf(c->config, pf) && network_judge_pf(c->config, inventory, pf, &plug, NULL) == 0 && !plug)
			return true;
	}
	return false;
}

/* S5f: the way of a PF's guests to the network. A PF that has none keeps nobody away from a host where another one has. */
static void look_uplink(const struct check_case *c, struct finding *f)
{
	const struct inventory_pf *pf = c->pf;
	const char *bridge = network_bridge(c->config, &c->view->scene.inventory, pf);
	char address[PCI_ADDRESS_LEN], way[200];
	struct network network;
	bool plug;

	if (is_unseen(c, f))
		return;
	if (check_is_spare(c)) {
		check_found(f, STATE_NONE, "this PF is not prepared; another one is");
		return;
	}
	if (check_by_rule(c, "network", "", f) != VERDICT_PASS) {
		if (f->state == STATE_FAILURE && has_other_way(c))
			f->state = STATE_WARNING;
		return;
	}
	if (network_judge(c->config, &c->view->scene.inventory, pf, bridge, &plug, NULL) == 0 && plug) {
		check_found(f, STATE_WARNING, "%s is in no bridge; the hook puts it into %s when a guest arrives", pf->uplink, bridge);
		check_mend(f, "vferry prepare --pf %s --yes", pci_address_format(&pf->address, address));
		return;
	}
	network_find(&c->view->scene.inventory, bridge, &network);
	network_describe(&network, &c->view->scene.inventory, pf, way, sizeof(way));
	check_found(f, STATE_OK, "%s%s%s", *way ? way : "vferry.conf says uplink = ignore: vferry does not look at it",
		    strcmp(bridge, c->config->bridge) ? ", and vferry.conf says bridge = " : "",
		    strcmp(bridge, c->config->bridge) ? c->config->bridge : "");
}

/* S5g: the representors of VFs that guests have: in a bridge and up. */
static void look_representors(const struct check_case *c, struct finding *f)
{
	unsigned int guests = 0;

	if (is_unseen(c, f))
		return;
	for (unsigned int i = 0; i < c->pf->num_vfs; i++) {
		const struct inventory_vf *vf = &c->pf->vf[i];
		const struct status *status = status_find_device(&c->view->scene.running, &vf->address);
		char name[64], port[WORD], bridge[WORD];

		if (!status || !vf->has_port || !*vf->port.netdev)
			continue;
		guests++;
		reason_clean(name, sizeof(name), status->name);
		if (!*vf->bridge) {
			check_found(f, STATE_FAILURE, "the representor %s of guest %s is in no bridge: it has no network", vf->port.netdev,
				    name);
			check_mend(f, "ovs-vsctl --may-exist add-port %s %s",
				   reason_word(network_bridge(c->config, &c->view->scene.inventory, c->pf), bridge, sizeof(bridge)),
				   reason_word(vf->port.netdev, port, sizeof(port)));
			return;
		}
		if (!vf->representor_up) {
			check_found(f, STATE_FAILURE, "the representor %s of guest %s is down: the guest has no link", vf->port.netdev,
				    name);
			check_mend(f, "ip link set dev %s up", reason_word(vf->port.netdev, port, sizeof(port)));
			return;
		}
	}
	if (guests)
		check_found(f, STATE_OK, "representors of %u guest%s are up and in a bridge", guests, guests == 1 ? "" : "s");
	else
		check_found(f, STATE_NONE, "no guest has a VF of it");
}

const struct check_row check_rows_ovs[] = {
	{ "S5a", "Open vSwitch runs", SCOPE_HOST, "without it VFs have no way to the network", look_runs },
	{ "S5b", "hw-offload", SCOPE_HOST, "without it every frame goes through the host's processor", look_offload },
	{ "S5c", "max-idle", SCOPE_HOST, "a flow that leaves the card early is slow when it starts again", look_idle },
	{ "S5d", "bridge", SCOPE_HOST, "uplink and representors meet in it", look_bridge },
	{ "S5e", "ports", SCOPE_HOST, "a port that failed passes nothing", look_ports },
	{ "S5f", "way to network", SCOPE_PF, "guests reach the network through it", look_uplink },
	{ "S5g", "representors", SCOPE_PF, "a guest's VF has link and network by its representor", look_representors },
	{ 0 },
};
