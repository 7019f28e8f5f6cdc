/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keyed.c: what a part of the agent remembers of guests. See keyed.h.
 */
#include "agent/keyed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* See keyed.h. */
void *keyed_find(struct keyed *list, const char *uuid)
{
	while (list && strcmp(list->uuid, uuid))
		list = list->next;
	return list;
}

/* See keyed.h. size: of the struct that begins with a struct keyed. */
void *keyed_get(struct keyed **list, const char *uuid, size_t size)
{
	struct keyed *entry = keyed_find(*list, uuid);

	if (entry)
		return entry;
	entry = calloc(1, size);
	if (!entry)
		return NULL;
	snprintf(entry->uuid, sizeof(entry->uuid), "%s", uuid);
	entry->next = *list;
	*list = entry;
	return entry;
}

/* See keyed.h. */
void keyed_forget(struct keyed **list, const char *uuid)
{
	while (*list) {
		struct keyed *entry = *list;

		if (uuid && strcmp(entry->uuid, uuid)) {
			list = &entry->next;
			continue;
		}
		*list = entry->next;
		free(entry);
	}
}
