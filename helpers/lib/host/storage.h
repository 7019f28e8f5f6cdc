/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * storage.h: whether a file lies where other hosts can reach it. For the checker.
 */
#ifndef VFERRY_HOST_STORAGE_H
#define VFERRY_HOST_STORAGE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether a path is on a file system that several hosts share, by the file system's type as libvirt does it
 * (src/util/virfile.c, virFileIsSharedFSType). kind: receives the file system's name. Return: 1 shared, 0 local, negative errno.
 */
int storage_is_shared(const char *path, char *kind, size_t size);

#endif
