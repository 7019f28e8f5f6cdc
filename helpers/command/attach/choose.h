/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * choose.h: what vferry attach gives to a guest.
 */
#ifndef VFERRY_COMMAND_ATTACH_CHOOSE_H
#define VFERRY_COMMAND_ATTACH_CHOOSE_H

#include "command/attach/attachment.h"

/* Chooses MAC, PF, VF and bridge. Return: 0, negative errno with *why. */
int attach_choose(struct attachment *a, struct reason *why);

#endif
