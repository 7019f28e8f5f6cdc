/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * preparation.h: one run of vferry prepare for one PF: what was asked for, what is planned, what was done.
 */
#ifndef VFERRY_COMMAND_PREPARE_PREPARATION_H
#define VFERRY_COMMAND_PREPARE_PREPARATION_H

#include "command/view.h"
#include "state/object.h"

/* One run for one PF. */
struct preparation {
	struct view view;
	struct inventory_pf *pf;  /* of the view */
	struct pci_address address;
	char name[PCI_ADDRESS_LEN];
	const char *bridge;
	unsigned int vfs;         /* 0: as they are */
	bool card_only;           /* the card, not Open vSwitch: what is done at boot before that runs */
	struct steps plan;
	struct object object;     /* the PF, with what an earlier run or the hook made of it, and then this one */
	size_t done;              /* steps of this run that were made */
	int64_t ms;
};

/* Gives back what a run holds. */
void prepare_release(struct preparation *p);

#endif
