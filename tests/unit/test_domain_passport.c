/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The passport's template, its grammar and its reader: the three must agree. */
#include "check.h"

#include <libxml/parser.h>
#include <libxml/relaxng.h>

#include "domain/domain.h"

#define TEMPLATES "../../xml-templates/"
#define NAMESPACE "xmlns:vf='urn:vferry:passport:1'"

/* Takes libxml2's words about what it found wrong; the answer alone matters here. */
__attribute__((format(printf, 2, 3)))
static void quiet(void *context, const char *format, ...)
{
	(void)context;
	(void)format;
}

/* The grammar, read once: its patterns take long to compile. */
static xmlRelaxNG *read_grammar(void)
{
	static xmlRelaxNG *grammar;
	xmlRelaxNGParserCtxt *parser;
	char *text;

	if (grammar)
		return grammar;
	text = CHECK_DATA(TEMPLATES "passport.rng", NULL);
	parser = xmlRelaxNGNewMemParserCtxt(text, (int)strlen(text));
	grammar = xmlRelaxNGParse(parser);
	CHECK(grammar);
	xmlRelaxNGFreeParserCtxt(parser);
	free(text);
	return grammar;
}

/*
 * Hands an entry's attributes out to copies of it, so that none has more than some beside its first, the MAC address: libxml2 tries every
 * subset of the optional attributes that an element has, and compares each with each. The grammar judges an attribute by itself.
 */
static void hand_out(xmlNode *entry, unsigned int some)
{
	while (entry->properties) {
		xmlAttr *at = entry->properties->next;
		xmlNode *rest;

		for (unsigned int i = 0; at && i < some; i++)
			at = at->next;
		if (!at)
			return;
		rest = xmlAddNextSibling(entry, xmlCopyNode(entry, 1));
		CHECK(rest);
		for (unsigned int i = 0; i < some; i++)
			xmlRemoveProp(rest->properties->next);
		while (at) {
			xmlAttr *next = at->next;

			xmlRemoveProp(at);
			at = next;
		}
		entry = rest;
	}
}

/* Returns whether the grammar accepts a passport, with so many attributes of an entry at a time (0: with all). */
static bool grammar_accepts_some(const char *passport, unsigned int some)
{
	xmlRelaxNGValidCtxt *valid = xmlRelaxNGNewValidCtxt(read_grammar());
	xmlDoc *doc = xmlReadMemory(passport, (int)strlen(passport), NULL, NULL, XML_PARSE_NONET);
	int result;

	CHECK(valid && doc);
	for (xmlNode *entry = xmlDocGetRootElement(doc)->children, *next; some && entry; entry = next) {
		next = entry->next;
		if (entry->type == XML_ELEMENT_NODE)
			hand_out(entry, some);
	}
	xmlRelaxNGSetValidErrors(valid, quiet, quiet, NULL);
	result = xmlRelaxNGValidateDoc(valid, doc);
	CHECK(result >= 0);
	xmlFreeDoc(doc);
	xmlRelaxNGFreeValidCtxt(valid);
	return result == 0;
}

/* Returns whether the grammar accepts a passport. */
static bool grammar_accepts(const char *passport)
{
	return grammar_accepts_some(passport, 0);
}

/* Reads a passport as part of a domain, without its comments' text before it. Gives the domain for domain_release(). */
static void read_passport(const char *passport, struct domain *domain)
{
	char *xml;
	struct reason why = {0};

	CHECK(asprintf(&xml, "<domain><name>g</name><uuid>9e0c7f57-b8d6-4b29-8c3e-20d1f7a65b44</uuid><metadata>%s</metadata></domain>", passport) > 0);
	if (domain_parse(xml, strlen(xml), domain, &why) != 0)
		FAIL("refused: %s", why.what);
	free(xml);
}

/* Returns the template with every @WORD@ replaced, for free(). */
static char *fill_template(void)
{
	static const char *const values[][2] = {{"@MAC@", "52:54:00:12:34:56"},  {"@GUEST@", "0000:05:00.0"},  {"@PF@", "0000:81:00.0"},
						{"@PSID@", "MT_0000000834"},     {"@FIRMWARE@", "28.43.1014"}, {"@BRIDGE@", "br-vferry"}};
	char *text = CHECK_DATA(TEMPLATES "passport.xml.in", NULL);

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		char *at;

		CHECK_CONTAINS(text, values[i][0]);
		while ((at = strstr(text, values[i][0]))) {
			char *filled;

			CHECK(asprintf(&filled, "%.*s%s%s", (int)(at - text), text, values[i][1], at + strlen(values[i][0])) > 0);
			free(text);
			text = filled;
		}
	}
	return text;
}

TEST(every_vlan_that_a_port_carries_is_in_the_passport)
{
	static char text[PORT_TRUNKS_LEN], again[PORT_TRUNKS_LEN];
	struct port_settings port = {0};

	for (int vlan = 0, at = 0; vlan <= PORT_MAX_VLAN; vlan++)
		at += snprintf(text + at, sizeof(text) - (size_t)at, "%s%d", vlan ? " " : "", vlan);
	CHECK_INT(port_settings_parse_trunks(text, &port), 0);
	CHECK_INT(port.trunks, 4096);
	CHECK_STR(port_settings_format_trunks(&port, again), text);
	CHECK_INT(port_settings_parse_trunks("7 100 7", &port), 0);
	CHECK_INT(port.trunks, 2);
	CHECK_STR(port_settings_format_trunks(&port, again), "7 100");
}

TEST(the_filled_template_has_no_gap_left_and_fits_the_grammar)
{
	char *text = fill_template();

	CHECK(!strchr(text, '@'));
	CHECK(grammar_accepts(text));
	free(text);
}

TEST(every_value_of_the_template_arrives_at_the_reader)
{
	char *text = fill_template(), address[PCI_ADDRESS_LEN], mac[MAC_ADDRESS_LEN];
	struct domain domain;
	const struct passport_vf *vf;

	read_passport(text, &domain);
	CHECK(domain.passport.present);
	CHECK_INT(domain.passport.vfs, 1);
	CHECK_STR(domain.passport.note, "");
	vf = &domain.passport.vf[0];
	CHECK_STR(mac_address_format(&vf->mac, mac), "52:54:00:12:34:56");
	CHECK(vf->has_guest && vf->has_pf);
	CHECK_STR(pci_address_format(&vf->guest, address), "0000:05:00.0");
	CHECK_STR(pci_address_format(&vf->pf, address), "0000:81:00.0");
	CHECK_STR(vf->psid, "MT_0000000834");
	CHECK_STR(vf->firmware, "28.43.1014");
	CHECK_STR(vf->bridge, "br-vferry");
	CHECK(passport_find_mac(&domain.passport, &vf->mac) == vf);
	CHECK(passport_find_guest(&domain.passport, &vf->guest) == vf);
	CHECK(passport_find_guest(&domain.passport, &vf->pf) == NULL);
	domain_release(&domain);
	free(text);
}

TEST(grammar_and_reader_agree_on_every_value)
{
	static const struct {
		const char *attributes;
		bool is_right;
	} entry[] = {
		{"mac='52:54:00:12:34:56'", true},
		{"mac='52:54:00:12:34:5F' psid='MT_1090111019'", true},
		{"mac='52:54:00:12:34:56' guest='10000:05:1f.7' pf='0000:81:00.0'", true},
		{"", false},
		{"mac='53:54:00:12:34:56'", false},
		{"mac='52:54:00:12:34:5'", false},
		{"mac='525400123456'", false},
		{"mac='52:54:00:12:34:56' guest='0000:05:20.0'", false},
		{"mac='52:54:00:12:34:56' guest='05:00.0'", false},
		{"mac='52:54:00:12:34:56' pf='0000:05:00.8'", false},
		{"mac='52:54:00:12:34:56' pf=''", false},
		{"mac='52:54:00:12:34:56' psid=''", false},
		{"mac='52:54:00:12:34:56' psid='A B'", false},
		{"mac='52:54:00:12:34:56' psid='12345678901234567890123456789012'", false},
		{"mac='52:54:00:12:34:56' psid='1234567890123456789012345678901'", true},
		{"mac='52:54:00:12:34:56' firmware='28.43.1014;'", false},
		{"mac='52:54:00:12:34:56' bridge='br/0'", false},
		{"mac='52:54:00:12:34:56' tag='0' vlan-mode='native-untagged' trunks='1 20 4095'", true},
		{"mac='52:54:00:12:34:56' tag='4095' ingress-rate='100000' ingress-burst='8000'", true},
		{"mac='52:54:00:12:34:56' iface-id='9e0c7f57' vm-id='a' vm-uuid='b' attached-mac='52:54:00:12:34:56'", true},
		{"mac='52:54:00:12:34:56' msix='1'", true},
		{"mac='52:54:00:12:34:56' msix='2048'", true},
		{"mac='52:54:00:12:34:56' msix='2049'", false},
		{"mac='52:54:00:12:34:56' msix='0'", false},
		{"mac='52:54:00:12:34:56' msix=''", false},
		{"mac='52:54:00:12:34:56' function='roce=on'", true},
		{"mac='52:54:00:12:34:56' function='max_io_eqs=65535 ipsec_packet=off ipsec_crypto=on roce=off'", true},
		{"mac='52:54:00:12:34:56' function='roce=yes'", false},
		{"mac='52:54:00:12:34:56' function='roce=on roce=off roce=on roce=on'", true},
		{"mac='52:54:00:12:34:56' function='roce=on roce=off roce=on roce=on roce=on'", false},
		{"mac='52:54:00:12:34:56' function='roce='", false},
		{"mac='52:54:00:12:34:56' function='roce=on '", false},
		{"mac='52:54:00:12:34:56' function='roce=on  max_io_eqs=1'", false},
		{"mac='52:54:00:12:34:56' function=' roce=on'", false},
		{"mac='52:54:00:12:34:56' function=''", false},
		{"mac='52:54:00:12:34:56' function='max_io_eqs=0'", false},
		{"mac='52:54:00:12:34:56' function='max_io_eqs=08'", false},
		{"mac='52:54:00:12:34:56' function='max_io_eqs=65536'", false},
		{"mac='52:54:00:12:34:56' function='ipsec_crypto=ON'", false},
		{"mac='52:54:00:12:34:56' function='migratable=on'", false},
		{"mac='52:54:00:12:34:56' mtu='68'", true},
		{"mac='52:54:00:12:34:56' mtu='65535'", true},
		{"mac='52:54:00:12:34:56' mtu='67'", false},
		{"mac='52:54:00:12:34:56' mtu='65536'", false},
		{"mac='52:54:00:12:34:56' mtu='0'", false},
		{"mac='52:54:00:12:34:56' mtu='1500 '", false},
		{"mac='52:54:00:12:34:56' mtu=''", false},
		{"mac='52:54:00:12:34:56' tag='4096'", false},
		{"mac='52:54:00:12:34:56' tag='-1'", false},
		{"mac='52:54:00:12:34:56' tag=''", false},
		{"mac='52:54:00:12:34:56' tag='1;drop'", false},
		{"mac='52:54:00:12:34:56' vlan-mode='both'", false},
		{"mac='52:54:00:12:34:56' trunks=''", false},
		{"mac='52:54:00:12:34:56' trunks='1,2'", false},
		{"mac='52:54:00:12:34:56' trunks='1 '", false},
		{"mac='52:54:00:12:34:56' trunks='1  2'", false},
		{"mac='52:54:00:12:34:56' trunks='4096'", false},
		{"mac='52:54:00:12:34:56' ingress-rate='1e9'", false},
		{"mac='52:54:00:12:34:56' qos='linux-htb max-rate=1000000 0:max-rate=7,burst=8 12:'", true},
		{"mac='52:54:00:12:34:56' qos='linux-netem latency=7'", false},
		{"mac='52:54:00:12:34:56' qos='linux-htb 0:dscp=7'", false},
		{"mac='52:54:00:12:34:56' ingress-burst='1000000000'", false},
		{"mac='52:54:00:12:34:56' attached-mac='ff:ff:ff:ff:ff:ff'", false},
		{"mac='52:54:00:12:34:56' iface-id='a b'", false},
		{"mac='52:54:00:12:34:56' vm-id=''", false},
		{"mac='52:54:00:12:34:56' vm-uuid='1234567890123456789012345678901234567890123456789012345678901234'", false},
	};

	for (size_t i = 0; i < sizeof(entry) / sizeof(entry[0]); i++) {
		struct domain domain;
		char text[512];

		snprintf(text, sizeof(text), "<vf:passport " NAMESPACE " version='1'><vf:vf %s/></vf:passport>", entry[i].attributes);
		read_passport(text, &domain);
		if (grammar_accepts(text) != entry[i].is_right)
			FAIL("the grammar thinks otherwise of %s", entry[i].attributes);
		if ((domain.passport.vfs == 1 && domain.passport.ignored == 0) != entry[i].is_right)
			FAIL("the reader thinks otherwise of %s", entry[i].attributes);
		domain_release(&domain);
	}
}

/* Returns a number below bound, the same row in every run. */
static unsigned int dice(unsigned int bound)
{
	static uint64_t state = 20260101;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned int)(state >> 33) % bound;
}

/* Fills a word of random length that fits into size bytes, "" now and then. */
static void roll_word(char *out, unsigned int size)
{
	static const char letters[] = "abcXYZ019_.:@-";
	unsigned int length = dice(3) ? dice(size) : 0;

	for (unsigned int i = 0; i < length; i++)
		out[i] = letters[dice(sizeof(letters) - 1)];
	out[length] = '\0';
}

/* Rolls what was set on a port. */
static struct port_settings roll_port(void)
{
	static const char *const modes[] = {"", "access", "trunk", "native-tagged", "native-untagged", "dot1q-tunnel"};
	struct port_settings port = {0};

	port.has_tag = dice(2);
	port.tag = (uint16_t)(port.has_tag ? dice(PORT_MAX_VLAN + 1) : 0);
	snprintf(port.vlan_mode, sizeof(port.vlan_mode), "%s", modes[dice(6)]);
	for (unsigned int i = dice(3) ? 0 : dice(dice(2) ? 8 : 2 * PORT_MAX_TRUNKS); i > 0; i--)
		port_settings_add_trunk(&port, dice(PORT_MAX_VLAN + 1));
	port.ingress_rate = dice(2) ? dice(PORT_MAX_RATE) : 0;
	port.ingress_burst = dice(2) ? dice(PORT_MAX_RATE) : 0;
	port.has_attached_mac = dice(2);
	if (port.has_attached_mac)
		port.attached_mac = (struct mac_address){{0x52, 0x54, 0, 1, (uint8_t)dice(256), (uint8_t)dice(256)}};
	roll_word(port.iface_id, sizeof(port.iface_id));
	roll_word(port.vm_id, sizeof(port.vm_id));
	roll_word(port.vm_uuid, sizeof(port.vm_uuid));
	return port;
}

/* Rolls entry number i of a passport: MAC and guest address are its own. */
static struct passport_vf roll_vf(size_t i)
{
	struct passport_vf vf = {.mac = {{0x52, 0x54, 0, 0, (uint8_t)i, (uint8_t)dice(256)}}, .port = roll_port()};

	vf.has_guest = dice(2);
	if (vf.has_guest)
		vf.guest = (struct pci_address){dice(0x100000), (uint8_t)dice(256), (uint8_t)i, (uint8_t)dice(8)};
	vf.has_pf = dice(2);
	if (vf.has_pf)
		vf.pf = (struct pci_address){dice(0x10000), (uint8_t)dice(256), (uint8_t)dice(32), (uint8_t)dice(8)};
	roll_word(vf.psid, sizeof(vf.psid));
	roll_word(vf.firmware, sizeof(vf.firmware));
	roll_word(vf.bridge, sizeof(vf.bridge));
	vf.function = (struct vf_function){ (uint8_t)dice(3), (uint8_t)dice(3), (uint8_t)dice(3), dice(2) ? 1 + dice(ATTRIBUTE_EQS_MAX) : 0 };
	vf.msix = dice(2) ? 1 + dice(PASSPORT_MAX_MSIX) : 0;
	vf.mtu = dice(2) ? PASSPORT_MIN_MTU + dice(PASSPORT_MAX_MTU - PASSPORT_MIN_MTU + 1) : 0;
	return vf;
}

TEST(whatever_is_printed_is_read_back_the_same_and_fits_the_grammar)
{
	struct passport passport = {.present = true};

	for (int round = 0; round < 500; round++) {
		struct domain domain;
		char *xml = NULL;

		passport.vfs = dice(PASSPORT_MAX_VFS + 1);
		for (size_t i = 0; i < passport.vfs; i++)
			passport.vf[i] = roll_vf(i);
		CHECK(passport_print(&passport, false, &xml) > 0);
		read_passport(xml, &domain);
		if (!passport_equal(&passport, &domain.passport))
			FAIL("read otherwise (%s): %s", domain.passport.note, xml);
		if (round % 5 == 0 && !grammar_accepts_some(xml, 5))
			FAIL("the grammar does not accept %s", xml);
		domain_release(&domain);
		free(xml);
	}
}

TEST(what_a_reader_would_not_accept_is_left_out)
{
	struct passport passport = {.present = true, .vfs = 2, .vf = {{.mac = {{2, 0, 0, 0, 0, 1}}}, {.bridge = "no-mac"}}};
	struct passport_vf *vf = &passport.vf[0];
	struct domain domain;
	char *xml = NULL;

	snprintf(vf->bridge, sizeof(vf->bridge), "a<b>\"&'c d");
	snprintf(vf->port.iface_id, sizeof(vf->port.iface_id), "x y");
	snprintf(vf->port.vlan_mode, sizeof(vf->port.vlan_mode), "none");
	vf->port.has_tag = true;
	vf->port.tag = 5000;
	vf->port.has_attached_mac = true;
	vf->mtu = 65536;
	CHECK(passport_print(&passport, false, &xml) > 0);
	CHECK_STR(xml, "<vf:passport xmlns:vf=\"urn:vferry:passport:1\" version=\"1\">\n  <vf:vf mac=\"02:00:00:00:00:01\"/>\n</vf:passport>");
	read_passport(xml, &domain);
	CHECK_INT(domain.passport.vfs, 1);
	CHECK_INT(domain.passport.ignored, 0);
	domain_release(&domain);
	free(xml);
}

TEST(the_plain_form_is_what_libvirt_puts_its_own_namespace_on)
{
	struct passport passport = {.present = true, .vfs = 1, .vf = {{.mac = {{2, 0, 0, 0, 0, 1}}, .bridge = "br0"}}};
	char *xml = NULL;

	CHECK(passport_print(&passport, true, &xml) > 0);
	CHECK_STR(xml, "<passport version=\"1\">\n  <vf mac=\"02:00:00:00:00:01\" bridge=\"br0\"/>\n</passport>");
	free(xml);
}

TEST(two_passports_differ_in_each_value)
{
	static const struct passport_vf base = {.mac = {{2, 0, 0, 0, 0, 1}}};
	struct passport a = {.present = true, .vfs = 1}, b = a;

	a.vf[0] = b.vf[0] = base;
	CHECK(passport_equal(&a, &b));
#define DIFFERS(change) do { b.vf[0] = base; b.vf[0].change; CHECK(!passport_equal(&a, &b)); } while (0)
	DIFFERS(mac.octet[5] = 2);
	DIFFERS(has_guest = true);
	DIFFERS(has_pf = true);
	DIFFERS(psid[0] = 'x');
	DIFFERS(firmware[0] = 'x');
	DIFFERS(bridge[0] = 'x');
	DIFFERS(function.roce = SWITCH_ON);
	DIFFERS(function.ipsec_crypto = SWITCH_OFF);
	DIFFERS(function.ipsec_packet = SWITCH_ON);
	DIFFERS(function.max_io_eqs = 8);
	DIFFERS(msix = 12);
	DIFFERS(mtu = 1500);
	DIFFERS(port.has_tag = true);
	DIFFERS(port.trunks = 1);
	DIFFERS(port.vlan_mode[0] = 'x');
	DIFFERS(port.ingress_rate = 1);
	DIFFERS(port.ingress_burst = 1);
	DIFFERS(port.qos[0] = 'x');
	DIFFERS(port.has_attached_mac = true);
	DIFFERS(port.iface_id[0] = 'x');
	DIFFERS(port.vm_id[0] = 'x');
	DIFFERS(port.vm_uuid[0] = 'x');
#undef DIFFERS
	b.vf[0] = base;
	b.present = false;
	CHECK(!passport_equal(&a, &b));
}

TEST(the_grammar_is_strict_where_the_reader_skips)
{
	struct domain domain;
	const char *text = "<vf:passport " NAMESPACE " version='1'><vf:vf mac='52:54:00:12:34:56' speed='9'/><vf:x/></vf:passport>";

	CHECK(!grammar_accepts(text));
	read_passport(text, &domain);
	CHECK_INT(domain.passport.vfs, 1);
	CHECK_INT(domain.passport.ignored, 0);
	domain_release(&domain);
	CHECK(!grammar_accepts("<vf:passport " NAMESPACE " version='2'/>"));
	CHECK(!grammar_accepts("<vf:passport " NAMESPACE "/>"));
	CHECK(grammar_accepts("<vf:passport " NAMESPACE " version='1'/>"));
}
