/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * storage.c: whether a file lies where other hosts can reach it.
 */
#include "host/storage.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/vfs.h>

#include "base/sysroot.h"

/* Types of statfs(2), Linux include/uapi/linux/magic.h and the file systems' own headers. */
static const struct {
	unsigned long type;
	const char *name;
} shared[] = {
	{ 0x6969, "NFS" }, { 0x00c36400, "CephFS" }, { 0x01161970, "GFS2" }, { 0x7461636f, "OCFS2" }, { 0x47504653, "GPFS" },
	{ 0x0bd00bd0, "Lustre" }, { 0xff534d42, "CIFS" }, { 0xfe534d42, "SMB" }, { 0x5346414f, "AFS" }, { 0x65735546, "FUSE" },
	{ 0xaad7aaea, "PanFS" }, { 0x19830326, "BeeGFS" },
};

/*
 * path: absolute, below the sysroot. kind: receives the name of a shared file system, "a local file system" otherwise.
 * Return: 1, 0, -ENAMETOOLONG, negative errno of statfs(2).
 */
int storage_is_shared(const char *path, char *kind, size_t size)
{
	char full[PATH_MAX];
	struct statfs info;

	if (sysroot_path(full, sizeof(full), "%s", path))
		return -ENAMETOOLONG;
	if (statfs(full, &info))
		return -errno;
	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		if (((unsigned long)info.f_type & 0xffffffffUL) != shared[i].type)
			continue;
		snprintf(kind, size, "%s", shared[i].name);
		return 1;
	}
	snprintf(kind, size, "a local file system");
	return 0;
}
