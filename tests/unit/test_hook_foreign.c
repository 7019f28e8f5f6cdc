/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Guests that have nothing to do with vferry, whatever is wrong with it: every event, with every fault of configuration, state, sysfs and
 * libvirt's files that the code knows a sentence for. And guests with a VF, which a fault of vferry must not keep from starting where
 * at_start does not say so. The worker's own main() runs here, in a child process, on a machine of files in the scratch directory.
 */
#include "check.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>

#include "base/sysroot.h"
#include "state/mark.h"

int worker_main(int argc, char **argv);

#define main worker_main
#include "../../hooks/hook.c" /* NOLINT(bugprone-suspicious-include): a program of one file, tested as it is */
#undef main

#define UUID_TEXT "9e0c7f57-b8d6-4b29-8c3e-20d1f7a65b44"
#define HEAD "<domain type='kvm'><name>g</name><uuid>" UUID_TEXT "</uuid>"
#define ADDRESS(bus, function) "<source><address domain='0x0000' bus='" bus "' slot='0x00' function='" function "'/></source>"
#define PCI(bus, function) "<hostdev mode='subsystem' type='pci' managed='yes'>" ADDRESS(bus, function) "</hostdev>"
#define USB "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1234'/><product id='0xbeef'/></source></hostdev>"
#define PLAIN_NIC "<interface type='network'><mac address='52:54:00:00:00:07'/><source network='default'/></interface>"
#define VF "<interface type='hostdev' managed='yes'><mac address='52:54:00:00:00:01'/><source><address type='pci' domain='0x0000' " \
	   "bus='0x81' slot='0x00' function='0x2'/></source></interface>"
#define PASSPORT "<metadata><v:passport xmlns:v='urn:vferry:passport:1' version='1'><v:vf mac='52:54:00:00:00:01' pf='0000:c1:00.0'/>" \
		 "</v:passport></metadata>"

static const char *const operations[] = { "migrate", "prepare", "start", "started", "stopped", "release", "reconnect" };

/* What a run left behind. */
static struct {
	int status;
	char out[4096], err[4096];
	double seconds;
} run;

/* A PCI device of the machine. */
static void add_device(const char *address, const char *vendor, const char *device)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vendor", address);
	check_file(path, vendor);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/device", address);
	check_file(path, device);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/class", address);
	check_file(path, "0x030000\n");
}

/* The machine: a GPU; a VF of a ConnectX-7, without what its PF needs to be one that can be used. */
static void make_machine(void)
{
	add_device("0000:3b:00.0", "0x10de\n", "0x20b5\n");
	add_device("0000:81:00.0", "0x15b3\n", "0x1021\n");
	add_device("0000:81:00.2", "0x15b3\n", "0x101e\n");
	check_link("../0000:81:00.0", "/sys/bus/pci/devices/0000:81:00.2/physfn");
	check_file("/run/libvirt/network/default.xml", "<networkstatus><network><forward mode='nat'/></network></networkstatus>");
	check_file("/run/libvirt/qemu/.empty", "");
	check_file("/etc/vferry/vferry.conf", "[hook]\nhook_deadline = 5\nslot_wait = 0\n");
	CHECK_INT(sysroot_set(check_scratch()), 0);
}

/* Runs the worker as the hook's first program does. */
static void call(const char *operation, const char *xml)
{
	const char *end = strcmp(operation, "release") == 0 || strcmp(operation, "stopped") == 0 ? "end" : "begin";
	char name[] = "hook", copy[4][64], *argv[] = { name, copy[0], copy[1], copy[2], copy[3], NULL };
	struct timespec from, to;

	snprintf(copy[0], sizeof(copy[0]), "g");
	snprintf(copy[1], sizeof(copy[1]), "%s", operation);
	snprintf(copy[2], sizeof(copy[2]), "%s", end);
	snprintf(copy[3], sizeof(copy[3]), "-");
	check_file("/stdin", xml);
	clock_gettime(CLOCK_MONOTONIC, &from);
	run.status = check_program(worker_main, argv, run.out, run.err, sizeof(run.out));
	clock_gettime(CLOCK_MONOTONIC, &to);
	run.seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* Removes a file or folder of the machine. */
static void drop(const char *path)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", check_scratch(), path);
	nftw(full, check_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* Changes the mode of a file or folder. */
static void set_mode(const char *path, mode_t mode)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", check_scratch(), path);
	CHECK_INT(chmod(full, mode), 0);
}

/* ---- Faults -------------------------------------------------------------------------------------------------------------------- */

static int lock_fd = -1;

static void nothing(void) { }
static void conf_typo(void) { check_file("/etc/vferry/vferry.conf", "[hook]\nvfss = 3\n"); }
static void conf_writable(void) { set_mode("/etc/vferry/vferry.conf", 0666); }
static void conf_binary(void) { check_file_bytes("/etc/vferry/vferry.conf", "\0\0", 2); }
static void conf_folder(void) { drop("/etc/vferry"); check_file("/etc/vferry/vferry.conf/x", ""); }
static void conf_loop(void) { drop("/etc/vferry/vferry.conf"); check_link("vferry.conf", "/etc/vferry/vferry.conf"); }
static void state_open(void) { check_file("/run/vferry/guests/x", ""); set_mode("/run/vferry", 0777); }
static void state_file(void) { check_file("/run/vferry", ""); }
static void state_nowhere(void) { check_link("/nowhere/at/all", "/run/vferry"); }
static void guests_file(void) { check_file("/run/vferry/guests", ""); set_mode("/run/vferry", 0700); }
static void sysfs_gone(void) { drop("/sys"); }
static void devices_file(void) { drop("/sys/bus/pci/devices"); check_file("/sys/bus/pci/devices", ""); }
static void physfn_loop(void) { drop("/sys/bus/pci/devices/0000:81:00.2/physfn"); check_link("physfn", "/sys/bus/pci/devices/0000:81:00.2/physfn"); }
static void status_broken(void) { check_file("/run/libvirt/qemu/other.xml", "<domstatus"); }
static void status_file(void) { drop("/run/libvirt/qemu"); check_file("/run/libvirt/qemu", ""); }
static void network_broken(void) { check_file("/run/libvirt/network/default.xml", "<network"); }
static void network_folder(void) { drop("/run/libvirt/network/default.xml"); check_file("/run/libvirt/network/default.xml/x", ""); }

static void lock_held(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/run/vferry/lock", check_scratch());
	check_file("/run/vferry/lock", "");
	set_mode("/run/vferry", 0700);
	lock_fd = open(path, O_RDWR | O_CLOEXEC);
	CHECK(lock_fd >= 0 && flock(lock_fd, LOCK_EX) == 0);
}

static const struct fault {
	const char *name;
	void (*make)(void);
} faults[] = {
	{ "nothing", nothing }, /* the machine's card cannot be used */
	{ "an unknown key in vferry.conf", conf_typo },
	{ "vferry.conf writable by all", conf_writable },
	{ "vferry.conf of zero bytes", conf_binary },
	{ "vferry.conf is a folder", conf_folder },
	{ "vferry.conf is a link to itself", conf_loop },
	{ "/run/vferry writable by all", state_open },
	{ "/run/vferry is a file", state_file },
	{ "/run/vferry is a link to nowhere", state_nowhere },
	{ "/run/vferry/guests is a file", guests_file },
	{ "the lock is held", lock_held },
	{ "sysfs is not there", sysfs_gone },
	{ "sysfs lists no devices", devices_file },
	{ "a VF's PF cannot be read", physfn_loop },
	{ "a status file is broken", status_broken },
	{ "the status folder is a file", status_file },
	{ "a network's status is broken", network_broken },
	{ "a network's status is a folder", network_folder },
};

/* Makes the machine with one fault. */
static void make_fault(const struct fault *fault)
{
	check_clean();
	make_machine();
	fault->make();
}

/* Ends a fault. */
static void end_fault(void)
{
	if (lock_fd >= 0)
		close(lock_fd);
	lock_fd = -1;
}

/* Takes a guest through every event with every fault: nothing is refused, said or changed, and nothing waited for. */
static void check_foreign(const char *xml)
{
	unsigned int calls = 0;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		make_fault(&faults[i]);
		for (size_t k = 0; k < sizeof(operations) / sizeof(operations[0]); k++, calls++) {
			call(operations[k], xml);
			if (run.status || *run.out || *run.err || run.seconds > 3)
				FAIL("%s at %s: exit %d in %.1f s, stdout \"%s\", stderr \"%s\"", faults[i].name, operations[k], run.status, run.seconds,
				     run.out, run.err);
		}
		end_fault();
	}
	CHECK_INT(calls, 18 * 7);
}

TEST(a_guest_with_a_gpu_and_a_usb_device_comes_and_goes_whatever_is_wrong)
{
	check_foreign(HEAD "<devices>" PLAIN_NIC PCI("0x3b", "0x0") USB "</devices></domain>");
}

TEST(a_guest_with_a_device_that_this_host_does_not_have_comes_and_goes_whatever_is_wrong)
{
	check_foreign(HEAD "<devices>" PCI("0xe4", "0x1") "<interface type='hostdev'><mac address='52:54:00:00:00:09'/>"
		      "<source><address type='pci' domain='0' bus='0xe5' slot='0' function='3'/></source></interface></devices></domain>");
}

TEST(a_guest_of_200_interfaces_and_a_usb_device_comes_and_goes_whatever_is_wrong)
{
	static char text[64 << 10];
	size_t used = (size_t)snprintf(text, sizeof(text), HEAD "<devices>" USB);

	for (int i = 0; i < 200; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, PLAIN_NIC);
	snprintf(text + used, sizeof(text) - used, "</devices></domain>");
	check_foreign(text);
}

TEST(a_guest_with_the_word_alone_and_a_passport_of_nothing_comes_and_goes_whatever_is_wrong)
{
	check_foreign(HEAD "<description>hostdev</description>" PASSPORT "<devices/></domain>");
}

/* Takes a guest with a VF through a start with every fault. Return: how many were refused. */
static unsigned int starts_refused(const char *conf)
{
	static const char *const start[] = { "prepare", "start", "started" };
	unsigned int refused = 0;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		check_clean();
		make_machine();
		check_file("/etc/vferry/vferry.conf", conf);
		faults[i].make();
		for (size_t k = 0; k < sizeof(start) / sizeof(start[0]); k++) {
			call(start[k], HEAD PASSPORT "<devices>" PLAIN_NIC VF "</devices></domain>");
			refused += run.status != 0;
			if ((run.status && strncmp(run.err, "vferry: g: ", 11) != 0) || *run.out || run.seconds > 6 ||
			    (run.status && strcmp(start[k], "started") == 0))
				FAIL("%s at %s: exit %d in %.1f s, stdout \"%s\", stderr \"%s\"", faults[i].name, start[k], run.status, run.seconds,
				     run.out, run.err);
		}
		end_fault();
	}
	return refused;
}

TEST(no_start_fails_by_vferry_where_at_start_warns_or_allows)
{
	CHECK_INT(starts_refused("[hook]\nhook_deadline = 5\n"), 0);
	CHECK_INT(starts_refused("[hook]\nhook_deadline = 5\n[guest]\nat_start = allow\n"), 0);
}

TEST(at_start_refuse_refuses_at_prepare_and_never_ends_a_guest_that_has_started)
{
	CHECK(starts_refused("[hook]\nhook_deadline = 5\n[guest]\nat_start = refuse\n") > 8);
}

TEST(a_guest_with_a_vf_is_refused_in_one_sentence_where_it_would_arrive)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		make_fault(&faults[i]);
		call("migrate", HEAD PASSPORT "<devices>" PLAIN_NIC VF "</devices></domain>");
		end_fault();
		if (run.status != 1 || *run.out || strncmp(run.err, "vferry: g: ", 11) != 0 || strchr(run.err, '\n') != run.err + strlen(run.err) - 1)
			FAIL("%s: exit %d, stdout \"%s\", stderr \"%s\"", faults[i].name, run.status, run.out, run.err);
	}
}

TEST(text_of_another_hook_is_called_that)
{
	make_machine();
	call("migrate", "starting my hook for web1\n" HEAD "<devices>" VF "</devices></domain>");
	CHECK_INT(run.status, 1);
	CHECK_CONTAINS(run.err, "another hook in /etc/libvirt/hooks");
}

TEST(metadata_of_100000_attributes_delays_no_call)
{
	size_t size = 2u << 20, used;
	char *text = malloc(size);

	CHECK(text != NULL);
	make_machine();
	used = (size_t)snprintf(text, size, HEAD "<metadata><x");
	for (int i = 0; i < 100000; i++)
		used += (size_t)snprintf(text + used, size - used, " a%x=''", i);
	snprintf(text + used, size - used, "/></metadata><devices>" VF "</devices></domain>");
	call("prepare", text);
	CHECK(run.seconds < 2);
	CHECK_INT(run.status, 0);
	free(text);
}
