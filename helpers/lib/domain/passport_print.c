/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * passport_print.c: writing the passport. See passport.h.
 *
 * What is written here is read by other hosts: a value of this host that a reader would not accept (a bridge with a blank in its name) is
 * left out, since it would cost the whole entry there.
 */
#include <errno.h>
#include <libxml/tree.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "domain/passport.h"
#include "domain/xml.h"

#define NAME(text) ((const xmlChar *)(text))

/* Adds an attribute. Return: whether there was memory. */
__attribute__((format(printf, 3, 4)))
static bool add(xmlNode *node, const char *name, const char *format, ...)
{
	char text[PORT_TRUNKS_LEN];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return xmlNewProp(node, NAME(name), NAME(text)) != NULL;
}

/* Adds an attribute if its value is a word. Return: whether there was memory. */
static bool add_word(xmlNode *node, const char *name, const char *word)
{
	return !port_settings_is_word(word) || add(node, name, "%s", word);
}

/* Adds an attribute if the number is not 0. Return: whether there was memory. */
static bool add_number(xmlNode *node, const char *name, uint32_t number)
{
	return !number || add(node, name, "%lu", number < PORT_MAX_RATE ? (unsigned long)number : (unsigned long)PORT_MAX_RATE);
}

/* Adds what was set on the port. Return: whether there was memory. */
static bool add_port(xmlNode *node, const struct port_settings *port)
{
	char trunks[PORT_TRUNKS_LEN], mac[MAC_ADDRESS_LEN];
	bool done = true;

	if (port->has_tag && port->tag <= PORT_MAX_VLAN)
		done = add(node, "tag", "%u", port->tag);
	if (port_settings_is_vlan_mode(port->vlan_mode))
		done = done && add(node, "vlan-mode", "%s", port->vlan_mode);
	if (port->trunks)
		done = done && add(node, "trunks", "%s", port_settings_format_trunks(port, trunks));
	if (port->has_attached_mac && mac_address_is_unicast(&port->attached_mac))
		done = done && add(node, "attached-mac", "%s", mac_address_format(&port->attached_mac, mac));
	if (*port->qos)
		done = done && add(node, "qos", "%s", port->qos);
	return done && add_number(node, "ingress-rate", port->ingress_rate) && add_number(node, "ingress-burst", port->ingress_burst) &&
	       add_word(node, "iface-id", port->iface_id) && add_word(node, "vm-id", port->vm_id) &&
	       add_word(node, "vm-uuid", port->vm_uuid);
}

/* Adds what the PF lets the VF do. Return: whether there was memory. */
static bool add_function(xmlNode *node, const struct vf_function *function)
{
	char text[FUNCTION_TEXT_LEN];

	return !*vf_function_format(function, text) || add(node, "function", "%s", text);
}

/* Adds one entry. Return: whether there was memory. */
static bool add_vf(xmlNode *root, const struct passport_vf *vf)
{
	char mac[MAC_ADDRESS_LEN], address[PCI_ADDRESS_LEN];
	xmlNode *node;

	if (!mac_address_is_unicast(&vf->mac))
		return true;
	node = xmlNewChild(root, NULL, NAME("vf"), NULL);
	if (!node || !add(node, "mac", "%s", mac_address_format(&vf->mac, mac)))
		return false;
	if (vf->has_guest && !add(node, "guest", "%s", pci_address_format(&vf->guest, address)))
		return false;
	if (vf->has_pf && !add(node, "pf", "%s", pci_address_format(&vf->pf, address)))
		return false;
	if (vf->mtu >= PASSPORT_MIN_MTU && vf->mtu <= PASSPORT_MAX_MTU && !add(node, "mtu", "%u", vf->mtu))
		return false;
	if (vf->msix && vf->msix <= PASSPORT_MAX_MSIX && !add(node, "msix", "%u", vf->msix))
		return false;
	return add_word(node, "psid", vf->psid) && add_word(node, "firmware", vf->firmware) && add_word(node, "bridge", vf->bridge) &&
	       add_function(node, &vf->function) && add_port(node, &vf->port);
}

/* Fills the document. Return: whether there was memory. */
static bool fill(xmlDoc *doc, const struct passport *passport, bool is_plain)
{
	xmlNode *root = doc ? xmlNewDocNode(doc, NULL, NAME("passport"), NULL) : NULL;
	xmlNs *ns;

	if (!root)
		return false;
	xmlDocSetRootElement(doc, root);
	if (!is_plain) {
		ns = xmlNewNs(root, NAME(PASSPORT_NAMESPACE), NAME("vf"));
		xmlSetNs(root, ns); /* its children inherit it: xmlNewChild() */
	}
	if (!add(root, "version", "1") || !add_word(root, "host", passport->host))
		return false;
	for (size_t i = 0; i < passport->vfs; i++) {
		if (!add_vf(root, &passport->vf[i]))
			return false;
	}
	return true;
}

/*
 * passport, is_plain: see passport.h. xml: receives the text, for free().
 * Return: length, -ENOMEM.
 */
long passport_print(const struct passport *passport, bool is_plain, char **xml)
{
	autoxmldoc xmlDoc *doc = xmlNewDoc(NAME("1.0"));
	xmlBuffer *buffer = xmlBufferCreate();
	long length = -ENOMEM;

	if (buffer && fill(doc, passport, is_plain) && xmlNodeDump(buffer, doc, xmlDocGetRootElement(doc), 0, 1) > 0) {
		*xml = strdup((const char *)xmlBufferContent(buffer));
		length = *xml ? (long)strlen(*xml) : -ENOMEM;
	}
	if (buffer)
		xmlBufferFree(buffer);
	return length;
}

/* Return: whether both entries say the same. */
static bool is_same_vf(const struct passport_vf *a, const struct passport_vf *b)
{
	if (!mac_address_equal(&a->mac, &b->mac) || a->has_guest != b->has_guest || a->has_pf != b->has_pf)
		return false;
	if ((a->has_guest && !pci_address_equal(&a->guest, &b->guest)) || (a->has_pf && !pci_address_equal(&a->pf, &b->pf)))
		return false;
	return strcmp(a->psid, b->psid) == 0 && strcmp(a->firmware, b->firmware) == 0 && strcmp(a->bridge, b->bridge) == 0 &&
	       a->mtu == b->mtu && a->msix == b->msix && vf_function_equal(&a->function, &b->function) &&
	       port_settings_equal(&a->port, &b->port);
}

/* Return: whether both are there or not, and say the same. */
bool passport_equal(const struct passport *a, const struct passport *b)
{
	if (a->present != b->present || strcmp(a->host, b->host) || a->vfs != b->vfs || a->ignored != b->ignored)
		return false;
	for (size_t i = 0; i < a->vfs; i++) {
		if (!is_same_vf(&a->vf[i], &b->vf[i]))
			return false;
	}
	return true;
}
