/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tc.c: traffic control rules of a network device.
 */
#include "card/tc.h"

#include <errno.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/socket.h>

/* Linux include/uapi/linux/pkt_sched.h: missing in old headers. */
#define PARENT_INGRESS 0xfffffff2u /* TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS): for a clsact and for an ingress qdisc */
#define OVS_COOKIE 16              /* bytes */

/*
 * tc_is_rule() - whether a message is a rule: the kernel also sends a header without handle for each priority (net/sched/cls_api.c
 * tcf_chain_dump())
 */
int tc_is_rule(const struct nlmsghdr *reply)
{
	const struct tcmsg *header = nlmsg_data(reply);

	return reply->nlmsg_type == RTM_NEWTFILTER && nlmsg_datalen(reply) >= (int)sizeof(*header) && header->tcm_handle != 0;
}

/*
 * tc_is_ovs_rule() - whether a rule was made by Open vSwitch: of flower, and an action has the id of its flow as cookie
 * (lib/netdev-offload-tc.c netdev_tc_flow_put(): a ufid of 16 bytes; tc(8) writes one only where a person gives it)
 */
int tc_is_ovs_rule(struct nlmsghdr *reply)
{
	struct nlattr *attribute[TCA_MAX + 1], *flower[TCA_FLOWER_MAX + 1], *action[TCA_ACT_MAX + 1], *one;
	int rest;

	if (!tc_is_rule(reply) || nlmsg_parse(reply, sizeof(struct tcmsg), attribute, TCA_MAX, NULL) < 0 || !attribute[TCA_KIND] ||
	    nla_strcmp(attribute[TCA_KIND], "flower") != 0 || !attribute[TCA_OPTIONS] ||
	    nla_parse_nested(flower, TCA_FLOWER_MAX, attribute[TCA_OPTIONS], NULL) < 0 || !flower[TCA_FLOWER_ACT])
		return 0;
	nla_for_each_nested(one, flower[TCA_FLOWER_ACT], rest) {
		if (nla_parse_nested(action, TCA_ACT_MAX, one, NULL) == 0 && action[TCA_ACT_COOKIE] && nla_len(action[TCA_ACT_COOKIE]) == OVS_COOKIE)
			return 1;
	}
	return 0;
}

/* netlink_call()'s callback. arg: unsigned int, the number of rules. */
static int on_filter(struct nlmsghdr *reply, void *arg)
{
	*(unsigned int *)arg += tc_is_rule(reply) && !tc_is_ovs_rule(reply);
	return 0;
}

/*
 * Counts the filters at the ingress of a network device; see the header. Without such a qdisc the kernel sends an empty dump
 * (net/sched/cls_api.c tc_dump_tfilter()). Rules of Open vSwitch are not counted: it can leave them behind on a device that is its port no
 * longer, for minutes, and takes them away when the device becomes its port again. A terse dump would be shorter, but has no cookies, and
 * leaves out what is no flower rule (tcf_fill_node()).
 */
int tc_count_rules(struct netlink *rt, uint32_t ifindex, unsigned int *count, struct reason *why)
{
	struct tcmsg header = { .tcm_family = AF_UNSPEC, .tcm_ifindex = (int)ifindex, .tcm_parent = PARENT_INGRESS };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETTFILTER, NLM_F_DUMP);
	unsigned int found = 0;
	char object[32];
	int error;

	snprintf(object, sizeof(object), "interface number %u", ifindex);
	if (msg && nlmsg_append(msg, &header, sizeof(header), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		msg = NULL;
	}
	error = netlink_ask(rt, msg, on_filter, &found, object, why);
	if (error == -EOPNOTSUPP) /* a kernel without CONFIG_NET_CLS: nobody has rules */
		error = 0;
	if (!error)
		*count = found;
	return error;
}
