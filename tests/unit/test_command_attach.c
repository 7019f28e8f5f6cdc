/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_command_attach.c: what vferry attach chooses on a recorded host, and what it takes on the command line. libvirt is not called.
 */
#include "command_call.h"

#include "command/attach/attach.h"
#include "command/attach/choose.h"
#include "command/attach/detach.h"
#include "command/attach/open.h"

#define GUEST "11111111-2222-3333-4444-555555555555"

static struct attachment a;
static struct call call;

/* A row of vferry's as the program guest runs it. */
static struct command as_guest(const struct command *row, int (*run)(struct call *call))
{
	struct command guest = *row;

	guest.run = run;
	return guest;
}

/* A guest's XML with one VF by address. */
static char *guest_xml(const char *name, const char *uuid, const char *mac, const char *slot, const char *function)
{
	char *xml;

	CHECK(asprintf(&xml, "<domain><name>%s</name><uuid>%s</uuid><devices><interface type='hostdev' managed='yes'><mac address='%s'/>"
		       "<source><address type='pci' domain='0x0000' bus='0x81' slot='%s' function='%s'/></source></interface></devices></domain>",
		       name, uuid, mac, slot, function) > 0);
	return xml;
}

/* An attachment on a recorded host whose guests have these XMLs. */
static void look(const char *host, struct known_xml *known, size_t knowns)
{
	struct reason why = { 0 };

	call = (struct call){ .command = &command_attach, .inventory = recorded(host), .in = stdin, .out = stdout, .err = stderr };
	a = (struct attachment){ .call = &call, .known = known, .knowns = knowns, .tag = -1 };
	config_defaults(&call.config);
	if (attach_look(&a, &why))
		FAIL("%s", why.what);
}

static void give_back(void)
{
	for (size_t i = 0; i < a.knowns; i++)
		free(a.known[i].xml);
	view_release(&a.view);
}

TEST(a_vf_that_nobody_has_and_a_mac_of_its_own_are_chosen)
{
	char vf[PCI_ADDRESS_LEN], mac[MAC_ADDRESS_LEN];

	look("host-ready.json", NULL, 0);
	CHECK_INT(attach_choose(&a, NULL), 0);
	CHECK_STR(pci_address_format(&a.vf, vf), "0000:81:00.2");
	CHECK_STR(a.bridge, "br-vferry");
	CHECK(a.has_vf);
	mac_address_format(&a.mac, mac);
	CHECK(strncmp(mac, "52:", 3) == 0 && strncmp(mac, "52:54:", 6) && mac_address_is_unicast(&a.mac));
	give_back();
}

/* Forty bits of a MAC are made by chance: each is 0 now and 1 then, and no two of these are alike (but once in 2^40 / 2016 runs). */
TEST(macs_that_are_made_differ_in_forty_bits)
{
	enum { MANY = 64 };
	struct mac_address made[MANY];
	uint8_t ones[MAC_ADDRESS_LEN] = { 0 }, zeros[MAC_ADDRESS_LEN] = { 0 };

	look("host-ready.json", NULL, 0);
	for (int i = 0; i < MANY; i++) {
		CHECK_INT(attach_choose(&a, NULL), 0);
		made[i] = a.mac;
		for (int k = 0; k < i; k++)
			CHECK(!mac_address_equal(&made[i], &made[k]));
		for (size_t k = 1; k < sizeof(made[i].octet); k++) {
			ones[k] |= made[i].octet[k];
			zeros[k] |= (uint8_t)~made[i].octet[k];
		}
	}
	for (size_t k = 1; k < sizeof(made[0].octet); k++)
		CHECK_INT(ones[k] & zeros[k], 0xff);
	give_back();
}

TEST(a_vf_that_a_definition_names_is_not_given_away)
{
	struct known_xml known[] = { { .name = "db1", .is_stored = true,
				       .xml = guest_xml("db1", GUEST, "52:54:00:00:00:01", "0x00", "0x2") },
				     { .name = "db2", .is_stored = true,
				       .xml = guest_xml("db2", "21111111-2222-3333-4444-555555555555", "52:54:00:00:00:02", "0x00", "0x3") } };
	char vf[PCI_ADDRESS_LEN];

	look("host-ready.json", known, 2);
	CHECK_INT(attach_choose(&a, NULL), 0);
	CHECK_STR(pci_address_format(&a.vf, vf), "0000:81:00.4");
	give_back();
}

TEST(who_runs_and_who_is_expected_keeps_its_vf)
{
	char vf[PCI_ADDRESS_LEN];

	look("host-busy.json", NULL, 0);
	CHECK_INT(attach_choose(&a, NULL), 0);
	CHECK_STR(pci_address_format(&a.vf, vf), "0000:81:00.6");
	give_back();
}

TEST(a_mac_that_a_guest_has_is_refused_with_its_name)
{
	struct known_xml known[] = { { .name = "db1", .xml = guest_xml("db1", GUEST, "52:54:00:aa:bb:01", "0x00", "0x2") } };
	struct reason why = { 0 };

	look("host-ready.json", known, 1);
	call.mac = "52:54:00:AA:BB:01";
	CHECK_INT(mac_address_parse(call.mac, &a.mac), 0);
	CHECK_INT(attach_choose(&a, &why), -EEXIST);
	CHECK_CONTAINS(why.what, "a device of db1 has this MAC");
	give_back();
}

TEST(a_pf_that_is_not_there_is_named)
{
	struct reason why = { 0 };

	look("host-ready.json", NULL, 0);
	call.pf = "0000:99:00.0";
	CHECK_INT(attach_choose(&a, &why), -ENODEV);
	CHECK_STR(why.object, "0000:99:00.0");
	CHECK_CONTAINS(why.what, "this host has no such PF");
	give_back();
}

TEST(a_network_that_is_no_pool_is_named)
{
	struct reason why = { 0 };

	look("host-ready.json", NULL, 0);
	CHECK_INT(sysroot_set(check_scratch()), 0);
	call.network = "default";
	CHECK_INT(attach_choose(&a, &why), -ENODEV);
	CHECK_INT(sysroot_set(""), 0);
	CHECK_CONTAINS(why.what, "no active network of libvirt that is a pool of VFs");
	give_back();
}

TEST(wrong_use_is_explained)
{
	static const struct {
		const char *option, *value, *words;
	} cases[] = {
		{ "--mac", "52:54:00:12:34", "is no MAC of a device" },
		{ "--mac", "01:00:5e:00:00:01", "is no MAC of a device" },
		{ "--vlan", "0", "--vlan is a number from 1 to 4094, not '0'" },
		{ "--vlan", "4095", "--vlan is a number from 1 to 4094" },
		{ "--vlan", "-1", "--vlan is a number from 1 to 4094" },
		{ "--vlan", "4x", "--vlan is a number from 1 to 4094" },
	};

	const struct command attach = as_guest(&command_attach, attach_command), detach = as_guest(&command_detach, detach_command);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct command_result r = call_command(&attach, NULL, "guest1", cases[i].option, cases[i].value, "--settings",
						       "/nonexistent/vferry.conf", NULL);

		CHECK_INT(r.status, COMMAND_USAGE);
		CHECK_CONTAINS(r.err, cases[i].words);
	}
	CHECK_INT(call_command(&attach, NULL, "--settings", "/nonexistent/vferry.conf", NULL).status, COMMAND_USAGE);
	CHECK_INT(call_command(&detach, NULL, "guest1", "--mac", "nonsense", "--settings", "/nonexistent/vferry.conf", NULL).status,
		  COMMAND_USAGE);
}

TEST(a_pool_has_its_pf)
{
	const struct command attach = as_guest(&command_attach, attach_command);
	struct command_result r = call_command(&attach, NULL, "guest1", "--pf", "p", "--network", "n", "--settings",
					       "/nonexistent/vferry.conf", NULL);

	CHECK_INT(r.status, COMMAND_USAGE);
	CHECK_CONTAINS(r.err, "give --pf or --network");
}
