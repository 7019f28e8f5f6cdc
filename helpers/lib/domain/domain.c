/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * domain.c: domain XML in and out. See domain.h.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mempcpy */
#endif

#include "domain/domain.h"

#include <errno.h>
#include <libxml/xmlsave.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "domain/viommu.h"
#include "domain/xml.h"
#include "domain/xml_cut.h"

#define WHAT "the domain XML"

/*
 * Return: what kind of device an element below <devices> is, -1 if it is no device of ours.
 */
static int kind_of(const xmlNode *node)
{
	if (xml_is(node, "hostdev"))
		return xml_attribute_is(node, "mode", "subsystem") && xml_attribute_is(node, "type", "pci") ? HOSTDEV_PLAIN : -1;
	if (!xml_is(node, "interface"))
		return -1;
	if (xml_attribute_is(node, "type", "hostdev"))
		return HOSTDEV_INTERFACE;
	return xml_attribute_is(node, "type", "network") ? HOSTDEV_POOL : -1;
}

/*
 * Reads <mac address=>. Return: 0; -EINVAL if it is doubled or no unicast address.
 */
static int read_mac(const xmlNode *node, struct hostdev *hostdev, struct reason *why)
{
	xmlNode *mac = NULL;
	char text[MAC_ADDRESS_LEN];
	int error = xml_only_child(node, "mac", &mac, why);

	if (error || !mac)
		return error;
	if (xml_attribute(mac, "address", text, sizeof(text)) < 0 || mac_address_parse(text, &hostdev->mac) < 0)
		return reason_set(why, -EINVAL, "", "the MAC address in line %ld is no MAC address", xmlGetLineNo(mac));
	hostdev->has_mac = true;
	return 0;
}

/*
 * Reads the guest's <address type='pci'>. Return: 0; -EINVAL if it is doubled or out of range.
 */
static int read_guest_address(const xmlNode *node, struct hostdev *hostdev, struct reason *why)
{
	xmlNode *address = NULL;
	int error = xml_only_child(node, "address", &address, why);

	if (error || !address || !xml_attribute_is(address, "type", "pci"))
		return error;
	if (xml_pci_address(address, &hostdev->guest) < 0)
		return reason_set(why, -EINVAL, "", "the PCI address in line %ld is no PCI address", xmlGetLineNo(address));
	hostdev->has_guest = true;
	return 0;
}

/*
 * Reads <driver model=>. Return: 0; -EINVAL if it is doubled or too long.
 */
static int read_model(const xmlNode *node, struct hostdev *hostdev, struct reason *why)
{
	xmlNode *driver = NULL;
	int error = xml_only_child(node, "driver", &driver, why);

	if (error || !driver)
		return error;
	if (xml_attribute(driver, "model", hostdev->model, sizeof(hostdev->model)) == -E2BIG)
		return reason_set(why, -EINVAL, "", "the driver model in line %ld is too long", xmlGetLineNo(driver));
	return 0;
}

/*
 * Reads where a device comes from: the host's PCI address, or the network of a pool.
 * Return: 0; -ENODEV if it is none of ours after all (a USB device, a network whose name no file can have); -EINVAL.
 */
static int read_source(const xmlNode *node, struct hostdev *hostdev, struct reason *why)
{
	xmlNode *element = NULL;
	char type[16];
	int error;

	if (hostdev->kind == HOSTDEV_POOL) {
		error = xml_only_child(node, "source", &element, why);
		if (error)
			return error;
		if (element && xml_attribute(element, "portgroup", hostdev->portgroup, sizeof(hostdev->portgroup)))
			*hostdev->portgroup = '\0';
		return element && xml_attribute(element, "network", hostdev->network, sizeof(hostdev->network)) == 0 ? 0 : -ENODEV;
	}
	error = xml_source_address(node, &element, &hostdev->source, why);
	if (error)
		return error;
	hostdev->has_source = element != NULL;
	hostdev->node = element;
	element = xml_child(node, "source");
	element = element ? xml_child(element, "address") : NULL;
	return !hostdev->has_source && element && xml_attribute(element, "type", type, sizeof(type)) != -ENOENT ? -ENODEV : 0;
}

/*
 * Reads one device.
 * Return: 0, -ENODEV, -EINVAL as read_source().
 */
static int read_device(const xmlNode *node, enum hostdev_kind kind, struct hostdev *hostdev, struct reason *why)
{
	int error;

	*hostdev = (struct hostdev){.kind = kind, .managed = xml_attribute_is(node, "managed", "yes"), .is_transient = xml_is_transient(node),
				    .extras = extras_read(node)};
	error = read_source(node, hostdev, why);
	if (!error)
		error = read_mac(node, hostdev, why);
	if (!error)
		error = read_guest_address(node, hostdev, why);
	return error ? error : read_model(node, hostdev, why);
}

/* Return: the passport's entry for a device: by MAC for an interface, by the guest's address for a plain hostdev; NULL. */
static const struct passport_vf *passport_of(const struct domain *domain, const struct hostdev *hostdev)
{
	if (hostdev->kind == HOSTDEV_PLAIN)
		return hostdev->has_guest ? passport_find_guest(&domain->passport, &hostdev->guest) : NULL;
	return hostdev->has_mac ? passport_find_mac(&domain->passport, &hostdev->mac) : NULL;
}

/* Adds a device. Return: 0, -ENOMEM. */
static int add_device(struct domain *domain, const struct hostdev *hostdev, struct reason *why)
{
	size_t n = domain->hostdevs;
	struct hostdev *grown = n & (n - 1) ? domain->hostdev : reallocarray(domain->hostdev, n ? 2 * n : 1, sizeof(*grown));

	if (!grown)
		return reason_set(why, -ENOMEM, "", "no memory for the guest's devices");
	domain->hostdev = grown;
	grown[n] = *hostdev;
	grown[n].passport = passport_of(domain, hostdev);
	domain->hostdevs++;
	return 0;
}

/*
 * Reads all devices below one <devices>; the passport has been read.
 * Return: 0, -EINVAL, -ENOMEM.
 */
static int read_devices(const xmlNode *devices, struct domain *domain, struct reason *why)
{
	for (xmlNode *node = devices->children; node; node = node->next) {
		int kind = kind_of(node), error;
		struct hostdev hostdev;

		if (kind < 0)
			continue;
		error = read_device(node, (enum hostdev_kind)kind, &hostdev, why);
		if (error == -ENODEV)
			continue;
		if (!error)
			error = add_device(domain, &hostdev, why);
		if (error)
			return error;
	}
	return 0;
}

/*
 * Reads <uuid> and <name>. libvirt allows neither '/' nor newline in a name (virDomainDefParseName, virXMLCheckIllegalChars), so such a
 * name was not written by libvirt.
 * Return: 0, -EINVAL.
 */
static int read_identity(const xmlNode *root, struct domain *domain, struct reason *why)
{
	xmlNode *uuid = NULL, *name = NULL;

	if (xml_only_child(root, "uuid", &uuid, why) < 0 || xml_only_child(root, "name", &name, why) < 0)
		return -EINVAL;
	if (!uuid || xml_uuid(uuid, domain->uuid, sizeof(domain->uuid)) < 0)
		return reason_set(why, -EINVAL, "", WHAT " has no valid <uuid>");
	if (!name || xml_text(name, domain->name, sizeof(domain->name)) < 0 || !domain->name[0] || strpbrk(domain->name, "/\n"))
		return reason_set(why, -EINVAL, "", WHAT " has no valid <name>");
	return 0;
}

/*
 * Reads all that is wanted out of the parsed document.
 * Return: 0, -EINVAL, -E2BIG.
 */
static int read_domain(const xmlNode *root, struct domain *domain, struct reason *why)
{
	xmlNode *metadata = NULL;
	int error;

	if (!root || !xml_is(root, "domain"))
		return reason_set(why, -EINVAL, "", WHAT " is not a <domain>");
	error = read_identity(root, domain, why);
	if (!error)
		error = xml_only_child(root, "metadata", &metadata, why);
	if (!error)
		error = passport_read(metadata, &domain->passport, why);
	domain->has_iommu = !error && viommu_read(root, domain->iommu_model, sizeof(domain->iommu_model));
	for (xmlNode *node = xml_child(root, "devices"); node && !error; node = xml_next(node, "devices"))
		error = read_devices(node, domain, why);
	return error;
}

/*
 * Leaves the content of <metadata> out of what is parsed, but for the passport, and keeps it to be printed.
 * len: of xml, becomes that of *shorter if there is one. Return: 0, -ENOMEM.
 */
static int cut_metadata(const char *xml, size_t *len, char **shorter, struct domain *domain, struct xml_part *cut)
{
	static const struct xml_keep what = {.depth = 1, .element = "passport"};
	size_t left = 0;
	int error = xml_cut_metadata(xml, *len, &what, shorter, &left, cut);

	if (!error && *shorter && memchr(xml + cut->begin, '\0', cut->end - cut->begin))
		free(scope_take(shorter)); /* all is parsed, and refused */
	if (error || !*shorter)
		return error;
	domain->metadata = strndup(xml + cut->begin, cut->end - cut->begin);
	*len = left;
	return domain->metadata ? 0 : -ENOMEM;
}

/*
 * xml, len: what libvirt wrote to the hook's stdin.
 * Return: 0, -EINVAL, -E2BIG, -ENOMEM.
 */
int domain_parse(const char *xml, size_t len, struct domain *domain, struct reason *why)
{
	autofree char *shorter = NULL;
	struct xml_part cut;
	xmlDoc *doc = NULL;
	int error;

	memset(domain, 0, sizeof(*domain));
	if (len > DOMAIN_XML_MAX)
		return reason_set(why, -E2BIG, "", WHAT " is longer than %u MiB", DOMAIN_XML_MAX >> 20);
	error = cut_metadata(xml, &len, &shorter, domain, &cut);
	if (error)
		return reason_set(why, error, "", "no memory to read " WHAT);
	error = xml_parse(shorter ? shorter : xml, len, WHAT, &doc, why);
	domain->document = doc;
	if (!error)
		error = read_domain(xmlDocGetRootElement(doc), domain, why);
	if (error)
		domain_release(domain);
	return error;
}

/* Frees the document and zeroes *domain. */
void domain_release(struct domain *domain)
{
	if (domain->document)
		xmlFreeDoc(domain->document);
	free(domain->hostdev);
	free(domain->metadata);
	memset(domain, 0, sizeof(*domain));
}

/*
 * Sets one attribute in place; libxml2 keeps its position among the others. digits: at least so many hexadecimal digits.
 * Return: 0, -ENOMEM.
 */
static int set_attribute(xmlNode *node, const char *name, int digits, unsigned int value)
{
	char text[16];

	snprintf(text, sizeof(text), "0x%0*x", digits, value);
	return xmlSetNsProp(node, NULL, (const xmlChar *)name, (const xmlChar *)text) ? 0 : -ENOMEM;
}

/*
 * index: of domain->hostdev. The text is what libvirt itself writes (virPCIDeviceAddressFormat: 0x%.4x, 0x%.2x, 0x%.2x, 0x%x).
 * Return: 0; -EINVAL if there is no such hostdev or it has no source address; -ENOMEM.
 */
int domain_set_source(struct domain *domain, size_t index, const struct pci_address *address)
{
	struct hostdev *hostdev = index < domain->hostdevs ? &domain->hostdev[index] : NULL;

	if (!hostdev || !hostdev->node)
		return -EINVAL;
	if (set_attribute(hostdev->node, "domain", 4, address->domain) < 0 ||
	    set_attribute(hostdev->node, "bus", 2, address->bus) < 0 ||
	    set_attribute(hostdev->node, "slot", 2, address->slot) < 0 ||
	    set_attribute(hostdev->node, "function", 1, address->function) < 0)
		return -ENOMEM;
	hostdev->source = *address;
	return 0;
}

/*
 * Prints the document. text: receives it, malloc'ed. Return: its length, -ENOMEM.
 */
static long print_document(xmlDoc *document, char **text)
{
	xmlBuffer *buffer = xmlBufferCreate();
	xmlSaveCtxt *save = buffer ? xmlSaveToBuffer(buffer, "UTF-8", XML_SAVE_NO_DECL) : NULL;
	long length = -ENOMEM;

	if (save) {
		bool is_saved = xmlSaveDoc(save, document) >= 0;

		if (xmlSaveClose(save) >= 0 && is_saved)
			length = xmlBufferLength(buffer);
	}
	*text = length >= 0 ? strndup((const char *)xmlBufferContent(buffer), (size_t)length) : NULL;
	if (buffer)
		xmlBufferFree(buffer);
	return *text ? length : -ENOMEM;
}

/* Return: the element whose content was left out: the first <metadata> without a prefix, of whatever namespace. */
static xmlNode *find_metadata(const struct domain *domain)
{
	xmlNode *node = xmlDocGetRootElement(domain->document)->children;

	while (node && (node->type != XML_ELEMENT_NODE || !xmlStrEqual(node->name, (const xmlChar *)"metadata") || (node->ns && node->ns->prefix)))
		node = node->next;
	return node;
}

/*
 * Prints the document with a word in its metadata.
 * word: text of an element. text: receives it. Return: its length, -ENOMEM, -EINVAL.
 */
static long print_with_word(const struct domain *domain, xmlNode *metadata, const char *word, int word_len, char **text)
{
	xmlNode *content = metadata->children, *last = metadata->last, *node = xmlNewTextLen((const xmlChar *)word, word_len);
	long length;

	if (!node)
		return -ENOMEM;
	node->parent = metadata;
	metadata->children = metadata->last = node;
	length = print_document(domain->document, text);
	metadata->children = content;
	metadata->last = last;
	xmlFreeNode(node);
	return length;
}

/*
 * Prints the document with a place in it, ">PLACE<", where the content of <metadata> belongs.
 * place, size: receive the word, which is nowhere in what is printed. Return: as print_document().
 */
static long print_with_place(const struct domain *domain, char *place, size_t size, char **text)
{
	xmlNode *metadata = find_metadata(domain);

	for (unsigned int n = 0; metadata && n < 1000; n++) {
		const char *found;
		long length;

		snprintf(place, size, ">vferry-metadata-%u<", n);
		length = print_with_word(domain, metadata, place + 1, (int)strlen(place) - 2, text);
		if (length < 0)
			return length;
		found = strstr(*text, place);
		if (found && !strstr(found + 1, place))
			return length;
		free(*text);
		*text = NULL;
	}
	return -EINVAL;
}

/*
 * xml: receives the text in UTF-8, without an XML declaration, as libvirt writes it.
 * Return: its length, -ENOMEM, -EINVAL.
 */
long domain_print(const struct domain *domain, char **xml)
{
	autofree char *printed = NULL;
	char place[48], *at, *text;
	size_t before, content;
	long length;

	if (!domain->metadata)
		return print_document(domain->document, xml);
	length = print_with_place(domain, place, sizeof(place), &printed);
	if (length < 0)
		return length;
	content = strlen(domain->metadata);
	length += (long)content - (long)strlen(place) + 2;
	text = malloc((size_t)length + 1);
	if (!text)
		return -ENOMEM;
	before = (size_t)(strstr(printed, place) - printed) + 1;
	at = mempcpy(text, printed, before);
	at = mempcpy(at, domain->metadata, content);
	memcpy(at, printed + before + strlen(place) - 2, strlen(printed + before + strlen(place) - 2) + 1);
	*xml = text;
	return length;
}
