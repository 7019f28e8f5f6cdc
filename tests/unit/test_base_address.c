/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ethernet and PCI addresses. */
#include "check.h"

#include "base/mac_address.h"
#include "base/pci_address.h"

TEST(reads_a_mac_address_in_either_case)
{
	struct mac_address mac;
	char text[MAC_ADDRESS_LEN];

	CHECK_INT(mac_address_parse("52:54:00:Ab:cD:ef", &mac), 0);
	CHECK_STR(mac_address_format(&mac, text), "52:54:00:ab:cd:ef");
}

TEST(refuses_what_is_no_mac_address_and_leaves_the_result_alone)
{
	static const char *const bad[] = {"",         "52:54:00:12:34",     "52:54:00:12:34:56:78", "52-54-00-12-34-56", "525400123456",
					  "52:54:00:12:34:5g", " 52:54:00:12:34:56", "52:54:00:12:34:56\n", "5:54:00:12:34:567",
					  "+2:54:00:12:34:56"};
	struct mac_address mac = {{1, 2, 3, 4, 5, 6}};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (mac_address_parse(bad[i], &mac) != -EINVAL)
			FAIL("accepted \"%s\"", bad[i]);
	CHECK_INT(mac_address_parse(NULL, &mac), -EINVAL);
	CHECK_INT(mac.octet[0], 1);
	CHECK_INT(mac.octet[5], 6);
}

TEST(tells_unicast_from_group_and_zero_addresses)
{
	struct mac_address station = {{0x52, 0x54}}, group = {{0x01, 0x00, 0x5e}}, zero = {{0}};

	CHECK(mac_address_is_unicast(&station) && !mac_address_is_zero(&station));
	CHECK(!mac_address_is_unicast(&group));
	CHECK(!mac_address_is_unicast(&zero) && mac_address_is_zero(&zero));
	CHECK(mac_address_equal(&group, &group) && !mac_address_equal(&group, &station));
}

TEST(reads_and_writes_a_pci_address_as_the_kernel_does)
{
	struct pci_address address;
	char text[PCI_ADDRESS_LEN];

	CHECK_INT(pci_address_parse("0000:81:1F.7", &address), 0);
	CHECK_INT(address.domain, 0);
	CHECK_INT(address.bus, 0x81);
	CHECK_INT(address.slot, 0x1f);
	CHECK_INT(address.function, 7);
	CHECK_STR(pci_address_format(&address, text), "0000:81:1f.7");
	CHECK_INT(pci_address_parse("10000:00:02.0", &address), 0);
	CHECK_INT(address.domain, 0x10000);
	CHECK_STR(pci_address_format(&address, text), "10000:00:02.0");
}

TEST(refuses_what_is_no_pci_address_and_leaves_the_result_alone)
{
	static const char *const bad[] = {"",   "81:00.1",        "0000:81:00",     "0000:81:00.8",  "0000:81:20.0",  "0000:81:00.1 ",
					  "000:81:00.1", "000000:81:00.1", "0000:181:00.1", "0000:81:00.1\n", "0x00:81:00.1", "0000:81:00.",
					  "0000:81:0.1", "../0000:81:00.1"};
	struct pci_address address = {1, 2, 3, 4};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (pci_address_parse(bad[i], &address) != -EINVAL)
			FAIL("accepted \"%s\"", bad[i]);
	CHECK_INT(pci_address_parse(NULL, &address), -EINVAL);
	CHECK_INT(address.domain, 1);
	CHECK_INT(address.function, 4);
}

TEST(every_pci_address_comes_back_from_its_text)
{
	for (unsigned int id = 0; id <= 0xffff; id++) {
		struct pci_address in = {id * 16 + id % 16, (uint8_t)(id >> 8), id >> 3 & 0x1f, id & 7}, out;
		char text[PCI_ADDRESS_LEN];

		CHECK_INT(pci_address_parse(pci_address_format(&in, text), &out), 0);
		CHECK(pci_address_equal(&in, &out));
	}
}

TEST(orders_pci_addresses_by_domain_bus_slot_function)
{
	static const char *const sorted[] = {"0000:00:00.0", "0000:00:00.1", "0000:00:01.0", "0000:01:00.0", "0001:00:00.0", "ffff:00:00.0",
					     "10000:00:00.0"};

	for (size_t i = 0; i + 1 < sizeof(sorted) / sizeof(sorted[0]); i++) {
		struct pci_address a, b;

		CHECK_INT(pci_address_parse(sorted[i], &a), 0);
		CHECK_INT(pci_address_parse(sorted[i + 1], &b), 0);
		CHECK(pci_address_compare(&a, &b) < 0 && pci_address_compare(&b, &a) > 0);
		CHECK_INT(pci_address_compare(&a, &a), 0);
	}
}

/* Returns the text of a VF's address, or "none". */
static const char *vf(const char *pf_text, unsigned int offset, unsigned int stride, unsigned int index)
{
	static char text[PCI_ADDRESS_LEN];
	struct pci_address pf, out;

	CHECK_INT(pci_address_parse(pf_text, &pf), 0);
	return pci_address_vf(&pf, offset, stride, index, &out) ? "none" : pci_address_format(&out, text);
}

TEST(computes_the_address_of_a_vf)
{
	CHECK_STR(vf("0000:81:00.0", 1, 1, 0), "0000:81:00.1");
	CHECK_STR(vf("0000:81:00.0", 1, 1, 7), "0000:81:01.0");
	CHECK_STR(vf("0000:81:00.1", 15, 1, 0), "0000:81:02.0");
	CHECK_STR(vf("0002:81:00.0", 2, 2, 126), "0002:81:1f.6");
	CHECK_STR(vf("0000:81:00.0", 256, 2, 0), "0000:82:00.0");
}

TEST(says_when_a_vf_would_leave_the_domain)
{
	CHECK_STR(vf("0000:ff:1f.6", 1, 1, 0), "0000:ff:1f.7");
	CHECK_STR(vf("0000:ff:1f.7", 1, 1, 0), "none");
	CHECK_STR(vf("0000:00:00.0", 4294967295u, 4294967295u, 4294967295u), "none");
}
