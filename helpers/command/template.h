/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * template.h: the installed xml-templates, filled in.
 */
#ifndef VFERRY_COMMAND_TEMPLATE_H
#define VFERRY_COMMAND_TEMPLATE_H

#include "base/reason.h"

#define TEMPLATE_DIRECTORY DATADIR "/vferry/xml-templates"

/* One gap: @KEY@ becomes the value, which is text and not XML: it is escaped. */
struct template_value {
	const char *key, *value;
};

/*
 * Fills a template, without the comment at its beginning. name: file name, "interface.xml.in"; values end with a NULL key.
 * Return: the XML for free(3); NULL with *why if the template cannot be read or has a gap without a value.
 */
char *template_fill(const char *name, const struct template_value *values, struct reason *why);

#endif
