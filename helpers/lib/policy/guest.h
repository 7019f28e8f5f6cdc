/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guest.h: which of a guest's host devices are VFs that vferry is to carry.
 *
 * Decided in this order: the passport; else the source PCI address, if on this host it is, or would be once created, a VF of a card
 * that can migrate; else the configuration (without_passport). A VF of another make is never touched.
 */
#ifndef VFERRY_POLICY_GUEST_H
#define VFERRY_POLICY_GUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/config.h"
#include "base/reason.h"
#include "domain/domain.h"
#include "domain/network.h"
#include "host/inventory.h"

#define GUEST_MAX_VFS PASSPORT_MAX_VFS /* as many as a passport and a lease have room for */

/* One VF of the guest. Pointers point into the domain and the inventory that it was made from. */
struct guest_vf {
	size_t hostdev;                    /* number in domain->hostdev */
	const struct hostdev *device;
	const struct passport_vf *passport;/* NULL: none */
	const char *garbled;               /* without one: what of the passport could not be understood and may be of this VF; "": nothing */
	char asked[20];                    /* what its definition asks for, as a word (state/kept.h); "": not known */
	const struct network_pool *pool;   /* libvirt chooses the VF from this pool; NULL: vferry chooses */
	char bridge[64];                   /* Open vSwitch bridge that its representor belongs into */
	bool has_source_pf;
	struct pci_address source_pf;      /* PF on the source, by passport or by address */
	/* where it goes, set by placement */
	struct inventory_pf *pf;           /* NULL: not placed */
	bool has_vf;                       /* not for a pool, until libvirt has chosen */
	unsigned int index;
	struct pci_address address;
};

struct guest {
	struct guest_vf vf[GUEST_MAX_VFS];
	size_t vfs;
};

/* What the decision looks at. pools[i] speaks of domain->hostdev[i]. */
struct guest_search {
	const struct config *config;
	const struct domain *domain;
	struct inventory *inventory;
	bool incoming;                           /* else an ordinary start: what nothing identifies is none of vferry's business */
	const struct network_pool *const *pools; /* NULL where it is no network interface, or its network is no pool; NULL: no pools */
};

/*
 * Return: 0 (guest->vfs may be 0: none is ours); -EPERM when without_passport=refuse refuses a device that nothing identifies; -E2BIG for
 * more than GUEST_MAX_VFS VFs; *why filled.
 */
int guest_find_vfs(const struct guest_search *search, struct guest *guest, struct reason *why);

/* The PF that a pool takes its VFs from, NULL if it is not one of a card that can migrate. */
struct inventory_pf *guest_pool_pf(const struct network_pool *pool, struct inventory *inventory);

/* Whether vferry may use a PF: its card can migrate, and the configuration names this PF, or none and its kind of card is switched on. */
bool guest_can_use_pf(const struct config *config, const struct inventory_pf *pf);

#endif
