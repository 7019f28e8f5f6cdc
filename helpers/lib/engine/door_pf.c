/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * door_pf.c: what the door asks before a PF, its uplink or Open vSwitch is changed. See door_judge.h.
 *
 * Taking back is judged as making is: by who uses the object now. What was vferry's alone when it was made may carry others since.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "card/device_user.h"
#include "engine/door_judge.h"
#include "policy/disturb.h"
#include "policy/network.h"

/* A PF as it is now. */
struct look_at_pf {
	struct inventory own;
	const struct inventory *inventory;
	const struct inventory_pf *pf;
};

/* Gives back what was read for one question. */
static void look_release(struct look_at_pf *look)
{
	inventory_release(&look->own);
}
#define autolook __attribute__((cleanup(look_release)))

/*
 * look_at_host() - reads the host, unless nothing was changed since it was read under this lock; all of it, where something is given back:
 * what is ready is asked for its users only then
 * Return: 0, negative errno
 */
static int look_at_host(const struct question *q, struct look_at_pf *look, struct reason *why)
{
	struct context *context = &q->door->context;
	int error = door_ask(q->door, why);

	look->inventory = q->door->inventory;
	if (!error && (!look->inventory || (q->made && look->inventory->is_few))) {
		error = (q->made ? inventory_read : inventory_read_few)(&look->own, context->config->ovsdb_socket, context->deadline, why);
		look->inventory = &look->own;
	}
	return error;
}

/*
 * look_at_pf() - reads the host, and finds the PF. What is given back stays while not all can be seen that may use it by now.
 * Return: 0, -ENODEV if the PF is gone, -EAGAIN if it cannot be read, negative errno
 */
static int look_at_pf(const struct question *q, struct look_at_pf *look, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];
	int error = look_at_host(q, look, why);

	for (size_t i = 0; !error && i < look->inventory->pfs; i++) {
		if (pci_address_equal(&look->inventory->pf[i].address, &q->step->pf))
			look->pf = &look->inventory->pf[i];
	}
	pci_address_format(&q->step->pf, address);
	if (!error && !look->pf)
		error = reason_set(why, -ENODEV, address, "the PF is gone");
	else if (!error && q->made && look->inventory->users_unseen)
		error = reason_set(why, -EAGAIN, address, "it cannot be seen who uses it");
	else if (!error && q->made && *look->pf->trouble)
		error = reason_set(why, -EAGAIN, address, "it cannot be seen who uses it: %s", look->pf->trouble);
	return error;
}

/* judge_autoprobe() - it disturbs nobody; what was changed since is not vferry's any more */
int judge_autoprobe(const struct question *q, struct reason *why)
{
	return door_is_changed_since(q, why);
}

/*
 * is_open() - whether a process has a function of the card open, or a subfunction is made of it, at this moment: the list of uses is as old
 * as the look at the host
 * Return: 0, OTHERS with *why, negative errno with *why if it cannot be seen
 */
static int is_open(const struct look_at_pf *look, struct reason *why)
{
	int error = 0;

	for (size_t i = 0; !error && i < look->inventory->pfs; i++) {
		const struct pci_address *pf = &look->inventory->pf[i].address;

		if (&look->inventory->pf[i] == look->pf || pci_address_is_sibling(pf, &look->pf->address))
			error = pci_refuse_open(pf, why);
	}
	return error == -EBUSY ? OTHERS : error;
}

/* judge_eswitch() - either way it takes the carrier away and makes all representors anew */
int judge_eswitch(const struct question *q, struct reason *why)
{
	autolook struct look_at_pf look = { 0 };
	int error = door_is_changed_since(q, why);

	if (!error)
		error = look_at_pf(q, &look, why);
	if (error)
		return error;
	if (!q->made)
		return disturb_eswitch(look.inventory, &q->door->running, look.pf, why);
	error = operation_refuse_bound(&q->step->pf, why);
	if (!error && disturb_switching(look.inventory, &q->door->running, look.pf, why))
		return OTHERS;
	return error ? error : is_open(&look, why);
}

/* judge_num_vfs() - their number is changed only while no driver holds one */
int judge_num_vfs(const struct question *q, struct reason *why)
{
	int error = door_is_changed_since(q, why);

	return error || !q->step->before ? error : operation_refuse_bound(&q->step->pf, why);
}

/* judge_uplink_up() - an uplink that has come to carry something stays up */
int judge_uplink_up(const struct question *q, struct reason *why)
{
	autolook struct look_at_pf look = { 0 };
	int error = q->step->number ? 0 : look_at_pf(q, &look, why);

	if (error || q->step->number)
		return error;
	return disturb_uplink_down(look.inventory, &q->door->running, look.pf, why) ? OTHERS : 0;
}

/*
 * read_switch() - Open vSwitch as it is now
 */
static int read_switch(const struct question *q, struct ovs_state *state, struct reason *why)
{
	struct ovs *ovs;
	int error = context_ovs(&q->door->context, &ovs, why);

	return error ? error : ovs_read(ovs, state, q->door->context.deadline, why);
}
#define autoswitch __attribute__((cleanup(ovs_state_release)))

/*
 * find_rider() - a port of a bridge beside its own and one that does not count
 */
static const struct ovs_port *find_rider(const struct ovs_state *state, const char *bridge, const char *except)
{
	for (size_t i = 0; i < state->ports; i++) {
		const struct ovs_port *port = &state->port[i];

		if (strcmp(port->bridge, bridge) == 0 && strcmp(port->name, bridge) && strcmp(port->name, except))
			return port;
	}
	return NULL;
}

/* judge_ovs_option() - an option that was set to something else since is somebody else's */
int judge_ovs_option(const struct question *q, struct reason *why)
{
	if (!q->made || strcmp(q->step->before_text, q->made->text) == 0)
		return 0;
	reason_set(why, -EBUSY, q->step->name, "somebody else has set this option of Open vSwitch since");
	return OTHERS;
}

/*
 * can_see() - whether Open vSwitch and the host's netdevs could be read: where they could not, nobody is seen, which is not nobody
 * Return: 0, -EAGAIN with *why
 */
static int can_see(const struct question *q, const struct look_at_pf *look, struct reason *why)
{
	if (look->inventory->has_ovs && look->inventory->netdevs && !look->inventory->users_unseen)
		return 0;
	return reason_set(why, -EAGAIN, q->step->name, "it cannot be seen who uses it: %s",
			  !look->inventory->has_ovs  ? look->inventory->ovs_trouble :
			  !look->inventory->netdevs ? "the network interfaces cannot be read" :
						      "not all processes and network namespaces show themselves");
}

/*
 * bridge_is_idle() - whether nothing lies on a bridge without ports: it may have got an address since
 * Return: 0, OTHERS with *why, negative errno with *why if it cannot be seen
 */
static int bridge_is_idle(const struct question *q, struct reason *why)
{
	autolook struct look_at_pf look = { 0 };
	int error = look_at_host(q, &look, why);

	if (!error)
		error = can_see(q, &look, why);
	if (error)
		return error;
	return disturb_bridge(look.inventory, &q->door->running, q->step->name, why) ? OTHERS : 0;
}

/* judge_bridge() - one that somebody has come to use, or that is not vferry's, stays */
int judge_bridge(const struct question *q, struct reason *why)
{
	autoswitch struct ovs_state state = { 0 };
	const struct ovs_bridge *bridge;
	const struct ovs_port *rider;
	int error = q->step->number ? 0 : read_switch(q, &state, why);

	if (error || q->step->number)
		return error;
	bridge = ovs_find_bridge(&state, q->step->name);
	rider = find_rider(&state, q->step->name, "");
	if (bridge && bridge->ours && !rider)
		return bridge_is_idle(q, why);
	reason_set(why, -EBUSY, q->step->name, "the bridge is used by %s", rider ? rider->name : "somebody else");
	return OTHERS;
}

/*
 * refuse_loop() - whether vferry has put another uplink into the bridge: policy looked before, and somebody may have been faster
 * Return: 0, -EBUSY with *why filled, negative errno
 */
static int refuse_loop(const struct question *q, const struct ovs_state *state, struct reason *why)
{
	for (size_t i = 0; i < state->ports; i++) {
		const struct ovs_port *port = &state->port[i];

		if (port->ours && strcmp(port->guest, "host") == 0 && strcmp(port->bridge, q->step->text) == 0 &&
		    strcmp(port->name, q->step->name))
			return reason_set(why, -EBUSY, q->step->text, "the bridge has the uplink %s already, and a second one would make a loop",
					  port->name);
	}
	return 0;
}

/*
 * may_plug() - whether the uplink may be put into the bridge, as the host is now
 */
static int may_plug(const struct question *q, const struct ovs_state *state, struct reason *why)
{
	autolook struct look_at_pf look = { 0 };
	bool plug = false;
	int error = refuse_loop(q, state, why);

	if (!error)
		error = look_at_pf(q, &look, why);
	if (!error)
		error = network_judge(q->door->context.config, look.inventory, look.pf, q->step->text, &plug, why);
	return error || !plug ? error : disturb_uplink(look.inventory, look.pf, why);
}

/*
 * uplink_is_idle() - whether nobody reaches the network by an uplink whose bridge has no other port: the host may, by the bridge's own
 * Return: 0, OTHERS with *why, negative errno with *why if it cannot be seen
 */
static int uplink_is_idle(const struct question *q, struct reason *why)
{
	autolook struct look_at_pf look = { 0 };
	int error = look_at_pf(q, &look, why);

	if (!error)
		error = can_see(q, &look, why);
	if (error)
		return error;
	return disturb_unplug(look.inventory, &q->door->running, look.pf, why) ? OTHERS : 0;
}

/* judge_uplink_port() - into the bridge: no loop, and nothing of the host on it; out of it: nobody reaches the network by it */
int judge_uplink_port(const struct question *q, struct reason *why)
{
	autoswitch struct ovs_state state = { 0 };
	const struct ovs_port *port, *rider;
	int error = read_switch(q, &state, why);

	if (error || q->step->number)
		return error ? error : may_plug(q, &state, why);
	port = ovs_find_port(&state, q->step->name);
	rider = port ? find_rider(&state, port->bridge, port->name) : NULL;
	error = port && !rider ? uplink_is_idle(q, why) : 0;
	if (!rider)
		return error == -ENODEV ? 0 : error; /* nobody reaches anything by an uplink that is gone */
	reason_set(why, -EBUSY, port->name, "port %s of bridge %s reaches the network by it", rider->name, port->bridge);
	return OTHERS;
}
