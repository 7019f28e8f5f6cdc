/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * placement.h: which PF and which VF each of a guest's VFs gets.
 */
#ifndef VFERRY_POLICY_PLACEMENT_H
#define VFERRY_POLICY_PLACEMENT_H

#include "base/reason.h"
#include "policy/flights.h"
#include "policy/guest.h"
#include "policy/placement_vf.h"
#include "policy/placing.h"

/*
 * Chooses: the same network, PSID and firmware, a free VF, the same PCI address if that is free, the PF that is
 * ready already, then the first. Sets pf, has_vf, index and address of each guest_vf.
 * Return: 0; -EACCES if the guest brings along what it may not have here (trust.h); PLACEMENT_WAIT if the slots of the fitting PFs are
 * taken; -ENOSPC otherwise. *why lists each PF with the reason why it was passed over.
 */
int placement_choose(const struct placement *p, struct guest *guest, struct reason *why);

/* For an ordinary start: each VF stays at the address that the guest names. -ENODEV if it is no VF of this host. */
int placement_fixed(const struct placement *p, struct guest *guest, struct reason *why);

/* Whether a PF can take a VF of a guest once it has a free one and a slot, by the same rules; if not, *why is filled. */
bool placement_can_take(const struct placement *p, const struct guest_vf *vf, struct inventory_pf *pf, struct reason *why);

#endif
