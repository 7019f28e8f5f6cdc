/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * open.h: how vferry attach and detach begin: the guest, all other guests, the host.
 */
#ifndef VFERRY_COMMAND_ATTACH_OPEN_H
#define VFERRY_COMMAND_ATTACH_OPEN_H

#include "command/attach/attachment.h"

/* What attach and detach do each in its own way. */
struct attach_verb {
	int (*read_options)(struct call *call, struct attachment *a);                  /* Return: COMMAND_RUN, COMMAND_USAGE */
	int (*work)(struct attachment *a, struct reason *why);                         /* Return: 0, negative errno with *why */
	int (*show)(const struct attachment *a, int error, const struct reason *why); /* Return: enum command_status */
};

/* One call of either: whether it may be tried here, one at a time, the guest found, work, how it came out. Return: enum command_status. */
int attach_run(struct call *call, const struct attach_verb *verb);

/* Reads the host; what guests' definitions name counts as promised. Return: 0, negative errno with *why. */
int attach_look(struct attachment *a, struct reason *why);

#endif
