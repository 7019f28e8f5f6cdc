/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_card_netlink.c: answers of the kernel as bytes, and rtnetlink of this machine. */
#include "check.h"

#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "base/scope.h"
#include "card/netdev.h"
#include "card/netlink.h"
#include "card/tc.h"

#define SEQUENCE 7u

/* One message that is being built. */
struct bytes {
	_Alignas(8) unsigned char data[1024];
	size_t len;
};

/* Appends a message of a type with a payload. */
static void put(struct bytes *out, uint16_t type, uint16_t flags, uint32_t sequence, const void *payload, size_t len)
{
	struct nlmsghdr header = {
		.nlmsg_len = (uint32_t)(sizeof(header) + len), .nlmsg_type = type, .nlmsg_flags = flags, .nlmsg_seq = sequence
	};

	memcpy(out->data + out->len, &header, sizeof(header));
	memcpy(out->data + out->len + sizeof(header), payload, len);
	out->len += NLMSG_ALIGN(header.nlmsg_len);
}

/* Counts replies. */
static int count(struct nlmsghdr *reply, void *arg)
{
	(void)reply;
	(*(int *)arg)++;
	return 0;
}

/* A refusal as Linux 6.12 sent it for a migratable port that the driver does not know: -EOPNOTSUPP, capped, with words. */
static const unsigned char refusal[] = {
	0xa1, 0xff, 0xff, 0xff,                                                 /* -95 */
	0x3c, 0x00, 0x00, 0x00, 0x15, 0x00, 0x05, 0x00, 0x07, 0x00, 0x00, 0x00, /* header of the request */
	0x00, 0x00, 0x00, 0x00,
	0x18, 0x00, 0x01, 0x00, 'm', 'l', 'x', '5', '_', 'c', 'o', 'r', 'e', ':', ' ', 'n', 'o', ' ', 'V', 'F', 's', '!', '!', 0x00,
};

TEST(reads_the_kernels_words_of_a_refusal)
{
	struct netlink_answer answer = { .sequence = SEQUENCE };
	struct bytes datagram = { .len = 0 };

	put(&datagram, NLMSG_ERROR, 0x300, SEQUENCE, refusal, sizeof(refusal));
	CHECK_INT(netlink_answer_feed(&answer, datagram.data, datagram.len), 0);
	CHECK(answer.finished);
	CHECK_INT(answer.error, -EOPNOTSUPP);
	CHECK_STR(answer.text, "mlx5_core: no VFs!!");
	netlink_answer_release(&answer);
}

TEST(finds_the_words_behind_an_echoed_request)
{
	struct { int error; struct nlmsghdr request; char body[8]; unsigned char words[12]; } payload = {
		.error = -EBUSY, .request = { .nlmsg_len = sizeof(struct nlmsghdr) + 8 },
		.words = { 0x0a, 0x00, 0x01, 0x00, 'i', 'n', ' ', 'u', 's', 0 },
	};
	struct netlink_answer answer = { .sequence = SEQUENCE };
	struct bytes datagram = { .len = 0 };

	put(&datagram, NLMSG_ERROR, 0x200, SEQUENCE, &payload, sizeof(payload));
	CHECK_INT(netlink_answer_feed(&answer, datagram.data, datagram.len), 0);
	CHECK_INT(answer.error, -EBUSY);
	CHECK_STR(answer.text, "in us");
	netlink_answer_release(&answer);
}

TEST(finds_the_error_that_a_dump_hides_in_its_end)
{
	struct netlink_answer answer = { .sequence = SEQUENCE };
	struct bytes datagram = { .len = 0 };
	int error = -ENODEV;

	put(&datagram, NLMSG_DONE, NLM_F_MULTI, SEQUENCE, &error, sizeof(error));
	CHECK_INT(netlink_answer_feed(&answer, datagram.data, datagram.len), 0);
	CHECK(answer.finished);
	CHECK_INT(answer.error, -ENODEV);
	netlink_answer_release(&answer);
}

TEST(passes_over_answers_to_other_requests)
{
	struct netlink_answer answer = { .sequence = SEQUENCE };
	struct bytes datagram = { .len = 0 };
	int replies = 0, error = -EPERM;

	put(&datagram, NLMSG_DONE, NLM_F_MULTI, SEQUENCE - 1, &error, sizeof(error));
	put(&datagram, NLMSG_MIN_TYPE, NLM_F_MULTI, SEQUENCE - 1, "old", 4);
	put(&datagram, NLMSG_MIN_TYPE, NLM_F_MULTI, SEQUENCE, "new", 4);
	CHECK_INT(netlink_answer_feed(&answer, datagram.data, datagram.len), 0);
	CHECK(!answer.finished);
	CHECK_INT(netlink_answer_each(&answer, count, &replies), 0);
	CHECK_INT(replies, 1);
	netlink_answer_release(&answer);
}

TEST(notices_a_dump_that_the_kernel_calls_interrupted)
{
	struct netlink_answer answer = { .sequence = SEQUENCE };
	struct bytes datagram = { .len = 0 };

	put(&datagram, NLMSG_MIN_TYPE, NLM_F_MULTI | 0x10, SEQUENCE, "new", 4);
	CHECK_INT(netlink_answer_feed(&answer, datagram.data, datagram.len), 0);
	CHECK(answer.interrupted);
	netlink_answer_release(&answer);
}

TEST(keeps_replies_of_many_datagrams)
{
	struct netlink_answer answer = { .sequence = SEQUENCE };
	char payload[500] = "";
	int replies = 0;

	for (int i = 0; i < 1000; i++) {
		struct bytes datagram = { .len = 0 };

		put(&datagram, NLMSG_MIN_TYPE, NLM_F_MULTI, SEQUENCE, payload, sizeof(payload));
		CHECK_INT(netlink_answer_feed(&answer, datagram.data, datagram.len), 0);
	}
	CHECK_INT(netlink_answer_each(&answer, count, &replies), 0);
	CHECK_INT(replies, 1000);
	netlink_answer_release(&answer);
}

TEST(refuses_bytes_that_are_no_netlink)
{
	struct netlink_answer answer = { .sequence = SEQUENCE };
	struct bytes datagram = { .data = { 0xff, 0xff, 0xff, 0x7f }, .len = 64 };

	CHECK_INT(netlink_answer_feed(&answer, datagram.data, datagram.len), -EPROTO);
	netlink_answer_release(&answer);
}

TEST(every_cut_of_a_refusal_is_survived)
{
	struct bytes whole = { .len = 0 };

	put(&whole, NLMSG_ERROR, 0x300, SEQUENCE, refusal, sizeof(refusal));
	for (size_t len = 0; len <= whole.len; len++) {
		struct netlink_answer answer = { .sequence = SEQUENCE };
		autofree unsigned char *cut = malloc(len + 1);
		struct nlmsghdr *header = (struct nlmsghdr *)(void *)cut;

		memcpy(cut, whole.data, len);
		if (len >= sizeof(*header))
			header->nlmsg_len = (uint32_t)len;
		(void)netlink_answer_feed(&answer, cut, len);
		CHECK(strlen(answer.text) < NETLINK_TEXT_MAX);
		netlink_answer_release(&answer);
	}
}

TEST(an_absent_family_is_a_sentence)
{
	struct netlink nl;
	struct reason why = { 0 };

	CHECK_INT(netlink_open(&nl, "vferry-none", &why), -EOPNOTSUPP);
	CHECK_CONTAINS(why.what, "no netlink family 'vferry-none'");
	CHECK(nl.socket == NULL);
}

/* The list of this machine, which has at least "lo". */
static struct netdev *read_list(size_t *length)
{
	autonetlink struct netlink rt;
	struct reason why = { 0 };
	struct netdev *list = NULL;

	if (netlink_open(&rt, NULL, &why) < 0 || netdev_list(&rt, &list, length, &why) < 0)
		FAIL("%s", why.what);
	return list;
}

TEST(lists_the_loopback_interface)
{
	size_t length;
	autofree struct netdev *list = read_list(&length);
	const struct netdev *lo = netdev_find(list, length, "lo");

	CHECK(lo != NULL);
	CHECK_INT(lo->ifindex, if_nametoindex("lo"));
	CHECK(netdev_find_index(list, length, lo->ifindex) == lo);
	CHECK(netdev_find(list, length, "no-such-netdev") == NULL);
	CHECK(netdev_find_index(list, length, 0) == NULL);
}

TEST(reads_one_interface_by_name_and_by_index)
{
	autonetlink struct netlink rt;
	struct netdev lo = { 0 }, again = { 0 };
	struct reason why = { 0 };

	CHECK_INT(netlink_open(&rt, NULL, &why), 0);
	CHECK_INT(netdev_get(&rt, "lo", 0, &lo, &why), 0);
	CHECK_INT(lo.ifindex, if_nametoindex("lo"));
	CHECK_INT(netdev_get(&rt, NULL, lo.ifindex, &again, &why), 0);
	CHECK_STR(again.name, "lo");
	CHECK_INT(netdev_get(&rt, "no-such-netdev", 0, &again, &why), -ENODEV);
	CHECK_INT(netdev_get(&rt, NULL, 0x7ffffff0, &again, &why), -ENODEV);
	CHECK_STR(again.name, "lo"); /* untouched */
}

TEST(an_interface_that_is_there_answers_and_one_that_is_not_does_not)
{
	autonetlink struct netlink ethtool = { 0 };

	if (netlink_open(&ethtool, "ethtool", NULL))
		SKIP("this kernel has no netlink family of ethtool");
	CHECK(netdev_answers(if_nametoindex("lo")));
	CHECK(!netdev_answers(0x7ffffff0));
}

TEST(an_unknown_interface_cannot_be_set_up)
{
	autonetlink struct netlink rt;
	struct reason why = { 0 };
	int error;

	CHECK_INT(netlink_open(&rt, NULL, &why), 0);
	error = netdev_set_up(&rt, 0x7ffffff0, true, &why);
	CHECK(error == -ENODEV || error == -EPERM);
	CHECK_CONTAINS(why.object, "interface number 2147483632");
}

/* A representor as mlx5 shows it on Linux 6.12, attributes cut to those that are read. */
static void put_link(struct nl_msg *msg)
{
	struct ifinfomsg header = { .ifi_index = 12, .ifi_flags = IFF_UP };
	const unsigned char switch_id[] = { 0x9c, 0x63, 0xc0, 0x03, 0x00, 0x12, 0x34, 0x56 };
	struct nlattr *nest;

	nlmsg_append(msg, &header, sizeof(header), NLMSG_ALIGNTO);
	nla_put_string(msg, IFLA_IFNAME, "enp129s0f0npf0vf3");
	nla_put_string(msg, 38, "pf0vf3");
	nla_put(msg, 36, sizeof(switch_id), switch_id);
	nla_put_string(msg, 56, "0000:81:00.0");
	nla_put_u32(msg, IFLA_MASTER, 5);
	nest = nla_nest_start(msg, 62);
	nla_put_string(msg, 1, "pci");
	nla_put_string(msg, 2, "0000:81:00.0");
	nla_put_u32(msg, 3, 65540);
	nla_nest_end(msg, nest);
}

TEST(reads_a_representor)
{
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, 0);
	struct netdev netdev;

	put_link(msg);
	CHECK_INT(netdev_parse_link(nlmsg_hdr(msg), &netdev), 0);
	nlmsg_free(msg);
	CHECK_STR(netdev.name, "enp129s0f0npf0v"); /* cut to what fits */
	CHECK_STR(netdev.port_name, "pf0vf3");
	CHECK_STR(netdev.switch_id, "9c63c00300123456");
	CHECK_STR(netdev.parent, "0000:81:00.0");
	CHECK(netdev.up && !netdev.carrier);
	CHECK_INT(netdev.master, 5);
	CHECK(netdev.has_devlink_port);
	CHECK_INT(netdev.devlink_index, 65540);
	CHECK_STR(netdev.devlink_device, "0000:81:00.0");
}

TEST(any_bytes_changed_in_a_link_leave_texts_that_end)
{
	uint32_t state = 1;

	for (int round = 0; round < 20000; round++) {
		struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, 0);
		struct netdev netdev;
		unsigned char *payload;

		put_link(msg);
		payload = nlmsg_data(nlmsg_hdr(msg));
		for (int i = 0; i < 3; i++) {
			state = state * 1664525u + 1013904223u;
			payload[(state >> 8) % (uint32_t)nlmsg_datalen(nlmsg_hdr(msg))] = (unsigned char)(state >> 3);
		}
		(void)netdev_parse_link(nlmsg_hdr(msg), &netdev);
		CHECK(strnlen(netdev.name, sizeof(netdev.name)) < sizeof(netdev.name));
		CHECK(strnlen(netdev.switch_id, sizeof(netdev.switch_id)) < sizeof(netdev.switch_id));
		CHECK(strnlen(netdev.devlink_device, sizeof(netdev.devlink_device)) < sizeof(netdev.devlink_device));
		nlmsg_free(msg);
	}
}

TEST(another_message_is_no_netdev)
{
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWADDR, 0);
	struct netdev netdev;

	put_link(msg);
	CHECK_INT(netdev_parse_link(nlmsg_hdr(msg), &netdev), -EPROTO);
	nlmsg_free(msg);
}

TEST(a_tc_rule_is_told_from_the_header_of_its_priority_and_from_other_messages)
{
	struct {
		struct nlmsghdr header;
		struct tcmsg tc;
	} message = { .header = { .nlmsg_len = NLMSG_LENGTH(sizeof(message.tc)), .nlmsg_type = RTM_NEWTFILTER } };

	CHECK(!tc_is_rule(&message.header));
	message.tc.tcm_handle = 1;
	CHECK(tc_is_rule(&message.header));
	message.header.nlmsg_type = RTM_NEWQDISC;
	CHECK(!tc_is_rule(&message.header));
	message.header.nlmsg_type = RTM_NEWTFILTER;
	message.header.nlmsg_len = NLMSG_LENGTH(4);
	CHECK(!tc_is_rule(&message.header));
}

/* A rule with one action that has a cookie of this length. */
static struct nl_msg *rule(const char *kind, int cookie)
{
	static const char bytes[32];
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWTFILTER, 0);
	struct tcmsg header = { .tcm_handle = 1 };
	struct nlattr *options, *list, *action;

	nlmsg_append(msg, &header, sizeof(header), NLMSG_ALIGNTO);
	nla_put_string(msg, TCA_KIND, kind);
	options = nla_nest_start(msg, TCA_OPTIONS);
	list = nla_nest_start(msg, TCA_FLOWER_ACT);
	action = nla_nest_start(msg, 1);
	nla_put_string(msg, TCA_ACT_KIND, "mirred");
	if (cookie)
		nla_put(msg, TCA_ACT_COOKIE, cookie, bytes);
	nla_nest_end(msg, action);
	nla_nest_end(msg, list);
	nla_nest_end(msg, options);
	return msg;
}

/* Whether such a rule is taken for one of Open vSwitch. */
static int is_ovs_rule(const char *kind, int cookie)
{
	struct nl_msg *msg = rule(kind, cookie);
	int is = tc_is_ovs_rule(nlmsg_hdr(msg));

	nlmsg_free(msg);
	return is;
}

TEST(a_rule_that_open_vswitch_left_is_told_from_everybody_elses)
{
	CHECK(is_ovs_rule("flower", 16));
	CHECK(!is_ovs_rule("flower", 0));
	CHECK(!is_ovs_rule("flower", 8));
	CHECK(!is_ovs_rule("matchall", 16));
}

TEST(a_network_device_without_tc_has_no_rules)
{
	autonetlink struct netlink rt;
	unsigned int count = 77;

	CHECK_INT(netlink_open(&rt, NULL, NULL), 0);
	CHECK_INT(tc_count_rules(&rt, 1, &count, NULL), 0); /* lo */
	CHECK_INT(count, 0);
}
