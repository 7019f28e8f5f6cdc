/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * passport.h: the entry of one VF in a guest's passport.
 */
#ifndef VFERRY_COMMAND_ATTACH_PASSPORT_H
#define VFERRY_COMMAND_ATTACH_PASSPORT_H

#include "command/attach/attachment.h"

/* Adds an entry to the guest's passport, in place of one with the same MAC, or removes it; entry: its MAC counts. Return: 0, errno. */
int attach_write_passport(struct attachment *a, const struct passport_vf *entry, bool is_stored, struct reason *why);
int attach_erase_passport(struct attachment *a, const struct mac_address *mac, bool is_stored, struct reason *why);

#endif
