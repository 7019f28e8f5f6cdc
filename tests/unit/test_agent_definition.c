/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mending a stored definition: addresses alone, and only of devices that the running guest has. */
#include "check.h"

#include "agent/definition.h"
#include "base/sysroot.h"

#define HEAD "<domain><name>g</name><uuid>9e0c7f57-b8d6-4b29-8c3e-20d1f7a65b44</uuid><description>by hand</description><devices>"
#define TAIL "</devices></domain>"
#define SOURCE(bus, function) "<source><address type='pci' domain='0x0000' bus='" bus "' slot='0x00' function='" function "'/></source>"
#define INTERFACE(mac, bus, function) "<interface type='hostdev' managed='yes'><mac address='" mac "'/>" SOURCE(bus, function) "</interface>"
#define PLAIN(guest_bus, bus, function)                                                                 \
	"<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' bus='" bus \
	"' slot='0x00' function='" function "'/></source><address type='pci' bus='" guest_bus "'/></hostdev>"

static bool is_late;

/* Mends one definition by another. Returns what it is then, for free(); NULL if nothing was changed. */
static char *mend(const char *stored_xml, const char *live_xml)
{
	struct domain *stored = calloc(1, sizeof(*stored)), *live = calloc(1, sizeof(*live));
	struct reason why = {0};
	char *mended = NULL;

	CHECK(stored && live);
	if (domain_parse(stored_xml, strlen(stored_xml), stored, &why) || domain_parse(live_xml, strlen(live_xml), live, &why))
		FAIL("%s", why.what);
	if (definition_adopt(stored, live, is_late))
		CHECK(domain_print(stored, &mended) > 0);
	domain_release(stored);
	domain_release(live);
	free(stored);
	free(live);
	return mended;
}

TEST(an_interface_is_known_by_its_mac_and_a_hostdev_by_its_address_in_the_guest)
{
	char *mended = mend(HEAD INTERFACE("52:54:00:00:00:01", "0x81", "0x2") PLAIN("0x05", "0x81", "0x3") TAIL,
			    HEAD PLAIN("0x05", "0xc1", "0x6") INTERFACE("52:54:00:00:00:01", "0xc1", "0x5") TAIL);

	CHECK(mended);
	CHECK_STR(strstr(mended, "<domain>"),
		  "<domain><name>g</name><uuid>9e0c7f57-b8d6-4b29-8c3e-20d1f7a65b44</uuid><description>by hand</description><devices>"
		  "<interface type=\"hostdev\" managed=\"yes\"><mac address=\"52:54:00:00:00:01\"/><source><address type=\"pci\" "
		  "domain=\"0x0000\" bus=\"0xc1\" slot=\"0x00\" function=\"0x5\"/></source></interface>"
		  "<hostdev mode=\"subsystem\" type=\"pci\" managed=\"yes\"><source><address domain=\"0x0000\" bus=\"0xc1\" slot=\"0x00\" "
		  "function=\"0x6\"/></source><address type=\"pci\" bus=\"0x05\"/></hostdev></devices></domain>\n");
	free(mended);
}

TEST(a_definition_that_is_right_is_not_written)
{
	CHECK(!mend(HEAD INTERFACE("52:54:00:00:00:01", "0xc1", "0x5") TAIL, HEAD INTERFACE("52:54:00:00:00:01", "0xc1", "0x5") TAIL));
}

TEST(a_device_that_the_running_guest_has_not_is_left_alone)
{
	CHECK(!mend(HEAD INTERFACE("52:54:00:00:00:02", "0x81", "0x2") PLAIN("0x06", "0x81", "0x3") TAIL,
		    HEAD INTERFACE("52:54:00:00:00:01", "0xc1", "0x5") PLAIN("0x05", "0xc1", "0x6") TAIL));
}

TEST(an_interface_of_a_pool_has_no_address_to_mend)
{
	CHECK(!mend(HEAD "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='pool'/></interface>" TAIL,
		    HEAD INTERFACE("52:54:00:00:00:01", "0xc1", "0x5") TAIL));
}

TEST(an_arrival_that_nobody_saw_may_have_been_changed_since_so_only_a_device_that_is_not_here_is_replaced)
{
	char *mended;

	check_file("/sys/bus/pci/devices/0000:81:00.3/vendor", "0x8086\n");
	CHECK_INT(sysroot_set(check_scratch()), 0);
	is_late = true;
	CHECK(!mend(HEAD PLAIN("0x05", "0x81", "0x3") TAIL, HEAD PLAIN("0x05", "0xc1", "0x6") TAIL));
	mended = mend(HEAD PLAIN("0x05", "0x81", "0x4") TAIL, HEAD PLAIN("0x05", "0xc1", "0x6") TAIL);
	CHECK(mended);
	CHECK_CONTAINS(mended, "bus=\"0xc1\" slot=\"0x00\" function=\"0x6\"");
	free(mended);
	is_late = false;
	mended = mend(HEAD PLAIN("0x05", "0x81", "0x3") TAIL, HEAD PLAIN("0x05", "0xc1", "0x6") TAIL);
	CHECK(mended);
	free(mended);
	CHECK_INT(sysroot_set(""), 0);
}
