/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * template.c: fills xml-templates in, so that an operator can change what vferry attach writes.
 */
#include "command/template.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/sysroot.h"

#define TEMPLATE_MAX (64u << 10) /* bytes */

/* Writes text as XML wants it in attributes and elements. */
static void put_escaped(const char *text, FILE *out)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '\'':
			fputs("&apos;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

/* Where a gap begins: an @ before capital letters and another @. Return: its length with both, 0 if there is none here. */
static size_t gap_length(const char *text)
{
	size_t letters = *text == '@' ? strspn(text + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") : 0;

	return letters && text[1 + letters] == '@' ? letters + 2 : 0;
}

/* Return: the value of a gap, NULL if there is none. */
static const char *find_value(const struct template_value *values, const char *gap, size_t length)
{
	for (; values->key; values++) {
		if (strlen(values->key) == length - 2 && strncmp(values->key, gap + 1, length - 2) == 0)
			return values->value;
	}
	return NULL;
}

/* Writes a template's text with its gaps filled. Return: 0, -EINVAL with *why filled. */
static int fill(const char *name, const char *text, const struct template_value *values, FILE *out, struct reason *why)
{
	while (*text) {
		size_t length = gap_length(text);
		const char *value = length ? find_value(values, text, length) : NULL;

		if (length && !value)
			return reason_set(why, -EINVAL, name, "the template in " TEMPLATE_DIRECTORY " has a gap %.*s that nothing fills",
					  (int)length, text);
		if (value)
			put_escaped(value, out);
		else
			fputc(*text, out);
		text += length ? length : 1;
	}
	return 0;
}

/* Return: the text behind a comment at the beginning. */
static const char *skip_comment(const char *text)
{
	const char *end = strncmp(text, "<!--", 4) == 0 ? strstr(text, "-->") : NULL;

	text = end ? end + 3 : text;
	return text + strspn(text, "\n");
}

/* Fills a template in; see the header. */
char *template_fill(const char *name, const struct template_value *values, struct reason *why)
{
	autofree char *text = NULL, *xml = NULL;
	ssize_t length = sysroot_slurp(&text, TEMPLATE_MAX, TEMPLATE_DIRECTORY "/%s", name);
	size_t size;
	FILE *out;
	int error;

	if (length < 0) {
		reason_set(why, (int)length, name, "the template cannot be read: %s", strerror((int)-length));
		reason_cure(why, "see that " TEMPLATE_DIRECTORY " is as vferry was installed");
		return NULL;
	}
	out = open_memstream(&xml, &size);
	if (!out) {
		reason_set(why, -ENOMEM, NULL, "out of memory");
		return NULL;
	}
	error = fill(name, skip_comment(text), values, out, why);
	if (fclose(out) && !error)
		error = reason_set(why, -ENOMEM, NULL, "out of memory");
	return error ? NULL : scope_take(&xml);
}
