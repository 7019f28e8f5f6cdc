/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ownership.c: whose an object is now. See ownership.h.
 */
#include "policy/ownership.h"

#include <stddef.h>
#include <string.h>

/*
 * has_time() - whether a lease was touched within lease_time. One of the future is of another clock.
 */
static bool has_time(int64_t touched, const struct ownership_facts *facts)
{
	return touched <= facts->now && facts->now - touched <= (int64_t)facts->lease_time * 1000;
}

/*
 * fate() - what has become of a lease
 * @status:	of its guest, NULL: libvirt shows none
 */
static enum lease_fate fate(enum record_state state, bool lapsed, int64_t touched, const struct status *status,
			    const struct ownership_facts *facts)
{
	if (!status && facts->running->unreadable) /* one of the files that cannot be read may be its own: it counts as running */
		return lapsed ? LEASE_LAPSED : LEASE_HOLDS;
	if (!status && state == RECORD_ARRIVING)
		return !lapsed && has_time(touched, facts) ? LEASE_HOLDS : LEASE_LAPSED;
	if (!status) /* a guest that ran has had a status file for as long as it runs */
		return state == RECORD_STARTING && has_time(touched, facts) ? LEASE_HOLDS : LEASE_OVER;
	if (state == RECORD_ARRIVING)
		return status_is_landed(status) ? LEASE_UP : LEASE_HOLDS;
	return state == RECORD_STARTING && status->job == STATUS_NO_JOB ? LEASE_UP : LEASE_HOLDS;
}

/*
 * ownership_fate() - what has become of a lease
 * @owner:	lease
 * @facts:	who runs here, and the time
 */
enum lease_fate ownership_fate(const struct owner *owner, const struct ownership_facts *facts)
{
	return fate(owner->state, owner->lapsed, owner->touched, status_find_uuid(facts->running, owner->uuid), facts);
}

/* See ownership.h. */
enum lease_fate ownership_record_fate(const struct record *record, const struct ownership_facts *facts)
{
	return fate(record->state, record->lapsed, record->touched, status_find_uuid(facts->running, record->uuid), facts);
}

/*
 * has_left() - whether the guest of a lease runs without the object: it was taken from it while it ran
 *
 * One that is being attached is not in the status file yet: such a lease says "starting" until it is.
 */
static bool has_left(const struct object *object, const struct ownership_facts *facts)
{
	return object->owner.state == RECORD_RUNNING && status_find_uuid(facts->running, object->owner.uuid);
}

/*
 * is_late() - whether a lease of a guest that runs has had its time to get what it is of
 */
static bool is_late(const struct object *object, const struct ownership_facts *facts)
{
	return object->owner.state == RECORD_STARTING && status_find_uuid(facts->running, object->owner.uuid) &&
	       !has_time(object->owner.touched, facts);
}

/*
 * ownership_of() - whose an object is
 * @object:	VF or seat
 * @facts:	who runs here, and the time
 * @guest:	NULL, or receives who runs with it
 */
enum ownership ownership_of(const struct object *object, const struct ownership_facts *facts, const struct status **guest)
{
	const struct status *holder = object->has_vf ? status_find_device(facts->running, &object->vf) : NULL;

	if (guest)
		*guest = holder;
	if (holder)
		return object_is_owned(object) && strcmp(holder->uuid, object->owner.uuid) == 0 ? OWNED_BY_LEASE : OWNED_BY_OTHER;
	if (!object_is_owned(object) || has_left(object, facts) || is_late(object, facts))
		return OWNED_BY_NOBODY;
	switch (ownership_fate(&object->owner, facts)) {
	case LEASE_LAPSED:
		return OWNED_BY_LAPSED;
	case LEASE_OVER:
		return OWNED_BY_NOBODY;
	default:
		return OWNED_BY_LEASE;
	}
}
