/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * support.c: what the fuzz targets share. See fuzz.h.
 */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/sysroot.h"

static char root[PATH_MAX / 2];
static pid_t root_owner;

/* Says what does not hold, and aborts: for libFuzzer and replay.c that is a crash with this input. */
_Noreturn void fuzz_fail(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

/* Ends the program because of the machine, not because of the input. */
static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(2);
}

/* Removes one file or directory, for nftw(3). */
static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info;
	(void)kind;
	(void)where;
	return remove(path);
}

/* Removes the scratch directory; a child that only inherited it leaves it. */
static void remove_root(void)
{
	if (getpid() == root_owner)
		nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Return: the scratch directory: below TMPDIR if that is set, else in memory where the machine has a place for it. */
const char *fuzz_root(void)
{
	const char *parent = getenv("TMPDIR");

	if (root[0])
		return root;
	if (!parent || !*parent)
		parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(root, sizeof(root), "%s/vferry-fuzz-XXXXXX", parent);
	if (!mkdtemp(root))
		give_up(root);
	root_owner = getpid();
	atexit(remove_root);
	if (sysroot_set(root) < 0)
		give_up(root);
	return root;
}

/* Makes the directories above a path that begins with the scratch directory. */
static void make_directories(char *path)
{
	for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			give_up(path);
		*slash = '/';
	}
}

/* path: "/etc/x", below the scratch directory. */
void fuzz_file(const char *path, const void *data, size_t size)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
	char full[PATH_MAX];
	autoclose int fd = -1;

	snprintf(full, sizeof(full), "%s%s", fuzz_root(), path);
	fd = open(full, flags, 0600);
	if (fd < 0 && errno == ENOENT) {
		make_directories(full);
		fd = open(full, flags, 0600);
	}
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		give_up(full);
}

/* path: as above. Return: its text for free(), NULL if it cannot be read. */
char *fuzz_read(const char *path)
{
	char *text = NULL;

	fuzz_root();
	return sysroot_slurp(&text, 64u << 20, "%s", path) < 0 ? NULL : text;
}

/* Return: the text for free(). */
char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		give_up("malloc");
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* See fuzz.h. why: was filled by the call that returned error. */
void fuzz_check_reason(int error, const int *allowed, const struct reason *why)
{
	char line[2048];

	while (*allowed && *allowed != error)
		allowed++;
	REQUIRE(*allowed == error);
	REQUIRE(why->error == error);
	REQUIRE(why->what[0]);
	REQUIRE(memchr(why->what, '\0', sizeof(why->what)) && memchr(why->cure, '\0', sizeof(why->cure)));
	REQUIRE(memchr(why->object, '\0', sizeof(why->object)));
	reason_format(why, "guest", line, sizeof(line));
	fuzz_check_clean(line);
}

/* See fuzz.h. */
void fuzz_check_clean(const char *text)
{
	size_t size = strlen(text) + 2;
	autofree char *clean = malloc(size);

	if (!clean)
		give_up("malloc");
	reason_clean(clean, size, text);
	REQUIRE(strcmp(clean, text) == 0);
	for (const char *c = text; *c; c++)
		REQUIRE((unsigned char)*c >= ' ' && *c != 0x7f);
}

/* See fuzz.h. */
void fuzz_check_address(const struct pci_address *address)
{
	REQUIRE(address->domain <= 0xfffff && address->slot <= 0x1f && address->function <= 7);
}

/* Demands that numbers and truth values below one JSON value are the same below another, where that has them. */
void fuzz_check_numbers(struct json_object *before, struct json_object *after)
{
	enum json_type type = json_object_get_type(before);

	if (json_object_get_type(after) != type)
		return;
	if (type == json_type_int)
		REQUIRE(json_object_get_int64(before) == json_object_get_int64(after));
	if (type == json_type_boolean)
		REQUIRE(json_object_get_boolean(before) == json_object_get_boolean(after));
	if (type == json_type_array && json_object_array_length(before) == json_object_array_length(after)) {
		for (size_t i = 0; i < json_object_array_length(before); i++)
			fuzz_check_numbers(json_object_array_get_idx(before, i), json_object_array_get_idx(after, i));
	}
	if (type == json_type_object) {
		json_object_object_foreach(before, key, value)
			fuzz_check_numbers(value, json_object_object_get(after, key));
	}
}

xmlNode *fuzz_next_element(xmlNode *node)
{
	do {
		if (node->children && node->type == XML_ELEMENT_NODE) {
			node = node->children;
		} else {
			while (node && !node->next)
				node = node->parent;
			node = node ? node->next : NULL;
		}
	} while (node && node->type != XML_ELEMENT_NODE);
	return node;
}
