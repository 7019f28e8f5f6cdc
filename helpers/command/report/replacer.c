/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * replacer.c: takes out of a text what tells who somebody is, in the same way wherever it stands.
 */
#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/mac_address.h"
#include "base/scope.h"
#include "command/report/replacer.h"

struct replacement {
	char from[256], to[64];
	bool is_name; /* looked for as it is; else found by its form */
};

/* What is known by its form: UUIDs, MACs, IPv4 and IPv6 addresses, serial numbers. */
static const struct form {
	const char *pattern;
	size_t group; /* of the pattern, that is replaced */
} forms[] = {
	{ "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}", 0 },
	{ "([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}", 0 },
	{ "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}", 0 },
	{ "[0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4}){3,7}|([0-9a-fA-F]{1,4}:)+:[0-9a-fA-F:]+", 0 },
	{ "([Ss]erial[ _]?([Nn]umber|[Nn]o)?|\\[SN\\])[^:]*: *([A-Za-z0-9-]{5,})", 3 },
};
#define FORMS (sizeof(forms) / sizeof(forms[0]))

/* Notes what stands for what. Return: it, NULL if out of memory. */
static const struct replacement *note(struct replacer *replacer, const char *from, const char *to, bool is_name)
{
	struct replacement *larger = reallocarray(replacer->replacement, replacer->count + 1, sizeof(*larger));

	if (!larger)
		return NULL;
	replacer->replacement = larger;
	larger += replacer->count++;
	snprintf(larger->from, sizeof(larger->from), "%s", from);
	snprintf(larger->to, sizeof(larger->to), "%s", to);
	larger->is_name = is_name;
	return larger;
}

/* Return: what stands for a text, NULL if it is new. */
static const struct replacement *find(const struct replacer *replacer, const char *from)
{
	for (size_t i = 0; i < replacer->count; i++) {
		if (strcasecmp(replacer->replacement[i].from, from) == 0)
			return &replacer->replacement[i];
	}
	return NULL;
}

/* Has a name replaced; see the header. */
int replacer_name(struct replacer *replacer, const char *name, const char *prefix)
{
	char to[64];
	size_t number = 1;

	if (!*name || replacer->keeps_names || find(replacer, name))
		return 0;
	for (size_t i = 0; i < replacer->count; i++)
		number += replacer->replacement[i].is_name && strncmp(replacer->replacement[i].to, prefix, strlen(prefix)) == 0;
	snprintf(to, sizeof(to), "%s%zu", prefix, number);
	return note(replacer, name, to, true) ? 0 : -ENOMEM;
}

/* Whether a character belongs to a word. */
static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/*
 * What stands for a text of a form: addresses that are for documents (RFC 7042 2.1.2, RFC 5737, RFC 3849). Return: what stands for it,
 * NULL if out of memory.
 */
static const struct replacement *replace(struct replacer *replacer, const char *from, size_t form)
{
	const struct replacement *known = find(replacer, from);
	char to[64];
	size_t n = replacer->count + 1;

	if (known)
		return known;
	if (form == 1)
		snprintf(to, sizeof(to), "00:00:5e:00:%02zx:%02zx", n >> 8 & 0xff, n & 0xff);
	else if (form == 0)
		snprintf(to, sizeof(to), "00000000-0000-4000-8000-%012zu", n);
	else if (form == 2)
		snprintf(to, sizeof(to), "192.0.2.%zu", n % 254 + 1);
	else if (form == 3)
		snprintf(to, sizeof(to), "2001:db8::%zx", n);
	else
		snprintf(to, sizeof(to), "SERIAL%zu", n);
	return note(replacer, from, to, false);
}

/* Whether what was found by a form is to be kept: an address that means nobody, and a MAC, which has the form of an IPv6 address too. */
static bool is_kept(const char *text, size_t form)
{
	struct mac_address mac;

	if (form != 1 && mac_address_parse(text, &mac) == 0)
		return true;
	return strcmp(text, "0.0.0.0") == 0 || strcmp(text, "00:00:00:00:00:00") == 0 || strcmp(text, "127.0.0.1") == 0 ||
	       strcmp(text, "255.255.255.255") == 0 || strcasecmp(text, "ff:ff:ff:ff:ff:ff") == 0;
}

/* Writes a text with all of one form replaced. */
static void write_form(struct replacer *replacer, size_t form, const char *text, FILE *out)
{
	regex_t regex;
	regmatch_t match[5];

	if (regcomp(&regex, forms[form].pattern, REG_EXTENDED)) {
		fputs(text, out);
		return;
	}
	while (*text && regexec(&regex, text, 5, match, 0) == 0 && match[0].rm_eo > 0) {
		regmatch_t part = match[forms[form].group];
		char from[256];
		const struct replacement *by;

		snprintf(from, sizeof(from), "%.*s", (int)(part.rm_eo - part.rm_so), text + part.rm_so);
		by = is_kept(from, form) || (part.rm_so > 0 && is_word(text[part.rm_so - 1])) ? NULL : replace(replacer, from, form);
		fwrite(text, 1, (size_t)part.rm_so, out);
		fputs(by ? by->to : from, out);
		text += part.rm_eo;
	}
	fputs(text, out);
	regfree(&regex);
}

/* Writes a text with one name replaced where it stands as a word of its own. */
static void write_name(const struct replacement *name, const char *text, FILE *out)
{
	size_t length = strlen(name->from);
	const char *begin = text, *at;

	while ((at = strstr(text, name->from))) {
		bool is_whole = (at == begin || !is_word(at[-1])) && !is_word(at[length]);

		fwrite(text, 1, (size_t)(at - text), out);
		fputs(is_whole ? name->to : name->from, out);
		text = at + length;
	}
	fputs(text, out);
}

/* Orders replacements for qsort(3): a name that is part of another one comes behind it. */
static int compare(const void *a, const void *b)
{
	size_t first = strlen(((const struct replacement *)a)->from), second = strlen(((const struct replacement *)b)->from);

	return (first < second) - (first > second);
}

/* Replaces what tells who somebody is; see the header. */
char *replacer_text(struct replacer *replacer, const char *text)
{
	char *now = strdup(text);
	size_t names = replacer->count;

	if (names)
		qsort(replacer->replacement, names, sizeof(*replacer->replacement), compare);
	for (size_t i = 0; now && !replacer->keeps_names && i < names + FORMS; i++) {
		autofree char *before = now;
		size_t size;
		FILE *out;

		if (i < names && !replacer->replacement[i].is_name) {
			now = scope_take(&before);
			continue;
		}
		now = NULL;
		out = open_memstream(&now, &size);
		if (!out)
			return NULL;
		if (i < names)
			write_name(&replacer->replacement[i], before, out);
		else
			write_form(replacer, i - names, before, out);
		fclose(out);
	}
	return now;
}

/* Gives it back. */
void replacer_release(struct replacer *replacer)
{
	free(replacer->replacement);
	memset(replacer, 0, sizeof(*replacer));
}
