/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a guest's owner can put into its XML, and that it costs nobody's time: metadata, and many devices. */
#include "check.h"

#include <time.h>

#include "domain/domain.h"
#include "domain/status.h"

#define UUID "9e0c7f57-b8d6-4b29-8c3e-20d1f7a65b44"
#define HEAD "<domain type='kvm'>\n  <name>g</name>\n  <uuid>" UUID "</uuid>\n"
#define VF "<interface type='hostdev' managed='yes'><mac address='52:54:00:12:34:01'/><source><address type='pci' domain='0x0000' " \
	   "bus='0x81' slot='0x00' function='0x2'/></source></interface>"
#define TAIL "  <devices>" VF "</devices>\n</domain>\n"
#define PASSPORT "<v:passport xmlns:v='urn:vferry:passport:1' version='1'><v:vf mac='52:54:00:12:34:01' tag='42'/></v:passport>"
#define MANY 100000

/* A text that grows. */
static struct {
	char *bytes;
	size_t used, size;
} text;

/* Adds to the text. */
__attribute__((format(printf, 1, 2))) static void add(const char *format, ...)
{
	va_list args;

	if (text.used + 65536 > text.size) {
		text.size = 2 * text.size + 131072;
		text.bytes = realloc(text.bytes, text.size);
		CHECK(text.bytes != NULL);
	}
	va_start(args, format);
	text.used += (size_t)vsnprintf(text.bytes + text.used, 65536, format, args);
	va_end(args);
}

/* Adds an element of so many attributes, no two of one name. */
static void add_wide(const char *name, size_t attributes)
{
	add("<%s", name);
	for (size_t i = 0; i < attributes; i++)
		add(" a%zx=''", i);
	add("/>");
}

/* Begins a new text. */
static void begin(void)
{
	text.used = 0;
}

/* Return: processor time so far, in seconds. */
static double seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

TEST(metadata_of_100000_attributes_costs_no_time_and_the_passport_beside_it_is_read)
{
	struct reason why = {0};
	struct domain domain;
	double from = seconds();

	begin();
	add(HEAD "  <metadata>\n    ");
	add_wide("x", MANY);
	add(PASSPORT "\n  </metadata>\n" TAIL);
	if (domain_parse(text.bytes, text.used, &domain, &why) < 0)
		FAIL("%s", why.what);
	CHECK(seconds() - from < 1);
	CHECK_INT(domain.hostdevs, 1);
	CHECK(domain.passport.present && domain.hostdev[0].passport && domain.hostdev[0].passport->port.tag == 42);
	domain_release(&domain);
}

TEST(an_element_of_100000_attributes_elsewhere_is_refused_at_once)
{
	static const char *const places[][2] = {
		{HEAD, TAIL},
		{HEAD "<metadata><v:passport xmlns:v='urn:vferry:passport:1' version='1'>", "</v:passport></metadata>" TAIL},
		{HEAD "<metadata/>", TAIL},
		{HEAD "<metadata></metadata><metadata>", "</metadata>" TAIL},
		{HEAD "<!-- <metadata> -->", "<!-- </metadata> -->" TAIL},
		{HEAD "<devices><metadata>", "</metadata></devices>" TAIL},
		{HEAD "<title><![CDATA[<metadata>]]></title>", "<title><![CDATA[</metadata>]]></title>" TAIL},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct reason why = {0};
		struct domain domain;
		double from = seconds();

		begin();
		add("%s", places[i][0]);
		add_wide("x", MANY);
		add("%s", places[i][1]);
		CHECK_INT(domain_parse(text.bytes, text.used, &domain, &why), -E2BIG);
		CHECK_CONTAINS(why.what, "has more than 512 attributes");
		CHECK(seconds() - from < 1);
	}
}

TEST(what_is_printed_has_the_metadata_byte_by_byte_as_it_came)
{
	static const char metadata[] = "\n    <n:instance xmlns:n='urn:nova' b=\"'>\" a='1'><n:name>a&#13;b &lt;</n:name><!-- </metadata> -->"
				       "<![CDATA[</metadata> & <passport>]]></n:instance>\n    " PASSPORT "<o:passport xmlns:o='urn:o'/>"
				       "<?pi </metadata> ?><metadata a='b'>x</metadata>\n  ";
	struct pci_address address = {0, 0xc1, 2, 5};
	struct domain domain;
	char *out = NULL;

	begin();
	add(HEAD "  <metadata>%s</metadata>\n" TAIL, metadata);
	CHECK_INT(domain_parse(text.bytes, text.used, &domain, NULL), 0);
	CHECK(domain.passport.present);
	CHECK_INT(domain_set_source(&domain, 0, &address), 0);
	for (int i = 0; i < 2; i++) {
		CHECK(domain_print(&domain, &out) > 0);
		CHECK_CONTAINS(out, metadata);
		CHECK_CONTAINS(out, "bus=\"0xc1\" slot=\"0x02\" function=\"0x5\"");
		CHECK_CONTAINS(out, "<name>g</name>");
		free(out);
	}
	domain_release(&domain);
}

TEST(a_line_that_is_wrong_is_told_by_its_number_behind_long_metadata_too)
{
	struct reason why = {0};
	struct domain domain;

	begin();
	add(HEAD "  <metadata>\n<x>\n\n</x>\n  </metadata>\n  <devices><a></b></devices>\n</domain>\n");
	CHECK_INT(domain_parse(text.bytes, text.used, &domain, &why), -EINVAL);
	CHECK_CONTAINS(why.what, "line 9");
}

TEST(a_guest_may_have_any_number_of_interfaces)
{
	struct domain domain;

	begin();
	add(HEAD "<devices>");
	for (int i = 0; i < 1000; i++)
		add("<interface type='network'><source network='default'/></interface>");
	add(VF "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1234'/></source></hostdev></devices></domain>");
	CHECK_INT(domain_parse(text.bytes, text.used, &domain, NULL), 0);
	CHECK_INT(domain.hostdevs, 1001);
	CHECK_INT(domain.hostdev[1000].kind, HOSTDEV_INTERFACE);
	domain_release(&domain);
}

TEST(a_status_file_with_100000_attributes_in_its_metadata_tells_its_devices_at_once)
{
	double from = seconds();
	struct status status;

	begin();
	add("<domstatus state='running' reason='booted' pid='1'>\n  <job type='none' async='none'/>\n  <domain type='kvm'>\n    <name>g</name>\n"
	    "    <uuid>" UUID "</uuid>\n    <metadata>\n      ");
	add_wide("x", MANY);
	add("<![CDATA[\n    </metadata>\n    <devices/>\n  </domain>\n</domstatus>\n]]>\n    </metadata>\n    <devices>\n      " VF
	    "\n    </devices>\n  </domain>\n</domstatus>\n");
	CHECK_INT(status_parse(text.bytes, text.used, &status, NULL), 0);
	CHECK(seconds() - from < 1);
	CHECK_INT(status.devices, 1);
	CHECK_INT(status.device[0].bus, 0x81);
	status_release(&status);
}
