/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sysfs.c: a fake of hardware: /sys/class/net, as the kernel shows the links of a world there. Made anew whenever the world changes.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "world.h"

/* Writes an attribute. */
static void put(const char *folder, const char *name, const char *text)
{
	char path[4200];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	if (!file || fprintf(file, "%s\n", text) < 0 || fclose(file))
		abort();
}

/* Writes an attribute that is a number. */
static void put_number(const char *folder, const char *name, unsigned int number)
{
	char text[32];

	snprintf(text, sizeof(text), "%u", number);
	put(folder, name, text);
}

/* Makes a link to another device, or takes it away. target: "" none. */
static void put_link(const char *folder, const char *name, const char *target)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	(void)unlink(path);
	if (*target && symlink(target, path) < 0)
		abort();
}

/* Return: the name of the link here with an index, "" if there is none. */
static const char *name_of(const struct world *world, uint32_t index)
{
	for (size_t i = 0; index && i < world->links; i++) {
		if (world->link[i].index == index && !world->link[i].is_gone && !*world->link[i].space)
			return world->link[i].name;
	}
	return "";
}

/* Shows that a link lies on another (Linux net/core/dev.c netdev_adjacent_sysfs_add()). */
static void show_lower(const struct world *world, const char *folder, uint32_t index)
{
	char name[32], target[32];

	if (!*name_of(world, index))
		return;
	snprintf(name, sizeof(name), "lower_%s", name_of(world, index));
	snprintf(target, sizeof(target), "../%s", name_of(world, index));
	put_link(folder, name, target);
}

/* Shows one link. */
static void show(const struct world *world, const struct world_link *link)
{
	char folder[4096], target[128] = "", master[32] = "";

	snprintf(folder, sizeof(folder), "%s/sys/class/net/%s", world_root(), link->name);
	(void)mkdir(folder, 0755);
	put_number(folder, "ifindex", link->index);
	put(folder, "flags", link->is_up ? "0x1003" : "0x1002");
	put_number(folder, "mtu", link->mtu);
	put(folder, "address", "00:00:00:00:00:00");
	put_number(folder, "carrier", link->is_up && !link->no_carrier);
	if (*link->port)
		put(folder, "phys_port_name", link->port);
	if (*link->parent)
		snprintf(target, sizeof(target), "../../../bus/pci/devices/%s", link->parent);
	if (*name_of(world, link->master))
		snprintf(master, sizeof(master), "../%s", name_of(world, link->master));
	put_link(folder, "device", target);
	put_link(folder, "master", master);
	show_lower(world, folder, link->lower);
	show_lower(world, folder, link->second);
	show_lower(world, folder, link->third);
}

/* Lists a link among its device's. */
static void list_at_device(const struct world_link *link)
{
	char folder[4096], target[64];

	snprintf(folder, sizeof(folder), "%s/sys/bus/pci/devices/%s/net", world_root(), link->parent);
	snprintf(target, sizeof(target), "../../../../class/net/%s", link->name);
	if (access(folder, F_OK) == 0 && symlinkat(target, AT_FDCWD, strcat(strcat(folder, "/"), link->name)) < 0 && errno != EEXIST)
		abort();
}

/* Takes a PF's list of links away, but for folders that the world's text has made. */
static void unlist(const struct world_pf *pf)
{
	char folder[4096];
	const struct dirent *entry;
	DIR *directory;

	snprintf(folder, sizeof(folder), "%s/sys/bus/pci/devices/%s/net", world_root(), pf->address);
	directory = opendir(folder);
	while (directory && (entry = readdir(directory)))
		(void)unlinkat(dirfd(directory), entry->d_name, 0);
	if (directory)
		closedir(directory);
}

/* Takes away what the world was before, in a folder of folders of files. */
static int take_away(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	return walk->level && remove(path) < 0 && kind != FTW_NS ? -1 : 0;
}

/* Shows the links; see the header. */
void world_show(const struct world *world)
{
	char folder[4096];

	snprintf(folder, sizeof(folder), "%s/sys/class", world_root());
	(void)mkdir(folder, 0755);
	snprintf(folder, sizeof(folder), "%s/sys/class/net", world_root());
	(void)nftw(folder, take_away, 8, FTW_DEPTH | FTW_PHYS);
	(void)mkdir(folder, 0755);
	put(folder, "bonding_masters", ""); /* no netdev: it is there on every host that has ever had a bond */
	for (size_t i = 0; i < world->pfs; i++)
		unlist(&world->pf[i]);
	for (size_t i = 0; i < world->links; i++) {
		if (*world->link[i].space || !*world->link[i].name || world->link[i].is_gone)
			continue;
		show(world, &world->link[i]);
		if (*world->link[i].parent)
			list_at_device(&world->link[i]);
	}
}
