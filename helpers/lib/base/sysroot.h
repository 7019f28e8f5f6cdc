/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sysroot.h: the one door to /sys, /proc, /run and /etc, with a movable root for tests and recorded hosts.
 *
 * Every path here is absolute ("/sys/bus/pci/devices"); the root, "" by default, is put before it.
 */
#ifndef VFERRY_BASE_SYSROOT_H
#define VFERRY_BASE_SYSROOT_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "reason.h"

/* Sets the root (copied) for this process; "" or "/" is the machine itself. Return: 0, -ENAMETOOLONG. */
int sysroot_set(const char *root);

/* Puts the root before a formatted path. Return: 0, -ENAMETOOLONG. */
__attribute__((format(printf, 3, 4)))
int sysroot_path(char *out, size_t size, const char *format, ...);

/* Opens a file, with O_CLOEXEC added; flags as open(2), mode for O_CREAT. Return: descriptor or negative errno. */
__attribute__((format(printf, 3, 4)))
int sysroot_open(int flags, mode_t mode, const char *format, ...);

/* Opens a directory. Return: NULL with errno set on failure. */
__attribute__((format(printf, 1, 2)))
DIR *sysroot_opendir(const char *format, ...);

/* Reads a small text file (an attribute) without its last newline. Return: length, -E2BIG if it does not fit, negative errno. */
__attribute__((format(printf, 3, 4)))
ssize_t sysroot_read(char *out, size_t size, const char *format, ...);

/* Reads one unsigned number, decimal or 0x hex. Return: 0, -EINVAL, negative errno. */
__attribute__((format(printf, 2, 3)))
int sysroot_read_number(unsigned long *out, const char *format, ...);

/* The last component of what a symbolic link points to ("mlx5_core" for .../driver). Return: 0, negative errno. */
__attribute__((format(printf, 3, 4)))
int sysroot_link_name(char *out, size_t size, const char *format, ...);

/* Whether a path exists. If not, errno tells why (access(2)): EACCES where the caller may not know. */
__attribute__((format(printf, 1, 2)))
bool sysroot_exists(const char *format, ...);

/* Writes text to an existing attribute with one write(2). May block as long as the kernel likes: see guard_call(). */
__attribute__((format(printf, 2, 3)))
int sysroot_write(const char *text, const char *format, ...);

/* Reads a whole file of at most limit bytes into *out (malloc, NUL added). Return: length or negative errno, -EFBIG over limit. */
__attribute__((format(printf, 3, 4)))
ssize_t sysroot_slurp(char **out, size_t limit, const char *format, ...);

/* What sysroot_slurp_checked() demands of a file. */
enum sysroot_check {
	SLURP_OWNED = 1,   /* it, and a link to it, belongs to root or to us, and nobody else may write it: else -EPERM */
	SLURP_NO_LINK = 2, /* its name is no symbolic link: else -ELOOP */
};

/* As sysroot_slurp(), for files that decide what a privileged program does. checks: of enum sysroot_check. */
__attribute__((format(printf, 4, 5)))
ssize_t sysroot_slurp_checked(char **out, size_t limit, unsigned int checks, const char *format, ...);

/* Replaces a file atomically (temporary name, 0600, rename), not following links of others. Return: 0 or negative errno. */
__attribute__((format(printf, 3, 4)))
int sysroot_replace(const char *data, size_t len, const char *format, ...);

/* The same for a file that everybody may read (0644). */
__attribute__((format(printf, 3, 4)))
int sysroot_publish(const char *data, size_t len, const char *format, ...);

#endif
