/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * json_fields.h: structures as JSON and back, by tables of fields.
 *
 * A table says which key belongs to which member of a structure; one writer and one reader walk it, so the two directions cannot differ.
 * Reading is strict about types and ranges; an absent key leaves the member as it is, an unknown one is passed over, so that older and
 * newer records stay readable.
 */
#ifndef VFERRY_HOST_JSON_FIELDS_H
#define VFERRY_HOST_JSON_FIELDS_H

#include <json-c/json.h>
#include <stddef.h>

#include "base/reason.h"

/*
 * What a member is: char[], an integer of any size, bool, struct pci_address, struct mac_address, enum eswitch_mode, an uint8_t of
 * enum function_switch, which is true, false, or null where it is not known.
 */
enum field_kind { TEXT, UNSIGNED, SIGNED, FLAG, PCI, MAC, MODE, SWITCH };

struct field {
	const char *key;
	enum field_kind kind;
	size_t offset, size;
};

/* A row of a table, and its last one. */
#define FIELD(structure, member, name, kind) { name, kind, offsetof(struct structure, member), sizeof(((struct structure *)NULL)->member) }
#define END { NULL, TEXT, 0, 0 }

/* Adds the members of a structure to a JSON object, in the order of the table. Return: the object. */
struct json_object *json_fields_write(struct json_object *out, const void *structure, const struct field *fields);

/* Reads the members of a structure from a JSON object. Return: 0, -EINVAL with *why. */
int json_fields_read(struct json_object *json, void *structure, const struct field *fields, struct reason *why);

/* Stores a value that JSON writes as a string, of any kind but numbers and FLAG. Return: 0, -EINVAL with *why. */
int json_fields_text(void *member, const struct field *field, struct json_object *value, struct reason *why);

/* Finds a member that must be an object, if it is there. Return: 0 with *out (NULL if absent), -EINVAL with *why. */
int json_fields_object(struct json_object *json, const char *key, struct json_object **out, struct reason *why);

/* Finds a member that must be a list of at most max objects, if it is there. Return: 0 with *out and *count, -EINVAL with *why. */
int json_fields_list(struct json_object *json, const char *key, size_t max, struct json_object **out, size_t *count, struct reason *why);

/* Fails because a key has no acceptable value. Return: -EINVAL. */
int json_fields_refuse(const char *key, const char *wanted, struct reason *why);

#endif
