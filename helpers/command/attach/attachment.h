/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attachment.h: one call of vferry attach or detach: the guest, what is chosen for it, what is made.
 */
#ifndef VFERRY_COMMAND_ATTACH_ATTACHMENT_H
#define VFERRY_COMMAND_ATTACH_ATTACHMENT_H

#include "command/view.h"
#include "state/record.h"
#include "virt/virt.h"

/* The XML of one guest that libvirt knows. */
struct known_xml {
	char name[DOMAIN_NAME_MAX]; /* clean */
	char uuid[VIR_UUID_STRING_BUFLEN];
	bool is_stored;             /* its definition; else as it runs */
	char *xml;
};

/* One call. */
struct attachment {
	struct call *call;
	virConnectPtr connection;
	virDomainPtr guest;
	char name[DOMAIN_NAME_MAX];  /* clean */
	char uuid[VIR_UUID_STRING_BUFLEN];
	bool live, stored;           /* the running guest, its definition */
	struct view view;
	struct known_xml *known;     /* of all guests */
	size_t knowns;
	/* what is chosen */
	struct mac_address mac;
	int tag;                     /* VLAN, -1 none */
	bool has_vf;                 /* not for a pool before libvirt has chosen */
	struct pci_address pf, vf;
	char bridge[64];
	/* what is made */
	char *device;                /* its XML */
	struct passport_vf entry;    /* of the passport */
	struct owner owner;          /* the lease, "" if none was taken */
	int64_t ms;
};

void attach_release(struct attachment *a);
#define autoattachment __attribute__((cleanup(attach_release)))

/* The guest's own XML, NULL if there is none of that kind. */
const char *attach_own_xml(const struct attachment *a, bool is_stored);

/* The guest's name to put before a sentence: NULL if it is not known, or if the sentence names it. */
const char *attach_name(const struct attachment *a, const struct reason *why);

#endif
