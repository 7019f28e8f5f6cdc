/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * inventory_json.c: an inventory as JSON and back, for people, other programs and recorded hosts.
 *
 * Tables of fields (host/json_fields.h) say which key belongs to which member, for both directions. A recorded host comes from elsewhere:
 * see there for how strictly it is read.
 */
#include "host/inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/json_fields.h"

#define MAX_PORTS 65536 /* of a recorded Open vSwitch */
#define MAX_NETDEVS 16384

static const struct field host_fields[] = {
	FIELD(inventory, hostname, "hostname", TEXT),
	FIELD(inventory, architecture, "architecture", TEXT),
	FIELD(inventory, has_iommu, "has_iommu", FLAG),
	FIELD(inventory, has_variant_driver, "has_variant_driver", FLAG),
	FIELD(inventory, has_ovs, "has_ovs", FLAG),
	FIELD(inventory, ovs_trouble, "ovs_trouble", TEXT),
	FIELD(inventory, ovs_cure, "ovs_cure", TEXT),
	FIELD(inventory, users_unseen, "users_unseen", FLAG),
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
	FIELD(inventory_pf, msix_dynamic, "msix_dynamic", FLAG),
	FIELD(inventory_pf, numa_node, "numa_node", SIGNED),
	FIELD(inventory_pf, uplink, "uplink", TEXT),
	FIELD(inventory_pf, uplink_ifindex, "uplink_ifindex", UNSIGNED),
	FIELD(inventory_pf, uplink_up, "uplink_up", FLAG),
	FIELD(inventory_pf, uplink_mtu, "uplink_mtu", UNSIGNED),
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
	FIELD(inventory_vf, representor_mtu, "representor_mtu", UNSIGNED),
	FIELD(inventory_vf, bridge, "bridge", TEXT),
	FIELD(inventory_vf, bridge_ours, "bridge_ours", FLAG),
	FIELD(inventory_vf, msix, "msix", UNSIGNED),
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
	FIELD(devlink_port, function.roce, "roce", SWITCH),
	FIELD(devlink_port, function.max_io_eqs, "max_io_eqs", UNSIGNED),
	FIELD(devlink_port, function.ipsec_crypto, "ipsec_crypto", SWITCH),
	FIELD(devlink_port, function.ipsec_packet, "ipsec_packet", SWITCH),
	END,
};

static const struct field ovs_fields[] = {
	FIELD(ovs_state, version, "version", TEXT),
	FIELD(ovs_state, hw_offload, "hw_offload", FLAG),
	FIELD(ovs_state, max_idle, "max_idle", SIGNED),
	FIELD(ovs_state, ovn_bridge, "ovn_bridge", TEXT),
	END,
};

static const struct field bridge_fields[] = {
	FIELD(ovs_bridge, name, "name", TEXT),
	FIELD(ovs_bridge, ours, "ours", FLAG),
	FIELD(ovs_bridge, datapath_type, "datapath_type", TEXT),
	END,
};

static const struct field netdev_fields[] = {
	FIELD(netdev, ifindex, "ifindex", UNSIGNED),
	FIELD(netdev, name, "name", TEXT),
	FIELD(netdev, kind, "kind", TEXT),
	FIELD(netdev, up, "up", FLAG),
	FIELD(netdev, carrier, "carrier", FLAG),
	FIELD(netdev, parent, "parent", TEXT),
	FIELD(netdev, port_name, "port_name", TEXT),
	FIELD(netdev, master, "master", UNSIGNED),
	FIELD(netdev, master_kind, "master_kind", TEXT),
	FIELD(netdev, lower, "lower", UNSIGNED),
	FIELD(netdev, second, "second", UNSIGNED),
	FIELD(netdev, third, "third", UNSIGNED),
	FIELD(netdev, peer, "peer", UNSIGNED),
	FIELD(netdev, far, "far", UNSIGNED),
	FIELD(netdev, addresses, "addresses", UNSIGNED),
	FIELD(netdev, default_route, "default_route", FLAG),
	FIELD(netdev, other_route, "other_route", FLAG),
	FIELD(netdev, space, "space", TEXT),
	END,
};

static const struct field user_fields[] = {
	FIELD(device_user, device, "device", PCI),
	FIELD(device_user, kind, "kind", TEXT),
	FIELD(device_user, name, "name", TEXT),
	FIELD(device_user, process, "process", TEXT),
	END,
};

static const struct field ovs_port_fields[] = {
	FIELD(ovs_port, name, "name", TEXT),
	FIELD(ovs_port, bridge, "bridge", TEXT),
	FIELD(ovs_port, type, "type", TEXT),
	FIELD(ovs_port, peer, "peer", TEXT),
	FIELD(ovs_port, leads, "leads", TEXT),
	FIELD(ovs_port, mtu, "mtu", UNSIGNED),
	FIELD(ovs_port, ofport, "ofport", SIGNED),
	FIELD(ovs_port, error, "error", TEXT),
	FIELD(ovs_port, ours, "ours", FLAG),
	FIELD(ovs_port, guest, "guest", TEXT),
	FIELD(ovs_port, vf, "vf", TEXT),
	FIELD(ovs_port, tag, "tag", SIGNED),
	END,
};

/* ---- Writing ------------------------------------------------------------------------------------------------------------------- */

/* Return: a VF as JSON. */
static struct json_object *write_vf(const struct inventory_vf *vf)
{
	struct json_object *out = json_fields_write(json_object_new_object(), vf, vf_fields);

	if (vf->has_port)
		json_object_object_add(out, "port", json_fields_write(json_object_new_object(), &vf->port, port_fields));
	return out;
}

/* Return: a PF as JSON. */
static struct json_object *write_pf(const struct inventory_pf *pf)
{
	struct json_object *out = json_fields_write(json_object_new_object(), pf, pf_fields), *vfs = json_object_new_array();
	struct json_object *card = json_fields_write(json_object_new_object(), &pf->card, card_fields);

	json_object_object_add(card, "name", json_object_new_string(pf->card.name ? pf->card.name : ""));
	json_object_object_add(out, "card", card);
	json_object_object_add(out, "info", json_fields_write(json_object_new_object(), &pf->info, info_fields));
	for (unsigned int i = 0; i < pf->num_vfs; i++)
		json_object_array_add(vfs, write_vf(&pf->vf[i]));
	json_object_object_add(out, "vfs", vfs);
	return out;
}

/* Return: an Open vSwitch port as JSON. */
static struct json_object *write_port(const struct ovs_port *port)
{
	struct json_object *out = json_fields_write(json_object_new_object(), port, ovs_port_fields), *members = json_object_new_array();

	for (size_t i = 0; i < port->members; i++)
		json_object_array_add(members, json_object_new_string(port->member[i]));
	json_object_object_add(out, "members", members);
	return out;
}

/* Return: the state of Open vSwitch as JSON. */
static struct json_object *write_ovs(const struct ovs_state *ovs)
{
	struct json_object *out = json_fields_write(json_object_new_object(), ovs, ovs_fields);
	struct json_object *bridges = json_object_new_array(), *ports = json_object_new_array();

	for (size_t i = 0; i < ovs->bridges; i++)
		json_object_array_add(bridges, json_fields_write(json_object_new_object(), &ovs->bridge[i], bridge_fields));
	for (size_t i = 0; i < ovs->ports; i++)
		json_object_array_add(ports, write_port(&ovs->port[i]));
	json_object_object_add(out, "bridges", bridges);
	json_object_object_add(out, "ports", ports);
	return out;
}

/* Return: an inventory as JSON, to be put. */
struct json_object *inventory_to_json(const struct inventory *inventory)
{
	struct json_object *out = json_fields_write(json_object_new_object(), inventory, host_fields), *pfs = json_object_new_array();
	struct json_object *netdevs = json_object_new_array(), *users = json_object_new_array();

	for (size_t i = 0; i < inventory->netdevs; i++)
		json_object_array_add(netdevs, json_fields_write(json_object_new_object(), &inventory->netdev[i], netdev_fields));
	for (size_t i = 0; i < inventory->users; i++)
		json_object_array_add(users, json_fields_write(json_object_new_object(), &inventory->user[i], user_fields));
	for (size_t i = 0; i < inventory->pfs; i++)
		json_object_array_add(pfs, write_pf(&inventory->pf[i]));
	json_object_object_add(out, "pfs", pfs);
	json_object_object_add(out, "netdevs", netdevs);
	json_object_object_add(out, "users", users);
	if (inventory->has_ovs)
		json_object_object_add(out, "ovs", write_ovs(&inventory->ovs));
	return out;
}

/* ---- Reading ------------------------------------------------------------------------------------------------------------------- */

/* Reads a VF. Return: 0, -EINVAL with *why filled. */
static int read_vf(struct json_object *json, struct inventory_vf *vf, struct reason *why)
{
	struct json_object *port;
	int error = json_fields_read(json, vf, vf_fields, why);

	if (!error)
		error = json_fields_object(json, "port", &port, why);
	if (error || !port)
		return error;
	vf->has_port = true;
	return json_fields_read(port, &vf->port, port_fields, why);
}

/* Reads the card of a PF and takes its row from our own table. Return: 0, -EINVAL with *why filled. */
static int read_card(struct json_object *json, struct card *card, struct reason *why)
{
	struct card ids = { 0 };
	const struct card *row;
	int error = json_fields_read(json, &ids, card_fields, why);

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
	int error = json_fields_list(json, "vfs", INVENTORY_MAX_VFS, &list, &count, why);

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
	error = json_fields_read(json, pf, pf_fields, why);
	error = error ? error : json_fields_object(json, "card", &card, why);
	error = error ? error : read_card(card, &pf->card, why);
	error = error ? error : json_fields_object(json, "info", &info, why);
	if (!error && info)
		error = json_fields_read(info, &pf->info, info_fields, why);
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
		return json_fields_refuse("members", "a short list", why);
	for (size_t i = 0; !error && i < json_object_array_length(list); i++)
		error = json_fields_text(port->member[port->members++], &member, json_object_array_get_idx(list, i), why);
	return error;
}

/* Reads the bridges and ports of Open vSwitch. Return: 0, negative errno with *why filled. */
static int read_bridges(struct json_object *json, struct ovs_state *ovs, struct reason *why)
{
	struct json_object *bridges, *ports;
	size_t bridge_count, port_count;
	int error = json_fields_list(json, "bridges", MAX_PORTS, &bridges, &bridge_count, why);

	if (!error)
		error = json_fields_list(json, "ports", MAX_PORTS, &ports, &port_count, why);
	if (error)
		return error;
	ovs->bridge = calloc(bridge_count + 1, sizeof(*ovs->bridge));
	ovs->port = calloc(port_count + 1, sizeof(*ovs->port));
	if (!ovs->bridge || !ovs->port)
		return reason_set(why, -ENOMEM, "inventory", "out of memory");
	for (size_t i = 0; !error && i < bridge_count; i++)
		error = json_fields_read(json_object_array_get_idx(bridges, i), &ovs->bridge[ovs->bridges++], bridge_fields, why);
	for (size_t i = 0; !error && i < port_count; i++) {
		struct ovs_port *port = &ovs->port[ovs->ports++];

		port->tag = -1;
		error = json_fields_read(json_object_array_get_idx(ports, i), port, ovs_port_fields, why);
		if (!error)
			error = read_members(json_object_array_get_idx(ports, i), port, why);
	}
	return error;
}

/* Reads netdevs and users, which a record of an older vferry does not have. Return: 0, negative errno with *why filled. */
static int read_uses(struct json_object *json, struct inventory *inventory, struct reason *why)
{
	struct json_object *netdevs, *users;
	size_t netdev_count, user_count;
	int error = json_fields_list(json, "netdevs", MAX_NETDEVS, &netdevs, &netdev_count, why);

	if (!error)
		error = json_fields_list(json, "users", MAX_NETDEVS, &users, &user_count, why);
	if (error || (!netdev_count && !user_count))
		return error;
	inventory->netdev = calloc(netdev_count + 1, sizeof(*inventory->netdev));
	inventory->user = calloc(user_count + 1, sizeof(*inventory->user));
	if (!inventory->netdev || !inventory->user)
		return reason_set(why, -ENOMEM, "inventory", "out of memory");
	for (size_t i = 0; !error && i < netdev_count; i++)
		error = json_fields_read(json_object_array_get_idx(netdevs, i), &inventory->netdev[inventory->netdevs++], netdev_fields, why);
	for (size_t i = 0; !error && i < user_count; i++)
		error = json_fields_read(json_object_array_get_idx(users, i), &inventory->user[inventory->users++], user_fields, why);
	return error;
}

/* Reads all parts of an inventory. Return: 0, negative errno with *why filled. */
static int read_host(struct json_object *json, struct inventory *inventory, struct reason *why)
{
	struct json_object *pfs, *ovs;
	size_t count = 0;
	int error = json_fields_read(json, inventory, host_fields, why);

	if (!error)
		error = json_fields_list(json, "pfs", INVENTORY_MAX_PFS, &pfs, &count, why);
	for (size_t i = 0; !error && i < count; i++)
		error = read_pf(json_object_array_get_idx(pfs, i), &inventory->pf[inventory->pfs++], why);
	inventory->ports_untold = !json_object_object_get(json, "netdevs");
	if (!error)
		error = read_uses(json, inventory, why);
	if (!error)
		error = json_fields_object(json, "ovs", &ovs, why);
	inventory->ovs.max_idle = -1;
	if (error || !ovs)
		return error;
	error = json_fields_read(ovs, &inventory->ovs, ovs_fields, why);
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
