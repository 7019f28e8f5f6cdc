/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ownership.h: whose an object is now. Computed from what was read, never remembered: libvirt's status files come first, then the leases.
 * (Which process has a VF open is asked by the door, right before an act that would disturb it: engine/door.h.)
 *
 * The rule for a lease whose guest libvirt does not show. Between "migrate" and "prepare" there is no status file, and libvirt may create
 * and preallocate disks there for hours (qemuMigrationDstPrepareStorage() before qemuProcessInit(), src/qemu/qemu_migration.c); nothing
 * that it writes tells that from a migration that it has dropped without a word. So an arrival's lease keeps its VF for lease_time; then it
 * has lapsed: the VF is given back, and to another guest where no other VF is free, but the lease is known as one until its guest is seen,
 * refused at "prepare", or replaced. The lease of a guest that ran, or was about to start, is over when libvirt shows it no more.
 */
#ifndef VFERRY_POLICY_OWNERSHIP_H
#define VFERRY_POLICY_OWNERSHIP_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/status.h"
#include "state/object.h"
#include "state/record.h"

enum ownership {
	OWNED_BY_NOBODY, /* no lease, or one that is over */
	OWNED_BY_LEASE,
	OWNED_BY_LAPSED, /* an arrival's whose time ran out: known, and in nobody's way */
	OWNED_BY_OTHER,  /* libvirt runs another guest with it than the lease's, or one without a lease */
};

/* What is looked at, at one moment. */
struct ownership_facts {
	const struct status_list *running;
	int64_t now;             /* clock_ms() */
	unsigned int lease_time; /* s */
};

/* Whose an object is. *guest (may be NULL): who runs with it, NULL if nobody does. */
enum ownership ownership_of(const struct object *object, const struct ownership_facts *facts, const struct status **guest);

/* What has become of a lease as such, whatever it is of. */
enum lease_fate {
	LEASE_HOLDS,
	LEASE_UP,     /* its guest runs here by now: it is to be written down as one that runs */
	LEASE_LAPSED,
	LEASE_OVER,
};

enum lease_fate ownership_fate(const struct owner *owner, const struct ownership_facts *facts);

/* The same for a lease as it is seen from outside. */
enum lease_fate ownership_record_fate(const struct record *record, const struct ownership_facts *facts);

#endif
