/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hotplug.h: VFs that came to or left a guest while it ran: libvirt calls no hook for them.
 */
#ifndef VFERRY_ENGINE_HOTPLUG_H
#define VFERRY_ENGINE_HOTPLUG_H

#include "base/clock.h"
#include "base/config.h"
#include "base/reason.h"
#include "domain/domain.h"

/*
 * Brings what vferry keeps of a running guest in line with its devices: a VF that it has and that is not its own here becomes its own:
 * clean of what the last owner had, its representor up, in its bridge; one that it has no more is given back. Its other VFs are not
 * touched. domain: as the guest runs. Return: 0, or the first error with *why.
 */
int hotplug_sync(const struct config *config, const struct domain *domain, deadline_t deadline, struct reason *why);

/* The same for one VF that it was given. Return: 0; -ENOENT if its devices do not name that VF; other negative errno with *why. */
int hotplug_adopt(const struct config *config, const struct domain *domain, const struct pci_address *vf, deadline_t deadline,
		  struct reason *why);

#endif
