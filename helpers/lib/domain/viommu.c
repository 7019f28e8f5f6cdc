/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * viommu.c: a guest's own IOMMU. See viommu.h.
 */
#include "domain/viommu.h"

#include <stdio.h>
#include <string.h>

#include "domain/xml.h"

#define QEMU_NAMESPACE "http://libvirt.org/schemas/domain/qemu/1.0" /* libvirt, src/qemu/qemu_domain.c */

/*
 * Return: whether a text names an IOMMU among QEMU's devices: intel-iommu, amd-iommu, virtio-iommu-pci, arm-smmuv3
 */
static bool names_iommu(const char *text)
{
	return strstr(text, "-iommu") || strstr(text, "smmuv3");
}

/*
 * is_iommu() - whether an argument of QEMU makes one
 * @option:	argument before it
 * @value:	"intel-iommu,intremap=on", "{"driver":"intel-iommu"}" behind -device; "q35,iommu=smmuv3" behind -machine; cut to what names it
 */
static bool is_iommu(const char *option, char *value)
{
	char *found;

	if (strcmp(option, "-device") == 0 || strcmp(option, "--device") == 0) {
		if (*value != '{')
			value[strcspn(value, ",")] = '\0';
		return names_iommu(value);
	}
	if (strcmp(option, "-machine") && strcmp(option, "--machine") && strcmp(option, "-M"))
		return false;
	found = strstr(value, "iommu=");
	if (!found || strncmp(found, "iommu=none", 10) == 0)
		return false;
	found[strcspn(found, ",")] = '\0';
	memmove(value, found, strlen(found) + 1);
	return true;
}

/*
 * read_arguments() - looks for one in <qemu:commandline>
 */
static bool read_arguments(const xmlNode *line, char *model, size_t size)
{
	char option[512] = "", value[512];

	for (const xmlNode *node = line->children; node; node = node->next) {
		if (node->type != XML_ELEMENT_NODE || !xmlStrEqual(node->name, (const xmlChar *)"arg"))
			continue;
		if (xml_attribute(node, "value", value, sizeof(value)))
			*value = '\0';
		if (is_iommu(option, value)) {
			snprintf(model, size, "%s", value);
			return true;
		}
		memcpy(option, value, sizeof(option));
	}
	return false;
}

/* Return: whether the guest has one. */
bool viommu_read(const struct _xmlNode *domain, char *model, size_t size)
{
	*model = '\0';
	for (const xmlNode *devices = xml_child(domain, "devices"); devices; devices = xml_next(devices, "devices")) {
		const xmlNode *iommu = xml_child(devices, "iommu");

		if (!iommu)
			continue;
		xml_attribute(iommu, "model", model, size);
		return true;
	}
	for (const xmlNode *node = domain->children; node; node = node->next) {
		if (node->type == XML_ELEMENT_NODE && node->ns && xmlStrEqual(node->ns->href, (const xmlChar *)QEMU_NAMESPACE) &&
		    xmlStrEqual(node->name, (const xmlChar *)"commandline") && read_arguments(node, model, size))
			return true;
	}
	return false;
}
