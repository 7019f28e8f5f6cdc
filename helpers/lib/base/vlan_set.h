/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vlan_set.h: a set of VLANs, as a person writes it: "any", or numbers and ranges, and "none" for what has no VLAN: "none, 100-199, 300".
 */
#ifndef VFERRY_BASE_VLAN_SET_H
#define VFERRY_BASE_VLAN_SET_H

#include <stdbool.h>
#include <stdint.h>

struct vlan_set {
	bool any;         /* every VLAN, and none; the rest does not count then */
	bool none;        /* what has no VLAN */
	uint8_t bit[512]; /* VLAN N: bit N % 8 of byte N / 8 */
};

/* Reads a text. Return: 0; -EINVAL, *set untouched: an empty text, a number above 4095, a range that runs backwards, another word. */
int vlan_set_parse(const char *text, struct vlan_set *set);

/* Whether a VLAN, 0 to 4095, is in the set. */
bool vlan_set_has(const struct vlan_set *set, unsigned int vlan);

#endif
