/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * placement.h: which PF and which VF each of a guest's VFs gets.
 */
#ifndef VFERRY_POLICY_PLACEMENT_H
#define VFERRY_POLICY_PLACEMENT_H

#include "base/config.h"
#include "base/reason.h"
#include "domain/definitions.h"
#include "domain/status.h"
#include "host/inventory.h"
#include "policy/guest.h"
#include "policy/rules.h"
#include "state/record.h"

struct placement {
	const struct config *config;
	struct inventory *inventory;
	const struct status_list *running; /* what libvirt runs here */
	const struct record_list *leases;
	const struct definition_list *definitions; /* which devices guests are defined with, NULL: not known */
	const char *uuid;                  /* of the guest itself: its own lease does not count */
	void (*warn)(const struct reason *why, void *arg);
	void *arg;
	bool holds;                        /* it runs with its VFs already: no promise to another guest is in its way */
	const struct pci_address *avoid;   /* VFs that were tried and cannot be had now */
	size_t avoided;
	bool incoming;                     /* it migrates to here: the source and the slots count; else it gets a VF where it is */
};

/* Everything fits but the slots: waiting may help. No error is called like that. */
#define PLACEMENT_WAIT 1

/*
 * Chooses: the same network, PSID and firmware, a free VF, the same PCI address if that is free, the PF that is
 * ready already, then the first. Sets pf, has_vf, index and address of each guest_vf.
 * Return: 0; -EACCES if the guest brings along what it may not have here (trust.h); PLACEMENT_WAIT if the slots of the fitting PFs are taken;
 * -ENOSPC otherwise. *why lists each
 * PF with the reason why it was passed over.
 */
int placement_choose(const struct placement *p, struct guest *guest, struct reason *why);

/* For an ordinary start: each VF stays at the address that the guest names. -ENODEV if it is no VF of this host. */
int placement_fixed(const struct placement *p, struct guest *guest, struct reason *why);

/* Whether a PF can take a VF of a guest once it has a free one and a slot, by the same rules; if not, *why is filled. */
bool placement_can_take(const struct placement *p, const struct guest_vf *vf, struct inventory_pf *pf, struct reason *why);

/* How many VFs of a PF could be given away now. */
unsigned int placement_free(const struct placement *p, const struct inventory_pf *pf);

/* The guests in flight on a PF, the guest with p->uuid not counted: the same, with names. *flights.own is left 0. */
struct flights placement_flights(const struct placement *p, const struct inventory_pf *pf);

/* The guests in flight on all PFs that vferry may use, in words: "PF 0000:c1:00.0: web1, web2"; "" if there are none. */
void placement_say_flights(const struct placement *p, char *out, size_t size);

/* VFs of a PF that are in flight here: in libvirt's status directory, or leased to a guest that has not appeared there. */
unsigned int placement_in_flight(const struct placement *p, const struct inventory_pf *pf);

#endif
