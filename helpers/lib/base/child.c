/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * child.c: making and ending processes. See child.h.
 *
 * Theory of operation. What a child is made for can hold it in the kernel for as long as a driver likes, and no signal ends that. At its
 * deadline the parent sends it SIGKILL, which takes effect when the kernel lets go of it, and goes on without it. The child's number is
 * kept, and it is reaped by a later call if it has died by then, so that a program that runs for months gathers no zombies; when the
 * program ends before, init reaps it. While too many such children are stuck, no new one is made.
 *
 * The child gives up every descriptor of its parent at once: libvirtd waits for the end of a hook's stdout and stderr, and a stuck child
 * that still held a flock(2)ed file would keep the lock. The library has no threads; fork(2) without exec would not be safe with them.
 *
 * A child ends with its parent: one that went on after its parent was killed could change the machine behind the back of the next call,
 * which has looked already and found nothing to take back.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* close_range */
#endif

#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define GRACE_MS 50 /* for a killed child to die before it counts as left behind */

static pid_t left_behind[CHILDREN_STUCK_MAX];

/*
 * Reaps those left-behind children that have died since.
 * Return: a free place in the table, NULL if all are still stuck.
 */
static pid_t *reap_left_behind(void)
{
	pid_t *place = NULL;

	for (size_t i = 0; i < CHILDREN_STUCK_MAX; i++) {
		if (left_behind[i] > 0 && waitpid(left_behind[i], NULL, WNOHANG) != 0)
			left_behind[i] = 0;
		if (left_behind[i] == 0)
			place = &left_behind[i];
	}
	return place;
}

/*
 * Makes sure that exit statuses can be collected: a program started with SIGCHLD ignored inherits that (execve(2)), and the kernel then
 * throws them away (waitpid(2)).
 */
static void want_exit_status(void)
{
	struct sigaction action;

	if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
		signal(SIGCHLD, SIG_DFL);
}

/* Closes every descriptor from first on. close_range(2) is Linux 5.9; the loop serves a seccomp filter that does not know it. */
static void close_from(int first)
{
	if (close_range((unsigned int)first, ~0u, 0) == 0)
		return;
	for (int fd = first; fd < 1024; fd++)
		close(fd);
}

/*
 * In a child: makes stdin, stdout and stderr the given descriptors (-1: /dev/null), leaves the parent's session, and closes all else but
 * keep (-1: none), which becomes descriptor 3.
 * Return: 0, negative errno.
 */
static int detach(const int standard[3], int keep)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), high[4];

	if (null < 0)
		return -errno;
	setsid();
	for (int i = 0; i < 4; i++) {
		int from = i < 3 ? standard[i] : keep;

		high[i] = fcntl(from >= 0 ? from : null, F_DUPFD, 10);
		if (high[i] < 0)
			return -errno;
	}
	for (int i = 0; i < 4; i++)
		if (dup2(high[i], i) < 0)
			return -errno;
	close_from(keep >= 0 ? 4 : 3);
	return 0;
}

/*
 * In a child: dies when the parent dies (prctl(2), PR_SET_PDEATHSIG).
 * parent: its number, told before the fork. Return: 0, -ESRCH if it is dead already.
 */
static int die_with(pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	return getppid() == parent ? 0 : -ESRCH;
}

/* standard, keep: see child.h. A child that cannot be made what it should be ends with status 127. Return: see child.h. */
pid_t child_make(const int standard[3], int keep)
{
	pid_t child, parent = getpid();

	if (!reap_left_behind())
		return -EBUSY;
	want_exit_status();
	child = fork();
	if (child < 0)
		return -errno;
	if (child > 0)
		return child;
	closelog();
	if (die_with(parent) < 0 || detach(standard, keep) < 0)
		_exit(127);
	return 0;
}

/* Kills a child. */
void child_kill(pid_t child)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	pid_t *place;

	kill(-child, SIGKILL);
	kill(child, SIGKILL);
	for (int ms = 0; ms < GRACE_MS; ms++) {
		if (waitpid(child, NULL, WNOHANG) != 0)
			return;
		nanosleep(&pause, NULL);
	}
	place = reap_left_behind();
	if (place)
		*place = child;
}

/* Leaves a child to a later call; one for which there is no place is waited for. */
void child_leave(pid_t child)
{
	pid_t *place = reap_left_behind();

	if (place)
		*place = child;
	else
		child_reap(child);
}

/* Waits for the end of a child. */
void child_reap(pid_t child)
{
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}
