/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * record_lock.c: the directories below /run/vferry and the locks in them.
 *
 * /run may be emptied under a running system. What is missing is made anew, and a lock counts only while its file is the one that the
 * next process would open.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/scope.h"
#include "base/sysroot.h"
#include "state/record.h"

#define LEFTOVER_AGE 600 /* s: no writer takes that long between writing a file and renaming it */

/*
 * make_directory() - one directory of ours, private to root
 * @uid:	who runs this
 * Return: 0, negative errno; -EPERM if what is there is not a directory of ours
 */
static int make_directory(const char *path, uid_t uid, struct reason *why)
{
	char full[256];
	bool is_there;
	struct stat st;

	if (sysroot_path(full, sizeof(full), "%s", path))
		return reason_set(why, -ENAMETOOLONG, path, "the path is too long");
	is_there = lstat(full, &st) == 0; /* as nearly always: one look at each, since every lock and every file that is written takes this way */
	if (!is_there && mkdir(full, 0700) && errno != EEXIST) {
		int error = -errno;

		reason_set(why, error, path, "cannot make the state directory: %s", strerror(-error));
		reason_cure(why, "see that /run is writable and has space");
		return error;
	}
	if ((!is_there && lstat(full, &st)) || !S_ISDIR(st.st_mode) || st.st_uid != uid || (st.st_mode & 022)) {
		reason_set(why, -EPERM, path, "the state directory is not ours: it must be a directory of uid %u that only its owner writes",
			   (unsigned int)uid);
		reason_cure(why, "remove %s", path);
		return -EPERM;
	}
	return 0;
}

/*
 * record_make_directories() - /run/vferry and what is below it
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int record_make_directories(struct reason *why)
{
	static const char *const paths[] = { STATE_DIRECTORY, STATE_DIRECTORY "/guests", STATE_DIRECTORY "/pfs", STATE_DIRECTORY "/vfs" };

	uid_t uid = geteuid();

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int error = make_directory(paths[i], uid, why);

		if (error)
			return error;
	}
	return 0;
}

/*
 * record_make_directory() - one more directory of ours
 * @path:	below STATE_DIRECTORY
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int record_make_directory(const char *path, struct reason *why)
{
	int error = record_make_directories(why);

	return error ? error : make_directory(path, geteuid(), why);
}

/*
 * take() - takes a lock below the state directory
 * @object:	what it is of, for the sentence
 */
static int take(const char *path, const char *object, deadline_t deadline, struct reason *why)
{
	int fd = -ENOENT;

	for (int tries = 0; fd == -ENOENT && tries < 2; tries++) { /* the directory may be removed while we wait */
		int error = record_make_directories(why);

		fd = error ? error : lock_take(path, deadline, why);
	}
	if (fd == -ETIME) {
		reason_set(why, -ETIME, object, "another vferry is still changing this host");
		reason_cure(why, "look for it in the log and try again");
	}
	return fd;
}

/*
 * record_lock() - takes a lock
 * @pf:		PF whose lock to take, NULL for the host-wide one
 * @deadline:	when to give up; one that has passed means: try once
 * @why:	filled on failure
 * Return: descriptor; closing it (or dying) gives the lock back; -ETIME; negative errno
 */
int record_lock(const struct pci_address *pf, deadline_t deadline, struct reason *why)
{
	char path[64] = STATE_DIRECTORY "/lock", address[PCI_ADDRESS_LEN] = STATE_DIRECTORY;

	if (pf)
		snprintf(path, sizeof(path), STATE_DIRECTORY "/pf-%s.lock", pci_address_format(pf, address));
	return take(path, address, deadline, why);
}

/*
 * record_lock_object() - takes the lock of a VF or of a PF's seats
 * @object:	its pf, vf
 * @deadline:	when to give up; one that has passed means: try once
 * @why:	filled on failure
 * Return: as record_lock()
 */
int record_lock_object(const struct object *object, deadline_t deadline, struct reason *why)
{
	char path[64], address[PCI_ADDRESS_LEN];

	pci_address_format(object->has_vf ? &object->vf : &object->pf, address);
	snprintf(path, sizeof(path), STATE_DIRECTORY "/%s-%s.lock", object->has_vf ? "vf" : "seats", address);
	return take(path, address, deadline, why);
}

/*
 * sweep_directory() - removes what writers left that were killed
 */
static void sweep_directory(const char *path)
{
	autoclosedir DIR *directory = sysroot_opendir("%s", path);
	const struct dirent *entry;
	struct stat info;

	while (directory && (entry = readdir(directory))) {
		const char *dot = strstr(entry->d_name, ".json.");

		if (entry->d_name[0] != '.' || !dot || strlen(dot) != strlen(".json.XXXXXX"))
			continue;
		if (fstatat(dirfd(directory), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) || !S_ISREG(info.st_mode) ||
		    time(NULL) - info.st_mtime < LEFTOVER_AGE)
			continue;
		(void)unlinkat(dirfd(directory), entry->d_name, 0);
	}
}

/*
 * record_sweep() - removes the temporary files of writers that were killed between writing and renaming
 */
void record_sweep(void)
{
	sweep_directory(STATE_DIRECTORY "/guests");
	sweep_directory(STATE_DIRECTORY "/pfs");
	sweep_directory(STATE_DIRECTORY "/vfs");
}
