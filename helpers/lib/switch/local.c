/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * local.c: connections to the Unix sockets of Open vSwitch's daemons. See local.h.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* SOCK_NONBLOCK */
#endif

#include "switch/local.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/sysroot.h"

/* Connects a socket that does not block. EAGAIN means a full backlog (unix(7)): tried again. Return: 0, negative errno. */
static int connect_within(int fd, const struct sockaddr_un *address, deadline_t deadline)
{
	int pause = 1;

	while (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0) {
		if (errno == EISCONN)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if (deadline_left(deadline) == 0)
			return -ETIME;
		usleep((useconds_t)pause * 1000);
		pause = pause < 50 ? pause * 2 : pause;
	}
	return 0;
}

/* See local.h. */
int local_connect(const char *path, deadline_t deadline)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	autoclose int fd = -1;
	int error;

	if (sysroot_path(address.sun_path, sizeof(address.sun_path), "%s", path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	error = connect_within(fd, &address, deadline);
	return error ? error : scope_take_fd(&fd);
}
