/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration file, its table of keys and its sample. */
#include "check.h"

#include "base/config.h"
#include "base/sysroot.h"

#define SAMPLE "../../install/vferry.conf"
#define FILE_HERE "/etc/vferry/vferry.conf"

/* Reads a text as the configuration file. Returns what config_read() returns. */
static int read_text(const char *text, struct config *config, struct reason *why)
{
	check_file(FILE_HERE, text);
	CHECK_INT(sysroot_set(check_scratch()), 0);
	return config_read(FILE_HERE, config, why);
}

/* Returns the one line for a text that must be refused. */
static const char *refusal(const char *text)
{
	static char line[1024];
	struct config config;
	struct reason why = {0};

	memset(&config, 0x5a, sizeof(config));
	if (read_text(text, &config, &why) != -EINVAL)
		FAIL("accepted: %s", text);
	for (size_t i = 0; i < sizeof(config); i++)
		CHECK_INT(((unsigned char *)&config)[i], 0x5a);
	CHECK_STR(why.cure, "correct the line, or remove it to get the default");
	why.cure[0] = '\0';
	reason_format(&why, NULL, line, sizeof(line));
	return line;
}

/* Checks that two configurations are the same, member by member. */
static void check_same(const struct config *a, const struct config *b)
{
	for (const struct config_key *key = config_keys(); key->section; key++)
		if (memcmp((const char *)a + key->offset, (const char *)b + key->offset, key->size) != 0)
			FAIL("%s differs", key->name);
}

TEST(the_defaults_are_those_of_the_manual)
{
	struct config c;

	config_defaults(&c);
	CHECK_STR(c.pf, "");
	CHECK_INT(c.vfs, 8);
	CHECK_STR(c.bridge, "br-vferry");
	CHECK(c.create_bridge && c.plug_uplink && c.ovs_offload);
	CHECK_STR(c.ovsdb_socket, "/run/openvswitch/db.sock");
	CHECK_INT(c.max_idle, 300000);
	CHECK_INT(c.without_passport, WITHOUT_SAME_ADDRESS);
	CHECK_INT(c.cards, CARDS_CONNECTX_7);
	CHECK_STR(c.peer_psid, "");
	CHECK_STR(c.peer_firmware, "");
	CHECK_INT(c.unknown_source, SEVERITY_WARN);
	CHECK_INT(c.at_start, SEVERITY_WARN);
	CHECK_INT(c.placement, PLACING_CHOOSE);
	CHECK_INT(c.patience, 0);
	CHECK_INT(c.vfs_in_flight, 4);
	CHECK_STR(c.firmware_refuse_below, "28.36.1010");
	CHECK_STR(c.firmware_warn_below, "28.41.1000");
	CHECK_INT(c.hook_deadline, 60);
	CHECK_INT(c.slot_wait, 300);
	CHECK_INT(c.slot_queue, 8);
	CHECK_INT(c.lease_time, 120);
}

TEST(every_default_is_a_value_that_the_key_takes)
{
	for (const struct config_key *key = config_keys(); key->section; key++) {
		struct config config;

		CHECK(key->name && key->value && key->help && key->set);
		if (key->set(key, key->value, &config) != 0)
			FAIL("%s does not take its default %s", key->name, key->value);
	}
}

TEST(every_member_of_the_configuration_has_one_key)
{
	unsigned char covered[sizeof(struct config)] = {0};
	size_t bytes = 0;

	for (const struct config_key *key = config_keys(); key->section; key++)
		for (size_t i = 0; i < key->size; i++) {
			if (covered[key->offset + i])
				FAIL("%s shares a member with another key", key->name);
			covered[key->offset + i] = 1;
			bytes++;
		}
	CHECK(sizeof(struct config) - bytes < 16); /* padding between members */
}

TEST(an_absent_file_and_an_empty_one_give_the_defaults)
{
	struct config config, defaults;

	config_defaults(&defaults);
	CHECK_INT(sysroot_set(check_scratch()), 0);
	CHECK_INT(config_read(FILE_HERE, &config, NULL), 0);
	check_same(&config, &defaults);
	CHECK_INT(config_read(NULL, &config, NULL), 0);
	check_same(&config, &defaults);
	CHECK_INT(read_text("", &config, NULL), 0);
	check_same(&config, &defaults);
}

TEST(reads_every_kind_of_value)
{
	struct config c;

	CHECK_INT(read_text("# comment\n[host]\npf=0000:81:00.0\nvfs = 0\nbridge: ovs-br.1\ncreate_bridge = no\n; comment\n"
			    "ovsdb_socket = /tmp/x\n\n[guest]\nwithout_passport = ignore\nunknown_source=refuse\nat_start = allow\n"
			    "[limits]\nvfs_in_flight = 1\nfirmware_warn_below = 1.2.3\n[host]\nmax_idle = 500", &c, NULL), 0);
	CHECK_STR(c.pf, "0000:81:00.0");
	CHECK_INT(c.vfs, 0);
	CHECK_STR(c.bridge, "ovs-br.1");
	CHECK(!c.create_bridge && c.plug_uplink);
	CHECK_STR(c.ovsdb_socket, "/tmp/x");
	CHECK_INT(c.without_passport, WITHOUT_IGNORE);
	CHECK_INT(c.unknown_source, SEVERITY_REFUSE);
	CHECK_INT(c.at_start, SEVERITY_ALLOW);
	CHECK_INT(c.vfs_in_flight, 1);
	CHECK_STR(c.firmware_warn_below, "1.2.3");
	CHECK_INT(c.max_idle, 500);
}

TEST(what_guests_without_a_passport_come_from_can_be_said_once_for_all_hosts)
{
	struct config c;

	CHECK_INT(read_text("[peer]\npsid = MT_0000000834\nfirmware = 28.43.1014\n", &c, NULL), 0);
	CHECK_STR(c.peer_psid, "MT_0000000834");
	CHECK_STR(c.peer_firmware, "28.43.1014");
	CHECK_INT(read_text("[peer]\npsid =\nfirmware =\n", &c, NULL), 0);
	CHECK_STR(c.peer_psid, "");
	CHECK_STR(c.peer_firmware, "");
	CHECK_CONTAINS(refusal("[peer]\npsid = MT_0834/..\n"), "psid = MT_0834/.. is not allowed, it takes a PSID such as MT_0000000834, or nothing");
	CHECK_CONTAINS(refusal("[peer]\npsid = MT_00000000000000000000000000834\n"), "a PSID such as");
	CHECK_CONTAINS(refusal("[peer]\nfirmware = 28.43\n"), "three numbers with dots, such as 28.36.1010, or nothing");
	CHECK_STR(refusal("[peer hostB]\npsid = MT_1\n"), FILE_HERE ":2: there is no key psid in the section [peer hostB]");
}

TEST(a_wrong_value_names_file_line_key_value_and_what_is_allowed)
{
	CHECK_STR(refusal("[host]\n\nvfs = many\n"),
		  FILE_HERE ":3: vfs = many is not allowed, it takes a number from 0 to 1024");
	CHECK_STR(refusal("[host]\ncreate_bridge = true\n"),
		  FILE_HERE ":2: create_bridge = true is not allowed, it takes no or yes");
	CHECK_STR(refusal("[guest]\nat_start = never\n"),
		  FILE_HERE ":2: at_start = never is not allowed, it takes allow, warn or refuse");
	CHECK_STR(refusal("[host]\ncards = connectx-6\n"),
		  FILE_HERE ":2: cards = connectx-6 is not allowed, it takes connectx-7, bluefield-3 or all");
	CHECK_STR(refusal("[limits]\nfirmware_warn_below = new\n"),
		  FILE_HERE ":2: firmware_warn_below = new is not allowed, it takes three numbers with dots, such as 28.36.1010");
}

TEST(numbers_keep_to_their_bounds)
{
	CHECK_CONTAINS(refusal("[limits]\nvfs_in_flight = 5"), "vfs_in_flight = 5 is not allowed, it takes a number from 1 to 4");
	CHECK_CONTAINS(refusal("[limits]\nvfs_in_flight = 0"), "a number from 1 to 4");
	CHECK_CONTAINS(refusal("[host]\nvfs = -1"), "vfs = -1");
	CHECK_CONTAINS(refusal("[host]\nvfs = +1"), "vfs = +1");
	CHECK_CONTAINS(refusal("[host]\nvfs = 0x8"), "vfs = 0x8");
	CHECK_CONTAINS(refusal("[host]\nvfs = 99999999999999999999999"), "vfs = 9999");
	CHECK_CONTAINS(refusal("[host]\nvfs ="), "vfs =  is not allowed");
	CHECK_CONTAINS(refusal("[host]\nvfs = 8 # eight"), "vfs = 8 # eight is not allowed");
}

TEST(texts_keep_to_their_bounds)
{
	char long_name[300];

	CHECK_CONTAINS(refusal("[host]\nbridge = ../x"), "bridge = ../x is not allowed, it takes the name of a bridge");
	CHECK_CONTAINS(refusal("[host]\nbridge ="), "bridge =");
	CHECK_CONTAINS(refusal("[host]\nbridge = .."), "bridge = ..");
	CHECK_CONTAINS(refusal("[host]\nbridge = a b"), "bridge = a b");
	CHECK_CONTAINS(refusal("[host]\nbridge = -f"), "bridge = -f");
	CHECK_CONTAINS(refusal("[host]\nbridge = sixteen-letters1"), "1 to 15 letters");
	CHECK_CONTAINS(refusal("[host]\novsdb_socket = db.sock"), "an absolute path of at most 107 bytes");
	snprintf(long_name, sizeof(long_name), "[host]\novsdb_socket = /%0107d", 0);
	CHECK_CONTAINS(refusal(long_name), "an absolute path of at most 107 bytes");
	CHECK_CONTAINS(refusal("[limits]\nfirmware_refuse_below = 28.36"), "three numbers with dots");
	CHECK_CONTAINS(refusal("[limits]\nfirmware_refuse_below = 28.36.1010.1"), "three numbers with dots");
}

TEST(refuses_what_it_does_not_know)
{
	CHECK_STR(refusal("[host]\nvf = 8\n"), FILE_HERE ":2: there is no key vf in the section [host]");
	CHECK_STR(refusal("[hosts]\nvfs = 8\n"), FILE_HERE ":2: there is no key vfs in the section [hosts]");
	CHECK_STR(refusal("vfs = 8\n"), FILE_HERE ":1: vfs stands before the first [section]");
	CHECK_STR(refusal("[host]\nvfs\n"), FILE_HERE ":2: the line is neither [section] nor key = value nor a comment");
	CHECK_STR(refusal("[host\nvfs = 8\n"), FILE_HERE ":1: the line is neither [section] nor key = value nor a comment");
}

TEST(refuses_a_key_that_is_set_twice)
{
	CHECK_STR(refusal("[host]\nvfs = 8\nvfs = 9\n"), FILE_HERE ":3: vfs is set a second time");
	CHECK_STR(refusal("[host]\nbridge = br0\n  vfs=3\n"), FILE_HERE ":3: bridge is set a second time");
}

TEST(the_first_wrong_line_is_the_one_named)
{
	CHECK_CONTAINS(refusal("[host]\nnonsense\nvfs = x\n"), ":2: the line is neither");
	CHECK_CONTAINS(refusal("[host]\nvfs = x\nnonsense\n"), ":2: vfs = x");
}

TEST(refuses_a_line_that_is_too_long_instead_of_reading_a_part_of_it)
{
	char text[1200];

	snprintf(text, sizeof(text), "[host]\n# %0600d\nvfs = 3\n", 0);
	CHECK_CONTAINS(refusal(text), ":2: the line is longer than");
	snprintf(text, sizeof(text), "[host]\nvfs = 3%*s1\nmax_idle = 501\n", 600, "");
	CHECK_CONTAINS(refusal(text), ":2: the line is longer than");
}

TEST(shows_hostile_bytes_as_question_marks)
{
	CHECK_CONTAINS(refusal("[host]\nvfs = \x1b[31m\n"), "vfs = ?[31m");
	CHECK_CONTAINS(refusal("[host]\n\xe2\x80\xae = 1\n"), "there is no key ? in");
}

TEST(refuses_a_zero_byte_and_a_file_without_end)
{
	struct config config;
	struct reason why;
	char *big = calloc(1, 70000);

	CHECK_INT(sysroot_set(check_scratch()), 0);
	check_file_bytes(FILE_HERE, "[host]\0vfs = 9\n", 15);
	CHECK_INT(config_read(FILE_HERE, &config, &why), -EINVAL);
	CHECK_STR(why.what, "the configuration holds a zero byte");
	CHECK(big != NULL);
	memset(big, '#', 70000);
	check_file_bytes(FILE_HERE, big, 70000);
	free(big);
	CHECK_INT(config_read(FILE_HERE, &config, &why), -EFBIG);
	CHECK_STR(why.object, FILE_HERE);
}

/* Joins the comment lines right above a line of the sample into one sentence. */
static void comment_above(const char *text, const char *line, char *out, size_t size)
{
	const char *start = line;

	while (start > text + 1) {
		const char *before = start - 1;

		while (before > text && before[-1] != '\n')
			before--;
		if (strncmp(before, "# ", 2) != 0)
			break;
		start = before;
	}
	out[0] = '\0';
	while (start < line) {
		size_t length = strcspn(start, "\n"), used = strlen(out);

		snprintf(out + used, size - used, "%s%.*s", used ? " " : "", (int)length - 2, start + 2);
		start += length + 1;
	}
}

TEST(every_key_stands_in_the_sample_with_its_help_and_default)
{
	char *sample = CHECK_DATA(SAMPLE, NULL);

	for (const struct config_key *key = config_keys(); key->section; key++) {
		char header[64], line[160], comment[1024];
		char *section, *next, *at;

		snprintf(header, sizeof(header), "\n[%s]\n", key->section);
		snprintf(line, sizeof(line), "\n#%s =%s%s\n", key->name, *key->value ? " " : "", key->value);
		section = strstr(sample, header);
		at = section ? strstr(section, line) : NULL;
		next = section ? strstr(section + 1, "\n[") : NULL;
		if (!at || (next && at > next))
			FAIL("the sample lacks \"#%s = %s\" in [%s]", key->name, key->value, key->section);
		comment_above(sample, at + 1, comment, sizeof(comment));
		CHECK_STR(comment, key->help);
	}
	free(sample);
}

TEST(every_line_of_the_sample_is_a_key_of_the_table_and_a_default)
{
	char *sample = CHECK_DATA(SAMPLE, NULL), section[32] = "";
	struct config config, defaults;
	size_t found = 0, known = 0;

	CHECK_INT(read_text(sample, &config, NULL), 0);
	for (char *line = strtok(strdupa(sample), "\n"); line; line = strtok(NULL, "\n")) {
		bool in_table = false;

		if (sscanf(line, "[%31[a-z]]", section) == 1 || strcmp(line, "#") == 0 || strncmp(line, "# ", 2) == 0)
			continue;
		for (const struct config_key *key = config_keys(); key->section; key++)
			in_table |= strcmp(section, key->section) == 0 && strncmp(line + 1, key->name, strlen(key->name)) == 0 &&
				    line[1 + strlen(key->name)] == ' ';
		if (line[0] != '#' || !in_table)
			FAIL("the table knows no \"%s\" in [%s]", line, section);
		found++;
	}
	for (const struct config_key *key = config_keys(); key->section; key++)
		known++;
	CHECK_INT(found, known);
	for (char *c = sample; (c = strstr(c, "\n#")); c++)
		if (c[2] != ' ' && c[2] != '\n')
			c[1] = ' ';
	for (char *c = sample; (c = strstr(c, "\n "));)
		memmove(c + 1, c + 2, strlen(c + 2) + 1);
	CHECK_CONTAINS(sample, "\nvfs = 8\n");
	config_defaults(&defaults);
	CHECK_INT(read_text(sample, &config, NULL), 0);
	check_same(&config, &defaults);
	free(sample);
}

TEST(a_file_that_others_may_write_is_refused)
{
	struct reason why = {0};
	struct config config;
	char path[PATH_MAX + 64];

	CHECK_INT(read_text("", &config, NULL), 0);
	snprintf(path, sizeof(path), "%s" FILE_HERE, check_scratch());
	CHECK_INT(chmod(path, 0666), 0);
	CHECK_INT(config_read(FILE_HERE, &config, &why), -EPERM);
	CHECK_CONTAINS(why.what, "others than root may write it");
	CHECK_CONTAINS(why.cure, "chmod 644 " FILE_HERE);
}

TEST(a_downtime_may_be_a_floor)
{
	static const struct { const char *text; int error; unsigned int value; } rows[] = {
		{ "auto", 0, CONFIG_DOWNTIME_AUTO },
		{ "off", 0, CONFIG_DOWNTIME_OFF },
		{ "475", 0, 475 },
		{ "at-least:475", 0, CONFIG_DOWNTIME_AT_LEAST | 475 },
		{ "at-least:2000000", 0, CONFIG_DOWNTIME_AT_LEAST | 2000000 },
		{ "at-least:9", -EINVAL, 0 },
		{ "at-least:2000001", -EINVAL, 0 },
		{ "at-least:", -EINVAL, 0 },
		{ "at-least:auto", -EINVAL, 0 },
		{ "at-least 475", -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config config = { 0 };
		char text[128];

		snprintf(text, sizeof(text), "[agent]\nmax_downtime = %s\n", rows[i].text);
		check_file("/etc/floor.conf", text);
		CHECK_INT(sysroot_set(check_scratch()), 0);
		CHECK_INT(config_read("/etc/floor.conf", &config, NULL), rows[i].error);
		CHECK_INT(sysroot_set(""), 0);
		if (!rows[i].error)
			CHECK_INT(config.max_downtime, rows[i].value);
	}
}
