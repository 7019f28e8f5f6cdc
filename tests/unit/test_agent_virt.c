/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which guest is asked for at libvirt: its test driver, which needs no daemon and no privilege. */
#include "check.h"

#include "virt/virt.h"

#define NOBODY "00000000-1111-2222-3333-444444444444"

static virConnectPtr connection;
static char victim[VIR_UUID_STRING_BUFLEN];

/* Opens the test driver and defines a guest whose name is a text. */
static void begin(const char *name)
{
	virDomainPtr first;
	char xml[512];

	virt_begin();
	connection = virConnectOpen("test:///default");
	if (!connection)
		SKIP("libvirt has no test driver here");
	first = virDomainLookupByName(connection, "test");
	CHECK(first && virDomainGetUUIDString(first, victim) == 0);
	virDomainFree(first);
	snprintf(xml, sizeof(xml), "<domain type='test'><name>%s</name><memory>8192</memory><os><type>hvm</type></os></domain>",
		 name ? name : victim);
	first = virDomainCreateXML(connection, xml, 0);
	CHECK(first != NULL);
	virDomainFree(first);
}

/* Checks that a guest has a name, and gives it back. */
static void check_is(virDomainPtr domain, const char *name)
{
	CHECK_STR(virDomainGetName(domain), name);
	virDomainFree(domain);
	virConnectClose(connection);
}

TEST(a_guest_that_is_named_like_anothers_uuid_is_not_taken_for_it)
{
	virDomainPtr found = NULL;

	begin(NULL);
	CHECK_INT(virt_find_uuid(connection, victim, &found, NULL), 0);
	check_is(found, "test");
	begin(NULL);
	CHECK_INT(virt_find(connection, victim, &found, NULL), 0);
	check_is(found, "test");
}

TEST(a_guest_that_is_named_like_the_uuid_of_one_that_has_gone_is_not_taken_for_it)
{
	virDomainPtr found = NULL;
	struct reason why = { 0 };

	begin(NOBODY);
	CHECK_INT(virt_find_uuid(connection, NOBODY, &found, &why), -ENOENT);
	CHECK_CONTAINS(why.what, "no guest of that uuid");
	CHECK_INT(virt_find_uuid(connection, "test", &found, &why), -ENOENT);
	CHECK_INT(virt_find(connection, NOBODY, &found, NULL), 0); /* somebody typed it */
	check_is(found, NOBODY);
}

TEST(a_guest_is_found_by_its_name)
{
	virDomainPtr found = NULL;
	struct reason why = { 0 };

	begin("abcdef");
	CHECK_INT(virt_find(connection, "nobody", &found, &why), -ENOENT);
	CHECK_CONTAINS(why.what, "no guest of that name");
	CHECK_INT(virt_find(connection, "abcdef", &found, NULL), 0);
	check_is(found, "abcdef");
}
