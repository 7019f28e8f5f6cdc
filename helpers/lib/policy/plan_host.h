/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * plan_host.h: what makes a PF ready for good, from any state, before a guest comes: what vferry prepare does.
 */
#ifndef VFERRY_POLICY_PLAN_HOST_H
#define VFERRY_POLICY_PLAN_HOST_H

#include "base/config.h"
#include "base/reason.h"
#include "host/inventory.h"
#include "policy/placement.h"
#include "policy/uses.h"
#include "state/step.h"

/* A PF as it will be when its idle VFs are free: the same, but that these have no driver. vf: room for INVENTORY_MAX_VFS of them. */
struct inventory_pf plan_host_idle(const struct inventory *inventory, const struct inventory_pf *pf, struct inventory_vf *vf);

/*
 * Whether a PF can be prepared for a bridge without disturbing anybody. vfs: how many it shall have, 0: as they are, or by the
 * configuration where there are none. Return: 0, -EPERM, -EBUSY, -ERANGE with *why.
 */
int plan_host_judge(const struct placement *p, const struct inventory_pf *pf, const char *bridge, unsigned int vfs, struct reason *why);

/* The same for what concerns the card alone: nothing is asked about bridges, since Open vSwitch may not run yet. Return: the same. */
int plan_host_judge_card(const struct placement *p, const struct inventory_pf *pf, unsigned int vfs, struct reason *why);

/* The steps for a PF that was judged so: idle VFs off their drivers, then as for a guest, then every VF migratable. Return: 0, -E2BIG. */
int plan_host(const struct config *config, const struct inventory *inventory, const struct inventory_pf *pf, const char *bridge,
	      unsigned int vfs, struct steps *plan);

/* Leaves the steps that concern the card alone. */
void plan_host_keep_card(struct steps *plan);

#endif
