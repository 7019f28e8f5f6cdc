/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dev_log.c: a line to the system's log, with a deadline. See dev_log.h.
 *
 * A new socket for each line: nothing is kept over the making of a child, a restart of the log, or a child's closing of all descriptors.
 */
#include "base/dev_log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096
#define REFILL 60000 /* ms */

const char *dev_log_path = "/dev/log";

static int patience = DEV_LOG_PATIENCE; /* ms that are left */
static long long refilled;              /* ms, when they were DEV_LOG_PATIENCE */
static unsigned int lost;               /* lines since the last that was taken */

/* Return: CLOCK_MONOTONIC in ms. */
static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/*
 * Waits until the log takes something, as long as there is patience.
 * Return: whether it does.
 */
static int wait_for_log(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
	long long from = now_ms();
	int ready;

	if (from - refilled > REFILL) {
		refilled = from;
		patience = DEV_LOG_PATIENCE;
	}
	ready = patience > 0 ? poll(&poll_fd, 1, patience) : 0;
	patience -= (int)(now_ms() - from);
	return ready > 0;
}

/* bytes, length: what journald and syslogd expect, "<PRIORITY>…". Return: 0, negative errno (-EAGAIN: the log does not read). */
int dev_log_send(const char *bytes, size_t length)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = 0;
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (fd < 0)
		return -errno;
	memcpy(address.sun_path, dev_log_path, strnlen(dev_log_path, sizeof(address.sun_path) - 1));
	/* send(2) says EAGAIN while the queue of the log is full (net/unix/af_unix.c, unix_dgram_sendmsg()). */
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		error = -errno;
	while (!error && send(fd, bytes, length, MSG_NOSIGNAL) < 0)
		error = errno == EINTR || (errno == EAGAIN && wait_for_log(fd)) ? 0 : -errno;
	close(fd);
	return error;
}

/* priority, ident, text: see dev_log.h. The form is that of syslog(3). */
void dev_log(int priority, const char *ident, const char *text)
{
	char line[LINE_MAX_BYTES], stamp[32] = "";
	time_t now = time(NULL);
	struct tm local;

	if (localtime_r(&now, &local))
		strftime(stamp, sizeof(stamp), "%b %e %T ", &local);
	snprintf(line, sizeof(line), "<%d>%s%s[%d]: %s", LOG_DAEMON | priority, stamp, ident, (int)getpid(), text);
	if (dev_log_send(line, strlen(line)) < 0) {
		lost++;
		return;
	}
	if (!lost)
		return;
	snprintf(line, sizeof(line), "<%d>%s%s[%d]: the log did not take %u lines before this one", LOG_DAEMON | LOG_WARNING, stamp, ident,
		 (int)getpid(), lost);
	if (dev_log_send(line, strlen(line)) == 0)
		lost = 0;
}
