/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * netdev_answers.c: whether a netdev lives.
 *
 * One that its driver has taken off (netif_device_detach()) and not put on again is listed by rtnetlink and sysfs like any other, and does
 * nothing. ethtool's netlink family answers ENODEV for it (Linux net/ethtool/netlink.c ethnl_ops_begin()).
 */
#include <errno.h>
#include <linux/ethtool_netlink.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include "card/netdev.h"

/* Asks for the state of its link. Return: the message, NULL if out of memory. */
static struct nl_msg *request(const struct netlink *nl, uint32_t ifindex)
{
	struct nl_msg *msg = nlmsg_alloc();
	struct nlattr *header;

	if (!msg)
		return NULL;
	if (genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, nl->family, 0, 0, ETHTOOL_MSG_LINKSTATE_GET, ETHTOOL_GENL_VERSION) &&
	    (header = nla_nest_start(msg, NLA_F_NESTED | ETHTOOL_A_LINKSTATE_HEADER)) &&
	    nla_put_u32(msg, ETHTOOL_A_HEADER_DEV_INDEX, ifindex) == 0) {
		nla_nest_end(msg, header);
		return msg;
	}
	nlmsg_free(msg);
	return NULL;
}

/* Whether it lives; see the header. */
bool netdev_answers(uint32_t ifindex)
{
	autonetlink struct netlink nl = { 0 };
	int error = netlink_open(&nl, ETHTOOL_GENL_NAME, NULL);

	return error || netlink_call(&nl, request(&nl, ifindex), NULL, NULL, "ethtool", NULL) != -ENODEV;
}
