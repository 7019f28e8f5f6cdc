/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vf_function.c: the attributes of a VF's function. See vf_function.h.
 */
#include "base/vf_function.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Return: how devlink-port(8) calls an attribute. */
const char *vf_function_name(enum function_attribute attribute)
{
	static const char *const names[ATTRIBUTES] = {
		[ATTRIBUTE_ROCE] = "roce",
		[ATTRIBUTE_MAX_IO_EQS] = "max_io_eqs",
		[ATTRIBUTE_IPSEC_CRYPTO] = "ipsec_crypto",
		[ATTRIBUTE_IPSEC_PACKET] = "ipsec_packet",
	};

	return attribute < ATTRIBUTES ? names[attribute] : "unknown";
}

/* Return: the value of one, 0 unknown. */
uint32_t vf_function_value(const struct vf_function *function, enum function_attribute attribute)
{
	switch (attribute) {
	case ATTRIBUTE_ROCE:
		return function->roce;
	case ATTRIBUTE_MAX_IO_EQS:
		return function->max_io_eqs;
	case ATTRIBUTE_IPSEC_CRYPTO:
		return function->ipsec_crypto;
	case ATTRIBUTE_IPSEC_PACKET:
		return function->ipsec_packet;
	default:
		return 0;
	}
}

/* Writes a value in words. Return: out. */
char *vf_function_say(enum function_attribute attribute, uint32_t value, char out[FUNCTION_VALUE_LEN])
{
	if (!value)
		snprintf(out, FUNCTION_VALUE_LEN, "unknown");
	else if (attribute == ATTRIBUTE_MAX_IO_EQS)
		snprintf(out, FUNCTION_VALUE_LEN, "%u", value);
	else
		snprintf(out, FUNCTION_VALUE_LEN, "%s", value == SWITCH_ON ? "on" : "off");
	return out;
}

/* Finds the first that differs; see the header. */
enum function_attribute vf_function_differs(const struct vf_function *a, const struct vf_function *b, enum function_attribute first)
{
	unsigned int i = first;

	for (; i < ATTRIBUTES; i++) {
		uint32_t x = vf_function_value(a, i), y = vf_function_value(b, i);

		if (x && y && x != y)
			break;
	}
	return i;
}

/* Compares what vferry does not set; see the header. */
int vf_function_refuse(const struct vf_function *here, const struct vf_function *source, const char *object, struct reason *why)
{
	enum function_attribute attribute = vf_function_differs(here, source, ATTRIBUTES_SETTABLE);
	char has[FUNCTION_VALUE_LEN], had[FUNCTION_VALUE_LEN];

	if (attribute == ATTRIBUTES)
		return 0;
	reason_set(why, -EOPNOTSUPP, object, "the VF has %s %s, and the guest's VF has it %s at the source", vf_function_name(attribute),
		   vf_function_say(attribute, vf_function_value(here, attribute), has),
		   vf_function_say(attribute, vf_function_value(source, attribute), had));
	reason_cure(why, "let the VFs of both hosts have the same %s (see 'function set' in devlink-port(8); no driver may hold the VF then), or "
		    "choose another destination", vf_function_name(attribute));
	return -EOPNOTSUPP;
}

/* Writes all that is told; see the header. */
char *vf_function_format(const struct vf_function *function, char out[FUNCTION_TEXT_LEN])
{
	char value[FUNCTION_VALUE_LEN];
	int used = 0;

	*out = '\0';
	for (unsigned int i = 0; i < ATTRIBUTES; i++) {
		uint32_t number = vf_function_value(function, i);

		if (number && number <= ATTRIBUTE_EQS_MAX)
			used += snprintf(out + used, FUNCTION_TEXT_LEN - (size_t)used, "%s%s=%s", used ? " " : "", vf_function_name(i),
					 vf_function_say(i, number, value));
	}
	return out;
}

/* Sets one. */
static void set(struct vf_function *function, enum function_attribute attribute, uint32_t value)
{
	if (attribute == ATTRIBUTE_ROCE)
		function->roce = (uint8_t)value;
	else if (attribute == ATTRIBUTE_MAX_IO_EQS)
		function->max_io_eqs = value;
	else if (attribute == ATTRIBUTE_IPSEC_CRYPTO)
		function->ipsec_crypto = (uint8_t)value;
	else
		function->ipsec_packet = (uint8_t)value;
}

/* Reads a value as vf_function_say() writes it, without leading zeros. Return: the value, 0 it is none. */
static uint32_t read_value(enum function_attribute attribute, const char *text)
{
	unsigned long number;

	if (attribute != ATTRIBUTE_MAX_IO_EQS)
		return strcmp(text, "on") == 0 ? SWITCH_ON : strcmp(text, "off") == 0 ? SWITCH_OFF : SWITCH_UNKNOWN;
	if (*text == '0' || strlen(text) > strlen("65535") || text[strspn(text, "0123456789")])
		return 0;
	number = strtoul(text, NULL, 10);
	return number <= ATTRIBUTE_EQS_MAX ? (uint32_t)number : 0;
}

/* Reads one word. Return: 0, -EINVAL. */
static int read_word(const char *word, struct vf_function *function)
{
	for (unsigned int i = 0; i < ATTRIBUTES; i++) {
		size_t length = strlen(vf_function_name(i));
		uint32_t value = strncmp(word, vf_function_name(i), length) == 0 && word[length] == '=' ? read_value(i, word + length + 1) : 0;

		if (!value)
			continue;
		set(function, i, value);
		return 0;
	}
	return -EINVAL;
}

/* Reads all words; see the header. */
int vf_function_parse(const char *text, struct vf_function *function)
{
	struct vf_function found = { 0 };
	char copy[FUNCTION_TEXT_LEN], *rest = copy, *word;

	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, strlen(text) + 1);
	for (unsigned int words = 0; (word = strsep(&rest, " ")); words++) {
		if (words == ATTRIBUTES || read_word(word, &found))
			return -EINVAL;
	}
	*function = found;
	return 0;
}

/* Return: whether both tell the same of all. */
bool vf_function_equal(const struct vf_function *a, const struct vf_function *b)
{
	for (unsigned int i = 0; i < ATTRIBUTES; i++) {
		if (vf_function_value(a, i) != vf_function_value(b, i))
			return false;
	}
	return true;
}
