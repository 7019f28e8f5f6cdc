/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mac_address.h: Ethernet addresses.
 */
#ifndef VFERRY_BASE_MAC_ADDRESS_H
#define VFERRY_BASE_MAC_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#define MAC_ADDRESS_LEN 18

struct mac_address {
	uint8_t octet[6];
};

/* Parses "52:54:00:12:34:56" exactly, in either case. Return: 0, -EINVAL; *out untouched on failure. */
int mac_address_parse(const char *text, struct mac_address *out);

/* Writes lower-case text. Returns out. */
char *mac_address_format(const struct mac_address *mac, char out[MAC_ADDRESS_LEN]);

bool mac_address_equal(const struct mac_address *a, const struct mac_address *b);
bool mac_address_is_zero(const struct mac_address *mac);

/* Whether it can be the address of a station: not multicast, not all zero. */
bool mac_address_is_unicast(const struct mac_address *mac);

#endif
