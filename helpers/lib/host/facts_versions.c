/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * facts_versions.c: the versions of QEMU and libvirt.
 *
 * Starting either only for its version takes longer than all the rest of vferry check together. So libvirt's is read off the name of its
 * library, and QEMU's out of what libvirt has found out about that very program; only where that fails the programs are asked.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/scope.h"
#include "base/spawn.h"
#include "base/sysroot.h"
#include "host/facts.h"

#define CAPABILITIES "/var/cache/libvirt/qemu/capabilities" /* libvirt src/qemu/qemu_capabilities.c; root alone may read it */
#define CAPABILITIES_MAX (2u << 20)                         /* bytes of a file */

/* ---- libvirt ------------------------------------------------------------------------------------------------------------------- */

/*
 * Reads the version off the library's name: libvirt.so.0 is a link to libvirt.so.0.11003.0 in 11.3.0 (libtool's version in libvirt's
 * meson.build: major * 1000 + minor, then release).
 */
static bool read_library_name(const char *directory, char *out, size_t size)
{
	static const char prefix[] = "libvirt.so.0.";
	unsigned long number, release;
	char name[64], *end;

	if (sysroot_link_name(name, sizeof(name), "%s/libvirt.so.0", directory) || strncmp(name, prefix, strlen(prefix)) != 0)
		return false;
	number = strtoul(name + strlen(prefix), &end, 10);
	if (number < 1000 || *end != '.')
		return false;
	release = strtoul(end + 1, &end, 10);
	if (*end)
		return false;
	snprintf(out, size, "%lu.%lu.%lu", number / 1000, number % 1000, release);
	return true;
}

/* Looks for the library where systems have it. */
static void find_library(struct facts *facts)
{
	char multiarch[64];

	snprintf(multiarch, sizeof(multiarch), "/usr/lib/%.31s-linux-gnu", facts->architecture);
	if (!read_library_name(multiarch, facts->libvirt, sizeof(facts->libvirt)) &&
	    !read_library_name("/usr/lib64", facts->libvirt, sizeof(facts->libvirt)))
		(void)read_library_name("/usr/lib", facts->libvirt, sizeof(facts->libvirt));
}

/* ---- QEMU ---------------------------------------------------------------------------------------------------------------------- */

/* Copies the text of the first element of that name. Return: whether there is one that fits. */
static bool take_element(const char *xml, const char *name, char *out, size_t size)
{
	char begin[32];
	const char *text;
	size_t length;

	snprintf(begin, sizeof(begin), "<%s>", name);
	text = strstr(xml, begin);
	length = text ? strcspn(text + strlen(begin), "<") : 0;
	if (!text || length >= size)
		return false;
	snprintf(out, size, "%.*s", (int)length, text + strlen(begin));
	return true;
}

/* Whether what libvirt has found out is about this program as it is now: libvirt compares its ctime, too. */
static bool is_about(const char *xml, const char *path)
{
	char emulator[256], ctime[32], full[512];
	struct stat st;

	if (!take_element(xml, "emulator", emulator, sizeof(emulator)) || strcmp(emulator, path) != 0)
		return false;
	if (!take_element(xml, "qemuctime", ctime, sizeof(ctime)) || sysroot_path(full, sizeof(full), "%s", path) || stat(full, &st))
		return false;
	return strtoll(ctime, NULL, 10) == (long long)st.st_ctime;
}

/* Reads the version out of one file. Return: whether it is about the program. */
static bool read_capabilities(const char *file, const char *path, char *out, size_t size)
{
	autofree char *xml = NULL;
	char version[16];
	unsigned long number;

	if (sysroot_slurp(&xml, CAPABILITIES_MAX, CAPABILITIES "/%s", file) < 0 || !is_about(xml, path) ||
	    !take_element(xml, "version", version, sizeof(version)))
		return false;
	number = strtoul(version, NULL, 10); /* major * 1000000 + minor * 1000 + micro */
	snprintf(out, size, "%lu.%lu.%lu", number / 1000000, number / 1000 % 1000, number % 1000);
	return number > 0;
}

/* Looks for the program in what libvirt has found out. Return: whether it is there. */
static bool find_capabilities(const char *path, char *out, size_t size)
{
	autoclosedir DIR *directory = sysroot_opendir(CAPABILITIES);
	const struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		if (strstr(entry->d_name, ".xml") && read_capabilities(entry->d_name, path, out, size))
			return true;
	}
	return false;
}

/* ---- Programs ------------------------------------------------------------------------------------------------------------------ */

/*
 * Asks a program for its version, unless an earlier one has told: the first word that begins with a digit after mark.
 * path: of the program. mark: text before the version, as in "QEMU emulator version 10.0.2".
 */
static void ask_version(const char *path, const char *mark, char *out, size_t size, deadline_t deadline)
{
	char program[256], option[] = "--version", text[512], *found;
	char *argv[] = { program, option, NULL };

	if (*out || !sysroot_exists("%s", path) || sysroot_path(program, sizeof(program), "%s", path))
		return;
	if (spawn_run(argv, text, sizeof(text), deadline_within(deadline, 2000), NULL) != 0)
		return;
	found = strstr(text, mark);
	if (!found)
		return;
	found += strlen(mark);
	found += strspn(found, " ");
	snprintf(out, size, "%.*s", (int)strspn(found, "0123456789."), found);
}

/* The version of one QEMU, unless an earlier one has told. */
static void read_qemu(struct facts *facts, const char *path, deadline_t deadline)
{
	if (*facts->qemu || !sysroot_exists("%s", path))
		return;
	if (!find_capabilities(path, facts->qemu, sizeof(facts->qemu)))
		ask_version(path, "version", facts->qemu, sizeof(facts->qemu), deadline);
}

/* Reads the versions; see the header. */
void facts_read_versions(struct facts *facts, deadline_t deadline)
{
	char native[64];

	snprintf(native, sizeof(native), "/usr/bin/qemu-system-%.31s", facts->architecture);
	read_qemu(facts, native, deadline);
	read_qemu(facts, "/usr/libexec/qemu-kvm", deadline);
	read_qemu(facts, "/usr/bin/qemu-kvm", deadline);
	find_library(facts);
	if (facts->is_modular)
		ask_version("/usr/sbin/virtqemud", "(libvirt)", facts->libvirt, sizeof(facts->libvirt), deadline);
	ask_version("/usr/sbin/libvirtd", "(libvirt)", facts->libvirt, sizeof(facts->libvirt), deadline);
	ask_version("/usr/sbin/virtqemud", "(libvirt)", facts->libvirt, sizeof(facts->libvirt), deadline);
}
