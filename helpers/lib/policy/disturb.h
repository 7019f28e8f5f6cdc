/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * disturb.h: the rules under which a change to a PF disturbs nobody. When in doubt, refuse and name what is in the way.
 */
#ifndef VFERRY_POLICY_DISTURB_H
#define VFERRY_POLICY_DISTURB_H

#include <stdbool.h>

#include "base/reason.h"
#include "domain/status.h"
#include "host/inventory.h"

/* Whether an uplink that is in no bridge can be put into one without cutting the host's network. Return: 0, -EBUSY with *why. */
int disturb_uplink(const struct inventory *inventory, const struct inventory_pf *pf, struct reason *why);

/*
 * Whether the eswitch is in switchdev mode, or can be switched. running: to name the guest that has a VF, may be NULL.
 * Return: 0, -EBUSY with *why.
 */
int disturb_eswitch(const struct inventory *inventory, const struct status_list *running, const struct inventory_pf *pf,
		    struct reason *why);

/* Whether switching the eswitch, either way, would take the network from somebody for a moment. Return: 0, -EBUSY with *why. */
int disturb_switching(const struct inventory *inventory, const struct status_list *running, const struct inventory_pf *pf,
		      struct reason *why);

/* Whether a PF's uplink has come to carry somebody, so that it must not be taken down. Return: 0, -EBUSY with *why. */
int disturb_uplink_down(const struct inventory *inventory, const struct status_list *running, const struct inventory_pf *pf,
			struct reason *why);

/* Whether anybody has come to reach the network by an uplink that is in a bridge of Open vSwitch. Return: 0, -EBUSY, -ENOMEM with *why. */
int disturb_unplug(const struct inventory *inventory, const struct status_list *running, const struct inventory_pf *pf, struct reason *why);

/* Whether anybody has come to use a bridge of Open vSwitch: its ports, or what lies on its own. Return: 0, -EBUSY, -ENOMEM with *why. */
int disturb_bridge(const struct inventory *inventory, const struct status_list *running, const char *bridge, struct reason *why);

/* Whether a PF has a VF with any driver: then neither its mode nor its number of VFs may change. */
const struct inventory_vf *disturb_bound_vf(const struct inventory_pf *pf);

#endif
