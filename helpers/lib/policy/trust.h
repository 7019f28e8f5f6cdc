/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * trust.h: a passport asks, this host decides: what it may ask for ([trust] of vferry.conf), and what it may not take from others.
 */
#ifndef VFERRY_POLICY_TRUST_H
#define VFERRY_POLICY_TRUST_H

#include "base/reason.h"
#include "policy/guest.h"
#include "policy/placing.h"

/*
 * Judges what a guest's VF brings along, whichever way the guest comes up here: bridge, VLANs, iface-id and limits of its passport, and
 * that its MAC, its iface-id and its uuids are no other guest's and no other port's; and that one which arrives without a passport that can
 * be read gets no more. Return: 0; -EACCES with what exceeds it in *why.
 */
int trust_judge(const struct placement *p, const struct guest *guest, const struct guest_vf *vf, struct reason *why);

#endif
