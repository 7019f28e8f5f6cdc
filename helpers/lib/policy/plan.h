/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * plan.h: what must be changed on this host before a guest's VFs can run on it, as an ordered list of steps.
 */
#ifndef VFERRY_POLICY_PLAN_H
#define VFERRY_POLICY_PLAN_H

#include "base/config.h"
#include "base/reason.h"
#include "host/inventory.h"
#include "policy/desired.h"

/*
 * The steps for a PF: autoprobe off, switchdev, VFs, uplink up, bridge, Open vSwitch options, uplink into the bridge; only those that
 * are missing. Return: 0, -E2BIG.
 */
int plan_pf(const struct config *config, const struct inventory *inventory, const struct inventory_pf *pf, const char *bridge,
	    struct steps *plan);

/*
 * The steps for one VF that is chosen: how it is to be (desired.h), less what is seen already. bound: libvirt has bound the VF already.
 * Return: 0, -E2BIG, -ENOMEM.
 */
int plan_vf(const struct inventory *inventory, const struct guest_vf *vf, const struct owner *owner, bool bound, struct steps *plan);

/* Every VF of a pool's PF that no driver holds is made migratable, since libvirt binds the one it chooses before vferry knows it. */
int plan_pool(const struct config *config, const struct inventory_pf *pf, struct steps *plan);

#endif
