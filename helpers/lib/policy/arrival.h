/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * arrival.h: what the hook of another host would say about a guest, before it is sent there.
 */
#ifndef VFERRY_POLICY_ARRIVAL_H
#define VFERRY_POLICY_ARRIVAL_H

#include "policy/guest.h"
#include "policy/placement.h"

/* The guest, with the passport that it carries, and the host that it comes to. */
struct arrival {
	const struct config *config;
	struct domain *domain;               /* its devices' passports are set by arrival_write() */
	struct inventory *to;
	const struct status_list *running;   /* there, without the guest itself */
	const struct record_list *leases;
};

/*
 * Fills the passports that a guest carries away from a host, one for each of its VFs, and gives them to the domain's devices. A VF that is
 * placed tells its PF; else its address does; what this host does not know stays as it is.
 */
void arrival_write(const struct guest *guest, struct inventory *from, struct passport_vf passport[GUEST_MAX_VFS], struct domain *domain);

/* Finds the VFs of the guest and judges it by all rules about guests. Return: 0, negative errno with *why. */
int arrival_judge(const struct arrival *a, struct guest *guest, struct reason *why);

/* The host as placement sees it for this guest. */
struct placement arrival_placement(const struct arrival *a);

#endif
