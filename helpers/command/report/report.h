/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * report.h: the parts of vferry report. Private to it.
 */
#ifndef VFERRY_COMMAND_REPORT_H
#define VFERRY_COMMAND_REPORT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/reason.h"
#include "command/view.h"

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

/* A report that becomes one file. Zeroed: none. */
struct archive {
	char file[PATH_MAX];                /* "" not made yet */
	char place[PATH_MAX], name[64];     /* a folder of its own, "" not made yet; what is packed there */
	char folder[PATH_MAX + 66];         /* both, for the report to make */
	bool is_packed;
};

/*
 * archive.c. Makes the file, which must not be there yet, and a place for the folder. Packs the folder, compressed as the file's ending says
 * (.tar, .tar.gz, .tgz, .tar.xz, ...). Removes the folder, and a file that was not packed. Return: 0, negative errno with *why filled.
 */
int archive_begin(struct archive *archive, const char *file, struct reason *why);
int archive_pack(struct archive *archive, struct reason *why);
void archive_end(struct archive *archive);

#define autoarchive __attribute__((cleanup(archive_end)))

/* Writes the host as a world (tests/worlds/README.md): what vferry reads of it, line by line. */
void report_world(const struct view *view, FILE *out);

#endif
