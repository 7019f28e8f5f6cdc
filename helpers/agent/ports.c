/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ports.c: hears from Open vSwitch when somebody sets a VLAN or another thing on a port, so that passports are right within moments: libvirt
 * lets nobody change them once a migration has begun.
 */
#include "agent/agent.h"
#include "switch/ovs.h"

#define OPEN_MS 2000

/* The connection has something to say. */
static void on_ports(int handle, int fd, int events, void *opaque)
{
	struct agent *agent = opaque;
	struct reason why = { 0 };
	bool some = false;

	(void)handle;
	(void)fd;
	(void)events;
	if (ovs_watch_take(agent->ovs, &some, &why)) {
		ports_end(agent); /* the minute opens it again */
		return;
	}
	for (struct agent_guest *guest = agent->guests; some && guest; guest = guest->next)
		guest->todo |= guest->vfs ? TODO_PASSPORT : 0;
	if (some)
		settle_soon(agent);
}

/* See agent.h. Without Open vSwitch there is nothing to hear. */
void ports_watch(struct agent *agent)
{
	struct reason why = { 0 };

	if (agent->ovs || ovs_watch_open(&agent->ovs, agent->config.ovsdb_socket, deadline_in(OPEN_MS), &why))
		return;
	agent->ovs_handle = virEventAddHandle(ovs_watch_fd(agent->ovs), VIR_EVENT_HANDLE_READABLE, on_ports, agent, NULL);
}

/* See agent.h. */
void ports_end(struct agent *agent)
{
	if (!agent->ovs)
		return;
	virEventRemoveHandle(agent->ovs_handle);
	ovs_close(&agent->ovs);
}
