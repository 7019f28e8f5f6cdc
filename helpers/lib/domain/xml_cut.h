/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xml_cut.h: what libxml2 is not to see, found before it parses. For this room only.
 *
 * <metadata> belongs to whoever may edit the guest, and libvirt takes megabytes of it. libxml2 2.9 compares the attributes of an element
 * each with each: 100,000 of them keep it busy for a minute. So nothing of metadata but vferry's own element is parsed, and an element
 * elsewhere that has more attributes than any that libvirt writes is refused.
 */
#ifndef VFERRY_DOMAIN_XML_CUT_H
#define VFERRY_DOMAIN_XML_CUT_H

#include <stdbool.h>
#include <stddef.h>

#define XML_MAX_ATTRIBUTES 512 /* of one element; libvirt writes some 30 at most */

/* A part of a text. */
struct xml_part {
	size_t begin, end; /* bytes; empty: none */
};

/* Which <metadata>, and what of it stays. */
struct xml_keep {
	unsigned int depth;  /* 1: a child of the root */
	const char *element; /* name, without prefix, of the elements in it that stay; NULL: none */
};

/*
 * Leaves out the content of the first <metadata>, but for what is kept. What is left has as many lines as before.
 * shorter, left: receive the new text, malloc'ed, and its length; NULL if there is nothing to leave out; cut: the content in the old text.
 * Return: 0, -ENOMEM.
 */
int xml_cut_metadata(const char *text, size_t len, const struct xml_keep *what, char **shorter, size_t *left, struct xml_part *cut);

/* The line of the first element with more than XML_MAX_ATTRIBUTES attributes. Return: 0 if there is none. */
long xml_find_wide(const char *text, size_t len);

#endif
