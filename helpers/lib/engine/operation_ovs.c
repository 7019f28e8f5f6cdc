/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * operation_ovs.c: the steps on Open vSwitch. Only what carries vferry's external_ids is ever removed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "engine/operation.h"
#include "card/devlink.h"
#include "policy/desired.h"

#define autostate __attribute__((cleanup(ovs_state_release)))

/*
 * read_state() - Open vSwitch as it is now
 */
static int read_state(struct context *context, struct ovs **ovs, struct ovs_state *state, struct reason *why)
{
	int error = context_ovs(context, ovs, why);

	return error ? error : ovs_read(*ovs, state, context->deadline, why);
}

/*
 * take_out() - takes something out of Open vSwitch's database
 * Return: 0, negative errno
 *
 * Where ovs-vswitchd does not follow (it is dead, or stuck), it is out of the database all the same, and ovs-vswitchd does what the
 * database says when it comes back; and somebody else may have been faster. A second look then finds nothing to remove.
 */
static int take_out(int (*remove)(struct ovs *ovs, const char *name, deadline_t deadline, struct reason *why), struct ovs *ovs,
		    const char *name, struct context *context, struct reason *why)
{
	int error = remove(ovs, name, context->deadline, why);

	return error && error != -EPERM && remove(ovs, name, context->deadline, NULL) == 0 ? 0 : error;
}

/*
 * option_now() - what an option is set to, "" if it is not set
 */
static void option_now(const struct ovs_state *state, const char *key, char *out, size_t size)
{
	*out = '\0';
	if (strcmp(key, "hw-offload") == 0 && state->hw_offload)
		snprintf(out, size, "true");
	if (strcmp(key, "max-idle") == 0 && state->max_idle >= 0)
		snprintf(out, size, "%ld", state->max_idle);
}

/* look_option() - reads the option into before_text */
static int look_option(struct step *step, struct context *context, struct reason *why)
{
	autostate struct ovs_state state = { 0 };
	struct ovs *ovs;
	int error = read_state(context, &ovs, &state, why);

	if (error)
		return error;
	option_now(&state, step->name, step->before_text, sizeof(step->before_text));
	return strcmp(step->before_text, step->text) == 0;
}

/*
 * apply_option() - sets the option, or takes it away where it was not set
 */
static int apply_option(const struct step *step, struct context *context, struct reason *why)
{
	const char *value = *step->text ? step->text : NULL;
	struct ovs *ovs;
	int error = context_ovs(context, &ovs, why);

	if (!error)
		error = ovs_set_option(ovs, step->name, value, context->deadline, why);
	/* As in take_out(): it is in the database. */
	return error == -ETIME && !value && !ovs_set_option(ovs, step->name, value, context->deadline, NULL) ? 0 : error;
}

const struct operation operation_ovs_option = { look_option, apply_option };

/* look_bridge() - reads whether the bridge is there */
static int look_bridge(struct step *step, struct context *context, struct reason *why)
{
	autostate struct ovs_state state = { 0 };
	struct ovs *ovs;
	int error = read_state(context, &ovs, &state, why);

	if (error)
		return error;
	step->before = ovs_find_bridge(&state, step->name) != NULL;
	return step->before == step->number;
}

/* apply_bridge() - makes the bridge, or removes it */
static int apply_bridge(const struct step *step, struct context *context, struct reason *why)
{
	struct ovs *ovs;
	int error = context_ovs(context, &ovs, why);

	if (error || !step->number)
		return error ? error : take_out(ovs_del_bridge, ovs, step->name, context, why);
	return ovs_add_bridge(ovs, step->name, context->deadline, why);
}

const struct operation operation_bridge = { look_bridge, apply_bridge };

/*
 * is_plugged() - whether a port is in a bridge and ovs-vswitchd has it
 */
static bool is_plugged(const struct ovs_state *state, const char *name, const char *bridge)
{
	const struct ovs_port *port = ovs_find_port(state, name);

	return port && strcmp(port->bridge, bridge) == 0 && port->ofport > 0;
}

/* look_uplink_port() - reads whether the uplink is in its bridge */
static int look_uplink_port(struct step *step, struct context *context, struct reason *why)
{
	autostate struct ovs_state state = { 0 };
	const struct ovs_port *port;
	struct ovs *ovs;
	int error = read_state(context, &ovs, &state, why);

	if (error)
		return error;
	port = ovs_find_port(&state, step->name);
	step->before = step->number ? is_plugged(&state, step->name, step->text) : port && port->ours && strcmp(port->guest, "host") == 0;
	return step->before == step->number;
}

/* apply_uplink_port() - puts the uplink into its bridge, marked as the host's, or takes it out */
static int apply_uplink_port(const struct step *step, struct context *context, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];
	struct ovs_port_request request = {
		.bridge = step->text,
		.port = step->name,
		.guest = "host",
		.vf = pci_address_format(&step->pf, address),
		.tag = -1,
	};
	struct ovs *ovs;
	int error = context_ovs(context, &ovs, why);

	if (error || !step->number)
		return error ? error : take_out(ovs_del_port, ovs, step->name, context, why);
	return ovs_add_port(ovs, &request, context->deadline, why);
}

const struct operation operation_uplink_port = { look_uplink_port, apply_uplink_port };

/*
 * find_ours() - a port of vferry's for a VF. It is found by the external_ids: the netdev may be gone or renamed.
 * Return: the port, NULL if there is none
 */
static const struct ovs_port *find_ours(const struct ovs_state *state, const struct pci_address *vf)
{
	char address[PCI_ADDRESS_LEN];

	pci_address_format(vf, address);
	for (size_t i = 0; i < state->ports; i++) {
		if (state->port[i].ours && strcmp(state->port[i].vf, address) == 0)
			return &state->port[i];
	}
	return NULL;
}

/*
 * is_wanted() - whether a representor's port is as it is to be: this very lease's, whatever was changed on it since; or somebody else's, if
 * nothing is told of the network that it must fit
 */
static bool is_wanted(const struct ovs_state *state, const struct step *step)
{
	const struct ovs_port *port = ovs_find_port(state, step->name);

	if (!port || strcmp(port->bridge, step->text) != 0 || port->ofport <= 0)
		return false;
	if (port->ours)
		return *step->lease && strcmp(port->lease, step->lease) == 0;
	return !step->is_told || !desired_port_fits(port, &step->port, NULL, 0, NULL);
}

/*
 * refuse_others() - whether the representor is in its bridge as somebody else's port that cannot be the guest's; what it lacks that the
 * guest can do without is said
 * Return: 0, -EEXIST with *why
 */
static int refuse_others(const struct ovs_state *state, const struct step *step, struct reason *why)
{
	const struct ovs_port *port = ovs_find_port(state, step->name);
	char missing[64];
	int error;

	if (!port || port->ours || !step->is_told || strcmp(port->bridge, step->text) != 0)
		return 0;
	error = desired_port_fits(port, &step->port, missing, sizeof(missing), why);
	if (!error && *missing)
		log_warning("%s: the port is not vferry's and stays as it is: the guest goes without its %s", port->name, missing);
	return error;
}

/*
 * look_port() - reads whether the representor is in its bridge as wanted, once it has its final name; or whether a port of vferry's is left
 */
static int look_port(struct step *step, struct context *context, struct reason *why)
{
	autostate struct ovs_state state = { 0 };
	struct devlink_port port;
	struct ovs *ovs;
	int error = step->number ? operation_find_port(step, true, &port, context, why) : 0;

	if (!error)
		error = read_state(context, &ovs, &state, why);
	if (error)
		return error;
	if (!step->number) {
		step->before = find_ours(&state, &step->vf) != NULL;
		return !step->before;
	}
	snprintf(step->name, sizeof(step->name), "%s", port.netdev);
	step->before = is_plugged(&state, port.netdev, step->text);
	error = refuse_others(&state, step, why);
	return error ? error : is_wanted(&state, step);
}

/*
 * drop_ports() - takes the ports out that vferry made for the VF
 * @state:	as it was read a moment ago
 * @keep:	but one of the representor in the right bridge, which is about to be written over: it need not go in between
 * Return: how many, negative errno
 */
static int drop_ports(const struct step *step, const struct ovs_state *state, bool keep, struct context *context, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];
	int error = 0, dropped = 0;

	pci_address_format(&step->vf, address);
	for (size_t i = 0; !error && i < state->ports; i++) {
		const struct ovs_port *port = &state->port[i];

		if (!port->ours || strcmp(port->vf, address) != 0)
			continue;
		if (keep && strcmp(port->name, step->name) == 0 && strcmp(port->bridge, step->text) == 0)
			continue;
		error = take_out(ovs_del_port, context->ovs, port->name, context, why);
		dropped++;
	}
	return error ? error : dropped;
}

/*
 * apply_port() - puts the representor that the look has found into its bridge, as its guest's alone; or takes out what is vferry's
 *
 * A port that vferry made for the VF's last owner is written over in one transaction, with all that was set on it.
 */
static int apply_port(const struct step *step, struct context *context, struct reason *why)
{
	char address[PCI_ADDRESS_LEN], mac[MAC_ADDRESS_LEN];
	struct ovs_port_request request = {
		.bridge = step->text,
		.port = step->name,
		.guest = step->guest,
		.lease = step->lease,
		.vf = pci_address_format(&step->vf, address),
		.mac = mac_address_is_zero(&step->mac) ? NULL : mac_address_format(&step->mac, mac),
		.tag = -1,
		.settings = &step->port,
		.transient = true,
	};
	autostate struct ovs_state state = { 0 };
	struct ovs *ovs;
	int result = read_state(context, &ovs, &state, why);

	if (!result)
		result = drop_ports(step, &state, step->number, context, why);
	if (result < 0 || !step->number)
		return result < 0 ? result : 0;
	request.seen = result ? NULL : &state;
	return ovs_add_port(ovs, &request, context->deadline, why);
}

const struct operation operation_port = { look_port, apply_port };
