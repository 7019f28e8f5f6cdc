/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * unplug.c: takes out the ports of a guest that runs at its destination: what is sent to it here would only be lost. The hook removes them
 * too, when QEMU has ended. See work.h.
 */
#include <errno.h>
#include <string.h>

#include "agent/work.h"
#include "base/log.h"
#include "switch/ovs.h"

/* Takes out one port, if it is of that guest. Return: 0, negative errno with *why. */
static int take_out(struct ovs *ovs, const struct ovs_port *port, const struct work *work, struct reason *why)
{
	int error;

	if (!port->ours || strcmp(port->guest, work->intent->uuid))
		return 0;
	error = ovs_del_port(ovs, port->name, work->deadline, why);
	if (!error)
		log_info("%s: the guest has gone, port %s is taken out of bridge %s", work->guest.status->name, port->name, port->bridge);
	return error;
}

/* See work.h. */
void unplug(const struct work *work, struct outcome *outcome)
{
	struct ovs_state state = { 0 };
	autoovs struct ovs *ovs = NULL;
	int error = ovs_open(&ovs, work->config->ovsdb_socket, work->deadline, &outcome->why);

	if (!error)
		error = ovs_read(ovs, &state, work->deadline, &outcome->why);
	for (size_t i = 0; !error && i < state.ports; i++)
		error = take_out(ovs, &state.port[i], work, &outcome->why);
	ovs_state_release(&state);
	outcome->error = error == -ENOENT || error == -ECONNREFUSED ? 0 : error; /* without Open vSwitch there is no port */
}
