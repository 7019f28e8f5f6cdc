/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * object.c: the objects of this host as JSON files below /run/vferry. See object.h.
 */
#include "state/object.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "state/file.h"
#include "state/record.h"

#define FORM 2 /* 1: by guest, of vferry 0.1.0 (state/upgrade.c) */
#define PATH_LENGTH 160

static const char *const states[] = { [RECORD_ARRIVING] = "arriving", [RECORD_STARTING] = "starting", [RECORD_RUNNING] = "running" };

/*
 * object_new_lease() - an identity for a lease
 * @out:	STEP_LEASE_MAX bytes
 * Return: out
 */
char *object_new_lease(char *out)
{
	uint64_t number = 0;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != (ssize_t)sizeof(number)) /* early at boot */
		number = ((uint64_t)clock_ms() << 22) ^ (uint64_t)getpid();
	snprintf(out, STEP_LEASE_MAX, "%016llx", (unsigned long long)number);
	return out;
}

/* See object.h. */
bool object_is_owned(const struct object *object)
{
	return *object->owner.lease != '\0';
}

/*
 * path_of() - where the file of an object is
 * Return: out
 */
static const char *path_of(const struct object *object, char *out)
{
	char address[PCI_ADDRESS_LEN];

	pci_address_format(object->has_vf ? &object->vf : &object->pf, address);
	if (object->seat)
		snprintf(out, PATH_LENGTH, STATE_DIRECTORY "/vfs/pool-%s-%s-%u.json", address, object->owner.lease, object->seat);
	else
		snprintf(out, PATH_LENGTH, STATE_DIRECTORY "/%s/%s.json", object->has_vf ? "vfs" : "pfs", address);
	return out;
}

/*
 * owner_to_json() - an owner
 */
static struct json_object *owner_to_json(const struct owner *owner)
{
	struct json_object *json = json_object_new_object();
	char mac[MAC_ADDRESS_LEN];

	json_object_object_add(json, "lease", json_object_new_string(owner->lease));
	json_object_object_add(json, "uuid", json_object_new_string(owner->uuid));
	json_object_object_add(json, "name", json_object_new_string(owner->name));
	json_object_object_add(json, "state", json_object_new_string(states[owner->state]));
	json_object_object_add(json, "came", json_object_new_boolean(owner->came));
	json_object_object_add(json, "lapsed", json_object_new_boolean(owner->lapsed));
	if (owner->unmade) /* one that was written by an older vferry is made */
		json_object_object_add(json, "unmade", json_object_new_boolean(true));
	if (owner->waited)
		json_object_object_add(json, "waited", json_object_new_boolean(true));
	if (owner->cleared)
		json_object_object_add(json, "cleared", json_object_new_int64(owner->cleared));
	json_object_object_add(json, "touched", json_object_new_int64(owner->touched));
	json_object_object_add(json, "mac", json_object_new_string(mac_address_format(&owner->mac, mac)));
	json_object_object_add(json, "bridge", json_object_new_string(owner->bridge));
	return json;
}

/*
 * is_word() - whether a text is one that may be part of a file's name
 */
static bool is_word(const char *text)
{
	return *text && strspn(text, "0123456789abcdef-") == strlen(text);
}

/*
 * owner_from_json() - and back; none is nobody
 * Return: 0, -EINVAL
 */
static int owner_from_json(struct json_object *json, struct owner *owner)
{
	char state[16], mac[MAC_ADDRESS_LEN];
	size_t i = 0;

	*owner = (struct owner){ 0 };
	if (!json)
		return 0;
	if (!json_object_is_type(json, json_type_object) || file_get_text(json, "lease", owner->lease, sizeof(owner->lease)) ||
	    file_get_text(json, "uuid", owner->uuid, sizeof(owner->uuid)) || file_get_text(json, "name", owner->name, sizeof(owner->name)) ||
	    file_get_text(json, "state", state, sizeof(state)) || file_get_text(json, "mac", mac, sizeof(mac)) ||
	    file_get_text(json, "bridge", owner->bridge, sizeof(owner->bridge)) || mac_address_parse(mac, &owner->mac))
		return -EINVAL;
	while (i < sizeof(states) / sizeof(states[0]) && strcmp(state, states[i]) != 0)
		i++;
	if (i == sizeof(states) / sizeof(states[0]) || !is_word(owner->lease) || !record_is_uuid(owner->uuid))
		return -EINVAL;
	owner->state = (enum record_state)i;
	owner->came = json_object_get_boolean(json_object_object_get(json, "came"));
	owner->lapsed = json_object_get_boolean(json_object_object_get(json, "lapsed"));
	owner->unmade = json_object_get_boolean(json_object_object_get(json, "unmade"));
	owner->waited = json_object_get_boolean(json_object_object_get(json, "waited"));
	owner->cleared = (unsigned int)json_object_get_int64(json_object_object_get(json, "cleared"));
	owner->touched = file_get_number(json, "touched");
	return 0;
}

/*
 * changes_from_json() - a list of steps
 * Return: 0, -EINVAL
 */
static int changes_from_json(struct json_object *json, struct steps *changes)
{
	if (!json_object_is_type(json, json_type_array))
		return -EINVAL;
	for (size_t i = 0; i < json_object_array_length(json); i++) {
		struct step step;

		if (step_from_json(json_object_array_get_idx(json, i), &step) || steps_add(changes, &step))
			return -EINVAL;
	}
	return 0;
}

/*
 * object_from_json() - what a file says of its object
 * @object:	its name is set
 * Return: 0, -EINVAL
 *
 * The file of a PF of vferry 0.1.0 is the list of its changes alone.
 */
static int object_from_json(struct json_object *json, struct object *object)
{
	char pf[PCI_ADDRESS_LEN];
	int64_t index;

	if (!object->has_vf && !object->seat && json_object_is_type(json, json_type_array))
		return changes_from_json(json, &object->changes);
	if (!json_object_is_type(json, json_type_object) || file_get_number(json, "version") != FORM)
		return -EINVAL;
	index = file_get_number(json, "index");
	if (file_get_text(json, "pf", pf, sizeof(pf)) || pci_address_parse(pf, &object->pf) || index < 0 || index > UINT16_MAX)
		return -EINVAL;
	object->index = (unsigned int)index;
	object->trains = json_object_get_int64(json_object_object_get(json, "trains"));
	if (owner_from_json(json_object_object_get(json, "owner"), &object->owner))
		return -EINVAL;
	return changes_from_json(json_object_object_get(json, "changes"), &object->changes);
}

/*
 * object_read() - what the file of an object says
 * @object:	pf and vf, or pf, seat and owner.lease are set; the rest is replaced
 * @why:	filled on failure
 * Return: 0 (also if there is none, or only one that does not parse, which is set aside), negative errno
 */
int object_read(struct object *object, struct reason *why)
{
	autojson struct json_object *json = NULL;
	struct object name = *object;
	char path[PATH_LENGTH];
	int error = file_read(path_of(object, path), &json, why);

	steps_release(&object->changes);
	*object = (struct object){ .pf = name.pf, .has_vf = name.has_vf, .vf = name.vf, .index = name.index, .seat = name.seat };
	if (!error)
		error = object_from_json(json, object);
	if (error == -EINVAL) {
		steps_release(&object->changes);
		object->owner = (struct owner){ 0 };
		file_set_aside(path);
	}
	return error == -EINVAL || error == -ENOENT ? 0 : error;
}

/*
 * object_write() - writes an object, or removes its file
 * @object:	object
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int object_write(const struct object *object, struct reason *why)
{
	autojson struct json_object *json = NULL;
	struct json_object *changes;
	char path[PATH_LENGTH], address[PCI_ADDRESS_LEN];

	path_of(object, path);
	if (!object_is_owned(object) && !object->changes.count)
		return file_remove(path, why);
	json = json_object_new_object();
	changes = json_object_new_array();
	json_object_object_add(json, "version", json_object_new_int(FORM));
	json_object_object_add(json, "pf", json_object_new_string(pci_address_format(&object->pf, address)));
	if (object->has_vf) {
		json_object_object_add(json, "address", json_object_new_string(pci_address_format(&object->vf, address)));
		json_object_object_add(json, "index", json_object_new_int64(object->index));
	}
	if (object_is_owned(object))
		json_object_object_add(json, "owner", owner_to_json(&object->owner));
	if (object->trains)
		json_object_object_add(json, "trains", json_object_new_int64(object->trains));
	for (size_t i = 0; i < object->changes.count; i++)
		json_object_array_add(changes, step_to_json(&object->changes.step[i]));
	json_object_object_add(json, "changes", changes);
	return file_write(path, json, why);
}

/* See object.h. */
int object_remove(const struct object *object, struct reason *why)
{
	char path[PATH_LENGTH];

	return file_remove(path_of(object, path), why);
}

/*
 * name_seat() - takes a seat's file name apart: "pool-BDF-LEASE-N"
 * Return: 0, -EINVAL
 */
static int name_seat(const char *name, struct object *object)
{
	char address[PCI_ADDRESS_LEN], lease[STEP_LEASE_MAX], seat[8];

	if (sscanf(name, "pool-%12[0-9a-f:.]-%16[0-9a-f]-%7[0-9]", address, lease, seat) != 3)
		return -EINVAL;
	object->seat = (unsigned int)strtoul(seat, NULL, 10);
	if (!object->seat)
		return -EINVAL;
	memcpy(object->owner.lease, lease, sizeof(lease));
	return pci_address_parse(address, &object->pf);
}

/*
 * add_object() - one more object for a list
 * @name:	of its file
 * @arg:	struct object_list
 * Return: 0, -ENOMEM, negative errno
 */
static int add_object(const char *name, void *arg, struct reason *why)
{
	struct object object = { 0 }, *more;
	struct object_list *list = arg;
	int error;

	object.has_vf = strncmp(name, "pool-", 5) != 0;
	if (object.has_vf ? pci_address_parse(name, &object.vf) : name_seat(name, &object))
		return 0;
	error = object_read(&object, why);
	if (error || (!object_is_owned(&object) && !object.changes.count))
		return error;
	more = realloc(list->object, (list->count + 1) * sizeof(*more));
	if (!more) {
		object_release(&object);
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	}
	list->object = more;
	list->object[list->count++] = object;
	return 0;
}

/*
 * object_read_all() - all VFs and seats of which something is known
 * @list:	result, given back with object_list_release()
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int object_read_all(struct object_list *list, struct reason *why)
{
	int error;

	*list = (struct object_list){ 0 };
	error = file_each(STATE_DIRECTORY "/vfs", add_object, list, why);
	if (error)
		object_list_release(list);
	return error;
}

/*
 * object_list_release() - gives back what object_read_all() took
 */
void object_list_release(struct object_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		object_release(&list->object[i]);
	free(list->object);
	*list = (struct object_list){ 0 };
}

/*
 * object_note() - writes a step down that is about to be made; the file is not written
 * @object:	its changes
 * @step:	looked at: "before" is what is there
 * Return: 1 if that is new, 0, -ENOMEM, -E2BIG
 */
int object_note(struct object *object, const struct step *step)
{
	int error;

	for (size_t i = 0; i < object->changes.count; i++) {
		struct step *old = &object->changes.step[i];
		struct step made = *step;

		if (!step_is_same(old, step))
			continue;
		made.before = old->before;
		made.before_mac = old->before_mac;
		memcpy(made.before_text, old->before_text, sizeof(made.before_text));
		*old = made;
		return 1;
	}
	error = steps_add(&object->changes, step);
	return error ? error : 1;
}

/*
 * object_release() - gives back what an object holds; its name stays
 */
void object_release(struct object *object)
{
	steps_release(&object->changes);
}
