/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * definitions.c: which PCI devices guests are defined with. See definitions.h.
 *
 * A host may have very many definitions, of which few name a device of the host: only those are parsed.
 */
#include "domain/definitions.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/sysroot.h"

#define MAX_DEFINITIONS 8192

/* Adds a device of a definition. Return: 0, -ENOMEM. */
static int add(struct definition_list *list, const struct domain *domain, const struct pci_address *device)
{
	struct definition *larger = list->definition, *added;

	if (list->count == MAX_DEFINITIONS)
		return 0;
	if (list->count % 32 == 0)
		larger = reallocarray(list->definition, list->count + 32, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	list->definition = larger;
	added = &list->definition[list->count++];
	memcpy(added->uuid, domain->uuid, sizeof(added->uuid));
	memcpy(added->name, domain->name, sizeof(added->name));
	added->device = *device;
	return 0;
}

/* Reads one file. Return: 0, -ENOMEM. */
static int read_file(struct definition_list *list, const char *name)
{
	autofree char *text = NULL;
	struct domain domain = { 0 };
	ssize_t length = sysroot_slurp(&text, DOMAIN_XML_MAX, DEFINITIONS_DIRECTORY "/%s", name);
	int error = 0;

	if (length <= 0 || !strstr(text, "hostdev") || domain_parse(text, (size_t)length, &domain, NULL))
		return 0;
	for (size_t i = 0; !error && i < domain.hostdevs; i++) {
		if (domain.hostdev[i].has_source)
			error = add(list, &domain, &domain.hostdev[i].source);
	}
	domain_release(&domain);
	return error;
}

/* Reads the directory; see the header. */
int definitions_read(struct definition_list *list)
{
	autoclosedir DIR *directory = sysroot_opendir(DEFINITIONS_DIRECTORY);
	const struct dirent *entry;
	int error = 0;

	memset(list, 0, sizeof(*list));
	while (directory && !error && (entry = readdir(directory))) {
		size_t length = strlen(entry->d_name);

		if (entry->d_name[0] != '.' && length > 4 && strcmp(entry->d_name + length - 4, ".xml") == 0)
			error = read_file(list, entry->d_name);
	}
	if (error)
		definitions_release(list);
	return error;
}

/* Frees a list; harmless on a zeroed struct. */
void definitions_release(struct definition_list *list)
{
	free(list->definition);
	memset(list, 0, sizeof(*list));
}

/* The definition with a device; see the header. */
const struct definition *definitions_find(const struct definition_list *list, const struct pci_address *device, const char *uuid)
{
	for (size_t i = 0; list && i < list->count; i++) {
		const struct definition *definition = &list->definition[i];

		if (pci_address_equal(&definition->device, device) && (!uuid || strcmp(definition->uuid, uuid) != 0))
			return definition;
	}
	return NULL;
}
