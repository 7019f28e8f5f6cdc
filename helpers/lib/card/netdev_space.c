/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * netdev_space.c: netdevs in other network namespaces.
 *
 * rtnetlink lists one's own namespace only. Others are found by the processes in them, and by the names that ip-netns(8) and container
 * engines bind them to. sysfs tells none of what lies on a device from another namespace (Linux net/core/dev.c
 * __netdev_adjacent_dev_insert()).
 */
#include "card/netdev_space.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/scope.h"
#include "base/sysroot.h"

#define MAX_SPACES 4096

/* The namespaces that were looked at, by inode, and what was found. */
struct spaces {
	unsigned long seen[MAX_SPACES];
	size_t count;
	struct netdev *list;
	size_t netdevs, max;
	bool is_unseen; /* there may be more */
};

/* Return: the inode in "net:[4026531840]", the target of a process's link; 0 if it is none. */
static unsigned long inode_of(const char *process)
{
	char text[64];
	const char *number;

	if (sysroot_link_name(text, sizeof(text), "/proc/%s/ns/net", process) < 0)
		return 0;
	number = strchr(text, '[');
	return number ? strtoul(number + 1, NULL, 10) : 0;
}

/* Whether a namespace is new; it is noted. */
static bool is_new(struct spaces *spaces, unsigned long inode)
{
	for (size_t i = 0; i < spaces->count; i++) {
		if (spaces->seen[i] == inode)
			return false;
	}
	spaces->is_unseen |= inode && spaces->count == MAX_SPACES;
	if (!inode || spaces->count == MAX_SPACES)
		return false;
	spaces->seen[spaces->count++] = inode;
	return true;
}

/* Takes what concerns us of one namespace. path: of its file; name: how it is told to a person. */
static void look_into(struct spaces *spaces, const char *path, const char *name)
{
	autofree struct netdev *list = NULL;
	autonetlink struct netlink rt = { 0 };
	size_t count = 0;
	int own = -1, error = netlink_open_space(&rt, path, &own, NULL);

	if (!error)
		error = netdev_list_links(&rt, &list, &count, NULL);
	spaces->is_unseen |= error && error != -ENOENT && error != -ESRCH && error != -EINVAL; /* gone, or no namespace */
	for (size_t i = 0; i < count; i++) {
		struct netdev *netdev = &list[i];

		if (!netdev->parent[0] && !(netdev->far && own >= 0 && netdev->far_space == own))
			continue;
		if (!netdev->far || netdev->far_space != own)
			netdev->far = 0;
		if (spaces->netdevs == spaces->max) {
			spaces->is_unseen = true;
			return;
		}
		netdev->ifindex = netdev->master = netdev->lower = netdev->peer = 0; /* numbers of another namespace */
		snprintf(netdev->space, sizeof(netdev->space), "%.63s", name);
		spaces->list[spaces->netdevs++] = *netdev;
	}
}

/* Looks into the namespaces of all processes. */
static void look_at_processes(struct spaces *spaces)
{
	autoclosedir DIR *directory = sysroot_opendir("/proc");
	const struct dirent *entry;
	char path[64], name[64], command[32];

	while (directory && (entry = readdir(directory))) {
		if (!isdigit((unsigned char)entry->d_name[0]) || !is_new(spaces, inode_of(entry->d_name)))
			continue;
		*command = '\0';
		(void)sysroot_read(command, sizeof(command), "/proc/%s/comm", entry->d_name);
		snprintf(path, sizeof(path), "/proc/%.16s/ns/net", entry->d_name);
		snprintf(name, sizeof(name), "process %.16s (%.24s)", entry->d_name, command);
		look_into(spaces, path, name);
	}
}

/* Looks into the namespaces that a folder has by name: those in which no process is. */
static void look_at_names(struct spaces *spaces, const char *folder)
{
	autoclosedir DIR *directory = sysroot_opendir("%s", folder);
	const struct dirent *entry;
	char path[320], name[64];
	struct stat status;

	while (directory && (entry = readdir(directory))) {
		if (entry->d_name[0] == '.' || fstatat(dirfd(directory), entry->d_name, &status, 0) < 0 || !is_new(spaces, status.st_ino))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		snprintf(name, sizeof(name), "namespace %.50s", entry->d_name);
		look_into(spaces, path, name);
	}
}

/* Finds netdevs in other namespaces; see the header. */
size_t netdev_list_spaces(struct netdev *list, size_t max, bool *unseen)
{
	struct spaces spaces = { .list = list, .max = max };

	(void)is_new(&spaces, inode_of("self"));
	look_at_names(&spaces, "/run/netns");
	look_at_processes(&spaces);
	look_at_names(&spaces, "/run/docker/netns");
	*unseen |= spaces.is_unseen;
	return spaces.netdevs;
}
