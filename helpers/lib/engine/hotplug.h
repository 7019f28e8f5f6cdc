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
 * Brings a running guest's record and representors in line with its devices: a VF that it has and the record has not gets its representor
 * raised and put into its bridge; one that it has no more is given back. domain: as the guest runs.
 * Return: 0, or the first error with *why.
 */
int hotplug_sync(const struct config *config, const struct domain *domain, deadline_t deadline, struct reason *why);

#endif
