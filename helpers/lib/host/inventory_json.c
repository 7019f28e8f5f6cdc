/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * inventory_json.c: an inventory as JSON and back, for people, other programs and recorded hosts.
 *
 * Theory of operation: tables of fields say which key belongs to which member; one writer and one reader walk them, so the two directions
 * cannot differ. Reading is strict about types and ranges, since a recorded host comes from elsewhere; an absent key leaves the member
 * zero, an unknown one is passed over, so that older and newer records stay readable.
 */
#include "host/inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PORTS 65536 /* of a recorded Open vSwitch */

enum kind { TEXT, UNSIGNED, SIGNED, FLAG, PCI, MAC, MODE };

struct field {
	const char *key;
	enum kind kind;
	size_t offset, size;
};

#define FIELD(structure, member, name, kind) { name, kind, offsetof(struct structure, member), sizeof(((struct structure *)NULL)->member) }
#define END { NULL, TEXT, 0, 0 }

static const struct field host_fields[] = {
	FIELD(inventory, hostname, "hostname", TEXT),
	FIELD(inventory, architecture, "architecture", TEXT),
	FIELD(inventory, has_iommu, "has_iommu", FLAG),
	FIELD(inventory, has_variant_driver, "has_variant_driver", FLAG),
	FIELD(inventory, has_ovs, "has_ovs", FLAG),
	FIELD(inventory, ovs_trouble, "ovs_trouble", TEXT),
	FIELD(inventory, ovs_cure, "ovs_cure", TEXT),
	END,
};

static const struct field pf_fields[] = {
	FIELD(inventory_pf, address, "address", PCI),
	FIELD(inventory_pf, driver, "driver", TEXT),
	FIELD(inventory_pf, mode, "mode", MODE),
	FIELD(inventory_pf, total_vfs, "total_vfs", UNSIGNED),
	FIELD(inventory_pf, offset, "offset", UNSIGNED),
	FIELD(inventory_pf, stride, "stride", UNSIGNED),
	FIELD(inventory_pf, autoprobe, "autoprobe", FLAG),
	FIELD(inventory_pf, numa_node, "numa_node", SIGNED),
	FIELD(inventory_pf, uplink, "uplink", TEXT),
	FIELD(inventory_pf, uplink_ifindex, "uplink_ifindex", UNSIGNED),
	FIELD(inventory_pf, uplink_up, "uplink_up", FLAG),
	FIELD(inventory_pf, uplink_bridge, "uplink_bridge", TEXT),
	FIELD(inventory_pf, uplink_master, "uplink_master", TEXT),
	FIELD(inventory_pf, uplink_master_kind, "uplink_master_kind", TEXT),
	FIELD(inventory_pf, uplink_addresses, "uplink_addresses", UNSIGNED),
	FIELD(inventory_pf, uplink_default_route, "uplink_default_route", FLAG),
	FIELD(inventory_pf, uplink_tc_rules, "uplink_tc_rules", UNSIGNED),
	FIELD(inventory_pf, trouble, "trouble", TEXT),
	FIELD(inventory_pf, cure, "cure", TEXT),
	END,
};

static const struct field card_fields[] = {
	FIELD(card, vendor, "vendor", UNSIGNED),
	FIELD(card, device, "device", UNSIGNED),
	END,
};

static const struct field info_fields[] = {
	FIELD(devlink_info, psid, "psid", TEXT),
	FIELD(devlink_info, firmware, "firmware", TEXT),
	FIELD(devlink_info, firmware_stored, "firmware_stored", TEXT),
	END,
};

static const struct field vf_fields[] = {
	FIELD(inventory_vf, address, "address", PCI),
	FIELD(inventory_vf, index, "index", UNSIGNED),
	FIELD(inventory_vf, driver, "driver", TEXT),
	FIELD(inventory_vf, representor_up, "representor_up", FLAG),
	FIELD(inventory_vf, bridge, "bridge", TEXT),
	FIELD(inventory_vf, bridge_ours, "bridge_ours", FLAG),
	FIELD(inventory_vf, group_members, "group_members", UNSIGNED),
	FIELD(inventory_vf, host_addresses, "host_addresses", UNSIGNED),
	FIELD(inventory_vf, host_netdev, "host_netdev", TEXT),
	FIELD(inventory_vf, host_netdev_up, "host_netdev_up", FLAG),
	FIELD(inventory_vf, host_netdev_enslaved, "host_netdev_enslaved", FLAG),
	END,
};

static const struct field port_fields[] = {
	FIELD(devlink_port, bus, "bus", TEXT),
	FIELD(devlink_port, device, "device", TEXT),
	FIELD(devlink_port, index, "index", UNSIGNED),
	FIELD(devlink_port, flavour, "flavour", UNSIGNED),
	FIELD(devlink_port, external, "external", FLAG),
	FIELD(devlink_port, pf_number, "pf_number", UNSIGNED),
	FIELD(devlink_port, vf_number, "vf_number", UNSIGNED),
	FIELD(devlink_port, ifindex, "ifindex", UNSIGNED),
	FIELD(devlink_port, netdev, "netdev", TEXT),
	FIELD(devlink_port, has_hw_addr, "has_hw_addr", FLAG),
	FIELD(devlink_port, hw_addr, "hw_addr", MAC),
	FIELD(devlink_port, can_migrate, "can_migrate", FLAG),
	FIELD(devlink_port, migratable, "migratable", FLAG),
	FIELD(devlink_port, roce, "roce", FLAG),
	END,
};

static const struct field ovs_fields[] = {
	FIELD(ovs_state, version, "version", TEXT),
	FIELD(ovs_state, hw_offload, "hw_offload", FLAG),
	FIELD(ovs_state, max_idle, "max_idle", SIGNED),
	END,
};

static const struct field bridge_fields[] = {
	FIELD(ovs_bridge, name, "name", TEXT),
	FIELD(ovs_bridge, ours, "ours", FLAG),
	FIELD(ovs_bridge, datapath_type, "datapath_type", TEXT),
	END,
};

static const struct field ovs_port_fields[] = {
	FIELD(ovs_port, name, "name", TEXT),
	FIELD(ovs_port, bridge, "bridge", TEXT),
	FIELD(ovs_port, ofport, "ofport", SIGNED),
	FIELD(ovs_port, error, "error", TEXT),
	FIELD(ovs_port, ours, "ours", FLAG),
	FIELD(ovs_port, guest, "guest", TEXT),
	FIELD(ovs_port, vf, "vf", TEXT),
	FIELD(ovs_port, tag, "tag", SIGNED),
	END,
};

/* ---- Writing ------------------------------------------------------------------------------------------------------------------- */

/* Reads an integer member of 1, 2, 4 or 8 bytes. */
static int64_t load(const void *member, const struct field *field)
{
	bool is_signed = field->kind == SIGNED;

	switch (field->size) {
	case 1:
		return *(const uint8_t *)member;
	case 2:
		return is_signed ? *(const int16_t *)member : *(const uint16_t *)member;
	case 4:
		return is_signed ? *(const int32_t *)member : (int64_t) * (const uint32_t *)member;
	default:
		return *(const int64_t *)member;
	}
}

/* Return: the name of an e-switch mode as devlink(8) writes it. */
static const char *mode_name(enum eswitch_mode mode)
{
	return mode == ESWITCH_LEGACY ? "legacy" : mode == ESWITCH_SWITCHDEV ? "switchdev" : "unknown";
}

/* Return: one member as JSON. */
static struct json_object *write_member(const void *member, const struct field *field)
{
	char text[MAC_ADDRESS_LEN];

	switch (field->kind) {
	case TEXT:
		return json_object_new_string(member);
	case FLAG:
		return json_object_new_boolean(*(const bool *)member);
	case PCI:
		return json_object_new_string(pci_address_format(member, text));
	case MAC:
		return json_object_new_string(mac_address_format(member, text));
	case MODE:
		return json_object_new_string(mode_name(*(const enum eswitch_mode *)member));
	default:
		return json_object_new_int64(load(member, field));
	}
}

/* Adds the members of a structure to a JSON object, in the order of the table. Return: the object. */
static struct json_object *write_fields(struct json_object *out, const void *structure, const struct field *fields)
{
	for (const struct field *field = fields; field->key; field++)
		json_object_object_add(out, field->key, write_member((const char *)structure + field->offset, field));
	return out;
}

/* Return: a VF as JSON. */
static struct json_object *write_vf(const struct inventory_vf *vf)
{
	struct json_object *out = write_fields(json_object_new_object(), vf, vf_fields);

	if (vf->has_port)
		json_object_object_add(out, "port", write_fields(json_object_new_object(), &vf->port, port_fields));
	return out;
}

/* Return: a PF as JSON. */
static struct json_object *write_pf(const struct inventory_pf *pf)
{
	struct json_object *out = write_fields(json_object_new_object(), pf, pf_fields), *vfs = json_object_new_array();
	struct json_object *card = write_fields(json_object_new_object(), &pf->card, card_fields);

	json_object_object_add(card, "name", json_object_new_string(pf->card.name ? pf->card.name : ""));
	json_object_object_add(out, "card", card);
	json_object_object_add(out, "info", write_fields(json_object_new_object(), &pf->info, info_fields));
	for (unsigned int i = 0; i < pf->num_vfs; i++)
		json_object_array_add(vfs, write_vf(&pf->vf[i]));
	json_object_object_add(out, "vfs", vfs);
	return out;
}

/* Return: an Open vSwitch port as JSON. */
static struct json_object *write_port(const struct ovs_port *port)
{
	struct json_object *out = write_fields(json_object_new_object(), port, ovs_port_fields), *members = json_object_new_array();

	for (size_t i = 0; i < port->members; i++)
		json_object_array_add(members, json_object_new_string(port->member[i]));
	json_object_object_add(out, "members", members);
	return out;
}

/* Return: the state of Open vSwitch as JSON. */
static struct json_object *write_ovs(const struct ovs_state *ovs)
{
	struct json_object *out = write_fields(json_object_new_object(), ovs, ovs_fields);
	struct json_object *bridges = json_object_new_array(), *ports = json_object_new_array();

	for (size_t i = 0; i < ovs->bridges; i++)
		json_object_array_add(bridges, write_fields(json_object_new_object(), &ovs->bridge[i], bridge_fields));
	for (size_t i = 0; i < ovs->ports; i++)
		json_object_array_add(ports, write_port(&ovs->port[i]));
	json_object_object_add(out, "bridges", bridges);
	json_object_object_add(out, "ports", ports);
	return out;
}

/* Return: an inventory as JSON, to be put. */
struct json_object *inventory_to_json(const struct inventory *inventory)
{
	struct json_object *out = write_fields(json_object_new_object(), inventory, host_fields), *pfs = json_object_new_array();

	for (size_t i = 0; i < inventory->pfs; i++)
		json_object_array_add(pfs, write_pf(&inventory->pf[i]));
	json_object_object_add(out, "pfs", pfs);
	if (inventory->has_ovs)
		json_object_object_add(out, "ovs", write_ovs(&inventory->ovs));
	return out;
}

/* ---- Reading ------------------------------------------------------------------------------------------------------------------- */

/* Fails because a key has no acceptable value. Return: -EINVAL. */
static int refuse(const char *key, const char *wanted, struct reason *why)
{
	return reason_set(why, -EINVAL, "inventory", "\"%s\" is not %s", key, wanted);
}

/* Stores an integer in a member, if it fits. Return: 0, -EINVAL with *why filled. */
static int store(void *member, const struct field *field, struct json_object *value, struct reason *why)
{
	unsigned int bits = (unsigned int)field->size * 8;
	int64_t low = 0, high, number;

	if (field->kind == SIGNED) {
		high = (int64_t)((UINT64_C(1) << (bits - 1)) - 1);
		low = -high - 1;
	} else {
		high = bits < 64 ? (int64_t)((UINT64_C(1) << bits) - 1) : INT64_MAX;
	}
	if (!json_object_is_type(value, json_type_int))
		return refuse(field->key, "a number", why);
	number = json_object_get_int64(value);
	if (number < low || number > high)
		return refuse(field->key, "within its range", why);
	memcpy(member, &number, field->size); /* little endian first: see the assertion below */
	return 0;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "hosts are Intel 64, AMD64 or ARM 64, all little-endian");

/* Reads the name of an e-switch mode; one that vferry does not know is ESWITCH_UNKNOWN. */
static enum eswitch_mode read_mode(const char *name)
{
	return strcmp(name, "legacy") == 0 ? ESWITCH_LEGACY : strcmp(name, "switchdev") == 0 ? ESWITCH_SWITCHDEV : ESWITCH_UNKNOWN;
}

/* Stores what JSON writes as a string. Return: 0, -EINVAL with *why filled. */
static int store_text(void *member, const struct field *field, struct json_object *value, struct reason *why)
{
	const char *text;

	if (!json_object_is_type(value, json_type_string))
		return refuse(field->key, "a text", why);
	text = json_object_get_string(value);
	switch (field->kind) {
	case PCI:
		return pci_address_parse(text, member) < 0 ? refuse(field->key, "a PCI address", why) : 0;
	case MAC:
		return mac_address_parse(text, member) < 0 ? refuse(field->key, "a MAC address", why) : 0;
	case MODE:
		*(enum eswitch_mode *)member = read_mode(text);
		return 0;
	default:
		if (strlen(text) >= field->size)
			return refuse(field->key, "short enough", why);
		reason_clean(member, field->size, text);
		return 0;
	}
}

/* Reads the members of a structure from a JSON object. Return: 0, -EINVAL with *why filled. */
static int read_fields(struct json_object *json, void *structure, const struct field *fields, struct reason *why)
{
	int error = 0;

	for (const struct field *field = fields; !error && field->key; field++) {
		void *member = (char *)structure + field->offset;
		struct json_object *value;

		if (!json_object_object_get_ex(json, field->key, &value))
			continue;
		if (field->kind == UNSIGNED || field->kind == SIGNED)
			error = store(member, field, value, why);
		else if (field->kind != FLAG)
			error = store_text(member, field, value, why);
		else if (json_object_is_type(value, json_type_boolean))
			*(bool *)member = json_object_get_boolean(value);
		else
			error = refuse(field->key, "true or false", why);
	}
	return error;
}

/* Finds a member that must be an object, if it is there. Return: 0 with *out (NULL if absent), -EINVAL with *why filled. */
static int get_object(struct json_object *json, const char *key, struct json_object **out, struct reason *why)
{
	*out = json_object_object_get(json, key);
	return *out && !json_object_is_type(*out, json_type_object) ? refuse(key, "an object", why) : 0;
}

/* Finds a member that must be a list of at most max objects, if it is there. Return: 0 with *count, -EINVAL with *why filled. */
static int get_list(struct json_object *json, const char *key, size_t max, struct json_object **out, size_t *count, struct reason *why)
{
	*out = json_object_object_get(json, key);
	if (*out && !json_object_is_type(*out, json_type_array))
		return refuse(key, "a list", why);
	*count = *out ? json_object_array_length(*out) : 0;
	if (*count > max)
		return refuse(key, "short enough", why);
	for (size_t i = 0; i < *count; i++) {
		if (!json_object_is_type(json_object_array_get_idx(*out, i), json_type_object))
			return refuse(key, "a list of objects", why);
	}
	return 0;
}

/* Reads a VF. Return: 0, -EINVAL with *why filled. */
static int read_vf(struct json_object *json, struct inventory_vf *vf, struct reason *why)
{
	struct json_object *port;
	int error = read_fields(json, vf, vf_fields, why);

	if (!error)
		error = get_object(json, "port", &port, why);
	if (error || !port)
		return error;
	vf->has_port = true;
	return read_fields(port, &vf->port, port_fields, why);
}

/* Reads the card of a PF and takes its row from our own table. Return: 0, -EINVAL with *why filled. */
static int read_card(struct json_object *json, struct card *card, struct reason *why)
{
	struct card ids = { 0 };
	const struct card *row;
	int error = read_fields(json, &ids, card_fields, why);

	if (error)
		return error;
	row = card_find(ids.vendor, ids.device);
	if (!row)
		return reason_set(why, -EINVAL, "inventory", "vferry knows no card %04x:%04x", ids.vendor, ids.device);
	*card = *row;
	return 0;
}

/* Reads the VFs of a PF: as many as are listed. Return: 0, negative errno with *why filled. */
static int read_vfs(struct json_object *json, struct inventory_pf *pf, struct reason *why)
{
	struct json_object *list;
	size_t count;
	int error = get_list(json, "vfs", INVENTORY_MAX_VFS, &list, &count, why);

	if (error)
		return error;
	pf->vf = calloc(count + 1, sizeof(*pf->vf));
	if (!pf->vf)
		return reason_set(why, -ENOMEM, "inventory", "out of memory");
	pf->num_vfs = (unsigned int)count;
	for (size_t i = 0; !error && i < count; i++)
		error = read_vf(json_object_array_get_idx(list, i), &pf->vf[i], why);
	return error;
}

/* Reads a PF. Return: 0, negative errno with *why filled; what it took belongs to the inventory in every case. */
static int read_pf(struct json_object *json, struct inventory_pf *pf, struct reason *why)
{
	struct json_object *card, *info;
	int error;

	pf->mode = ESWITCH_UNKNOWN;
	pf->numa_node = -1;
	error = read_fields(json, pf, pf_fields, why);
	error = error ? error : get_object(json, "card", &card, why);
	error = error ? error : read_card(card, &pf->card, why);
	error = error ? error : get_object(json, "info", &info, why);
	if (!error && info)
		error = read_fields(info, &pf->info, info_fields, why);
	return error ? error : read_vfs(json, pf, why);
}

/* Reads the members of an Open vSwitch bond. Return: 0, -EINVAL with *why filled. */
static int read_members(struct json_object *json, struct ovs_port *port, struct reason *why)
{
	static const struct field member = { "members", TEXT, 0, sizeof(port->member[0]) };
	struct json_object *list = json_object_object_get(json, "members");
	int error = 0;

	if (!list)
		return 0;
	if (!json_object_is_type(list, json_type_array) || json_object_array_length(list) > OVS_MAX_MEMBERS)
		return refuse("members", "a short list", why);
	for (size_t i = 0; !error && i < json_object_array_length(list); i++)
		error = store_text(port->member[port->members++], &member, json_object_array_get_idx(list, i), why);
	return error;
}

/* Reads the bridges and ports of Open vSwitch. Return: 0, negative errno with *why filled. */
static int read_bridges(struct json_object *json, struct ovs_state *ovs, struct reason *why)
{
	struct json_object *bridges, *ports;
	size_t bridge_count, port_count;
	int error = get_list(json, "bridges", MAX_PORTS, &bridges, &bridge_count, why);

	if (!error)
		error = get_list(json, "ports", MAX_PORTS, &ports, &port_count, why);
	if (error)
		return error;
	ovs->bridge = calloc(bridge_count + 1, sizeof(*ovs->bridge));
	ovs->port = calloc(port_count + 1, sizeof(*ovs->port));
	if (!ovs->bridge || !ovs->port)
		return reason_set(why, -ENOMEM, "inventory", "out of memory");
	for (size_t i = 0; !error && i < bridge_count; i++)
		error = read_fields(json_object_array_get_idx(bridges, i), &ovs->bridge[ovs->bridges++], bridge_fields, why);
	for (size_t i = 0; !error && i < port_count; i++) {
		struct ovs_port *port = &ovs->port[ovs->ports++];

		port->tag = -1;
		error = read_fields(json_object_array_get_idx(ports, i), port, ovs_port_fields, why);
		if (!error)
			error = read_members(json_object_array_get_idx(ports, i), port, why);
	}
	return error;
}

/* Reads all parts of an inventory. Return: 0, negative errno with *why filled. */
static int read_host(struct json_object *json, struct inventory *inventory, struct reason *why)
{
	struct json_object *pfs, *ovs;
	size_t count = 0;
	int error = read_fields(json, inventory, host_fields, why);

	if (!error)
		error = get_list(json, "pfs", INVENTORY_MAX_PFS, &pfs, &count, why);
	for (size_t i = 0; !error && i < count; i++)
		error = read_pf(json_object_array_get_idx(pfs, i), &inventory->pf[inventory->pfs++], why);
	if (!error)
		error = get_object(json, "ovs", &ovs, why);
	inventory->ovs.max_idle = -1;
	if (error || !ovs)
		return error;
	error = read_fields(ovs, &inventory->ovs, ovs_fields, why);
	return error ? error : read_bridges(ovs, &inventory->ovs, why);
}

/*
 * Reads an inventory from JSON.
 * Return: 0 with *inventory (to be released); -EINVAL with the key in *why; -ENOMEM.
 */
int inventory_from_json(struct json_object *json, struct inventory *inventory, struct reason *why)
{
	int error;

	if (!json_object_is_type(json, json_type_object))
		return reason_set(why, -EINVAL, "inventory", "the JSON is not an object");
	memset(inventory, 0, sizeof(*inventory));
	error = read_host(json, inventory, why);
	if (error)
		inventory_release(inventory);
	return error;
}
