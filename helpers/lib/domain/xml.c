/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xml.c: reading XML that is not trusted, with libxml2. See xml.h.
 */
#include "domain/xml.h"

#include <errno.h>
#include <libxml/parser.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/scope.h"
#include "domain/xml_cut.h"

#define NAME(text) ((const xmlChar *)(text))

/*
 * The parser's call at a document type declaration (internalSubsetSAXFunc), before anything in it is read: notes it and stops. Entities
 * can be declared nowhere else, so none is ever expanded.
 */
static void refuse_doctype(void *context, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
	xmlParserCtxt *parser = context;

	(void)name;
	(void)public_id;
	(void)system_id;
	*(bool *)parser->_private = true;
	xmlStopParser(parser);
}

/*
 * Puts what the parser found wrong into *why.
 * Return: -EINVAL, or -ENOMEM when that was it.
 */
static int parse_error(xmlParserCtxt *parser, const char *what, struct reason *why)
{
	const xmlError *error = xmlCtxtGetLastError(parser);
	char message[256] = "";

	if (error && error->code == XML_ERR_NO_MEMORY)
		return reason_set(why, -ENOMEM, "", "no memory to read %s", what);
	if (error && error->message)
		snprintf(message, sizeof(message), ": %.*s", (int)strcspn(error->message, "\n"), error->message);
	return reason_set(why, -EINVAL, "", "%s does not parse, line %d%s", what, error ? error->line : 0, message);
}

/*
 * Whether the bytes are what the parser should see at all.
 * Return: 0; -EINVAL, -E2BIG with *why.
 */
static int check_bytes(const char *text, size_t len, const char *what, struct reason *why)
{
	long line;

	if (len == 0)
		return reason_set(why, -EINVAL, "", "%s is empty", what);
	if (len >= 2 && (memcmp(text, "\xfe\xff", 2) == 0 || memcmp(text, "\xff\xfe", 2) == 0))
		return reason_set(why, -EINVAL, "", "%s is not in UTF-8", what);
	if (memchr(text, '\0', len))
		return reason_set(why, -EINVAL, "", "%s holds a zero byte", what);
	if (len > INT_MAX)
		return reason_set(why, -EINVAL, "", "%s is too long", what);
	line = xml_find_wide(text, len);
	if (line)
		return reason_set(why, -E2BIG, "", "%s has an element that has more than %d attributes, line %ld", what, XML_MAX_ATTRIBUTES, line);
	return 0;
}

/* Return: whether the document's declared encoding is one that needs no conversion. */
static bool is_plain_encoding(const xmlDoc *doc)
{
	const char *encoding = (const char *)doc->encoding;

	return !encoding || strcasecmp(encoding, "UTF-8") == 0 || strcasecmp(encoding, "US-ASCII") == 0 || strcasecmp(encoding, "ASCII") == 0;
}

/*
 * libxml2's call for an error (xmlStructuredErrorFunc): says nothing, since the library never prints. parse_error() asks for it. Without
 * it, errors of a conversion, which belong to no parser, go to stderr in spite of XML_PARSE_NOERROR (2.9, encoding.c xmlEncodingErr()).
 */
#if LIBXML_VERSION >= 21200
static void say_nothing(void *context, const xmlError *error)
#else
static void say_nothing(void *context, xmlError *error)
#endif
{
	(void)context;
	(void)error;
}

/* xmlCtxtReadMemory() in silence; the program's own handler of errors is put back. Return: the document, NULL. */
static xmlDoc *read_silently(xmlParserCtxt *parser, const char *text, size_t len)
{
	xmlStructuredErrorFunc handler = xmlStructuredError;
	void *context = xmlStructuredErrorContext;
	xmlDoc *doc;

	xmlSetStructuredErrorFunc(NULL, say_nothing);
	doc = xmlCtxtReadMemory(parser, text, (int)len, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	xmlSetStructuredErrorFunc(context, handler);
	return doc;
}

/* Return: the node behind this one in the order of the document, NULL at its end; recursion is not needed for it. */
static const xmlNode *node_after(const xmlNode *node)
{
	if (node->type == XML_ELEMENT_NODE && node->children)
		return node->children;
	while (node && !node->next)
		node = node->parent;
	return node ? node->next : NULL;
}

/*
 * Whether every namespace would be printed as it was read: libxml2 writes the name of one without escaping it (xmlsave.c,
 * xmlNsDumpOutput()), so that these characters break the document or change it.
 * Return: 0, -EINVAL with *why.
 */
static int check_namespaces(const xmlDoc *doc, const char *what, struct reason *why)
{
	for (const xmlNode *node = xmlDocGetRootElement(doc); node; node = node_after(node)) {
		for (const xmlNs *ns = node->type == XML_ELEMENT_NODE ? node->nsDef : NULL; ns; ns = ns->next) {
			if (ns->href && strpbrk((const char *)ns->href, "<&\t\r\n"))
				return reason_set(why, -EINVAL, "", "%s has a namespace with a character that no URI has, line %ld", what,
						  xmlGetLineNo(node));
		}
	}
	return 0;
}

/*
 * text, len, what: see xml.h. XML_PARSE_HUGE stays off: libxml2 then bounds depth (256; 2048 since 2.14) and the size of a text (10 MB).
 * Return: 0, -EINVAL, -E2BIG, -ENOMEM.
 */
int xml_parse(const char *text, size_t len, const char *what, xmlDoc **doc, struct reason *why)
{
	autoxmldoc xmlDoc *parsed = NULL;
	bool has_doctype = false;
	xmlParserCtxt *parser;
	int error = check_bytes(text, len, what, why);

	if (error)
		return error;
	parser = xmlNewParserCtxt();
	if (!parser)
		return reason_set(why, -ENOMEM, "", "no memory to read %s", what);
	parser->_private = &has_doctype;
	parser->sax->internalSubset = refuse_doctype;
	parsed = read_silently(parser, text, len);
	if (has_doctype || (parsed && parsed->intSubset))
		error = reason_set(why, -EINVAL, "", "%s has a document type declaration", what);
	else if (!parsed)
		error = parse_error(parser, what, why);
	else if (!is_plain_encoding(parsed))
		error = reason_set(why, -EINVAL, "", "%s is not in UTF-8", what);
	else
		error = check_namespaces(parsed, what, why);
	xmlFreeParserCtxt(parser);
	if (error)
		return error;
	*doc = parsed;
	parsed = NULL;
	return 0;
}

/* Return: whether node is <name> in no namespace. */
bool xml_is(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && !node->ns && xmlStrEqual(node->name, NAME(name));
}

/* Return: node itself or the first sibling behind it that is <name>; NULL. */
static xmlNode *first_from(xmlNode *node, const char *name)
{
	while (node && !xml_is(node, name))
		node = node->next;
	return node;
}

/* Return: first child <name>, NULL. */
xmlNode *xml_child(const xmlNode *parent, const char *name)
{
	return first_from(parent->children, name);
}

/* Return: next sibling <name>, NULL. */
xmlNode *xml_next(const xmlNode *node, const char *name)
{
	return first_from(node->next, name);
}

/* child: receives it, or NULL. Return: 0, -EINVAL if there are several, since another reader might take another one. */
int xml_only_child(const xmlNode *parent, const char *name, xmlNode **child, struct reason *why)
{
	xmlNode *found = xml_child(parent, name);

	if (found && xml_next(found, name))
		return reason_set(why, -EINVAL, "", "<%.64s> in line %ld has more than one <%s>", (const char *)parent->name,
				  xmlGetLineNo(parent), name);
	*child = found;
	return 0;
}

/*
 * Copies a string of libxml2 and frees it. value: may be NULL.
 * Return: 0; absent if value is NULL; -E2BIG if it does not fit.
 */
static int take_string(xmlChar *value, int absent, char *out, size_t size)
{
	size_t length = value ? strlen((const char *)value) : 0;
	int error = !value ? absent : length >= size ? -E2BIG : 0;

	out[0] = '\0';
	if (!error)
		memcpy(out, value, length + 1);
	xmlFree(value);
	return error;
}

/* Return: 0, -ENOENT, -E2BIG. */
int xml_attribute(const xmlNode *node, const char *name, char *out, size_t size)
{
	return take_string(xmlGetNoNsProp(node, NAME(name)), -ENOENT, out, size);
}

/* Return: whether it has <teaming type='transient'> (libvirt, src/conf/domain_conf.c virDomainNetTeamingInfoParseXML()). */
bool xml_is_transient(const xmlNode *device)
{
	const xmlNode *teaming = xml_child(device, "teaming");

	return teaming && xml_attribute_is(teaming, "type", "transient");
}

/* Return: whether attribute name is there and equals value. */
bool xml_attribute_is(const xmlNode *node, const char *name, const char *value)
{
	xmlChar *found = xmlGetNoNsProp(node, NAME(name));
	bool is = found && xmlStrEqual(found, NAME(value));

	xmlFree(found);
	return is;
}

/* Return: 0, -E2BIG, -ENOMEM. */
int xml_text(const xmlNode *node, char *out, size_t size)
{
	return take_string(xmlNodeGetContent(node), -ENOMEM, out, size);
}

/*
 * Reads one number of an address as libvirt does (virXMLPropUInt() with base 0: decimal, 0x hexadecimal, 0 octal).
 * Return: 0, *out 0 if the attribute is absent; -EINVAL.
 */
static int address_part(const xmlNode *address, const char *name, unsigned long max, unsigned long *out)
{
	char text[16], *end;
	int error = xml_attribute(address, name, text, sizeof(text));
	unsigned long value;

	*out = 0;
	if (error == -ENOENT)
		return 0;
	if (error || text[0] < '0' || text[0] > '9')
		return -EINVAL;
	value = strtoul(text, &end, 0);
	if (*end || value > max)
		return -EINVAL;
	*out = value;
	return 0;
}

/* Return: 0, -EINVAL. */
int xml_pci_address(const xmlNode *address, struct pci_address *out)
{
	unsigned long domain, bus, slot, function;

	if (address_part(address, "domain", 0xfffff, &domain) < 0 || address_part(address, "bus", 0xff, &bus) < 0 ||
	    address_part(address, "slot", 0x1f, &slot) < 0 || address_part(address, "function", 7, &function) < 0)
		return -EINVAL;
	*out = (struct pci_address){(uint32_t)domain, (uint8_t)bus, (uint8_t)slot, (uint8_t)function};
	return 0;
}

/*
 * device: <hostdev>, whose address libvirt writes without a type, or <interface> or <actual>, where it writes type='pci'.
 * Return: 0, -EINVAL.
 */
int xml_source_address(const xmlNode *device, xmlNode **node, struct pci_address *source, struct reason *why)
{
	xmlNode *element = NULL, *address = NULL;
	int error = xml_only_child(device, "source", &element, why);
	char type[16];

	if (!error && element)
		error = xml_only_child(element, "address", &address, why);
	if (error)
		return error;
	*node = NULL;
	if (!address || (xml_attribute(address, "type", type, sizeof(type)) != -ENOENT && strcmp(type, "pci") != 0))
		return 0;
	if (xml_pci_address(address, source) < 0)
		return reason_set(why, -EINVAL, "", "the PCI address in line %ld is no PCI address", xmlGetLineNo(address));
	*node = address;
	return 0;
}

/* Return: 0, -EINVAL. */
int xml_uuid(const xmlNode *node, char *out, size_t size)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	char text[sizeof(form)];

	if (xml_text(node, text, sizeof(text)) < 0 || strlen(text) != sizeof(form) - 1 || size < sizeof(form))
		return -EINVAL;
	for (size_t i = 0; form[i]; i++) {
		if (text[i] >= 'A' && text[i] <= 'F')
			text[i] = (char)(text[i] - 'A' + 'a');
		if (form[i] == '-' ? text[i] != '-' : !strchr("0123456789abcdef", text[i]))
			return -EINVAL;
	}
	memcpy(out, text, sizeof(form));
	return 0;
}
