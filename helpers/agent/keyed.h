/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keyed.h: what a part of the agent remembers of guests, by their uuid: a list of structs that begin with a struct keyed.
 */
#ifndef VFERRY_AGENT_KEYED_H
#define VFERRY_AGENT_KEYED_H

#include <stddef.h>

#include "domain/domain.h"

struct keyed {
	struct keyed *next;
	char uuid[DOMAIN_UUID_LEN];
};

/* The entry of a guest, NULL if there is none. */
void *keyed_find(struct keyed *list, const char *uuid);

/* The same; one that is not there is made, zeroed, of size bytes. NULL without memory. */
void *keyed_get(struct keyed **list, const char *uuid, size_t size);

/* Forgets a guest; NULL: all. */
void keyed_forget(struct keyed **list, const char *uuid);

#endif
