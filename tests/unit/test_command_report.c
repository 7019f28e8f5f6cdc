/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_command_report.c: a report names nobody, be it a guest that has left.
 */
#include "check.h"

#include <stdlib.h>

#include "command/report/names.h"

/* What a log becomes. */
static char *replaced(const char *log)
{
	struct replacer replacer = { 0 };
	char *text;

	CHECK_INT(replacer_name(&replacer, "hostB", "host"), 0);
	CHECK_INT(report_note_log(&replacer, log), 0);
	text = replacer_text(&replacer, log);
	replacer_release(&replacer);
	return text;
}

/* The guest of a line is replaced, the same everywhere. */
TEST(the_guest_of_a_line_is_replaced_though_it_has_left)
{
	char *text = replaced("Nov 29 16:11:55 hostB vferry[4711]: payroll: migrate: done in 9 ms\n"
			      "Nov 29 16:11:56 hostB vferry[4712]: my db: release: the guest has left (migrated)\n"
			      "Nov 29 16:11:57 hostB vferry[4713]: web: prepare: the VF is promised to guest payroll, which is arriving\n");

	CHECK_STR(text, "Nov 29 16:11:55 host1 vferry[4711]: guest1: migrate: done in 9 ms\n"
			"Nov 29 16:11:56 host1 vferry[4712]: guest2: release: the guest has left (migrated)\n"
			"Nov 29 16:11:57 host1 vferry[4713]: guest3: prepare: the VF is promised to guest guest1, which is arriving\n");
	free(text);
}

/* A guest that only a sentence about others names. */
TEST(a_guest_that_a_sentence_names_is_replaced)
{
	char *text = replaced("a vferry[1]: w: release: guest ledger has not come in time: what was made for it is given back\n"
			      "a vferry[1]: w: release: the VF of guest till is used by guest safe now: it is left as it is\n"
			      "a vferry[1]: w: migrate: waiting for a slot, up to 300 s: vault, purse came before; in flight are coin, note\n");

	CHECK(text && !strstr(text, "ledger") && !strstr(text, "till") && !strstr(text, "safe"));
	CHECK(!strstr(text, "vault") && !strstr(text, "purse") && !strstr(text, "coin") && !strstr(text, "note"));
	CHECK_CONTAINS(text, "release: guest guest");
	CHECK_CONTAINS(text, "what was made for it is given back");
	free(text);
}

/* A name that is the beginning of another one. */
TEST(a_name_within_a_name_leaves_nothing_of_it)
{
	char *text = replaced("a vferry[1]: web: migrate: done in 1 ms\na vferry[1]: web-secret: migrate: done in 1 ms\n");

	CHECK(text && !strstr(text, "secret"));
	free(text);
}

/* Words of a sentence are no names. */
TEST(the_words_of_a_sentence_stay)
{
	static const char log[] = "a vferry: the guest has left the host, and this guest has another VF; a guest is used now\n";
	char *text = replaced(log);

	CHECK_STR(text, log);
	free(text);
}
