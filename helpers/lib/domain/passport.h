/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * passport.h: the element that tells the destination what the source knew about a guest's VFs.
 *
 *     <metadata>
 *       <vf:passport xmlns:vf="urn:vferry:passport:1" version="1" host="node7">
 *         <vf:vf mac="52:54:00:12:34:56" guest="0000:05:00.0" pf="0000:81:00.0" psid="MT_0000000834"
 *                firmware="28.43.1014" bridge="br-vferry" tag="42" iface-id="2f1c…"/>
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
#include "base/port_settings.h"
#include "base/reason.h"
#include "base/vf_function.h"

#define PASSPORT_NAMESPACE "urn:vferry:passport:1"
#define PASSPORT_MIN_MTU 68    /* Linux include/uapi/linux/if_ether.h ETH_MIN_MTU */
#define PASSPORT_MAX_MTU 65535 /* ETH_MAX_MTU */
#define PASSPORT_MAX_MSIX 2048 /* PCI Local Bus Specification 3.0, 6.8.2.3 */
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
	unsigned int mtu;         /* of the representor, bytes; 0: not told */
	unsigned int msix;        /* entries of the VF's MSI-X table; 0: not told */
	struct vf_function function; /* what its PF lets it do, as far as that was told */
	struct port_settings port; /* of the representor's port in that bridge */
};

struct passport {
	bool present;             /* a passport of version 1 */
	char host[64];            /* that wrote it, for people; empty: not told */
	struct passport_vf vf[PASSPORT_MAX_VFS];
	size_t vfs;
	unsigned int ignored;     /* entries left out because a value in them is wrong or a second one speaks of the same device */
	char note[128];           /* why the first of them, or the whole passport, was left out; empty if none was; clean */
};

struct _xmlNode; /* of libxml2 */

/*
 * Reads the passport out of a <metadata> element (NULL: there is none). Unknown elements and attributes are ignored, so is a passport of
 * another version; an entry with a wrong value is left out and counted.
 * Return: 0; -E2BIG for more than PASSPORT_MAX_VFS entries, *why filled.
 */
int passport_read(const struct _xmlNode *metadata, struct passport *passport, struct reason *why);

/*
 * Writes a passport as one XML element. is_plain: without its namespace, as virDomainSetMetadata() wants it, which puts one on every
 * element (libvirt, src/util/virxml.c virXMLInjectNamespace()); else complete, as it stands in <metadata>. Values that a reader would not
 * accept are left out, and so is a VF whose MAC is none. *xml is malloc'ed.
 * Return: its length; -ENOMEM.
 */
long passport_print(const struct passport *passport, bool is_plain, char **xml);

/* Whether both say the same of the same VFs, in the same order. */
bool passport_equal(const struct passport *a, const struct passport *b);

/* The entry for a MAC address, or for an address that the guest sees; NULL if there is none. */
const struct passport_vf *passport_find_mac(const struct passport *passport, const struct mac_address *mac);
const struct passport_vf *passport_find_guest(const struct passport *passport, const struct pci_address *guest);

#endif
