/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xml_cut.c: what libxml2 is not to see. See xml_cut.h.
 *
 * A walk from tag to tag, in linear time. In a text that is well formed it sees exactly the tags that a parser sees: comments, CDATA
 * sections and processing instructions are passed over, and in a tag '>' counts outside of quotes alone. A text that is not well formed is
 * never made so by leaving a part out: the tags around it are counted.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem, mempcpy */
#endif

#include "domain/xml_cut.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A walk over the tags of a text. */
struct walk {
	const char *at, *end; /* what is still to be seen */
	const char *tag;      /* the tag: its '<' */
	unsigned int depth;   /* elements that are open around it */
	bool is_end, is_empty; /* </x>, <x/> */
	size_t attributes;
};

/* Return: the place behind the next TEXT, the end if it is not there. */
static const char *behind(const char *at, const char *end, const char *text)
{
	const char *found = memmem(at, (size_t)(end - at), text, strlen(text));

	return found ? found + strlen(text) : end;
}

/* Return: whether a place begins with a text. */
static bool begins(const char *at, const char *end, const char *text)
{
	return (size_t)(end - at) >= strlen(text) && memcmp(at, text, strlen(text)) == 0;
}

/*
 * Passes over what begins with '<' and is no tag.
 * Return: the place behind it, NULL if it is a tag.
 */
static const char *pass_over(const char *at, const char *end)
{
	if (begins(at, end, "<!--"))
		return behind(at + 4, end, "-->");
	if (begins(at, end, "<![CDATA["))
		return behind(at + 9, end, "]]>");
	if (begins(at, end, "<?"))
		return behind(at + 2, end, "?>");
	return begins(at, end, "<!") ? end : NULL; /* a document type: no parser of ours reads on behind it */
}

/*
 * Goes to the end of a tag and counts its attributes, each of which has one '=' outside of its quotes.
 * Return: the place behind it.
 */
static const char *pass_tag(struct walk *walk)
{
	const char *at = walk->tag + 1, *quote;

	walk->attributes = 0;
	for (; at < walk->end && *at != '>'; at++) {
		walk->attributes += *at == '=';
		if (*at != '"' && *at != '\'')
			continue;
		quote = memchr(at + 1, *at, (size_t)(walk->end - at) - 1);
		at = quote ? quote : walk->end - 1;
	}
	walk->is_empty = at > walk->tag && at[-1] == '/';
	return at < walk->end ? at + 1 : walk->end;
}

/*
 * Goes to the next tag.
 * Return: whether there is one.
 */
static bool next_tag(struct walk *walk)
{
	bool was_open = walk->tag && !walk->is_end && !walk->is_empty;
	const char *behind_it;

	walk->depth += was_open;
	for (;;) {
		walk->tag = walk->at < walk->end ? memchr(walk->at, '<', (size_t)(walk->end - walk->at)) : NULL;
		behind_it = walk->tag ? pass_over(walk->tag, walk->end) : NULL;
		if (!behind_it)
			break;
		walk->at = behind_it;
	}
	if (!walk->tag)
		return false;
	walk->is_end = walk->tag + 1 < walk->end && walk->tag[1] == '/';
	walk->at = pass_tag(walk);
	walk->depth -= walk->is_end && walk->depth > 0;
	return true;
}

/* Return: whether the tag's name is that; without its prefix, if has_prefix. */
static bool is_named(const struct walk *walk, const char *name, bool has_prefix)
{
	const char *from = walk->tag + 1, *to = from, *colon;

	while (to < walk->at && !strchr(" \t\r\n/>", *to))
		to++;
	colon = has_prefix ? memchr(from, ':', (size_t)(to - from)) : NULL;
	from = colon ? colon + 1 : from;
	return (size_t)(to - from) == strlen(name) && memcmp(from, name, strlen(name)) == 0;
}

/* Adds a new line for each one of the text that is left out. Return: the end of what was written. */
static char *add_lines(char *to, const char *from, const char *end)
{
	while (from < end && (from = memchr(from, '\n', (size_t)(end - from)))) {
		*to++ = '\n';
		from++;
	}
	return to;
}

/*
 * Copies what is kept of the content of <metadata>; the walk stands at its tag.
 * to: has room for the whole text. Return: the end of what was written, NULL if the element has no end.
 */
static char *copy_content(struct walk *walk, const char *keep, char *to, const char **content_end)
{
	const unsigned int inside = walk->depth + 1;
	const char *from = walk->at, *kept = NULL;

	while (next_tag(walk)) {
		if (walk->is_end && walk->depth < inside) {
			*content_end = walk->tag;
			return add_lines(to, from, walk->tag);
		}
		if (keep && walk->depth == inside && !walk->is_end && is_named(walk, keep, true)) {
			to = add_lines(to, from, walk->tag);
			kept = walk->tag;
		}
		if (kept && walk->depth == inside && (walk->is_end || walk->is_empty)) {
			to = mempcpy(to, kept, (size_t)(walk->at - kept));
			from = walk->at;
			kept = NULL;
		}
	}
	return NULL;
}

/* See xml_cut.h. */
int xml_cut_metadata(const char *text, size_t len, const struct xml_keep *what, char **shorter, size_t *left, struct xml_part *cut)
{
	struct walk walk = {.at = text, .end = text + len};
	const char *content, *content_end = NULL;
	char *buffer, *to;

	*shorter = NULL;
	*cut = (struct xml_part){0};
	do {
		if (!next_tag(&walk))
			return 0;
	} while (walk.depth != what->depth || walk.is_end || !is_named(&walk, "metadata", false));
	if (walk.is_empty)
		return 0;
	buffer = malloc(len + 1);
	if (!buffer)
		return -ENOMEM;
	content = walk.at;
	to = copy_content(&walk, what->element, mempcpy(buffer, text, (size_t)(content - text)), &content_end);
	if (!to) {
		free(buffer);
		return 0;
	}
	to = mempcpy(to, content_end, (size_t)(text + len - content_end));
	*to = '\0';
	*cut = (struct xml_part){(size_t)(content - text), (size_t)(content_end - text)};
	*left = (size_t)(to - buffer);
	*shorter = buffer;
	return 0;
}

/* See xml_cut.h. */
long xml_find_wide(const char *text, size_t len)
{
	struct walk walk = {.at = text, .end = text + len};
	long line = 1;

	while (next_tag(&walk)) {
		if (walk.attributes <= XML_MAX_ATTRIBUTES)
			continue;
		for (const char *at = text; (at = memchr(at, '\n', (size_t)(walk.tag - at))); at++)
			line++;
		return line;
	}
	return 0;
}
