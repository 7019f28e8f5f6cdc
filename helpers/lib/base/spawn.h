/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * spawn.h: running programs, always with a deadline.
 */
#ifndef VFERRY_BASE_SPAWN_H
#define VFERRY_BASE_SPAWN_H

#include <stddef.h>

#include "clock.h"
#include "reason.h"

/*
 * Runs a program (argv[0] is an absolute path, no shell) with /dev/null as stdin, collects up to size-1 bytes of its stdout into out
 * (NUL added; out may be NULL), and kills it at the deadline.
 * Its environment is LC_ALL=C and a PATH. A status other than 0 fills *why, with the first line of its stderr.
 * Return: exit status 0..255, -ETIME at the deadline, -ECHILD if it died by a signal, other negative errno.
 */
int spawn_run(char *const argv[], char *out, size_t size, deadline_t deadline, struct reason *why);

/* One of several programs that run at the same time; result and why are set as by spawn_run(). */
struct spawn_job {
	char *const *argv;
	char *out;
	size_t size;
	int result;
	struct reason why;
};

/* Runs programs side by side, all with one deadline: one that hangs keeps none of the others waiting. */
void spawn_run_all(struct spawn_job *job, size_t count, deadline_t deadline);

#endif
