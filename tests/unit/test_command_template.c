/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_command_template.c: xml-templates are filled in, whatever the values are.
 */
#include "check.h"

#include "base/sysroot.h"
#include "command/template.h"

/* A template of ours as it is installed below the scratch directory. */
static void install(const char *name)
{
	char source[128], path[128], *text;

	snprintf(source, sizeof(source), "../../xml-templates/%s", name);
	snprintf(path, sizeof(path), TEMPLATE_DIRECTORY "/%s", name);
	text = CHECK_DATA(source, NULL);
	check_file(path, text);
	free(text);
	CHECK_INT(sysroot_set(check_scratch()), 0);
}

TEST(an_interface_by_address_is_filled_in)
{
	const struct template_value values[] = { { "MAC", "52:54:00:12:34:56" }, { "DOMAIN", "0000" }, { "BUS", "81" }, { "SLOT", "00" },
						 { "FUNCTION", "2" }, { NULL, NULL } };
	char *xml;

	install("interface.xml.in");
	xml = template_fill("interface.xml.in", values, NULL);
	CHECK_STR(xml, "<interface type='hostdev' managed='yes'>\n"
		       "  <mac address='52:54:00:12:34:56'/>\n"
		       "  <source>\n"
		       "    <address type='pci' domain='0x0000' bus='0x81' slot='0x00' function='0x2'/>\n"
		       "  </source>\n"
		       "</interface>\n");
	free(xml);
}

TEST(a_value_is_text_and_never_xml)
{
	const struct template_value values[] = { { "MAC", "52:54:00:12:34:56" }, { "NETWORK", "a'/><x y=\"@MAC@\">&" }, { NULL, NULL } };
	char *xml;

	install("interface-pool.xml.in");
	xml = template_fill("interface-pool.xml.in", values, NULL);
	CHECK_CONTAINS(xml, "<source network='a&apos;/&gt;&lt;x y=&quot;@MAC@&quot;&gt;&amp;'/>\n");
	free(xml);
}

TEST(a_gap_that_nothing_fills_is_named)
{
	const struct template_value values[] = { { "MAC", "52:54:00:12:34:56" }, { NULL, NULL } };
	struct reason why = { 0 };

	install("interface-pool.xml.in");
	CHECK(template_fill("interface-pool.xml.in", values, &why) == NULL);
	CHECK_INT(why.error, -EINVAL);
	CHECK_STR(why.object, "interface-pool.xml.in");
	CHECK_CONTAINS(why.what, "@NETWORK@");
}

TEST(a_template_that_is_not_installed_is_named)
{
	const struct template_value values[] = { { NULL, NULL } };
	struct reason why = { 0 };

	CHECK_INT(sysroot_set(check_scratch()), 0);
	CHECK(template_fill("nothing.xml.in", values, &why) == NULL);
	CHECK_INT(why.error, -ENOENT);
	CHECK_CONTAINS(why.what, "cannot be read");
	CHECK_CONTAINS(why.cure, "as vferry was installed");
}

TEST(a_text_with_stray_signs_stays_as_it_is)
{
	const struct template_value values[] = { { "A", "1" }, { NULL, NULL } };
	char *xml;

	check_file(TEMPLATE_DIRECTORY "/x", "<!-- @A@ -->\n@ @@ @a@ @A @A@ user@host @A@@A@\n");
	CHECK_INT(sysroot_set(check_scratch()), 0);
	xml = template_fill("x", values, NULL);
	CHECK_STR(xml, "@ @@ @a@ @A 1 user@host 11\n");
	free(xml);
}
