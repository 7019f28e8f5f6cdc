/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_domain.c: domain XML. What is accepted is printed twice: unchanged, and with a new source address for every device that has one.
 * Both texts must parse again, and their canonical form (C14N) must be that of the input, but for the attributes domain, bus, slot and
 * function of the elements that were changed.
 */
#include "fuzz.h"

#include <errno.h>
#include <libxml/parser.h>
/* Behind another of libxml2's: in 2.9.10 it does not ask by itself what the library has. */
#include <libxml/c14n.h>
#include <stdio.h>

#include "base/scope.h"
#include "domain/domain.h"
#include "domain/hardware.h"

static const char *const part[] = { "domain", "bus", "slot", "function" };

/* Parses without any rule of vferry's. Return: the document, NULL if it is not well-formed. */
static xmlDoc *parse(const char *text, size_t size)
{
	return xmlReadMemory(text, (int)size, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
}

/* Return: whether an element is in <metadata>, which is not parsed but printed as it came. */
static bool is_in_metadata(const xmlNode *node)
{
	const xmlNode *root = xmlDocGetRootElement(node->doc);

	while (node->parent && node->parent->parent && node->parent->parent != root)
		node = node->parent;
	return node->parent && node->parent->parent == root && strcmp((const char *)node->parent->name, "metadata") == 0;
}

/* Return: the element behind one in the order of the document, without those in <metadata>. */
static xmlNode *next_outside(xmlNode *node)
{
	do {
		node = fuzz_next_element(node);
	} while (node && is_in_metadata(node));
	return node;
}

/* Return: how many elements stand before node. */
static size_t position(xmlDoc *doc, const xmlNode *node)
{
	size_t before = 0;

	for (xmlNode *at = xmlDocGetRootElement(doc); at != node; at = next_outside(at)) {
		REQUIRE(at);
		before++;
	}
	return before;
}

/* Return: the element that has so many before it. */
static xmlNode *element_at(xmlDoc *doc, size_t before)
{
	xmlNode *at = xmlDocGetRootElement(doc);

	for (; before > 0; before--) {
		REQUIRE(at);
		at = next_outside(at);
	}
	REQUIRE(at);
	return at;
}

/* Demands that a node is <name> in no namespace. */
static void check_name(const xmlNode *node, const char *name)
{
	REQUIRE(node && node->type == XML_ELEMENT_NODE && !node->ns && strcmp((const char *)node->name, name) == 0);
}

/* Demands that an element is the <source><address> of a device of the guest. */
static void check_place(const xmlNode *address, enum hostdev_kind kind)
{
	check_name(address, "address");
	check_name(address->parent, "source");
	check_name(address->parent->parent, kind == HOSTDEV_PLAIN ? "hostdev" : "interface");
	check_name(address->parent->parent->parent, "devices");
	check_name(address->parent->parent->parent->parent, "domain");
	REQUIRE(xmlDocGetRootElement(address->doc) == address->parent->parent->parent->parent);
}

/* Removes the four parts of an address. */
static void remove_parts(xmlNode *address)
{
	for (size_t i = 0; i < 4; i++) {
		xmlAttr *attribute = xmlHasNsProp(address, (const xmlChar *)part[i], NULL);

		if (attribute)
			xmlRemoveProp(attribute);
	}
}

/* Demands that an element shows an address in libvirt's own form. */
static void check_parts(const xmlNode *element, const struct pci_address *address)
{
	const unsigned int value[4] = { address->domain, address->bus, address->slot, address->function };
	static const int digits[4] = { 4, 2, 2, 1 };

	for (size_t i = 0; i < 4; i++) {
		xmlChar *shown = xmlGetNoNsProp(element, (const xmlChar *)part[i]);
		char wanted[16];

		snprintf(wanted, sizeof(wanted), "0x%0*x", digits[i], value[i]);
		REQUIRE(shown && strcmp((const char *)shown, wanted) == 0);
		xmlFree(shown);
	}
}

/* Keeps libxml2 from writing what it thinks of a document to stderr (xmlGenericErrorFunc). */
__attribute__((format(printf, 2, 3)))
static void say_nothing(void *context, const char *format, ...)
{
	(void)context;
	(void)format;
}

/* Demands that two documents have the same canonical form. One that has none (a relative namespace name) is not compared. */
static void check_same(xmlDoc *before, xmlDoc *after)
{
	xmlChar *one = NULL, *two = NULL;
	int first, second;

	xmlSetGenericErrorFunc(NULL, say_nothing);
	first = xmlC14NDocDumpMemory(before, NULL, XML_C14N_1_0, NULL, 1, &one);
	second = xmlC14NDocDumpMemory(after, NULL, XML_C14N_1_0, NULL, 1, &two);
	xmlSetGenericErrorFunc(NULL, NULL);
	REQUIRE((first < 0) == (second < 0));
	if (first >= 0)
		REQUIRE(first == second && memcmp(one, two, (size_t)first) == 0);
	xmlFree(one);
	xmlFree(two);
}

/* Demands what holds for every domain that was accepted. */
static void check_domain(const struct domain *domain)
{
	REQUIRE(strlen(domain->uuid) == 36 && strspn(domain->uuid, "0123456789abcdef-") == 36);
	REQUIRE(memchr(domain->name, '\0', sizeof(domain->name)) && domain->name[0] && !strpbrk(domain->name, "/\n"));
	REQUIRE(domain->document && (domain->hostdev || !domain->hostdevs));
	REQUIRE(memchr(domain->iommu_model, '\0', sizeof(domain->iommu_model)) && (domain->has_iommu || !domain->iommu_model[0]));
	for (size_t i = 0; i < domain->hostdevs; i++) {
		const struct hostdev *device = &domain->hostdev[i];

		REQUIRE(device->has_source == (device->node != NULL) && !(device->has_source && device->kind == HOSTDEV_POOL));
		REQUIRE(memchr(device->network, '\0', sizeof(device->network)) && memchr(device->model, '\0', sizeof(device->model)));
		fuzz_check_address(&device->source);
		fuzz_check_address(&device->guest);
	}
}

/* Demands what holds for everything else that is read of a domain. */
static void check_hardware(const struct domain *domain)
{
	struct hardware hardware;

	hardware_read(domain, &hardware);
	REQUIRE(memchr(hardware.kind, '\0', sizeof(hardware.kind)) && memchr(hardware.machine, '\0', sizeof(hardware.machine)));
	REQUIRE(memchr(hardware.cpu_model, '\0', sizeof(hardware.cpu_model)) && hardware.disks <= HARDWARE_MAX_DISKS);
	for (size_t i = 0; i < hardware.disks; i++)
		REQUIRE(memchr(hardware.disk[i].source, '\0', sizeof(hardware.disk[i].source)));
}

/* An address for device number i that depends on the input, so that each part takes all its values. */
static struct pci_address address_for(const uint8_t *data, size_t size, size_t i)
{
	uint32_t mix = 2166136261u + (uint32_t)i;

	for (size_t at = 0; at < size; at++)
		mix = (mix ^ data[at]) * 16777619u;
	return (struct pci_address){ mix >> 3 & (mix & 1 ? 0xfffff : 0xffff), (uint8_t)(mix >> 7), mix >> 11 & 0x1f, mix >> 16 & 7 };
}

/* Demands that the text of a domain parses to the same domain. */
static void check_reparse(const struct domain *domain, const char *text, size_t size)
{
	struct domain again;
	struct reason why = { 0 };

	REQUIRE(domain_parse(text, size, &again, &why) == 0);
	check_domain(&again);
	REQUIRE(strcmp(again.uuid, domain->uuid) == 0 && strcmp(again.name, domain->name) == 0);
	REQUIRE(again.hostdevs == domain->hostdevs && again.has_iommu == domain->has_iommu);
	REQUIRE(memcmp(&again.passport, &domain->passport, sizeof(again.passport)) == 0);
	for (size_t i = 0; i < again.hostdevs; i++) {
		REQUIRE(again.hostdev[i].kind == domain->hostdev[i].kind && again.hostdev[i].has_source == domain->hostdev[i].has_source);
		REQUIRE(pci_address_equal(&again.hostdev[i].source, &domain->hostdev[i].source));
	}
	domain_release(&again);
}

/*
 * Prints a domain and compares it with the input. place, places: positions of the elements whose address was changed; device[i]: which
 * hostdev that was.
 */
static void check_print(const struct domain *domain, const char *input, size_t size, const size_t *place, const size_t *device,
			size_t places)
{
	autofree char *text = NULL;
	long length = domain_print(domain, &text);
	xmlDoc *before = parse(input, size), *after;

	REQUIRE(length > 0 && strlen(text) == (size_t)length);
	after = parse(text, (size_t)length);
	check_reparse(domain, text, (size_t)length);
	REQUIRE((before && after) || (!before && !after && domain->metadata)); /* what is wrong in there stays as it came */
	if (!before)
		return;
	for (size_t i = 0; i < places; i++) {
		xmlNode *old = element_at(before, place[i]), *fresh = element_at(after, place[i]);

		check_place(old, domain->hostdev[device[i]].kind);
		check_parts(fresh, &domain->hostdev[device[i]].source);
		remove_parts(old);
		remove_parts(fresh);
	}
	check_same(before, after);
	xmlFreeDoc(before);
	xmlFreeDoc(after);
}

/* One input: the text of a domain. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int errors[] = { -EINVAL, -E2BIG, 0 };
	static const struct domain zero;
	size_t *place, *device, places = 0;
	struct domain domain;
	struct reason why = { 0 };
	int error = domain_parse((const char *)data, size, &domain, &why);

	if (error) {
		fuzz_check_reason(error, errors, &why);
		REQUIRE(memcmp(&domain, &zero, sizeof(zero)) == 0);
		return 0;
	}
	check_domain(&domain);
	check_hardware(&domain);
	check_print(&domain, (const char *)data, size, NULL, NULL, 0);
	place = calloc(domain.hostdevs + 1, sizeof(*place));
	device = calloc(domain.hostdevs + 1, sizeof(*device));
	REQUIRE(place && device);
	for (size_t i = 0; i < domain.hostdevs; i++) {
		struct pci_address address = address_for(data, size, i);

		REQUIRE(domain_set_source(&domain, i, &address) == (domain.hostdev[i].has_source ? 0 : -EINVAL));
		if (!domain.hostdev[i].has_source)
			continue;
		place[places] = position(domain.document, domain.hostdev[i].node);
		device[places++] = i;
	}
	check_print(&domain, (const char *)data, size, place, device, places);
	free(place);
	free(device);
	domain_release(&domain);
	return 0;
}
