/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * maintenance.h: whether this host takes arrivals: the marker /var/lib/vferry/maintenance, which outlives a reboot, since a host that is
 * upgraded boots before it is ready again.
 */
#ifndef VFERRY_STATE_MAINTENANCE_H
#define VFERRY_STATE_MAINTENANCE_H

#include <stdbool.h>

#include "base/reason.h"

/* Return: 0 while the host takes arrivals; -EPERM with *why (may be NULL) while it does not. */
int maintenance_refuse(struct reason *why);

/* The refusal itself, for who knows by other ways that a host takes none. Return: -EPERM, *why (may be NULL) filled. */
int maintenance_reason(struct reason *why);

/* Sets or takes away the marker; what is so already is no error. Return: 0, negative errno with *why. */
int maintenance_set(bool on, struct reason *why);

#endif
