/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scene.h: everything that one decision looks at, read at one moment.
 */
#ifndef VFERRY_ENGINE_SCENE_H
#define VFERRY_ENGINE_SCENE_H

#include "base/clock.h"
#include "base/config.h"
#include "base/reason.h"
#include "domain/definitions.h"
#include "domain/domain.h"
#include "domain/network.h"
#include "domain/status.h"
#include "host/inventory.h"
#include "policy/guest.h"
#include "policy/ownership.h"
#include "policy/placement.h"
#include "state/record.h"

struct scene {
	const struct config *config;
	deadline_t deadline;             /* for what is asked later */
	const struct domain *domain;     /* NULL until scene_find_guest() */
	bool incoming;                   /* it comes from another host; so below */
	struct inventory inventory;
	struct status_list running;
	struct status_cache *seen;       /* the files that "running" was read from: a door asks which are new since */
	struct object_list objects;      /* VFs of which something is known */
	struct record_list records;      /* the leases that they belong to */
	struct definition_list definitions;
	struct network_pool **pool;      /* one for each hostdev of the guest, NULL: none */
	size_t pools;
	struct guest guest;
};

/*
 * Reads the host, libvirt's status directory and the records. Changes nothing. The cards are asked as little as can be
 * (inventory_read_few()): what is known of a VF's port beside its representor is known after scene_ask_port().
 */
int scene_read(struct scene *scene, const struct config *config, deadline_t deadline, struct reason *why);

/* Asks for the port of one VF, if that was not done. vf: of a PF of the scene. Return: 0, negative errno with *why. */
int scene_ask_port(struct scene *scene, struct inventory_pf *pf, unsigned int index, struct reason *why);

/* The same without what a driver or Open vSwitch would have to be asked for, and may be slow to answer: enough to see who has which VF. */
int scene_read_holders(struct scene *scene, const struct config *config, struct reason *why);

/*
 * Finds the VFs of a guest, which must live as long as the scene. incoming: it comes from another host, so that devices which nothing
 * identifies are judged by the configuration; at an ordinary start they are none of vferry's business.
 */
int scene_find_guest(struct scene *scene, const struct domain *domain, bool incoming, struct reason *why);

/* Gives back what the two took; harmless on a zeroed struct. */
void scene_release(struct scene *scene);

/* What ownership is judged by (policy/ownership.h). */
struct ownership_facts scene_facts(const struct scene *scene);

/* What is known of a VF, NULL if nothing is. */
const struct object *scene_find_object(const struct scene *scene, const struct pci_address *vf);

/* What placement needs of a scene; warnings go to the log. */
struct placement scene_placement(struct scene *scene);

/* Writes a warning of a rule to the log. */
void scene_warn(const struct reason *why, void *arg);

#define autoscene __attribute__((cleanup(scene_release)))

#endif
