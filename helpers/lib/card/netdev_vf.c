/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * netdev_vf.c: settings of VFs by way of the PF's netdev, as "ip link set PF vf N" makes them.
 *
 * Of these mlx5 takes MAC and rates in switchdev mode (mlx5/core/eswitch.c mlx5_eswitch_set_vport_rate()), and keeps them when the VF's
 * user has gone; VLAN, trust and the like belong to the representor there (esw/legacy.c).
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>
#include <sys/socket.h>

#include "card/netdev.h"

/*
 * RTEXT_FILTER_VF and RTEXT_FILTER_SKIP_STATS of Linux include/uapi/linux/rtnetlink.h. With the statistics of the VFs mlx5 would send two
 * firmware commands for each VF of the PF, while everybody waits who changes a network device (mlx5_eswitch_get_vport_stats()).
 */
#define WITH_VFS ((1 << 0) | (1 << 3))

/* The rates of one VF while they are looked for. */
struct search {
	unsigned int index;
	bool found;
	struct netdev_vf_rate rate;
};

/*
 * Makes a request about a netdev.
 * type: RTM_GETLINK or RTM_SETLINK. Return: the message, NULL if out of memory.
 */
static struct nl_msg *request(int type, const char *uplink)
{
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg = nlmsg_alloc_simple(type, 0);

	if (msg && nlmsg_append(msg, &header, sizeof(header), NLMSG_ALIGNTO) == 0 && nla_put_string(msg, IFLA_IFNAME, uplink) == 0)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

/* Takes the rates out of one IFLA_VF_INFO if it is that of the VF. */
static void read_vf(struct nlattr *info, struct search *search)
{
	struct nlattr *attribute;
	struct ifla_vf_rate rate;
	int left;

	nla_for_each_nested(attribute, info, left) {
		if (nla_type(attribute) != IFLA_VF_RATE || nla_len(attribute) < (int)sizeof(rate))
			continue;
		memcpy(&rate, nla_data(attribute), sizeof(rate));
		if (rate.vf != search->index)
			continue;
		search->rate = (struct netdev_vf_rate){ rate.min_tx_rate, rate.max_tx_rate };
		search->found = true;
	}
}

/* netlink_call()'s callback: one RTM_NEWLINK with IFLA_VFINFO_LIST. arg: struct search. */
static int on_link(struct nlmsghdr *reply, void *arg)
{
	struct nlattr *list, *info;
	int left;

	if (reply->nlmsg_type != RTM_NEWLINK || nlmsg_datalen(reply) < (int)sizeof(struct ifinfomsg))
		return -EPROTO;
	list = nlmsg_find_attr(reply, sizeof(struct ifinfomsg), IFLA_VFINFO_LIST);
	if (!list)
		return 0;
	nla_for_each_nested(info, list, left) {
		if (nla_type(info) == IFLA_VF_INFO)
			read_vf(info, arg);
	}
	return 0;
}

/*
 * uplink: name of the PF's netdev. index: number of the VF.
 * Return: 0; -ENODEV if there is no such netdev or VF; other negative errno; *why filled.
 */
int netdev_get_vf_rate(struct netlink *rt, const char *uplink, unsigned int index, struct netdev_vf_rate *rate, struct reason *why)
{
	struct nl_msg *msg = request(RTM_GETLINK, uplink);
	struct search search = { .index = index };
	int error;

	if (msg && nla_put_u32(msg, IFLA_EXT_MASK, WITH_VFS) < 0) {
		nlmsg_free(msg);
		msg = NULL;
	}
	error = netlink_ask(rt, msg, on_link, &search, uplink, why);
	if (error)
		return error;
	if (!search.found)
		return reason_set(why, -ENODEV, uplink, "it has no VF number %u", index);
	*rate = search.rate;
	return 0;
}

/*
 * uplink, index: as above. rate: in Mbit/s; 0 takes a limit away.
 * Return: 0; -ENODEV if there is no such netdev; -EINVAL if there is no such VF; other negative errno; *why filled.
 */
int netdev_set_vf_rate(struct netlink *rt, const char *uplink, unsigned int index, const struct netdev_vf_rate *rate, struct reason *why)
{
	const struct ifla_vf_rate wanted = { .vf = index, .min_tx_rate = rate->min, .max_tx_rate = rate->max };
	struct nl_msg *msg = request(RTM_SETLINK, uplink);
	struct nlattr *list = msg ? nla_nest_start(msg, IFLA_VFINFO_LIST) : NULL;
	struct nlattr *info = list ? nla_nest_start(msg, IFLA_VF_INFO) : NULL;

	if (!info || nla_put(msg, IFLA_VF_RATE, sizeof(wanted), &wanted) < 0) {
		nlmsg_free(msg);
		msg = NULL;
	} else {
		nla_nest_end(msg, info);
		nla_nest_end(msg, list);
	}
	return netlink_call(rt, msg, NULL, NULL, uplink, why);
}
