/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * object.h: what vferry remembers of one object of this host between two calls: a VF with its representor and port, or a PF with its
 * eswitch, uplink and bridge.
 *
 *   vfs/BDF.json      a VF: its owner (a lease), and its changes
 *   vfs/pool-….json   a VF of a PF's pool that libvirt has not chosen yet: an owner, and no changes
 *   pfs/BDF.json      a PF: its changes, until a guest runs on it or somebody wants it so
 *
 * Theory of operation. One file for each object makes two owners impossible by construction. "Changes" is the baseline: of each thing that
 * vferry set, what was there before and what was made of it. It is on disk before the first change, and it stays when the owner changes:
 * what is taken back at the end is what was there at the beginning. An object without owner and changes has no file.
 *
 * Who owns an object now is not read here, but computed (policy/ownership.h). The file is read and written with the object's lock
 * (record.h) held; who only looks may read without, as files are replaced as a whole.
 */
#ifndef VFERRY_STATE_OBJECT_H
#define VFERRY_STATE_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mac_address.h"
#include "base/pci_address.h"
#include "base/reason.h"
#include "state/step.h"

enum record_state {
	RECORD_ARRIVING, /* an incoming migration: prepared for, not seen to run yet */
	RECORD_STARTING, /* an ordinary start */
	RECORD_RUNNING,  /* seen to run */
};

/* The lease that an object belongs to. */
struct owner {
	char lease[STEP_LEASE_MAX]; /* which instance of the guest: no two are alike; "": nobody */
	char uuid[40];
	char name[256];             /* clean */
	enum record_state state;
	bool came;                  /* libvirt has called "prepare" for it: "stopped" and "release" that are called from then on are its own */
	bool lapsed;                /* an arrival whose time ran out: another guest may have the VF, and the guest can still come */
	bool unmade;                /* what it needs is not made yet, or was given back: whoever finds its guest with it makes it */
	bool waited;                /* it was tried to make it: what did not come then is not waited for again */
	unsigned int cleared;       /* kinds of steps, a bit each: what the VF's last owner had set is gone; what is set since is this one's */
	int64_t touched;            /* clock_ms() of the last call for it */
	struct mac_address mac;     /* all zero: not known */
	char bridge[STEP_NAME_MAX];
};

struct object {
	struct pci_address pf;
	bool has_vf;
	struct pci_address vf;
	unsigned int index;         /* of the VF */
	unsigned int seat;          /* without a VF: number of the pool's VF among those of the lease, from 1; 0: the object is the PF */
	struct owner owner;
	int64_t trains;             /* of a PF: clock_ms() of the change of its mode whose link has not come yet, 0: none */
	struct steps changes;
};

struct object_list {
	struct object *object;
	size_t count;
};

/* A new identity. Return: out, STEP_LEASE_MAX bytes. */
char *object_new_lease(char *out);

/* Whether it has an owner. */
bool object_is_owned(const struct object *object);

/*
 * Reads the file of the object whose pf, vf (or seat and owner.lease) are set, and replaces the rest by what it says. Return: 0, also if
 * there is none (nobody's, and unchanged); negative errno with *why.
 */
int object_read(struct object *object, struct reason *why);

/* Writes it; one that is nobody's and unchanged has its file removed. Return: 0, negative errno with *why. */
int object_write(const struct object *object, struct reason *why);

/* Removes its file, whatever it says. Return: the same. */
int object_remove(const struct object *object, struct reason *why);

/* All VFs and seats that have a file. */
int object_read_all(struct object_list *list, struct reason *why);
void object_list_release(struct object_list *list);

/*
 * Writes down a step that is about to be made: the baseline of the first one stays. Return: whether there is anything new; -ENOMEM,
 * -E2BIG.
 */
int object_note(struct object *object, const struct step *step);

void object_release(struct object *object);
#define autoobject __attribute__((cleanup(object_release)))
#define autoobjects __attribute__((cleanup(object_list_release)))

#endif
