/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * recorded.c: guests and leases of a recorded host.
 */
#include "command/recorded.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command/terminal.h"

#define MAX_GUESTS 4096
#define MAX_DEVICES 256 /* of one guest */

static const char *const jobs[] = { [STATUS_NO_JOB] = "", [STATUS_MIGRATION_IN] = "migration in", [STATUS_MIGRATION_OUT] = "migration out",
				    [STATUS_OTHER_JOB] = "other" };
static const char *const states[] = { [RECORD_ARRIVING] = "arriving", [RECORD_STARTING] = "starting", [RECORD_RUNNING] = "running" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- Writing ------------------------------------------------------------------------------------------------------------------- */

/* Adds a PCI address to an object. */
static void add_address(struct json_object *json, const char *key, const struct pci_address *address)
{
	char text[PCI_ADDRESS_LEN];

	terminal_add(json, key, pci_address_format(address, text));
}

/* Return: guests, as JSON. */
struct json_object *recorded_guests(const struct status_list *list)
{
	struct json_object *out = json_object_new_array();

	for (size_t i = 0; i < list->count; i++) {
		const struct status *status = &list->status[i];
		struct json_object *guest, *devices, *macs;

		guest = json_object_new_object();
		devices = json_object_new_array();
		macs = json_object_new_array();
		for (size_t k = 0; k < status->devices; k++) {
			char text[PCI_ADDRESS_LEN];

			json_object_array_add(devices, json_object_new_string(pci_address_format(&status->device[k], text)));
		}
		for (size_t k = 0; k < status->macs; k++) {
			char text[MAC_ADDRESS_LEN];

			json_object_array_add(macs, json_object_new_string(mac_address_format(&status->mac[k], text)));
		}
		terminal_add(guest, "uuid", status->uuid);
		terminal_add(guest, "name", status->name);
		terminal_add(guest, "job", jobs[status->job]);
		terminal_add(guest, "phase", status->phase);
		json_object_object_add(guest, "devices", devices);
		json_object_object_add(guest, "macs", macs);
		json_object_array_add(out, guest);
	}
	return out;
}

/* Return: leases as JSON. */
struct json_object *recorded_leases(const struct record_list *list)
{
	struct json_object *out = json_object_new_array();

	for (size_t i = 0; i < list->count; i++) {
		const struct record *record = &list->record[i];
		struct json_object *lease = json_object_new_object(), *vfs = json_object_new_array();

		for (size_t k = 0; k < record->vfs; k++) {
			struct json_object *vf = json_object_new_object();

			add_address(vf, "pf", &record->vf[k].pf);
			add_address(vf, "vf", &record->vf[k].address);
			json_object_array_add(vfs, vf);
		}
		terminal_add(lease, "uuid", record->uuid);
		terminal_add(lease, "name", record->name);
		terminal_add(lease, "state", states[record->state]);
		json_object_object_add(lease, "vfs", vfs);
		json_object_array_add(out, lease);
	}
	return out;
}

/* ---- Reading ------------------------------------------------------------------------------------------------------------------- */

/* Fails because a key has no acceptable value. Return: -EINVAL. */
static int refuse(const char *key, struct reason *why)
{
	return reason_set(why, -EINVAL, "inventory", "\"%s\" is not as 'vferry inventory' writes it", key);
}

/* Reads a text member; an absent one is "". Return: 0, -EINVAL with *why filled. */
static int read_text(struct json_object *json, const char *key, char *out, size_t size, struct reason *why)
{
	struct json_object *value;

	*out = '\0';
	if (!json_object_object_get_ex(json, key, &value))
		return 0;
	if (!json_object_is_type(value, json_type_string) || strlen(json_object_get_string(value)) >= size)
		return refuse(key, why);
	reason_clean(out, size, json_object_get_string(value));
	return 0;
}

/* Reads a PCI address. Return: 0, -EINVAL with *why filled. */
static int read_address(struct json_object *value, struct pci_address *out, const char *key, struct reason *why)
{
	if (!json_object_is_type(value, json_type_string) || pci_address_parse(json_object_get_string(value), out))
		return refuse(key, why);
	return 0;
}

/* Reads a word of a list of words. Return: its number, 0 for one that is not known. */
static int read_word(struct json_object *json, const char *key, const char *const *words, size_t count)
{
	const char *word = json_object_get_string(json_object_object_get(json, key));

	for (size_t i = 0; word && i < count; i++) {
		if (strcmp(word, words[i]) == 0)
			return (int)i;
	}
	return 0;
}

/* Whether JSON is a list of at most max elements. */
static bool is_list(struct json_object *json, size_t max)
{
	return json_object_is_type(json, json_type_array) && json_object_array_length(json) <= max;
}

/* Reads the devices of a guest. Return: 0, negative errno with *why filled. */
static int read_devices(struct json_object *list, struct status *status, struct reason *why)
{
	int error = 0;

	if (!is_list(list, MAX_DEVICES))
		return refuse("devices", why);
	status->device = calloc(json_object_array_length(list) + 1, sizeof(*status->device));
	if (!status->device)
		return reason_set(why, -ENOMEM, "inventory", "out of memory");
	for (size_t i = 0; !error && i < json_object_array_length(list); i++)
		error = read_address(json_object_array_get_idx(list, i), &status->device[status->devices++], "devices", why);
	return error;
}

/* Reads the MACs of a guest, which a record may lack. Return: 0, negative errno with *why filled. */
static int read_macs(struct json_object *list, struct status *status, struct reason *why)
{
	if (!list)
		return 0;
	if (!is_list(list, MAX_DEVICES))
		return refuse("macs", why);
	status->mac = calloc(json_object_array_length(list) + 1, sizeof(*status->mac));
	if (!status->mac)
		return reason_set(why, -ENOMEM, "inventory", "out of memory");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(list, i));

		if (!text || mac_address_parse(text, &status->mac[status->macs++]))
			return refuse("macs", why);
	}
	return 0;
}

/* Reads one guest. Return: 0, negative errno with *why filled. */
static int read_guest(struct json_object *json, struct status *status, struct reason *why)
{
	int error = json_object_is_type(json, json_type_object) ? 0 : refuse("guests", why);

	if (!error)
		error = read_text(json, "uuid", status->uuid, sizeof(status->uuid), why);
	if (!error)
		error = read_text(json, "name", status->name, sizeof(status->name), why);
	if (!error)
		error = read_text(json, "phase", status->phase, sizeof(status->phase), why);
	if (error)
		return error;
	status->job = (enum status_job)read_word(json, "job", jobs, COUNT(jobs));
	error = read_devices(json_object_object_get(json, "devices"), status, why);
	return error ? error : read_macs(json_object_object_get(json, "macs"), status, why);
}

/* Reads guests; what was read before a failure belongs to *list. Return: 0, negative errno with *why filled. */
int recorded_read_guests(struct json_object *json, struct status_list *list, struct reason *why)
{
	int error = 0;

	if (!json)
		return 0;
	if (!is_list(json, MAX_GUESTS))
		return refuse("guests", why);
	list->status = calloc(json_object_array_length(json) + 1, sizeof(*list->status));
	if (!list->status)
		return reason_set(why, -ENOMEM, "inventory", "out of memory");
	for (size_t i = 0; !error && i < json_object_array_length(json); i++)
		error = read_guest(json_object_array_get_idx(json, i), &list->status[list->count++], why);
	return error;
}

/* Reads one lease. Return: 0, negative errno with *why filled. */
static int read_lease(struct json_object *json, struct record *record, struct reason *why)
{
	struct json_object *vfs = json_object_is_type(json, json_type_object) ? json_object_object_get(json, "vfs") : NULL;
	int error = is_list(vfs, RECORD_MAX_VFS) ? 0 : refuse("leases", why);

	if (!error)
		error = read_text(json, "uuid", record->uuid, sizeof(record->uuid), why);
	if (!error)
		error = read_text(json, "name", record->name, sizeof(record->name), why);
	if (error)
		return error;
	record->vf = calloc(json_object_array_length(vfs) + 1, sizeof(*record->vf));
	if (!record->vf)
		return reason_set(why, -ENOMEM, "inventory", "out of memory");
	record->state = (enum record_state)read_word(json, "state", states, COUNT(states));
	for (size_t i = 0; !error && i < json_object_array_length(vfs); i++) {
		struct json_object *vf = json_object_array_get_idx(vfs, i);
		struct record_vf *out = &record->vf[record->vfs++];

		if (!json_object_is_type(vf, json_type_object))
			return refuse("leases", why);
		error = read_address(json_object_object_get(vf, "pf"), &out->pf, "pf", why);
		if (!error)
			error = read_address(json_object_object_get(vf, "vf"), &out->address, "vf", why);
	}
	return error;
}

/* Reads leases; what was read before a failure belongs to *list. Return: 0, negative errno with *why filled. */
int recorded_read_leases(struct json_object *json, struct record_list *list, struct reason *why)
{
	int error = 0;

	if (!json)
		return 0;
	if (!is_list(json, MAX_GUESTS))
		return refuse("leases", why);
	list->record = calloc(json_object_array_length(json) + 1, sizeof(*list->record));
	if (!list->record)
		return reason_set(why, -ENOMEM, "inventory", "out of memory");
	for (size_t i = 0; !error && i < json_object_array_length(json); i++)
		error = read_lease(json_object_array_get_idx(json, i), &list->record[list->count++], why);
	return error;
}
