/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * workers.c: counts the threads of a daemon of libvirt that serve calls. See workers.h.
 */
#include "host/workers.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/sysroot.h"

#define LEVELS 8 /* of parents: the daemon may have called a script that called the hook */

/* process: its id. Return: number of threads, 0 if there are none or they may not be seen. */
unsigned int workers_of(unsigned long process)
{
	autoclosedir DIR *directory = sysroot_opendir("/proc/%lu/task", process);
	const struct dirent *entry;
	unsigned int n = 0;
	char name[32];

	while (directory && (entry = readdir(directory))) {
		if (entry->d_name[0] == '.' || sysroot_read(name, sizeof(name), "/proc/%lu/task/%s/comm", process, entry->d_name) < 0)
			continue;
		n += strncmp(name, "rpc-", 4) == 0 && strcmp(name, "rpc-admin") != 0;
	}
	return n;
}

/* Return: the parent of a process by /proc/PID/stat (Linux Documentation/filesystems/proc.rst, field 4), 0 unknown. */
static unsigned long parent_of(unsigned long process)
{
	char stat[1024];
	const char *end; /* of the name, which may hold anything */
	ssize_t length = sysroot_read(stat, sizeof(stat), "/proc/%lu/stat", process);

	end = length > 0 ? strrchr(stat, ')') : NULL;
	return end && strlen(end) > 4 ? strtoul(end + 4, NULL, 10) : 0;
}

/* Return: number of threads, 0 if no process above has any or it may not be seen. */
unsigned int workers_above(void)
{
	unsigned long process = (unsigned long)getppid();

	for (int level = 0; level < LEVELS && process > 1; level++) {
		unsigned int n = workers_of(process);

		if (n)
			return n;
		process = parent_of(process);
	}
	return 0;
}

/* is_modular: virtqemud, not libvirtd. Return: number of threads, 0 if it does not run or may not be seen. */
unsigned int workers_of_host(bool is_modular)
{
	unsigned long process;

	if (sysroot_read_number(&process, "/run/%s.pid", is_modular ? "virtqemud" : "libvirtd"))
		return 0;
	return workers_of(process);
}
