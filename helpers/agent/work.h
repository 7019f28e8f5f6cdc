/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * work.h: what a part of the agent gets to carry out an intent, and the parts. A part knows what it is given here and what it remembers by
 * itself; none calls another, and none looks into the agenda. It fills the outcome, from which the loop goes on.
 */
#ifndef VFERRY_AGENT_WORK_H
#define VFERRY_AGENT_WORK_H

#include "agent/agenda.h"
#include "agent/facts.h"
#include "agent/guest.h"
#include "agent/host.h"
#include "base/clock.h"
#include "base/config.h"
#include "policy/downtime.h"

struct work {
	const struct intent *intent;
	struct seen guest;                     /* as it was seen last; empty for an intent of the host */
	const struct config *config;
	struct host *host;
	const struct downtime_model *downtime; /* what was learned */
	struct guest_link link;                /* the guest in libvirt */
	deadline_t deadline;
};

/* end.c: ends an outgoing migration, and again while it has not ended. */
void end_job(const struct work *work, struct outcome *outcome);

/* announce.c: where an arriving guest's VFs are; a round of announcing. */
void announce_locate(const struct work *work, struct outcome *outcome);
void announce_send(const struct work *work, struct outcome *outcome);
void announce_forget(const char *uuid);

/* unplug.c: takes out the ports of a guest that has left. */
void unplug(const struct work *work, struct outcome *outcome);

/* limit.c: QEMU's downtime limit for a guest that leaves. */
void limit_follow(const struct work *work, struct outcome *outcome);
void limit_forget(const char *uuid);

/* devices.c: VFs that left or came to a running guest; leases, journals and ports. */
void devices_yield(const struct work *work, struct outcome *outcome);
void devices_adopt(const struct work *work, struct outcome *outcome);
void devices_reconcile(const struct work *work, struct outcome *outcome);

/* definition.c: the stored definition of a guest that has arrived. */
void definition_mend(const struct work *work, struct outcome *outcome);

/* passport.c: the guest's passport. */
void passport_refresh(const struct work *work, struct outcome *outcome);

/*
 * threads.c: gives libvirt's daemon threads enough for arrivals that wait. libvirt's library for that and the one for guests cannot be in
 * one process, so that a second one does it, which calls threads_write(). Return: their number, negative errno with *why.
 */
#define THREADS_OPTION "--raise-workers"
void threads_raise(const struct work *work, struct outcome *outcome);
int threads_write(const char *daemon, struct reason *why);

#endif
