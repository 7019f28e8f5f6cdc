/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sysroot.c: the one door to /sys, /proc, /run and /etc. See sysroot.h.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mkostemp */
#endif

#include "base/sysroot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/scope.h"

#define SLURP_FIRST 16384  /* bytes of the first buffer: a domain's status is about as long */
#define READ_ONCE_MAX 4096 /* bytes: the smallest page */

static char prefix[PATH_MAX];

/*
 * root: absolute; trailing slashes are dropped, so that "/" is "".
 * Return: 0, -ENAMETOOLONG.
 */
int sysroot_set(const char *root)
{
	size_t length = strlen(root);

	while (length > 0 && root[length - 1] == '/')
		length--;
	if (length >= sizeof(prefix))
		return -ENAMETOOLONG;
	memcpy(prefix, root, length);
	prefix[length] = '\0';
	return 0;
}

/*
 * As sysroot_path(), with the arguments in a va_list.
 */
__attribute__((format(printf, 3, 0)))
static int root_path(char *out, size_t size, const char *format, va_list args)
{
	size_t head = strlen(prefix);
	int length;

	if (head >= size)
		return -ENAMETOOLONG;
	memcpy(out, prefix, head);
	length = vsnprintf(out + head, size - head, format, args);
	return length < 0 || (size_t)length >= size - head ? -ENAMETOOLONG : 0;
}

/* Puts root and formatted path into a local array, for the functions below; error receives 0 or -ENAMETOOLONG. */
#define ROOT_PATH(path, error, format)                                       \
	do {                                                                 \
		va_list path_args;                                           \
		va_start(path_args, format);                                 \
		(error) = root_path((path), sizeof(path), (format), path_args); \
		va_end(path_args);                                           \
	} while (0)

/*
 * out, size: receives the path. format: absolute path below the root.
 * Return: 0, -ENAMETOOLONG.
 */
int sysroot_path(char *out, size_t size, const char *format, ...)
{
	va_list args;
	int error;

	va_start(args, format);
	error = root_path(out, size, format, args);
	va_end(args);
	return error;
}

/*
 * flags, mode: as open(2). Return: descriptor, negative errno.
 */
int sysroot_open(int flags, mode_t mode, const char *format, ...)
{
	char path[PATH_MAX];
	int error, fd;

	ROOT_PATH(path, error, format);
	if (error)
		return error;
	fd = open(path, flags | O_CLOEXEC, mode);
	return fd < 0 ? -errno : fd;
}

/*
 * Return: the directory, for closedir(3); NULL with errno.
 */
DIR *sysroot_opendir(const char *format, ...)
{
	char path[PATH_MAX];
	int error;

	ROOT_PATH(path, error, format);
	if (error) {
		errno = -error;
		return NULL;
	}
	return opendir(path);
}

/*
 * Reads from fd until the end or until out is full.
 * Return: bytes read, negative errno.
 */
static ssize_t read_full(int fd, char *out, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t got = read(fd, out + used, size - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		used += (size_t)got;
	}
	return (ssize_t)used;
}

/*
 * Reads a small file with one read(2): a file, of sysfs and procfs too, gives less than was asked for at its end alone, as long as that is
 * no more than a page (Linux fs/seq_file.c seq_read_iter()), and what is read here is a value or a few lines.
 * Return: bytes read, negative errno.
 */
static ssize_t read_once(int fd, char *out, size_t size)
{
	ssize_t got;

	do
		got = read(fd, out, size);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

/*
 * path: full path. out, size: receives the content and a NUL; one newline at its end is dropped.
 * Return: length, -E2BIG, negative errno.
 */
static ssize_t read_text(const char *path, char *out, size_t size)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t length;

	if (fd < 0)
		return -errno;
	length = size > READ_ONCE_MAX ? read_full(fd, out, size) : read_once(fd, out, size);
	if (length < 0)
		return length;
	if ((size_t)length == size)
		return -E2BIG;
	if (length > 0 && out[length - 1] == '\n')
		length--;
	out[length] = '\0';
	return length;
}

/*
 * out, size: size at least 1. Return: length without the last newline; -E2BIG if size - 1 bytes do not hold it; negative errno.
 */
ssize_t sysroot_read(char *out, size_t size, const char *format, ...)
{
	char path[PATH_MAX];
	int error;

	ROOT_PATH(path, error, format);
	return error ? error : read_text(path, out, size);
}

/*
 * out: receives the number. Signs, blanks and octal are not numbers here: the kernel writes "%u" or "0x%x".
 * Return: 0; -EINVAL if the file holds no such number or one too big; negative errno.
 */
int sysroot_read_number(unsigned long *out, const char *format, ...)
{
	char path[PATH_MAX], text[32], *end;
	unsigned long value;
	bool is_hex;
	int error;
	ssize_t length;

	ROOT_PATH(path, error, format);
	if (error)
		return error;
	length = read_text(path, text, sizeof(text));
	if (length < 0)
		return (int)length;
	is_hex = strncmp(text, "0x", 2) == 0;
	if (text[strspn(text + (is_hex ? 2 : 0), is_hex ? "0123456789abcdefABCDEF" : "0123456789") + (is_hex ? 2 : 0)] != '\0')
		return -EINVAL;
	errno = 0;
	value = strtoul(text, &end, is_hex ? 16 : 10);
	if (errno || end == text || *end)
		return -EINVAL;
	*out = value;
	return 0;
}

/*
 * out, size: receives the last component of the link's text. Return: 0, -ENAMETOOLONG, -EINVAL if it is no link, negative errno.
 */
int sysroot_link_name(char *out, size_t size, const char *format, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *slash, *name;
	ssize_t length;
	int error;

	ROOT_PATH(path, error, format);
	if (error)
		return error;
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return -errno;
	target[length] = '\0';
	slash = strrchr(target, '/');
	name = slash ? slash + 1 : target;
	if (strlen(name) >= size)
		return -ENAMETOOLONG;
	memcpy(out, name, strlen(name) + 1);
	return 0;
}

/* Return: whether the path exists (a link that points nowhere does not). */
bool sysroot_exists(const char *format, ...)
{
	char path[PATH_MAX];
	int error;

	ROOT_PATH(path, error, format);
	return !error && access(path, F_OK) == 0;
}

/*
 * text: what to write, with one write(2) so that sysfs sees it whole. The file is never created.
 * Return: 0, -EIO if only a part was taken, negative errno (what the kernel's store function answered).
 */
int sysroot_write(const char *text, const char *format, ...)
{
	char path[PATH_MAX];
	autoclose int fd = -1;
	ssize_t written;
	int error;

	ROOT_PATH(path, error, format);
	if (error)
		return error;
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	written = write(fd, text, strlen(text));
	if (written < 0)
		return -errno;
	return (size_t)written == strlen(text) ? 0 : -EIO;
}

/*
 * Reads all of fd into memory that grows by doubling.
 * out: receives malloc'ed bytes and a NUL. size: of the file as fstat(2) told, where reading ends; it is 0 or a page for what the kernel
 * writes itself, which is read to its end. limit: most bytes that are accepted.
 * Return: length, -EFBIG, -ENOMEM, negative errno.
 */
static ssize_t slurp_fd(int fd, char **out, off_t size, size_t limit)
{
	autofree char *data = NULL;
	size_t used = 0, room = limit < SLURP_FIRST ? limit + 1 : SLURP_FIRST;
	bool is_known = size > 0 && (size_t)size < room;

	for (;;) {
		char *grown = realloc(data, room + 1);
		ssize_t got;

		if (!grown)
			return -ENOMEM;
		data = grown;
		got = read_full(fd, data + used, is_known ? (size_t)size : room - used);
		if (got < 0)
			return got;
		used += (size_t)got;
		if (used > limit)
			return -EFBIG;
		if (used < room)
			break;
		room = room * 2 > limit ? limit + 1 : room * 2;
	}
	data[used] = '\0';
	*out = scope_take(&data);
	return (ssize_t)used;
}

/* Whether a file's owner may be trusted: root, or whoever runs this. */
static bool is_ours(const struct stat *info)
{
	return info->st_uid == 0 || info->st_uid == geteuid();
}

/*
 * Opens a file for reading, if it is as demanded. checks: of enum sysroot_check. size: receives its size in bytes.
 * Return: descriptor; -EINVAL no regular file; -EPERM, -ELOOP as demanded; other negative errno.
 */
static int open_checked(const char *path, unsigned int checks, off_t *size)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	autoclose int fd = open(path, checks ? flags | O_NOFOLLOW : flags);
	struct stat info;

	if (fd < 0 && errno == ELOOP && !(checks & SLURP_NO_LINK) && lstat(path, &info) == 0) {
		if (!is_ours(&info))
			return -EPERM;
		fd = open(path, flags);
	}
	if (fd < 0 || fstat(fd, &info) < 0)
		return -errno;
	if (!S_ISREG(info.st_mode))
		return -EINVAL;
	if ((checks & SLURP_OWNED) && (!is_ours(&info) || (info.st_mode & S_IWOTH)))
		return -EPERM;
	*size = info.st_size;
	return scope_take_fd(&fd);
}

/*
 * out: receives the content, for free(3). limit: in bytes. A name that is no regular file is refused, so that a pipe cannot hang us.
 * Return: length; -EFBIG over limit; -EINVAL no regular file; negative errno.
 */
ssize_t sysroot_slurp(char **out, size_t limit, const char *format, ...)
{
	char path[PATH_MAX];
	autoclose int fd = -1;
	off_t size;
	int error;

	ROOT_PATH(path, error, format);
	if (error)
		return error;
	fd = open_checked(path, 0, &size);
	return fd < 0 ? fd : slurp_fd(fd, out, size, limit);
}

/*
 * As sysroot_slurp(). checks: of enum sysroot_check. Return: -EPERM and -ELOOP besides.
 */
ssize_t sysroot_slurp_checked(char **out, size_t limit, unsigned int checks, const char *format, ...)
{
	char path[PATH_MAX];
	autoclose int fd = -1;
	off_t size;
	int error;

	ROOT_PATH(path, error, format);
	if (error)
		return error;
	fd = open_checked(path, checks, &size);
	return fd < 0 ? fd : slurp_fd(fd, out, size, limit);
}

/*
 * Writes all of data to fd and makes it durable, so that a rename behind it never shows an empty file.
 * Return: 0, negative errno.
 */
static int write_full(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t written = write(fd, data, len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		data += written;
		len -= (size_t)written;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/*
 * temporary, size: receives ".NAME.XXXXXX" in the directory of path, for mkostemp(3): hidden, so that a reader of the directory that
 * looks for names skips it.
 * Return: 0, -ENAMETOOLONG, -EINVAL if path has no directory.
 */
static int temporary_name(const char *path, char *temporary, size_t size)
{
	const char *slash = strrchr(path, '/');
	int length;

	if (!slash)
		return -EINVAL;
	length = snprintf(temporary, size, "%.*s/.%s.XXXXXX", (int)(slash - path), path, slash + 1);
	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

/*
 * Replaces a file. path: behind the sysroot. mode: of the new file.
 * Return: 0, negative errno; on failure the old file stands as it was.
 */
static int replace(const char *path, const char *data, size_t len, mode_t mode)
{
	char temporary[PATH_MAX];
	autoclose int fd = -1;
	int error = temporary_name(path, temporary, sizeof(temporary));

	if (error)
		return error;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	error = write_full(fd, data, len);
	if (!error && fchmod(fd, mode) < 0)
		error = -errno;
	if (!error && rename(temporary, path) < 0)
		error = -errno;
	if (error)
		unlink(temporary);
	return error;
}

/*
 * data, len: the new content. The temporary file is made with O_EXCL and mode 0600 (mkostemp(3)) and renamed over the name, which
 * replaces a symbolic link instead of following it. The directory must exist.
 * Return: 0, negative errno; on failure the old file stands as it was.
 */
int sysroot_replace(const char *data, size_t len, const char *format, ...)
{
	char path[PATH_MAX];
	int error;

	ROOT_PATH(path, error, format);
	return error ? error : replace(path, data, len, 0600);
}

/* As sysroot_replace(); the file gets its final mode before it gets its name. */
int sysroot_publish(const char *data, size_t len, const char *format, ...)
{
	char path[PATH_MAX];
	int error;

	ROOT_PATH(path, error, format);
	return error ? error : replace(path, data, len, 0644);
}
