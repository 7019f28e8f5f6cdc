/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * netdev.c: network devices, over rtnetlink. Links, and dumps of addresses and routes are joined into one list.
 *
 * rtnetlink rather than sysfs, but for a card's own (netdev_sysfs.c): reading phys_port_name in sysfs takes the RTNL lock by trial and
 * starts over for as long as it is held (Linux net/core/net-sysfs.c phys_port_name_show()).
 */
#include "card/netdev.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Linux include/uapi/linux/if_link.h: missing in old headers. */
enum {
	LINK_PHYS_SWITCH_ID = 36,
	LINK_NETNSID = 37, /* IFLA_LINK_NETNSID */
	LINK_PHYS_PORT_NAME = 38,
	LINK_PARENT_DEVICE = 56,
	LINK_DEVLINK_PORT = 62, /* nest of devlink's own attributes */
	LINK_MAX = LINK_DEVLINK_PORT,
};
enum { DEVLINK_BUS = 1, DEVLINK_DEVICE = 2, DEVLINK_INDEX = 3 };

#define SKIP_STATISTICS (1 << 3) /* RTEXT_FILTER_SKIP_STATS; without RTEXT_FILTER_VF there is no list of VFs either */
#define LOWER_UP (1 << 16)       /* IFF_LOWER_UP, which <net/if.h> lacks */

static struct nla_policy link_policy[LINK_MAX + 1] = {
	[IFLA_IFNAME] = { .type = NLA_STRING },
	[IFLA_LINK] = { .type = NLA_U32 },
	[IFLA_MASTER] = { .type = NLA_U32 },
	[IFLA_MTU] = { .type = NLA_U32 },
	[IFLA_LINKINFO] = { .type = NLA_NESTED },
	[LINK_PHYS_PORT_NAME] = { .type = NLA_STRING },
	[LINK_PARENT_DEVICE] = { .type = NLA_STRING },
	[LINK_DEVLINK_PORT] = { .type = NLA_NESTED },
};

static struct nla_policy devlink_policy[DEVLINK_INDEX + 1] = {
	[DEVLINK_BUS] = { .type = NLA_STRING },
	[DEVLINK_DEVICE] = { .type = NLA_STRING },
	[DEVLINK_INDEX] = { .type = NLA_U32 },
};

/* Copies a string attribute, cut to size; an absent one is "". */
static void copy_text(char *out, size_t size, const struct nlattr *attribute)
{
	out[0] = '\0';
	if (attribute)
		nla_strlcpy(out, attribute, size);
}

/* Writes an attribute's bytes as hexadecimal digits, cut to size. */
static void copy_hex(char *out, size_t size, const struct nlattr *attribute)
{
	const unsigned char *byte = attribute ? nla_data(attribute) : NULL;
	int len = attribute ? nla_len(attribute) : 0;

	out[0] = '\0';
	for (int i = 0; i < len && (size_t)i * 2 + 2 < size; i++)
		snprintf(out + i * 2, 3, "%02x", byte[i]);
}

/* Reads the kind ("vlan", "bond") from IFLA_LINKINFO; "" if there is none. */
static void read_kind(struct nlattr *linkinfo, struct netdev *netdev)
{
	struct nlattr *attribute[IFLA_INFO_KIND + 1] = { 0 };
	struct nla_policy policy[IFLA_INFO_KIND + 1] = { [IFLA_INFO_KIND] = { .type = NLA_STRING } };

	if (linkinfo && nla_parse_nested(attribute, IFLA_INFO_KIND, linkinfo, policy) == 0)
		copy_text(netdev->kind, sizeof(netdev->kind), attribute[IFLA_INFO_KIND]);
}

/* Reads the handle of the netdev's devlink port (Linux net/core/rtnetlink.c rtnl_fill_devlink_port()). */
static void read_devlink_port(struct nlattr *nest, struct netdev *netdev)
{
	struct nlattr *attribute[DEVLINK_INDEX + 1];

	if (!nest || nla_parse_nested(attribute, DEVLINK_INDEX, nest, devlink_policy) < 0 || !attribute[DEVLINK_BUS] ||
	    !attribute[DEVLINK_DEVICE] || !attribute[DEVLINK_INDEX])
		return;
	copy_text(netdev->devlink_bus, sizeof(netdev->devlink_bus), attribute[DEVLINK_BUS]);
	copy_text(netdev->devlink_device, sizeof(netdev->devlink_device), attribute[DEVLINK_DEVICE]);
	netdev->devlink_index = nla_get_u32(attribute[DEVLINK_INDEX]);
	netdev->has_devlink_port = true;
}

/*
 * Reads IFLA_LINK: for a veth its peer, for all others what carries their traffic. A kind that is not known lies on it too. Where the
 * device is in another network namespace IFLA_LINK_NETNSID tells which (Linux net/core/rtnetlink.c rtnl_fill_link_netnsid()).
 */
static void read_lower(struct nlattr *const *attribute, struct netdev *netdev)
{
	uint32_t link = attribute[IFLA_LINK] ? nla_get_u32(attribute[IFLA_LINK]) : 0;
	bool is_far = attribute[LINK_NETNSID] && nla_len(attribute[LINK_NETNSID]) >= 4;

	if (strcmp(netdev->kind, "veth") == 0) {
		netdev->peer = is_far ? 0 : link;
	} else if (is_far) {
		netdev->far = link;
		netdev->far_space = (int)nla_get_u32(attribute[LINK_NETNSID]);
	} else if (link != netdev->ifindex) {
		netdev->lower = link;
	}
}

/* Reads one RTM_NEWLINK into *netdev. Return: 0, -EPROTO if it is none. */
int netdev_parse_link(struct nlmsghdr *reply, struct netdev *netdev)
{
	struct nlattr *attribute[LINK_MAX + 1];
	const struct ifinfomsg *header;

	memset(netdev, 0, sizeof(*netdev));
	if (reply->nlmsg_type != RTM_NEWLINK || nlmsg_parse(reply, sizeof(*header), attribute, LINK_MAX, link_policy) < 0 ||
	    !attribute[IFLA_IFNAME])
		return -EPROTO;
	header = nlmsg_data(reply);
	netdev->ifindex = (uint32_t)header->ifi_index;
	netdev->up = header->ifi_flags & IFF_UP;
	netdev->carrier = header->ifi_flags & LOWER_UP;
	copy_text(netdev->name, sizeof(netdev->name), attribute[IFLA_IFNAME]);
	copy_text(netdev->parent, sizeof(netdev->parent), attribute[LINK_PARENT_DEVICE]);
	copy_text(netdev->port_name, sizeof(netdev->port_name), attribute[LINK_PHYS_PORT_NAME]);
	copy_hex(netdev->switch_id, sizeof(netdev->switch_id), attribute[LINK_PHYS_SWITCH_ID]);
	netdev->master = attribute[IFLA_MASTER] ? nla_get_u32(attribute[IFLA_MASTER]) : 0;
	netdev->mtu = attribute[IFLA_MTU] ? nla_get_u32(attribute[IFLA_MTU]) : 0;
	read_kind(attribute[IFLA_LINKINFO], netdev);
	read_devlink_port(attribute[LINK_DEVLINK_PORT], netdev);
	read_lower(attribute, netdev);
	return 0;
}

/* Adds one; see the header. */
int netdev_add(struct netdev_list *list, const struct netdev *netdev)
{
	struct netdev *larger;

	if (list->count == list->size) {
		larger = reallocarray(list->netdev, list->size + 64, sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		list->netdev = larger;
		list->size += 64;
	}
	list->netdev[list->count++] = *netdev;
	return 0;
}

/* netlink_call()'s callback of the dump of links. arg: struct netdev_list. */
static int on_link(struct nlmsghdr *reply, void *arg)
{
	struct netdev netdev;

	return netdev_parse_link(reply, &netdev) < 0 ? 0 : netdev_add(arg, &netdev);
}

/* The netdev with an index in a list that may be changed; NULL if absent. */
static struct netdev *find_index(struct netdev *list, size_t count, uint32_t ifindex)
{
	for (size_t i = 0; ifindex && i < count; i++) {
		if (list[i].ifindex == ifindex)
			return &list[i];
	}
	return NULL;
}

/* Notes an address. */
static void note_address(struct netdev_list *list, uint32_t ifindex)
{
	struct netdev *netdev = find_index(list->netdev, list->count, ifindex);

	if (netdev)
		netdev->addresses++;
}

/* Notes a route. is_default: of the main table, to everywhere. */
static void note_route(struct netdev_list *list, uint32_t ifindex, bool is_default)
{
	struct netdev *netdev = find_index(list->netdev, list->count, ifindex);

	if (netdev && is_default)
		netdev->default_route = true;
	else if (netdev)
		netdev->other_route = true;
}

/* netlink_call()'s callback of the dump of addresses. arg: struct netdev_list. IPv6 link-local ones come by themselves and say nothing. */
static int on_address(struct nlmsghdr *reply, void *arg)
{
	const struct ifaddrmsg *header = nlmsg_data(reply);

	if (reply->nlmsg_type != RTM_NEWADDR || nlmsg_datalen(reply) < (int)sizeof(*header))
		return 0;
	if (header->ifa_family == AF_INET || (header->ifa_family == AF_INET6 && header->ifa_scope < RT_SCOPE_LINK))
		note_address(arg, header->ifa_index);
	return 0;
}

/* Notes the netdevs of a route with several next hops. */
static void note_next_hops(struct netdev_list *list, const struct nlattr *hops, bool is_default)
{
	const struct rtnexthop *hop = nla_data(hops);
	int left = nla_len(hops);

	while (left >= (int)sizeof(*hop) && hop->rtnh_len >= sizeof(*hop) && hop->rtnh_len <= left) {
		note_route(list, (uint32_t)hop->rtnh_ifindex, is_default);
		left -= (int)RTNH_ALIGN(hop->rtnh_len);
		hop = RTNH_NEXT(hop);
	}
}

/*
 * netlink_call()'s callback of the dump of routes, of all tables: those that somebody set, not those that the kernel makes for each address
 * and each device that is up. arg: struct netdev_list.
 */
static int on_route(struct nlmsghdr *reply, void *arg)
{
	const struct rtmsg *header = nlmsg_data(reply);
	struct nlattr *attribute[RTA_MAX + 1];
	bool is_default;

	if (reply->nlmsg_type != RTM_NEWROUTE || nlmsg_parse(reply, sizeof(*header), attribute, RTA_MAX, NULL) < 0)
		return 0;
	is_default = header->rtm_dst_len == 0 && header->rtm_table == RT_TABLE_MAIN;
	if (header->rtm_type != RTN_UNICAST || header->rtm_table == RT_TABLE_LOCAL || (header->rtm_protocol == RTPROT_KERNEL && !is_default))
		return 0;
	if (attribute[RTA_OIF] && nla_len(attribute[RTA_OIF]) >= 4)
		note_route(arg, nla_get_u32(attribute[RTA_OIF]), is_default);
	if (attribute[RTA_MULTIPATH])
		note_next_hops(arg, attribute[RTA_MULTIPATH], is_default);
	return 0;
}

/*
 * Makes a dump request of rtnetlink.
 * type: RTM_GET*; header, len: the family's own header. Return: the message, NULL if out of memory.
 */
static struct nl_msg *dump_request(int type, const void *header, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_DUMP);

	if (msg && nlmsg_append(msg, (void *)(uintptr_t)header, len, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* Reads all links into a list. Return: 0, negative errno with *why filled. */
static int dump_links(struct netlink *rt, struct netdev_list *list, struct reason *why)
{
	const struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg = dump_request(RTM_GETLINK, &header, sizeof(header));

	if (msg && nla_put_u32(msg, IFLA_EXT_MASK, SKIP_STATISTICS) < 0) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return netlink_ask(rt, msg, on_link, list, "network interfaces", why);
}

/* Adds addresses and default routes to a list of links. Return: 0, negative errno with *why filled. */
static int dump_uses(struct netlink *rt, struct netdev_list *list, struct reason *why)
{
	const struct ifaddrmsg any = { .ifa_family = AF_UNSPEC };
	struct rtmsg route = { .rtm_family = AF_INET };
	int error;

	error = netlink_ask(rt, dump_request(RTM_GETADDR, &any, sizeof(any)), on_address, list, "IP addresses", why);
	if (!error)
		error = netlink_ask(rt, dump_request(RTM_GETROUTE, &route, sizeof(route)), on_route, list, "IPv4 routes", why);
	route.rtm_family = AF_INET6;
	if (!error)
		error = netlink_ask(rt, dump_request(RTM_GETROUTE, &route, sizeof(route)), on_route, list, "IPv6 routes", why);
	return error;
}

/* Reads all netdevs; uses: of this namespace, also who has addresses and default routes. Return: as netdev_list(). */
static int read_list(struct netlink *rt, bool uses, struct netdev **list, size_t *count, struct reason *why)
{
	struct netdev_list found = { 0 };
	int error = uses ? netdev_list_quietly(rt, &found, why) : -ENOENT;

	if (error == -ENOENT) {
		found.count = 0;
		error = dump_links(rt, &found, why);
	}
	if (!error && uses)
		error = dump_uses(rt, &found, why);
	if (error) {
		free(found.netdev);
		return error == -ENOMEM ? reason_set(why, error, "network interfaces", "out of memory") : error;
	}
	for (size_t i = 0; i < found.count; i++) {
		const struct netdev *master = netdev_find_index(found.netdev, found.count, found.netdev[i].master);

		if (master)
			memcpy(found.netdev[i].master_kind, master->kind, sizeof(master->kind));
	}
	*list = found.netdev;
	*count = found.count;
	return 0;
}

/*
 * Reads all netdevs of this network namespace.
 * Return: 0 with *list (to be freed) and *count; negative errno with *why filled.
 */
int netdev_list(struct netlink *rt, struct netdev **list, size_t *count, struct reason *why)
{
	return read_list(rt, true, list, count, why);
}

/* As netdev_list(), by one dump, without addresses and routes: for other namespaces, of which sysfs here does not tell. */
int netdev_list_links(struct netlink *rt, struct netdev **list, size_t *count, struct reason *why)
{
	return read_list(rt, false, list, count, why);
}

/* netlink_call()'s callback of netdev_get(). arg: struct netdev. */
static int on_one_link(struct nlmsghdr *reply, void *arg)
{
	return netdev_parse_link(reply, arg);
}

/*
 * Reads one netdev: a list of all is long where there are many VFs.
 * name: NULL for the one with ifindex. Return: 0; -ENODEV if there is none; other negative errno; *why filled.
 */
int netdev_get(struct netlink *rt, const char *name, uint32_t ifindex, struct netdev *netdev, struct reason *why)
{
	const struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = name ? 0 : (int)ifindex };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETLINK, 0);
	struct netdev found = { 0 };
	char object[32];
	int error;

	snprintf(object, sizeof(object), "interface number %u", ifindex);
	if (msg && (nlmsg_append(msg, (void *)(uintptr_t)&header, sizeof(header), NLMSG_ALIGNTO) < 0 ||
		    (name && nla_put_string(msg, IFLA_IFNAME, name) < 0) || nla_put_u32(msg, IFLA_EXT_MASK, SKIP_STATISTICS) < 0)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	error = netlink_ask(rt, msg, on_one_link, &found, name ? name : object, why);
	if (!error)
		*netdev = found;
	return error;
}

/*
 * Sets or clears IFF_UP. For a representor in mlx5 that is the carrier of the VF behind it (Linux mlx5/core/en_rep.c mlx5e_rep_open()).
 * Return: 0; -ENODEV if there is no such netdev; other negative errno; *why filled.
 */
int netdev_set_up(struct netlink *rt, uint32_t ifindex, bool up, struct reason *why)
{
	struct ifinfomsg header = { .ifi_index = (int)ifindex, .ifi_flags = up ? IFF_UP : 0, .ifi_change = IFF_UP };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, 0);
	char object[32];

	snprintf(object, sizeof(object), "interface number %u", ifindex);
	if (msg && nlmsg_append(msg, &header, sizeof(header), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return netlink_call(rt, msg, NULL, NULL, object, why);
}

/* See the header. Return: 0; -ENODEV if there is no such netdev; -EINVAL if it cannot have that MTU; other negative errno; *why filled. */
int netdev_set_mtu(struct netlink *rt, uint32_t ifindex, unsigned int mtu, struct reason *why)
{
	struct ifinfomsg header = { .ifi_index = (int)ifindex };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, 0);
	char object[32];

	snprintf(object, sizeof(object), "interface number %u", ifindex);
	if (msg && (nlmsg_append(msg, &header, sizeof(header), NLMSG_ALIGNTO) < 0 || nla_put_u32(msg, IFLA_MTU, mtu) < 0)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return netlink_call(rt, msg, NULL, NULL, object, why);
}

/* Return: the netdev of that name, NULL if absent. */
const struct netdev *netdev_find(const struct netdev *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	}
	return NULL;
}

/* Return: the netdev with that index, NULL if absent. */
const struct netdev *netdev_find_index(const struct netdev *list, size_t count, uint32_t ifindex)
{
	for (size_t i = 0; ifindex && i < count; i++) {
		if (list[i].ifindex == ifindex)
			return &list[i];
	}
	return NULL;
}
