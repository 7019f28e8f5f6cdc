/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * leases.h: what vferry keeps of guests on this host, as the agent sees it: its one way to the engine and to the state.
 */
#ifndef VFERRY_AGENT_LEASES_H
#define VFERRY_AGENT_LEASES_H

#include <stddef.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/mac_address.h"
#include "base/reason.h"
#include "domain/domain.h"

#define LEASES_MAX_VFS 64 /* that are told of one guest */

/* A VF that a guest was given. */
struct leased_vf {
	struct pci_address address;
	struct mac_address mac; /* all zero: not known */
};

/* The VFs that a guest was given. Return: their number, max at most; -ENOENT if it was given none; other negative errno with *why. */
int leases_of(const char *uuid, struct leased_vf *vf, size_t max, struct reason *why);

/* How many guests have one: arriving, starting, running. */
void leases_count(size_t count[3]);

/*
 * Brings what is kept of a running guest in line with its devices. The first gives back what it has no more, and takes in nothing: what is
 * new to it is left out, as if it had not come yet. Return: 0, negative errno with *why.
 */
int leases_give_back(const struct config *config, const struct domain *domain, deadline_t deadline, struct reason *why);
int leases_take_in(const struct config *config, const struct domain *domain, deadline_t deadline, struct reason *why);

/* Brings leases, journals and ports in line with who is here. Return: 0, -ETIME if a hook is at work, other negative errno with *why. */
int leases_reconcile(const struct config *config, deadline_t deadline, struct reason *why);

#endif
