// SPDX-License-Identifier: LGPL-2.1-or-later
/* events.c - time and signals, as file descriptors to poll */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

#include "events.h"
#include "options.h"

/**
 * wall_clock() - the time
 *
 * Return: ns since the epoch
 */
int64_t wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/**
 * open_timer() - a timer
 * @first_s:	seconds until it expires first, 0 for never
 * @every_s:	seconds between the next ones, 0 for once
 *
 * Return: file descriptor
 */
int open_timer(double first_s, double every_s)
{
	struct itimerspec spec = {
		.it_value = { (time_t)first_s, (long)((first_s - (double)(time_t)first_s) * 1e9) },
		.it_interval = { (time_t)every_s, (long)((every_s - (double)(time_t)every_s) * 1e9) },
	};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0 || timerfd_settime(fd, 0, &spec, NULL))
		fail("timer", strerror(errno));
	return fd;
}

/**
 * open_signals() - have the signals as data
 *
 * Return: file descriptor
 */
int open_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		fail("signals", strerror(errno));
	return fd;
}
