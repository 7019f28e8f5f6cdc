/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * call.c: a call that may not come back, with a deadline. See call.h.
 */
#include "agent/call.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

static atomic_int stuck;

/* The thread. */
static void *perform(void *arg)
{
	struct call *call = arg;
	bool is_left;

	call->perform(call);
	pthread_mutex_lock(&call->lock);
	call->is_done = true;
	is_left = call->is_left;
	pthread_cond_signal(&call->changed);
	pthread_mutex_unlock(&call->lock);
	if (is_left) {
		call->release(call);
		stuck--;
	}
	return NULL;
}

/* Begins the thread. Return: 0, negative errno. */
static int begin(struct call *call)
{
	pthread_condattr_t clock;
	pthread_attr_t detached;
	pthread_t thread;
	int error;

	pthread_mutex_init(&call->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&call->changed, &clock);
	pthread_condattr_destroy(&clock);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	error = pthread_create(&thread, &detached, perform, call);
	pthread_attr_destroy(&detached);
	return -error;
}

/* Waits for its end until the deadline. Return: whether it has come; if not, the call is the thread's. */
static bool await(struct call *call, deadline_t deadline)
{
	struct timespec until;
	bool is_done;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += deadline_left(deadline) / 1000;
	until.tv_nsec += deadline_left(deadline) % 1000 * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&call->lock);
	while (!call->is_done && pthread_cond_timedwait(&call->changed, &call->lock, &until) != ETIMEDOUT)
		;
	is_done = call->is_done;
	call->is_left = !is_done;
	stuck += !is_done;
	pthread_mutex_unlock(&call->lock);
	return is_done;
}

/* See call.h. */
int call_within(struct call *call, deadline_t deadline, struct reason *why)
{
	int error = stuck >= CALLS_STUCK_MAX ? -EBUSY : begin(call);

	if (error) {
		call->release(call);
		return reason_set(why, error, "", "libvirt has not answered %d earlier calls yet, or there is no thread for this one: %s",
				  (int)stuck, strerror(-error));
	}
	if (await(call, deadline))
		return 0;
	return reason_set(why, -ETIME, "", "libvirt does not answer in time");
}
