/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_netdev.c: answers of rtnetlink: links, addresses and routes in one row. See answer.h for what an input is. Its source is included,
 * so that the parsers which only netlink_call() is given can be called, too.
 */
#include "fuzz.h"

#include "../../helpers/lib/card/netdev.c" /* NOLINT(bugprone-suspicious-include): for its static parsers */
#include "answer.h"

/* Demands what holds for every netdev. */
static void check_netdev(const struct netdev_list *list, const struct netdev *netdev)
{
	REQUIRE(memchr(netdev->name, '\0', sizeof(netdev->name)) && memchr(netdev->kind, '\0', sizeof(netdev->kind)));
	REQUIRE(memchr(netdev->parent, '\0', sizeof(netdev->parent)) && memchr(netdev->port_name, '\0', sizeof(netdev->port_name)));
	REQUIRE(memchr(netdev->devlink_bus, '\0', sizeof(netdev->devlink_bus)));
	REQUIRE(memchr(netdev->devlink_device, '\0', sizeof(netdev->devlink_device)));
	REQUIRE(netdev->switch_id[strspn(netdev->switch_id, "0123456789abcdef")] == '\0' && strlen(netdev->switch_id) % 2 == 0);
	REQUIRE(netdev_find(list->netdev, list->count, netdev->name));
	REQUIRE(!netdev->ifindex || netdev_find_index(list->netdev, list->count, netdev->ifindex));
}

/* Hands one reply to every parser. arg: struct netdev_list. */
static int on_reply(struct nlmsghdr *reply, void *arg)
{
	REQUIRE(on_link(reply, arg) == 0);
	REQUIRE(on_address(reply, arg) == 0);
	REQUIRE(on_route(reply, arg) == 0);
	return 0;
}

/* One input: datagrams. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netdev_list list = { 0 };

	answer_each(data, size, on_reply, &list);
	REQUIRE(list.count <= list.size);
	for (size_t i = 0; i < list.count; i++)
		check_netdev(&list, &list.netdev[i]);
	free(list.netdev);
	return 0;
}
