/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * passport.h: the element that tells the destination what the source knew about a guest's VFs.
 *
 *     <metadata>
 *       <vf:passport xmlns:vf="urn:vferry:passport:1" version="1">
 *         <vf:vf mac="52:54:00:12:34:56" guest="0000:05:00.0" pf="0000:81:00.0" psid="MT_0000000834"
 *                firmware="28.43.1014" bridge="br-vferry"/>
 *       </vf:passport>
 *     </metadata>
 *
 * It comes from another host. It may make vferry refuse; it never widens what vferry does: a value is compared with what this host
 * has, and is never used as a path or a command.
 */
#ifndef VFERRY_DOMAIN_PASSPORT_H
#define VFERRY_DOMAIN_PASSPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mac_address.h"
#include "base/pci_address.h"

#define PASSPORT_NAMESPACE "urn:vferry:passport:1"
#define PASSPORT_MAX_VFS 32

struct passport_vf {
	struct mac_address mac;
	bool has_guest;
	struct pci_address guest; /* address that the guest sees: the key for a plain <hostdev>, which has no MAC */
	bool has_pf;
	struct pci_address pf;    /* on the source */
	char psid[32];            /* empty: not told; so below */
	char firmware[24];        /* running, "28.43.1014" */
	char bridge[64];
};

struct passport {
	bool present;
	struct passport_vf vf[PASSPORT_MAX_VFS];
	size_t vfs;
};

#endif
