/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hear.h: what wakes the agent: libvirt's status directory, libvirt's events, changes of ports, the minute and signals. It decides nothing.
 */
#ifndef VFERRY_AGENT_HEAR_H
#define VFERRY_AGENT_HEAR_H

#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "base/config.h"
#include "switch/ovs.h"
#include "virt/session.h"

struct ears {
	const struct config *config;
	/* Something may have changed. news: enum news; resumed: uuid of a guest that runs again after a migration, NULL none. */
	void (*news)(unsigned int news, const char *resumed, void *arg);
	/* libvirt tells the figures of a guest's migration that has succeeded. */
	void (*figures)(const char *uuid, virTypedParameterPtr params, int count, void *arg);
	/* SIGHUP */
	void (*hangup)(void *arg);
	void *arg;
	/* its own */
	struct virt_session session; /* with the connection, NULL while there is none */
	int signals, status;         /* descriptors; status: inotify on the status directory, -1 none */
	int status_handle, ports_handle;
	struct ovs *ports;           /* NULL: none */
	bool stop;
};

/* Opens what needs no libvirtd. Return: 0, -EIO. */
int ears_open(struct ears *ears);

/* Connects to libvirt, now and whenever the connection was lost. */
void ears_connect(struct ears *ears);

/* Waits and calls until a signal says that this is enough. Return: 0, 1 if libvirt's event loop has failed. */
int ears_listen(struct ears *ears);

void ears_end(struct ears *ears);

#endif
