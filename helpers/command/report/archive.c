/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * archive.c: a report as one file. tar(1) packs a folder that is made for it and removed afterwards.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/spawn.h"
#include "command/report/archive.h"

#define TAR_TIME 60000 /* ms */

/* Copies what the archive unpacks to: the file's name without folders and endings. */
static void name_folder(const char *file, char *out, size_t size)
{
	const char *begin = strrchr(file, '/') ? strrchr(file, '/') + 1 : file, *end = begin + strcspn(begin, ".");

	snprintf(out, size, "%.*s", (int)(end - begin), begin);
	if (end == begin)
		snprintf(out, size, "vferry-report");
}

/* Makes the file, which must be new, for nobody else to read. Return: 0, negative errno with *why filled. */
static int make_file(struct archive *archive, const char *file, struct reason *why)
{
	autoclose int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int error = fd < 0 || !realpath(file, archive->file) ? -errno : 0;

	if (!error)
		return 0;
	if (fd >= 0)
		(void)unlink(file);
	archive->file[0] = '\0';
	reason_set(why, error, file, "the file cannot be made: %s", strerror(-error));
	reason_cure(why, "name one that is not there yet, in a folder that is");
	return error;
}

/* Begins an archive; see the header. */
int archive_begin(struct archive *archive, const char *file, struct reason *why)
{
	const char *place = getenv("TMPDIR");
	int error = make_file(archive, file, why);

	if (error)
		return error;
	name_folder(file, archive->name, sizeof(archive->name));
	snprintf(archive->place, sizeof(archive->place), "%s/vferry-report.XXXXXX", place && *place == '/' ? place : "/tmp");
	if (!mkdtemp(archive->place)) {
		error = reason_set(why, -errno, archive->place, "the folder cannot be made: %s", strerror(errno));
		archive->place[0] = '\0';
		return error;
	}
	snprintf(archive->folder, sizeof(archive->folder), "%s/%s", archive->place, archive->name);
	return 0;
}

/* Packs the folder; see the header. */
int archive_pack(struct archive *archive, struct reason *why)
{
	char tar[] = "/usr/bin/tar", create[] = "--create", compress[] = "--auto-compress", local[] = "--force-local", at[] = "--directory";
	char owner[] = "--owner=0", group[] = "--group=0", numbers[] = "--numeric-owner", end[] = "--", file[sizeof(archive->file) + 8];
	char *argv[] = { tar, create, compress, local, owner, group, numbers, file, at, archive->place, end, archive->name, NULL };
	int status;

	snprintf(file, sizeof(file), "--file=%s", archive->file);
	status = spawn_run(argv, NULL, 0, deadline_in(TAR_TIME), why);
	archive->is_packed = status == 0;
	if (status <= 0)
		return status;
	reason_cure(why, "see that there is room for it, and the program that its ending asks for; or name a folder instead and pack that");
	return -EIO;
}

/* Removes a folder of files. */
static void remove_folder(const char *name)
{
	autoclosedir DIR *directory = opendir(name);
	const struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		(void)unlinkat(dirfd(directory), entry->d_name, 0);
	(void)rmdir(name);
}

/* Removes what is not needed any more; see the header. */
void archive_end(struct archive *archive)
{
	if (archive->place[0]) {
		remove_folder(archive->folder);
		(void)rmdir(archive->place);
	}
	if (archive->file[0] && !archive->is_packed)
		(void)unlink(archive->file);
}
