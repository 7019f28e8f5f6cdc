/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xml_mutator.c: how libFuzzer changes inputs that are XML. Half of the changes are its own, of bytes, which mostly break the document; the
 * other half are made in the tree: elements are doubled, dropped, copied elsewhere and renamed, attributes set and removed, so that what
 * comes out parses and reaches what lies behind the parser. Linked with libFuzzer alone.
 */
#include "fuzz.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NAME(text) ((const xmlChar *)(text))

/* Of libFuzzer (FuzzerInterface.h): its own mutations, and the function that it calls instead of them if there is one. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

static const char *const element_names[] = {
	"domain", "devices", "interface", "hostdev", "source", "address", "mac", "driver", "vlan", "iommu", "metadata", "name", "uuid",
	"actual", "job", "domstatus", "network", "networkstatus", "forward", "pf", "alias",
};

static const char *const attribute_names[] = {
	"type", "mode", "managed", "domain", "bus", "slot", "function", "address", "network", "model", "dev", "async", "phase", "flags",
	"state", "reason", "version", "mac", "guest", "pf", "psid", "firmware", "bridge",
};

static const char *const values[] = {
	"pci", "hostdev", "network", "subsystem", "usb", "yes", "0", "0x0", "0x81", "7", "8", "31", "0x1f", "0x20", "255", "256", "0xfffff",
	"0x100000", "-1", "", " 1", "010", "52:54:00:12:34:56", "0000:05:00.0", "pool", "default", "a b",
	"a\tb", "../outside", "a&b", "'\"<>", "\r\n", "\xc3\xa4\xe2\x80\xae", "migration in", "migration out", "none", "0x8003",
	"paused", "migration", "1", "bridge",
};

static const char *const pieces[] = {
	"<interface type='hostdev'><source><address type='pci' domain='0x0000' bus='0x81' slot='0x00' function='0x2'/></source>"
	"</interface>",
	"<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='0x81' slot='0' function='3'/></source></hostdev>",
	"<interface type='network'><source network='pool'/><actual type='hostdev'><source><address type='pci'/></source></actual>"
	"</interface>",
	"<source><address type='pci' bus='1'/><x:y xmlns:x='urn:x' x:bus='2'/></source>",
	"<address type='pci' domain='0x0001' bus='0x02' slot='0x03' function='0x4' multifunction='on'>t<!--c--></address>",
	"<v:passport xmlns:v='urn:vferry:passport:1' version='1'><v:vf mac='52:54:00:12:34:56' guest='0000:05:00.0' bridge='b'/>"
	"</v:passport>",
	"<a xmlns='urn:default'><address/><b xmlns=''><source/></b></a>",
	"<forward mode='hostdev'><pf dev='p0'/><address type='pci'/></forward>",
	"<job async='migration in' phase='prepare' flags='0x8003'/>",
	"<t>&lt;&amp;&#13;&#9;<![CDATA[]]]]><![CDATA[>]]><?p i?></t>",
};

static unsigned int state;

/* Return: a number below bound that the seed decides. */
static size_t pick(size_t bound)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % bound;
}

/* Return: some element of the document. */
static xmlNode *pick_element(xmlDoc *doc)
{
	xmlNode *root = xmlDocGetRootElement(doc), *chosen = root;
	size_t count = 0;

	for (xmlNode *node = root; node; node = fuzz_next_element(node))
		count++;
	for (size_t i = pick(count); i > 0; i--)
		chosen = fuzz_next_element(chosen);
	return chosen;
}

/* Puts a copy of an element behind or into another. */
static void put_copy(xmlDoc *doc, xmlNode *element, xmlNode *place, int inside)
{
	xmlNode *copy = xmlDocCopyNode(element, doc, 1);

	if (copy && inside)
		xmlAddChild(place, copy);
	else if (copy && place->parent && place->parent->type == XML_ELEMENT_NODE)
		xmlAddNextSibling(place, copy);
	else
		xmlFreeNode(copy);
}

/* Puts one of the pieces into an element. */
static void put_piece(xmlDoc *doc, xmlNode *place)
{
	const char *piece = pieces[pick(COUNT(pieces))];
	xmlDoc *parsed = xmlReadMemory(piece, (int)strlen(piece), NULL, NULL, XML_PARSE_NONET);

	put_copy(doc, xmlDocGetRootElement(parsed), place, 1);
	xmlFreeDoc(parsed);
}

/* Sets or removes an attribute. */
static void change_attribute(xmlNode *element)
{
	const char *name = attribute_names[pick(COUNT(attribute_names))];

	if (element->properties && pick(2))
		name = (const char *)element->properties->name;
	if (pick(4))
		xmlSetNsProp(element, NULL, NAME(name), NAME(values[pick(COUNT(values))]));
	else
		xmlUnsetNsProp(element, NULL, NAME(name));
}

/* Puts something that is no element into an element. */
static void put_other(xmlDoc *doc, xmlNode *place)
{
	const char *value = values[pick(COUNT(values))];
	xmlNode *node;

	switch (pick(4)) {
	case 0:
		node = xmlNewDocComment(doc, NAME("c"));
		break;
	case 1:
		node = xmlNewDocPI(doc, NAME("p"), NAME("i"));
		break;
	case 2:
		node = xmlNewCDataBlock(doc, NAME(value), (int)strlen(value));
		break;
	default:
		node = xmlNewDocText(doc, NAME(value));
	}
	xmlAddChild(place, node);
}

/* Makes one change. */
static void change(xmlDoc *doc)
{
	xmlNode *element = pick_element(doc);

	switch (pick(8)) {
	case 0:
		put_copy(doc, element, element, 0);
		break;
	case 1:
		put_copy(doc, element, pick_element(doc), 1);
		break;
	case 2:
		if (element == xmlDocGetRootElement(doc))
			break;
		xmlUnlinkNode(element);
		xmlFreeNode(element);
		break;
	case 3:
		xmlNodeSetName(element, NAME(element_names[pick(COUNT(element_names))]));
		break;
	case 4:
		put_piece(doc, element);
		break;
	case 5:
		put_other(doc, element);
		break;
	default:
		change_attribute(element);
	}
}

/* Writes a document over the input. Return: its length; 0 if it does not fit. */
static size_t write_document(xmlDoc *doc, uint8_t *data, size_t max_size)
{
	xmlChar *text = NULL;
	int length = 0;
	size_t used = 0;

	xmlDocDumpMemoryEnc(doc, &text, &length, "UTF-8");
	if (text) {
		/* Without its declaration, which the hook's first program would give to the worker for. */
		const char *begin = strncmp((char *)text, "<?xml", 5) == 0 ? strchr((char *)text, '\n') + 1 : (char *)text;

		used = (size_t)length - (size_t)(begin - (char *)text);
		if (used > max_size)
			used = 0;
		memcpy(data, begin, used);
	}
	xmlFree(text);
	return used;
}

/* libFuzzer's call for one mutation. data holds size bytes and has room for max_size. Return: the new size. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	xmlDoc *doc = NULL;
	size_t used = 0;

	state = seed;
	if (pick(2))
		doc = xmlReadMemory((const char *)data, (int)size, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (doc && !doc->intSubset) {
		for (size_t i = pick(4); i < 4; i++)
			change(doc);
		used = write_document(doc, data, max_size);
	}
	xmlFreeDoc(doc);
	return used ? used : LLVMFuzzerMutate(data, size, max_size);
}
