/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * record.h: the leases of guests, as those see them who only look: put together from the objects' files (object.h); and the locks.
 *
 *   vfs/, pfs/         the objects
 *   guests/UUID.json   a guest that has, or had, a lease here: that there is one tells the hook, at the cost of one access(2), that it has
 *                      work to do for a guest whose XML names no VF; and what its own lease cannot say any more, as its VF has gone to
 *                      another guest
 *   queue/             who waits for a slot (state/queue.h)
 *   arrivals.lock      held by the arrival that is decided on and made ready for (state/queue.h)
 *   lock               held (flock) while it is chosen which guest gets which VF
 *   pf-BDF.lock        held while a PF is changed
 *   vf-BDF.lock        held while a VF's file is read and written, and the VF changed
 *
 * Locks are taken in that order: host-wide, one PF, one VF; none is waited for while a wider one is held, but tried.
 *
 * /run is empty after a reboot, as is the state of the cards. Nothing here is the truth about who runs: that is libvirt's status
 * directory (domain/status.h). Files that do not parse are set aside, so that they cannot block a VF for ever.
 */
#ifndef VFERRY_STATE_RECORD_H
#define VFERRY_STATE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/reason.h"
#include "state/object.h"

#define STATE_DIRECTORY "/run/vferry"
#define RECORD_MAX_VFS 64 /* that are shown of one guest: as many as a domain may have devices */

struct record_vf {
	struct pci_address pf, address;
	unsigned int index;
	struct mac_address mac;  /* all zero: not known */
	char bridge[STEP_NAME_MAX];
};

/* One lease. */
struct record {
	char uuid[40];
	char name[256];
	char lease[STEP_LEASE_MAX];
	enum record_state state;
	bool came, lapsed, unmade; /* object.h; unmade: one of its VFs is */
	int64_t touched;         /* clock_ms() of the last call for it */
	struct record_vf *vf;
	size_t vfs;
	size_t changes;          /* made for it */
};

struct record_list {
	struct record *record;
	size_t count;
};

/* Makes the state directory, and those below it, private to root; refuses one that is not ours. */
int record_make_directories(struct reason *why);

/* Makes a directory of ours below the state directory, which is made first. */
int record_make_directory(const char *path, struct reason *why);

/* Takes a lock: pf NULL is the host-wide one. Return: descriptor that holds it until closed, -ETIME, negative errno. */
int record_lock(const struct pci_address *pf, deadline_t deadline, struct reason *why);

/* Takes the lock of a VF (of a seat: that of its PF's seats). Return: the same. */
int record_lock_object(const struct object *object, deadline_t deadline, struct reason *why);

/* Removes the temporary files of writers that were killed. */
void record_sweep(void);

/* Whether a text is a uuid that may be part of a file's name. */
bool record_is_uuid(const char *uuid);

/* What a guest has by all of its leases; the newest one's words. To be released. -ENOENT if it has none. */
int record_read(const char *uuid, struct record *record, struct reason *why);
void record_release(struct record *record);
#define autorecord __attribute__((cleanup(record_release)))

/* All leases; from objects that were read already. */
int record_read_all(struct record_list *list, struct reason *why);
int record_from_objects(const struct object_list *objects, struct record_list *list, struct reason *why);
void record_list_release(struct record_list *list);

/* The PFs that have changes, into pf[max]. Return: their number or negative errno. */
int record_list_pfs(struct pci_address *pf, size_t max, struct reason *why);

/* The lease that holds a VF, NULL if none; except: uuid of a guest whose leases do not count, may be NULL. */
const struct record *record_find_vf(const struct record_list *list, const struct pci_address *vf, const char *except);

/* The lease of a guest, NULL if it has none. */
const struct record *record_find_uuid(const struct record_list *list, const char *uuid);

/*
 * That a guest is known here (guests/UUID.json), from before its first lease is written until its last one has gone. lost: the VF of a
 * lease of it that ran out and that another guest has been given. Forgetting keeps the file while the guest has a lease. guest_note_mark()
 * keeps what the file says beside is_arriving.
 */
struct guest_note {
	bool is_arriving;        /* it comes by a migration and has not landed yet: the file then holds MARK_ARRIVING (mark.h) */
	bool is_lost;
	struct pci_address lost;
	char to[256];            /* name of the other guest, clean */
};
int guest_note_write(const char *uuid, const struct guest_note *note, struct reason *why);
int guest_note_mark(const char *uuid, bool is_arriving, struct reason *why);
int guest_note_read(const char *uuid, struct guest_note *note, struct reason *why);
void guest_note_forget(const char *uuid);

/* Forgets guests that have had no lease for a while. list: all leases. */
void guest_note_sweep(const struct record_list *list);

/*
 * Turns what vferry 0.1.0 wrote (guests/UUID.json with a journal of steps) into objects, once. What is found so is read, and nothing
 * else is changed. Return: 0, negative errno with *why.
 */
int state_upgrade(struct reason *why);

#endif
