/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * deadline.h: what the two programs of the hook agree on about time.
 *
 * hook_deadline (vferry.conf) is counted from the first program's first instruction. It cannot know the configuration without paying for
 * it at every event of every guest, so it sets the worker's real timer (ITIMER_REAL, which execve(2) keeps) to HOOK_DEADLINE_USUAL less
 * what it took, with SIGALRM blocked. The worker reads the timer first of all: the rest to HOOK_DEADLINE_USUAL is what has passed.
 */
#ifndef VFERRY_HOOKS_DEADLINE_H
#define VFERRY_HOOKS_DEADLINE_H

#define HOOK_DEADLINE_LEAST 5   /* s, as base/config.c: least, default and most of hook_deadline */
#define HOOK_DEADLINE_USUAL 60
#define HOOK_DEADLINE_MOST 600
#define HOOK_SLOT_WAIT_USUAL 300 /* s, the same of slot_wait, whose least is 0 */
#define HOOK_SLOT_WAIT_MOST 3600
#define WORKER_GRACE 1           /* s that the first program waits beyond the worker's time */

#endif
