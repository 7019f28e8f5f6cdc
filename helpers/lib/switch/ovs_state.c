/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ovs_state.c: what Open vSwitch has, from the answer of its database.
 *
 * Six row lists are joined: a Bridge names its Ports, a Port its Interfaces and its QoS, and that its Queues, by uuid.
 */
#include "switch/ovs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "switch/ovsdb.h"

/* Positions of the questions in the transaction. */
enum { QUESTION_SWITCH, QUESTION_BRIDGE, QUESTION_PORT, QUESTION_INTERFACE, QUESTION_QOS, QUESTION_QUEUE };
#define QUESTIONS_NEEDED QUESTION_QOS /* an answer without the rest has no QoS */

static const char *const switch_columns[] = { "other_config", "ovs_version", "external_ids", NULL };
static const char *const bridge_columns[] = { "name", "ports", "external_ids", "datapath_type", NULL };
static const char *const port_columns[] = { "_uuid", "name", "interfaces", "external_ids", "tag", "trunks", "vlan_mode",
						 "qos", NULL };
static const char *const interface_columns[] = { "_uuid", "name", "ofport", "error", "external_ids", "ingress_policing_rate",
						 "ingress_policing_burst", "type", "options", NULL };

static const char *const qos_columns[] = { "_uuid", "type", "other_config", "queues", NULL };
static const char *const queue_columns[] = { "_uuid", "other_config", NULL };

/* What rows are found in, by their uuid. */
struct indexes {
	struct json_object *ports, *interfaces, *qos, *queues;
};

/* Return: the six selects as operations of one transaction, in a JSON array. */
struct json_object *ovs_state_questions(void)
{
	return json_list(op_select("Open_vSwitch", NULL, switch_columns), op_select("Bridge", NULL, bridge_columns),
			 op_select("Port", NULL, port_columns), op_select("Interface", NULL, interface_columns),
			 op_select("QoS", NULL, qos_columns), op_select("Queue", NULL, queue_columns), NULL);
}

/* Return: the rows of an answer, borrowed; NULL if it has none. */
static struct json_object *rows_of(struct json_object *answer, int question)
{
	struct json_object *rows;

	rows = json_object_object_get(json_object_array_get_idx(answer, (size_t)question), "rows");
	return json_object_is_type(rows, json_type_array) ? rows : NULL;
}

/* rows: NULL: none. Return: a JSON object that finds rows by the text of their _uuid; to be put. */
static struct json_object *index_by_uuid(struct json_object *rows)
{
	struct json_object *index = json_object_new_object();

	for (size_t i = 0; rows && i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		const char *uuid = value_uuid(json_object_object_get(row, "_uuid"));

		if (uuid)
			json_object_object_add(index, uuid, json_object_get(row));
	}
	return index;
}

/* Copies text of the database, cut to size, without control characters. */
static void copy(char *out, size_t size, const char *text)
{
	reason_clean(out, size, text ? text : "");
}

/*
 * Reads what ovn-controller is told by its host (ovn-controller(8)): where it runs there is "ovn-remote", be it with the name of a chassis
 * behind it; the integration bridge is "br-int" unless "ovn-bridge" names another.
 */
static void read_ovn(struct json_object *row, struct ovs_state *state)
{
	struct json_object *pairs = value_map(row, "external_ids");
	const char *bridge = value_map_text(row, "external_ids", "ovn-bridge");
	bool runs = bridge;

	for (size_t i = 0; pairs && !runs && i < json_object_array_length(pairs); i++) {
		struct json_object *key = json_object_array_get_idx(json_object_array_get_idx(pairs, i), 0);

		runs = json_object_is_type(key, json_type_string) && strncmp(json_object_get_string(key), "ovn-remote", strlen("ovn-remote")) == 0;
	}
	if (runs)
		copy(state->ovn_bridge, sizeof(state->ovn_bridge), bridge ? bridge : "br-int");
}

/* Reads the single row of the table Open_vSwitch. */
static void read_switch(struct json_object *row, struct ovs_state *state)
{
	const char *offload = value_map_text(row, "other_config", "hw-offload");
	const char *idle = value_map_text(row, "other_config", "max-idle");
	struct json_object *version = json_object_is_type(row, json_type_object) ? value_first(row, "ovs_version") : NULL;

	state->hw_offload = offload && strcmp(offload, "true") == 0;
	state->max_idle = idle ? strtol(idle, NULL, 10) : -1;
	if (json_object_is_type(version, json_type_string))
		copy(state->version, sizeof(state->version), json_object_get_string(version));
	read_ovn(row, state);
}

/* Whether external_ids say that vferry made a row. */
static bool is_ours(struct json_object *row)
{
	const char *owner = value_map_text(row, "external_ids", OVS_OWNER_KEY);

	return owner && strcmp(owner, "vferry") == 0;
}

/* Copies an identifier of external_ids if it is a word and fits; else out stays "". */
static void copy_word(struct json_object *row, const char *key, char out[PORT_NAME_MAX])
{
	const char *text = value_map_text(row, "external_ids", key);

	if (text && strlen(text) < PORT_NAME_MAX && port_settings_is_word(text))
		copy(out, PORT_NAME_MAX, text);
}

/* Return: a number of a column, 0 if it is absent or not from 1 to PORT_MAX_RATE. */
static uint32_t rate(struct json_object *row, const char *column)
{
	struct json_object *value = value_first(row, column);
	int64_t number = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : 0;

	return number > 0 && number <= PORT_MAX_RATE ? (uint32_t)number : 0;
}

/* Reads what was set on a port's interface. */
static void read_interface_settings(struct json_object *row, struct port_settings *settings)
{
	const char *mac = value_map_text(row, "external_ids", "attached-mac");

	settings->ingress_rate = rate(row, "ingress_policing_rate");
	settings->ingress_burst = rate(row, "ingress_policing_burst");
	settings->has_attached_mac = mac && mac_address_parse(mac, &settings->attached_mac) == 0;
	copy_word(row, "iface-id", settings->iface_id);
	copy_word(row, "vm-id", settings->vm_id);
	copy_word(row, "vm-uuid", settings->vm_uuid);
}

/* Reads what was set on a port. */
static void read_port_settings(struct json_object *row, struct port_settings *settings)
{
	struct json_object *tag = value_first(row, "tag"), *mode = value_first(row, "vlan_mode");
	int number = json_object_is_type(tag, json_type_int) ? json_object_get_int(tag) : -1;

	settings->has_tag = number >= 0 && number <= PORT_MAX_VLAN;
	settings->tag = (uint16_t)(settings->has_tag ? number : 0);
	if (json_object_is_type(mode, json_type_string) && port_settings_is_vlan_mode(json_object_get_string(mode)))
		copy(settings->vlan_mode, sizeof(settings->vlan_mode), json_object_get_string(mode));
	for (size_t i = 0; i < value_count(row, "trunks"); i++) {
		struct json_object *trunk = value_element(row, "trunks", i);

		number = json_object_is_type(trunk, json_type_int) ? json_object_get_int(trunk) : -1;
		if (number >= 0)
			port_settings_add_trunk(settings, (unsigned int)number);
	}
}

/* Reads what a queue is set to. Return: whether all of it can be carried. */
static bool read_queue(struct json_object *row, struct port_queue *queue)
{
	struct json_object *pairs = value_map(row, "other_config");
	size_t known = 0;

	for (int key = 0; key < QUEUE_KEYS; key++) {
		const char *text = value_map_text(row, "other_config", port_queue_key_name(key));

		queue->has[key] = text && port_qos_parse_number(text, &queue->value[key]) == 0;
		known += queue->has[key];
	}
	return pairs && known == json_object_array_length(pairs);
}

/* Reads one [number, ["uuid", text]] of a QoS. Return: whether it can be carried. */
static bool read_queue_pair(struct json_object *pair, const struct indexes *index, struct port_qos *qos)
{
	struct json_object *number = json_object_array_get_idx(pair, 0), *row;
	const char *uuid = value_uuid(json_object_array_get_idx(pair, 1));
	int64_t n = json_object_is_type(number, json_type_int) ? json_object_get_int64(number) : -1;
	struct port_queue *queue = &qos->queue[qos->queues];

	row = uuid ? json_object_object_get(index->queues, uuid) : NULL;
	if (!row || n < 0 || n > PORT_MAX_QUEUE || !read_queue(row, queue))
		return false;
	queue->number = (unsigned int)n;
	qos->queues++;
	return true;
}

/* Reads the queues of a QoS; the database has them in the order of their numbers. Return: whether all can be carried. */
static bool read_queues(struct json_object *row, const struct indexes *index, struct port_qos *qos)
{
	struct json_object *pairs = value_map(row, "queues");
	size_t count = pairs ? json_object_array_length(pairs) : 0;

	if (count > PORT_MAX_QUEUES)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct json_object *pair = json_object_array_get_idx(pairs, i);

		if (!json_object_is_type(pair, json_type_array) || json_object_array_length(pair) != 2 || !read_queue_pair(pair, index, qos))
			return false;
	}
	return true;
}

/* Reads the egress QoS of a port; one that cannot be carried as a whole is left out as a whole. */
static void read_qos(struct json_object *port, const struct indexes *index, char out[PORT_QOS_LEN])
{
	const char *uuid = value_uuid(value_first(port, "qos"));
	struct json_object *row = uuid ? json_object_object_get(index->qos, uuid) : NULL, *pairs;
	const char *max_rate = value_map_text(row, "other_config", "max-rate");
	struct port_qos qos = { 0 };

	if (!row || !port_qos_is_type(value_text(row, "type")) || (max_rate && port_qos_parse_number(max_rate, &qos.max_rate)))
		return;
	pairs = value_map(row, "other_config");
	if (!pairs || json_object_array_length(pairs) != (max_rate ? 1 : 0))
		return;
	copy(qos.type, sizeof(qos.type), value_text(row, "type"));
	if (!read_queues(row, index, &qos) || port_qos_format(&qos, out))
		*out = '\0';
}

/*
 * Adds what one interface of a port says. A bond has several: the first sick one speaks for the port.
 * ofport: absent until ovs-vswitchd has seen the interface, -1 if it could not be opened (vswitch.xml, Interface ofport).
 */
static void read_interface(struct json_object *row, struct ovs_port *port)
{
	struct json_object *ofport = value_first(row, "ofport"), *error = value_first(row, "error");

	if (!port->members) {
		read_interface_settings(row, &port->settings);
		copy(port->type, sizeof(port->type), value_text(row, "type"));
		copy(port->peer, sizeof(port->peer), value_map_text(row, "options", "peer"));
	}
	if (port->members < OVS_MAX_MEMBERS)
		copy(port->member[port->members++], sizeof(port->member[0]), value_text(row, "name"));
	if (json_object_is_type(ofport, json_type_int) && port->ofport != -1)
		port->ofport = json_object_get_int(ofport);
	if (json_object_is_type(error, json_type_string) && !port->error[0])
		copy(port->error, sizeof(port->error), json_object_get_string(error));
}

/*
 * Reads one port.
 * row: of the table Port; bridge: name of the bridge that it is in.
 */
static void read_port(struct json_object *row, const struct indexes *index, const char *bridge, struct ovs_port *port)
{
	struct json_object *tag = value_first(row, "tag");

	memset(port, 0, sizeof(*port));
	copy(port->name, sizeof(port->name), value_text(row, "name"));
	copy(port->bridge, sizeof(port->bridge), bridge);
	port->ours = is_ours(row);
	copy(port->guest, sizeof(port->guest), value_map_text(row, "external_ids", OVS_GUEST_KEY));
	copy(port->lease, sizeof(port->lease), value_map_text(row, "external_ids", OVS_LEASE_KEY));
	copy(port->vf, sizeof(port->vf), value_map_text(row, "external_ids", OVS_VF_KEY));
	port->tag = json_object_is_type(tag, json_type_int) ? json_object_get_int(tag) : -1;
	read_port_settings(row, &port->settings);
	read_qos(row, index, port->settings.qos);
	for (size_t i = 0; i < value_count(row, "interfaces"); i++) {
		const char *uuid = value_uuid(value_element(row, "interfaces", i));

		if (uuid)
			read_interface(json_object_object_get(index->interfaces, uuid), port);
	}
	if (port->members == 1)
		port->members = 0; /* no bond */
}

/* Reads one bridge and its ports. ports, interfaces: indexes. Return: 0, -ENOMEM. */
static int read_bridge(struct json_object *row, const struct indexes *index, struct ovs_state *state)
{
	struct ovs_bridge *bridge = &state->bridge[state->bridges++];
	size_t count = value_count(row, "ports");
	struct ovs_port *larger = reallocarray(state->port, state->ports + count + 1, sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	state->port = larger;
	memset(bridge, 0, sizeof(*bridge));
	copy(bridge->name, sizeof(bridge->name), value_text(row, "name"));
	copy(bridge->datapath_type, sizeof(bridge->datapath_type), value_text(row, "datapath_type"));
	bridge->ours = is_ours(row);
	for (size_t i = 0; i < count; i++) {
		const char *uuid = value_uuid(value_element(row, "ports", i));
		struct json_object *port = uuid ? json_object_object_get(index->ports, uuid) : NULL;

		if (port)
			read_port(port, index, value_text(row, "name"), &state->port[state->ports++]);
	}
	return 0;
}

/* Reads all bridges with their ports. Return: 0, -ENOMEM. */
static int read_bridges(struct json_object *answer, struct ovs_state *state)
{
	struct json_object *bridges = rows_of(answer, QUESTION_BRIDGE);
	struct indexes index = {
		.ports = index_by_uuid(rows_of(answer, QUESTION_PORT)),
		.interfaces = index_by_uuid(rows_of(answer, QUESTION_INTERFACE)),
		.qos = index_by_uuid(rows_of(answer, QUESTION_QOS)),
		.queues = index_by_uuid(rows_of(answer, QUESTION_QUEUE)),
	};
	size_t count = json_object_array_length(bridges);
	int error = 0;

	state->bridge = calloc(count + 1, sizeof(*state->bridge));
	if (!state->bridge)
		error = -ENOMEM;
	for (size_t i = 0; !error && i < count; i++)
		error = read_bridge(json_object_array_get_idx(bridges, i), &index, state);
	json_object_put(index.ports);
	json_object_put(index.interfaces);
	json_object_put(index.qos);
	json_object_put(index.queues);
	return error;
}

/*
 * Reads the answer to ovs_state_questions().
 * Return: 0 with *state (to be released); -EPROTO if it is no such answer, -ENOMEM; *why filled.
 */
int ovs_state_parse(struct json_object *answer, struct ovs_state *state, struct reason *why)
{
	struct ovs_state found = { .max_idle = -1 };
	int error;

	if (!json_object_is_type(answer, json_type_array) || json_object_array_length(answer) < QUESTIONS_NEEDED)
		return reason_set(why, -EPROTO, "Open vSwitch", "its database gave an answer that is none to the question");
	for (int i = 0; i < QUESTIONS_NEEDED; i++) {
		if (!rows_of(answer, i))
			return reason_set(why, -EPROTO, "Open vSwitch", "its database gave an answer without rows");
	}
	if (json_object_array_length(rows_of(answer, QUESTION_SWITCH)) > 0)
		read_switch(json_object_array_get_idx(rows_of(answer, QUESTION_SWITCH), 0), &found);
	error = read_bridges(answer, &found);
	if (error) {
		ovs_state_release(&found);
		return reason_set(why, error, "Open vSwitch", "out of memory");
	}
	*state = found;
	return 0;
}

/* Frees what ovs_read() filled; harmless on a zeroed struct. */
void ovs_state_release(struct ovs_state *state)
{
	free(state->bridge);
	free(state->port);
	memset(state, 0, sizeof(*state));
}

/* Return: the port of that name, NULL if there is none. */
const struct ovs_port *ovs_find_port(const struct ovs_state *state, const char *name)
{
	for (size_t i = 0; i < state->ports; i++) {
		if (strcmp(state->port[i].name, name) == 0)
			return &state->port[i];
	}
	return NULL;
}

/* Whether a netdev is a member of a bond. */
static bool is_member(const struct ovs_port *port, const char *netdev)
{
	for (size_t i = 0; i < port->members; i++) {
		if (strcmp(port->member[i], netdev) == 0)
			return true;
	}
	return false;
}

/* Return: the port that a netdev is in, be it a member of a bond; NULL if it is in none. */
const struct ovs_port *ovs_find_interface(const struct ovs_state *state, const char *netdev)
{
	for (size_t i = 0; i < state->ports; i++) {
		const struct ovs_port *port = &state->port[i];

		if (port->members ? is_member(port, netdev) : strcmp(port->name, netdev) == 0)
			return port;
	}
	return NULL;
}

/* Return: the bridge of that name, NULL if there is none. */
const struct ovs_bridge *ovs_find_bridge(const struct ovs_state *state, const char *name)
{
	for (size_t i = 0; i < state->bridges; i++) {
		if (strcmp(state->bridge[i].name, name) == 0)
			return &state->bridge[i];
	}
	return NULL;
}
