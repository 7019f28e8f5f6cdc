/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * uses.c: the list of uses, and the questions that are asked of it. What makes the list is in uses_find.c. See uses.h.
 *
 * Two tables say all: what each kind of use is called, and which kinds each change would take something from.
 */
#include "policy/uses.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IS(kind) (1u << (kind))

/* A sentence about the user, whose name stands between two parts. */
static const struct {
	const char *key, *before, *after;
} kinds[USE_KINDS] = {
	[USE_GUEST] = { "guest", "", " has it" },
	[USE_PROMISE] = { "promise", "it is promised to ", "" },
	[USE_VDPA] = { "vdpa", "", " has it by way of vDPA" },
	[USE_VFIO] = { "vfio", "", " has it open by way of VFIO" },
	[USE_RDMA] = { "rdma", "", " has its RDMA device open" },
	[USE_NAMESPACE] = { "namespace", "", " is in another network namespace" },
	[USE_ROUTE] = { "route", "", "" },
	[USE_ADDRESS] = { "address", "", " has an address of this host" },
	[USE_STACK] = { "stack", "", " lies on it" },
	[USE_MEMBER] = { "member", "", " is in a bridge with it" },
	[USE_BOND] = { "bond", "it is in ", "" },
	[USE_PORT] = { "port", "", "" },
	[USE_FUNCTION] = { "function", "it has ", ", which is not known to be idle" },
	[USE_RULES] = { "rules", "", " has TC rules" },
	[USE_DRIVER] = { "driver", "driver ", " holds it" },
	[USE_UNSEEN] = { "unseen", "", "" },
	[USE_UP] = { "up", "", " is up, held by the host's driver" },
	[USE_DEFINITION] = { "definition", "", " is defined with it" },
};

/* Who holds a VF, so that it is not to be taken from him. */
#define HOLDERS (IS(USE_GUEST) | IS(USE_VDPA) | IS(USE_VFIO) | IS(USE_RDMA) | IS(USE_NAMESPACE) | IS(USE_ROUTE) | IS(USE_ADDRESS) | \
		 IS(USE_STACK) | IS(USE_MEMBER) | IS(USE_BOND) | IS(USE_FUNCTION) | IS(USE_UNSEEN))
/* Who has his traffic by way of an uplink. */
#define TRAFFIC (IS(USE_ROUTE) | IS(USE_ADDRESS) | IS(USE_STACK) | IS(USE_MEMBER) | IS(USE_BOND) | IS(USE_PORT) | \
		 IS(USE_RDMA) | IS(USE_VFIO) | IS(USE_NAMESPACE) | IS(USE_FUNCTION))
/* Who would be left with an uplink that answers no more, once Open vSwitch takes what comes in. */
#define ENDPOINTS (IS(USE_ROUTE) | IS(USE_ADDRESS) | IS(USE_STACK) | IS(USE_MEMBER) | IS(USE_BOND) | IS(USE_RULES) | \
		   IS(USE_UNSEEN))

/* For each change: whose uses of the object count, of its VFs, and of the other PFs of its card with their VFs; beside it, what he would lose. */
static const struct {
	unsigned int own, vfs, siblings;
} changes[CHANGES] = {
	[CHANGE_ESWITCH] = { TRAFFIC | IS(USE_RULES) | IS(USE_UNSEEN), HOLDERS | IS(USE_DRIVER) | IS(USE_UP),
			     HOLDERS | IS(USE_PORT) }, /* to change the mode takes the carrier away for seconds */
	[CHANGE_UPLINK_DOWN] = { TRAFFIC, HOLDERS, 0 }, /* the network would be gone */
	[CHANGE_PLUG_UPLINK] = { ENDPOINTS, 0, 0 }, /* Open vSwitch would take its traffic */
	[CHANGE_UNPLUG_UPLINK] = { TRAFFIC, HOLDERS & ~IS(USE_UNSEEN), 0 }, /* the network would be gone */
	[CHANGE_DELETE_BRIDGE] = { TRAFFIC, 0, 0 }, /* the network would be gone */
};

/* ---- The list ------------------------------------------------------------------------------------------------------------------ */

/* Adds a use; see the header. */
int uses_add(struct uses *uses, const struct use *use)
{
	struct use *larger = uses->use, *added;

	if (uses->count % 16 == 0)
		larger = reallocarray(uses->use, uses->count + 16, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	uses->use = larger;
	added = &uses->use[uses->count++];
	*added = *use;
	reason_clean(added->name, sizeof(added->name), use->name);
	return 0;
}

/* Gives back a list; harmless on a zeroed struct. */
void uses_release(struct uses *uses)
{
	free(uses->use);
	memset(uses, 0, sizeof(*uses));
}

/* Return: the target that is a PF. */
struct use_target use_pf(const struct pci_address *pf)
{
	return (struct use_target){ .object = USE_OF_PF, .pci = *pf };
}

/* Return: the target that is a VF. */
struct use_target use_vf(const struct pci_address *vf)
{
	return (struct use_target){ .object = USE_OF_VF, .pci = *vf };
}

/* Return: a target that is called by its name. */
static struct use_target by_name(enum use_object object, const char *name)
{
	struct use_target target = { .object = object };

	snprintf(target.name, sizeof(target.name), "%s", name);
	return target;
}

/* Return: the target that is a port of Open vSwitch. */
struct use_target use_port(const char *port)
{
	return by_name(USE_OF_PORT, port);
}

/* Return: the target that is a bridge of Open vSwitch. */
struct use_target use_bridge(const char *bridge)
{
	return by_name(USE_OF_BRIDGE, bridge);
}

/* Whether two targets are one. */
static bool is_same(const struct use_target *a, const struct use_target *b)
{
	if (a->object != b->object)
		return false;
	return a->object == USE_OF_PF || a->object == USE_OF_VF ? pci_address_equal(&a->pci, &b->pci) : strcmp(a->name, b->name) == 0;
}

/* The next use of a target; see the header. */
const struct use *uses_next(const struct uses *uses, const struct use_target *of, const struct use *after)
{
	for (size_t i = after ? (size_t)(after - uses->use) + 1 : 0; i < uses->count; i++) {
		if (is_same(&uses->use[i].of, of))
			return &uses->use[i];
	}
	return NULL;
}

/* ---- Words --------------------------------------------------------------------------------------------------------------------- */

/* The sentence about one use; see the header. */
const char *uses_say(const struct use *use, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", kinds[use->kind].before, use->name, kinds[use->kind].after);
	return out;
}

/* Return: the word for a kind in JSON. */
const char *uses_key(enum use_kind kind)
{
	return kinds[kind].key;
}

/* ---- Questions ----------------------------------------------------------------------------------------------------------------- */

/* The kinds that count of one use when something is done to a target. */
static unsigned int mask_of(const struct use *use, const struct use_target *target, enum use_change change)
{
	const struct pci_address *pf = use->of.object == USE_OF_VF ? &use->pf : &use->of.pci;

	if (is_same(&use->of, target))
		return changes[change].own;
	if (target->object != USE_OF_PF || use->of.object > USE_OF_VF)
		return 0;
	if (use->of.object == USE_OF_VF && pci_address_equal(pf, &target->pci))
		return changes[change].vfs;
	return pci_address_is_sibling(pf, &target->pci) ? changes[change].siblings : 0;
}

/* Whether a use is that of the guest for which something is done. */
static bool is_its_own(const struct use *use, const char *uuid)
{
	return uuid && *uuid && strcmp(use->uuid, uuid) == 0;
}

/* Who would lose something; see the header. */
const struct use *uses_find_user(const struct uses *uses, const struct use_target *target, enum use_change change, const char *uuid)
{
	const struct use *found = NULL;

	for (size_t i = 0; i < uses->count; i++) {
		const struct use *use = &uses->use[i];

		if (!(mask_of(use, target, change) & IS(use->kind)) || is_its_own(use, uuid))
			continue;
		if (!found || use->kind < found->kind)
			found = use;
	}
	return found;
}

/* The grade that one kind of use gives to a VF. */
static enum use_grade grade_of(enum use_kind kind)
{
	switch (kind) {
	case USE_DEFINITION:
	case USE_PORT: /* whether its port is in the way depends on the bridge */
	case USE_RULES:
		return GRADE_FREE;
	case USE_UP:
		return GRADE_UP;
	case USE_UNSEEN:
	case USE_FUNCTION:
		return GRADE_UNPROVEN;
	default:
		return GRADE_USED;
	}
}

/* The grade of a VF; see the header. */
enum use_grade uses_grade(const struct uses *uses, const struct inventory_vf *vf, const char *uuid, const struct use **by)
{
	enum use_grade grade = strcmp(vf->driver, "mlx5_core") == 0 ? GRADE_IDLE : GRADE_FREE;
	const struct use_target target = use_vf(&vf->address);
	const struct use *decides = NULL;

	for (const struct use *use = uses_next(uses, &target, NULL); use; use = uses_next(uses, &target, use)) {
		if (is_its_own(use, uuid) || grade_of(use->kind) <= grade)
			continue;
		grade = grade_of(use->kind);
		decides = use;
	}
	if (by)
		*by = decides;
	return grade;
}
