/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The worker of the hook with hostile input: whatever another host sends, the person who types virsh migrate reads one clean line, and an
 * event that libvirt only tells of says nothing and fails nothing. The worker's own main() runs here, in a child process, on an empty
 * machine in the scratch directory.
 */
#include "check.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "base/sysroot.h"

int worker_main(int argc, char **argv);

#define main worker_main
#include "../../hooks/hook.c" /* NOLINT(bugprone-suspicious-include): a program of one file, tested as it is */
#undef main

#define UUID "<uuid>9e0c7f57-b8d6-4b29-8c3e-20d1f7a65b44</uuid>"
#define DOMAIN(name, inner) "<domain type='kvm'><name>" name "</name>" UUID inner "</domain>"
#define INTERFACE(inner) "<devices><interface type='hostdev' managed='yes'>" inner "</interface></devices>"
#define SOURCE(attributes) "<source><address type='pci' " attributes "/></source>"
#define MAC "<mac address='52:54:00:00:00:01'/>"
#define ADDRESS "domain='0x0000' bus='0x81' slot='0x00' function='0x2'"
#define PASSPORT(attributes) \
	"<metadata><v:passport xmlns:v='urn:vferry:passport:1' version='1'><v:vf " attributes "/></v:passport></metadata>"
#define FORGED "mac='52:54:00:00:00:01' pf='0000:81:00.0' psid='MT&#10;vferry: web1: fine' bridge='&#27;[2J'"
#define GUEST PASSPORT("mac='52:54:00:00:00:01' pf='0000:81:00.0'") INTERFACE(MAC SOURCE(ADDRESS))

/* What a run left behind. */
static struct {
	int status;
	char out[4096], err[4096];
} run;

/* Runs the worker as the hook's first program does. */
static void call_bytes(const char *guest, const char *operation, const void *xml, size_t length)
{
	const char *end = strcmp(operation, "release") == 0 || strcmp(operation, "stopped") == 0 ? "end" : "begin";
	char name[] = "hook", copy[4][512], *argv[] = { name, copy[0], copy[1], copy[2], copy[3], NULL };

	snprintf(copy[0], sizeof(copy[0]), "%s", guest);
	snprintf(copy[1], sizeof(copy[1]), "%s", operation);
	snprintf(copy[2], sizeof(copy[2]), "%s", end);
	snprintf(copy[3], sizeof(copy[3]), "-");
	check_file_bytes("/stdin", xml, length);
	check_file("/run/empty", "");
	check_file("/sys/bus/pci/devices/.empty", "");
	CHECK_INT(sysroot_set(check_scratch()), 0);
	run.status = check_program(worker_main, argv, run.out, run.err, sizeof(run.out));
}

/* Checks that the refusal is one line that any terminal can show: no control, no bidi character, no broken UTF-8. */
static void check_clean_line(const char *contains)
{
	char clean[sizeof(run.err)], *newline = strchr(run.err, '\n');

	CHECK_INT(run.status, 1);
	CHECK_STR(run.out, "");
	CHECK(strncmp(run.err, "vferry: ", 8) == 0);
	if (!newline || newline[1])
		FAIL("not one line: %s", run.err);
	*newline = '\0';
	reason_clean(clean, sizeof(clean), run.err);
	CHECK_STR(run.err, clean);
	CHECK_CONTAINS(run.err, contains);
}

/* A text that must be refused in one clean line when it arrives, and must not make a leaving guest fail. */
static void check_refused(const char *guest, const char *xml, const char *contains)
{
	static const char *const told[] = { "stopped", "release", "reconnect" };

	call_bytes(guest, "migrate", xml, strlen(xml));
	check_clean_line(contains);
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		call_bytes(guest, told[i], xml, strlen(xml));
		CHECK_INT(run.status, 0);
		CHECK_STR(run.out, "");
		CHECK_STR(run.err, "");
	}
}

TEST(a_guest_that_cannot_come_is_refused_in_one_line)
{
	check_refused("web1", DOMAIN("web1", GUEST), "vferry: web1: this host has no card whose VFs can be live-migrated");
}

TEST(a_guests_name_cannot_forge_a_line_or_hide_one)
{
	char longest[256], text[1024];

	check_refused("a\nvferry: b: all is well", DOMAIN("x", GUEST), "vferry: a?vferry: b: all is well: this host has no card");
	check_refused("\x1b[2Ja\rb\x07", DOMAIN("x", GUEST), "vferry: ?[2Ja?b?: ");
	check_refused("\xe2\x80\xae" "1bew", DOMAIN("\xe2\x80\xae" "1bew", GUEST), "vferry: ?1bew: ");
	check_refused("\xe2\x81\xa6web\xe2\x81\xa9", DOMAIN("x", GUEST), "vferry: ?web?: ");
	check_refused("a\xff\xc0\x80z", DOMAIN("x", GUEST), "vferry: a???z: ");
	check_refused("it's \"$(reboot)\" `x` %s%n \\", DOMAIN("x", GUEST), "vferry: it's \"$(reboot)\" `x` %s%n \\: ");
	check_refused("", DOMAIN("x", GUEST), "vferry: this host has no card");
	check_refused("../../etc/passwd", DOMAIN("../../etc/passwd", GUEST), "the domain XML has no valid <name>");
	check_refused("a/b", DOMAIN("a/b", GUEST), "the domain XML has no valid <name>");
	check_refused("a", DOMAIN("a&#10;b", GUEST), "the domain XML has no valid <name>");
	memset(longest, 'n', sizeof(longest) - 1);
	longest[255] = '\0';
	snprintf(text, sizeof(text), "<domain type='kvm'><name>%s</name>" UUID GUEST "</domain>", longest);
	check_refused(longest, text, "nnn: this host has no card");
}

TEST(what_is_not_the_xml_of_a_guest_is_refused_in_one_line)
{
	check_refused("web1", "", "the domain XML is empty");
	check_refused("web1", "<domain", "the domain XML does not parse");
	check_refused("web1", "<network/>", "the domain XML is not a <domain>");
	check_refused("web1", "<domain><name>web1</name></domain>", "the domain XML has no valid <uuid>");
	check_refused("web1", "<domain>" UUID "</domain>", "the domain XML has no valid <name>");
	check_refused("web1", "<!DOCTYPE domain [<!ENTITY a 'b'>]>" DOMAIN("web1", "<title>&a;</title>" GUEST),
		      "has a document type declaration");
	check_refused("web1", "<!DOCTYPE domain SYSTEM 'file:///etc/shadow'>" DOMAIN("web1", GUEST), "has a document type declaration");
	check_refused("web1", DOMAIN("web1", "<title>&secret;</title>" GUEST), "Entity 'secret' not defined");
	check_refused("web1", "<?xml version='1.0' encoding='UTF-7'?>" DOMAIN("web1", GUEST), "the domain XML is not in UTF-8");
	check_refused("web1", "\xff\xfe<", "the domain XML is not in UTF-8");
	check_refused("web1", DOMAIN("web1", "<title>\x01\xc3</title>" GUEST), "does not parse");
	check_refused("web1", DOMAIN("web1", UUID GUEST), "vferry: web1: ");
	check_refused("web1", DOMAIN("web1", "<a\xe2\x80\xae></b>"), "the domain XML does not parse");
}

TEST(addresses_that_no_device_can_have_are_refused_in_one_line)
{
	static const char *const wrong[] = {
		"domain='0x0000' bus='0x81' slot='0x20' function='0x2'",      "domain='0x0000' bus='0x81' slot='0x00' function='0x8'",
		"domain='0x0000' bus='0x100' slot='0x00' function='0x2'",     "domain='0x100000000' bus='0x81' slot='0x00' function='0x2'",
		"domain='-1' bus='0x81' slot='0x00' function='0x2'",          "domain='0' bus='0x8 1' slot='0' function='0'",
		"domain='0' bus='&#27;[1m' slot='0' function='0'",            "bus='99999999999999999999' slot='0' function='0'",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[1024];

		snprintf(text, sizeof(text), "<domain type='kvm'><name>web1</name>" UUID INTERFACE(MAC SOURCE("%s")) "</domain>", wrong[i]);
		check_refused("web1", text, "vferry: web1: ");
	}
}

TEST(doubled_elements_that_two_readers_could_read_differently_are_refused_in_one_line)
{
	check_refused("web1", DOMAIN("web1", INTERFACE(MAC SOURCE(ADDRESS) SOURCE(ADDRESS))), "vferry: web1: ");
	check_refused("web1", DOMAIN("web1", INTERFACE(MAC MAC SOURCE(ADDRESS))), "vferry: web1: ");
	check_refused("web1", DOMAIN("web1", INTERFACE(MAC "<source><address type='pci' " ADDRESS "/><address type='pci' " ADDRESS
						       "/></source>")), "vferry: web1: ");
	check_refused("web1", DOMAIN("web1", INTERFACE("<mac address='nonsense\xe2\x80\xae'/>" SOURCE(ADDRESS))), "vferry: web1: ");
}

TEST(xml_without_end_is_refused_in_one_line)
{
	static const char head[] = "<domain type='kvm'><name>web1</name>" UUID "<title>", deep[] = "<a>";
	size_t size = DOMAIN_XML_MAX + 2, depth = 200000, used = 0;
	char *text = malloc(size + sizeof(head));

	CHECK(text != NULL);
	memset(text, 'x', size);
	memcpy(text, head, sizeof(head) - 1);
	call_bytes("web1", "migrate", text, size);
	check_clean_line("the domain XML is larger than 16 MiB");
	call_bytes("web1", "release", text, size);
	CHECK_INT(run.status, 0);
	used = strlen(head) - strlen("<title>");
	for (size_t i = 0; i < depth; i++, used += strlen(deep))
		memcpy(text + used, deep, strlen(deep));
	call_bytes("web1", "migrate", text, used);
	check_clean_line("the domain XML does not parse");
	memcpy(text + strlen(head), "\0zero", 5);
	call_bytes("web1", "migrate", text, 4096);
	check_clean_line("the domain XML holds a zero byte");
	free(text);
}

TEST(a_passport_cannot_forge_a_line_either)
{
	check_refused("web1", DOMAIN("web1", PASSPORT(FORGED) INTERFACE(MAC SOURCE(ADDRESS))), "vferry: web1: ");
	check_refused("web1", DOMAIN("web1", PASSPORT("mac='52:54:00:00:00:01' psid='\xe2\x80\xae'") INTERFACE(MAC SOURCE(ADDRESS))),
		      "vferry: web1: ");
}
