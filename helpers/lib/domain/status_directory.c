/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * status_directory.c: the files of libvirt's status directory, read once or again and again. See status.h; status.c reads one file.
 *
 * libvirt replaces a status file by writing NAME.xml.new and renaming it (virFileRewrite). readdir(3) may miss a name that is replaced
 * while it runs, so the directory is listed twice and the names of both lists are read.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem, O_PATH */
#endif

#include "domain/status.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/scope.h"
#include "base/sysroot.h"

#define NAMES_MAX 8192 /* status files of one host */
#define SUFFIX ".xml"

/* The names in the status directory, without ".xml". */
struct names {
	char (*name)[NAME_MAX + 1];
	size_t count, size;
};

/* Frees a list of names. */
static void names_release(struct names *names)
{
	free(names->name);
}

/*
 * Adds a directory entry if it is a status file: libvirt takes every name with this end but the end alone, also one that begins with a dot
 * (src/conf/virdomainobjlist.c, virDomainObjListLoadAllConfigs()). Return: 0, -ENOMEM, -E2BIG.
 */
static int names_add(struct names *names, const char *entry)
{
	size_t length = strlen(entry), suffix = strlen(SUFFIX);

	if (length <= suffix || length > NAME_MAX || strcmp(entry + length - suffix, SUFFIX) != 0)
		return 0;
	length -= suffix;
	if (names->count == 2 * NAMES_MAX)
		return -E2BIG;
	if (names->count == names->size) {
		size_t size = names->size ? 2 * names->size : 64;
		char (*grown)[NAME_MAX + 1] = reallocarray(names->name, size, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		names->name = grown;
		names->size = size;
	}
	memcpy(names->name[names->count], entry, length);
	names->name[names->count++][length] = '\0';
	return 0;
}

/* Orders names, for qsort(3). */
static int names_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/*
 * Orders the names and keeps each once. Return: 0, -E2BIG.
 */
static int names_settle(struct names *names)
{
	size_t kept = 0;

	if (names->count)
		qsort(names->name, names->count, sizeof(*names->name), names_compare);
	for (size_t i = 0; i < names->count; i++)
		if (i == 0 || strcmp(names->name[i], names->name[kept - 1]) != 0)
			memmove(names->name[kept++], names->name[i], sizeof(*names->name));
	names->count = kept;
	return kept > NAMES_MAX ? -E2BIG : 0;
}

/*
 * Lists the directory once into names. Return: 0 (also when it is absent), negative errno.
 */
static int names_list(struct names *names)
{
	autoclosedir DIR *directory = sysroot_opendir(STATUS_DIRECTORY);
	int error = 0;

	if (!directory)
		return errno == ENOENT ? 0 : -errno;
	for (struct dirent *entry; !error && (errno = 0, entry = readdir(directory));)
		error = names_add(names, entry->d_name);
	return error ? error : -errno;
}

/*
 * Lists the directory twice. Return: 0, negative errno with *why.
 */
static int names_read(struct names *names, struct reason *why)
{
	int error = names_list(names);

	if (!error)
		error = names_list(names);
	if (!error)
		error = names_settle(names);
	if (error)
		return reason_set(why, error, STATUS_DIRECTORY, "libvirt's status directory cannot be read: %s", strerror(-error));
	return 0;
}

/*
 * Reads and parses one file. uuid: NULL, or what the file must contain somewhere.
 * Return: 0; -ENOENT if it has gone, or does not contain uuid; -EINVAL and others if it cannot be read.
 */
static int read_file(const char *name, const char *uuid, struct status *status, struct reason *why)
{
	autofree char *text = NULL;
	ssize_t length = sysroot_slurp(&text, DOMAIN_XML_MAX, STATUS_DIRECTORY "/%s" SUFFIX, name);
	int error;

	if (length == -ENOENT)
		return -ENOENT;
	if (length < 0)
		return reason_set(why, (int)length, name, "libvirt's status file cannot be read: %s", strerror((int)-length));
	if (uuid && !memmem(text, (size_t)length, uuid, strlen(uuid)))
		return -ENOENT;
	error = status_parse(text, (size_t)length, status, why);
	if (error && why)
		snprintf(why->object, sizeof(why->object), "%.100s" SUFFIX, name);
	return error;
}

/*
 * Adds a status to the list; the list owns it then. Return: 0, -ENOMEM (the status is released).
 */
static int list_add(struct status_list *list, struct status *status)
{
	struct status *grown = reallocarray(list->status, list->count + 1, sizeof(*grown));

	if (!grown) {
		status_release(status);
		return -ENOMEM;
	}
	list->status = grown;
	grown[list->count++] = *status;
	return 0;
}

/*
 * Takes what reading a file came to into the list: a guest, or one more file that cannot be read; one that has gone is nothing.
 * Return: 0, -ENOMEM.
 */
static int list_take(struct status_list *list, struct status *status, int error)
{
	if (!error)
		return list_add(list, status);
	list->unreadable += error != -ENOENT;
	return error == -ENOMEM ? error : 0;
}

/*
 * Ends reading: a list that is not whole is none. Return: error.
 */
static int list_end(struct status_list *list, int error, struct reason *why)
{
	if (error == -ENOMEM)
		reason_set(why, error, STATUS_DIRECTORY, "no memory to read libvirt's status files");
	if (error)
		status_list_release(list);
	return error;
}

/*
 * list: receives all guests, for status_list_release(); zeroed on failure.
 * Return: 0, negative errno.
 */
int status_read_all(struct status_list *list, struct reason *why)
{
	__attribute__((cleanup(names_release))) struct names names = {0};
	int error = names_read(&names, why);

	*list = (struct status_list){0};
	for (size_t i = 0; i < names.count && !error; i++) {
		struct status status;

		error = read_file(names.name[i], NULL, &status, NULL);
		error = list_take(list, &status, error);
	}
	return list_end(list, error, why);
}

/* A file that was read. */
struct status_kept {
	char name[NAME_MAX + 1];
	struct stat file;
	struct status status;
};

/* Return: whether a file is still the one that was read. */
static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Orders what was read by the names of the files, for bsearch(3). */
static int kept_compare(const void *name, const void *kept)
{
	return strcmp(name, ((const struct status_kept *)kept)->name);
}

/*
 * Reads one file, or takes it over from the cache. The file is looked at first: if it is replaced before it is read, it is read again the
 * next time. kept: receives it. Return: see read_file().
 */
static int keep_file(struct status_cache *cache, const char *name, struct status_kept *kept)
{
	struct status_kept *before = cache->count ? bsearch(name, cache->kept, cache->count, sizeof(*before), kept_compare) : NULL;
	char path[PATH_MAX];
	int error = sysroot_path(path, sizeof(path), STATUS_DIRECTORY "/%s" SUFFIX, name);

	if (error || lstat(path, &kept->file) < 0)
		return error ? error : -errno;
	if (before && is_same_file(&before->file, &kept->file)) {
		*kept = *before;
		before->status = (struct status){0};
		return 0;
	}
	snprintf(kept->name, sizeof(kept->name), "%s", name);
	return read_file(name, NULL, &kept->status, NULL);
}

/*
 * Copies a status. Return: 0, -ENOMEM.
 */
static int copy_status(struct status *copy, const struct status *status)
{
	*copy = *status;
	copy->device = status->devices ? calloc(status->devices, sizeof(*copy->device)) : NULL;
	copy->mac = status->macs ? calloc(status->macs, sizeof(*copy->mac)) : NULL;
	if ((status->devices && !copy->device) || (status->macs && !copy->mac)) {
		status_release(copy);
		return -ENOMEM;
	}
	for (size_t i = 0; i < status->devices; i++)
		copy->device[i] = status->device[i];
	for (size_t i = 0; i < status->macs; i++)
		copy->mac[i] = status->mac[i];
	return 0;
}

/*
 * Reads the files of the names into an empty cache, or takes them over from the one before; list receives copies.
 * Return: 0, -ENOMEM.
 */
static int fill_cache(struct status_cache *cache, struct status_cache *before, const struct names *names, struct status_list *list)
{
	int error = 0;

	cache->kept = names->count ? calloc(names->count, sizeof(*cache->kept)) : NULL;
	if (names->count && !cache->kept)
		return -ENOMEM;
	for (size_t i = 0; i < names->count && !error; i++) {
		struct status_kept *kept = &cache->kept[cache->count];
		struct status copy;

		error = keep_file(before, names->name[i], kept);
		if (!error) {
			cache->count++;
			error = copy_status(&copy, &kept->status);
		}
		error = list_take(list, &copy, error);
	}
	return error;
}

/*
 * cache: what was read before; zeroed on failure. list: receives all guests, for status_list_release(); zeroed on failure.
 * Return: 0, negative errno.
 */
int status_read_new(struct status_cache *cache, struct status_list *list, struct reason *why)
{
	__attribute__((cleanup(names_release))) struct names names = {0};
	__attribute__((cleanup(status_cache_release))) struct status_cache before = *cache;
	int error = names_read(&names, why);

	*list = (struct status_list){0};
	*cache = (struct status_cache){0};
	if (!error)
		error = fill_cache(cache, &before, &names, list);
	if (error)
		status_cache_release(cache);
	return list_end(list, error, why);
}

/*
 * uuid: lower case. status: receives it, for status_release().
 * Return: 0, -ENOENT, other negative errno.
 */
int status_read(const char *uuid, struct status *status, struct reason *why)
{
	__attribute__((cleanup(names_release))) struct names names = {0};
	int error = names_read(&names, why), broken = 0;

	if (error)
		return error;
	for (size_t i = 0; i < names.count; i++) {
		error = read_file(names.name[i], uuid, status, why);
		if (error && error != -ENOENT)
			broken = error;
		if (error)
			continue;
		if (strcmp(status->uuid, uuid) == 0)
			return 0;
		status_release(status);
	}
	return broken ? broken : reason_set(why, -ENOENT, "", "libvirt has no status file for the guest");
}

/* Frees the cache and zeroes it. */
void status_cache_release(struct status_cache *cache)
{
	for (size_t i = 0; i < cache->count; i++)
		status_release(&cache->kept[i].status);
	free(cache->kept);
	memset(cache, 0, sizeof(*cache));
}

/* Frees the list and zeroes it. */
void status_list_release(struct status_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		status_release(&list->status[i]);
	free(list->status);
	memset(list, 0, sizeof(*list));
}

/* Return: the guest, NULL. */
const struct status *status_find_device(const struct status_list *list, const struct pci_address *device)
{
	for (size_t i = 0; i < list->count; i++)
		for (size_t j = 0; j < list->status[i].devices; j++)
			if (pci_address_equal(&list->status[i].device[j], device))
				return &list->status[i];
	return NULL;
}

/* Return: the guest, NULL. */
const struct status *status_find_uuid(const struct status_list *list, const char *uuid)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->status[i].uuid, uuid) == 0)
			return &list->status[i];
	return NULL;
}
