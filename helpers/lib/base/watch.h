/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * watch.h: waits until something changes in a few directories (inotify).
 */
#ifndef VFERRY_BASE_WATCH_H
#define VFERRY_BASE_WATCH_H

#include "base/clock.h"

/*
 * Opens a watch on directories below the sysroot, ended by NULL; one that does not exist is left out. Return: descriptor or negative
 * errno.
 */
int watch_open(const char *const *directories);

/*
 * Waits for a file that was created, replaced, moved or removed there, or for the deadline, and forgets what has happened until then.
 * Return: 1 something changed, 0 the deadline passed, negative errno.
 */
int watch_wait(int watch, deadline_t deadline);

#endif
