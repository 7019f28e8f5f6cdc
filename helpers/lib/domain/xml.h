/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xml.h: reading XML that is not trusted, with libxml2. For this room only.
 */
#ifndef VFERRY_DOMAIN_XML_H
#define VFERRY_DOMAIN_XML_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/pci_address.h"
#include "base/reason.h"

/*
 * Parses len bytes. what names the text in sentences: "the domain XML". Refused: a document type or any entity but the five of XML, an
 * encoding other than UTF-8 or ASCII, a zero byte, nesting or sizes beyond libxml2's ordinary limits, an element with so many attributes
 * that comparing them takes long (xml_cut.h). Nothing is loaded from elsewhere.
 * Return: 0 with *doc for xmlFreeDoc(); -EINVAL, -E2BIG, -ENOMEM, *why filled.
 */
int xml_parse(const char *text, size_t len, const char *what, xmlDoc **doc, struct reason *why);

/* Whether a node is an element of that name in no namespace. */
bool xml_is(const xmlNode *node, const char *name);

/* The first child element of that name in no namespace, and the next sibling of a node; NULL if there is none. */
xmlNode *xml_child(const xmlNode *parent, const char *name);
xmlNode *xml_next(const xmlNode *node, const char *name);

/* The only child element of that name. Return: 0, *child NULL if there is none; -EINVAL if there are several. */
int xml_only_child(const xmlNode *parent, const char *name, xmlNode **child, struct reason *why);

/* Copies an attribute that is in no namespace. Return: 0; -ENOENT; -E2BIG if it does not fit; out is "" on failure. */
int xml_attribute(const xmlNode *node, const char *name, char *out, size_t size);

/* Whether a device is the one of a failover pair that QEMU unplugs before a migration: <teaming type='transient'>. */
bool xml_is_transient(const xmlNode *device);

/* Whether an attribute has a value. */
bool xml_attribute_is(const xmlNode *node, const char *name, const char *value);

/* Copies the text in an element. Return: 0; -E2BIG if it does not fit; -ENOMEM; out is "" on failure. */
int xml_text(const xmlNode *node, char *out, size_t size);

/* Reads the attributes domain, bus, slot and function. Return: 0; -EINVAL if one is no number or out of range. */
int xml_pci_address(const xmlNode *address, struct pci_address *out);

/*
 * Finds <source><address> of a device, and reads it.
 * Return: 0, *node NULL if the device has none or one that is not of type pci; -EINVAL if it is doubled or wrong, *why filled.
 */
int xml_source_address(const xmlNode *device, xmlNode **node, struct pci_address *source, struct reason *why);

/* Lower-cases a uuid and checks its form, 8-4-4-4-12. Return: 0, -EINVAL. */
int xml_uuid(const xmlNode *node, char *out, size_t size);

static inline void scope_xml_doc(xmlDoc **doc)
{
	if (*doc)
		xmlFreeDoc(*doc);
}

#define autoxmldoc __attribute__((cleanup(scope_xml_doc)))

#endif
