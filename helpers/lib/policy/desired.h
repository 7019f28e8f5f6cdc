/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * desired.h: how an object is to be: a list of steps in the safe order, complete, whatever is there already. With an owner it follows from
 * his passport and this host's configuration; without one it is the baseline. What is to be done is that list less what is seen
 * (policy/plan.h, and once more the look of each step before it is made).
 */
#ifndef VFERRY_POLICY_DESIRED_H
#define VFERRY_POLICY_DESIRED_H

#include "base/reason.h"
#include "policy/guest.h"
#include "state/object.h"

/*
 * Of a VF that belongs to a guest: off its driver, clean of what was set for its last user, migratable, the VFIO driver for an unmanaged
 * device, representor up, and its port. bound: libvirt has bound it, so that its driver is left alone. Return: 0, -E2BIG, -ENOMEM.
 */
int desired_of_guest(const struct guest_vf *vf, const struct owner *owner, bool bound, struct steps *steps);

/* Of an object that belongs to nobody: what was there before, last change first. Return: the same. */
int desired_of_nobody(const struct object *object, struct steps *steps);

/*
 * Whether somebody else's port can be a guest's: the VLANs and the iface-id that the passport tells. Return: 0, -EEXIST with *why. What
 * else the passport asks for and the port has not is told in *missing (may be NULL), "" nothing.
 */
int desired_port_fits(const struct ovs_port *port, const struct port_settings *wanted, char *missing, size_t size, struct reason *why);

#endif
