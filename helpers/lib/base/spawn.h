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

#endif
