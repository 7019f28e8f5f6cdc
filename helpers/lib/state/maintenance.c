/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * maintenance.c: the marker that keeps arrivals out. Guests that run, or start here, are none of its business.
 */
#include "state/maintenance.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sysroot.h"
#include "state/prepared.h"

#define MARKER PREPARED_DIRECTORY "/maintenance"

/*
 * maintenance_reason() - the refusal
 * Return: -EPERM
 */
int maintenance_reason(struct reason *why)
{
	reason_set(why, -EPERM, NULL, "no arrivals here: maintenance");
	reason_cure(why, "choose another destination, or run on this host when its maintenance is over: vferry maintenance off");
	reason_rule(why, "maintenance");
	return -EPERM;
}

/*
 * maintenance_refuse() - whether the marker keeps arrivals out
 * @why:	filled if so
 * Return: 0, -EPERM
 */
int maintenance_refuse(struct reason *why)
{
	return sysroot_exists("%s", MARKER) ? maintenance_reason(why) : 0;
}

/*
 * take_away() - removes the marker
 */
static int take_away(struct reason *why)
{
	char path[256];

	if (sysroot_path(path, sizeof(path), "%s", MARKER) || (unlink(path) && errno != ENOENT))
		return reason_set(why, -errno, MARKER, "the marker cannot be removed: %s", strerror(errno));
	return 0;
}

/*
 * maintenance_set() - sets or takes away the marker
 * Return: 0, negative errno
 */
int maintenance_set(bool on, struct reason *why)
{
	static const char text[] = "vferry maintenance on\n";
	char folder[256];
	int error;

	if (!on)
		return take_away(why);
	if (sysroot_path(folder, sizeof(folder), "%s", PREPARED_DIRECTORY) || (mkdir(folder, 0755) && errno != EEXIST))
		return reason_set(why, -errno, PREPARED_DIRECTORY, "the folder cannot be made: %s", strerror(errno));
	error = sysroot_publish(text, sizeof(text) - 1, "%s", MARKER);
	return error ? reason_set(why, error, MARKER, "the marker cannot be written: %s", strerror(-error)) : 0;
}
