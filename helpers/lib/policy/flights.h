/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * flights.h: who is in live migration here, in either direction.
 */
#ifndef VFERRY_POLICY_FLIGHTS_H
#define VFERRY_POLICY_FLIGHTS_H

#include <stddef.h>

#include "host/inventory.h"
#include "policy/placing.h"
#include "policy/rules.h"

/* The guests in flight on a PF, the guest with p->uuid not counted: the same, with names. *flights.own is left 0. */
struct flights placement_flights(const struct placement *p, const struct inventory_pf *pf);

/* The guests in flight on all PFs that vferry may use, in words: "PF 0000:c1:00.0: web1, web2"; "" if there are none. */
void placement_say_flights(const struct placement *p, char *out, size_t size);

/* VFs of a PF that are in flight here: in libvirt's status directory, or leased to a guest that has not appeared there. */
unsigned int placement_in_flight(const struct placement *p, const struct inventory_pf *pf);

#endif
