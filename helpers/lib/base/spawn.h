/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * spawn.h: the one door through which a process is made, always with a deadline.
 */
#ifndef VFERRY_BASE_SPAWN_H
#define VFERRY_BASE_SPAWN_H

#include <stddef.h>

#include "clock.h"
#include "reason.h"

/*
 * Runs fn(arg) in a child process that has no stdin, stdout or stderr, and waits for it until the deadline. For kernel calls that
 * can block without limit (a sysfs write that waits for a driver, an eswitch change): the child may stay behind in the kernel, the
 * caller goes on. fn's return value (0 or negative errno) and what it put into its reason come back; other memory does not. fn must
 * open what it needs by itself: the child closes all descriptors of its parent, so that one that is stuck holds no lock and no pipe. The
 * child dies with its parent.
 * label: what is being done, for the sentence of a time-out.
 * Return: what fn returned; -ETIME when the deadline passed (reason filled); -ECHILD if the child died; negative errno if no child could
 * be made (-EBUSY: too many earlier ones are still stuck).
 */
int guard_call(int (*fn)(void *arg, struct reason *why), void *arg, const char *label, deadline_t deadline, struct reason *why);

/* What guard_fetch() is doing, for the sentence of a time-out, and until when. */
struct guard_limit {
	const char *label;
	deadline_t deadline;
};

/* As guard_call(), and what fn writes into *arg (size bytes, no pointers that fn makes) comes back too, unless fn fails. */
int guard_fetch(int (*fn)(void *arg, struct reason *why), void *arg, size_t size, const struct guard_limit *limit, struct reason *why);

/*
 * Runs a program (argv[0] is an absolute path, no shell) with /dev/null as stdin, collects up to size-1 bytes of its stdout into out
 * (NUL added; out may be NULL), and kills it at the deadline.
 * Its environment is LC_ALL=C and a PATH. A status other than 0 fills *why, with the first line of its stderr.
 * Return: exit status 0..255, -ETIME at the deadline, -ECHILD if it died by a signal, other negative errno.
 */
int spawn_run(char *const argv[], char *out, size_t size, deadline_t deadline, struct reason *why);

#endif
