/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guard.h: calls that can block in the kernel, made by a child with a deadline.
 */
#ifndef VFERRY_BASE_GUARD_H
#define VFERRY_BASE_GUARD_H

#include <stddef.h>
#include <sys/types.h>

#include "clock.h"
#include "reason.h"

/* What a guarded call is doing, for the sentence of a time-out, and until when. */
struct guard_limit {
	const char *label;
	deadline_t deadline;
};

/* A child for guarded calls, made at the first of them, and anew after one that got stuck or died. Zeroed: none yet. */
struct guard {
	pid_t child;
	int fd;
};

#define GUARD_ARG_MAX 8192 /* bytes of an argument */

/*
 * Has a child run fn(arg), and waits for it until the deadline. For kernel calls that can block without limit (a sysfs write that waits for
 * a driver, an eswitch change): the child may stay behind in the kernel, the caller goes on. The child has no stdin, stdout or stderr.
 * arg: size bytes; the child gets a copy, and what fn makes of that comes back unless fn fails, with its return value (0 or more, or
 * negative errno) and what it put into its reason; other memory does not. The child sees what else its parent had in memory when the
 * child was made, so *arg has no pointers but to what never changes. fn must open what it needs by itself: the child closes all
 * descriptors of its parent, so that one that is stuck holds no lock and no pipe. The child dies with its parent.
 * Return: what fn returned; -ETIME when the deadline passed (reason filled); -ECHILD if the child died; -E2BIG for more than
 * GUARD_ARG_MAX bytes; negative errno if no child could be made (-EBUSY: too many earlier ones are still stuck).
 */
int guard_ask(struct guard *guard, int (*fn)(void *arg, struct reason *why), void *arg, size_t size, const struct guard_limit *limit,
	      struct reason *why);

/* Ends the child without waiting for it. */
void guard_end(struct guard *guard);

/*
 * Has a new child (*guard is zeroed) run fn(arg) while the caller does something else. It sees all memory of its parent as it is now, and
 * *arg in it. Nothing of *arg comes back but what is in memory that both share.
 * Return: 0, and guard_finish() must follow; negative errno as guard_ask() if the call was not begun.
 */
int guard_begin(struct guard *guard, int (*fn)(void *arg, struct reason *why), void *arg, const struct guard_limit *limit,
		struct reason *why);

/* Waits for the end of that call until the deadline. Return: as guard_ask(). */
int guard_finish(struct guard *guard, const struct guard_limit *limit, struct reason *why);

/* Both at once. The child has ended afterwards. Return: as guard_ask(). */
int guard_call(int (*fn)(void *arg, struct reason *why), void *arg, const char *label, deadline_t deadline, struct reason *why);

#endif
