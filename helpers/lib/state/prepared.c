/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * prepared.c: what vferry prepare was asked for, as a JSON list.
 */
#include "state/prepared.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/scope.h"
#include "base/sysroot.h"

#define PREPARED_FILE PREPARED_DIRECTORY "/prepared.json"
#define PREPARED_FILE_MAX (64u << 10) /* bytes */
#define MAX_VFS 256

static void scope_json(struct json_object **json)
{
	json_object_put(*json);
}
#define autojson __attribute__((cleanup(scope_json)))

/*
 * member() - a text of an entry, "" if it is absent
 */
static const char *member(struct json_object *json, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(json, key, &value) && json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

/*
 * take_entry() - one PF
 * Return: 0, -EINVAL
 */
static int take_entry(struct json_object *json, struct prepared *prepared)
{
	struct prepared_pf *pf = &prepared->pf[prepared->pfs];
	const char *bridge = member(json, "bridge");
	struct json_object *vfs, *name;

	if (prepared->pfs == PREPARED_MAX || pci_address_parse(member(json, "pf"), &pf->pf))
		return -EINVAL;
	if (!json_object_object_get_ex(json, "bridge", &name) || !json_object_is_type(name, json_type_string) ||
	    strlen(bridge) >= sizeof(pf->bridge) || strchr(bridge, '/'))
		return -EINVAL;
	if (!json_object_object_get_ex(json, "vfs", &vfs) || json_object_get_int64(vfs) < 1 || json_object_get_int64(vfs) > MAX_VFS)
		return -EINVAL;
	pf->vfs = (unsigned int)json_object_get_int64(vfs);
	snprintf(pf->bridge, sizeof(pf->bridge), "%s", bridge);
	prepared->pfs++;
	return 0;
}

/*
 * prepared_read() - what is kept
 * @prepared:	result
 * @why:	filled on failure
 * Return: 0, -EINVAL, negative errno
 */
int prepared_read(struct prepared *prepared, struct reason *why)
{
	autojson struct json_object *json = NULL;
	autofree char *text = NULL;
	ssize_t length = sysroot_slurp(&text, PREPARED_FILE_MAX, "%s", PREPARED_FILE);
	int error;

	prepared->pfs = 0;
	if (length == -ENOENT)
		return 0;
	if (length < 0)
		return reason_set(why, (int)length, PREPARED_FILE, "it cannot be read: %s", strerror((int)-length));
	json = json_tokener_parse(text);
	error = json_object_is_type(json, json_type_array) ? 0 : -EINVAL;
	for (size_t i = 0; !error && i < json_object_array_length(json); i++)
		error = take_entry(json_object_array_get_idx(json, i), prepared);
	if (!error)
		return 0;
	prepared->pfs = 0;
	reason_set(why, error, PREPARED_FILE, "it is not what vferry prepare writes");
	reason_cure(why, "remove it, and run vferry prepare again");
	return error;
}

/*
 * write_all() - the whole list, by rename
 */
static int write_all(const struct prepared *prepared, struct reason *why)
{
	autojson struct json_object *json = json_object_new_array();
	char address[PCI_ADDRESS_LEN], path[256];
	const char *text;
	int error;

	for (size_t i = 0; i < prepared->pfs; i++) {
		struct json_object *pf = json_object_new_object();

		json_object_object_add(pf, "pf", json_object_new_string(pci_address_format(&prepared->pf[i].pf, address)));
		json_object_object_add(pf, "vfs", json_object_new_int64(prepared->pf[i].vfs));
		json_object_object_add(pf, "bridge", json_object_new_string(prepared->pf[i].bridge));
		json_object_array_add(json, pf);
	}
	error = sysroot_path(path, sizeof(path), "%s", PREPARED_DIRECTORY);
	if (!error && mkdir(path, 0755) && errno != EEXIST)
		error = -errno;
	text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!error)
		error = text ? sysroot_replace(text, strlen(text), "%s", PREPARED_FILE) : -ENOMEM;
	return error ? reason_set(why, error, PREPARED_FILE, "it cannot be written: %s", strerror(-error)) : 0;
}

/*
 * place_of() - where a PF is in the list
 * Return: its place, or the end
 */
static size_t place_of(const struct prepared *prepared, const struct pci_address *pf)
{
	size_t i = 0;

	while (i < prepared->pfs && !pci_address_equal(&prepared->pf[i].pf, pf))
		i++;
	return i;
}

/*
 * prepared_keep() - sets what is kept of a PF
 * @pf:		PF, its VFs and bridge
 * @why:	filled on failure
 * Return: 0, -E2BIG, negative errno
 */
int prepared_keep(const struct prepared_pf *pf, struct reason *why)
{
	struct prepared prepared;
	struct prepared_pf *old;
	size_t place;

	(void)prepared_read(&prepared, NULL); /* what does not parse is replaced */
	place = place_of(&prepared, &pf->pf);
	if (place == PREPARED_MAX)
		return reason_set(why, -E2BIG, PREPARED_FILE, "%d PFs are kept already", PREPARED_MAX);
	old = &prepared.pf[place];
	if (place < prepared.pfs && old->vfs == pf->vfs && strcmp(old->bridge, pf->bridge) == 0)
		return 0;
	*old = *pf;
	if (place == prepared.pfs)
		prepared.pfs++;
	return write_all(&prepared, why);
}

/*
 * prepared_forget() - keeps nothing of a PF
 * @pf:		address
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int prepared_forget(const struct pci_address *pf, struct reason *why)
{
	struct prepared prepared;
	int error = prepared_read(&prepared, why);
	size_t place = error ? 0 : place_of(&prepared, pf);

	if (error || place == prepared.pfs)
		return error;
	prepared.pfs--;
	memmove(&prepared.pf[place], &prepared.pf[place + 1], (prepared.pfs - place) * sizeof(prepared.pf[0]));
	return write_all(&prepared, why);
}
