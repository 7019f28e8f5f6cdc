/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The threads of libvirt's daemon that serve calls, counted in a /proc made of files.
 */
#include "check.h"

#include <stdio.h>
#include <unistd.h>

#include "base/sysroot.h"
#include "host/workers.h"

/* A thread of a process. */
static void thread(unsigned long process, unsigned int id, const char *name)
{
	char path[128], line[64];

	snprintf(path, sizeof(path), "/proc/%lu/task/%u/comm", process, id);
	snprintf(line, sizeof(line), "%s\n", name);
	check_file(path, line);
}

/* A daemon as libvirt's: five threads that serve calls, and others. */
static void daemon_with_five(unsigned long process, const char *server)
{
	static const char *const others[] = { "libvirtd", "prio-rpc-libvir", "rpc-admin", "qemu-event", "vmlog" };

	for (unsigned int i = 0; i < 5; i++) {
		thread(process, 100 + i, others[i]);
		thread(process, 200 + i, server);
	}
}

/* The parent of a process. */
static void parent(unsigned long process, const char *name, unsigned long above)
{
	char path[64], line[128];

	snprintf(path, sizeof(path), "/proc/%lu/stat", process);
	snprintf(line, sizeof(line), "%lu (%s) S %lu 1 1 0 -1\n", process, name, above);
	check_file(path, line);
}

/* Points to the machine that was made. */
static void use_machine(void)
{
	check_file("/proc/.keep", "");
	CHECK_INT(sysroot_set(check_scratch()), 0);
}

TEST(only_threads_that_serve_calls_are_counted)
{
	daemon_with_five(4000, "rpc-libvirtd");
	use_machine();
	CHECK_INT(workers_of(4000), 5);
	CHECK_INT(workers_of(4001), 0);
	sysroot_set("");
}

TEST(the_daemon_that_called_is_found_above_a_script_with_an_odd_name)
{
	unsigned long mine = (unsigned long)getppid();

	parent(mine, "a) S 1 (b", 4000);
	parent(4000, "sh", 4001);
	daemon_with_five(4001, "rpc-virtqemud");
	use_machine();
	CHECK_INT(workers_above(), 5);
	sysroot_set("");
}

TEST(where_no_daemon_called_the_number_is_unknown)
{
	unsigned long mine = (unsigned long)getppid();

	parent(mine, "bash", mine); /* also when /proc says nonsense: it ends */
	use_machine();
	CHECK_INT(workers_above(), 0);
	sysroot_set("");
}

TEST(the_hosts_daemon_is_the_one_that_it_has)
{
	daemon_with_five(4000, "rpc-virtqemud");
	check_file("/run/virtqemud.pid", "4000\n");
	use_machine();
	CHECK_INT(workers_of_host(true), 5);
	CHECK_INT(workers_of_host(false), 0);
	sysroot_set("");
}
