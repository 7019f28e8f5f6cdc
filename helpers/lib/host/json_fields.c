/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * json_fields.c: structures as JSON and back, by tables of fields.
 */
#include "host/json_fields.h"

#include <errno.h>
#include <string.h>

#include "base/mac_address.h"
#include "base/pci_address.h"
#include "card/devlink.h"

/* ---- Writing ------------------------------------------------------------------------------------------------------------------- */

/* Reads an integer member of 1, 2, 4 or 8 bytes. */
static int64_t load(const void *member, const struct field *field)
{
	bool is_signed = field->kind == SIGNED;

	switch (field->size) {
	case 1:
		return *(const uint8_t *)member;
	case 2:
		return is_signed ? *(const int16_t *)member : *(const uint16_t *)member;
	case 4:
		return is_signed ? *(const int32_t *)member : (int64_t) * (const uint32_t *)member;
	default:
		return *(const int64_t *)member;
	}
}

/* Return: the name of an e-switch mode as devlink(8) writes it. */
static const char *mode_name(enum eswitch_mode mode)
{
	return mode == ESWITCH_LEGACY ? "legacy" : mode == ESWITCH_SWITCHDEV ? "switchdev" : "unknown";
}

/* Return: one member as JSON. */
static struct json_object *write_member(const void *member, const struct field *field)
{
	char text[MAC_ADDRESS_LEN];

	switch (field->kind) {
	case TEXT:
		return json_object_new_string(member);
	case FLAG:
		return json_object_new_boolean(*(const bool *)member);
	case PCI:
		return json_object_new_string(pci_address_format(member, text));
	case MAC:
		return json_object_new_string(mac_address_format(member, text));
	case SWITCH:
		return *(const uint8_t *)member == SWITCH_UNKNOWN ? NULL : json_object_new_boolean(*(const uint8_t *)member == SWITCH_ON);
	case MODE:
		return json_object_new_string(mode_name(*(const enum eswitch_mode *)member));
	default:
		return json_object_new_int64(load(member, field));
	}
}

/* Adds the members of a structure to a JSON object, in the order of the table. Return: the object. */
struct json_object *json_fields_write(struct json_object *out, const void *structure, const struct field *fields)
{
	for (const struct field *field = fields; field->key; field++)
		json_object_object_add(out, field->key, write_member((const char *)structure + field->offset, field));
	return out;
}

/* ---- Reading ------------------------------------------------------------------------------------------------------------------- */

/* Fails because a key has no acceptable value. Return: -EINVAL. */
int json_fields_refuse(const char *key, const char *wanted, struct reason *why)
{
	return reason_set(why, -EINVAL, "inventory", "\"%s\" is not %s", key, wanted);
}

/* Stores an integer in a member, if it fits. Return: 0, -EINVAL with *why filled. */
static int store(void *member, const struct field *field, struct json_object *value, struct reason *why)
{
	unsigned int bits = (unsigned int)field->size * 8;
	int64_t low = 0, high, number;

	if (field->kind == SIGNED) {
		high = (int64_t)((UINT64_C(1) << (bits - 1)) - 1);
		low = -high - 1;
	} else {
		high = bits < 64 ? (int64_t)((UINT64_C(1) << bits) - 1) : INT64_MAX;
	}
	if (!json_object_is_type(value, json_type_int))
		return json_fields_refuse(field->key, "a number", why);
	number = json_object_get_int64(value);
	if (number < low || number > high)
		return json_fields_refuse(field->key, "within its range", why);
	memcpy(member, &number, field->size); /* little endian first: see the assertion below */
	return 0;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "hosts are Intel 64, AMD64 or ARM 64, all little-endian");

/* Reads the name of an e-switch mode; one that vferry does not know is ESWITCH_UNKNOWN. */
static enum eswitch_mode read_mode(const char *name)
{
	return strcmp(name, "legacy") == 0 ? ESWITCH_LEGACY : strcmp(name, "switchdev") == 0 ? ESWITCH_SWITCHDEV : ESWITCH_UNKNOWN;
}

/* Stores what JSON writes as a string. member: what field->kind says. Return: 0, -EINVAL with *why filled. */
int json_fields_text(void *member, const struct field *field, struct json_object *value, struct reason *why)
{
	const char *text;

	if (!json_object_is_type(value, json_type_string))
		return json_fields_refuse(field->key, "a text", why);
	text = json_object_get_string(value);
	switch (field->kind) {
	case PCI:
		return pci_address_parse(text, member) < 0 ? json_fields_refuse(field->key, "a PCI address", why) : 0;
	case MAC:
		return mac_address_parse(text, member) < 0 ? json_fields_refuse(field->key, "a MAC address", why) : 0;
	case MODE:
		*(enum eswitch_mode *)member = read_mode(text);
		return 0;
	default:
		if (strlen(text) >= field->size)
			return json_fields_refuse(field->key, "short enough", why);
		reason_clean(member, field->size, text);
		return 0;
	}
}

/* Stores a bool, or what is a bool where it is known. Return: 0, -EINVAL with *why filled. */
static int store_flag(void *member, const struct field *field, struct json_object *value, struct reason *why)
{
	bool is_null = !value && field->kind == SWITCH;

	if (!is_null && !json_object_is_type(value, json_type_boolean))
		return json_fields_refuse(field->key, "true or false", why);
	if (field->kind == FLAG)
		*(bool *)member = json_object_get_boolean(value);
	else
		*(uint8_t *)member = is_null ? SWITCH_UNKNOWN : json_object_get_boolean(value) ? SWITCH_ON : SWITCH_OFF;
	return 0;
}

/* Reads the members of a structure from a JSON object. Return: 0, -EINVAL with *why filled. */
int json_fields_read(struct json_object *json, void *structure, const struct field *fields, struct reason *why)
{
	int error = 0;

	for (const struct field *field = fields; !error && field->key; field++) {
		void *member = (char *)structure + field->offset;
		struct json_object *value;

		if (!json_object_object_get_ex(json, field->key, &value))
			continue;
		if (field->kind == UNSIGNED || field->kind == SIGNED)
			error = store(member, field, value, why);
		else if (field->kind != FLAG && field->kind != SWITCH)
			error = json_fields_text(member, field, value, why);
		else
			error = store_flag(member, field, value, why);
	}
	return error;
}

/* Finds a member that must be an object, if it is there. Return: 0 with *out (NULL if absent), -EINVAL with *why filled. */
int json_fields_object(struct json_object *json, const char *key, struct json_object **out, struct reason *why)
{
	*out = json_object_object_get(json, key);
	return *out && !json_object_is_type(*out, json_type_object) ? json_fields_refuse(key, "an object", why) : 0;
}

/* Finds a member that must be a list of at most max objects, if it is there. Return: 0 with *count, -EINVAL with *why filled. */
int json_fields_list(struct json_object *json, const char *key, size_t max, struct json_object **out, size_t *count, struct reason *why)
{
	*out = json_object_object_get(json, key);
	if (*out && !json_object_is_type(*out, json_type_array))
		return json_fields_refuse(key, "a list", why);
	*count = *out ? json_object_array_length(*out) : 0;
	if (*count > max)
		return json_fields_refuse(key, "short enough", why);
	for (size_t i = 0; i < *count; i++) {
		if (!json_object_is_type(json_object_array_get_idx(*out, i), json_type_object))
			return json_fields_refuse(key, "a list of objects", why);
	}
	return 0;
}
