/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * child.h: the one door through which a process is made. For guard.c, whose children make calls, and spawn.c, whose children are programs.
 */
#ifndef VFERRY_BASE_CHILD_H
#define VFERRY_BASE_CHILD_H

#include <sys/types.h>

#define CHILDREN_STUCK_MAX 16

/*
 * Makes a child, as fork(2). It dies with its parent, has left its session, and has no descriptor but those that are given.
 * standard: its stdin, stdout and stderr, -1: /dev/null. keep: becomes its descriptor 3, -1: none.
 * Return: 0 in the child; its number; -EBUSY while CHILDREN_STUCK_MAX earlier ones are stuck; other negative errno.
 */
pid_t child_make(const int standard[3], int keep);

/* Kills a child with all of its session, and leaves it behind if it does not die at once. */
void child_kill(pid_t child);

/* Leaves a child that ends by itself to be reaped later. */
void child_leave(pid_t child);

/* Waits for the end of a child that ends by itself. */
void child_reap(pid_t child);

#endif
