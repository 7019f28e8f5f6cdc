/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pipes.h: what libvirt writes to the worker, and reads from it: domain XML. Touches stdin and stdout alone.
 */
#ifndef VFERRY_HOOKS_PIPES_H
#define VFERRY_HOOKS_PIPES_H

#include <stddef.h>

#include "base/reason.h"

/* Reads the domain XML, at most DOMAIN_XML_MAX bytes of it, into *xml (malloc). Return: 0, negative errno. */
int pipes_read_xml(char **xml, size_t *len, struct reason *why);

/* Writes domain XML, all of it. Return: 0, -EIO. */
int pipes_write_xml(const char *xml, size_t len, struct reason *why);

#endif
