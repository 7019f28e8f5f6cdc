/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * uses.h: who uses what of a host, as data: one list, by which the hook, the command and whatever changes the host judge alike.
 *
 * Pure: made of what the inventory read, and of who runs here. What is stacked on a device in a way that vferry does not know is a use of
 * it too; a VF that mlx5_core holds is in use until it is proven idle.
 */
#ifndef VFERRY_POLICY_USES_H
#define VFERRY_POLICY_USES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/pci_address.h"
#include "base/reason.h"
#include "domain/status.h"
#include "host/inventory.h"

/* What is used. A PF stands for its eswitch and its uplink too, a VF for its representor. */
enum use_object { USE_OF_PF, USE_OF_VF, USE_OF_PORT, USE_OF_BRIDGE };

/* Kinds of users. The order is that in which they are named: what tells most comes first. */
enum use_kind {
	USE_GUEST,      /* a guest that libvirt runs */
	USE_PROMISE,    /* a guest that is arriving */
	USE_VDPA,       /* a vDPA device of the VF */
	USE_VFIO,       /* a process that has it open by way of VFIO */
	USE_RDMA,       /* a process that has its RDMA device open: RDMA, DPDK */
	USE_NAMESPACE,  /* its netdev is in another network namespace */
	USE_ROUTE,      /* a route of the host leaves by it */
	USE_ADDRESS,    /* the host has an address on it, or on what rides on it: by it a migration comes in, too */
	USE_STACK,      /* a device rides on it: VLAN, macvtap, bridge, anything */
	USE_MEMBER,     /* another member of a bridge that rides on it */
	USE_BOND,       /* it is a member of a bond or team */
	USE_PORT,       /* a port of Open vSwitch that reaches the network by it, or that is somebody else's */
	USE_FUNCTION,   /* a subfunction, or another child of the device that vferry does not know */
	USE_RULES,      /* TC rules that somebody set */
	USE_DRIVER,     /* a driver that is not the host's own holds it */
	USE_UNSEEN,     /* it may be lent to somebody: mlx5_core holds the VF and no netdev is to be seen, or users are not */
	USE_UP,         /* its netdev is up, and that is all */
	USE_DEFINITION, /* a guest that is shut off is defined with it */
	USE_KINDS
};

/* What somebody wants to do to a PF or a bridge; of VFs and their ports the door judges itself (engine/door.c). */
enum use_change {
	CHANGE_ESWITCH,       /* of a PF, either way: the carrier of the card goes for seconds, representors come or go */
	CHANGE_UPLINK_DOWN,   /* of a PF */
	CHANGE_PLUG_UPLINK,   /* of a PF: into a bridge of Open vSwitch */
	CHANGE_UNPLUG_UPLINK, /* of a PF */
	CHANGE_DELETE_BRIDGE, /* of a bridge of Open vSwitch */
	CHANGES
};

struct use_target {
	enum use_object object;
	struct pci_address pci; /* of a PF or VF */
	char name[64];          /* of a port or bridge */
};

struct use {
	struct use_target of;
	struct pci_address pf;      /* of a VF: its PF */
	enum use_kind kind;
	char uuid[DOMAIN_UUID_LEN]; /* of a guest, "" none */
	char name[128];             /* who, clean: "guest web1", "vlan p0.100", "process 4711 (testpmd)" */
};

/* Zeroed: nothing is used. */
struct uses {
	struct use *use;
	size_t count;
};

/*
 * Lists who uses the host's PFs and VFs, their ports and the bridges: by what the inventory read, and the guests that run (may be NULL).
 * uses_release() it. Return: 0, -ENOMEM.
 */
int uses_find(const struct inventory *inventory, const struct status_list *running, struct uses *uses);

/* The same for one PF (of the inventory, or a copy as it will be), the other PFs of its card, and the VFs of them all. */
int uses_find_card(const struct inventory *inventory, const struct status_list *running, const struct inventory_pf *pf, struct uses *uses);

/* Adds one that the inventory does not tell: a promise, a definition. name is cleaned. Return: 0, -ENOMEM. */
int uses_add(struct uses *uses, const struct use *use);

void uses_release(struct uses *uses);

/* Targets, by what they are called. */
struct use_target use_pf(const struct pci_address *pf);
struct use_target use_vf(const struct pci_address *vf);
struct use_target use_port(const char *port);
struct use_target use_bridge(const char *bridge);

/* The next use of a target: after = NULL for the first. NULL: there are no more. */
const struct use *uses_next(const struct uses *uses, const struct use_target *of, const struct use *after);

/*
 * Who would lose something by a change: the user that tells most, NULL if nobody. A change of a PF concerns its VFs too, and that of its
 * eswitch the other PFs of the same card. uuid: of the guest for which it is done, whose own uses do not count; NULL: for nobody.
 */
const struct use *uses_find_user(const struct uses *uses, const struct use_target *target, enum use_change change, const char *uuid);

/* How far a VF is from being free, as far as its users are concerned. */
enum use_grade {
	GRADE_FREE,     /* no driver holds it, or one from which it can be taken: pci-stub, mlx5_vfio_pci that nobody has open */
	GRADE_IDLE,     /* mlx5_core holds it and it is proven idle: its netdev is here, down, in nothing */
	GRADE_UP,       /* the same, but that its netdev is up: vferry prepare may take it, the hook does not */
	GRADE_UNPROVEN, /* it may be in use: only who knows better may take it, by naming it */
	GRADE_USED,     /* somebody has it */
};

/* The grade of a VF; *by (may be NULL): the use that decides, NULL if none. uuid: as above. */
enum use_grade uses_grade(const struct uses *uses, const struct inventory_vf *vf, const char *uuid, const struct use **by);

/* The sentence about one use: "bridge cloudbr0 has an address of this host". Return: out. */
const char *uses_say(const struct use *use, char *out, size_t size);

/* The word for a kind in JSON: "address". */
const char *uses_key(enum use_kind kind);

#define autouses __attribute__((cleanup(uses_release)))

#endif
