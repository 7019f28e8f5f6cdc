/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ovs_watch.c: being told when what is set on ports changes (RFC 7047, 4.1.5). What Open vSwitch changes by itself, such as counters, is
 * not asked for.
 */
#include <stddef.h>

#include "switch/ovs_change.h"

/* Return: {"columns": [...], "select": {"initial": false}}; columns end with NULL. */
static struct json_object *request_for(const char *const *columns)
{
	struct json_object *request = json_object_new_object(), *list = json_object_new_array(), *select = json_object_new_object();

	for (; *columns; columns++)
		json_object_array_add(list, json_text(*columns));
	json_object_object_add(select, "initial", json_object_new_boolean(false));
	json_object_object_add(request, "columns", list);
	json_object_object_add(request, "select", select);
	return request;
}

/* Return: the parameters of "monitor". */
static struct json_object *parameters(void)
{
	static const char *const port[] = { "tag", "trunks", "vlan_mode", "qos", NULL };
	static const char *const interface[] = { "external_ids", "ingress_policing_rate", "ingress_policing_burst", NULL };
	static const char *const qos[] = { "type", "other_config", "queues", NULL };
	static const char *const queue[] = { "other_config", NULL };
	struct json_object *tables = json_object_new_object(), *list = json_object_new_array();

	json_object_object_add(tables, "Port", request_for(port));
	json_object_object_add(tables, "Interface", request_for(interface));
	json_object_object_add(tables, "QoS", request_for(qos));
	json_object_object_add(tables, "Queue", request_for(queue));
	json_object_array_add(list, json_text("Open_vSwitch"));
	json_object_array_add(list, NULL);
	json_object_array_add(list, tables);
	return list;
}

/* See ovs.h. ovs: for ovs_close(). */
int ovs_watch_open(struct ovs **ovs, const char *socket, deadline_t deadline, struct reason *why)
{
	struct json_object *result = NULL;
	int error = ovs_open(ovs, socket, deadline, why);

	if (error)
		return error;
	error = ovsdb_call((*ovs)->db, "monitor", parameters(), deadline, &result, why);
	json_object_put(result);
	if (error)
		ovs_close(ovs);
	return error;
}

/* Return: the descriptor to poll for reading. */
int ovs_watch_fd(const struct ovs *ovs)
{
	return ovsdb_fd(ovs->db);
}

/* some: receives whether something was changed. Return: 0; negative errno if the connection is lost, *why filled. */
int ovs_watch_take(struct ovs *ovs, bool *some, struct reason *why)
{
	*some = false;
	return ovsdb_listen(ovs->db, some, why);
}
