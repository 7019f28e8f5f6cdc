/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * reason.c: why something failed, in the words that the operator reads. See reason.h.
 */
#include "base/reason.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define LINE_MAX_BYTES (2 * REASON_TEXT_MAX + REASON_OBJECT_MAX + 256)

/* Code points that a terminal or a reader can be misled with: Unicode's controls (Cc), formats (Cf, which holds all bidi controls), line
 * and paragraph separators (Zl, Zp), surrogates and the first block of noncharacters. Sorted. */
static const struct {
	uint32_t first, last;
} forbidden[] = {
	{0x00, 0x1f},       {0x7f, 0x9f},       {0xad, 0xad},       {0x600, 0x605},     {0x61c, 0x61c},     {0x6dd, 0x6dd},
	{0x70f, 0x70f},     {0x890, 0x891},     {0x8e2, 0x8e2},     {0x180e, 0x180e},   {0x200b, 0x200f},   {0x2028, 0x202e},
	{0x2060, 0x206f},   {0xd800, 0xdfff},   {0xfdd0, 0xfdef},   {0xfeff, 0xfeff},   {0xfff9, 0xfffb},   {0xfffe, 0xffff},
	{0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

/* Return: whether a code point may be shown. */
static bool is_shown(uint32_t code)
{
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]) && code >= forbidden[i].first; i++)
		if (code <= forbidden[i].last)
			return false;
	return true;
}

/*
 * Reads one character of UTF-8 (RFC 3629: shortest form only, up to U+10FFFF). text ends with NUL.
 * code: receives the code point.
 * Return: its length in bytes, 0 if no valid character starts here.
 */
static size_t utf8_take(const char *text, uint32_t *code)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *byte = (const unsigned char *)text;
	size_t length = byte[0] < 0x80 ? 1 : byte[0] >> 5 == 0x6 ? 2 : byte[0] >> 4 == 0xe ? 3 : byte[0] >> 3 == 0x1e ? 4 : 0;

	if (length == 0)
		return 0;
	*code = length == 1 ? byte[0] : byte[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if (byte[i] >> 6 != 0x2)
			return 0;
		*code = *code << 6 | (byte[i] & 0x3fu);
	}
	return *code < smallest[length] || *code > 0x10ffff ? 0 : length;
}

/*
 * out, size: receives text, cut at a whole character if it does not fit, always ended by NUL (size 0: nothing is written).
 * text: any bytes up to NUL. What cannot be shown becomes one '?': a character of the table above, or one byte of broken UTF-8.
 */
void reason_clean(char *out, size_t size, const char *text)
{
	size_t used = 0;

	if (size == 0)
		return;
	while (*text) {
		uint32_t code = 0;
		size_t length = utf8_take(text, &code);
		bool shown = length > 0 && is_shown(code);
		size_t needed = shown ? length : 1;

		if (used + needed >= size)
			break;
		if (shown)
			memcpy(out + used, text, length);
		else
			out[used] = '?';
		used += needed;
		text += length > 0 ? length : 1;
	}
	out[used] = '\0';
}

/*
 * why: receives the reason, whatever it held before is gone; may be NULL. error: negative errno. object: may be NULL or empty, and may
 * be a part of *why, as may the arguments. format: the sentence, without full stop.
 * Return: error.
 */
int reason_set(struct reason *why, int error, const char *object, const char *format, ...)
{
	struct reason fresh = {.error = error};
	va_list args;

	if (!why)
		return error;
	if (object)
		snprintf(fresh.object, sizeof(fresh.object), "%s", object);
	va_start(args, format);
	vsnprintf(fresh.what, sizeof(fresh.what), format, args);
	va_end(args);
	*why = fresh;
	return error;
}

/* why: receives the cure, may be NULL. format: what the operator can do, without full stop. */
void reason_cure(struct reason *why, const char *format, ...)
{
	va_list args;

	if (!why)
		return;
	va_start(args, format);
	vsnprintf(why->cure, sizeof(why->cure), format, args);
	va_end(args);
}

/* why: receives the name of the rule, may be NULL. */
void reason_rule(struct reason *why, const char *rule)
{
	if (why)
		snprintf(why->rule, sizeof(why->rule), "%s", rule);
}

/*
 * guest: name of the guest, may be NULL or empty. out, size: receives "GUEST: OBJECT: what; cure" without the parts that are empty, on
 * one line, cleaned by reason_clean().
 */
void reason_format(const struct reason *why, const char *guest, char *out, size_t size)
{
	char line[LINE_MAX_BYTES];
	const char *who = guest ? guest : "";

	snprintf(line, sizeof(line), "%s%s%s%s%s%s%s", who, *who ? ": " : "", why->object, why->object[0] ? ": " : "", why->what,
		 why->cure[0] ? "; " : "", why->cure);
	reason_clean(out, size, line);
}

/* guest: may be NULL. Writes one line, "vferry: …", to stream. */
void reason_print(const struct reason *why, const char *guest, FILE *stream)
{
	char line[LINE_MAX_BYTES];

	reason_format(why, guest, line, sizeof(line));
	fprintf(stream, "vferry: %s\n", line);
}

/* Whether a shell takes text as one word as it stands. */
static bool is_plain_word(const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+=,-";

	return *text && text[strspn(text, plain)] == '\0';
}

/*
 * Writes text as one word of a shell (POSIX.1-2017, Shell Command Language, 2.2.2): in single quotes if need be, and a single quote by
 * leaving these. What does not fit is left out, with the quotes closed.
 */
const char *reason_word(const char *text, char *out, size_t size)
{
	char clean[512];
	size_t used = 0;

	reason_clean(clean, sizeof(clean), text);
	if (is_plain_word(clean)) {
		snprintf(out, size, "%s", clean);
		return out;
	}
	if (size < 8) {
		snprintf(out, size, "%s", size > 2 ? "''" : "");
		return out;
	}
	out[used++] = '\'';
	for (const char *c = clean; *c && used + 6 < size; c++) {
		if (*c == '\'')
			used += (size_t)snprintf(out + used, size - used, "'\\''");
		else
			out[used++] = *c;
	}
	out[used++] = '\'';
	out[used] = '\0';
	return out;
}
