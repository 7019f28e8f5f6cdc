/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * event.h: what the worker does at each of libvirt's calls. One function an event, in event_*.c.
 */
#ifndef VFERRY_HOOKS_EVENT_H
#define VFERRY_HOOKS_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/reason.h"
#include "domain/domain.h"
#include "policy/estimate.h"

/* One call of the hook. */
struct event {
	const struct config *config;
	struct domain *domain;     /* the guest, as libvirt gave it on stdin */
	const char *extra;         /* libvirt's fourth argument: the reason of a release */
	deadline_t deadline;       /* for deciding and for making ready */
	deadline_t end;            /* for taking back what was made; the call ends by then */
	char *output;              /* domain XML for libvirt (malloc), NULL: nothing to say */
	long output_len;
	unsigned int vfs;          /* of the guest that vferry has to do with, for the history */
	bool never_landed;         /* "release": of a guest that was made ready for and did not arrive */
	enum { WAY_UNKNOWN, WAY_ARRIVES, WAY_STARTS } way; /* how the guest comes up here, once the event's function has found out */
};

/*
 * Sets both deadlines by the configuration, from now on: a part of hook_deadline is kept for taking back, and a little for saying so.
 * At "migrate" it is called again after a wait for other arrivals.
 */
static inline void event_begin(struct event *event)
{
	int whole = (int)event->config->hook_deadline * 1000;

	event->deadline = deadline_in((int)estimate_allowed(event->config));
	event->end = deadline_in(whole - whole / 20);
}

/*
 * Each returns 0, or a negative errno with *why: what that means for libvirt is decided by the table in hook.c.
 */
int event_migrate(struct event *event, struct reason *why);   /* destination: an incoming guest is announced */
int event_prepare(struct event *event, struct reason *why);   /* before libvirt takes the devices */
int event_start(struct event *event, struct reason *why);     /* devices are taken, QEMU is not started */
int event_started(struct event *event, struct reason *why);   /* QEMU runs; an incoming guest has not begun to arrive */
int event_stopped(struct event *event, struct reason *why);   /* QEMU is gone, libvirt's status file is still there */
int event_release(struct event *event, struct reason *why);   /* devices are given back */
int event_reconnect(struct event *event, struct reason *why); /* libvirtd has started anew */

/*
 * What a failure at an ordinary start means: by at_start it is refused, or started without being fit for migration. guest: its VFs, NULL if
 * they are not known. Return: error, or 0 after a warning.
 */
struct guest;
int event_as_configured(const struct event *event, const struct guest *guest, int error, const struct reason *why);

/*
 * What an operator set on a guest's ports, kept from its end until its next start here. told: room for GUEST_MAX_VFS entries, as long as
 * the scene.
 */
struct scene;
struct passport_vf;
void event_recall(const struct event *event, struct scene *scene, struct passport_vf *told);
void event_keep(const struct event *event);

/* Remembers what a call did or refused, for vferry status. begin: clock_ms() when it began; error, why: how it ended. */
void event_note(const struct event *event, const char *operation, int64_t begin, int error, const struct reason *why);

#endif
