/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * status.c: libvirt's status directory. See status.h.
 *
 * libvirt replaces a status file by writing NAME.xml.new and renaming it (virFileRewrite). readdir(3) may miss a name that is replaced
 * while it runs, so the directory is listed twice and the names of both lists are read.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif

#include "domain/status.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/sysroot.h"
#include "domain/xml.h"

#define NAMES_MAX 8192 /* status files of one host */
#define SUFFIX ".xml"

/*
 * Adds a device to a status. Return: 0, -ENOMEM.
 */
static int add_device(struct status *status, const struct pci_address *address)
{
	struct pci_address *grown = reallocarray(status->device, status->devices + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	status->device = grown;
	grown[status->devices++] = *address;
	return 0;
}

/*
 * Return: the element whose <source><address> tells which host device an element of <devices> uses: a PCI <hostdev>, an
 * <interface type='hostdev'>, or the <actual type='hostdev'> of an interface of a pool (conf/domain_conf.c); NULL for any other.
 */
static const xmlNode *device_holder(const xmlNode *node)
{
	const xmlNode *actual;

	if (xml_is(node, "hostdev"))
		return xml_attribute_is(node, "type", "pci") ? node : NULL;
	if (!xml_is(node, "interface"))
		return NULL;
	if (xml_attribute_is(node, "type", "hostdev"))
		return node;
	actual = xml_child(node, "actual");
	return actual && xml_attribute_is(actual, "type", "hostdev") ? actual : NULL;
}

/*
 * Collects the host PCI devices of a <domain>. Return: 0, -EINVAL, -ENOMEM.
 */
static int read_devices(const xmlNode *domain, struct status *status, struct reason *why)
{
	xmlNode *devices = xml_child(domain, "devices");

	for (xmlNode *node = devices ? devices->children : NULL; node; node = node->next) {
		const xmlNode *holder = device_holder(node);
		struct pci_address source;
		xmlNode *address = NULL;
		int error = holder ? xml_source_address(holder, &address, &source, why) : 0;

		if (!error && address)
			error = add_device(status, &source);
		if (error)
			return error;
	}
	return 0;
}

/*
 * Reads <job>: its attribute async names the long job (virDomainAsyncJob), type a short one.
 */
static void read_job(const xmlNode *root, struct status *status)
{
	const xmlNode *job = xml_child(root, "job");
	char text[32];

	status->job = STATUS_NO_JOB;
	if (!job)
		return;
	xml_attribute(job, "phase", status->phase, sizeof(status->phase));
	if (xml_attribute(job, "flags", text, sizeof(text)) == 0)
		status->flags = (unsigned int)strtoul(text, NULL, 0);
	if (xml_attribute(job, "asyncStarted", text, sizeof(text)) == 0)
		status->started = strtoull(text, NULL, 10);
	if (xml_attribute(job, "async", text, sizeof(text)) == 0 && strcmp(text, "none") != 0)
		status->job = strcmp(text, "migration in") == 0    ? STATUS_MIGRATION_IN
			      : strcmp(text, "migration out") == 0 ? STATUS_MIGRATION_OUT
								   : STATUS_OTHER_JOB;
	else if (xml_attribute(job, "type", text, sizeof(text)) == 0 && strcmp(text, "none") != 0)
		status->job = STATUS_OTHER_JOB;
}

/*
 * Reads a parsed status file. Return: 0, -EINVAL, -ENOMEM.
 */
static int read_root(const xmlNode *root, struct status *status, struct reason *why)
{
	const xmlNode *domain = root && xml_is(root, "domstatus") ? xml_child(root, "domain") : NULL;
	const xmlNode *uuid = domain ? xml_child(domain, "uuid") : NULL, *name = domain ? xml_child(domain, "name") : NULL;

	if (!uuid || !name || xml_uuid(uuid, status->uuid, sizeof(status->uuid)) < 0 ||
	    xml_text(name, status->name, sizeof(status->name)) < 0)
		return reason_set(why, -EINVAL, "", "the status file is not one of libvirt's");
	xml_attribute(root, "state", status->state, sizeof(status->state));
	xml_attribute(root, "reason", status->state_reason, sizeof(status->state_reason));
	read_job(root, status);
	return read_devices(domain, status, why);
}

/*
 * Parses the text of a status file. Return: 0, -EINVAL, -ENOMEM.
 */
static int parse_status(const char *text, size_t len, struct status *status, struct reason *why)
{
	autoxmldoc xmlDoc *doc = NULL;
	int error = xml_parse(text, len, "the status file", &doc, why);

	memset(status, 0, sizeof(*status));
	if (!error)
		error = read_root(xmlDocGetRootElement(doc), status, why);
	if (error)
		status_release(status);
	return error;
}

/*
 * Finds where the devices of a status file begin, if none of them is a host device: they are most of the file, and a host has many guests
 * that have no VF. libvirt writes one element a line, indented by two blanks a level (src/util/virbuffer.c).
 * text, len: the file. room: bytes that must follow. Return: their place in text; NULL if all must be read.
 */
static char *find_devices(char *text, size_t len, size_t room)
{
	static const char begin[] = "\n    <devices>\n", end[] = "</domstatus>\n";
	char *devices = memmem(text, len, begin, strlen(begin));

	if (!devices || (size_t)(text + len - devices) < room || memmem(text, len, "hostdev", strlen("hostdev")))
		return NULL;
	return strlen(text) == len && strcmp(text + len - strlen(end), end) == 0 ? devices : NULL; /* else it is not whole */
}

/*
 * Parses a status file without its devices if that is enough. Where the cut hit something else, it is no XML any more: then all is parsed.
 * text, len: the file; ends with NUL; changed. Return: 0, -EINVAL, -ENOMEM.
 */
static int parse_quickly(char *text, size_t len, struct status *status, struct reason *why)
{
	static const char end[] = "</domain></domstatus>";
	char saved[sizeof(end)], *devices = find_devices(text, len, sizeof(end));

	if (devices) {
		memcpy(saved, devices, sizeof(saved));
		memcpy(devices, end, sizeof(end));
		if (parse_status(text, (size_t)(devices - text) + strlen(end), status, NULL) == 0)
			return 0;
		memcpy(devices, saved, sizeof(saved));
	}
	return parse_status(text, len, status, why);
}

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
 * Adds a directory entry if it is a status file. Return: 0, -ENOMEM, -E2BIG.
 */
static int names_add(struct names *names, const char *entry)
{
	size_t length = strlen(entry), suffix = strlen(SUFFIX);

	if (length <= suffix || length > NAME_MAX || entry[0] == '.' || strcmp(entry + length - suffix, SUFFIX) != 0)
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
	error = parse_quickly(text, (size_t)length, status, why);
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
		int result = read_file(names.name[i], NULL, &status, NULL);

		if (result == 0)
			error = list_add(list, &status);
		else if (result == -ENOMEM)
			error = result;
		else if (result != -ENOENT)
			list->unreadable++;
	}
	if (error == -ENOMEM)
		reason_set(why, error, STATUS_DIRECTORY, "no memory to read libvirt's status files");
	if (error)
		status_list_release(list);
	return error;
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

/* Frees the devices and zeroes *status. */
void status_release(struct status *status)
{
	free(status->device);
	memset(status, 0, sizeof(*status));
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

/*
 * Return: see status.h.
 *
 * A missing job is not enough: when the client of a migration is lost, libvirt throws the job of the incoming guest away and then ends
 * it (src/qemu/qemu_process.c, qemuProcessAutoDestroy), and QEMU's last event makes its state "shutdown". A guest is paused for these
 * reasons (src/conf/domain_conf.c, virDomainPausedReason) without ever having run here.
 */
bool status_is_landed(const struct status *status)
{
	static const char *const before[] = { "migration", "starting up", "unknown", "shutdown" };

	if (status->job == STATUS_MIGRATION_IN)
		return false;
	if (status->job == STATUS_MIGRATION_OUT || strcmp(status->state, "running") == 0 || strcmp(status->state, "pmsuspended") == 0)
		return true;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		if (strcmp(status->state_reason, before[i]) == 0)
			return false;
	return strcmp(status->state, "paused") == 0;
}
