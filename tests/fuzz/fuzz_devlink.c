/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_devlink.c: answers of the kernel's devlink family. See answer.h for what an input is. Its source is included, so that the parsers
 * which only netlink_call() is given can be called, too.
 */
#include "fuzz.h"

#include "../../helpers/lib/card/devlink.c" /* NOLINT(bugprone-suspicious-include): for its static parsers */
#include "answer.h"

/* Demands what holds for every port. */
static void check_port(const struct devlink_port *port)
{
	char handle[DEVLINK_HANDLE_LEN];

	REQUIRE(memchr(port->bus, '\0', sizeof(port->bus)) && memchr(port->device, '\0', sizeof(port->device)));
	REQUIRE(memchr(port->netdev, '\0', sizeof(port->netdev)));
	REQUIRE(!port->migratable || port->can_migrate);
	REQUIRE(strlen(devlink_port_handle(port, handle)) < sizeof(handle));
}

/* Demands what holds for every card's versions. */
static void check_info(const struct devlink_info *info)
{
	REQUIRE(memchr(info->psid, '\0', sizeof(info->psid)) && memchr(info->firmware, '\0', sizeof(info->firmware)));
	REQUIRE(memchr(info->firmware_stored, '\0', sizeof(info->firmware_stored)));
}

/* Hands one reply to every parser. arg: struct port_list. */
static int on_reply(struct nlmsghdr *reply, void *arg)
{
	struct devlink_port port = { 0 };
	struct devlink_info info = { 0 };
	enum eswitch_mode mode = ESWITCH_UNKNOWN;
	struct port_list *list = arg;
	size_t count = list->count;

	if (on_one_port(reply, &port) == 0)
		check_port(&port);
	if (on_info(reply, &info) == 0)
		check_info(&info);
	if (on_eswitch(reply, &mode) == 0)
		REQUIRE(mode == ESWITCH_LEGACY || mode == ESWITCH_SWITCHDEV || mode == ESWITCH_UNKNOWN);
	REQUIRE(on_port(reply, list) == 0);
	REQUIRE(list->count >= count && list->count <= count + 1 && list->count <= list->size);
	return 0;
}

/* One input: datagrams. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct port_list list = { .bus = "pci", .device = "0000:81:00.0" };

	answer_each(data, size, on_reply, &list);
	for (size_t i = 0; i < list.count; i++)
		REQUIRE(strcmp(list.port[i].bus, list.bus) == 0 && strcmp(list.port[i].device, list.device) == 0);
	free(list.port);
	return 0;
}
