/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ready.h: gives VFs to guests and takes them back: who owns what, and how that changes.
 *
 * Theory of operation. A guest gets its VFs in two steps: the claim, which writes its lease into the file of each VF under that VF's lock,
 * and finds out whether the VF is somebody else's by now; and the making, which brings first the PFs, each under its own lock, then the VFs
 * to what the new owner needs (converge.h). Giving back takes the lease away and brings the VF to what was there before: the same
 * convergence without an owner. Nothing here needs the host-wide lock; who chooses among free VFs holds it, so that two do not choose the
 * same.
 */
#ifndef VFERRY_ENGINE_READY_H
#define VFERRY_ENGINE_READY_H

#include "base/config.h"
#include "base/reason.h"
#include "domain/status.h"
#include "engine/scene.h"
#include "state/record.h"

/* How a claim came out. */
enum claim {
	CLAIM_OURS,
	CLAIM_TAKEN, /* a VF is another guest's, or somebody is at work on it: *which says it, and why */
};

/* The lease that a scene's guest is about to get: with an identity of its own. */
struct owner ready_new_owner(const struct scene *scene, enum record_state state);

/*
 * Writes the lease of a placed guest. holds: it runs with its VFs already, so that only another guest that runs with one is in its way, no
 * promise. deadline: for the VFs' locks; who holds the host-wide lock gives none. What was claimed is given up again on failure.
 * Return: enum claim, negative errno; *which: the VF that is taken, may be NULL; *why filled unless it is ours.
 */
int ready_claim(const struct scene *scene, struct owner *owner, bool holds, deadline_t deadline, struct pci_address *which,
		struct reason *why);

/*
 * Makes each PF and each VF of a guest ready. A PF that is ready in the scene is not read again if nobody was at work on it. The scene's
 * guest must be placed and its VFs claimed. bound: libvirt has bound the VFs, only representors are left. *which (may be NULL): the VF that
 * could not be made ready, untouched if it was something else. Return: 0, negative errno with *why; the caller gives the lease back then.
 */
int ready_make(const struct scene *scene, const struct owner *owner, bool bound, deadline_t deadline, struct pci_address *which,
	       struct reason *why);

/* Which leases are meant: all objects of which a predicate says so, asked again under the object's lock. */
struct ready_choice {
	const char *uuid;              /* of their guest, NULL: of any */
	const char *lease;             /* NULL: any */
	const struct pci_address *vf;  /* NULL: any */
	bool came;                     /* only those for which libvirt has called "prepare" */
	bool is_over;                  /* only what is nobody's by ownership.h, or changes that were left when their owner went */
	bool is_lapsed;                /* only an arrival's whose time ran out */
	bool try;                      /* an object on which somebody is at work is left for later */
};

/*
 * Takes leases away, and gives back what was made for them; then what was made of their PFs if no guest ever ran on them and nobody uses
 * them. left: the guest has let go of the VF, whatever its status file says. What cannot be given back yet stays in the objects' files, for
 * a later call. Return: 0, or the first error with *why.
 */
int ready_give_back(const struct config *config, const struct ready_choice *choice, bool left, deadline_t deadline, struct reason *why);

/* Forgets the seats of a lease: libvirt has chosen. Return: 0, negative errno with *why. */
int ready_drop_seats(const struct record *lease, struct reason *why);

/* The leases of a guest that were there at one moment, to be acted on later. Return: 0, negative errno with *why. */
int ready_leases(const char *uuid, struct record_list *list, struct reason *why);

/* Gives back what was made of a PF, if nobody uses it or is at work on it. Return: 0 (also if somebody is), negative errno. */
int ready_give_back_pf(const struct pci_address *address, const struct config *config, deadline_t deadline, struct reason *why);

/*
 * A guest was seen: at "prepare" (came), or to run. Its leases say so from then on; once it runs, what was made of its PFs stays. Return:
 * 0, negative errno.
 */
int ready_came(const char *uuid, const char *lease, struct reason *why);
int ready_commit(const char *uuid, const char *lease, struct reason *why);

/*
 * Brings objects, PFs and ports in line with libvirt's status directory: guests that landed are written down as such, what is over is given
 * back, VFs that a guest was given while it ran become its own, ports of guests that are gone are removed. No lock need be held, and none
 * is waited for: an object on which somebody is at work is left for later. Never fails: what does not work now is logged and tried by the
 * next call.
 * seen: NULL, or a zeroed scene that receives the host if nothing had to be changed. Return: whether it did.
 */
bool ready_reconcile(const struct config *config, deadline_t deadline, struct scene *seen);

/* Whether anything of a scene asks for that. */
bool ready_needs_reconcile(const struct scene *scene);

/* What it decides by: whether a lease is over or has lapsed, and whether a port of ours belongs to no guest any more. */
bool ready_is_lost(const struct scene *scene, const struct record *record);
bool ready_is_orphan_port(const struct scene *scene, const struct ovs_port *port);

#endif
