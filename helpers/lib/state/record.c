/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * record.c: leases, put together from the objects that belong to them; and which guests are known here.
 */
#include "state/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sysroot.h"
#include "state/file.h"

#define NOTE_AGE_MS 60000 /* between the note of a guest and its first lease */

/*
 * record_is_uuid() - whether a uuid may be part of a file name
 */
bool record_is_uuid(const char *uuid)
{
	return strlen(uuid) == 36 && strspn(uuid, "0123456789abcdef-") == 36;
}

/*
 * find_lease() - the record of a lease in a list, which is begun if there is none
 * Return: the record, NULL without memory
 */
static struct record *find_lease(struct record_list *list, const struct owner *owner)
{
	struct record *more;

	for (size_t i = 0; i < list->count; i++) {
		struct record *record = &list->record[i];

		if (strcmp(record->lease, owner->lease) != 0)
			continue;
		record->came |= owner->came;
		record->lapsed &= owner->lapsed;
		if (owner->state == RECORD_RUNNING) /* the others are being attached to it */
			record->state = RECORD_RUNNING;
		return record;
	}
	more = realloc(list->record, (list->count + 1) * sizeof(*more));
	if (!more)
		return NULL;
	list->record = more;
	more = &more[list->count++];
	*more = (struct record){ .state = owner->state, .came = owner->came, .lapsed = owner->lapsed, .touched = owner->touched };
	memcpy(more->uuid, owner->uuid, sizeof(more->uuid));
	memcpy(more->name, owner->name, sizeof(more->name));
	memcpy(more->lease, owner->lease, sizeof(more->lease));
	return more;
}

/*
 * add_vf() - an object that belongs to a lease
 * Return: 0, -ENOMEM
 */
static int add_vf(struct record *record, const struct object *object)
{
	struct record_vf *more = realloc(record->vf, (record->vfs + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	record->vf = more;
	more = &more[record->vfs++];
	*more = (struct record_vf){ .pf = object->pf, .address = object->has_vf ? object->vf : object->pf, .index = object->index,
				    .mac = object->owner.mac };
	memcpy(more->bridge, object->owner.bridge, sizeof(more->bridge));
	record->changes += object->changes.count;
	record->unmade |= object->owner.unmade;
	if (object->owner.touched > record->touched)
		record->touched = object->owner.touched;
	return 0;
}

/*
 * by_place() - the order of a lease's VFs: directories are read in any
 */
static int by_place(const void *a, const void *b)
{
	const struct record_vf *x = a, *y = b;
	char left[PCI_ADDRESS_LEN], right[PCI_ADDRESS_LEN];

	return strcmp(pci_address_format(&x->address, left), pci_address_format(&y->address, right));
}

/*
 * record_from_objects() - the leases that objects belong to
 * @objects:	VFs and seats
 * @list:	result, given back with record_list_release()
 * @why:	filled on failure
 * Return: 0, -ENOMEM
 */
int record_from_objects(const struct object_list *objects, struct record_list *list, struct reason *why)
{
	*list = (struct record_list){ 0 };
	for (size_t i = 0; i < objects->count; i++) {
		struct record *record;

		if (!object_is_owned(&objects->object[i]))
			continue;
		record = find_lease(list, &objects->object[i].owner);
		if (record && !add_vf(record, &objects->object[i]))
			continue;
		record_list_release(list);
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	}
	for (size_t i = 0; i < list->count; i++)
		qsort(list->record[i].vf, list->record[i].vfs, sizeof(*list->record[i].vf), by_place);
	return 0;
}

/*
 * record_read_all() - all leases
 * @list:	result, given back with record_list_release()
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int record_read_all(struct record_list *list, struct reason *why)
{
	autoobjects struct object_list objects = { 0 };
	int error;

	*list = (struct record_list){ 0 };
	error = object_read_all(&objects, why);
	return error ? error : record_from_objects(&objects, list, why);
}

/*
 * join() - adds the VFs of one lease of a guest to another one's, whose words count if it is newer
 * Return: 0, -ENOMEM
 */
static int join(struct record *record, const struct record *other)
{
	struct record_vf *more = realloc(record->vf, (record->vfs + other->vfs) * sizeof(*more));
	size_t vfs = record->vfs + other->vfs;

	if (!more)
		return -ENOMEM;
	memcpy(more + record->vfs, other->vf, other->vfs * sizeof(*more));
	if (other->touched >= record->touched)
		*record = *other;
	record->vf = more;
	record->vfs = vfs;
	return 0;
}

/*
 * record_read() - what a guest has here, by all of its leases
 * @uuid:	lower case
 * @record:	result, given back with record_release()
 * @why:	filled on failure other than -ENOENT
 * Return: 0, -ENOENT, negative errno
 */
int record_read(const char *uuid, struct record *record, struct reason *why)
{
	struct record_list list = { 0 };
	int error = record_read_all(&list, why);

	*record = (struct record){ 0 };
	for (size_t i = 0; !error && i < list.count; i++) {
		if (strcmp(list.record[i].uuid, uuid) == 0 && join(record, &list.record[i]))
			error = reason_set(why, -ENOMEM, NULL, "out of memory");
	}
	record_list_release(&list);
	if (!error && *record->uuid)
		return 0;
	record_release(record);
	return error ? error : -ENOENT;
}

/*
 * record_release() - gives back a lease that was read
 */
void record_release(struct record *record)
{
	free(record->vf);
	record->vf = NULL;
	record->vfs = 0;
}

/*
 * record_list_release() - gives back what record_read_all() took
 */
void record_list_release(struct record_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		record_release(&list->record[i]);
	free(list->record);
	*list = (struct record_list){ 0 };
}

/* PFs that are listed. */
struct pf_list {
	struct pci_address *pf;
	size_t count, max;
};

/* list_pf() - one more of them. arg: struct pf_list */
static int list_pf(const char *name, void *arg, struct reason *why)
{
	struct pf_list *list = arg;

	(void)why;
	if (list->count < list->max && pci_address_parse(name, &list->pf[list->count]) == 0)
		list->count++;
	return 0;
}

/*
 * record_list_pfs() - which PFs have changes
 * @pf:		result
 * @max:	its entries; more are left out
 * @why:	filled on failure
 * Return: number of entries
 */
int record_list_pfs(struct pci_address *pf, size_t max, struct reason *why)
{
	struct pf_list list = { pf, 0, max };
	int error = file_each(STATE_DIRECTORY "/pfs", list_pf, &list, why);

	return error ? error : (int)list.count;
}

/*
 * record_find_vf() - who holds a VF
 * @list:	leases
 * @vf:		address
 * @except:	uuid of a guest that does not count, or NULL
 * Return: the lease, NULL if nobody
 */
const struct record *record_find_vf(const struct record_list *list, const struct pci_address *vf, const char *except)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct record *record = &list->record[i];

		if (except && strcmp(record->uuid, except) == 0)
			continue;
		for (size_t k = 0; k < record->vfs; k++) {
			if (pci_address_equal(&record->vf[k].address, vf))
				return record;
		}
	}
	return NULL;
}

/* See record.h. */
const struct record *record_find_uuid(const struct record_list *list, const char *uuid)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->record[i].uuid, uuid) == 0)
			return &list->record[i];
	}
	return NULL;
}

/*
 * note_path() - where it is kept that a guest is known
 */
static const char *note_path(const char *uuid, char *out, size_t size)
{
	snprintf(out, size, STATE_DIRECTORY "/guests/%s.json", uuid);
	return out;
}

/*
 * guest_note_write() - keeps that a guest is known here
 * @uuid:	lower case
 * @note:	what its leases cannot say
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int guest_note_write(const char *uuid, const struct guest_note *note, struct reason *why)
{
	autojson struct json_object *json = NULL;
	char path[96], address[PCI_ADDRESS_LEN];

	if (!record_is_uuid(uuid))
		return reason_set(why, -EINVAL, NULL, "the guest's uuid is not a uuid");
	note_path(uuid, path, sizeof(path));
	json = json_object_new_object();
	json_object_object_add(json, "version", json_object_new_int(2));
	json_object_object_add(json, "uuid", json_object_new_string(uuid));
	json_object_object_add(json, "since", json_object_new_int64(clock_ms()));
	if (note->is_arriving)
		json_object_object_add(json, "state", json_object_new_string("arriving"));
	if (note->is_lost) {
		json_object_object_add(json, "lost", json_object_new_string(pci_address_format(&note->lost, address)));
		json_object_object_add(json, "to", json_object_new_string(note->to));
	}
	return file_write(path, json, why);
}

/*
 * guest_note_read() - what is kept of a guest
 * @uuid:	lower case
 * @note:	result
 * @why:	filled on failure
 * Return: 0, -ENOENT if it is not known here, negative errno
 */
int guest_note_read(const char *uuid, struct guest_note *note, struct reason *why)
{
	autojson struct json_object *json = NULL;
	char path[96], address[PCI_ADDRESS_LEN], state[16];
	int error = record_is_uuid(uuid) ? file_read(note_path(uuid, path, sizeof(path)), &json, why) : -ENOENT;

	*note = (struct guest_note){ 0 };
	if (error == -EINVAL || (!error && !json_object_is_type(json, json_type_object))) {
		file_set_aside(path);
		return -ENOENT;
	}
	if (error)
		return error;
	note->is_arriving = !file_get_text(json, "state", state, sizeof(state)) && strcmp(state, "arriving") == 0;
	note->is_lost = !file_get_text(json, "lost", address, sizeof(address)) && !pci_address_parse(address, &note->lost) &&
			!file_get_text(json, "to", note->to, sizeof(note->to));
	return 0;
}

/*
 * guest_note_mark() - keeps that a guest is known here, and whether it is arriving
 * @uuid:	lower case
 * @is_arriving:	it comes by a migration and has not landed
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int guest_note_mark(const char *uuid, bool is_arriving, struct reason *why)
{
	struct guest_note note;
	int error = guest_note_read(uuid, &note, why);

	if (!error && note.is_arriving == is_arriving)
		return 0;
	if (error && error != -ENOENT)
		return error;
	note.is_arriving = is_arriving;
	return guest_note_write(uuid, &note, why);
}

/*
 * guest_note_forget() - a guest is known no more, if it has no lease left
 * @uuid:	lower case
 *
 * A lease is written after the note. Where both meet in time, the note may be missing beside a lease: the hook then looks at the guest's
 * XML alone, and the next call of any guest finds the lease.
 */
void guest_note_forget(const char *uuid)
{
	struct record_list list = { 0 };
	char path[96];

	if (record_is_uuid(uuid) && !record_read_all(&list, NULL) && !record_find_uuid(&list, uuid))
		(void)file_remove(note_path(uuid, path, sizeof(path)), NULL);
	record_list_release(&list);
}

/*
 * sweep_note() - forgets a guest that has had no lease for a while, and that need not be told anything
 * @arg:	struct record_list of all leases
 */
static int sweep_note(const char *name, void *arg, struct reason *why)
{
	autojson struct json_object *json = NULL;
	const struct record_list *list = arg;
	char path[96];

	(void)why;
	if (!record_is_uuid(name) || record_find_uuid(list, name) || file_read(note_path(name, path, sizeof(path)), &json, NULL) ||
	    json_object_object_get(json, "lost") || file_get_number(json, "version") != 2)
		return 0;
	if (clock_ms() - file_get_number(json, "since") > NOTE_AGE_MS || file_get_number(json, "since") > clock_ms())
		(void)file_remove(path, NULL);
	return 0;
}

/* See record.h. */
void guest_note_sweep(const struct record_list *list)
{
	struct record_list copy = *list;

	(void)file_each(STATE_DIRECTORY "/guests", sweep_note, &copy, NULL);
}
