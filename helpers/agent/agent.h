/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent.h: what the parts of vferryd share: the agent itself and the guests that it knows.
 *
 * Theory of operation. One thread, libvirt's event loop. The truth about guests is libvirt's status directory, as for the hook: a change
 * there (inotify), an event of libvirt or the minute makes the agent look (look.c). What it sees in a guest against the time before says
 * what to do: what must be quick (announcing, ending a migration) at once, what may wait (passports, ports) a moment later, once for many
 * changes (settle.c). A call of libvirt that may wait for a guest's job is made by a second process with a deadline (metadata.c).
 */
#ifndef VFERRY_AGENT_AGENT_H
#define VFERRY_AGENT_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/metrics.h"
#include "base/config.h"
#include "base/mac_address.h"
#include "domain/status.h"
#include "host/inventory.h"
#include "policy/downtime.h"
#include "state/migration.h"
#include "state/record.h"
#include "virt/session.h"

/* Where a VF is announced. */
struct agent_place {
	struct mac_address mac;
	char bridge[64];      /* Open vSwitch bridge, "" none */
	uint32_t ofport;      /* of the representor there */
	uint32_t uplink;      /* ifindex, where there is no bridge */
};

struct agent;

/* What is still to be done for a guest, when its job allows. */
enum agent_todo {
	TODO_PASSPORT = 1, /* its passport may be out of date */
	TODO_DEVICES = 2,  /* VFs came or went while it ran: representors */
	TODO_DEFINITION = 4, /* it has arrived: its stored definition may name the source's addresses */
	TODO_OLD_DEFINITION = 8, /* likewise, but it had arrived before the agent was there */
};

/* How far announcing is. */
enum agent_announced {
	ANNOUNCED_NOT,
	ANNOUNCED_EARLY,   /* when the source had stopped it */
	ANNOUNCED_RUNNING, /* when it ran here */
};

/* A guest as the agent knows it. */
struct agent_guest {
	struct agent_guest *next;
	struct agent *agent;
	struct status status;       /* as it was at the last look */
	unsigned int vfs;           /* of its devices */
	bool seen, known;           /* in this look; in an earlier one */
	unsigned int todo;          /* enum agent_todo */
	/* arriving (announce.c) */
	bool arriving;              /* seen with an incoming migration */
	struct agent_place place[RECORD_MAX_VFS];
	size_t places;              /* 0: not known yet */
	int timer, rounds;          /* of announcing; timer 0: none */
	enum agent_announced announced;
	/* leaving (leave.c) */
	uint64_t ended;             /* start of the job that was ended last */
	struct reason ended_why;
	deadline_t ended_again;     /* before that it is not tried again */
	unsigned int limit;         /* ms, downtime limit that was set for the job that runs; 0: none */
	unsigned int limit_before;  /* of an earlier job: still set in QEMU after it failed */
	unsigned int stuck;         /* looks at which memory was no hindrance */
	bool gone;                  /* it has left; libvirt will yet tell the figures, until: */
	deadline_t gone_until;
	/* its migration that is under way (story.c) */
	struct migration *story;    /* NULL: none */
	int64_t story_begin, phase_begin; /* clock_ms() */
	uint64_t story_job;         /* start of the job */
};

struct agent {
	struct config config;
	const char *config_file;    /* NULL: the usual one */
	struct virt_session session;
	struct inventory inventory; /* read now and then: for the PFs that VFs belong to */
	struct status_cache seen;   /* libvirt's status files */
	struct agent_guest *guests;
	struct downtime_model downtime;
	struct metrics metrics;
	int watch, watch_handle;    /* inotify on the status directory, -1: none */
	struct ovs *ovs;            /* tells of changes of ports; NULL: none */
	int ovs_handle;
	int settle_timer, minute_timer, leave_timer;
	bool reconcile;             /* something has come or gone */
	bool stop;
};

/* agent.c: starts everything, runs until told to stop. Return: exit status. */
int agent_run(struct agent *agent);
struct agent_guest *agent_find(struct agent *agent, const char *uuid);
/* Reads the host anew, for the PFs that VFs belong to. */
void agent_read_host(struct agent *agent);
/* Looks a guest up in libvirt. Return: 0, -ENOTCONN, negative errno with *why. */
int agent_domain(const struct agent_guest *guest, virDomainPtr *domain, struct reason *why);
/* Writes a failure to the log. */
void agent_log(const struct agent_guest *guest, int priority, const struct reason *why);

/* look.c: reads the status directory and does what is due. */
void look_now(struct agent *agent);

/* announce.c: finds out where an arriving guest's VFs are; tells the network that it is here, unless it knows; ends that. */
void announce_prepare(struct agent_guest *guest);
void announce_begin(struct agent_guest *guest, enum agent_announced stage);
void announce_end(struct agent_guest *guest);

/* leave.c: an outgoing migration: limits and downtime; the stale port when the guest has gone. */
void leave_judge(struct agent *agent, const struct status_list *running);
void leave_begin(struct agent_guest *guest);
void leave_confirmed(struct agent_guest *guest);
/* Whether some guest is on its way out: then its progress is looked at. */
void leave_watch(struct agent *agent);
void leave_completed(struct agent_guest *guest);
void leave_tick(int timer, void *opaque);
/* What was learned about downtime, from and to /var/lib/vferry. */
void leave_recall(struct agent *agent);

/* ports.c: begins to hear of changes of ports, unless that is so; ends that. */
void ports_watch(struct agent *agent);
void ports_end(struct agent *agent);

/* story.c: follows a migration; takes libvirt's figures; ends it, for history and metrics, as what has become of the guest says. */
void story_look(struct agent_guest *guest, const struct status *before);
void story_figures(struct agent_guest *guest, virTypedParameterPtr params, int count);
void story_arrived(struct agent_guest *guest, const char *host, const struct reason *unsettled);
void story_gone(struct agent_guest *guest, bool has_left);
void story_end(struct agent_guest *guest, enum migration_outcome outcome);

/* publish.c: writes the figures for Prometheus, where that is wanted. */
void publish(struct agent *agent);

/* settle.c: does what is to be done for guests whose job allows. */
void settle_soon(struct agent *agent);
void settle_now(int timer, void *opaque);

/* workers.c: gives libvirt's daemon threads enough for arrivals that wait, by a second vferryd; what that one does. */
#define WORKERS_OPTION "--raise-workers"
void workers_raise(const struct agent *agent);
int workers_write(const char *daemon, struct reason *why);

/* metadata.c: sets a guest's passport (plain form), by a second vferryd, since it may wait for the guest's job; what that one does. */
#define METADATA_OPTION "--write-passport"
int metadata_start(const char *uuid, const char *xml, struct reason *why);
int metadata_write(const char *uuid, const char *xml, struct reason *why);

#endif
