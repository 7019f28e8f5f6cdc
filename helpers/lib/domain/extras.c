/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * extras.c: what an interface asks for and a VF cannot have. See extras.h.
 */
#include "domain/extras.h"

#include <string.h>

#include "domain/xml.h"

/* Return: bits. */
unsigned int extras_read(const struct _xmlNode *node)
{
	const xmlNode *port = xml_child(node, "port");
	unsigned int extras = 0;

	extras |= xml_child(node, "vlan") ? EXTRA_VLAN : 0;
	extras |= xml_child(node, "virtualport") ? EXTRA_VIRTUALPORT : 0;
	extras |= xml_child(node, "bandwidth") ? EXTRA_BANDWIDTH : 0;
	return extras | (port && xml_attribute_is(port, "isolated", "yes") ? EXTRA_ISOLATED : 0);
}

/* Return: how the element of the lowest bit is written. */
const char *extras_name(unsigned int extras)
{
	static const char *const names[] = { "<vlan>", "<virtualport>", "<bandwidth>", "<port isolated='yes'>" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (extras & 1u << i)
			return names[i];
	}
	return "";
}
