/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * port_settings.c: what was set on a representor's port. See port_settings.h.
 */
#include "base/port_settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Return: whether text is a word. */
bool port_settings_is_word(const char *text)
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.:@-";

	return *text && !text[strspn(text, letters)];
}

/* Return: whether text is one of the modes of vswitchd/vswitch.xml, Port vlan_mode. */
bool port_settings_is_vlan_mode(const char *text)
{
	static const char *const modes[] = { "access", "trunk", "native-tagged", "native-untagged", "dot1q-tunnel" };

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(text, modes[i]) == 0)
			return true;
	}
	return false;
}

/* Return: whether both have the same VLANs. */
bool port_settings_equal_vlans(const struct port_settings *a, const struct port_settings *b)
{
	if (a->has_tag != b->has_tag || (a->has_tag && a->tag != b->tag) || strcmp(a->vlan_mode, b->vlan_mode) || a->trunks != b->trunks)
		return false;
	return memcmp(&a->trunk, &b->trunk, sizeof(a->trunk)) == 0;
}

/* Return: whether both say the same. */
bool port_settings_equal(const struct port_settings *a, const struct port_settings *b)
{
	if (!port_settings_equal_vlans(a, b) || a->ingress_rate != b->ingress_rate || a->ingress_burst != b->ingress_burst || strcmp(a->qos, b->qos))
		return false;
	if (a->has_attached_mac != b->has_attached_mac || (a->has_attached_mac && !mac_address_equal(&a->attached_mac, &b->attached_mac)))
		return false;
	return strcmp(a->iface_id, b->iface_id) == 0 && strcmp(a->vm_id, b->vm_id) == 0 && strcmp(a->vm_uuid, b->vm_uuid) == 0;
}

/* Return: whether nothing is set. */
bool port_settings_is_empty(const struct port_settings *settings)
{
	static const struct port_settings nothing;

	return port_settings_equal(settings, &nothing);
}

/* Return: whether the VLAN is one of the trunks. */
bool port_settings_has_trunk(const struct port_settings *settings, unsigned int vlan)
{
	return vlan <= PORT_MAX_VLAN && settings->trunk.bit[vlan / 8] >> vlan % 8 & 1;
}

/* Makes a VLAN one of the trunks, if it can be one. */
void port_settings_add_trunk(struct port_settings *settings, unsigned int vlan)
{
	if (vlan > PORT_MAX_VLAN || port_settings_has_trunk(settings, vlan))
		return;
	settings->trunk.bit[vlan / 8] |= (uint8_t)(1u << vlan % 8);
	settings->trunks++;
}

/* Return: out, a tag in words. */
char *port_settings_format_tag(int tag, char out[PORT_TAG_LEN])
{
	if (tag < 0)
		snprintf(out, PORT_TAG_LEN, "no VLAN tag");
	else
		snprintf(out, PORT_TAG_LEN, "VLAN tag %d", tag);
	return out;
}

/* out: PORT_TRUNKS_LEN bytes. Return: out, "" without trunks. */
char *port_settings_format_trunks(const struct port_settings *settings, char *out)
{
	size_t at = 0;

	*out = '\0';
	for (unsigned int vlan = 0; settings->trunks && vlan <= PORT_MAX_VLAN; vlan++) {
		if (port_settings_has_trunk(settings, vlan))
			at += (size_t)snprintf(out + at, PORT_TRUNKS_LEN - at, "%s%u", at ? " " : "", vlan);
	}
	return out;
}

/*
 * Reads one number of 1 to 4 digits. text: is moved behind it.
 * Return: 0 to PORT_MAX_VLAN, -EINVAL.
 */
static int parse_vlan(const char **text)
{
	size_t digits = strspn(*text, "0123456789");
	int value = 0;

	if (!digits || digits > 4)
		return -EINVAL;
	for (size_t i = 0; i < digits; i++)
		value = value * 10 + ((*text)[i] - '0');
	*text += digits;
	return value <= PORT_MAX_VLAN ? value : -EINVAL;
}

/* text: numbers with one blank between two; one that is there twice counts once. Return: 0, -EINVAL. */
int port_settings_parse_trunks(const char *text, struct port_settings *settings)
{
	struct port_settings fresh = { 0 };

	for (;;) {
		int vlan = parse_vlan(&text);

		if (vlan < 0)
			return vlan;
		port_settings_add_trunk(&fresh, (unsigned int)vlan);
		if (!*text)
			break;
		if (*text++ != ' ')
			return -EINVAL;
	}
	settings->trunk = fresh.trunk;
	settings->trunks = fresh.trunks;
	return 0;
}
