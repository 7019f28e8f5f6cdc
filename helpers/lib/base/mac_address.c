/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mac_address.c: Ethernet addresses. See mac_address.h.
 */
#include "base/mac_address.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * Return: the value of a hexadecimal digit in either case, -1 for anything else. isxdigit(3) would ask the locale.
 */
static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * text: six pairs of hexadecimal digits with colons between, and nothing else; NULL is refused.
 * Return: 0, -EINVAL.
 */
int mac_address_parse(const char *text, struct mac_address *out)
{
	struct mac_address mac;

	if (!text || strnlen(text, MAC_ADDRESS_LEN) != MAC_ADDRESS_LEN - 1)
		return -EINVAL;
	for (int i = 0; i < 6; i++) {
		int high = hex_digit(text[i * 3]), low = hex_digit(text[i * 3 + 1]);

		if (high < 0 || low < 0 || (i < 5 && text[i * 3 + 2] != ':'))
			return -EINVAL;
		mac.octet[i] = (uint8_t)(high << 4 | low);
	}
	*out = mac;
	return 0;
}

/*
 * Return: out, filled with lower-case text.
 */
char *mac_address_format(const struct mac_address *mac, char out[MAC_ADDRESS_LEN])
{
	const uint8_t *o = mac->octet;

	snprintf(out, MAC_ADDRESS_LEN, "%02x:%02x:%02x:%02x:%02x:%02x", o[0], o[1], o[2], o[3], o[4], o[5]);
	return out;
}

/* Return: whether both are the same address. */
bool mac_address_equal(const struct mac_address *a, const struct mac_address *b)
{
	return memcmp(a->octet, b->octet, sizeof(a->octet)) == 0;
}

/* Return: whether it is 00:00:00:00:00:00, which the kernel shows for "none set". */
bool mac_address_is_zero(const struct mac_address *mac)
{
	static const struct mac_address zero;

	return mac_address_equal(mac, &zero);
}

/* Return: whether a station can have it: the group bit (IEEE 802-2014, 8.2.2) is clear and it is not all zero. */
bool mac_address_is_unicast(const struct mac_address *mac)
{
	return !(mac->octet[0] & 1) && !mac_address_is_zero(mac);
}
