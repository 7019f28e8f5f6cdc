/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * passport.c: reading the passport. See passport.h.
 */
#include "domain/passport.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "domain/xml.h"

/* Return: whether node is the element name of the passport's namespace. */
static bool is_element(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && node->ns && xmlStrEqual(node->ns->href, (const xmlChar *)PASSPORT_NAMESPACE) &&
	       xmlStrEqual(node->name, (const xmlChar *)name);
}

/* Keeps the first note, cleaned. */
__attribute__((format(printf, 2, 3)))
static void note(struct passport *passport, const char *format, ...)
{
	char text[sizeof(passport->note)];
	va_list args;

	if (passport->note[0])
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	reason_clean(passport->note, sizeof(passport->note), text);
}

/*
 * Reads an attribute that holds a PCI address.
 * Return: 0, *has false if it is absent; -EINVAL.
 */
static int read_address(const xmlNode *node, const char *name, bool *has, struct pci_address *out)
{
	char text[PCI_ADDRESS_LEN];
	int error = xml_attribute(node, name, text, sizeof(text));

	*has = !error;
	if (error == -ENOENT)
		return 0;
	return error ? -EINVAL : pci_address_parse(text, out);
}

/*
 * Reads an attribute that holds a word: letters, digits and _ . : @ -, which is what a PSID, a version and a bridge consist of.
 * Return: 0, out "" if it is absent; -EINVAL.
 */
static int read_word(const xmlNode *node, const char *name, char *out, size_t size)
{
	int error = xml_attribute(node, name, out, size);

	if (error == -ENOENT)
		return 0;
	if (error || !*out)
		return -EINVAL;
	return port_settings_is_word(out) ? 0 : -EINVAL;
}

/*
 * Reads an attribute that holds a decimal number of 1 to 9 digits, at most max.
 * Return: 0, *has false if it is absent; -EINVAL.
 */
static int read_number(const xmlNode *node, const char *name, bool *has, unsigned long max, unsigned long *out)
{
	char text[10];
	int error = xml_attribute(node, name, text, sizeof(text));
	unsigned long value;

	*has = !error;
	if (error == -ENOENT)
		return 0;
	if (error || !*text || text[strspn(text, "0123456789")])
		return -EINVAL;
	value = strtoul(text, NULL, 10);
	if (value > max)
		return -EINVAL;
	*out = value;
	return 0;
}

/*
 * Reads the attributes about VLANs.
 * Return: NULL, or the name of the attribute that is wrong.
 */
static const char *read_vlans(const xmlNode *node, struct port_settings *port)
{
	char trunks[PORT_TRUNKS_LEN];
	unsigned long tag = 0;
	int error;

	if (read_number(node, "tag", &port->has_tag, PORT_MAX_VLAN, &tag) < 0)
		return "tag";
	port->tag = (uint16_t)tag;
	error = xml_attribute(node, "vlan-mode", port->vlan_mode, sizeof(port->vlan_mode));
	if (error != -ENOENT && (error || !port_settings_is_vlan_mode(port->vlan_mode)))
		return "vlan-mode";
	error = xml_attribute(node, "trunks", trunks, sizeof(trunks));
	return error != -ENOENT && (error || port_settings_parse_trunks(trunks, port)) ? "trunks" : NULL;
}

/*
 * Reads the attributes about limits of traffic.
 * Return: NULL, or the name of the attribute that is wrong.
 */
static const char *read_limits(const xmlNode *node, struct port_settings *port)
{
	unsigned long rate = 0, burst = 0;
	struct port_qos qos;
	bool has;
	int error;

	if (read_number(node, "ingress-rate", &has, PORT_MAX_RATE, &rate) < 0)
		return "ingress-rate";
	if (read_number(node, "ingress-burst", &has, PORT_MAX_RATE, &burst) < 0)
		return "ingress-burst";
	port->ingress_rate = (uint32_t)rate;
	port->ingress_burst = (uint32_t)burst;
	error = xml_attribute(node, "qos", port->qos, sizeof(port->qos));
	return error != -ENOENT && (error || port_qos_parse(port->qos, &qos)) ? "qos" : NULL;
}

/*
 * Reads what was set on the representor's port.
 * Return: NULL, or the name of the attribute that is wrong.
 */
static const char *read_port(const xmlNode *node, struct port_settings *port)
{
	char text[MAC_ADDRESS_LEN];
	const char *wrong = read_vlans(node, port);
	int error;

	if (!wrong)
		wrong = read_limits(node, port);
	if (wrong)
		return wrong;
	error = xml_attribute(node, "attached-mac", text, sizeof(text));
	if (error != -ENOENT && (error || mac_address_parse(text, &port->attached_mac) || !mac_address_is_unicast(&port->attached_mac)))
		return "attached-mac";
	port->has_attached_mac = !error;
	if (read_word(node, "iface-id", port->iface_id, sizeof(port->iface_id)) < 0)
		return "iface-id";
	if (read_word(node, "vm-id", port->vm_id, sizeof(port->vm_id)) < 0)
		return "vm-id";
	return read_word(node, "vm-uuid", port->vm_uuid, sizeof(port->vm_uuid)) < 0 ? "vm-uuid" : NULL;
}

/*
 * Reads the MTU.
 * Return: 0, *mtu 0 if it is absent; -EINVAL.
 */
static int read_mtu(const xmlNode *node, unsigned int *mtu)
{
	unsigned long number = 0;
	bool has;

	if (read_number(node, "mtu", &has, PASSPORT_MAX_MTU, &number) < 0 || (has && number < PASSPORT_MIN_MTU))
		return -EINVAL;
	*mtu = (unsigned int)number;
	return 0;
}

/*
 * Reads the size of the MSI-X table.
 * Return: 0, *msix 0 if it is absent; -EINVAL.
 */
static int read_msix(const xmlNode *node, unsigned int *msix)
{
	unsigned long number = 0;
	bool has;

	if (read_number(node, "msix", &has, PASSPORT_MAX_MSIX, &number) < 0 || (has && !number))
		return -EINVAL;
	*msix = (unsigned int)number;
	return 0;
}

/*
 * Reads what the VF's function may do.
 * Return: 0, nothing known if it is absent; -EINVAL.
 */
static int read_function(const xmlNode *node, struct vf_function *function)
{
	char text[FUNCTION_TEXT_LEN];
	int error = xml_attribute(node, "function", text, sizeof(text));

	*function = (struct vf_function){ 0 };
	return error == -ENOENT ? 0 : error ? -EINVAL : vf_function_parse(text, function);
}

/*
 * Reads what must fit on the VF and its representor.
 * Return: NULL, or the name of the attribute that is wrong.
 */
static const char *read_sizes(const xmlNode *node, struct passport_vf *vf)
{
	if (read_msix(node, &vf->msix) < 0)
		return "msix";
	if (read_function(node, &vf->function) < 0)
		return "function";
	return read_mtu(node, &vf->mtu) < 0 ? "mtu" : NULL;
}

/*
 * Reads one entry.
 * Return: NULL, or the name of the attribute that is wrong.
 */
static const char *read_entry(const xmlNode *node, struct passport_vf *vf)
{
	char text[MAC_ADDRESS_LEN];
	const char *wrong;

	if (xml_attribute(node, "mac", text, sizeof(text)) < 0 || mac_address_parse(text, &vf->mac) < 0 ||
	    !mac_address_is_unicast(&vf->mac))
		return "mac";
	if (read_address(node, "guest", &vf->has_guest, &vf->guest) < 0)
		return "guest";
	if (read_address(node, "pf", &vf->has_pf, &vf->pf) < 0)
		return "pf";
	if (read_word(node, "psid", vf->psid, sizeof(vf->psid)) < 0)
		return "psid";
	if (read_word(node, "firmware", vf->firmware, sizeof(vf->firmware)) < 0)
		return "firmware";
	if (read_word(node, "bridge", vf->bridge, sizeof(vf->bridge)) < 0)
		return "bridge";
	wrong = read_sizes(node, vf);
	return wrong ? wrong : read_port(node, &vf->port);
}

/*
 * Adds one entry, or counts it as ignored.
 */
static void take_entry(const xmlNode *node, struct passport *passport)
{
	struct passport_vf vf = {0};
	const char *wrong = read_entry(node, &vf);

	if (wrong) {
		note(passport, "entry %zu has a wrong %s", passport->vfs + passport->ignored + 1, wrong);
		passport->ignored++;
	} else if (passport_find_mac(passport, &vf.mac) || (vf.has_guest && passport_find_guest(passport, &vf.guest))) {
		note(passport, "entry %zu speaks of a device that had one", passport->vfs + passport->ignored + 1);
		passport->ignored++;
	} else {
		passport->vf[passport->vfs++] = vf;
	}
}

/*
 * Return: the passport element that counts, the first of version 1; NULL if there is none.
 */
static const xmlNode *find_passport(const xmlNode *metadata, struct passport *passport)
{
	const xmlNode *found = NULL;

	for (const xmlNode *node = metadata ? metadata->children : NULL; node; node = node->next) {
		char version[16];

		if (!is_element(node, "passport"))
			continue;
		if (xml_attribute(node, "version", version, sizeof(version)) < 0 || strcmp(version, "1") != 0)
			note(passport, "a passport of version \"%s\" is not known here", version);
		else if (found)
			note(passport, "there is a second passport");
		else
			found = node;
	}
	return found;
}

/*
 * metadata: see passport.h. passport: filled on success.
 * Return: 0, -E2BIG.
 */
int passport_read(const struct _xmlNode *metadata, struct passport *passport, struct reason *why)
{
	struct passport fresh = {0};
	const xmlNode *element = find_passport(metadata, &fresh);

	for (const xmlNode *node = element ? element->children : NULL; node; node = node->next) {
		if (!is_element(node, "vf"))
			continue;
		if (fresh.vfs + fresh.ignored == PASSPORT_MAX_VFS)
			return reason_set(why, -E2BIG, "", "the guest's passport has more than %d entries", PASSPORT_MAX_VFS);
		take_entry(node, &fresh);
	}
	fresh.present = element != NULL;
	if (element && read_word(element, "host", fresh.host, sizeof(fresh.host)) < 0)
		*fresh.host = '\0'; /* nothing is decided by it */
	*passport = fresh;
	return 0;
}

/* Return: the entry, NULL. */
const struct passport_vf *passport_find_mac(const struct passport *passport, const struct mac_address *mac)
{
	for (size_t i = 0; i < passport->vfs; i++)
		if (mac_address_equal(&passport->vf[i].mac, mac))
			return &passport->vf[i];
	return NULL;
}

/* Return: the entry, NULL. */
const struct passport_vf *passport_find_guest(const struct passport *passport, const struct pci_address *guest)
{
	for (size_t i = 0; i < passport->vfs; i++)
		if (passport->vf[i].has_guest && pci_address_equal(&passport->vf[i].guest, guest))
			return &passport->vf[i];
	return NULL;
}
