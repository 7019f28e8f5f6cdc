/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * netdev_stack.c: what is stacked on a network device.
 *
 * No kind is taken to be harmless because it is not known here: whatever says that it lies on a device, or is the master of one, rides on
 * it. Only what is certain is left out: a bond or a VRF does not carry the traffic of one member to another.
 */
#include "card/netdev_stack.h"

#include <stdio.h>
#include <string.h>

#include "base/scope.h"
#include "base/sysroot.h"

/* A walk: what was found, and how far it was followed. */
struct walk {
	const struct netdev *list;
	size_t count;
	struct netdev_rider *rider;
	size_t riders, max;
};

/* Whether a word is in a list that NULL ends. */
static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++) {
		if (strcmp(word, *words) == 0)
			return true;
	}
	return false;
}

/* Whether a walk has found a device. */
static bool has_found(const struct walk *walk, const struct netdev *netdev)
{
	for (size_t i = 0; i < walk->riders; i++) {
		if (walk->rider[i].netdev == netdev)
			return true;
	}
	return false;
}

/* Notes a rider, each once. */
static void add(struct walk *walk, const struct netdev *netdev, bool is_member)
{
	if (walk->riders < walk->max && !has_found(walk, netdev))
		walk->rider[walk->riders++] = (struct netdev_rider){ netdev, is_member };
}

/* Notes the other members of a master that carries traffic between its members; the other end of a veth reaches further. */
static void add_members(struct walk *walk, const struct netdev *master, uint32_t start)
{
	static const char *const apart[] = { "bond", "team", "vrf", NULL };

	for (size_t i = 0; i < walk->count && !is_one_of(master->kind, apart); i++) {
		const struct netdev *member = &walk->list[i];

		if (member->master != master->ifindex || member->ifindex == start || member->space[0])
			continue;
		add(walk, member, true);
		if (member->peer && netdev_find_index(walk->list, walk->count, member->peer))
			add(walk, netdev_find_index(walk->list, walk->count, member->peer), false);
	}
}

/* Whether a device lies on another; see the header. */
bool netdev_lies_on(const struct netdev *netdev, uint32_t ifindex)
{
	if (netdev->space[0])
		return netdev->far == ifindex;
	return netdev->lower == ifindex || netdev->second == ifindex || netdev->third == ifindex;
}

/* Notes what lies on one device, and its master. */
static void follow(struct walk *walk, const struct netdev *netdev, uint32_t start)
{
	const struct netdev *master = netdev_find_index(walk->list, walk->count, netdev->master);

	for (size_t i = 0; i < walk->count; i++) {
		const struct netdev *other = &walk->list[i];

		if (other->ifindex != start && netdev_lies_on(other, netdev->ifindex))
			add(walk, other, false);
	}
	if (!master || strcmp(master->kind, "openvswitch") == 0 || master->ifindex == start)
		return;
	add(walk, master, false);
	add_members(walk, master, start);
}

/* Finds what rides on a device; see the header. */
size_t netdev_find_riders(const struct netdev *list, size_t count, uint32_t ifindex, struct netdev_rider *rider, size_t max)
{
	struct walk walk = { .list = list, .count = count, .rider = rider, .max = max };
	const struct netdev *netdev = netdev_find_index(list, count, ifindex);

	if (!netdev)
		return 0;
	follow(&walk, netdev, ifindex);
	for (size_t i = 0; i < walk.riders; i++) {
		if (!rider[i].is_member && !rider[i].netdev->space[0])
			follow(&walk, rider[i].netdev, ifindex);
	}
	return walk.riders;
}

/*
 * Whether rtnetlink tells all that a device lies on: hardware and what is made of nothing lies on nothing, a master is told by its
 * members.
 */
static bool is_told(const struct netdev *netdev)
{
	static const char *const told[] = { "", "bond", "bridge", "dummy", "openvswitch", "team", "tun", "veth", "vrf", NULL };

	return netdev->lower || netdev->far || is_one_of(netdev->kind, told);
}

/* Notes one more that a device lies on. No kind of the kernel lies on more than three (Linux net/hsr/hsr_slave.c: two, and one beside). */
static void add_lower(struct netdev *netdev, uint32_t ifindex)
{
	uint32_t *free_one = !netdev->lower ? &netdev->lower : !netdev->second ? &netdev->second : &netdev->third;

	if (!*free_one)
		*free_one = ifindex;
}

/* Completes a list by sysfs; see the header. */
void netdev_complete_stack(struct netdev *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		autoclosedir DIR *directory = is_told(&list[i]) ? NULL : sysroot_opendir("/sys/class/net/%s", list[i].name);
		const struct dirent *entry;

		while (directory && (entry = readdir(directory))) {
			const struct netdev *lower = strncmp(entry->d_name, "lower_", 6) ? NULL : netdev_find(list, count, entry->d_name + 6);

			if (lower)
				add_lower(&list[i], lower->ifindex);
		}
	}
}
