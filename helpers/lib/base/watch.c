/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * watch.c: waits until something changes in a few directories.
 */
#include "base/watch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/sysroot.h"

/*
 * watch_open() - begins to watch
 * @directories: paths, ended by NULL
 * Return: descriptor to be closed, negative errno
 */
int watch_open(const char *const *directories)
{
	autoclose int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[PATH_MAX];

	if (fd < 0)
		return -errno;
	for (; *directories; directories++) {
		if (sysroot_path(path, sizeof(path), "%s", *directories))
			return -ENAMETOOLONG;
		if (inotify_add_watch(fd, path, IN_CLOSE_WRITE | IN_MOVE | IN_DELETE | IN_ONLYDIR) < 0 && errno != ENOENT)
			return -errno;
	}
	return scope_take_fd(&fd);
}

/*
 * watch_wait() - waits for a change
 * @watch:	of watch_open()
 * @deadline:	when to give up
 * Return: 1, 0, negative errno
 */
int watch_wait(int watch, deadline_t deadline)
{
	struct pollfd poller = { .fd = watch, .events = POLLIN };
	char events[4096];
	int ready;

	do
		ready = poll(&poller, 1, deadline_left(deadline));
	while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		return ready < 0 ? -errno : 0;
	while (read(watch, events, sizeof(events)) > 0)
		;
	return 1;
}
