/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attachment.c: one call of vferry attach or detach.
 */
#include "command/attach/attachment.h"

#include <stdlib.h>
#include <string.h>

/* Gives back all but the changes. */
void attach_release(struct attachment *a)
{
	for (size_t i = 0; i < a->knowns; i++)
		free(a->known[i].xml);
	free(a->known);
	free(a->device);
	view_release(&a->view);
	virt_free(&a->guest);
	virt_close(&a->connection);
}

/* Return: the guest's own XML, NULL if there is none of that kind. */
const char *attach_own_xml(const struct attachment *a, bool is_stored)
{
	for (size_t i = 0; i < a->knowns; i++) {
		if (a->known[i].is_stored == is_stored && strcmp(a->known[i].uuid, a->uuid) == 0)
			return a->known[i].xml;
	}
	return NULL;
}

/* Return: the guest's name to put before a sentence, or NULL. */
const char *attach_name(const struct attachment *a, const struct reason *why)
{
	return *a->name && strcmp(a->name, why->object) != 0 ? a->name : NULL;
}
