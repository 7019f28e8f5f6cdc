/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's status directory, and its networks. */
#include "check.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/sysroot.h"
#include "domain/digest.h"
#include "domain/network.h"
#include "domain/status.h"

#define WEB "5b2f9c1e-0d3a-4f6b-9a7c-1e2d3c4b5a69"
#define OTHER "11111111-2222-3333-4444-555555555555"

/* Puts a file of data/domain below the scratch root. */
static void put(const char *name, const char *path)
{
	char from[128], *text;

	snprintf(from, sizeof(from), "data/domain/%s", name);
	text = CHECK_DATA(from, NULL);
	check_file(path, text);
	free(text);
	CHECK_INT(sysroot_set(check_scratch()), 0);
}

/* Makes a status file with an outer part of its own. */
static void put_status(const char *file, const char *name, const char *uuid, const char *attributes, const char *job)
{
	char text[2048];

	snprintf(text, sizeof(text), "<domstatus %s>%s<domain><name>%s</name><uuid>%s</uuid><devices/></domain></domstatus>", attributes, job, name,
		 uuid);
	check_file(file, text);
	CHECK_INT(sysroot_set(check_scratch()), 0);
}

TEST(an_absent_directory_is_an_empty_list)
{
	struct status_list list;
	struct status status;
	struct reason why = {0};

	CHECK_INT(sysroot_set(check_scratch()), 0);
	CHECK_INT(status_read_all(&list, &why), 0);
	CHECK_INT(list.count, 0);
	CHECK_INT(list.unreadable, 0);
	CHECK_INT(status_read(WEB, &status, &why), -ENOENT);
	CHECK_STR(why.what, "libvirt has no status file for the guest");
}

TEST(reads_an_incoming_guest_with_flags_and_devices)
{
	struct status status;
	char text[PCI_ADDRESS_LEN];

	put("status-incoming.xml", "/run/libvirt/qemu/web-07.xml");
	CHECK_INT(status_read(WEB, &status, NULL), 0);
	CHECK_STR(status.uuid, WEB);
	CHECK_STR(status.name, "web-07");
	CHECK_STR(status.state, "paused");
	CHECK_STR(status.state_reason, "migration");
	CHECK_INT(status.job, STATUS_MIGRATION_IN);
	CHECK_STR(status.phase, "prepare");
	CHECK_INT(status.flags, 0x8003);
	CHECK(status.flags & STATUS_POSTCOPY);
	CHECK(!status_is_landed(&status));
	CHECK_STR(status.machine, "pc-q35-10.0");
	CHECK_INT(status.devices, 3);
	CHECK_STR(pci_address_format(&status.device[0], text), "0000:81:00.5");
	CHECK_STR(pci_address_format(&status.device[1], text), "0000:81:00.6");
	CHECK_STR(pci_address_format(&status.device[2], text), "0000:82:01.0");
	status_release(&status);
	CHECK(status.device == NULL);
}

/* A guest as libvirt indents it; outer: elements before its <domain>; more: elements of its <metadata>; end: how the file ends. */
static void put_plain(const char *outer, const char *more, const char *end)
{
	char text[2048];

	snprintf(text, sizeof(text), "<domstatus state='running' reason='booted' pid='1'>\n  <devices>\n    <device alias='x'/>\n  </devices>\n"
		 "%s  <job type='none' async='migration in' phase='prepare' flags='0x1'/>\n  <domain type='kvm' id='4'>\n    <name>plain</name>\n"
		 "    <uuid>" WEB "</uuid>\n    <metadata>%s</metadata>\n    <devices>\n      <emulator>/usr/bin/qemu</emulator>\n"
		 "    </devices>\n  </domain>\n%s", outer, more, end);
	check_file("/run/libvirt/qemu/plain.xml", text);
	CHECK_INT(sysroot_set(check_scratch()), 0);
}

#define CAPABILITIES "  <qemuCaps>\n    <flag name='kvm'/>\n    <flag name='usb-host.hostdevice'/>\n  </qemuCaps>\n"

TEST(reads_a_guest_without_host_devices_whatever_its_metadata_hold)
{
	static const char *const more[] = { "", "<!--\n    <devices>\n-->", "<a>\n    <devices>\n</devices></a>", "<![CDATA[\n    <devices>\n]]>",
					    "<a>\n" CAPABILITIES "</a>", "<![CDATA[\n  <qemuCaps>\n]]>", "<![CDATA[\n    <uuid></uuid>\n]]>" };
	static const char *const outer[] = { "", CAPABILITIES, "  <qemuCaps>\n  </qemuCaps>\n", "  <qemuCaps/>\n",
					     "<!--\n  <qemuCaps>\n-->  <a>\n  </a><!--\n  </qemuCaps>\n-->", "  <a>\n    <uuid>x</uuid>\n  </a>\n",
					     "  <qemuCaps>\n    <uuid>x</uuid>\n  </qemuCaps>\n" };

	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]) * sizeof(outer) / sizeof(outer[0]); i++) {
		struct status status;

		put_plain(outer[i % (sizeof(outer) / sizeof(outer[0]))], more[i / (sizeof(outer) / sizeof(outer[0]))], "</domstatus>\n");
		CHECK_INT(status_read(WEB, &status, NULL), 0);
		CHECK_STR(status.name, "plain");
		CHECK_STR(status.state, "running");
		CHECK_INT(status.job, STATUS_MIGRATION_IN);
		CHECK_INT(status.devices, 0);
		status_release(&status);
	}
}

TEST(finds_the_devices_of_a_guest_behind_its_capabilities)
{
	struct status status;
	char *text, *job, changed[8192];

	text = CHECK_DATA("data/domain/status-incoming.xml", NULL);
	job = strstr(text, "  <job ");
	CHECK(job);
	snprintf(changed, sizeof(changed), "%.*s" CAPABILITIES "%s", (int)(job - text), text, job);
	check_file("/run/libvirt/qemu/web-07.xml", changed);
	free(text);
	CHECK_INT(sysroot_set(check_scratch()), 0);
	CHECK_INT(status_read(WEB, &status, NULL), 0);
	CHECK_INT(status.job, STATUS_MIGRATION_IN);
	CHECK_INT(status.devices, 3);
	status_release(&status);
}

TEST(half_a_file_of_a_guest_without_host_devices_is_none)
{
	struct status_list list;

	put_plain(CAPABILITIES, "", "");
	CHECK_INT(status_read_all(&list, NULL), 0);
	CHECK_INT(list.count, 0);
	CHECK_INT(list.unreadable, 1);
	status_list_release(&list);
}

TEST(finds_guests_by_device_and_by_uuid)
{
	struct status_list list;
	struct pci_address used, unused;

	put("status-incoming.xml", "/run/libvirt/qemu/web-07.xml");
	put_status("/run/libvirt/qemu/other.xml", "other", OTHER, "state='running' reason='booted'", "");
	CHECK_INT(status_read_all(&list, NULL), 0);
	CHECK_INT(list.count, 2);
	CHECK_INT(list.unreadable, 0);
	CHECK_INT(pci_address_parse("0000:81:00.6", &used), 0);
	CHECK_INT(pci_address_parse("0000:81:00.7", &unused), 0);
	CHECK_STR(status_find_device(&list, &used)->name, "web-07");
	CHECK(status_find_device(&list, &unused) == NULL);
	CHECK_STR(status_find_uuid(&list, OTHER)->name, "other");
	CHECK(status_find_uuid(&list, "no") == NULL);
	status_list_release(&list);
	CHECK_INT(list.count, 0);
}

TEST(counts_files_that_do_not_parse_and_reads_the_others)
{
	struct status_list list;

	put_status("/run/libvirt/qemu/good.xml", "good", OTHER, "state='running' reason='booted'", "");
	check_file("/run/libvirt/qemu/half.xml", "<domstatus state='running'><domain><na");
	check_file("/run/libvirt/qemu/empty.xml", "");
	check_file("/run/libvirt/qemu/bomb.xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><domstatus/>");
	check_file("/run/libvirt/qemu/alien.xml", "<network/>");
	check_file("/run/libvirt/qemu/nouuid.xml", "<domstatus><domain><name>x</name></domain></domstatus>");
	put_status("/run/libvirt/qemu/new.xml.new", "new", WEB, "", "");
	put_status("/run/libvirt/qemu/.xml", "nameless", WEB, "", "");
	check_file("/run/libvirt/qemu/good.pid", "12");
	check_file("/run/libvirt/qemu/dir.xml/file", "");
	check_link("/nonexistent", "/run/libvirt/qemu/dangling.xml");
	CHECK_INT(status_read_all(&list, NULL), 0);
	CHECK_INT(list.count, 1);
	CHECK_STR(list.status[0].name, "good");
	CHECK_INT(list.unreadable, 6);
	status_list_release(&list);
}

TEST(a_guest_whose_name_begins_with_a_dot_is_seen)
{
	struct status_list list;
	struct status status;

	put_status("/run/libvirt/qemu/.web.xml", ".web", WEB, "state='running' reason='booted'", "");
	put_status("/run/libvirt/qemu/...xml", "..", OTHER, "state='running' reason='booted'", "");
	CHECK_INT(status_read_all(&list, NULL), 0);
	CHECK_INT(list.count, 2);
	CHECK(status_find_uuid(&list, WEB) && status_find_uuid(&list, OTHER));
	status_list_release(&list);
	CHECK_INT(status_read(WEB, &status, NULL), 0);
	CHECK_STR(status.name, ".web");
	status_release(&status);
}

/* Writes a status file as libvirt does, by a new file and rename, with one state and then the other, until it is killed. Never returns. */
static void keep_writing(const char *directory)
{
	static const char *const job[] = { "", "<job type='none' async='migration in' phase='prepare' flags='0x8001'/>" };
	char from[PATH_MAX + 16], to[PATH_MAX + 16];

	snprintf(from, sizeof(from), "%s/web.xml.new", directory);
	snprintf(to, sizeof(to), "%s/web.xml", directory);
	for (unsigned int i = 0;; i++) {
		FILE *file = fopen(from, "w");

		if (!file)
			_exit(1);
		fprintf(file, "<domstatus state='%s' reason='x'>%s<domain><name>web</name>", i % 2 ? "paused" : "running", job[i % 2]);
		fflush(file); /* half of it is there */
		fprintf(file, "<uuid>" WEB "</uuid>%*s<devices/></domain></domstatus>", i % 2 ? 20000 : 10, "");
		if (fclose(file) || rename(from, to))
			_exit(1);
	}
}

TEST(a_file_that_is_written_while_it_is_read_is_the_old_one_or_the_new_one)
{
	unsigned int running = 0, paused = 0;
	char directory[PATH_MAX];
	pid_t writer;

	put_status("/run/libvirt/qemu/web.xml", "web", WEB, "state='running' reason='x'", "");
	put_status("/run/libvirt/qemu/other.xml", "other", OTHER, "state='running' reason='booted'", "");
	snprintf(directory, sizeof(directory), "%s/run/libvirt/qemu", check_scratch());
	writer = fork();
	if (writer == 0)
		keep_writing(directory);
	for (int i = 0; i < 100000 && (i < 500 || !running || !paused); i++) {
		struct status_list list;
		const struct status *web;

		CHECK_INT(status_read_all(&list, NULL), 0);
		CHECK_INT(list.unreadable, 0);
		web = status_find_uuid(&list, WEB);
		CHECK(web && status_find_uuid(&list, OTHER));
		CHECK_INT(web->job, strcmp(web->state, "paused") == 0 ? STATUS_MIGRATION_IN : STATUS_NO_JOB);
		running += strcmp(web->state, "running") == 0;
		paused += strcmp(web->state, "paused") == 0;
		status_list_release(&list);
	}
	CHECK_INT(kill(writer, SIGKILL), 0);
	CHECK(waitpid(writer, NULL, 0) == writer);
	CHECK(running && paused);
}

/* Puts a status file in the place of one that is there, as libvirt does. */
static void replace_status(const char *file, const char *name, const char *uuid, const char *state)
{
	char attributes[64], from[PATH_MAX], to[PATH_MAX];

	snprintf(attributes, sizeof(attributes), "state='%s' reason='x'", state);
	put_status("/run/libvirt/qemu/.new", name, uuid, attributes, "");
	snprintf(from, sizeof(from), "%s/run/libvirt/qemu/.new", check_scratch());
	snprintf(to, sizeof(to), "%s%s", check_scratch(), file);
	CHECK_INT(rename(from, to), 0);
}

/* Return: bytes that this process has read until now. */
static unsigned long long bytes_read(void)
{
	unsigned long long bytes = 0;
	FILE *file = fopen("/proc/self/io", "r");

	CHECK(file && fscanf(file, "rchar: %llu", &bytes) == 1);
	fclose(file);
	return bytes;
}

/* Looks again, and that the guests WEB and OTHER are in these states (NULL: not there). Return: bytes that were read for it. */
static unsigned long long look_again(struct status_cache *cache, const char *web, const char *other, size_t unreadable)
{
	unsigned long long before = bytes_read(), after;
	const struct status *status;
	struct status_list list;

	CHECK_INT(status_read_new(cache, &list, NULL), 0);
	after = bytes_read();
	CHECK_INT(list.count, (size_t)((web != NULL) + (other != NULL)));
	CHECK_INT(list.unreadable, unreadable);
	status = status_find_uuid(&list, WEB);
	CHECK_STR(status ? status->state : NULL, web);
	CHECK_INT(status ? status->devices : 3, 3);
	status = status_find_uuid(&list, OTHER);
	CHECK_STR(status ? status->state : NULL, other);
	status_list_release(&list);
	return after - before;
}

TEST(who_looks_again_and_again_reads_only_what_is_new)
{
	struct status_cache cache = {0};
	char path[PATH_MAX];
	unsigned long long all;

	put("status-incoming.xml", "/run/libvirt/qemu/web.xml");
	put_status("/run/libvirt/qemu/other.xml", "other", OTHER, "state='running' reason='booted'", "");
	all = look_again(&cache, "paused", "running", 0);
	CHECK(all > 2000);
	CHECK(look_again(&cache, "paused", "running", 0) < all / 4); /* the counter itself is read, too */
	replace_status("/run/libvirt/qemu/other.xml", "other", OTHER, "crashed");
	look_again(&cache, "paused", "crashed", 0);
	replace_status("/run/libvirt/qemu/a-name-before.xml", "a-name-before", OTHER, "running");
	snprintf(path, sizeof(path), "%s/run/libvirt/qemu/other.xml", check_scratch());
	CHECK_INT(unlink(path), 0);
	CHECK(look_again(&cache, "paused", "running", 0) < all / 2);
	check_file("/run/libvirt/qemu/z.xml", "<domstatus>");
	look_again(&cache, "paused", "running", 1);
	look_again(&cache, "paused", "running", 1); /* told each time */
	snprintf(path, sizeof(path), "%s/run/libvirt/qemu/web.xml", check_scratch());
	CHECK_INT(unlink(path), 0);
	replace_status("/run/libvirt/qemu/z.xml", "z", OTHER, "running");
	snprintf(path, sizeof(path), "%s/run/libvirt/qemu/a-name-before.xml", check_scratch());
	CHECK_INT(unlink(path), 0);
	look_again(&cache, NULL, "running", 0);
	status_cache_release(&cache);
	CHECK_INT(cache.count, 0);
}

TEST(says_when_the_file_of_the_guest_itself_does_not_parse)
{
	struct status status;
	struct reason why = {0};

	check_file("/run/libvirt/qemu/web.xml", "<domstatus><domain><uuid>" WEB "</uuid>");
	CHECK_INT(sysroot_set(check_scratch()), 0);
	CHECK_INT(status_read(WEB, &status, &why), -EINVAL);
	CHECK_STR(why.object, "web.xml");
	CHECK_CONTAINS(why.what, "the status file does not parse");
	CHECK_INT(status_read(OTHER, &status, &why), -ENOENT);
}

TEST(goes_by_the_uuid_in_the_file_not_by_its_name)
{
	struct status status;

	put_status("/run/libvirt/qemu/a.xml", "a", OTHER, "state='running'", "<!-- was " WEB " -->");
	put_status("/run/libvirt/qemu/b.xml", "b", WEB, "state='running'", "");
	CHECK_INT(status_read(WEB, &status, NULL), 0);
	CHECK_STR(status.name, "b");
	status_release(&status);
}

/* Returns the job of a status file with that <job>. */
static struct status job_of(const char *attributes, const char *job)
{
	struct status status;

	put_status("/run/libvirt/qemu/g.xml", "g", OTHER, attributes, job);
	CHECK_INT(status_read(OTHER, &status, NULL), 0);
	status_release(&status);
	put_status("/run/libvirt/qemu/g.xml", "g", OTHER, attributes, job);
	CHECK_INT(status_read(OTHER, &status, NULL), 0);
	CHECK(status.device == NULL);
	return status;
}

TEST(tells_the_jobs_apart)
{
	CHECK_INT(job_of("", "").job, STATUS_NO_JOB);
	CHECK_INT(job_of("", "<job type='none' async='none'/>").job, STATUS_NO_JOB);
	CHECK_INT(job_of("", "<job type='modify' async='none'/>").job, STATUS_OTHER_JOB);
	CHECK_INT(job_of("", "<job type='none' async='start' flags='0x0'/>").job, STATUS_OTHER_JOB);
	CHECK_INT(job_of("", "<job type='none' async='migration out' phase='begin3' flags='0x8101'/>").job, STATUS_MIGRATION_OUT);
	CHECK_INT(job_of("", "<job type='none' async='migration out' phase='begin3' flags='0x8101'/>").flags, 0x8101);
	CHECK_INT(job_of("", "<job type='none' async='migration in' flags='0x1'/>").flags & STATUS_POSTCOPY, 0);
}

TEST(knows_when_a_guest_has_landed)
{
	struct status status = job_of("state='running' reason='migrated'", "");

	CHECK(status_is_landed(&status));
	status = job_of("state='paused' reason='user'", "");
	CHECK(status_is_landed(&status));
	status = job_of("state='running' reason='migrated'", "<job type='none' async='migration out' phase='perform3' flags='0x1'/>");
	CHECK(status_is_landed(&status));
	status = job_of("state='paused' reason='migration'", "");
	CHECK(!status_is_landed(&status));
	status = job_of("state='paused' reason='migration'", "<job type='none' async='migration in' phase='prepare' flags='0x1'/>");
	CHECK(!status_is_landed(&status));
	status = job_of("state='running' reason='postcopy'", "<job type='none' async='migration in' phase='finish3' flags='0x8001'/>");
	CHECK(!status_is_landed(&status));
}

TEST(a_guest_that_is_being_ended_may_never_have_landed)
{
	struct status status = job_of("state='shutdown' reason='unknown'", "<job type='destroy' async='none'/>");

	CHECK(!status_is_landed(&status));
	status = job_of("state='paused' reason='migration'", "<job type='destroy' async='none'/>");
	CHECK(!status_is_landed(&status));
	status = job_of("state='paused' reason='shutdown'", "<job type='destroy' async='none'/>");
	CHECK(!status_is_landed(&status));
	status = job_of("state='running' reason='migrated'", "<job type='destroy' async='none'/>");
	CHECK(status_is_landed(&status));
}

TEST(reads_a_pool_of_vfs)
{
	struct network_pool pool;
	char text[PCI_ADDRESS_LEN];

	put("network-pool.xml", "/run/libvirt/network/cx7-pool.xml");
	CHECK_INT(network_read_pool("cx7-pool", "", &pool, NULL), 0);
	CHECK(pool.is_pool);
	CHECK_STR(pool.pf, "enp129s0np0");
	CHECK_INT(pool.members, 2);
	CHECK_STR(pci_address_format(&pool.member[1], text), "0000:81:00.2");
}

TEST(what_a_pool_and_its_port_groups_give_their_interfaces_is_found)
{
	static const char *const groups = "<vlan><tag id='42'/></vlan><portgroup name='sales'><bandwidth/></portgroup>"
					  "<portgroup name='plain' default='yes'><virtualport type='openvswitch'/></portgroup>";
	static const struct {
		const char *inside, *portgroup;
		unsigned int extras;
	} cases[] = {
		{ "", "", 0 },
		{ "<vlan><tag id='42'/></vlan>", "", EXTRA_VLAN },
		{ "<bandwidth><inbound average='1'/></bandwidth>", "", 0 },
		{ "<portgroup name='sales'><vlan><tag id='43'/></vlan></portgroup>", "sales", EXTRA_VLAN },
		{ "<portgroup name='sales'><vlan><tag id='43'/></vlan></portgroup>", "", 0 },
		{ "<portgroup name='sales' default='yes'><vlan><tag id='43'/></vlan></portgroup>", "", EXTRA_VLAN },
		{ NULL, "sales", EXTRA_VLAN | EXTRA_BANDWIDTH },
		{ NULL, "", EXTRA_VLAN | EXTRA_VIRTUALPORT },
		{ NULL, "unknown", EXTRA_VLAN },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct network_pool pool;
		char text[1024];

		snprintf(text, sizeof(text), "<networkstatus><network><name>p</name><forward mode='hostdev'><pf dev='p0'/></forward>%s</network>"
			 "</networkstatus>", cases[i].inside ? cases[i].inside : groups);
		check_file("/run/libvirt/network/p.xml", text);
		CHECK_INT(sysroot_set(check_scratch()), 0);
		CHECK_INT(network_read_pool("p", cases[i].portgroup, &pool, NULL), 0);
		CHECK(pool.is_pool);
		CHECK_INT(pool.extras, cases[i].extras);
	}
}

TEST(other_networks_absent_ones_and_impossible_names_are_no_pools_and_a_dot_hides_none)
{
	struct network_pool pool;
	char name[300];

	put("network-nat.xml", "/run/libvirt/network/default.xml");
	put("network-pool.xml", "/run/libvirt/pool.xml");
	put("network-pool.xml", "/run/libvirt/network/.hidden.xml");
	CHECK_INT(network_read_pool("default", "", &pool, NULL), 0);
	CHECK(!pool.is_pool);
	CHECK_INT(network_read_pool("absent", "", &pool, NULL), 0);
	CHECK(!pool.is_pool);
	CHECK_INT(network_read_pool("../pool", "", &pool, NULL), 0);
	CHECK(!pool.is_pool);
	CHECK_INT(network_read_pool(".hidden", "", &pool, NULL), 0);
	CHECK(pool.is_pool);
	CHECK_INT(network_read_pool("", "", &pool, NULL), 0);
	CHECK(!pool.is_pool);
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	CHECK_INT(network_read_pool(name, "", &pool, NULL), 0);
	CHECK(!pool.is_pool);
}

TEST(says_when_a_network_cannot_be_understood)
{
	struct network_pool pool;
	struct reason why = {0};

	CHECK_INT(sysroot_set(check_scratch()), 0);
	check_file("/run/libvirt/network/bad.xml", "<networkstatus><network><forward mode='hostdev'><address type='pci' slot='0x99'/></forward>"
						   "</network></networkstatus>");
	CHECK_INT(network_read_pool("bad", "", &pool, &why), -EINVAL);
	CHECK_STR(why.object, "bad");
	CHECK_STR(why.what, "libvirt's status of the network cannot be understood");
	CHECK(!pool.is_pool);
	check_file("/run/libvirt/network/bad.xml", "<domain/>");
	CHECK_INT(network_read_pool("bad", "", &pool, &why), -EINVAL);
	check_file("/run/libvirt/network/bad.xml", "<netw");
	CHECK_INT(network_read_pool("bad", "", &pool, &why), -EINVAL);
}

/* A guest as libvirt writes it, with host devices or without, and a MAC in its metadata that is none of its interfaces'. */
static const char *guest_with_macs(const char *device)
{
	static char text[2048];

	snprintf(text, sizeof(text),
		 "<domstatus state='running' reason='booted' pid='1'>\n  <domain type='kvm' id='1'>\n    <name>web1</name>\n    <uuid>%s</uuid>\n"
		 "    <metadata>\n      <mac address='52:54:00:00:00:09'/>\n    </metadata>\n    <devices>\n"
		 "      <interface type='%s'>\n        <mac address='52:54:00:00:00:01'/>\n      </interface>\n"
		 "      <interface type='bridge'>\n        <mac address='52:54:00:00:00:02'/>\n      </interface>\n"
		 "    </devices>\n  </domain>\n</domstatus>\n", WEB, device);
	return text;
}

TEST(the_macs_of_a_guest_are_those_of_its_interfaces)
{
	static const char *const devices[] = { "bridge", "hostdev" };

	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		const char *text = guest_with_macs(devices[i]);
		struct mac_address mac = { { 0x52, 0x54, 0, 0, 0, 1 } };
		struct status status;

		CHECK_INT(status_parse(text, strlen(text), &status, NULL), 0);
		CHECK_INT(status.macs, 2);
		CHECK(status_has_mac(&status, &mac));
		mac.octet[5] = 2;
		CHECK(status_has_mac(&status, &mac));
		mac.octet[5] = 9;
		CHECK(!status_has_mac(&status, &mac));
		status_release(&status);
	}
}

TEST(what_is_recorded_of_a_guest_has_what_decides_and_no_secret)
{
	autodomain struct domain domain = {0};
	char *xml = NULL;

	CHECK_INT(sysroot_set(check_scratch()), 0);
	check_file("/run/libvirt/qemu/web1.xml",
		   "<domstatus state='running'><domain type='kvm'><name>web1</name><uuid>11111111-2222-3333-4444-555555555555</uuid>"
		   "<metadata><x:y xmlns:x='urn:other'>private</x:y><vf:passport xmlns:vf='urn:vferry:passport:1' version='1'>"
		   "<vf:vf mac='52:54:00:12:34:56' psid='MT_1'/></vf:passport></metadata><memory unit='KiB'>4194304</memory>"
		   "<os><type machine='pc-q35-10.0'>hvm</type><nvram>/secret/path</nvram></os><devices>"
		   "<disk type='file'><source file='/secret/disk'/></disk><graphics type='vnc' passwd='hunter2'/>"
		   "<interface type='hostdev' managed='yes'><mac address='52:54:00:12:34:56'/><source><address type='pci' domain='0x0000' "
		   "bus='0x81' slot='0x00' function='0x2'/></source></interface><iommu model='intel'/></devices></domain></domstatus>");
	CHECK_INT(digest_read("web1", &xml, NULL), 0);
	CHECK(!strstr(xml, "secret") && !strstr(xml, "hunter2") && !strstr(xml, "private"));
	CHECK_INT(domain_parse(xml, strlen(xml), &domain, NULL), 0);
	CHECK(domain.has_iommu && domain.hostdevs == 1 && domain.hostdev[0].passport);
	CHECK_STR(domain.hostdev[0].passport->psid, "MT_1");
	free(xml);
	CHECK_INT(digest_read("web2", &xml, NULL), -ENOENT);
	CHECK_INT(digest_read("../web1", &xml, NULL), -ENOENT);
}
