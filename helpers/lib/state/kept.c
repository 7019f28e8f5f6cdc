/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kept.c: what an operator set on a guest's port, kept until its next start. See kept.h. The settings stand in the file as an entry of a
 * passport: so they are read with the same bounds.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* asprintf */
#endif
#include "state/kept.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/scope.h"
#include "base/sysroot.h"
#include "domain/domain.h"
#include "state/file.h"
#include "state/record.h"

#define KEPT_FILE_MAX (256u << 10) /* bytes */
#define KEPT_UUID "00000000-0000-0000-0000-000000000000"

/*
 * print() - settings as a passport
 * Return: XML for free(3), NULL without memory
 */
static char *print(const struct mac_address *mac, const struct port_settings *settings)
{
	autofree struct passport *passport = calloc(1, sizeof(*passport));
	char *xml = NULL;

	if (!passport)
		return NULL;
	passport->present = true;
	passport->vfs = 1;
	passport->vf[0].mac = *mac;
	passport->vf[0].port = *settings;
	return passport_print(passport, false, &xml) < 0 ? NULL : xml;
}

/*
 * kept_word() - a word that is the same for the same settings
 * Return: out
 *
 * FNV-1a (draft-eastlake-fnv): nothing depends on it but whether two texts are the same.
 */
char *kept_word(const struct port_settings *settings, char *out)
{
	static const struct mac_address any = { { 2, 0, 0, 0, 0, 1 } };
	autofree char *xml = print(&any, settings);
	uint64_t word = 0xcbf29ce484222325u;

	for (const char *at = xml; at && *at; at++)
		word = (word ^ (unsigned char)*at) * 0x100000001b3u;
	snprintf(out, KEPT_WORD, "%016llx", (unsigned long long)word);
	return out;
}

/*
 * parse() - settings from a passport's XML
 * Return: 0, -EINVAL
 */
static int parse(const char *xml, struct kept_port *port)
{
	autofree struct domain *domain = calloc(1, sizeof(*domain));
	autofree char *text = NULL;
	int error = -EINVAL, length;

	length = asprintf(&text, "<domain><name>kept</name><uuid>" KEPT_UUID "</uuid><metadata>%s</metadata></domain>", xml);
	if (length < 0)
		text = NULL;
	if (!domain || !text || domain_parse(text, (size_t)length, domain, NULL))
		return -EINVAL;
	if (domain->passport.vfs == 1) {
		port->mac = domain->passport.vf[0].mac;
		port->set = domain->passport.vf[0].port;
		error = 0;
	}
	domain_release(domain);
	return error;
}

/* See kept.h. */
void kept_read(const char *uuid, struct kept *kept)
{
	autojson struct json_object *json = NULL;
	autofree char *text = NULL;

	kept->ports = 0;
	if (!record_is_uuid(uuid) || sysroot_slurp_checked(&text, KEPT_FILE_MAX, SLURP_OWNED | SLURP_NO_LINK, KEPT_DIRECTORY "/%s.json", uuid) < 0)
		return;
	json = json_tokener_parse(text);
	for (size_t i = 0; json_object_is_type(json, json_type_array) && i < json_object_array_length(json) && kept->ports < KEPT_MAX; i++) {
		struct json_object *entry = json_object_array_get_idx(json, i);
		struct kept_port *port = &kept->port[kept->ports];
		const char *xml = json_object_get_string(json_object_object_get(entry, "passport"));

		kept->ports += json_object_is_type(entry, json_type_object) && xml && !file_get_text(entry, "asked", port->asked, KEPT_WORD) &&
			       !parse(xml, port);
	}
}

/*
 * kept_write() - writes what is kept of a guest
 * @uuid:	lower case
 * @kept:	its ports
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int kept_write(const char *uuid, const struct kept *kept, struct reason *why)
{
	autojson struct json_object *json = json_object_new_array();
	char path[512], parent[512];
	const char *text;
	int error;

	if (!record_is_uuid(uuid) || sysroot_path(path, sizeof(path), KEPT_DIRECTORY) ||
	    sysroot_path(parent, sizeof(parent), LOCALSTATEDIR "/lib/vferry"))
		return -EINVAL;
	if (!kept->ports) {
		snprintf(path, sizeof(path), KEPT_DIRECTORY "/%s.json", uuid);
		return file_remove(path, why);
	}
	for (size_t i = 0; i < kept->ports; i++) {
		autofree char *xml = print(&kept->port[i].mac, &kept->port[i].set);
		struct json_object *entry = json_object_new_object();

		json_object_object_add(entry, "asked", json_object_new_string(kept->port[i].asked));
		json_object_object_add(entry, "passport", json_object_new_string(xml ? xml : ""));
		json_object_array_add(json, entry);
	}
	(void)mkdir(parent, 0755);
	error = mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
	text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!error)
		error = sysroot_replace(text, strlen(text), KEPT_DIRECTORY "/%s.json", uuid);
	return error ? reason_set(why, error, KEPT_DIRECTORY, "it cannot be written: %s", strerror(-error)) : 0;
}

/*
 * find() - the place of a port
 */
static size_t find(const struct kept *kept, const struct mac_address *mac)
{
	size_t i = 0;

	while (i < kept->ports && !mac_address_equal(&kept->port[i].mac, mac))
		i++;
	return i;
}

/* See kept.h. */
bool kept_set(struct kept *kept, const struct mac_address *mac, const char *asked, const struct port_settings *set)
{
	size_t place = find(kept, mac);

	if (!set && place < kept->ports)
		kept->port[place] = kept->port[--kept->ports];
	else if (!set || place == KEPT_MAX)
		return false;
	if (!set)
		return true;
	kept->port[place].mac = *mac;
	kept->port[place].set = *set;
	snprintf(kept->port[place].asked, KEPT_WORD, "%s", asked);
	kept->ports += place == kept->ports;
	return true;
}

/* See kept.h. */
const struct port_settings *kept_find(const struct kept *kept, const struct mac_address *mac, const struct port_settings *asked)
{
	size_t place = find(kept, mac);
	char word[KEPT_WORD];

	if (place == kept->ports)
		return NULL;
	if (port_settings_is_empty(asked) || strcmp(kept->port[place].asked, kept_word(asked, word)) == 0)
		return &kept->port[place].set;
	return NULL;
}
