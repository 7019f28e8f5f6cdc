/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * converge.h: brings an object to what it is to be. One way, whoever it belongs to: with an owner, what his passport and this host's
 * configuration give; without one, what was there before (policy/desired.h).
 *
 * Theory of operation. All looks come first; what they see is the baseline, and is on disk before the first change; then each step passes
 * the door (door.h). Killed at any instruction, the next call converges: a converged object is left alone, and giving back what was never
 * made finds nothing to do. The caller holds the object's lock, and has read it under it.
 */
#ifndef VFERRY_ENGINE_CONVERGE_H
#define VFERRY_ENGINE_CONVERGE_H

#include "engine/door.h"
#include "state/object.h"

/*
 * Carries out a plan on an object with an owner (a VF), or for good (a PF). Return: 0; negative errno of the step that failed, with *why:
 * those before it are made, and stand in the object's file.
 */
int converge_to(struct door *door, struct object *object, const struct steps *plan, struct reason *why);

/*
 * Gives back what was made of an object. What is somebody else's by now is forgotten. all: a step that cannot be given back keeps its
 * place, and the others go on; else it ends there, as what was made before it depends on it. The file is written. Return: 0 if nothing is
 * left to give back, else the first error with *why. keep: changes that stay, NULL: none.
 */
int converge_back(struct door *door, struct object *object, bool all, const struct steps *keep, struct reason *why);

#endif
