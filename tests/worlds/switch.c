/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * switch.c: a fake of Open vSwitch for a world: its database is lines of the world; the state goes through the real parser.
 */
#include <errno.h>
#include <poll.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "switch/ovs.h"
#include "switch/ovsdb.h"
#include "world.h"

#define UNUSED __attribute__((unused))

int __wrap_ovs_open(struct ovs **ovs, const char *socket, deadline_t deadline, struct reason *why);
void __wrap_ovs_close(struct ovs **ovs);
int __wrap_ovs_read(struct ovs *ovs, struct ovs_state *state, deadline_t deadline, struct reason *why);
int __wrap_ovs_add_bridge(struct ovs *ovs, const char *bridge, deadline_t deadline, struct reason *why);
int __wrap_ovs_add_port(struct ovs *ovs, const struct ovs_port_request *request, deadline_t deadline, struct reason *why);
int __wrap_ovs_del_bridge(struct ovs *ovs, const char *bridge, deadline_t deadline, struct reason *why);
int __wrap_ovs_del_port(struct ovs *ovs, const char *port, deadline_t deadline, struct reason *why);
int __wrap_ovs_set_option(struct ovs *ovs, const char *key, const char *value, deadline_t deadline, struct reason *why);

/* ["map", [[key, value], …]] of what is not "". */
static struct json_object *map_of(const char *const *pairs)
{
	struct json_object *map = json_object_new_array(), *list = json_object_new_array();

	for (; *pairs; pairs += 2) {
		struct json_object *pair = json_object_new_array();

		if (!*pairs[1])
			continue;
		json_object_array_add(pair, json_object_new_string(pairs[0]));
		json_object_array_add(pair, json_object_new_string(pairs[1]));
		json_object_array_add(list, pair);
	}
	json_object_array_add(map, json_object_new_string("map"));
	json_object_array_add(map, list);
	return map;
}

/* ["set", elements] */
static struct json_object *set_of(struct json_object *elements)
{
	struct json_object *set = json_object_new_array();

	json_object_array_add(set, json_object_new_string("set"));
	json_object_array_add(set, elements);
	return set;
}

/* ["uuid", "KIND-NAME"] */
static struct json_object *uuid_of(const char *kind, const char *name)
{
	struct json_object *uuid = json_object_new_array();
	char text[128];

	snprintf(text, sizeof(text), "%s-%s", kind, name);
	json_object_array_add(uuid, json_object_new_string("uuid"));
	json_object_array_add(uuid, json_object_new_string(text));
	return uuid;
}

/* The names of a row's interfaces: its own, or those of a bond, with commas between. Calls each. */
static void each_member(const struct world_ovs *row, void (*each)(const struct world_ovs *row, const char *name, struct json_object *list),
			struct json_object *list)
{
	char members[sizeof(row->members)], *rest = members, *name;

	snprintf(members, sizeof(members), "%s", *row->members ? row->members : row->name);
	while ((name = strsep(&rest, ",")))
		each(row, name, list);
}

/* Adds the uuid of an interface. */
static void add_uuid(UNUSED const struct world_ovs *row, const char *name, struct json_object *list)
{
	json_object_array_add(list, uuid_of("interface", name));
}

/* Adds the row of an interface. */
static void add_interface(const struct world_ovs *row, const char *name, struct json_object *list)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "_uuid", uuid_of("interface", name));
	json_object_object_add(json, "name", json_object_new_string(name));
	json_object_object_add(json, "type", json_object_new_string(row->type));
	json_object_object_add(json, "options", map_of((const char *const[]){ "peer", row->peer, NULL }));
	json_object_object_add(json, "ofport", json_object_new_int(row->ofport));
	json_object_object_add(json, "error", *row->error ? json_object_new_string(row->error) : set_of(json_object_new_array()));
	json_object_object_add(json, "external_ids", map_of((const char *const[]){ "iface-id", row->iface_id, "attached-mac",
									   row->attached_mac, NULL }));
	json_object_object_add(json, "ingress_policing_rate", json_object_new_int(row->rate));
	json_object_array_add(list, json);
}

/* external_ids of what vferry made, or of nobody. */
static struct json_object *owner_of(const struct world_ovs *row)
{
	return map_of((const char *const[]){ OVS_OWNER_KEY, row->ours ? "vferry" : "", OVS_GUEST_KEY, row->guest, OVS_LEASE_KEY, row->lease,
					      OVS_VF_KEY, row->vf, NULL });
}

/* The VLANs of a port, "100,200". */
static struct json_object *trunks_of(const struct world_ovs *row)
{
	struct json_object *list = json_object_new_array();

	for (const char *at = row->trunks; *at; at += strcspn(at, ","), at += *at == ',')
		json_object_array_add(list, json_object_new_int(atoi(at)));
	return set_of(list);
}

/* Adds a port's row. */
static void add_port(const struct world_ovs *row, struct json_object *list)
{
	struct json_object *json = json_object_new_object(), *interfaces = json_object_new_array();

	each_member(row, add_uuid, interfaces);
	json_object_object_add(json, "_uuid", uuid_of("port", row->name));
	json_object_object_add(json, "name", json_object_new_string(row->name));
	json_object_object_add(json, "interfaces", set_of(interfaces));
	json_object_object_add(json, "external_ids", owner_of(row));
	json_object_object_add(json, "tag", row->tag < 0 ? set_of(json_object_new_array()) : json_object_new_int(row->tag));
	json_object_object_add(json, "trunks", trunks_of(row));
	json_object_array_add(list, json);
}

/* Adds a bridge's row, which names its ports and has one of its own. */
static void add_bridge(const struct world *world, const struct world_ovs *row, struct json_object *lists[3])
{
	struct json_object *json = json_object_new_object(), *ports = json_object_new_array();
	struct world_ovs local = { .ofport = 65534, .tag = -1, .type = "internal" };

	snprintf(local.name, sizeof(local.name), "%s", row->name);
	add_port(&local, lists[1]);
	add_interface(&local, row->name, lists[2]);
	json_object_array_add(ports, uuid_of("port", row->name));
	for (size_t i = 0; i < world->rows; i++) {
		if (!world->row[i].is_gone && strcmp(world->row[i].kind, "port") == 0 && strcmp(world->row[i].bridge, row->name) == 0)
			json_object_array_add(ports, uuid_of("port", world->row[i].name));
	}
	json_object_object_add(json, "name", json_object_new_string(row->name));
	json_object_object_add(json, "ports", set_of(ports));
	json_object_object_add(json, "external_ids", owner_of(row));
	json_object_object_add(json, "datapath_type", json_object_new_string(row->datapath));
	json_object_array_add(lists[0], json);
}

/* The single row of the table Open_vSwitch. */
static struct json_object *switch_of(const struct world *world)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "ovs_version", json_object_new_string("3.5.0"));
	json_object_object_add(json, "other_config", map_of((const char *const[]){ "hw-offload", world->hw_offload, "max-idle", world->max_idle,
										   NULL }));
	json_object_object_add(json, "external_ids", map_of((const char *const[]){ "ovn-remote", *world->ovn_bridge ? "tcp:192.0.2.9:6642" : "",
										   "ovn-bridge", world->ovn_bridge, NULL }));
	return json;
}

/* Adds {"rows": rows} to an answer. */
static void add_rows(struct json_object *answer, struct json_object *rows)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "rows", rows);
	json_object_array_add(answer, json);
}

/* Connects to nothing. */
int __wrap_ovs_open(struct ovs **ovs, const char *socket, deadline_t deadline, struct reason *why)
{
	if (world_read()->no_ovs) {
		reason_set(why, -ENOENT, socket, "Open vSwitch does not run");
		return -ENOENT;
	}
	if (world_read()->ovs_hangs) {
		(void)poll(NULL, 0, deadline_left(deadline));
		return reason_set(why, -ETIMEDOUT, socket, "Open vSwitch's database does not answer");
	}
	*ovs = calloc(1, 1);
	return *ovs ? 0 : -ENOMEM;
}

/* Gives it back. */
void __wrap_ovs_close(struct ovs **ovs)
{
	free(*ovs);
	*ovs = NULL;
}

/* Reads the state by the real parser. */
int __wrap_ovs_read(UNUSED struct ovs *ovs, struct ovs_state *state, UNUSED deadline_t deadline, struct reason *why)
{
	const struct world *world = world_read();
	struct json_object *answer = json_object_new_array(), *one = json_object_new_array();
	struct json_object *lists[3] = { json_object_new_array(), json_object_new_array(), json_object_new_array() };
	int error;

	json_object_array_add(one, switch_of(world));
	for (size_t i = 0; i < world->rows; i++) {
		const struct world_ovs *row = &world->row[i];

		if (row->is_gone)
			continue;
		if (strcmp(row->kind, "bridge") == 0) {
			add_bridge(world, row, lists);
			continue;
		}
		add_port(row, lists[1]);
		each_member(row, add_interface, lists[2]);
	}
	add_rows(answer, one);
	for (size_t i = 0; i < 3; i++)
		add_rows(answer, lists[i]);
	add_rows(answer, json_object_new_array());
	add_rows(answer, json_object_new_array());
	error = ovs_state_parse(answer, state, why);
	json_object_put(answer);
	return error;
}

/* The bridge is there. */
int __wrap_ovs_add_bridge(UNUSED struct ovs *ovs, const char *bridge, UNUSED deadline_t deadline, UNUSED struct reason *why)
{
	world_change("ovs bridge %s ours=1 gone=0", bridge);
	return 0;
}

/* The port is there; one in another bridge, or of somebody else, is left as it is. */
int __wrap_ovs_add_port(UNUSED struct ovs *ovs, const struct ovs_port_request *request, UNUSED deadline_t deadline, struct reason *why)
{
	const struct world *world = world_read();
	char trunks[PORT_TRUNKS_LEN] = "";

	if (world->ovs_refuses)
		return reason_set(why, -EIO, request->port, "Open vSwitch makes no port");
	for (size_t i = 0; i < world->rows; i++) {
		const struct world_ovs *row = &world->row[i];

		if (row->is_gone || strcmp(row->kind, "port") != 0 || strcmp(row->name, request->port) != 0)
			continue;
		if (strcmp(row->bridge, request->bridge) == 0 && !row->ours)
			return 0;
		if (strcmp(row->bridge, request->bridge) != 0)
			return reason_set(why, -EEXIST, request->port, "it is in Open vSwitch bridge %s already, as port %s", row->bridge, row->name);
	}
	if (request->settings)
		port_settings_format_trunks(request->settings, trunks);
	for (char *blank = trunks; (blank = strchr(blank, ' ')); blank++)
		*blank = ',';
	world_change("ovs port %s bridge=%s ours=1 gone=0 guest=%s vf=%s lease=%s tag=%d iface-id=%s rate=%u%s%.500s", request->port, request->bridge,
		     request->guest, request->vf, request->lease ? request->lease : "",
		     request->settings && request->settings->has_tag ? request->settings->tag : request->tag,
		     request->settings ? request->settings->iface_id : "", request->settings ? request->settings->ingress_rate : 0,
		     *trunks ? " trunks=" : "", trunks);
	return 0;
}

/* The bridge is gone. */
int __wrap_ovs_del_bridge(UNUSED struct ovs *ovs, const char *bridge, UNUSED deadline_t deadline, UNUSED struct reason *why)
{
	world_change("ovs bridge %s gone=1", bridge);
	return 0;
}

/* The port is gone. */
int __wrap_ovs_del_port(UNUSED struct ovs *ovs, const char *port, UNUSED deadline_t deadline, UNUSED struct reason *why)
{
	world_change("ovs port %s gone=1", port);
	return 0;
}

/* The option is set. */
int __wrap_ovs_set_option(UNUSED struct ovs *ovs, const char *key, const char *value, UNUSED deadline_t deadline, UNUSED struct reason *why)
{
	world_change("ovs options %s=%s", key, value ? value : "");
	return 0;
}
