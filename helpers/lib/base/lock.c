/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lock.c: locks between processes.
 */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/scope.h"
#include "base/sysroot.h"

#define POLL_FIRST 1 /* ms until the second try; then twice as long each time, */
#define POLL_MOST 16 /* up to this */

/*
 * open_lock() - opens the file of a lock, and makes it if it is not there
 * Return: descriptor, negative errno with *why filled
 */
static int open_lock(const char *path, struct reason *why)
{
	int fd = sysroot_open(O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0600, "%s", path);

	if (fd >= 0)
		return fd;
	reason_set(why, fd, path, "cannot open the lock file: %s", fd == -ELOOP ? "it is a symbolic link" : strerror(-fd));
	reason_cure(why, "%s", fd == -ELOOP ? "remove the link" : "see that /run is writable and has space");
	return fd;
}

/*
 * is_current() - whether a lock file that was opened earlier is still the one that others find: somebody may have removed it, and
 * then each of two processes would hold a lock of its own
 */
static bool is_current(int fd, const char *path)
{
	char full[PATH_MAX];
	struct stat mine, theirs;

	return sysroot_path(full, sizeof(full), "%s", path) == 0 && fstat(fd, &mine) == 0 && lstat(full, &theirs) == 0 &&
	       mine.st_dev == theirs.st_dev && mine.st_ino == theirs.st_ino;
}

/*
 * try_lock() - one try
 * Return: descriptor that holds the lock, -EAGAIN if somebody else does (or the file was replaced), other negative errno with *why filled
 */
static int try_lock(const char *path, struct reason *why)
{
	autoclose int fd = open_lock(path, why);

	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return is_current(fd, path) ? scope_take_fd(&fd) : -EAGAIN;
	if (errno == EWOULDBLOCK || errno == EINTR)
		return -EAGAIN;
	return reason_set(why, -errno, path, "cannot take the lock: %s", strerror(errno));
}

/*
 * lock_take() - takes a lock
 * @path:	of its file
 * @deadline:	when to give up
 * @why:	filled on failure
 * Return: descriptor, -ETIME, negative errno
 */
int lock_take(const char *path, deadline_t deadline, struct reason *why)
{
	int fd, pause = POLL_FIRST;

	while ((fd = try_lock(path, why)) == -EAGAIN && deadline_left(deadline)) {
		nanosleep(&(struct timespec){ .tv_nsec = pause * 1000000L }, NULL);
		pause = pause < POLL_MOST ? pause * 2 : POLL_MOST;
	}
	return fd == -EAGAIN ? reason_set(why, -ETIME, path, "another process holds the lock") : fd;
}
