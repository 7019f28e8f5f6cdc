/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lease.h: what vferry attach and detach do to a running guest's lease.
 */
#ifndef VFERRY_COMMAND_ATTACH_LEASE_H
#define VFERRY_COMMAND_ATTACH_LEASE_H

#include "command/attach/attachment.h"

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

#endif
