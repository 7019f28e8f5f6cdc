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

/* Returns whether the grammar accepts a passport. */
static bool grammar_accepts(const char *passport)
{
	char *text = CHECK_DATA(TEMPLATES "passport.rng", NULL);
	xmlRelaxNGParserCtxt *parser = xmlRelaxNGNewMemParserCtxt(text, (int)strlen(text));
	xmlRelaxNG *grammar = xmlRelaxNGParse(parser);
	xmlRelaxNGValidCtxt *valid = grammar ? xmlRelaxNGNewValidCtxt(grammar) : NULL;
	xmlDoc *doc = xmlReadMemory(passport, (int)strlen(passport), NULL, NULL, XML_PARSE_NONET);
	int result;

	CHECK(grammar && valid && doc);
	xmlRelaxNGSetValidErrors(valid, quiet, quiet, NULL);
	result = xmlRelaxNGValidateDoc(valid, doc);
	CHECK(result >= 0);
	xmlFreeDoc(doc);
	xmlRelaxNGFreeValidCtxt(valid);
	xmlRelaxNGFree(grammar);
	xmlRelaxNGFreeParserCtxt(parser);
	free(text);
	return result == 0;
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
