/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ready.h: makes a host ready for a guest, and takes that back.
 */
#ifndef VFERRY_ENGINE_READY_H
#define VFERRY_ENGINE_READY_H

#include "base/config.h"
#include "base/reason.h"
#include "domain/status.h"
#include "engine/scene.h"
#include "state/record.h"

/* Writes what a placed guest gets into its record (the lease); the file is not written. */
void ready_fill_record(const struct scene *scene, enum record_state state, struct record *record);

/*
 * Makes each PF and each VF of a guest ready: under the PF's lock the host is read again, what is missing is planned, and the plan
 * carried out. A PF that is ready in the scene is not read again if nobody was at work on it. The scene's guest must be placed, and its
 * lease written under the host-wide lock under which the scene was read. bound: libvirt has bound the VFs (event "start"), only
 * representors are left.
 * Return: 0, negative errno with *why; the caller gives the record back then.
 */
int ready_make(const struct scene *scene, struct record *record, bool bound, deadline_t deadline, struct reason *why);

/*
 * Takes back what was made for a guest alone, forgets its record, and then what was made of its PFs if no guest ever ran on them and
 * nobody uses them. The caller holds the host-wide lock, here and for the next two. Return: 0, or the first error (what could not be
 * taken back stays in the journals for a later call).
 */
int ready_give_back(struct record *record, const struct config *config, deadline_t deadline, struct reason *why);

/* The part of it that concerns a PF: its journal is taken back, if nobody uses the PF. Return: 0 (also if somebody does), negative errno. */
int ready_undo_pf(const struct pci_address *address, const struct config *config, deadline_t deadline, struct reason *why);

/* Takes back what was made of PFs that no guest ever ran on and nobody uses: what an earlier ready_give_back() could not. */
int ready_give_back_pfs(const struct config *config, deadline_t deadline, struct reason *why);

/* A guest was seen to run: what was made of its PFs stays. Also sets and writes the record's state. */
int ready_commit(struct record *record, struct reason *why);

/*
 * Brings records, journals and ports in line with libvirt's status directory: guests that landed are committed, those that never came
 * are given back, ports of guests that are gone are removed. gone: uuid of a guest that counts as gone, or NULL.
 * The caller holds the host-wide lock. Never fails: what does not work now is logged and tried by the next call.
 * seen: NULL, or a zeroed scene that receives the host if nothing had to be changed. Return: whether it did.
 */
bool ready_reconcile(const struct config *config, const char *gone, deadline_t deadline, struct scene *seen);

/* What it decides by: whether a recorded guest is not coming or gone, and whether a port of ours belongs to no guest any more. */
bool ready_is_lost(const struct record *record, const struct status *status, const struct config *config, const char *gone);
bool ready_is_orphan_port(const struct scene *scene, const struct ovs_port *port, const char *gone);

#endif
