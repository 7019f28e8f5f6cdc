/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * operation_ovs.c: the steps on Open vSwitch, and their inverses. Only what carries vferry's external_ids is ever removed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/operation.h"
#include "card/devlink.h"

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
 * database says when it comes back: a second look then finds nothing to remove.
 */
static int take_out(int (*remove)(struct ovs *ovs, const char *name, deadline_t deadline, struct reason *why), struct ovs *ovs,
		    const char *name, struct context *context, struct reason *why)
{
	int error = remove(ovs, name, context->deadline, why);

	return error == -ETIME && remove(ovs, name, context->deadline, NULL) == 0 ? 0 : error;
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

/* apply_option() - sets the option */
static int apply_option(const struct step *step, struct context *context, struct reason *why)
{
	struct ovs *ovs;
	int error = context_ovs(context, &ovs, why);

	return error ? error : ovs_set_option(ovs, step->name, step->text, context->deadline, why);
}

/*
 * undo_option() - restores an option that still has the value that was set
 */
static int undo_option(const struct step *step, struct context *context, struct reason *why)
{
	autostate struct ovs_state state = { 0 };
	const char *before = *step->before_text ? step->before_text : NULL;
	char now[STEP_NAME_MAX];
	struct ovs *ovs;
	int error = read_state(context, &ovs, &state, why);

	if (error)
		return error;
	option_now(&state, step->name, now, sizeof(now));
	if (strcmp(now, step->text) || strcmp(step->before_text, step->text) == 0)
		return 0;
	error = ovs_set_option(ovs, step->name, before, context->deadline, why);
	/* As in take_out(): it is in the database. */
	return error == -ETIME && ovs_set_option(ovs, step->name, before, context->deadline, NULL) == 0 ? 0 : error;
}

const struct operation operation_ovs_option = { look_option, apply_option, undo_option };

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

/* apply_bridge() - makes the bridge */
static int apply_bridge(const struct step *step, struct context *context, struct reason *why)
{
	struct ovs *ovs;
	int error = context_ovs(context, &ovs, why);

	return error ? error : ovs_add_bridge(ovs, step->name, context->deadline, why);
}

/*
 * bridge_is_empty() - whether a bridge has no port but its own
 * @except:	a port that does not count, "" if there is none
 */
static bool bridge_is_empty(const struct ovs_state *state, const char *bridge, const char *except)
{
	for (size_t i = 0; i < state->ports; i++) {
		const struct ovs_port *port = &state->port[i];

		if (strcmp(port->bridge, bridge) == 0 && strcmp(port->name, bridge) && strcmp(port->name, except))
			return false;
	}
	return true;
}

/*
 * undo_bridge() - removes a bridge that is ours and that nobody has come to use since
 */
static int undo_bridge(const struct step *step, struct context *context, struct reason *why)
{
	autostate struct ovs_state state = { 0 };
	const struct ovs_bridge *bridge;
	struct ovs *ovs;
	int error = read_state(context, &ovs, &state, why);

	if (error)
		return error;
	bridge = ovs_find_bridge(&state, step->name);
	if (!bridge || !bridge->ours || !bridge_is_empty(&state, step->name, ""))
		return 0;
	return take_out(ovs_del_bridge, ovs, step->name, context, why);
}

const struct operation operation_bridge = { look_bridge, apply_bridge, undo_bridge };

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
	struct ovs *ovs;
	int error = read_state(context, &ovs, &state, why);

	if (error)
		return error;
	step->before = is_plugged(&state, step->name, step->text);
	return step->before == 1;
}

/*
 * refuse_loop() - whether vferry has put another uplink into the bridge: policy looked before, and somebody may have been faster
 * Return: 0, -EBUSY with *why filled, negative errno
 */
static int refuse_loop(const struct step *step, struct context *context, struct reason *why)
{
	autostate struct ovs_state state = { 0 };
	struct ovs *ovs;
	int error = read_state(context, &ovs, &state, why);

	for (size_t i = 0; !error && i < state.ports; i++) {
		const struct ovs_port *port = &state.port[i];

		if (port->ours && strcmp(port->guest, "host") == 0 && strcmp(port->bridge, step->text) == 0 && strcmp(port->name, step->name))
			error = reason_set(why, -EBUSY, step->text, "the bridge has the uplink %s already, and a second one would make a loop",
					   port->name);
	}
	return error;
}

/* apply_uplink_port() - puts the uplink into its bridge, marked as the host's */
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
	int error = refuse_loop(step, context, why);

	if (!error)
		error = context_ovs(context, &ovs, why);
	return error ? error : ovs_add_port(ovs, &request, context->deadline, why);
}

/*
 * undo_uplink_port() - takes the uplink out of the bridge, if it was vferry that put it there and nobody has come to need it since
 */
static int undo_uplink_port(const struct step *step, struct context *context, struct reason *why)
{
	autostate struct ovs_state state = { 0 };
	const struct ovs_port *port;
	struct ovs *ovs;
	int error = read_state(context, &ovs, &state, why);

	if (error)
		return error;
	port = ovs_find_port(&state, step->name);
	if (!port || !port->ours || strcmp(port->guest, "host") || !bridge_is_empty(&state, port->bridge, port->name))
		return 0;
	return take_out(ovs_del_port, ovs, step->name, context, why);
}

const struct operation operation_uplink_port = { look_uplink_port, apply_uplink_port, undo_uplink_port };

/*
 * has_settings() - whether a port has what was set on it where its guest comes from
 */
static bool has_settings(const struct ovs_state *state, const char *name, const struct port_settings *wanted)
{
	const struct ovs_port *port = ovs_find_port(state, name);
	struct port_settings now;

	if (port_settings_is_empty(wanted))
		return true;
	if (!port)
		return false;
	/* What it says without being told is not asked for. */
	now = port->settings;
	if (!wanted->has_attached_mac) {
		now.has_attached_mac = false;
		now.attached_mac = (struct mac_address){ 0 };
	}
	if (!*wanted->vm_id)
		*now.vm_id = '\0';
	return port_settings_equal(&now, wanted);
}

/* look_port() - reads whether the representor is in its bridge as wanted, once it has its final name */
static int look_port(struct step *step, struct context *context, struct reason *why)
{
	autostate struct ovs_state state = { 0 };
	struct devlink_port port;
	struct ovs *ovs;
	int error = operation_find_port(step, true, &port, context, why);

	if (!error)
		error = read_state(context, &ovs, &state, why);
	if (error)
		return error;
	snprintf(step->name, sizeof(step->name), "%s", port.netdev);
	step->before = is_plugged(&state, port.netdev, step->text);
	return step->before == 1 && has_settings(&state, port.netdev, &step->port);
}

/*
 * apply_port() - puts the representor that the look has found into its bridge
 */
static int apply_port(const struct step *step, struct context *context, struct reason *why)
{
	char address[PCI_ADDRESS_LEN], mac[MAC_ADDRESS_LEN];
	struct ovs_port_request request = {
		.bridge = step->text,
		.port = step->name,
		.guest = step->guest,
		.vf = pci_address_format(&step->vf, address),
		.mac = mac_address_is_zero(&step->mac) ? NULL : mac_address_format(&step->mac, mac),
		.tag = -1,
		.settings = port_settings_is_empty(&step->port) ? NULL : &step->port,
		.transient = true,
	};
	struct ovs *ovs;
	int error = context_ovs(context, &ovs, why);

	return error ? error : ovs_add_port(ovs, &request, context->deadline, why);
}

/*
 * undo_port() - takes the guest's representor out of its bridge. It is found by the external_ids: the netdev may be gone or renamed.
 */
static int undo_port(const struct step *step, struct context *context, struct reason *why)
{
	autostate struct ovs_state state = { 0 };
	char address[PCI_ADDRESS_LEN];
	struct ovs *ovs;
	int error = read_state(context, &ovs, &state, why);

	pci_address_format(&step->vf, address);
	for (size_t i = 0; !error && i < state.ports; i++) {
		const struct ovs_port *port = &state.port[i];

		if (port->ours && strcmp(port->vf, address) == 0 && strcmp(port->guest, step->guest) == 0)
			error = take_out(ovs_del_port, ovs, port->name, context, why);
	}
	return error;
}

const struct operation operation_port = { look_port, apply_port, undo_port };
