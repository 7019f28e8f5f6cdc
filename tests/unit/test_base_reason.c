/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sentences for the operator, and the cleaning of foreign text. */
#include "check.h"

#include "base/log.h"
#include "base/reason.h"

/* Returns the one line that an operator reads. */
static const char *line(const struct reason *why, const char *guest)
{
	static char text[2048];

	reason_format(why, guest, text, sizeof(text));
	return text;
}

/* Returns text as reason_clean() leaves it. */
static const char *clean(const char *text)
{
	static char out[512];

	reason_clean(out, sizeof(out), text);
	return out;
}

TEST(a_reason_reads_guest_object_what_cure)
{
	struct reason why;

	CHECK_INT(reason_set(&why, -EBUSY, "0000:81:00.0", "VF %d has a driver", 3), -EBUSY);
	reason_cure(&why, "unbind %s", "it");
	CHECK_STR(line(&why, "guest7"), "guest7: 0000:81:00.0: VF 3 has a driver; unbind it");
	CHECK_STR(line(&why, NULL), "0000:81:00.0: VF 3 has a driver; unbind it");
	CHECK_INT(why.error, -EBUSY);
}

TEST(parts_that_are_empty_leave_no_trace)
{
	struct reason why;

	reason_set(&why, -EIO, NULL, "it broke");
	CHECK_STR(line(&why, ""), "it broke");
}

TEST(setting_a_reason_forgets_the_rule_and_cure_before)
{
	struct reason why;

	reason_set(&why, -EIO, "a", "one");
	reason_rule(&why, "L1-postcopy");
	reason_cure(&why, "two");
	CHECK_STR(why.rule, "L1-postcopy");
	reason_set(&why, -EIO, why.object, "again: %s", why.what);
	CHECK_STR(line(&why, NULL), "a: again: one");
	CHECK_STR(why.rule, "");
}

TEST(a_caller_that_does_not_ask_gets_the_error_all_the_same)
{
	CHECK_INT(reason_set(NULL, -ENODEV, "x", "y"), -ENODEV);
	reason_cure(NULL, "z");
	reason_rule(NULL, "z");
}

TEST(prints_one_line_with_the_name_of_the_program)
{
	char text[256] = "";
	FILE *memory = fmemopen(text, sizeof(text), "w");
	struct reason why;

	reason_set(&why, -EIO, "br\n0", "bad\x1b[31m");
	reason_print(&why, "a\rb", memory);
	fclose(memory);
	CHECK_STR(text, "vferry: a?b: br?0: bad?[31m\n");
}

TEST(keeps_ordinary_text_of_any_language)
{
	CHECK_STR(clean("web-01 größe 虛擬機 가상 \xf0\x9f\x90\xa7"), "web-01 größe 虛擬機 가상 \xf0\x9f\x90\xa7");
}

TEST(shows_control_characters_as_question_marks)
{
	CHECK_STR(clean("a\tb\nc\rd\x1b[2J\x7f"), "a?b?c?d?[2J?");
	CHECK_STR(clean("\xc2\x9b"), "?"); /* U+009B, the C1 form of ESC [ */
}

TEST(shows_bidi_and_format_characters_as_question_marks)
{
	CHECK_STR(clean("x\xe2\x80\xaey"), "x?y");     /* U+202E right-to-left override */
	CHECK_STR(clean("x\xe2\x81\xa6y"), "x?y");     /* U+2066 left-to-right isolate */
	CHECK_STR(clean("x\xe2\x80\x8by"), "x?y");     /* U+200B zero width space */
	CHECK_STR(clean("x\xef\xbb\xbfy"), "x?y");     /* U+FEFF byte order mark */
	CHECK_STR(clean("x\xe2\x80\xa8y"), "x?y");     /* U+2028 line separator */
	CHECK_STR(clean("x\xf3\xa0\x81\xa1y"), "x?y"); /* U+E0061 tag letter */
	CHECK_STR(clean("x\xd8\x9cy"), "x?y");         /* U+061C arabic letter mark */
}

TEST(shows_each_byte_of_broken_utf8_as_a_question_mark)
{
	CHECK_STR(clean("\xff\xfe"), "??");
	CHECK_STR(clean("a\x80z"), "a?z");
	CHECK_STR(clean("\xc0\xaf"), "??");         /* overlong '/' */
	CHECK_STR(clean("\xe0\x80\xaf"), "???");    /* overlong '/' */
	CHECK_STR(clean("\xed\xa0\x80"), "?");      /* a surrogate, one code point that is never shown */
	CHECK_STR(clean("\xf4\x90\x80\x80"), "????"); /* above U+10FFFF */
	CHECK_STR(clean("ab\xe2\x82"), "ab??");     /* cut in the middle */
}

TEST(cuts_at_a_whole_character)
{
	char out[6];

	reason_clean(out, sizeof(out), "abcd\xc3\xa4");
	CHECK_STR(out, "abcd");
	reason_clean(out, sizeof(out), "abc\xc3\xa4");
	CHECK_STR(out, "abc\xc3\xa4");
	reason_clean(out, 1, "abc");
	CHECK_STR(out, "");
	out[0] = 'x';
	reason_clean(out, 0, "abc");
	CHECK_INT(out[0], 'x');
}

TEST(the_result_is_valid_for_any_bytes)
{
	unsigned int seed = 1;

	for (int round = 0; round < 20000; round++) {
		char text[24], once[48], twice[48];

		for (size_t i = 0; i < sizeof(text) - 1; i++) {
			seed = seed * 1103515245u + 12345u;
			text[i] = (char)(seed >> 16 | 1);
		}
		text[sizeof(text) - 1] = '\0';
		reason_clean(once, sizeof(once), text);
		reason_clean(twice, sizeof(twice), once);
		CHECK_STR(twice, once);
		for (const char *c = once; *c; c++)
			CHECK((unsigned char)*c >= 0x20 && *c != 0x7f);
	}
}

TEST(the_log_writes_cleaned_lines_with_their_context)
{
	const char *path = check_file("/log", "");
	int saved = dup(2);
	char *text;

	CHECK(freopen(path, "w", stderr) != NULL);
	log_open("vferry-test", true);
	log_context("gu\nest", "migrate");
	log_info("VF %d\n", 3);
	log_context(NULL, NULL);
	log_info("done");
	fflush(stderr);
	dup2(saved, 2);
	close(saved);
	text = check_data(path, "log", NULL);
	CHECK_STR(text, "gu?est: migrate: VF 3?\ndone\n");
	free(text);
}
