/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ovs_qos.c: the egress QoS of a port that vferry makes. Rows of QoS and Queue stay in the database when nobody names them any more
 * (vswitchd/vswitch.ovsschema, isRoot), so ours carry the name of their port and go with it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "switch/ovs_change.h"

#define PORT_KEY "vferry-port" /* external_ids of our QoS and Queue rows */

/* Return: external_ids of our rows for a port. */
static struct json_object *mark(const char *port)
{
	return json_map(OVS_OWNER_KEY, "vferry", PORT_KEY, port, NULL);
}

/*
 * See ovs_change.h. The port must let go of its QoS by itself: the database checks references before it collects what nobody names
 * (ovsdb/transaction.c, ovsdb_txn_precommit()).
 */
void ovs_qos_forget(struct transaction *t, const char *port)
{
	struct json_object *row = json_object_new_object();

	json_object_object_add(row, "qos", json_list(json_text("set"), json_object_new_array(), NULL));
	transaction_add(t, op_update("Port", condition("name", "==", json_text(port)), row));
	transaction_add(t, op_delete("QoS", condition("external_ids", "includes", mark(port))));
	transaction_add(t, op_delete("Queue", condition("external_ids", "includes", mark(port))));
}

/* Adds [key, number] to a list of pairs, unless the number is none. */
static void add_pair(struct json_object *pairs, const char *key, bool has, uint64_t number)
{
	char text[24];

	if (!has)
		return;
	snprintf(text, sizeof(text), "%" PRIu64, number);
	json_object_array_add(pairs, json_list(json_text(key), json_text(text), NULL));
}

/* Return: a row with these other_config pairs (consumed) and our mark. */
static struct json_object *row_with(struct json_object *pairs, const char *port)
{
	struct json_object *row = json_object_new_object();

	json_object_object_add(row, "other_config", json_list(json_text("map"), pairs, NULL));
	json_object_object_add(row, "external_ids", mark(port));
	return row;
}

/* Inserts a queue. Return: [number, row]. */
static struct json_object *insert_queue(struct transaction *t, const char *port, const struct port_queue *queue)
{
	struct json_object *pairs = json_object_new_array();
	char name[32];

	for (int key = 0; key < QUEUE_KEYS; key++)
		add_pair(pairs, port_queue_key_name(key), queue->has[key], queue->value[key]);
	snprintf(name, sizeof(name), "new_queue_%u", queue->number);
	transaction_add(t, op_insert("Queue", name, row_with(pairs, port)));
	return json_list(json_object_new_int64(queue->number), json_named_uuid(name), NULL);
}

/* See ovs_change.h. */
struct json_object *ovs_qos_insert(struct transaction *t, const char *port, const char *text)
{
	struct json_object *queues = json_object_new_array(), *pairs = json_object_new_array(), *row;
	struct port_qos qos = { 0 };

	if (port_qos_parse(text, &qos)) {
		json_object_put(queues);
		json_object_put(pairs);
		return json_list(json_text("set"), json_object_new_array(), NULL);
	}
	for (size_t i = 0; i < qos.queues; i++)
		json_object_array_add(queues, insert_queue(t, port, &qos.queue[i]));
	add_pair(pairs, "max-rate", qos.max_rate > 0, qos.max_rate);
	row = row_with(pairs, port);
	json_object_object_add(row, "type", json_text(qos.type));
	json_object_object_add(row, "queues", json_list(json_text("map"), queues, NULL));
	transaction_add(t, op_insert("QoS", "new_qos", row));
	return json_named_uuid("new_qos");
}
