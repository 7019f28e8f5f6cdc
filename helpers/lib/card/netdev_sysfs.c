/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * netdev_sysfs.c: network devices of this network namespace, without asking a card's firmware.
 *
 * Each link that rtnetlink tells of makes mlx5 read that device's counters: two firmware commands for a representor, four for an uplink,
 * so that a dump costs hundreds where there are 127 VFs (Linux 6.12 net/core/rtnetlink.c rtnl_fill_ifinfo() calls rtnl_fill_stats()
 * whatever RTEXT_FILTER_SKIP_STATS says; mlx5/core/en_rep.c mlx5e_rep_get_stats()). sysfs tells of a device without that. So what mlx5_core
 * has made is read there, and everything else by rtnetlink, one by one.
 *
 * Reading phys_port_name waits for the RTNL lock by trial (net/core/net-sysfs.c phys_port_name_show()): callers are children with a
 * deadline.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/sysroot.h"
#include "card/netdev.h"

#define FOLDER "/sys/class/net"
#define DRIVER "mlx5_core"
#define UP 0x1 /* IFF_UP */
#define ROUNDS 8 /* that a listing may change while it is read */

/* Reads a number of an attribute. out: 0 if it cannot be read. Return: whether it can. */
static bool read_number(const char *name, const char *attribute, uint32_t *out)
{
	unsigned long number = 0;
	bool is_read = sysroot_read_number(&number, FOLDER "/%s/%s", name, attribute) == 0;

	*out = is_read ? (uint32_t)number : 0;
	return is_read;
}

/* Reads a word of an attribute. out: "" if there is none. */
static void read_word(const char *name, const char *attribute, char *out, size_t size)
{
	if (sysroot_read(out, size, FOLDER "/%s/%s", name, attribute) < 0)
		*out = '\0';
}

/* Reads what a netdev belongs to, a bond or a switch. Return: whether that is known; *out: its ifindex, 0: to nothing. */
static bool read_master(const char *name, uint32_t *out)
{
	char master[32];
	int error = sysroot_link_name(master, sizeof(master), FOLDER "/%s/master", name);

	*out = 0;
	return error == -ENOENT || (!error && read_number(name, "master/ifindex", out));
}

/* Reads all but parent and port's name of a netdev of a card. Return: whether it could be. */
static bool read_state(const char *name, struct netdev *netdev)
{
	uint32_t flags, carrier;

	snprintf(netdev->name, sizeof(netdev->name), "%.15s", name);
	if (!read_number(name, "ifindex", &netdev->ifindex) || !read_number(name, "flags", &flags) || !read_number(name, "mtu", &netdev->mtu) ||
	    !read_master(name, &netdev->master))
		return false;
	netdev->up = flags & UP;
	netdev->carrier = netdev->up && read_number(name, "carrier", &carrier) && carrier == 1; /* EINVAL where it is down */
	return true;
}

/* Reads the device that a netdev belongs to, if mlx5_core has made it. Return: whether it has. */
static bool read_parent(const char *name, struct netdev *netdev)
{
	char driver[32];

	return sysroot_link_name(driver, sizeof(driver), FOLDER "/%s/device/driver", name) == 0 && strcmp(driver, DRIVER) == 0 &&
	       sysroot_link_name(netdev->parent, sizeof(netdev->parent), FOLDER "/%s/device", name) == 0;
}

/*
 * Reads a netdev of a card; see the header. One that is read in part is not read: what cannot be read would count as down, or as nothing.
 */
bool netdev_read_card(const char *name, struct netdev *netdev)
{
	struct netdev found = { 0 };

	if (!read_parent(name, &found) || !read_state(name, &found))
		return false;
	read_word(name, "phys_port_name", found.port_name, sizeof(found.port_name));
	*netdev = found;
	return true;
}

/* Adds a netdev; one that has got another name since it was read is written over. Return: 0, -ENOMEM. */
static int add(struct netdev_list *list, const struct netdev *netdev)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->netdev[i].ifindex != netdev->ifindex)
			continue;
		list->netdev[i] = *netdev;
		return 0;
	}
	return netdev_add(list, netdev);
}

/*
 * Reads one netdev and adds it. name: of an entry in sysfs, which may be no netdev (bonding_masters), or none any more.
 * Return: 1 added, 0 there is no netdev of that name, negative errno with *why filled; *why is left alone otherwise.
 */
static int read_one(struct netlink *rt, const char *name, struct netdev_list *list, struct reason *why)
{
	struct reason trouble = { 0 };
	struct netdev netdev;
	int error;

	error = netdev_read_card(name, &netdev) ? 0 : netdev_get(rt, name, 0, &netdev, &trouble);
	if (error == -ENODEV)
		return 0;
	if (!error)
		error = add(list, &netdev);
	if (error == -ENOMEM)
		reason_set(&trouble, error, "network interfaces", "out of memory");
	if (error && why)
		*why = trouble;
	return error ? error : 1;
}

/* Reads those of a listing that are not in the list. Return: how many; -ENOENT if there is no listing; negative errno with *why filled. */
static int read_new(struct netlink *rt, struct netdev_list *list, struct reason *why)
{
	autoclosedir DIR *directory = sysroot_opendir(FOLDER);
	const struct dirent *entry;
	int some = 0;

	if (!directory)
		return -ENOENT;
	while ((entry = readdir(directory))) {
		int result;

		if (entry->d_name[0] == '.' || strlen(entry->d_name) > 15 || netdev_find(list->netdev, list->count, entry->d_name))
			continue;
		result = read_one(rt, entry->d_name, list, why);
		if (result < 0)
			return result;
		some += result;
	}
	return some;
}

/* Lists the netdevs here; see the header. A device that got another name while it was looked for is found by another look. */
int netdev_list_quietly(struct netlink *rt, struct netdev_list *list, struct reason *why)
{
	int result = 1;

	for (unsigned int round = 0; round < ROUNDS && result > 0; round++)
		result = read_new(rt, list, why);
	return result < 0 ? result : 0;
}

/* Reads a prefix and a number behind it. *at: moved behind both. Return: whether they are there. */
static bool take_number(const char **at, const char *prefix, unsigned int *number)
{
	size_t length = strlen(prefix);
	unsigned long value;
	char *end;

	if (strncmp(*at, prefix, length) != 0 || !isdigit((unsigned char)(*at)[length]))
		return false;
	value = strtoul(*at + length, &end, 10);
	if (value > UINT16_MAX)
		return false;
	*number = (unsigned int)value;
	*at = end;
	return true;
}

/* The numbers in "pf0vf3". Return: whether it is the name of a VF's representor of this machine ("c1pf0vf3" is another's). */
bool netdev_is_of_vf(const struct netdev *netdev, unsigned int *pf, unsigned int *vf)
{
	const char *at = netdev->port_name;

	return take_number(&at, "pf", pf) && take_number(&at, "vf", vf) && !*at;
}

/* Whether a netdev's port is called like that of a VF, which takes one file to read. netdev: receives the name. */
static bool is_called(const char *name, unsigned int vf, struct netdev *netdev)
{
	unsigned int of_pf, of_vf;

	read_word(name, "phys_port_name", netdev->port_name, sizeof(netdev->port_name));
	return netdev_is_of_vf(netdev, &of_pf, &of_vf) && of_vf == vf;
}

/* Reads a representor by its name; see the header. */
bool netdev_read_representor(const char *pf, unsigned int vf, const char *name, struct netdev *netdev)
{
	struct netdev found = { 0 };

	if (!is_called(name, vf, &found) || !read_parent(name, &found) || strcmp(found.parent, pf) != 0 || !read_state(name, &found))
		return false;
	*netdev = found;
	return true;
}

/* Finds a representor; see the header. Of each netdev its port's name is read, of the one that is looked for all. */
int netdev_find_representor(const char *pf, unsigned int vf, struct netdev *netdev)
{
	autoclosedir DIR *directory = sysroot_opendir("/sys/bus/pci/devices/%s/net", pf);
	const struct dirent *entry;
	int count = 0;

	while (directory && (entry = readdir(directory)))
		count += entry->d_name[0] != '.' && netdev_read_representor(pf, vf, entry->d_name, netdev);
	return count;
}

/* Finds an uplink; see the header. */
bool netdev_find_uplink(const char *pf, struct netdev *netdev)
{
	autoclosedir DIR *directory = sysroot_opendir("/sys/bus/pci/devices/%s/net", pf);
	const struct dirent *entry;
	struct netdev found;
	unsigned int count = 0;

	while (directory && (entry = readdir(directory))) {
		if (entry->d_name[0] == '.' || !netdev_read_card(entry->d_name, &found))
			continue;
		*netdev = found;
		if (found.port_name[0] == 'p' && isdigit((unsigned char)found.port_name[1]))
			return true;
		count++;
	}
	return count == 1;
}
