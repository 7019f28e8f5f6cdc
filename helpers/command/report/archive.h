/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * archive.h: a report as one file.
 */
#ifndef VFERRY_COMMAND_REPORT_ARCHIVE_H
#define VFERRY_COMMAND_REPORT_ARCHIVE_H

#include <limits.h>
#include <stdbool.h>

#include "base/reason.h"

/* A report that becomes one file. Zeroed: none. */
struct archive {
	char file[PATH_MAX];                /* "" not made yet */
	char place[PATH_MAX], name[64];     /* a folder of its own, "" not made yet; what is packed there */
	char folder[PATH_MAX + 66];         /* both, for the report to make */
	bool is_packed;
};

/*
 * Makes the file, which must not be there yet, and a place for the folder. Packs the folder, compressed as the file's ending says
 * (.tar, .tar.gz, .tgz, .tar.xz, ...). Removes the folder, and a file that was not packed. Return: 0, negative errno with *why filled.
 */
int archive_begin(struct archive *archive, const char *file, struct reason *why);
int archive_pack(struct archive *archive, struct reason *why);
void archive_end(struct archive *archive);

#define autoarchive __attribute__((cleanup(archive_end)))

#endif
