/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * workers.h: the threads by which a daemon of libvirt serves calls (min_workers to max_workers of its configuration).
 *
 * An arrival that waits in the hook keeps one, and a migration that is to end needs one. libvirt starts another only when a call comes
 * while none is free and no call is queued: src/util/virthreadpool.c virThreadPoolSendJob() compares freeWorkers - jobQueueDepth, two
 * size_t, with zero. So of calls that come together some may stay queued though max_workers is not reached, and only the threads that are
 * there count. They are told by name: src/rpc/virnetserver.c calls them "rpc-" and the server's name, "prio-rpc-" for those that serve
 * calls which never wait; "rpc-admin" is another server of the same daemon.
 */
#ifndef VFERRY_HOST_WORKERS_H
#define VFERRY_HOST_WORKERS_H

#include <stdbool.h>

#define WORKERS_ENOUGH 20u /* for any slot_queue; libvirt's default of max_workers (src/remote/libvirtd.conf.in) */
/* Threads that must stay free of arrivals which wait: one for the arrival that is made ready, one for the migrations that are to end. */
#define WORKERS_SPARE 2u

/* How many a process has; 0: none, or it may not be seen. */
unsigned int workers_of(unsigned long process);

/* How many the daemon has that called this program, itself or by a script between; 0 unknown. */
unsigned int workers_above(void);

/* How many this host's daemon for QEMU has, virtqemud or libvirtd; 0: it does not run, or may not be seen. */
unsigned int workers_of_host(bool is_modular);

#endif
