/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * call.h: a call that may not come back, with a deadline.
 *
 * libvirt bounds no call: one that needs a guest's lock waits while a hook of that guest runs, one that needs a job of it up to 30 s
 * (src/conf/virdomainjob.c). It is made by a thread of its own, for which the agent's one thread waits until the deadline. A thread that is
 * late is left behind with all that it uses, and throws away what it brings. (A child by fork would not do: GLib's main context, on which
 * libvirt's event loop is built, goes on writing to its wake-up descriptor there, whose number the child's own connection may have got.)
 */
#ifndef VFERRY_AGENT_CALL_H
#define VFERRY_AGENT_CALL_H

#include <pthread.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/reason.h"

/* libvirtd reads no more than max_client_requests (5) calls of a connection that it has not answered: not all may be stuck. */
#define CALLS_STUCK_MAX 3

/* Begins a struct that has all that the call needs and brings; from malloc. */
struct call {
	void (*perform)(struct call *call);  /* in the thread */
	void (*release)(struct call *call);  /* frees all of it; in whichever thread is the last */
	/* its own */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_done, is_left;
};

/*
 * Makes the call. Return: 0, and the caller reads what it has brought and releases it; -ETIME, -EBUSY (as many as may be are stuck),
 * -EAGAIN (there is no thread) with *why, and the call is not the caller's any more.
 */
int call_within(struct call *call, deadline_t deadline, struct reason *why);

#endif
