/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * prepare.h: the parts of vferry prepare.
 */
#ifndef VFERRY_COMMAND_PREPARE_H
#define VFERRY_COMMAND_PREPARE_H

#include "command/command.h"
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

/* prepare.c: decides, shows, asks and does. Return: enum command_status. */
int prepare_pf(struct call *call, struct preparation *p);

/* Gives back what a run holds. */
void prepare_release(struct preparation *p);

/* boot.c: makes what earlier calls were asked for so again; call->boot is "card" or "host". Return: enum command_status. */
int prepare_boot(struct call *call);

/* show.c: prints the plan with what it would disturb; how it came out, as JSON. */
void prepare_show_plan(struct call *call, const struct preparation *p);
void prepare_show_json(struct call *call, const struct preparation *p, const char *verdict, const struct reason *why);

#endif
