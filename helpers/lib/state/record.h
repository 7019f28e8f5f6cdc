/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * record.h: what vferry remembers between two calls of the hook: leases and journals, one file each below /run/vferry.
 *
 *   guests/UUID.json   a guest that vferry made ready for: which VFs it was given (the lease), how far it is, and the journal of the
 *                      steps made for it alone
 *   pfs/BDF.json       the journal of the steps that made a PF ready, until a guest runs on it
 *   queue/             who waits for a slot (state/queue.h)
 *   arrivals.lock      held by the arrival that is decided on and made ready for (state/queue.h)
 *   lock               held (flock) while files here are read and written, and while a VF is chosen
 *   pf-BDF.lock        held while a PF is changed
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
#include "state/step.h"

#define STATE_DIRECTORY "/run/vferry"
#define RECORD_MAX_VFS 32

enum record_state {
	RECORD_ARRIVING, /* an incoming migration: prepared for, not seen to run yet */
	RECORD_STARTING, /* an ordinary start */
	RECORD_RUNNING,  /* seen to run */
};

struct record_vf {
	struct pci_address pf, address;
	unsigned int index;
	struct mac_address mac;  /* all zero: not known */
	char bridge[STEP_NAME_MAX];
};

/* The lease and the journal of one guest. */
struct record {
	char uuid[40];
	char name[256];
	enum record_state state;
	int64_t touched;         /* clock_ms() of the last hook call for it */
	struct record_vf vf[RECORD_MAX_VFS];
	size_t vfs;
	struct steps journal;
};

struct record_list {
	struct record *record;
	size_t count;
};

/* Makes the state directory, and those of guests and PFs, private to root; refuses one that is not ours. */
int record_make_directories(struct reason *why);

/* Makes a directory of ours below the state directory, which is made first. */
int record_make_directory(const char *path, struct reason *why);

/* Takes a lock: pf NULL is the host-wide one. Return: descriptor that holds it until closed, -ETIME, negative errno. */
int record_lock(const struct pci_address *pf, deadline_t deadline, struct reason *why);

/* Removes the temporary files of writers that were killed. */
void record_sweep(void);

/* Reads, writes (atomically), removes the record of a guest. -ENOENT if there is none. */
int record_read(const char *uuid, struct record *record, struct reason *why);
int record_write(const struct record *record, struct reason *why);
int record_remove(const char *uuid, struct reason *why);

/* All guests' records. */
int record_read_all(struct record_list *list, struct reason *why);
void record_list_release(struct record_list *list);

/* The journal of a PF: an empty one if there is no file. Writing an empty one removes the file. */
int record_read_pf(const struct pci_address *pf, struct steps *journal, struct reason *why);
int record_write_pf(const struct pci_address *pf, const struct steps *journal, struct reason *why);

/* The PFs that have a journal, into pf[max]. Return: their number or negative errno. */
int record_list_pfs(struct pci_address *pf, size_t max, struct reason *why);

/* The record that holds a VF, NULL if none; except: uuid that does not count, may be NULL. */
const struct record *record_find_vf(const struct record_list *list, const struct pci_address *vf, const char *except);

#endif
