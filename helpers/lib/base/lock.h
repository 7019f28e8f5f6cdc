/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lock.h: locks between processes: files below /run that their owner holds with flock(2).
 */
#ifndef VFERRY_BASE_LOCK_H
#define VFERRY_BASE_LOCK_H

#include "base/clock.h"
#include "base/reason.h"

/*
 * Takes a lock; path (put behind the sysroot) is made if it is not there, and a lock counts only while its file
 * is the one that others would open: one whose file was removed is taken anew. A deadline that has passed means: try once. Closing the
 * descriptor, or dying, gives the lock back. Return: descriptor, -ETIME, negative errno with *why.
 */
int lock_take(const char *path, deadline_t deadline, struct reason *why);

#endif
