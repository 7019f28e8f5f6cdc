/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * session.h: a connection to libvirt that comes back by itself, for a program that runs libvirt's event loop.
 */
#ifndef VFERRY_VIRT_SESSION_H
#define VFERRY_VIRT_SESSION_H

#include <libvirt/libvirt.h>

struct virt_session {
	virConnectPtr connection;                     /* NULL while there is none */
	void (*up)(virConnectPtr connection, void *arg); /* a connection has come: register for events, look at what is there */
	void (*down)(void *arg);                      /* it is lost: every virDomainPtr of it is worthless */
	void *arg;
	/* its own */
	int timer;
	int pause;                                    /* ms until the next try */
};

/* Connects now, and again whenever the connection is lost; up and down are called from the event loop or from here. */
void virt_session_start(struct virt_session *session);
void virt_session_stop(struct virt_session *session);

#endif
