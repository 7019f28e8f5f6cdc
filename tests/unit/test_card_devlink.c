/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_card_devlink.c: devlink's replies, and the table of cards. */
#include "check.h"

#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include "card/card.h"
#include "card/devlink.h"

struct bitfield {
	uint32_t value, selector;
};

/* Begins a reply: the command is that of a dump before Linux 6.8, which is not that of a port. */
static struct nl_msg *reply(void)
{
	struct nl_msg *msg = nlmsg_alloc();

	genlmsg_put(msg, 0, 1, 0x15, 0, 0, 3, 1);
	nla_put_string(msg, 1, "pci");
	nla_put_string(msg, 2, "0000:81:00.0");
	return msg;
}

/* The port of VF 3 as mlx5 tells it; caps NULL: a kernel that knows none. */
static struct nl_msg *port_reply(const struct bitfield *caps)
{
	const unsigned char mac[6] = { 0x52, 0x54, 0, 0, 0, 3 };
	struct nl_msg *msg = reply();
	struct nlattr *nest;

	nla_put_u32(msg, 3, 65540);
	nla_put_u32(msg, 6, 12);
	nla_put_string(msg, 7, "eth3");
	nla_put_u16(msg, 77, DEVLINK_PCI_VF);
	nla_put_u32(msg, 150, 0);
	nla_put_u8(msg, 149, 0);
	nla_put_u16(msg, 127, 1);
	nla_put_u16(msg, 128, 3);
	nest = nla_nest_start(msg, 145);
	nla_put(msg, 1, sizeof(mac), mac);
	if (caps)
		nla_put(msg, 4, sizeof(*caps), caps);
	nla_nest_end(msg, nest);
	return msg;
}

/* Parses a reply and frees it. */
static struct devlink_port parse(struct nl_msg *msg)
{
	struct devlink_port port;

	CHECK_INT(devlink_parse_port(nlmsg_hdr(msg), &port), 0);
	nlmsg_free(msg);
	return port;
}

TEST(reads_the_port_of_a_vf)
{
	struct devlink_port port = parse(port_reply(&(struct bitfield){ 0x3, 0xf }));
	char handle[DEVLINK_HANDLE_LEN];

	CHECK_STR(devlink_port_handle(&port, handle), "pci/0000:81:00.0/65540");
	CHECK_INT(port.flavour, DEVLINK_PCI_VF);
	CHECK_INT(port.pf_number, 1);
	CHECK_INT(port.vf_number, 3);
	CHECK_INT(port.ifindex, 12);
	CHECK_STR(port.netdev, "eth3");
	CHECK(!port.external && port.has_hw_addr && port.can_migrate && port.migratable);
	CHECK_INT(port.function.roce, SWITCH_ON);
	CHECK_INT(port.hw_addr.octet[5], 3);
}

TEST(a_bit_that_is_off_is_no_missing_bit)
{
	struct devlink_port port = parse(port_reply(&(struct bitfield){ 0x1, 0x3 }));

	CHECK(port.can_migrate && !port.migratable);
}

TEST(a_bit_missing_from_the_selector_is_no_capability_even_with_a_value)
{
	struct devlink_port port = parse(port_reply(&(struct bitfield){ 0x3, 0x1 }));

	CHECK(!port.can_migrate && !port.migratable);
	CHECK_INT(port.function.roce, SWITCH_ON);
	CHECK_INT(port.function.ipsec_crypto, SWITCH_UNKNOWN);
}

TEST(reads_what_the_function_may_do)
{
	struct nl_msg *msg = port_reply(&(struct bitfield){ 0x5, 0xd });
	struct nlattr *nest = nla_nest_start(msg, 145); /* the last one counts */
	const struct bitfield caps = { 0x4, 0xd };
	struct devlink_port port;

	nla_put(msg, 4, sizeof(caps), &caps);
	nla_put_u32(msg, 6, 24);
	nla_put_u32(msg, 9, 1); /* of a kernel of tomorrow */
	nla_nest_end(msg, nest);
	port = parse(msg);
	CHECK_INT(port.function.roce, SWITCH_OFF);
	CHECK_INT(port.function.ipsec_crypto, SWITCH_ON);
	CHECK_INT(port.function.ipsec_packet, SWITCH_OFF);
	CHECK_INT(port.function.max_io_eqs, 24);
	CHECK(!port.can_migrate);
}

TEST(an_old_kernel_has_no_capabilities)
{
	struct devlink_port port = parse(port_reply(NULL));

	CHECK_INT(port.function.roce, SWITCH_UNKNOWN);
	CHECK_INT(port.function.max_io_eqs, 0);
	CHECK(!port.can_migrate && !port.migratable && port.has_hw_addr);
}

TEST(a_port_without_flavour_or_netdev_is_still_a_port)
{
	struct nl_msg *msg = reply();
	struct devlink_port port;

	nla_put_u32(msg, 3, 9);
	port = parse(msg);
	CHECK_INT(port.index, 9);
	CHECK_INT(port.ifindex, 0);
	CHECK(port.flavour != DEVLINK_PHYSICAL && port.flavour != DEVLINK_PCI_VF);
}

TEST(a_reply_without_index_is_no_port)
{
	struct nl_msg *msg = reply();
	struct devlink_port port;

	CHECK_INT(devlink_parse_port(nlmsg_hdr(msg), &port), -EPROTO);
	nlmsg_free(msg);
}

TEST(an_attribute_that_is_too_short_is_refused)
{
	struct nl_msg *msg = reply();
	struct devlink_port port;

	nla_put_u8(msg, 3, 1);
	CHECK_INT(devlink_parse_port(nlmsg_hdr(msg), &port), -EPROTO);
	nlmsg_free(msg);
}

/* A small generator of numbers, the same in every run. */
static uint32_t next_number(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

TEST(any_bytes_changed_in_a_reply_leave_texts_that_end)
{
	uint32_t state = 1;

	for (int round = 0; round < 20000; round++) {
		struct nl_msg *msg = port_reply(&(struct bitfield){ 0x3, 0xf });
		struct nlmsghdr *header = nlmsg_hdr(msg);
		struct devlink_port port;
		struct devlink_info info;

		for (int i = 0; i < 3; i++)
			((unsigned char *)nlmsg_data(header))[next_number(&state) % (uint32_t)nlmsg_datalen(header)] =
				(unsigned char)next_number(&state);
		(void)devlink_parse_port(header, &port);
		(void)devlink_parse_info(header, &info);
		CHECK(strnlen(port.bus, sizeof(port.bus)) < sizeof(port.bus));
		CHECK(strnlen(port.device, sizeof(port.device)) < sizeof(port.device));
		CHECK(strnlen(port.netdev, sizeof(port.netdev)) < sizeof(port.netdev));
		CHECK(strnlen(info.psid, sizeof(info.psid)) < sizeof(info.psid));
		nlmsg_free(msg);
	}
}

/* Adds one version to an answer of devlink info. */
static void put_version(struct nl_msg *msg, int kind, const char *name, const char *value)
{
	struct nlattr *nest = nla_nest_start(msg, kind);

	nla_put_string(msg, 103, name);
	nla_put_string(msg, 104, value);
	nla_nest_end(msg, nest);
}

TEST(reads_psid_and_both_firmware_versions)
{
	struct devlink_info info;
	struct nl_msg *msg = reply();

	nla_put_string(msg, 98, "mlx5_core");
	put_version(msg, 100, "fw.psid", "MT_0000000834");
	put_version(msg, 101, "fw.version", "28.41.1000");
	put_version(msg, 101, "fw", "generic, not wanted");
	put_version(msg, 102, "fw.version", "28.43.1014");
	put_version(msg, 102, "fw", "generic, not wanted");
	CHECK_INT(devlink_parse_info(nlmsg_hdr(msg), &info), 0);
	nlmsg_free(msg);
	CHECK_STR(info.psid, "MT_0000000834");
	CHECK_STR(info.firmware, "28.41.1000");
	CHECK_STR(info.firmware_stored, "28.43.1014");
}

TEST(takes_the_generic_firmware_version_where_there_is_no_other)
{
	struct devlink_info info;
	struct nl_msg *msg = reply();

	put_version(msg, 101, "fw", "28.41.1000");
	CHECK_INT(devlink_parse_info(nlmsg_hdr(msg), &info), 0);
	nlmsg_free(msg);
	CHECK_STR(info.firmware, "28.41.1000");
	CHECK_STR(info.psid, "");
}

TEST(a_long_version_is_cut_and_ends)
{
	struct devlink_info info;
	struct nl_msg *msg = reply();

	put_version(msg, 101, "fw.version", "28.41.1000-and-much-more-than-fits");
	CHECK_INT(devlink_parse_info(nlmsg_hdr(msg), &info), 0);
	nlmsg_free(msg);
	CHECK_INT(strlen(info.firmware), sizeof(info.firmware) - 1);
}

TEST(migratable_without_the_capability_is_refused_before_the_kernel_is_asked)
{
	const struct devlink_port port = { .bus = "pci", .device = "0000:81:00.0", .index = 1 };
	struct netlink none = { 0 };
	struct reason why = { 0 };

	CHECK_INT(devlink_port_set_migratable(&none, &port, true, &why), -EOPNOTSUPP);
	CHECK_STR(why.object, "pci/0000:81:00.0/1");
	CHECK_CONTAINS(why.cure, "VF_MIGRATION_MODE=2");
}

TEST(an_unknown_eswitch_mode_is_never_set)
{
	const struct pci_address pf = { .bus = 0x81 };
	struct netlink none = { 0 };
	struct reason why = { 0 };

	CHECK_INT(devlink_eswitch_set(&none, &pf, ESWITCH_UNKNOWN, &why), -EINVAL);
	CHECK_STR(why.object, "0000:81:00.0");
}

TEST(a_refused_mode_is_understood_by_the_kernels_words)
{
	CHECK_INT(devlink_eswitch_refusal(-EINVAL, "Can't change mode, E-Switch is busy"), ESWITCH_REFUSED_FOR_NOW);
	CHECK_INT(devlink_eswitch_refusal(-EBUSY, "the kernel refused"), ESWITCH_REFUSED_FOR_NOW);
	CHECK_INT(devlink_eswitch_refusal(-EINVAL, "the kernel refused"), ESWITCH_FAILED);
	CHECK_INT(devlink_eswitch_refusal(-EIO, "Failed setting eswitch to legacy"), ESWITCH_FAILED);
	CHECK_INT(devlink_eswitch_refusal(-EPERM, "multi-PF netdev (Socket Direct) is configured."), ESWITCH_REFUSED);
	CHECK_INT(devlink_eswitch_refusal(-EPERM, "run as somebody else"), ESWITCH_REFUSED);
	CHECK_CONTAINS(devlink_refusal_cure(-EPERM, "netdev net namespace has diverged from the devlink's."), "network namespace");
	CHECK_CONTAINS(devlink_refusal_cure(-EINVAL, "netdev net namespace has diverged from the devlink's."), "network namespace");
	CHECK_CONTAINS(devlink_refusal_cure(-EBUSY, "E-Switch is busy"), "Open vSwitch");
}

TEST(two_kinds_of_cards_can_migrate_vfs_and_each_has_a_row)
{
	int can_migrate = 0;

	for (const struct card *card = card_table(); card->vendor; card++) {
		can_migrate += card->can_migrate;
		CHECK(card_find(card->vendor, card->device) == card);
		CHECK_INT(card->can_migrate, card->profile != CARD_NO_PROFILE);
		CHECK_INT(card->can_migrate, card->firmware != 0);
	}
	CHECK_INT(can_migrate, 2);
	CHECK_INT(card_find(0x15b3, 0x1021)->profile, CARD_CONNECTX_7);
	CHECK_INT(card_find(0x15b3, 0xa2dc)->profile, CARD_BLUEFIELD_3);
	CHECK_STR(card_find(0x15b3, 0x1021)->name, "ConnectX-7");
	CHECK_STR(card_find(0x15b3, 0xa2dc)->name, "BlueField-3");
	CHECK(card_find(0x15b3, 0x101e) == NULL); /* a VF */
	CHECK(card_find(0x8086, 0x1021) == NULL);
}
