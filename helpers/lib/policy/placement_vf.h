/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * placement_vf.h: which VF of one PF a guest gets, and why not the others.
 */
#ifndef VFERRY_POLICY_PLACEMENT_VF_H
#define VFERRY_POLICY_PLACEMENT_VF_H

#include "base/reason.h"
#include "host/inventory.h"
#include "policy/guest.h"
#include "policy/placing.h"

/*
 * Picks the fittest free VF of a PF for one of a guest's VFs; sets its index, address and has_vf. One of a guest that has not come in time
 * is the last choice. Return: 0; -ENOSPC with *why: who has them, and why others are passed over.
 */
int placement_pick_vf(const struct placement *p, const struct guest *guest, struct guest_vf *vf, const struct inventory_pf *pf,
		      struct reason *why);

/* How many VFs of a PF could be given away now. */
unsigned int placement_free(const struct placement *p, const struct inventory_pf *pf);

#endif
