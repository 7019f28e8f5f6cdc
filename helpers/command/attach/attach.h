/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attach.h: the parts of vferry attach and detach: what is chosen, the lease of it, the passport.
 */
#ifndef VFERRY_COMMAND_ATTACH_H
#define VFERRY_COMMAND_ATTACH_H

#include "command/command.h"
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

/* What attach and detach do each in its own way. */
struct attach_verb {
	int (*read_options)(struct call *call, struct attachment *a);                  /* Return: COMMAND_RUN, COMMAND_USAGE */
	int (*work)(struct attachment *a, struct reason *why);                         /* Return: 0, negative errno with *why */
	int (*show)(const struct attachment *a, int error, const struct reason *why); /* Return: enum command_status */
};

/* What the two do, in the program guest. Return: enum command_status. */
int attach_command(struct call *call);
int detach_command(struct call *call);

/* One call of either: whether it may be tried here, one at a time, the guest found, work, how it came out. Return: enum command_status. */
int attach_run(struct call *call, const struct attach_verb *verb);

void attach_release(struct attachment *a);
#define autoattachment __attribute__((cleanup(attach_release)))

/* The guest's name to put before a sentence: NULL if it is not known, or if the sentence names it. */
const char *attach_name(const struct attachment *a, const struct reason *why);

/* Reads the host; what guests' definitions name counts as promised. Return: 0, negative errno with *why. */
int attach_look(struct attachment *a, struct reason *why);

/* The guest's own XML, NULL if there is none of that kind. */
const char *attach_own_xml(const struct attachment *a, bool is_stored);

/* Chooses MAC, PF, VF and bridge. Return: 0, negative errno with *why. */
int attach_choose(struct attachment *a, struct reason *why);

/*
 * Leases the VF (the caller holds the host's lock while it is one that it chose), makes it and its PF ready, and takes both back. xml: of
 * the running guest with the device in it. bound: libvirt has bound it. Return: 0, negative errno with *why.
 */
int attach_lease(struct attachment *a, const char *xml, struct reason *why);
int attach_make(struct attachment *a, bool bound, struct reason *why);
void attach_take_back(struct attachment *a);

/* The running guest was given the VF: the lease is that of a guest that runs. */
int attach_commit(struct attachment *a, struct reason *why);

/* Takes what was made for one VF of a guest back, and forgets its lease. Return: 0, negative errno with *why. */
int attach_forget_vf(struct attachment *a, struct reason *why);

/* The same for VFs that the running guest was promised and does not have: an earlier attach was killed. */
int attach_forget_stale(struct attachment *a, struct reason *why);

/* Adds an entry to the guest's passport, in place of one with the same MAC, or removes it; entry: its MAC counts. Return: 0, errno. */
int attach_write_passport(struct attachment *a, const struct passport_vf *entry, bool is_stored, struct reason *why);
int attach_erase_passport(struct attachment *a, const struct mac_address *mac, bool is_stored, struct reason *why);

#endif
