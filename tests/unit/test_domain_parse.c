/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading domain XML: devices, passports, and what is refused. */
#include "check.h"

#include "domain/domain.h"

#define UUID "<uuid>9e0c7f57-b8d6-4b29-8c3e-20d1f7a65b44</uuid>"
#define HEAD "<domain type='kvm'><name>g</name>" UUID
#define SOURCE(bus, slot, function) "<source><address type='pci' domain='0x0000' bus='" bus "' slot='" slot "' function='" function "'/></source>"
#define INTERFACE(inner) HEAD "<devices><interface type='hostdev'>" inner "</interface></devices></domain>"
#define PASSPORT(inner) HEAD "<metadata><vf:passport xmlns:vf='urn:vferry:passport:1' version='1'>" inner "</vf:passport></metadata></domain>"

static struct domain domain;

/* Parses a text that must be accepted into domain. */
static void accept(const char *text)
{
	struct reason why = {0};

	domain_release(&domain);
	if (domain_parse(text, strlen(text), &domain, &why) != 0)
		FAIL("refused: %s: %.300s", why.what, text);
}

/* Parses a file of data/domain into domain. */
static void accept_file(const char *name)
{
	char path[128], *text;

	snprintf(path, sizeof(path), "data/domain/%s", name);
	text = CHECK_DATA(path, NULL);
	accept(text);
	free(text);
}

/* Parses bytes that must be refused with an error. Returns the sentence. */
static const char *refusal_of(const char *text, size_t len, int error)
{
	static struct reason why;
	struct domain refused;
	int result = domain_parse(text, len, &refused, &why);

	if (result == 0)
		domain_release(&refused);
	if (result != error)
		FAIL("result %d, not %d, for %.300s", result, error, text);
	for (size_t i = 0; i < sizeof(refused); i++)
		CHECK_INT(((const unsigned char *)&refused)[i], 0);
	CHECK_INT(why.error, error);
	return why.what;
}

/* Parses a text that must be refused with -EINVAL. Returns the sentence. */
static const char *refusal(const char *text)
{
	return refusal_of(text, strlen(text), -EINVAL);
}

/* Appends to a text in an array of its own. */
#define APPEND(text, ...) snprintf((text) + strlen(text), sizeof(text) - strlen(text), __VA_ARGS__)

/* Returns the text of an address (static). */
static const char *address(const struct pci_address *pci)
{
	static char text[PCI_ADDRESS_LEN];

	return pci_address_format(pci, text);
}

TEST(finds_the_host_devices_of_a_guest_in_their_order)
{
	accept_file("interface.xml");
	CHECK_STR(domain.name, "web-07");
	CHECK_STR(domain.uuid, "5b2f9c1e-0d3a-4f6b-9a7c-1e2d3c4b5a69");
	CHECK(!domain.has_iommu);
	CHECK_INT(domain.hostdevs, 3);
	CHECK_INT(domain.hostdev[0].kind, HOSTDEV_INTERFACE);
	CHECK(domain.hostdev[0].managed && domain.hostdev[0].has_source && domain.hostdev[0].has_mac && domain.hostdev[0].has_guest);
	CHECK_STR(address(&domain.hostdev[0].source), "0000:81:00.2");
	CHECK_STR(address(&domain.hostdev[0].guest), "0000:05:00.0");
	CHECK_STR(domain.hostdev[0].model, "mlx5_vfio_pci");
	CHECK(!domain.hostdev[0].extras);
	CHECK_INT(domain.hostdev[1].kind, HOSTDEV_INTERFACE);
	CHECK(!domain.hostdev[1].managed && domain.hostdev[1].extras == EXTRA_VLAN);
	CHECK_STR(domain.hostdev[1].model, "");
	CHECK_INT(domain.hostdev[2].kind, HOSTDEV_PLAIN);
	CHECK(!domain.hostdev[2].managed && !domain.hostdev[2].has_mac);
	CHECK_STR(address(&domain.hostdev[2].source), "0000:81:00.4");
	CHECK_STR(address(&domain.hostdev[2].guest), "0000:06:00.0");
	domain_release(&domain);
}

TEST(matches_passport_entries_by_mac_for_interfaces_and_by_guest_address_for_plain_hostdevs)
{
	accept_file("interface.xml");
	CHECK(domain.passport.present);
	CHECK_INT(domain.passport.vfs, 2);
	CHECK_INT(domain.passport.ignored, 0);
	CHECK(domain.hostdev[0].passport == &domain.passport.vf[0]);
	CHECK(domain.hostdev[1].passport == NULL);
	CHECK(domain.hostdev[2].passport == &domain.passport.vf[1]);
	CHECK_STR(domain.passport.vf[0].psid, "MT_0000000834");
	CHECK_STR(domain.passport.vf[0].firmware, "28.43.1014");
	CHECK_STR(domain.passport.vf[0].bridge, "br-vferry");
	CHECK(domain.passport.vf[0].has_pf);
	CHECK_STR(address(&domain.passport.vf[0].pf), "0000:81:00.0");
	CHECK_STR(domain.passport.vf[1].bridge, "");
	domain_release(&domain);
}

TEST(takes_network_interfaces_as_candidates_and_sees_a_viommu)
{
	accept_file("pool.xml");
	CHECK(domain.has_iommu);
	CHECK_STR(domain.iommu_model, "intel");
	CHECK_INT(domain.hostdevs, 2);
	CHECK_INT(domain.hostdev[0].kind, HOSTDEV_POOL);
	CHECK_STR(domain.hostdev[0].network, "default");
	CHECK_STR(domain.hostdev[1].network, "cx7-pool");
	CHECK(!domain.hostdev[1].has_source && domain.hostdev[1].has_mac && domain.hostdev[1].has_guest);
	CHECK(!domain.passport.present);
	domain_release(&domain);
}

TEST(sees_every_model_of_viommu)
{
	static const char *const model[] = {"intel", "amd", "smmuv3", "virtio"};

	for (size_t i = 0; i < 4; i++) {
		char text[512];

		snprintf(text, sizeof(text), HEAD "<devices><iommu model='%s'/></devices></domain>", model[i]);
		accept(text);
		CHECK(domain.has_iommu);
		CHECK_STR(domain.iommu_model, model[i]);
	}
	accept(HEAD "<devices><iommu/></devices></domain>");
	CHECK(domain.has_iommu);
	CHECK_STR(domain.iommu_model, "");
	domain_release(&domain);
}

TEST(refuses_a_namespace_that_would_be_printed_as_broken_xml)
{
	accept(HEAD "<metadata><a:b xmlns:a='urn:x&lt;y'/></metadata></domain>"); /* this is printed as it came */
	domain_release(&domain);
	accept(HEAD "<sysinfo><a:b xmlns:a='urn:x?y=1;z'/></sysinfo></domain>");
	CHECK_STR(refusal(HEAD "<sysinfo><a:b xmlns:a='urn:x&lt;y'/></sysinfo></domain>"),
		  "the domain XML has a namespace with a character that no URI has, line 1");
	CHECK_STR(refusal(HEAD "<sysinfo>\n<c><d/></c><a xmlns='urn:x&amp;y'/></sysinfo></domain>"),
		  "the domain XML has a namespace with a character that no URI has, line 2");
}

TEST(ignores_devices_of_other_kinds)
{
	accept(HEAD "<devices><hostdev mode='subsystem' type='scsi'/><hostdev mode='capabilities' type='pci'/>"
	       "<interface type='hostdev'><source><address type='usb' bus='1' device='2'/></source></interface>"
	       "<x:interface xmlns:x='urn:x' type='hostdev'/><interface x:type='hostdev' xmlns:x='urn:x'/>"
	       "<interface type='network'/></devices>"
	       "<interface type='hostdev'>" SOURCE("0x81", "0x00", "0x1") "</interface></domain>");
	CHECK_INT(domain.hostdevs, 0);
	domain_release(&domain);
}

TEST(a_hostdev_without_source_is_found_but_has_none)
{
	accept(INTERFACE("<mac address='52:54:00:00:00:01'/>"));
	CHECK_INT(domain.hostdevs, 1);
	CHECK(!domain.hostdev[0].has_source);
	CHECK_INT(domain_set_source(&domain, 0, &(struct pci_address){0}), -EINVAL);
	domain_release(&domain);
}

TEST(reads_numbers_of_addresses_as_libvirt_does)
{
	accept(INTERFACE("<source><address type='pci' bus='129' slot='010' function='1'/></source>"));
	CHECK_STR(address(&domain.hostdev[0].source), "0000:81:08.1");
	accept(INTERFACE("<source><address type='pci' domain='0x12345' bus='0XFF' slot='0x1f' function='0x7'/></source>"));
	CHECK_STR(address(&domain.hostdev[0].source), "12345:ff:1f.7");
	domain_release(&domain);
}

TEST(refuses_addresses_out_of_range)
{
	CHECK_CONTAINS(refusal(INTERFACE(SOURCE("0x100", "0x00", "0x1"))), "the PCI address in line 1 is no PCI address");
	CHECK_CONTAINS(refusal(INTERFACE(SOURCE("0x81", "0x20", "0x1"))), "is no PCI address");
	CHECK_CONTAINS(refusal(INTERFACE(SOURCE("0x81", "0x00", "0x8"))), "is no PCI address");
	CHECK_CONTAINS(refusal(INTERFACE(SOURCE("-1", "0x00", "0x1"))), "is no PCI address");
	CHECK_CONTAINS(refusal(INTERFACE(SOURCE("", "0x00", "0x1"))), "is no PCI address");
	CHECK_CONTAINS(refusal(INTERFACE(SOURCE("0x81 ", "0x00", "0x1"))), "is no PCI address");
	CHECK_CONTAINS(refusal(INTERFACE(SOURCE("0x8100000000000000", "0x00", "0x1"))), "is no PCI address");
	CHECK_CONTAINS(refusal(INTERFACE("<source><address type='pci' domain='0x100000'/></source>")), "is no PCI address");
	CHECK_CONTAINS(refusal(INTERFACE("<address type='pci' bus='0x05' slot='0x33'/>")), "is no PCI address");
}

TEST(refuses_doubled_elements_that_two_readers_could_read_differently)
{
	const char *one = SOURCE("0x81", "0x00", "0x1");
	char text[1024];

	snprintf(text, sizeof(text), INTERFACE("%s%s"), one, one);
	CHECK_STR(refusal(text), "<interface> in line 1 has more than one <source>");
	CHECK_STR(refusal(INTERFACE("<source><address/><address/></source>")), "<source> in line 1 has more than one <address>");
	CHECK_STR(refusal(INTERFACE("<mac address='52:54:00:00:00:01'/><mac address='52:54:00:00:00:02'/>")),
		  "<interface> in line 1 has more than one <mac>");
	CHECK_STR(refusal(INTERFACE("<driver model='a'/><driver model='b'/>")), "<interface> in line 1 has more than one <driver>");
	CHECK_STR(refusal(INTERFACE("<address type='pci'/><address type='pci'/>")), "<interface> in line 1 has more than one <address>");
	CHECK_STR(refusal(HEAD UUID "</domain>"), "<domain> in line 1 has more than one <uuid>");
	CHECK_STR(refusal(HEAD "<name>h</name></domain>"), "<domain> in line 1 has more than one <name>");
	CHECK_STR(refusal(HEAD "<metadata/><metadata/></domain>"), "<domain> in line 1 has more than one <metadata>");
}

TEST(refuses_a_wrong_mac_and_an_endless_driver_model)
{
	char text[512];

	CHECK_STR(refusal(INTERFACE("<mac address='52:54:00:00:00'/>")), "the MAC address in line 1 is no MAC address");
	CHECK_STR(refusal(INTERFACE("<mac/>")), "the MAC address in line 1 is no MAC address");
	snprintf(text, sizeof(text), INTERFACE("<driver model='%0100d'/>"), 0);
	CHECK_STR(refusal(text), "the driver model in line 1 is too long");
}

TEST(refuses_what_is_not_a_domain_with_a_name_and_a_uuid)
{
	CHECK_STR(refusal("<network><name>x</name></network>"), "the domain XML is not a <domain>");
	CHECK_STR(refusal("<domain xmlns='urn:x'><name>g</name>" UUID "</domain>"), "the domain XML is not a <domain>");
	CHECK_STR(refusal("<x:domain xmlns:x='urn:x'/>"), "the domain XML is not a <domain>");
	CHECK_STR(refusal("<domain><name>g</name></domain>"), "the domain XML has no valid <uuid>");
	CHECK_STR(refusal("<domain xmlns:x='urn:x'><name>g</name><x:uuid>9e0c7f57-b8d6-4b29-8c3e-20d1f7a65b44</x:uuid></domain>"),
		  "the domain XML has no valid <uuid>");
	CHECK_STR(refusal("<domain><name>g</name><uuid>9e0c7f57-b8d6-4b29-8c3e-20d1f7a65b4</uuid></domain>"),
		  "the domain XML has no valid <uuid>");
	CHECK_STR(refusal("<domain><name>g</name><uuid>9e0c7f57-b8d6-4b29-8c3e-20d1f7a65b44a</uuid></domain>"),
		  "the domain XML has no valid <uuid>");
	CHECK_STR(refusal("<domain><name>g</name><uuid>9e0c7f57-b8d6-4b29-8c3e-20d1f7a65b4/</uuid></domain>"),
		  "the domain XML has no valid <uuid>");
	CHECK_STR(refusal("<domain>" UUID "</domain>"), "the domain XML has no valid <name>");
	CHECK_STR(refusal("<domain><name></name>" UUID "</domain>"), "the domain XML has no valid <name>");
}

TEST(refuses_names_that_libvirt_never_writes)
{
	char text[600];

	CHECK_STR(refusal("<domain><name>../../etc</name>" UUID "</domain>"), "the domain XML has no valid <name>");
	CHECK_STR(refusal("<domain><name>a\nb</name>" UUID "</domain>"), "the domain XML has no valid <name>");
	snprintf(text, sizeof(text), "<domain><name>%0256d</name>" UUID "</domain>", 0);
	CHECK_STR(refusal(text), "the domain XML has no valid <name>");
}

TEST(keeps_a_name_as_given_for_others_to_clean)
{
	char shown[DOMAIN_NAME_MAX];

	accept("<domain><name>a\xe2\x80\xae&#9;b</name>" UUID "</domain>");
	CHECK_STR(domain.name, "a\xe2\x80\xae\tb");
	reason_clean(shown, sizeof(shown), domain.name);
	CHECK_STR(shown, "a??b");
	domain_release(&domain);
}

TEST(refuses_a_document_type_with_a_sentence)
{
	const char *sentence = "the domain XML has a document type declaration";

	CHECK_STR(refusal("<!DOCTYPE domain>" HEAD "</domain>"), sentence);
	CHECK_STR(refusal("<!DOCTYPE domain SYSTEM 'file:///etc/passwd'>" HEAD "</domain>"), sentence);
	CHECK_STR(refusal("<?xml version='1.0'?>\n<!-- a -->\n<!DOCTYPE domain [<!ENTITY a 'b'>]>" HEAD "<title>&a;</title></domain>"), sentence);
	CHECK_STR(refusal("<!DOCTYPE domain [<!ENTITY % x SYSTEM 'http://127.0.0.1:9/x'> %x;]>" HEAD "</domain>"), sentence);
}

TEST(refuses_an_entity_bomb_at_once)
{
	char text[4096] = "<!DOCTYPE domain [<!ENTITY e0 'hahaha'>";

	for (int i = 1; i < 20; i++)
		APPEND(text, "<!ENTITY e%d '&e%d;&e%d;&e%d;&e%d;&e%d;&e%d;&e%d;&e%d;'>", i, i - 1, i - 1, i - 1,
			 i - 1, i - 1, i - 1, i - 1, i - 1);
	APPEND(text, "]>" HEAD "<title>&e19;</title></domain>");
	CHECK_STR(refusal(text), "the domain XML has a document type declaration");
}

TEST(refuses_an_entity_that_nobody_declared)
{
	CHECK_CONTAINS(refusal(HEAD "<title>&secret;</title></domain>"), "the domain XML does not parse, line 1: Entity 'secret' not defined");
}

TEST(reads_the_five_entities_of_xml_and_character_references)
{
	accept("<domain><name>a&amp;b&lt;&gt;&quot;&apos;&#65;&#x42;</name>" UUID "</domain>");
	CHECK_STR(domain.name, "a&b<>\"'AB");
	domain_release(&domain);
}

TEST(refuses_malformed_xml_and_names_the_line)
{
	CHECK_STR(refusal_of("", 0, -EINVAL), "the domain XML is empty");
	CHECK_CONTAINS(refusal("<domain>\n<name>\n</domain>"), "the domain XML does not parse, line 3: ");
	CHECK_CONTAINS(refusal(HEAD), "does not parse");
	CHECK_CONTAINS(refusal(HEAD "</domain><domain/>"), "does not parse");
	CHECK_CONTAINS(refusal(INTERFACE("<mac address='52:54:00:00:00:01' address='52:54:00:00:00:02'/>")), "does not parse");
	CHECK_CONTAINS(refusal("just words"), "does not parse");
	CHECK_CONTAINS(refusal(HEAD "<title>\xff\xfe</title></domain>"), "does not parse");
	CHECK_CONTAINS(refusal(HEAD "<title>\x01</title></domain>"), "does not parse");
}

TEST(refuses_a_zero_byte)
{
	static const char text[] = HEAD "\0</domain>";

	CHECK_STR(refusal_of(text, sizeof(text) - 1, -EINVAL), "the domain XML holds a zero byte");
}

TEST(refuses_other_encodings)
{
	static const char utf16[] = "\xff\xfe<\0d\0/\0>\0";

	CHECK_STR(refusal_of(utf16, sizeof(utf16) - 1, -EINVAL), "the domain XML is not in UTF-8");
	CHECK_STR(refusal("\xfe\xff"), "the domain XML is not in UTF-8");
	CHECK_STR(refusal("<?xml version='1.0' encoding='ISO-8859-1'?>" HEAD "</domain>"), "the domain XML is not in UTF-8");
	accept("<?xml version='1.0' encoding='utf-8'?>" HEAD "</domain>");
	accept("\xef\xbb\xbf" HEAD "</domain>");
	domain_release(&domain);
}

TEST(refuses_nesting_without_end)
{
	size_t depth = 100000, used = 0;
	char *text = malloc(depth * 7 + 64);

	CHECK(text != NULL);
	for (size_t i = 0; i < depth; i++, used += 3)
		memcpy(text + used, "<a>", 3);
	for (size_t i = 0; i < depth; i++, used += 4)
		memcpy(text + used, "</a>", 4);
	CHECK_CONTAINS(refusal_of(text, used, -EINVAL), "does not parse");
	free(text);
}

TEST(refuses_more_than_the_bound_without_parsing_it)
{
	size_t size = 20u << 20;
	char *text = malloc(size);

	CHECK(text != NULL);
	memset(text, ' ', size);
	CHECK_STR(refusal_of(text, size, -E2BIG), "the domain XML is longer than 16 MiB");
	free(text);
}

TEST(takes_a_long_but_ordinary_domain)
{
	char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);

	CHECK(memory != NULL);
	fputs(HEAD, memory);
	for (int i = 0; i < 780000; i++)
		fputs("<x y='0123456789'/>\n", memory);
	fputs("</domain>", memory);
	CHECK_INT(fclose(memory), 0);
	CHECK(size > 15000000 && size < DOMAIN_XML_MAX);
	accept(text);
	domain_release(&domain);
	free(text);
}

TEST(a_pool_interface_with_an_endless_network_name_is_no_candidate)
{
	char text[1024];

	snprintf(text, sizeof(text), HEAD "<devices><interface type='network'><source network='%0300d'/></interface></devices></domain>", 0);
	accept(text);
	CHECK_INT(domain.hostdevs, 0);
	domain_release(&domain);
}

TEST(reads_a_passport_only_where_and_as_it_belongs)
{
	accept(PASSPORT("<vf:vf mac='52:54:00:00:00:01'/>"));
	CHECK(domain.passport.present);
	CHECK_INT(domain.passport.vfs, 1);
	accept(HEAD "<metadata><passport version='1'><vf mac='52:54:00:00:00:01'/></passport></metadata></domain>");
	CHECK(!domain.passport.present);
	accept(HEAD "<metadata><x><vf:passport xmlns:vf='urn:vferry:passport:1' version='1'/></x></metadata></domain>");
	CHECK(!domain.passport.present);
	accept(HEAD "<vf:passport xmlns:vf='urn:vferry:passport:1' version='1'/></domain>");
	CHECK(!domain.passport.present);
	accept(PASSPORT("<vf mac='52:54:00:00:00:01'/><x><vf:vf mac='52:54:00:00:00:02'/></x>"));
	CHECK(domain.passport.present);
	CHECK_INT(domain.passport.vfs, 0);
	domain_release(&domain);
}

TEST(does_not_use_a_passport_of_another_version)
{
	accept(HEAD "<metadata><passport xmlns='urn:vferry:passport:1' version='2'><vf mac='52:54:00:00:00:01'/></passport></metadata></domain>");
	CHECK(!domain.passport.present);
	CHECK_INT(domain.passport.vfs, 0);
	CHECK_STR(domain.passport.note, "a passport of version \"2\" is not known here");
	accept(HEAD "<metadata><passport xmlns='urn:vferry:passport:1'/></metadata></domain>");
	CHECK(!domain.passport.present);
	domain_release(&domain);
}

TEST(leaves_out_and_counts_passport_entries_with_wrong_values)
{
	static const struct {
		const char *attributes, *note;
	} bad[] = {
		{"", "entry 1 has a wrong mac"},
		{"mac='52:54:00:00:00'", "entry 1 has a wrong mac"},
		{"mac='01:00:5e:00:00:01'", "entry 1 has a wrong mac"},
		{"mac='00:00:00:00:00:00'", "entry 1 has a wrong mac"},
		{"mac='52:54:00:00:00:01' guest='5:0.0'", "entry 1 has a wrong guest"},
		{"mac='52:54:00:00:00:01' pf='../../0000:81:00.0'", "entry 1 has a wrong pf"},
		{"mac='52:54:00:00:00:01' psid='$(reboot)'", "entry 1 has a wrong psid"},
		{"mac='52:54:00:00:00:01' psid=''", "entry 1 has a wrong psid"},
		{"mac='52:54:00:00:00:01' firmware='000000000000000000000000000'", "entry 1 has a wrong firmware"},
		{"mac='52:54:00:00:00:01' bridge='br 0'", "entry 1 has a wrong bridge"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[1024];

		snprintf(text, sizeof(text), PASSPORT("<vf:vf %s/><vf:vf mac='52:54:00:00:00:07'/>"), bad[i].attributes);
		accept(text);
		CHECK(domain.passport.present);
		CHECK_INT(domain.passport.vfs, 1);
		CHECK_INT(domain.passport.ignored, 1);
		CHECK_STR(domain.passport.note, bad[i].note);
	}
	domain_release(&domain);
}

TEST(a_second_entry_for_a_device_and_a_second_passport_do_not_count)
{
	accept(PASSPORT("<vf:vf mac='52:54:00:00:00:01' guest='0000:05:00.0' psid='A'/><vf:vf mac='52:54:00:00:00:01' psid='B'/>"
			"<vf:vf mac='52:54:00:00:00:02' guest='0000:05:00.0' psid='C'/>"));
	CHECK_INT(domain.passport.vfs, 1);
	CHECK_INT(domain.passport.ignored, 2);
	CHECK_STR(domain.passport.vf[0].psid, "A");
	CHECK_STR(domain.passport.note, "entry 2 speaks of a device that had one");
	accept(HEAD "<metadata><p:passport xmlns:p='urn:vferry:passport:1' version='1'><p:vf mac='52:54:00:00:00:01'/></p:passport>"
	       "<p:passport xmlns:p='urn:vferry:passport:1' version='1'><p:vf mac='52:54:00:00:00:02'/></p:passport></metadata></domain>");
	CHECK_INT(domain.passport.vfs, 1);
	CHECK_INT(domain.passport.vf[0].mac.octet[5], 1);
	CHECK_STR(domain.passport.note, "there is a second passport");
	domain_release(&domain);
}

TEST(refuses_more_than_32_passport_entries)
{
	char text[8192], entries[6000] = "";

	for (int i = 0; i < PASSPORT_MAX_VFS; i++)
		snprintf(entries + strlen(entries), sizeof(entries) - strlen(entries), "<vf:vf mac='52:54:00:00:00:%02x'/>", i);
	snprintf(text, sizeof(text), PASSPORT("%s"), entries);
	accept(text);
	CHECK_INT(domain.passport.vfs, PASSPORT_MAX_VFS);
	snprintf(text, sizeof(text), PASSPORT("%s<vf:vf mac='bad'/>"), entries);
	CHECK_STR(refusal_of(text, strlen(text), -E2BIG), "the guest's passport has more than 32 entries");
	domain_release(&domain);
}

TEST(any_cut_of_a_domain_is_refused_or_read_without_harm)
{
	size_t len;
	char *text = CHECK_DATA("data/domain/interface.xml", &len);

	for (size_t cut = 0; cut < len - 1; cut++) {
		char *copy = malloc(cut + 1); /* exactly as long, so that the sanitizer sees a read beyond it */
		struct domain cut_domain;

		CHECK(copy != NULL);
		memcpy(copy, text, cut);
		CHECK_INT(domain_parse(copy, cut, &cut_domain, NULL), -EINVAL);
		free(copy);
	}
	free(text);
}

TEST(any_changed_byte_is_refused_or_read_without_harm)
{
	size_t len, accepted = 0;
	char *text = CHECK_DATA("data/domain/interface.xml", &len);
	unsigned int seed = 7;

	for (int round = 0; round < 4000; round++) {
		struct domain changed;
		size_t at;
		char old;

		seed = seed * 1103515245u + 12345u;
		at = (seed >> 8) % len;
		old = text[at];
		text[at] = "<>&'\"/=\0\xff x0-!"[(seed >> 4) % 14];
		if (domain_parse(text, len, &changed, NULL) == 0) {
			CHECK(changed.hostdevs <= 4);
			accepted++;
		}
		domain_release(&changed);
		text[at] = old;
	}
	CHECK(accepted > 100);
	free(text);
}
