/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_agent_guest.c: which guest of libvirt's the agent takes, against libvirt's own test driver, which needs no daemon.
 */
#include "check.h"

#include "agent/call.h"
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
	autoguest virDomainPtr victim = virDomainLookupByName(connection, "test"), evil = NULL;
	char uuid[VIR_UUID_STRING_BUFLEN], xml[512];
	struct guest_link guest = { connection, uuid, deadline_in(20000) };
	struct domain domain = { 0 };
	struct reason why = { 0 };

	CHECK(victim && virDomainGetUUIDString(victim, uuid) == 0);
	snprintf(xml, sizeof(xml), "<domain type='test'><name>%s</name><memory>8192</memory><os><type>hvm</type></os></domain>", uuid);
	evil = virDomainCreateXML(connection, xml, 0);
	CHECK(evil);
	CHECK_INT(guest_read(&guest, &domain, &why), 0);
	CHECK_STR(domain.name, "test");
	CHECK_STR(domain.uuid, uuid);
	domain_release(&domain);
	CHECK_INT(guest_write_passport(&guest, "<passport version='1' host='here'/>", &why), 0);
	CHECK_INT(guest_read(&guest, &domain, &why), 0);
	CHECK_STR(domain.passport.host, "here");
	domain_release(&domain);
	CHECK_INT(guest_write_passport(&guest, NULL, &why), 0);
	CHECK_INT(guest_read(&guest, &domain, &why), 0);
	CHECK(!domain.passport.present);
	domain_release(&domain);
}

TEST(the_stored_definition_is_told_and_replaced_where_there_is_one)
{
	autovirt virConnectPtr connection = open_test();
	autoguest virDomainPtr defined = virDomainLookupByName(connection, "test"), transient = NULL;
	char uuid[VIR_UUID_STRING_BUFLEN], *xml = NULL;
	struct guest_link guest = { connection, uuid, deadline_in(20000) };
	struct reason why = { 0 };

	CHECK(defined && virDomainGetUUIDString(defined, uuid) == 0);
	CHECK_INT(guest_stored(&guest, &xml, &why), 0);
	CHECK_CONTAINS(xml, "<name>test</name>");
	CHECK_INT(guest_define(&guest, xml, &why), 0);
	free(xml);
	transient = virDomainCreateXML(connection, "<domain type='test'><name>x</name><memory>8192</memory><os><type>hvm</type></os>"
				       "</domain>", 0);
	CHECK(transient && virDomainGetUUIDString(transient, uuid) == 0);
	CHECK_INT(guest_stored(&guest, &xml, &why), 0);
	CHECK(!xml);
}

TEST(a_guest_that_has_gone_and_a_connection_that_is_not_there_are_told_apart)
{
	autovirt virConnectPtr connection = open_test();
	struct guest_link gone = { connection, "11111111-2222-3333-4444-555555555555", deadline_in(20000) };
	struct guest_link alone = { NULL, "11111111-2222-3333-4444-555555555555", deadline_in(20000) };
	struct guest_link name = { connection, "test", deadline_in(20000) };
	struct domain domain;
	struct reason why = { 0 };

	CHECK_INT(guest_read(&gone, &domain, &why), -ENOENT);
	CHECK_INT(guest_abort(&alone, &why), -ENOTCONN);
	CHECK_CONTAINS(why.what, "no connection to libvirt");
	CHECK(guest_read(&name, &domain, &why) < 0); /* a name is no uuid */
}

/* A call that comes back when somebody writes into a pipe. */
struct late {
	struct call call;
	int fd, told;
};

/* In the thread. */
static void wait_for_pipe(struct call *call)
{
	char byte;

	(void)!read(((struct late *)call)->fd, &byte, 1);
}

/* Says that it was released. */
static void say_released(struct call *call)
{
	(void)!write(((struct late *)call)->told, "x", 1);
	free(call);
}

/* Makes one, and releases it if it has come back. Return: as call_within(). */
static int call_late(int fd, int told, int ms, struct reason *why)
{
	struct late *late = calloc(1, sizeof(*late));
	int error;

	CHECK(late);
	*late = (struct late){ .call = { .perform = wait_for_pipe, .release = say_released }, .fd = fd, .told = told };
	error = call_within(&late->call, deadline_in(ms), why);
	if (!error)
		say_released(&late->call);
	return error;
}

TEST(a_call_that_does_not_come_back_costs_its_deadline_and_too_many_of_them_nothing)
{
	struct reason why = { 0 };
	int work[2], told[2];
	int64_t begin;
	char byte;

	CHECK(pipe(work) == 0 && pipe(told) == 0);
	for (int i = 0; i < CALLS_STUCK_MAX; i++) {
		begin = clock_ms();
		CHECK_INT(call_late(work[0], told[1], 50, &why), -ETIME);
		CHECK(clock_ms() - begin >= 49 && clock_ms() - begin < 10000);
		CHECK_CONTAINS(why.what, "does not answer in time");
	}
	CHECK_INT(call_late(work[0], told[1], 60000, &why), -EBUSY);
	CHECK_INT(read(told[0], &byte, 1), 1); /* that one was released at once */
	for (int i = 0; i < CALLS_STUCK_MAX; i++) {
		CHECK_INT(write(work[1], "x", 1), 1);
		CHECK_INT(read(told[0], &byte, 1), 1); /* by its thread, late */
	}
	/* And then there is room again. */
	CHECK_INT(write(work[1], "x", 1), 1);
	begin = clock_ms();
	while (call_late(work[0], told[1], 20000, &why)) {
		CHECK(clock_ms() - begin < 20000);
		CHECK_INT(read(told[0], &byte, 1), 1);
	}
}
