/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing domain XML: nothing but the source address may change, by the measure of canonical XML (C14N). */
#include "check.h"

#include <libxml/parser.h>
/* Behind another of libxml2's: in 2.9.10 it does not ask by itself what the library has. */
#include <libxml/c14n.h>

#include "base/spawn.h"
#include "domain/domain.h"

#define HEAD "<domain type='kvm'><name>g</name><uuid>9e0c7f57-b8d6-4b29-8c3e-20d1f7a65b44</uuid>"

/* Returns the canonical form of XML, with comments, for free(). */
static char *canonical(const char *xml)
{
	xmlDoc *doc = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL, XML_PARSE_NONET);
	xmlChar *out = NULL;
	char *copy;

	CHECK(doc != NULL);
	CHECK(xmlC14NDocDumpMemory(doc, NULL, XML_C14N_1_0, NULL, 1, &out) >= 0);
	copy = strdup((char *)out);
	xmlFree(out);
	xmlFreeDoc(doc);
	return copy;
}

/* Replaces the one occurrence of a part in *text. */
static void replace_once(char **text, const char *old, const char *fresh)
{
	char *at = strstr(*text, old), *result;

	CHECK(at && !strstr(at + 1, old));
	CHECK(asprintf(&result, "%.*s%s%s", (int)(at - *text), *text, fresh, at + strlen(old)) >= 0);
	free(*text);
	*text = result;
}

/* Parses, changes hostdev index to address (if any) and prints. Returns the text for free(). */
static char *print_changed(const char *xml, size_t index, const char *address)
{
	struct domain domain;
	struct pci_address pci;
	struct reason why = {0};
	char *out = NULL;
	long length;

	if (domain_parse(xml, strlen(xml), &domain, &why) != 0)
		FAIL("refused: %s", why.what);
	if (address) {
		CHECK_INT(pci_address_parse(address, &pci), 0);
		CHECK_INT(domain_set_source(&domain, index, &pci), 0);
		CHECK(pci_address_equal(&domain.hostdev[index].source, &pci));
	}
	length = domain_print(&domain, &out);
	CHECK(length > 0);
	CHECK_INT(strlen(out), length);
	domain_release(&domain);
	return out;
}

/* Checks that a text printed without change has the same canonical form. */
static void check_untouched(const char *xml)
{
	char *out = print_changed(xml, 0, NULL), *before = canonical(xml), *after = canonical(out);

	CHECK_STR(after, before);
	free(out);
	free(before);
	free(after);
}

TEST(printing_an_unchanged_domain_keeps_its_canonical_form)
{
	static const char *const file[] = {"interface.xml", "pool.xml", "plain.xml"};

	for (size_t i = 0; i < 3; i++) {
		char path[128], *xml;

		snprintf(path, sizeof(path), "data/domain/%s", file[i]);
		xml = CHECK_DATA(path, NULL);
		check_untouched(xml);
		free(xml);
	}
}

TEST(printing_keeps_what_is_awkward_in_xml)
{
	check_untouched("<!-- before --><?pi before?>" HEAD "<title> \t&#13;\n\xc3\xa4 &amp;&lt;&gt;\"' \xf0\x9f\x90\xa7</title>"
			"<a b=\"&#10;&#9;&#13;&lt;&amp;'&quot;  x\" c=''/><d></d><?pi in side?><!-- in side --><![CDATA[]]]]><![CDATA[> <&]]>"
			"<n:e xmlns:n='urn:n' n:f='1' f='2'><g xmlns='urn:g'><h xmlns=''/></g></n:e></domain><!-- behind -->\n");
}

TEST(a_new_source_address_changes_nothing_else)
{
	char *xml = CHECK_DATA("data/domain/interface.xml", NULL);
	char *out = print_changed(xml, 0, "0000:c1:01.3"), *before = canonical(xml), *after = canonical(out);

	replace_once(&before, "<address bus=\"0x81\" domain=\"0x0000\" function=\"0x2\" slot=\"0x00\" type=\"pci\"></address>",
		     "<address bus=\"0xc1\" domain=\"0x0000\" function=\"0x3\" slot=\"0x01\" type=\"pci\"></address>");
	CHECK_STR(after, before);
	CHECK_CONTAINS(out, "<address type=\"pci\" domain=\"0x0000\" bus=\"0xc1\" slot=\"0x01\" function=\"0x3\"/>");
	CHECK_CONTAINS(out, "<![CDATA[<!DOCTYPE html>");
	CHECK(strncmp(out, "<domain ", 8) == 0);
	free(xml);
	free(out);
	free(before);
	free(after);
}

TEST(a_plain_hostdev_gets_its_new_address_in_its_own_form)
{
	char *xml = CHECK_DATA("data/domain/interface.xml", NULL);
	char *out = print_changed(xml, 2, "10000:81:00.1"), *before = canonical(xml), *after = canonical(out);

	replace_once(&before, "<address bus=\"0x81\" domain=\"0x0000\" function=\"0x4\" slot=\"0x00\"></address>",
		     "<address bus=\"0x81\" domain=\"0x10000\" function=\"0x1\" slot=\"0x00\"></address>");
	CHECK_STR(after, before);
	free(xml);
	free(out);
	free(before);
	free(after);
}

TEST(setting_the_same_address_changes_nothing)
{
	char *xml = CHECK_DATA("data/domain/interface.xml", NULL);
	char *out = print_changed(xml, 0, "0000:81:00.2"), *before = canonical(xml), *after = canonical(out);

	CHECK_STR(after, before);
	free(xml);
	free(out);
	free(before);
	free(after);
}

TEST(the_guests_own_address_and_those_of_neighbours_stay)
{
	char *out = print_changed(HEAD "<devices><controller type='sata'><address type='pci' domain='0x0000' bus='0x00' slot='0x1f' function='0x2'/>"
				  "</controller><interface type='hostdev'><source><address type='pci' domain='0x0000' bus='0x00' slot='0x1f' "
				  "function='0x2'/></source><address type='pci' domain='0x0000' bus='0x00' slot='0x1f' function='0x2'/></interface>"
				  "</devices></domain>", 0, "0000:01:02.3");

	CHECK_CONTAINS(out, "<controller type=\"sata\"><address type=\"pci\" domain=\"0x0000\" bus=\"0x00\" slot=\"0x1f\" function=\"0x2\"/>");
	CHECK_CONTAINS(out, "<source><address type=\"pci\" domain=\"0x0000\" bus=\"0x01\" slot=\"0x02\" function=\"0x3\"/></source>"
			    "<address type=\"pci\" domain=\"0x0000\" bus=\"0x00\" slot=\"0x1f\" function=\"0x2\"/></interface>");
	free(out);
}

/* libvirt 12: a VF through iommufd, for one device and for all of a guest (its schemas/domaincommon.rng). */
TEST(what_libvirt_12_says_of_iommufd_stays_to_the_byte)
{
	static const char *const iommufd = "<iommufd enabled=\"yes\" fdgroup=\"vfs\"/>",
		*const device = "<driver name=\"vfio\" model=\"mlx5_vfio_pci\" iommufd=\"yes\"/>",
		*const source = "<source><address type=\"pci\" domain=\"0x0000\" bus=\"0x81\" slot=\"0x00\" function=\"0x2\"/></source>";
	char *xml = NULL, *out, *rest;

	CHECK(asprintf(&xml, HEAD "%s<devices><interface type=\"hostdev\" managed=\"yes\">%s%s</interface>"
				  "<hostdev mode=\"subsystem\" type=\"pci\" managed=\"no\">%s"
				  "<source><address domain=\"0x0000\" bus=\"0x81\" slot=\"0x00\" function=\"0x3\"/></source></hostdev>"
				  "</devices></domain>", iommufd, device, source, device) >= 0);
	out = print_changed(xml, 0, "0000:c1:00.4");
	CHECK_CONTAINS(out, "bus=\"0xc1\" slot=\"0x00\" function=\"0x4\"");
	rest = strstr(xml, "<iommufd");
	CHECK(rest && strncmp(strstr(out, "<iommufd"), rest, (size_t)(strstr(rest, "bus=\"0x81\"") - rest)) == 0);
	rest = strstr(xml, "</source></interface>");
	CHECK(strncmp(strstr(out, "</source></interface>"), rest, strlen(rest)) == 0);
	free(xml);
	free(out);
}

TEST(a_pool_interface_has_no_source_to_set)
{
	char *xml = CHECK_DATA("data/domain/pool.xml", NULL);
	struct domain domain;

	CHECK_INT(domain_parse(xml, strlen(xml), &domain, NULL), 0);
	CHECK_INT(domain_set_source(&domain, 0, &(struct pci_address){0}), -EINVAL);
	CHECK_INT(domain_set_source(&domain, 2, &(struct pci_address){0}), -EINVAL);
	domain_release(&domain);
	free(xml);
}

/* Returns how often a part occurs. */
static int lines_with(const char *text, const char *part)
{
	int count = 0;

	for (const char *at = text; (at = strstr(at, part)); at++)
		count++;
	return count;
}

TEST(xmllint_agrees_that_only_the_address_changed)
{
	static char script[8192];
	char *const program[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, script, NULL};
	char *xml, *out, diff[1024];

	if (access("/usr/bin/xmllint", X_OK) < 0)
		SKIP("xmllint is not installed");
	xml = CHECK_DATA("data/domain/interface.xml", NULL);
	out = print_changed(xml, 1, "0000:c1:00.7");
	check_file("/before.xml", xml);
	check_file("/after.xml", out);
	snprintf(script, sizeof(script), "cd '%s' && xmllint --c14n before.xml >b && xmllint --c14n after.xml >a && diff b a", check_scratch());
	CHECK_INT(spawn_run(program, diff, sizeof(diff), deadline_in(20000), NULL), 1);
	CHECK_INT(lines_with(diff, "\n< "), 1);
	CHECK_INT(lines_with(diff, "\n> "), 1);
	CHECK_CONTAINS(diff, "<address bus=\"0x81\" domain=\"0x0000\" function=\"0x3\" slot=\"0x00\" type=\"pci\"></address>");
	CHECK_CONTAINS(diff, "<address bus=\"0xc1\" domain=\"0x0000\" function=\"0x7\" slot=\"0x00\" type=\"pci\"></address>");
	free(xml);
	free(out);
}
