/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * replacer.h: takes out of a text what tells who somebody is, in the same way wherever it stands.
 */
#ifndef VFERRY_COMMAND_REPORT_REPLACER_H
#define VFERRY_COMMAND_REPORT_REPLACER_H

#include <stdbool.h>
#include <stddef.h>

/* What names are replaced by, the same one each time. Zeroed: nothing was seen yet. */
struct replacer {
	bool keeps_names; /* nothing is replaced */
	struct replacement *replacement;
	size_t count;
};

/* Has a name replaced wherever it stands as a word of its own: "guest1", "host1". prefix: of what stands for it. Return: 0, -ENOMEM. */
int replacer_name(struct replacer *replacer, const char *name, const char *prefix);

/*
 * Replaces in a text what tells who somebody is: the names, MAC addresses, IP addresses, UUIDs, serial numbers. Return: the new text for
 * free(3), NULL if out of memory.
 */
char *replacer_text(struct replacer *replacer, const char *text);

void replacer_release(struct replacer *replacer);

#endif
