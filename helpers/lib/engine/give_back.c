/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * give_back.c: takes VFs back from guests, and PFs from nobody; and what is written down of a guest that was seen. See ready.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/scope.h"
#include "engine/converge.h"
#include "engine/ready.h"

#define TRAIN_MS 600000     /* some equipment takes minutes */
#define COMMIT_WAIT_MS 2000 /* for a VF on which somebody is at work: libvirt waits */

/*
 * is_still() - whether an object is what it was chosen for: by who runs here now
 */
static bool is_still(const struct ready_choice *choice, const struct object *object, struct door *door)
{
	const struct ownership_facts facts = { &door->running, clock_ms(), door->context.config->lease_time };
	enum ownership whose;

	if (!choice->is_over && !choice->is_lapsed)
		return true;
	if (door_ask(door, NULL))
		return false;
	whose = ownership_of(object, &facts, NULL);
	return choice->is_over ? whose == OWNED_BY_NOBODY : whose == OWNED_BY_LAPSED;
}

/*
 * is_meant() - whether a choice means an object
 */
static bool is_meant(const struct ready_choice *choice, const struct object *object)
{
	if (!object_is_owned(object) ? !choice->is_over || !object->changes.count : choice->came && !object->owner.came)
		return false;
	return (!choice->uuid || strcmp(choice->uuid, object->owner.uuid) == 0) &&
	       (!choice->lease || strcmp(choice->lease, object->owner.lease) == 0) &&
	       (!choice->vf || (object->has_vf && pci_address_equal(choice->vf, &object->vf)));
}

/*
 * end_lease() - takes one object from its owner. The object's lock is held.
 * @object:	read under it
 * Return: 0, negative errno
 *
 * The owner goes first, on disk: what is given back after that is nobody's, and whoever comes next may have it. Where that cannot be written
 * (disk full), all is given back the same: the file is written, or taken away, once more at the end.
 */
static int end_lease(struct object *object, struct door *door, struct reason *why)
{
	if (object->seat)
		return object_remove(object, why);
	object->owner = (struct owner){ 0 };
	if (object->changes.count)
		(void)object_write(object, NULL);
	return converge_back(door, object, true, NULL, why);
}

/*
 * give_back_object() - takes an object from its owner, if it still is as it was chosen
 * @seen:	as it was when it was chosen
 */
static int give_back_object(const struct object *seen, const struct ready_choice *choice, struct door *door, struct reason *why)
{
	autoobject struct object object = { .pf = seen->pf, .has_vf = seen->has_vf, .vf = seen->vf, .seat = seen->seat };
	autoclose int lock = -1;
	int error;

	memcpy(object.owner.lease, seen->owner.lease, sizeof(object.owner.lease));
	lock = record_lock_object(&object, choice->try ? deadline_in(0) : door->context.deadline, why);
	if (lock == -ETIME && choice->try)
		return 0;
	error = lock < 0 ? lock : object_read(&object, why);
	if (error || !is_meant(choice, &object) || !is_still(choice, &object, door))
		return error;
	return end_lease(&object, door, why);
}

/*
 * give_back_pfs() - what was made of the PFs of objects that were given back
 */
static int give_back_pfs(const struct object_list *objects, const struct ready_choice *choice, const struct config *config,
			 deadline_t deadline, struct reason *why)
{
	int error = 0;

	for (size_t i = 0; !error && i < objects->count; i++) {
		if (is_meant(choice, &objects->object[i]))
			error = ready_give_back_pf(&objects->object[i].pf, config, deadline, why);
	}
	return error;
}

/*
 * ready_give_back() - takes leases away; see ready.h
 */
int ready_give_back(const struct config *config, const struct ready_choice *choice, bool left, deadline_t deadline, struct reason *why)
{
	autodoor struct door door = { .context = { .config = config, .deadline = deadline }, .left = left ? choice->uuid : NULL };
	autoobjects struct object_list objects = { 0 };
	int first = object_read_all(&objects, why);

	for (size_t i = 0; i < objects.count; i++) {
		int error = is_meant(choice, &objects.object[i]) ? give_back_object(&objects.object[i], choice, &door, first ? NULL : why) : 0;

		if (!first)
			first = error;
	}
	if (!first)
		first = give_back_pfs(&objects, choice, config, deadline, why);
	if (choice->uuid)
		guest_note_forget(choice->uuid);
	return first;
}

/* See ready.h. */
int ready_drop_seats(const struct record *lease, struct reason *why)
{
	autoobjects struct object_list objects = { 0 };
	int error = object_read_all(&objects, why);

	for (size_t i = 0; !error && i < objects.count; i++) {
		if (objects.object[i].seat && strcmp(objects.object[i].owner.lease, lease->lease) == 0)
			error = object_remove(&objects.object[i], why);
	}
	return error;
}

/*
 * ready_leases() - the leases of a guest as they are now
 * @uuid:	lower case
 * @list:	result, given back with record_list_release()
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int ready_leases(const char *uuid, struct record_list *list, struct reason *why)
{
	int error = state_upgrade(why);
	size_t kept = 0;

	*list = (struct record_list){ 0 };
	if (!error)
		error = record_read_all(list, why);
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->record[i].uuid, uuid) == 0)
			list->record[kept++] = list->record[i];
		else
			record_release(&list->record[i]);
	}
	list->count = kept;
	return error;
}

/* ---- PFs ------------------------------------------------------------------------------------------------------------------------- */

/*
 * pf_is_used() - whether a guest runs on a PF or is promised a VF of it. Other users of its VFs are looked for by the door.
 */
static bool pf_is_used(const struct scene *scene, const struct inventory_pf *pf)
{
	for (unsigned int i = 0; i < pf->num_vfs; i++) {
		if (status_find_device(&scene->running, &pf->vf[i].address))
			return true;
	}
	for (size_t i = 0; i < scene->objects.count; i++) {
		const struct object *object = &scene->objects.object[i];

		if (object_is_owned(object) && !object->owner.lapsed && pci_address_equal(&object->pf, &pf->address))
			return true;
	}
	return false;
}

/*
 * is_kept() - whether a PF is kept as it was made for the next guest: the link that the change of its mode took is awaited. Another change
 * would take it anew, and the next guest would meet the same.
 */
static bool is_kept(const struct object *object)
{
	int64_t since = clock_ms() - object->trains;

	return object->trains && since >= 0 && since < TRAIN_MS;
}

/*
 * ready_give_back_pf() - gives back what was made of a PF; see ready.h
 */
int ready_give_back_pf(const struct pci_address *address, const struct config *config, deadline_t deadline, struct reason *why)
{
	autodoor struct door door = { .context = { .config = config, .deadline = deadline } };
	autoclose int lock = record_lock(address, deadline_in(0), NULL);
	autoobject struct object object = { .pf = *address };
	autoscene struct scene scene = { 0 };
	struct inventory_pf *pf;
	int error = lock < 0 ? 0 : object_read(&object, why);

	if (error || !object.changes.count || is_kept(&object))
		return error;
	object.trains = 0;
	error = scene_read(&scene, config, deadline, why);
	if (error)
		return error;
	pf = inventory_find_pf(&scene.inventory, address);
	return !pf || pf_is_used(&scene, pf) ? 0 : converge_back(&door, &object, false, NULL, why);
}

/* ---- A guest that was seen ------------------------------------------------------------------------------------------------------- */

/*
 * settle_pf() - what was made of a PF stays
 * Return: 0, -EAGAIN if somebody is at work on it, negative errno
 */
static int settle_pf(const struct pci_address *pf, struct reason *why)
{
	autoobject struct object object = { .pf = *pf };
	autoclose int lock = -1;
	int error = object_read(&object, why);

	if (error || !object.changes.count)
		return error;
	lock = record_lock(pf, deadline_in(0), NULL);
	if (lock < 0)
		return -EAGAIN;
	steps_release(&object.changes);
	return object_write(&object, why);
}

/*
 * mark() - writes down that the guest of one object was seen
 * @runs:	it runs
 */
static int mark(const struct object *seen, const struct ready_choice *choice, bool runs, struct reason *why)
{
	autoobject struct object object = { .pf = seen->pf, .has_vf = seen->has_vf, .vf = seen->vf, .seat = seen->seat };
	autoclose int lock = -1;
	int error;

	memcpy(object.owner.lease, seen->owner.lease, sizeof(object.owner.lease));
	lock = record_lock_object(&object, deadline_in(COMMIT_WAIT_MS), why);
	error = lock < 0 ? lock : object_read(&object, why);
	if (error || !is_meant(choice, &object))
		return error;
	object.owner.came = true;
	object.owner.lapsed = false;
	object.owner.touched = clock_ms();
	if (runs)
		object.owner.state = RECORD_RUNNING;
	return object_write(&object, why);
}

/*
 * mark_all() - the same for all objects that are meant
 */
static int mark_all(const char *uuid, const char *lease, bool runs, struct reason *why)
{
	const struct ready_choice choice = { .uuid = uuid, .lease = lease };
	autoobjects struct object_list objects = { 0 };
	int error = object_read_all(&objects, why);

	for (size_t i = 0; runs && !error && i < objects.count; i++) {
		if (is_meant(&choice, &objects.object[i]))
			error = settle_pf(&objects.object[i].pf, why);
	}
	for (size_t i = 0; !error && i < objects.count; i++) {
		if (is_meant(&choice, &objects.object[i]))
			error = mark(&objects.object[i], &choice, runs, why);
	}
	return error == -EAGAIN ? 0 : error; /* whoever looks next finds it running */
}

/* See ready.h. */
int ready_came(const char *uuid, const char *lease, struct reason *why)
{
	return mark_all(uuid, lease, false, why);
}

/* See ready.h. */
int ready_commit(const char *uuid, const char *lease, struct reason *why)
{
	int error = mark_all(uuid, lease, true, why);
	struct guest_note note;

	if (error || guest_note_read(uuid, &note, NULL) || !note.is_arriving)
		return error;
	return guest_note_mark(uuid, false, why);
}
