/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * step.h: one thing of an object that is to be as wanted, and what it was before vferry touched it.
 *
 * A plan is a list of steps; an object's file (state/object.h) holds the list of those that were begun: its baseline. step_back() turns one
 * round: what was there before is wanted then. There is one way to carry a step out, whichever way it goes.
 */
#ifndef VFERRY_STATE_STEP_H
#define VFERRY_STATE_STEP_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/mac_address.h"
#include "base/pci_address.h"
#include "base/port_settings.h"
#include "base/reason.h"
#include "base/vf_function.h"

#define STEP_NAME_MAX 64
#define STEP_LEASE_MAX 20
#define STEPS_MAX 4096 /* of one list: a PF has up to 256 VFs, and each of them a few */

/*
 * In the safe order: a card is made ready from the first to the last, and given back from the last to the first. The word is what the
 * function of engine/ that judges it, and the operation that makes it, are called by (engine/door.c).
 */
#define STEP_KINDS_OF(X)                                                                                                                   \
	/* of a PF */                                                                                                                      \
	X(STEP_AUTOPROBE, autoprobe)           /* number: sriov_drivers_autoprobe */                                                       \
	X(STEP_ESWITCH, eswitch)               /* number: enum eswitch_mode */                                                             \
	X(STEP_NUM_VFS, num_vfs)               /* number: sriov_numvfs */                                                                  \
	X(STEP_UPLINK_UP, uplink_up)           /* name: netdev; number: IFF_UP */                                                          \
	X(STEP_OVS_OPTION, ovs_option)         /* name: other_config key; text: value, before_text: value before ("" absent) */            \
	X(STEP_BRIDGE, bridge)                 /* name: bridge; number: 1 exists */                                                        \
	X(STEP_UPLINK_PORT, uplink_port)       /* name: netdev; text: bridge; number: 1 it is in it */                                     \
	/* of a VF */                                                                                                                      \
	X(STEP_UNBIND, unbind)                 /* text: only from that driver, "" any; before_text: driver that had it */                  \
	X(STEP_RATES, rates)                   /* name: uplink; text, before_text: "MIN-MAX" Mbit/s, rates that were set from outside */   \
	X(STEP_MAC, mac)                       /* mac, before_mac: administrative MAC of the function */                                   \
	X(STEP_MSIX, msix)                     /* number: entries of its MSI-X table */                                                    \
	X(STEP_IPSEC, ipsec)                   /* number: what it must be able to, by step_ipsec(); only looked at */                       \
	X(STEP_ROCE, roce)                     /* number: enum function_switch */                                                          \
	X(STEP_MAX_IO_EQS, max_io_eqs)         /* number: event queues for I/O */                                                          \
	X(STEP_MIGRATABLE, migratable)         /* number: 1 on */                                                                          \
	X(STEP_BIND, bind)                     /* text: driver */                                                                          \
	X(STEP_MTU, mtu)                       /* number: of the representor, bytes */                                                     \
	X(STEP_REPRESENTOR_UP, representor_up) /* number: IFF_UP */                                                                        \
	X(STEP_PORT, port)                     /* number: 1 the guest's port is there, 0 none of vferry's is; name: representor, when it */ \
					       /* was looked for; text: bridge; mac: attached-mac; guest, lease: whose port it is */

enum step_kind {
#define STEP_KIND(kind, word) kind,
	STEP_KINDS_OF(STEP_KIND)
#undef STEP_KIND
	STEP_KINDS
};
struct step {
	enum step_kind kind;
	struct pci_address pf;
	bool has_vf;
	struct pci_address vf;
	unsigned int index;          /* number of the VF */
	unsigned int port_index;     /* of its devlink port when the plan was made, which is asked first; 0 not known */
	unsigned int number, before;
	char name[STEP_NAME_MAX];
	char text[STEP_NAME_MAX], before_text[STEP_NAME_MAX];
	struct mac_address mac, before_mac;
	char guest[40];              /* uuid for external_ids, empty for a step of the host */
	char lease[STEP_LEASE_MAX];  /* of the guest, for external_ids */
	char asked[STEP_LEASE_MAX];  /* of STEP_PORT: what the guest's definition asks for (state/kept.h); "": not known */
	bool is_told;                /* of STEP_PORT: the passport says which network it is, so that somebody else's port must fit */
	struct port_settings port;   /* of STEP_PORT; not in the file: taking a port back needs none of it */
};

/* A list that grows. */
struct steps {
	struct step *step;
	size_t count, room;
};

/* The name of a kind in JSON and logs: "eswitch", "num-vfs", … */
const char *step_kind_name(enum step_kind kind);

/* One sentence for the operator: "0000:81:00.0: eswitch legacy -> switchdev". Returns out. */
char *step_describe(const struct step *step, char *out, size_t size);

struct json_object *step_to_json(const struct step *step);

/* Return: 0, -EINVAL for what is no step. */
int step_from_json(struct json_object *json, struct step *step);

/* Adds a copy at the end. Return: 0, -E2BIG, -ENOMEM. */
int steps_add(struct steps *steps, const struct step *step);

/* Takes one out; gives back all of them. Harmless on a zeroed list. */
void steps_remove(struct steps *steps, size_t i);
void steps_release(struct steps *steps);
#define autosteps __attribute__((cleanup(steps_release)))

/* Whether two steps concern the same thing of the same object. */
bool step_is_same(const struct step *a, const struct step *b);

/* The number of STEP_IPSEC, and what it means. */
unsigned int step_ipsec(const struct vf_function *function);
struct vf_function step_ipsec_wanted(const struct step *step);

/* A change turned round: the step that makes what was there before. */
struct step step_back(const struct step *change);

#endif
