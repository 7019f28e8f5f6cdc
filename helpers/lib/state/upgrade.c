/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * upgrade.c: what vferry 0.1.0 left in /run/vferry, read once: there a record belonged to a guest, guests/UUID.json, and held its VFs and a
 * journal of steps. The files of PFs are read in both forms by state/object.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/sysroot.h"
#include "state/file.h"
#include "state/record.h"

#define UPGRADE_WAIT_MS 3000 /* for one that is at it */
#define FORM_FILE STATE_DIRECTORY "/form" /* that it was done */

/*
 * old_owner() - the lease of a guest of the old form
 * Return: 0, -EINVAL
 */
static int old_owner(struct json_object *json, struct owner *owner)
{
	static const char *const states[] = { [RECORD_ARRIVING] = "arriving", [RECORD_STARTING] = "starting", [RECORD_RUNNING] = "running" };
	char state[16];
	size_t i = 0;

	*owner = (struct owner){ .came = true };
	if (file_get_text(json, "uuid", owner->uuid, sizeof(owner->uuid)) || !record_is_uuid(owner->uuid) ||
	    file_get_text(json, "name", owner->name, sizeof(owner->name)) || file_get_text(json, "state", state, sizeof(state)))
		return -EINVAL;
	while (i < sizeof(states) / sizeof(states[0]) && strcmp(state, states[i]) != 0)
		i++;
	if (i == sizeof(states) / sizeof(states[0]))
		return -EINVAL;
	owner->state = (enum record_state)i;
	owner->touched = file_get_number(json, "touched");
	object_new_lease(owner->lease);
	return 0;
}

/*
 * old_changes() - the steps of a journal of the old form that concern one VF
 * @object:	VF
 */
static void old_changes(struct json_object *journal, struct object *object)
{
	for (size_t i = 0; json_object_is_type(journal, json_type_array) && i < json_object_array_length(journal); i++) {
		struct step step;

		if (step_from_json(json_object_array_get_idx(journal, i), &step) || !step.has_vf || !pci_address_equal(&step.vf, &object->vf))
			continue;
		if (step.kind == STEP_PORT)
			step.number = 1;
		(void)steps_add(&object->changes, &step);
	}
}

/*
 * old_vf() - one VF of a record of the old form, written as an object; one that has an owner already stays as it is
 * @seat:	counts those of a pool
 * Return: 0, -EINVAL, negative errno
 */
static int old_vf(struct json_object *json, const struct owner *owner, struct json_object *journal, unsigned int *seat, struct reason *why)
{
	autoobject struct object object = { .has_vf = true };
	char pf[PCI_ADDRESS_LEN], address[PCI_ADDRESS_LEN], mac[MAC_ADDRESS_LEN];
	int64_t index = file_get_number(json, "index");
	int error;

	if (file_get_text(json, "pf", pf, sizeof(pf)) || file_get_text(json, "address", address, sizeof(address)) ||
	    pci_address_parse(pf, &object.pf) || pci_address_parse(address, &object.vf) || index < 0 || index > UINT16_MAX)
		return -EINVAL;
	object.has_vf = !pci_address_equal(&object.pf, &object.vf);
	object.seat = object.has_vf ? 0 : ++*seat;
	object.owner = *owner;
	error = object.has_vf ? object_read(&object, why) : 0;
	if (error || (object.has_vf && object_is_owned(&object)))
		return error;
	object.owner = *owner;
	object.index = (unsigned int)index;
	if (file_get_text(json, "mac", mac, sizeof(mac)) || mac_address_parse(mac, &object.owner.mac) ||
	    file_get_text(json, "bridge", object.owner.bridge, sizeof(object.owner.bridge)))
		return -EINVAL;
	if (object.has_vf)
		old_changes(journal, &object);
	return object_write(&object, why);
}

/*
 * upgrade_guest() - one record of the old form. What does not parse is set aside.
 * Return: 0, negative errno
 */
static int upgrade_guest(const char *name, void *arg, struct reason *why)
{
	autojson struct json_object *json = NULL;
	struct json_object *vfs, *journal;
	struct owner owner;
	unsigned int seat = 0;
	char path[256];
	int error;

	(void)arg;
	if (!record_is_uuid(name))
		return 0;
	snprintf(path, sizeof(path), STATE_DIRECTORY "/guests/%s.json", name);
	error = file_read(path, &json, why);
	if (!error && json_object_is_type(json, json_type_object) && file_get_number(json, "version") != 1)
		return 0;
	vfs = error ? NULL : json_object_object_get(json, "vfs");
	journal = error ? NULL : json_object_object_get(json, "journal");
	if (!error)
		error = json_object_is_type(vfs, json_type_array) ? old_owner(json, &owner) : -EINVAL;
	for (size_t i = 0; !error && i < json_object_array_length(vfs); i++)
		error = old_vf(json_object_array_get_idx(vfs, i), &owner, journal, &seat, why);
	if (error == -EINVAL)
		file_set_aside(path);
	if (error)
		return error == -EINVAL || error == -ENOENT ? 0 : error;
	return guest_note_write(name, &(struct guest_note){ .is_arriving = owner.state == RECORD_ARRIVING }, why);
}

/*
 * state_upgrade() - reads what an older vferry left; see record.h
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int state_upgrade(struct reason *why)
{
	autoclose int lock = -1;
	int error;

	if (sysroot_exists(FORM_FILE))
		return 0;
	error = record_make_directories(why);
	if (error)
		return error;
	lock = record_lock(NULL, deadline_in(UPGRADE_WAIT_MS), why);
	if (lock < 0)
		return lock;
	error = file_each(STATE_DIRECTORY "/guests", upgrade_guest, NULL, why);
	return error ? error : sysroot_replace("2\n", 2, "%s", FORM_FILE);
}
