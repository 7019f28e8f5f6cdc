/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * converge.c: brings an object to what it is to be. See converge.h.
 */
#include "engine/converge.h"

#include <errno.h>
#include <string.h>

#include "policy/desired.h"

/*
 * is_always_noted() - whether what is there counts as the baseline even where nothing need be changed: it is set again by others while the
 * owner is here, and must not stay
 */
static bool is_always_noted(enum step_kind kind)
{
	return kind == STEP_RATES || kind == STEP_MAC;
}

/*
 * clears() - whether a kind of step takes away what the VF's last owner had set: that is done once for each owner
 */
static bool clears(const struct object *object, enum step_kind kind)
{
	return is_always_noted(kind) && object_is_owned(object);
}

/*
 * look() - looks at all steps of a plan, and notes what is there
 * @work:	result: those with work to do
 * Return: 0, negative errno
 */
static int look(struct door *door, struct object *object, const struct steps *plan, struct steps *work, struct reason *why)
{
	bool is_new = false;

	door->context.has_port = false; /* what was seen before this object was locked does not count */
	for (size_t i = 0; i < plan->count; i++) {
		struct step step = plan->step[i];
		int result, noted = 0;

		if (object->owner.cleared & 1u << step.kind)
			continue;
		result = door_look(door, &step, false, why);
		if (result < 0)
			return result;
		if (result == PASSAGE_NOTHING && clears(object, step.kind))
			object->owner.cleared |= 1u << step.kind;
		if (result == PASSAGE_MADE || is_always_noted(step.kind))
			noted = object_note(object, &step);
		if (noted < 0 || (result == PASSAGE_MADE && steps_add(work, &step)))
			return reason_set(why, -ENOMEM, NULL, "there is no room to write down what is changed");
		is_new |= noted;
	}
	return is_new ? object_write(object, why) : 0;
}

/*
 * converge_to() - carries out a plan
 * @object:	read under its lock
 * @plan:	in the safe order
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int converge_to(struct door *door, struct object *object, const struct steps *plan, struct reason *why)
{
	autosteps struct steps work = { 0 };
	int error = look(door, object, plan, &work, why);

	for (size_t i = 0; !error && i < work.count; i++) {
		int result = door_pass(door, object, &work.step[i], NULL, why);

		if (result == PASSAGE_OTHERS)
			error = -EBUSY;
		else if (result < 0)
			error = result;
		else if (clears(object, work.step[i].kind))
			object->owner.cleared |= 1u << work.step[i].kind;
	}
	return error;
}

/*
 * find_made() - the change that a step gives back
 * Return: its place, the number of changes if there is none
 */
static size_t find_made(const struct object *object, const struct step *back)
{
	size_t i = 0;

	for (; i < object->changes.count; i++) {
		struct step step = step_back(&object->changes.step[i]);

		if (step_is_same(&step, back) && strcmp(step.text, back->text) == 0)
			break;
	}
	return i;
}

/*
 * give_back() - one step back
 * @error:	the first failure
 * Return: whether it is settled: its change is struck out
 */
static bool give_back(struct door *door, struct object *object, const struct step *back, int *error, struct reason *why)
{
	size_t place = find_made(object, back);
	const struct step *made = place < object->changes.count ? &object->changes.step[place] : back;
	struct reason reason = { 0 };
	struct step step = *back;
	int result = door_look(door, &step, true, &reason);

	if (result == PASSAGE_MADE)
		result = door_pass(door, object, &step, made, &reason);
	if (result < 0 && !*error) {
		*error = result;
		if (why)
			*why = reason;
	}
	if (result >= 0 && place < object->changes.count)
		steps_remove(&object->changes, place);
	return result >= 0;
}

/*
 * is_kept() - whether the change that a step gives back is one that stays
 */
static bool is_kept(const struct object *object, const struct step *back, const struct steps *keep)
{
	size_t place = keep ? find_made(object, back) : object->changes.count;

	for (size_t i = 0; place < object->changes.count && i < keep->count; i++) {
		if (step_is_same(&keep->step[i], &object->changes.step[place]))
			return true;
	}
	return false;
}

/*
 * converge_back() - gives back what was made of an object
 * @all:	a step that cannot be given back stops nothing
 * @keep:	changes that stay, NULL: none
 * @why:	the first failure
 * Return: 0, negative errno
 *
 * A file that cannot be written (disk full) stops nothing: giving back a second time what is in it does nothing.
 */
int converge_back(struct door *door, struct object *object, bool all, const struct steps *keep, struct reason *why)
{
	autosteps struct steps desired = { 0 };
	int error = 0, saved = desired_of_nobody(object, &desired);

	if (saved)
		return reason_set(why, saved, NULL, "out of memory");
	door->context.has_port = false;
	for (size_t i = 0; i < desired.count; i++) {
		if (!is_kept(object, &desired.step[i], keep) && !give_back(door, object, &desired.step[i], &error, why) && !all)
			break;
	}
	saved = object_write(object, error ? NULL : why);
	return error ? error : saved;
}
