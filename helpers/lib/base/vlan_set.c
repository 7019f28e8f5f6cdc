/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vlan_set.c: a set of VLANs. See vlan_set.h.
 */
#include "base/vlan_set.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define MAX_VLAN 4095
#define SEPARATORS " ,\t"

/* Reads a number of 1 to 4 digits. *at: moved behind it. Return: the VLAN, -EINVAL. */
static int read_vlan(const char **at)
{
	int number = 0;

	for (int digits = 0; isdigit((unsigned char)**at); digits++, (*at)++) {
		if (digits == 4)
			return -EINVAL;
		number = number * 10 + (**at - '0');
	}
	return number <= MAX_VLAN ? number : -EINVAL;
}

/* Reads "100" or "100-199" of len bytes. Return: 0, -EINVAL. */
static int read_range(const char *text, size_t len, struct vlan_set *set)
{
	const char *at = text;
	int first, last;

	if (!isdigit((unsigned char)*at))
		return -EINVAL;
	first = last = read_vlan(&at);
	if (*at == '-' && isdigit((unsigned char)at[1])) {
		at++;
		last = read_vlan(&at);
	}
	if (first < 0 || last < first || at != text + len)
		return -EINVAL;
	for (int vlan = first; vlan <= last; vlan++)
		set->bit[vlan / 8] |= (uint8_t)(1u << vlan % 8);
	return 0;
}

/* text, set: see the header. Return: 0, -EINVAL. */
int vlan_set_parse(const char *text, struct vlan_set *set)
{
	struct vlan_set fresh = { 0 };
	size_t words = 0;

	for (const char *at = text + strspn(text, SEPARATORS); *at; words++) {
		size_t len = strcspn(at, SEPARATORS);

		if (len == 3 && strncmp(at, "any", len) == 0)
			fresh.any = true;
		else if (len == 4 && strncmp(at, "none", len) == 0)
			fresh.none = true;
		else if (read_range(at, len, &fresh))
			return -EINVAL;
		at += len;
		at += strspn(at, SEPARATORS);
	}
	if (!words || (fresh.any && words > 1))
		return -EINVAL;
	*set = fresh;
	return 0;
}

/* Return: whether a VLAN is in the set. */
bool vlan_set_has(const struct vlan_set *set, unsigned int vlan)
{
	return set->any || (vlan <= MAX_VLAN && set->bit[vlan / 8] >> vlan % 8 & 1);
}
