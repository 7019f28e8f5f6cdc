/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * record.c: leases and journals as JSON files below /run/vferry.
 */
#include "state/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/sysroot.h"

#define STATE_FILE_MAX (1u << 20)

static const char *const state_names[] = { [RECORD_ARRIVING] = "arriving", [RECORD_STARTING] = "starting", [RECORD_RUNNING] = "running" };

static void scope_json(struct json_object **json)
{
	json_object_put(*json);
}
#define autojson __attribute__((cleanup(scope_json)))

/*
 * uuid_is_safe() - whether a uuid may be part of a file name
 */
static bool uuid_is_safe(const char *uuid)
{
	return strlen(uuid) == 36 && strspn(uuid, "0123456789abcdef-") == 36;
}

/*
 * journal_to_json() - a list of steps
 */
static struct json_object *journal_to_json(const struct steps *journal)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < journal->count; i++)
		json_object_array_add(array, step_to_json(&journal->step[i]));
	return array;
}

/*
 * journal_from_json() - and back
 * Return: 0, -EINVAL
 */
static int journal_from_json(struct json_object *json, struct steps *journal)
{
	journal->count = 0;
	if (!json_object_is_type(json, json_type_array))
		return -EINVAL;
	for (size_t i = 0; i < json_object_array_length(json); i++) {
		struct step step;

		if (step_from_json(json_object_array_get_idx(json, i), &step) || steps_add(journal, &step))
			return -EINVAL;
	}
	return 0;
}

/*
 * vf_to_json() - one VF of a lease
 */
static struct json_object *vf_to_json(const struct record_vf *vf)
{
	struct json_object *json = json_object_new_object();
	char text[32];

	json_object_object_add(json, "pf", json_object_new_string(pci_address_format(&vf->pf, text)));
	json_object_object_add(json, "address", json_object_new_string(pci_address_format(&vf->address, text)));
	json_object_object_add(json, "index", json_object_new_int64(vf->index));
	json_object_object_add(json, "mac", json_object_new_string(mac_address_format(&vf->mac, text)));
	json_object_object_add(json, "bridge", json_object_new_string(vf->bridge));
	return json;
}

/*
 * member() - a member of a JSON object as text, "" if absent or no string
 */
static const char *member(struct json_object *json, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(json, key, &value) || !json_object_is_type(value, json_type_string))
		return "";
	return json_object_get_string(value);
}

/*
 * member_number() - a member as a number, 0 if absent
 */
static int64_t member_number(struct json_object *json, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(json, key, &value) ? json_object_get_int64(value) : 0;
}

/*
 * vf_from_json() - and back
 */
static int vf_from_json(struct json_object *json, struct record_vf *vf)
{
	const char *bridge = member(json, "bridge");
	int64_t index = member_number(json, "index");

	if (pci_address_parse(member(json, "pf"), &vf->pf) || pci_address_parse(member(json, "address"), &vf->address) ||
	    mac_address_parse(member(json, "mac"), &vf->mac) || strlen(bridge) >= sizeof(vf->bridge) || index < 0 || index > UINT32_MAX)
		return -EINVAL;
	vf->index = (unsigned int)index;
	memcpy(vf->bridge, bridge, strlen(bridge) + 1);
	return 0;
}

/*
 * record_from_json() - a record from the text of its file
 * Return: 0, -EINVAL
 */
static int record_from_json(struct json_object *json, struct record *record)
{
	struct json_object *vfs, *journal;
	size_t i, n;

	memset(record, 0, offsetof(struct record, journal));
	if (!json_object_is_type(json, json_type_object) || !uuid_is_safe(member(json, "uuid")))
		return -EINVAL;
	snprintf(record->uuid, sizeof(record->uuid), "%s", member(json, "uuid"));
	snprintf(record->name, sizeof(record->name), "%s", member(json, "name"));
	record->touched = member_number(json, "touched");
	for (i = 0; i < sizeof(state_names) / sizeof(state_names[0]); i++) {
		if (strcmp(member(json, "state"), state_names[i]) == 0)
			break;
	}
	if (i == sizeof(state_names) / sizeof(state_names[0]))
		return -EINVAL;
	record->state = (enum record_state)i;
	if (!json_object_object_get_ex(json, "vfs", &vfs) || !json_object_is_type(vfs, json_type_array) ||
	    !json_object_object_get_ex(json, "journal", &journal) || journal_from_json(journal, &record->journal))
		return -EINVAL;
	n = json_object_array_length(vfs);
	if (n > RECORD_MAX_VFS)
		return -EINVAL;
	for (i = 0; i < n; i++) {
		if (vf_from_json(json_object_array_get_idx(vfs, i), &record->vf[i]))
			return -EINVAL;
	}
	record->vfs = n;
	return 0;
}

/*
 * read_json() - the JSON of a state file
 * Return: 0, -ENOENT, -EINVAL for what does not parse or is no file of ours, negative errno
 */
static int read_json(const char *path, struct json_object **json, struct reason *why)
{
	autofree char *text = NULL;
	ssize_t len = sysroot_slurp_checked(&text, STATE_FILE_MAX, SLURP_OWNED | SLURP_NO_LINK, "%s", path);

	if (len == -ENOENT)
		return -ENOENT;
	if (len == -ELOOP || len == -EPERM || len == -EFBIG) /* a link, somebody else's, or no file of ours by its size: not one that we wrote */
		len = -EINVAL;
	if (len < 0)
		return reason_set(why, (int)len, path, "cannot read: %s", strerror((int)-len));
	*json = json_tokener_parse(text);
	return *json ? 0 : reason_set(why, -EINVAL, path, "the file is not JSON");
}

/*
 * set_aside() - moves a file that does not parse out of the way, once; a newer one replaces an older
 */
static void set_aside(const char *path)
{
	char from[256], to[272];

	if (sysroot_path(from, sizeof(from), "%s", path))
		return;
	snprintf(to, sizeof(to), "%s.bad", from);
	(void)rename(from, to);
}

/*
 * record_read() - the record of a guest
 * @uuid:	lower case
 * @record:	result
 * @why:	filled on failure other than -ENOENT
 * Return: 0, -ENOENT if there is none (or only one that did not parse, which is set aside), negative errno
 */
int record_read(const char *uuid, struct record *record, struct reason *why)
{
	autojson struct json_object *json = NULL;
	char path[128];
	int error;

	if (!uuid_is_safe(uuid))
		return -ENOENT;
	snprintf(path, sizeof(path), STATE_DIRECTORY "/guests/%s.json", uuid);
	error = read_json(path, &json, why);
	if (!error)
		error = record_from_json(json, record);
	if (error == -EINVAL) {
		set_aside(path);
		return -ENOENT;
	}
	return error;
}

/*
 * write_json() - replaces a state file
 */
static int write_json(const char *path, struct json_object *json, struct reason *why)
{
	const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY);
	int error = record_make_directories(why);

	if (error)
		return error;
	error = sysroot_replace(text, strlen(text), "%s", path);
	if (error) {
		reason_set(why, error, path, "cannot write the journal: %s", strerror(-error));
		reason_cure(why, "see that /run is writable and has space");
	}
	return error;
}

/*
 * record_write() - writes the record of a guest
 * @record:	record, with a uuid
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int record_write(const struct record *record, struct reason *why)
{
	autojson struct json_object *json = json_object_new_object();
	struct json_object *vfs = json_object_new_array();
	char path[128];

	if (!uuid_is_safe(record->uuid))
		return reason_set(why, -EINVAL, NULL, "the guest's uuid is not a uuid");
	json_object_object_add(json, "version", json_object_new_int(1));
	json_object_object_add(json, "uuid", json_object_new_string(record->uuid));
	json_object_object_add(json, "name", json_object_new_string(record->name));
	json_object_object_add(json, "state", json_object_new_string(state_names[record->state]));
	json_object_object_add(json, "touched", json_object_new_int64(record->touched));
	for (size_t i = 0; i < record->vfs; i++)
		json_object_array_add(vfs, vf_to_json(&record->vf[i]));
	json_object_object_add(json, "vfs", vfs);
	json_object_object_add(json, "journal", journal_to_json(&record->journal));
	snprintf(path, sizeof(path), STATE_DIRECTORY "/guests/%s.json", record->uuid);
	return write_json(path, json, why);
}

/*
 * remove_file() - removes a state file; one that is not there is removed already
 */
static int remove_file(const char *path, struct reason *why)
{
	char full[256];

	if (sysroot_path(full, sizeof(full), "%s", path))
		return -ENAMETOOLONG;
	if (unlink(full) && errno != ENOENT)
		return reason_set(why, -errno, path, "cannot remove: %s", strerror(errno));
	return 0;
}

/*
 * record_remove() - forgets a guest
 * @uuid:	lower case
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int record_remove(const char *uuid, struct reason *why)
{
	char path[128];

	if (!uuid_is_safe(uuid))
		return 0;
	snprintf(path, sizeof(path), STATE_DIRECTORY "/guests/%s.json", uuid);
	return remove_file(path, why);
}

/*
 * add_record() - reads one more guest into a list
 * Return: 0 (also when the file is gone or does not parse), -ENOMEM, negative errno
 */
static int add_record(struct record_list *list, const char *file, struct reason *why)
{
	struct record *more;
	char uuid[40];
	int error;

	if (strlen(file) != 41 || strcmp(file + 36, ".json"))
		return 0;
	snprintf(uuid, sizeof(uuid), "%.36s", file);
	more = realloc(list->record, (list->count + 1) * sizeof(*more));
	if (!more)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	list->record = more;
	error = record_read(uuid, &list->record[list->count], why);
	if (!error)
		list->count++;
	return error == -ENOENT ? 0 : error;
}

/*
 * record_read_all() - the records of all guests
 * @list:	result, given back with record_list_release()
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int record_read_all(struct record_list *list, struct reason *why)
{
	autoclosedir DIR *dir = sysroot_opendir(STATE_DIRECTORY "/guests");
	struct dirent *entry;
	int error = 0;

	*list = (struct record_list){ 0 };
	while (dir && !error && (entry = readdir(dir)))
		error = add_record(list, entry->d_name, why);
	if (error)
		record_list_release(list);
	return error;
}

/*
 * record_list_release() - gives back what record_read_all() took
 */
void record_list_release(struct record_list *list)
{
	free(list->record);
	*list = (struct record_list){ 0 };
}

/*
 * record_read_pf() - the journal of a PF
 * @pf:		address
 * @journal:	result, empty if there is no file or one that does not parse
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int record_read_pf(const struct pci_address *pf, struct steps *journal, struct reason *why)
{
	autojson struct json_object *json = NULL;
	char path[128], address[PCI_ADDRESS_LEN];
	int error;

	journal->count = 0;
	snprintf(path, sizeof(path), STATE_DIRECTORY "/pfs/%s.json", pci_address_format(pf, address));
	error = read_json(path, &json, why);
	if (!error)
		error = journal_from_json(json, journal);
	if (error == -EINVAL) {
		set_aside(path);
		journal->count = 0;
		return 0;
	}
	return error == -ENOENT ? 0 : error;
}

/*
 * record_write_pf() - writes the journal of a PF, or removes it when it is empty
 * @pf:		address
 * @journal:	steps
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int record_write_pf(const struct pci_address *pf, const struct steps *journal, struct reason *why)
{
	autojson struct json_object *json = NULL;
	char path[128], address[PCI_ADDRESS_LEN];

	snprintf(path, sizeof(path), STATE_DIRECTORY "/pfs/%s.json", pci_address_format(pf, address));
	if (!journal->count)
		return remove_file(path, why);
	json = journal_to_json(journal);
	return write_json(path, json, why);
}

/*
 * record_list_pfs() - which PFs have a journal
 * @pf:		result
 * @max:	its entries; more are left out
 * @why:	filled on failure
 * Return: number of entries
 */
int record_list_pfs(struct pci_address *pf, size_t max, struct reason *why)
{
	autoclosedir DIR *dir = sysroot_opendir(STATE_DIRECTORY "/pfs");
	struct dirent *entry;
	size_t n = 0;

	(void)why;
	while (dir && n < max && (entry = readdir(dir))) {
		char name[PCI_ADDRESS_LEN];
		const char *dot = strstr(entry->d_name, ".json");

		if (!dot || dot[5] || (size_t)(dot - entry->d_name) >= sizeof(name))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(dot - entry->d_name), entry->d_name);
		if (pci_address_parse(name, &pf[n]) == 0)
			n++;
	}
	return (int)n;
}

/*
 * record_find_vf() - who holds a VF
 * @list:	records
 * @vf:		address
 * @except:	uuid of a guest that does not count, or NULL
 * Return: the record, NULL if nobody
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
