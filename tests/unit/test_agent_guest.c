/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_agent_guest.c: which guest of libvirt's the agent takes, against libvirt's own test driver, which needs no daemon.
 */
#include "check.h"

#include "agent/guest.h"
#include "virt/virt.h"

/* Return: a connection with the driver's one guest, "test", or one skips. */
static virConnectPtr open_test(void)
{
	virConnectPtr connection;

	virt_begin();
	connection = virConnectOpen("test:///default");
	if (!connection)
		SKIP("libvirt has no test driver here");
	return connection;
}

TEST(a_guest_that_is_named_like_anothers_uuid_is_not_taken_for_it)
{
	autovirt virConnectPtr connection = open_test();
	autoguest virDomainPtr victim = virDomainLookupByName(connection, "test"), evil = NULL, found = NULL;
	char uuid[VIR_UUID_STRING_BUFLEN], got[VIR_UUID_STRING_BUFLEN], xml[512];
	struct domain domain = { 0 };
	struct reason why = { 0 };

	CHECK(victim && virDomainGetUUIDString(victim, uuid) == 0);
	snprintf(xml, sizeof(xml), "<domain type='test'><name>%s</name><memory>8192</memory><os><type>hvm</type></os></domain>", uuid);
	evil = virDomainCreateXML(connection, xml, 0);
	CHECK(evil);
	CHECK_INT(guest_handle(connection, uuid, &found, &why), 0);
	CHECK_INT(virDomainGetUUIDString(found, got), 0);
	CHECK_STR(got, uuid);
	CHECK_STR(virDomainGetName(found), "test");
	CHECK_INT(guest_read(connection, uuid, &domain, &why), 0);
	CHECK_STR(domain.name, "test");
	domain_release(&domain);
}

TEST(a_guest_that_has_gone_and_a_connection_that_is_not_there_are_told_apart)
{
	autovirt virConnectPtr connection = open_test();
	virDomainPtr found = NULL;
	struct reason why = { 0 };

	CHECK_INT(guest_handle(connection, "11111111-2222-3333-4444-555555555555", &found, &why), -ENOENT);
	CHECK_INT(guest_handle(connection, "test", &found, &why) == 0, 0); /* a name is no uuid */
	CHECK_INT(guest_handle(NULL, "11111111-2222-3333-4444-555555555555", &found, &why), -ENOTCONN);
	CHECK(!found);
}
