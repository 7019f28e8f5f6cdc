/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * session.c: a connection to libvirt that comes back by itself. See session.h.
 *
 * Loss is seen by the close callback: the daemon's end of the socket is gone, or it has not answered keepalives (KEEPALIVE_SECONDS apart,
 * KEEPALIVE_COUNT of them). While it is away, a connection is tried after PAUSE_FIRST ms, and then twice as long each time up to PAUSE_MAX.
 */
#include "virt/session.h"

#include <stddef.h>

#include "base/log.h"
#include "virt/virt.h"

#define KEEPALIVE_SECONDS 60
#define KEEPALIVE_COUNT 2
#define PAUSE_FIRST 250
#define PAUSE_MAX 8000

/* Forgets the connection and asks the event loop for a try later. */
static void lose(struct virt_session *session)
{
	if (session->connection)
		session->down(session->arg);
	virt_close(&session->connection);
	virEventUpdateTimeout(session->timer, session->pause);
	session->pause = session->pause * 2 < PAUSE_MAX ? session->pause * 2 : PAUSE_MAX;
}

/*
 * libvirt's call when the connection is lost (virConnectCloseFunc). It comes from inside the connection, which is closed by the timer.
 */
static void closed(virConnectPtr connection, int how, void *opaque)
{
	struct virt_session *session = opaque;

	(void)connection;
	log_warning("the connection to libvirt is lost (%s); it is tried again until it works",
		    how == VIR_CONNECT_CLOSE_REASON_KEEPALIVE ? "libvirt does not answer" : "libvirt has closed it");
	virEventUpdateTimeout(session->timer, 0);
}

/* Makes a connection. Return: whether there is one. */
static bool connect_now(struct virt_session *session)
{
	struct reason why = { 0 };
	char line[1024];

	if (virt_open(&session->connection, &why) == 0) {
		(void)virConnectSetKeepAlive(session->connection, KEEPALIVE_SECONDS, KEEPALIVE_COUNT);
		(void)virConnectRegisterCloseCallback(session->connection, closed, session, NULL);
		return true;
	}
	if (session->pause == PAUSE_FIRST) { /* once, not at each try */
		reason_format(&why, NULL, line, sizeof(line));
		log_warning("%s", line);
	}
	return false;
}

/* The timer: closes what is lost and tries to connect. */
static void try_again(int timer, void *opaque)
{
	struct virt_session *session = opaque;

	virEventUpdateTimeout(timer, -1);
	if (session->connection && virConnectIsAlive(session->connection) == 1)
		return;
	if (session->connection) {
		session->down(session->arg);
		(void)virConnectUnregisterCloseCallback(session->connection, closed);
		virt_close(&session->connection);
		session->pause = PAUSE_FIRST;
	}
	if (!connect_now(session)) {
		lose(session);
		return;
	}
	session->pause = PAUSE_FIRST;
	session->up(session->connection, session->arg);
}

/* session: up, down and arg are set. */
void virt_session_start(struct virt_session *session)
{
	session->pause = PAUSE_FIRST;
	session->timer = virEventAddTimeout(-1, try_again, session, NULL);
	try_again(session->timer, session);
}

/* Closes the connection; down is not called. */
void virt_session_stop(struct virt_session *session)
{
	virEventRemoveTimeout(session->timer);
	if (session->connection)
		(void)virConnectUnregisterCloseCallback(session->connection, closed);
	virt_close(&session->connection);
}
