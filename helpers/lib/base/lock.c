/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lock.c: locks between processes.
 */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "base/scope.h"
#include "base/sysroot.h"

#define POLL_MS 20

/*
 * lock_take() - takes a lock
 * @path:	of its file
 * @deadline:	when to give up
 * @why:	filled on failure
 * Return: descriptor, -ETIME, negative errno
 */
int lock_take(const char *path, deadline_t deadline, struct reason *why)
{
	autoclose int fd = sysroot_open(O_RDWR | O_CREAT | O_NOFOLLOW, 0600, "%s", path);

	if (fd < 0)
		return reason_set(why, fd, path, "cannot open the lock file: %s", strerror(-fd));
	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return reason_set(why, -errno, path, "cannot take the lock: %s", strerror(errno));
		if (!deadline_left(deadline))
			return reason_set(why, -ETIME, path, "another process holds the lock");
		nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000L }, NULL);
	}
	return scope_take_fd(&fd);
}
