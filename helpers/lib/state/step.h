/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * step.h: one change made to a host, with what was there before, so that it can be taken back.
 *
 * A plan is a list of steps; a journal is the list of those that were begun. Taking back restores "before" and does nothing where the
 * host shows that value already, so that a step which was journalled but never carried out is harmless.
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

#define STEP_NAME_MAX 64
#define STEPS_MAX 256

enum step_kind {
	/* of a PF */
	STEP_AUTOPROBE,     /* number: sriov_drivers_autoprobe */
	STEP_ESWITCH,       /* number: enum eswitch_mode */
	STEP_NUM_VFS,       /* number: sriov_numvfs */
	STEP_UPLINK_UP,     /* name: netdev; number: IFF_UP */
	STEP_OVS_OPTION,    /* name: other_config key; text: value, before_text: value before ("" absent) */
	STEP_BRIDGE,        /* name: bridge; number: 1 exists */
	STEP_UPLINK_PORT,   /* name: netdev; text: bridge */
	/* of a VF */
	STEP_UNBIND,        /* before_text: driver that had it */
	STEP_RATES,         /* name: uplink; text, before_text: "MIN-MAX" Mbit/s, rates that were set from outside */
	STEP_MAC,           /* mac, before_mac: administrative MAC of the function */
	STEP_MIGRATABLE,    /* number: 1 on */
	STEP_BIND,          /* text: VFIO driver */
	STEP_REPRESENTOR_UP,/* number: IFF_UP */
	STEP_PORT,          /* name: representor, when it was looked for; text: bridge; mac: attached-mac */
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
	struct port_settings port;   /* of STEP_PORT; not in the journal: taking a port back needs none of it */
};

struct steps {
	struct step step[STEPS_MAX];
	size_t count;
};

/* The name of a kind in JSON and logs: "eswitch", "num-vfs", … */
const char *step_kind_name(enum step_kind kind);

/* One sentence for the operator: "0000:81:00.0: eswitch legacy -> switchdev". Returns out. */
char *step_describe(const struct step *step, char *out, size_t size);

struct json_object *step_to_json(const struct step *step);

/* Return: 0, -EINVAL for what is no step. */
int step_from_json(struct json_object *json, struct step *step);

/* Adds a copy at the end. Return: 0, -E2BIG. */
int steps_add(struct steps *steps, const struct step *step);

#endif
