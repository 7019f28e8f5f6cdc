/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * door.h: the one door through which this host is changed.
 *
 * Theory of operation. A plan is made of what was true a moment ago. So every step, whichever way it goes and whoever takes it (the hook,
 * the agent, the command, the boot services), passes here: with the object's lock held, and right before the act, it is asked again whose
 * the object is now (libvirt's status files first; for what is given back, also who has it open) and what its users would lose. Each kind
 * of step has its judge; a kind without one does not compile (door.c). What is somebody else's by now is left alone, which is said in one
 * line, and forgotten.
 */
#ifndef VFERRY_ENGINE_DOOR_H
#define VFERRY_ENGINE_DOOR_H

#include "base/reason.h"
#include "domain/status.h"
#include "engine/operation.h"
#include "host/inventory.h"
#include "state/object.h"

/* What one call has to do with the door. Only config, deadline and what was seen are set before; the rest is its own. */
struct door {
	struct context context;
	struct status_cache *seen;         /* libvirt's files as they were read before; NULL: only this door has read any */
	struct status_cache own;
	struct status_list running;        /* as it was when last asked */
	const struct inventory *inventory; /* read under the object's lock, and true until something is changed; NULL: none */
	const char *left;                  /* uuid of a guest that has let go of the object, whatever its status file still says; NULL: none */
};

/* How a step came out. */
enum passage {
	PASSAGE_MADE,
	PASSAGE_NOTHING, /* it was so already, or the thing itself is gone */
	PASSAGE_OTHERS,  /* somebody else's by now: left alone */
};

/*
 * Looks at what is there: into the step's "before". back: the object has no owner, and what was made is given back.
 * Return: PASSAGE_NOTHING; PASSAGE_MADE if it has work to do; negative errno with *why.
 */
int door_look(struct door *door, struct step *step, bool back, struct reason *why);

/*
 * Asks, and makes a step that was looked at; one log line. object: read under its lock. made: what it gives back, NULL: it gives nothing
 * back.
 * Return: enum passage; negative errno with *why: it was not made, and may be later.
 */
int door_pass(struct door *door, const struct object *object, const struct step *step, const struct step *made, struct reason *why);

/* Who runs here now. Return: 0, negative errno with *why. */
int door_ask(struct door *door, struct reason *why);

/* Something was changed by another way: what was read of the host does not count any more. */
void door_forget(struct door *door);

void door_release(struct door *door);
#define autodoor __attribute__((cleanup(door_release)))

#endif
