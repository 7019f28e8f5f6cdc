/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * placing.h: what is asked when VFs are placed: the host, who is on it, and for whom.
 */
#ifndef VFERRY_POLICY_PLACING_H
#define VFERRY_POLICY_PLACING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/config.h"
#include "base/reason.h"
#include "domain/definitions.h"
#include "domain/status.h"
#include "host/inventory.h"
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

#endif
