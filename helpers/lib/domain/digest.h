/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * digest.h: what decides whether a running guest can move, as a short domain XML: for the record of a host. Without what is nobody else's
 * business: no disks, no passwords, no other program's metadata.
 */
#ifndef VFERRY_DOMAIN_DIGEST_H
#define VFERRY_DOMAIN_DIGEST_H

#include "base/reason.h"

/*
 * Reads libvirt's status file of a guest: name, uuid, memory, processors, machine, CPU, host devices, interfaces, vIOMMU, passport.
 * *xml is malloc'ed, and domain_parse() reads it. Return: 0; -ENOENT if libvirt has no such file; other negative errno with *why.
 */
int digest_read(const char *name, char **xml, struct reason *why);

#endif
