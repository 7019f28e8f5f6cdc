/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * digest.c: a running guest as a short domain XML. See digest.h.
 */
#include "domain/digest.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/sysroot.h"
#include "domain/passport.h"
#include "domain/status.h"
#include "domain/xml.h"

#define BAD_CAST_OF(text) ((const xmlChar *)(text))

/*
 * Copies an element with all that is in it, if it is there. Return: 0, -ENOMEM.
 */
static int copy(const xmlNode *from, const char *name, xmlNode *to)
{
	xmlNode *node = xml_child(from, name), *copied = node ? xmlDocCopyNode(node, to->doc, 1) : NULL;

	if (copied)
		xmlAddChild(to, copied);
	return node && !copied ? -ENOMEM : 0;
}

/*
 * Adds an element of a name and copies one child into it, if the original has it. Return: 0, -ENOMEM.
 */
static int copy_inner(const xmlNode *from, const char *outer, const char *inner, xmlNode *to)
{
	xmlNode *node = xml_child(from, outer), *made;

	if (!node || !xml_child(node, inner))
		return 0;
	made = xmlNewChild(to, NULL, BAD_CAST_OF(outer), NULL);
	return made ? copy(node, inner, made) : -ENOMEM;
}

/*
 * Copies the devices that decide. Return: 0, -ENOMEM.
 */
static int copy_devices(const xmlNode *from, xmlNode *to)
{
	xmlNode *devices = xml_child(from, "devices"), *made = xmlNewChild(to, NULL, BAD_CAST_OF("devices"), NULL);

	if (!made)
		return -ENOMEM;
	for (xmlNode *node = devices ? devices->children : NULL; node; node = node->next) {
		xmlNode *copied;

		if (!xml_is(node, "interface") && !xml_is(node, "hostdev") && !xml_is(node, "iommu"))
			continue;
		copied = xmlDocCopyNode(node, to->doc, 1);
		if (!copied)
			return -ENOMEM;
		xmlAddChild(made, copied);
	}
	return 0;
}

/*
 * Copies the passport. Return: 0, -ENOMEM.
 */
static int copy_passport(const xmlNode *from, xmlNode *to)
{
	xmlNode *metadata = xml_child(from, "metadata"), *made = NULL;

	for (xmlNode *node = metadata ? metadata->children : NULL; node; node = node->next) {
		xmlNode *copied;

		if (node->type != XML_ELEMENT_NODE || !node->ns || strcmp((const char *)node->ns->href, PASSPORT_NAMESPACE) != 0)
			continue;
		made = made ? made : xmlNewChild(to, NULL, BAD_CAST_OF("metadata"), NULL);
		copied = made ? xmlDocCopyNode(node, to->doc, 1) : NULL;
		if (!copied)
			return -ENOMEM;
		xmlAddChild(made, copied);
	}
	return 0;
}

/*
 * Copies what decides. Return: 0, -ENOMEM.
 */
static int fill(const xmlNode *from, xmlNode *to)
{
	static const char *const whole[] = { "name", "uuid", "memory", "vcpu", "memoryBacking", "memtune", "cpu" };
	char type[32];
	int error = copy_passport(from, to);

	if (xml_attribute(from, "type", type, sizeof(type)) == 0 && !xmlNewProp(to, BAD_CAST_OF("type"), BAD_CAST_OF(type)))
		return -ENOMEM;
	for (size_t i = 0; !error && i < sizeof(whole) / sizeof(whole[0]); i++)
		error = copy(from, whole[i], to);
	if (!error)
		error = copy_inner(from, "os", "type", to);
	return error ? error : copy_devices(from, to);
}

/*
 * Writes the short document. Return: 0, -ENOMEM.
 */
static int write_short(const xmlNode *domain, char **xml)
{
	autoxmldoc xmlDoc *doc = xmlNewDoc(BAD_CAST_OF("1.0"));
	xmlNode *root = doc ? xmlNewDocNode(doc, NULL, BAD_CAST_OF("domain"), NULL) : NULL;
	xmlBuffer *buffer;
	int error;

	if (!root)
		return -ENOMEM;
	xmlDocSetRootElement(doc, root);
	error = fill(domain, root);
	if (error)
		return error;
	buffer = xmlBufferCreate();
	if (buffer && xmlNodeDump(buffer, doc, root, 0, 0) > 0)
		*xml = strdup((const char *)xmlBufferContent(buffer));
	if (buffer)
		xmlBufferFree(buffer);
	return *xml ? 0 : -ENOMEM;
}

/*
 * name: of the guest, not trusted: libvirt's file of it has this name. xml: receives the document, NULL on failure.
 * Return: 0; -ENOENT; -EINVAL, -ENOMEM and others with *why.
 */
int digest_read(const char *name, char **xml, struct reason *why)
{
	autofree char *text = NULL;
	autoxmldoc xmlDoc *doc = NULL;
	const xmlNode *root, *domain;
	ssize_t length;
	int error;

	*xml = NULL;
	if (!*name || *name == '.' || strchr(name, '/') || strlen(name) + 4 > NAME_MAX)
		return -ENOENT;
	length = sysroot_slurp(&text, DOMAIN_XML_MAX, STATUS_DIRECTORY "/%s.xml", name);
	if (length == -ENOENT)
		return -ENOENT;
	if (length < 0)
		return reason_set(why, (int)length, name, "libvirt's status file cannot be read: %s", strerror((int)-length));
	error = xml_parse(text, (size_t)length, "the status file", &doc, why);
	if (error)
		return error;
	root = xmlDocGetRootElement(doc);
	domain = root && xml_is(root, "domstatus") ? xml_child(root, "domain") : NULL;
	if (!domain)
		return reason_set(why, -EINVAL, name, "the status file is not one of libvirt's");
	error = write_short(domain, xml);
	return error ? reason_set(why, error, name, "out of memory") : 0;
}
