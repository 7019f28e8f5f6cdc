/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ovs.c: what vferry asks of Open vSwitch.
 *
 * Theory of operation: every change is one transaction: demands on what must still be true ("wait" with a time of 0), the change itself,
 * and next_cfg + 1. The database commits it, which says nothing yet: ovs-vswitchd then sets the system up and writes the number it
 * has applied to cur_cfg, so we let the database wait until cur_cfg has come that far. Then ofport and error of the interface are
 * read: a port that could not be opened is in the database all the same, with ofport -1; it is taken out again.
 */
#include "switch/ovs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "switch/ovs_change.h"

#define UNDO_TIME 1000  /* ms to take a failed change out of the database again */
#define APPLY_TIME 20000 /* ms at most for ovs-vswitchd to apply a change, and never more than half of what is left */
#define PORT_TIME 5000  /* ms at most for ovs-vswitchd to give a port its number once it has applied the change */

/* Connects; see the header. Return: 0, negative errno with *why filled. */
int ovs_open(struct ovs **ovs, const char *socket, deadline_t deadline, struct reason *why)
{
	autofree struct ovs *opened = calloc(1, sizeof(*opened));
	int error;

	if (!opened)
		return reason_set(why, -ENOMEM, "Open vSwitch", "out of memory");
	error = ovsdb_open(&opened->db, socket, deadline, why);
	if (!error)
		*ovs = scope_take(&opened);
	return error;
}

/* Disconnects and leaves NULL; harmless on NULL. */
void ovs_close(struct ovs **ovs)
{
	if (!*ovs)
		return;
	ovsdb_close(&(*ovs)->db);
	free(*ovs);
	*ovs = NULL;
}

/* Reads bridges, ports and options. Return: 0 with *state (to be released), negative errno with *why filled. */
int ovs_read(struct ovs *ovs, struct ovs_state *state, deadline_t deadline, struct reason *why)
{
	struct json_object *questions = ovs_state_questions();
	autotransaction struct transaction t;
	int error;

	transaction_begin(&t);
	for (size_t i = 0; i < json_object_array_length(questions); i++)
		transaction_add(&t, json_object_get(json_object_array_get_idx(questions, i)));
	json_object_put(questions);
	error = transaction_run(ovs->db, &t, deadline, why);
	return error ? error : ovs_state_parse(t.result, state, why);
}

/* ---- Changes ------------------------------------------------------------------------------------------------------------------- */

/*
 * Demands that a row has this name and, if owner is set, that vferry made it. It fails as "timed out" otherwise.
 * table: "Bridge" or "Port".
 */
struct json_object *ovs_demand_row(const char *table, const char *name, bool owner)
{
	struct json_object *row = json_object_new_object(), *where = condition("name", "==", json_text(name));

	json_object_object_add(row, "name", json_text(name));
	if (owner)
		json_object_array_add(where, json_list(json_text("external_ids"), json_text("includes"),
						       json_map(OVS_OWNER_KEY, "vferry", NULL), NULL));
	return op_wait(table, where, "name", "==", json_list(row, NULL), 0);
}

/* Demands that no row of a table has this name. */
struct json_object *ovs_demand_no_row(const char *table, const char *name)
{
	return op_wait(table, condition("name", "==", json_text(name)), "name", "==", json_object_new_array(), 0);
}

/* A list of one mutation: [[column, mutator, value]]. value is consumed. */
struct json_object *ovs_mutation(const char *column, const char *mutator, struct json_object *value)
{
	return json_list(json_list(json_text(column), json_text(mutator), value, NULL), NULL);
}

/* Waits until ovs-vswitchd has applied configuration number wanted. Return: 0; -ETIME, other negative errno, with *why filled. */
int ovs_wait_applied(struct ovs *ovs, int64_t wanted, deadline_t deadline, struct reason *why)
{
	autotransaction struct transaction t;
	int left = deadline_left(deadline_within(deadline, APPLY_TIME)), error;
	struct json_object *where = condition("cur_cfg", ">=", json_object_new_int64(wanted));

	transaction_begin(&t);
	/* The database gives up before we do, so that the connection stays usable, and time is left, for taking the change back. */
	left = left < deadline_left(deadline) / 2 ? left : deadline_left(deadline) / 2;
	transaction_add(&t, op_wait("Open_vSwitch", where, "cur_cfg", "!=", json_object_new_array(), left));
	error = transaction_run(ovs->db, &t, deadline, why);
	if (error == -EIO && t.timed_out) {
		reason_set(why, -ETIME, "Open vSwitch", "its database has the change, but ovs-vswitchd did not apply it within %d ms", left);
		reason_cure(why, "see whether ovs-vswitchd runs: systemctl status ovs-vswitchd");
		error = -ETIME;
	}
	return error;
}

/*
 * Runs a change.
 * t: the change; the caller releases it, and finds in t->timed_out whether a demand did not hold.
 * Return: 0 with the number of the new configuration; negative errno with *why filled, nothing changed.
 */
int ovs_commit(struct ovs *ovs, struct transaction *t, int64_t *number, deadline_t deadline, struct reason *why)
{
	static const char *const columns[] = { "next_cfg", NULL };
	struct json_object *row;
	int question, error;

	transaction_add(t, op_mutate("Open_vSwitch", NULL, ovs_mutation("next_cfg", "+=", json_object_new_int(1))));
	question = transaction_add(t, op_select("Open_vSwitch", NULL, columns));
	error = transaction_run(ovs->db, t, deadline, why);
	if (error)
		return error;
	row = transaction_rows(t, question) ? json_object_array_get_idx(transaction_rows(t, question), 0) : NULL;
	if (!json_object_is_type(row, json_type_object))
		return reason_set(why, -EPROTO, "Open vSwitch", "its database has no row in the table Open_vSwitch");
	*number = json_object_get_int64(json_object_object_get(row, "next_cfg"));
	return 0;
}

/* Runs a change and waits until ovs-vswitchd has applied it. Return: 0, negative errno with *why filled. */
int ovs_commit_and_wait(struct ovs *ovs, struct transaction *t, deadline_t deadline, struct reason *why)
{
	int64_t number;
	int error = ovs_commit(ovs, t, &number, deadline, why);

	return error ? error : ovs_wait_applied(ovs, number, deadline, why);
}

/* Reads the interface of a port once. Return: 0 with ofport and error in *port, negative errno with *why filled. */
static int read_interface(struct ovs *ovs, const char *name, struct ovs_port *port, deadline_t deadline, struct reason *why)
{
	autostate struct ovs_state state = { 0 };
	const struct ovs_port *found;
	int error = ovs_read(ovs, &state, deadline, why);

	if (error)
		return error;
	found = ovs_find_port(&state, name);
	if (!found)
		return reason_set(why, -ENOENT, name, "somebody removed the port from Open vSwitch while vferry added it");
	*port = *found;
	return 0;
}

/* Waits a while for the number of an interface. The result does not matter: the number is read afterwards. */
static void wait_number(struct ovs *ovs, const char *name, deadline_t deadline)
{
	struct json_object *row = json_object_new_object();
	autotransaction struct transaction t;
	int left = deadline_left(deadline_within(deadline, PORT_TIME));

	json_object_object_add(row, "ofport", json_list(json_text("set"), json_object_new_array(), NULL));
	transaction_begin(&t);
	transaction_add(&t, op_wait("Interface", condition("name", "==", json_text(name)), "ofport", "!=", json_list(row, NULL), left / 2));
	(void)transaction_run(ovs->db, &t, deadline, NULL);
}

/* Whether a port works: ovs-vswitchd has given it a number and has nothing to say. */
bool ovs_is_healthy(const struct ovs_port *port)
{
	return port->ofport > 0 && !port->error[0];
}

/* Reads a port once ovs-vswitchd has looked at it. Return: 0 with *port, negative errno with *why filled. */
int ovs_settle_port(struct ovs *ovs, const char *name, struct ovs_port *port, deadline_t deadline, struct reason *why)
{
	int error = read_interface(ovs, name, port, deadline, why);

	if (!error && port->ofport == 0 && !port->error[0]) {
		wait_number(ovs, name, deadline);
		error = read_interface(ovs, name, port, deadline, why);
	}
	return error;
}

/*
 * Reads back what became of a port. bridge: for the sentence.
 * Return: 0; -EIO with Open vSwitch's own words if the port does not work; other negative errno; *why filled.
 */
int ovs_verify_port(struct ovs *ovs, const char *bridge, const char *name, deadline_t deadline, struct reason *why)
{
	struct ovs_port port = { 0 };
	int error = ovs_settle_port(ovs, name, &port, deadline, why);

	if (error || ovs_is_healthy(&port))
		return error;
	reason_set(why, -EIO, name, "Open vSwitch could not make it a port of bridge %s: %s", bridge,
		   port.error[0] ? port.error : "ovs-vswitchd gave it no port number");
	reason_cure(why, "see the log of ovs-vswitchd, and that its kernel module is loaded (modprobe openvswitch)");
	return -EIO;
}

/* ---- Bridges ------------------------------------------------------------------------------------------------------------------- */

/* The operations that add a bridge with its own internal port, as ovs-vsctl's add-br does. */
static void put_bridge(struct transaction *t, const char *bridge)
{
	struct json_object *interface = json_object_new_object(), *port = json_object_new_object(), *row = json_object_new_object();

	json_object_object_add(interface, "name", json_text(bridge));
	json_object_object_add(interface, "type", json_text("internal"));
	json_object_object_add(port, "name", json_text(bridge));
	json_object_object_add(port, "interfaces", json_named_uuid("new_interface"));
	json_object_object_add(port, "external_ids", json_map(OVS_OWNER_KEY, "vferry", NULL));
	json_object_object_add(row, "name", json_text(bridge));
	json_object_object_add(row, "ports", json_named_uuid("new_port"));
	json_object_object_add(row, "external_ids", json_map(OVS_OWNER_KEY, "vferry", NULL));
	transaction_add(t, ovs_demand_no_row("Bridge", bridge));
	transaction_add(t, op_insert("Interface", "new_interface", interface));
	transaction_add(t, op_insert("Port", "new_port", port));
	transaction_add(t, op_insert("Bridge", "new_bridge", row));
	transaction_add(t, op_mutate("Open_vSwitch", NULL, ovs_mutation("bridges", "insert", json_named_uuid("new_bridge"))));
}

/* Finds the uuid of a row by its name. Return: 0, -ENOENT if there is none, negative errno with *why filled. */
static int find_uuid(struct ovs *ovs, const char *table, const char *name, char uuid[40], deadline_t deadline, struct reason *why)
{
	static const char *const columns[] = { "_uuid", NULL };
	autotransaction struct transaction t;
	struct json_object *rows, *row;
	const char *found = NULL;
	int error;

	transaction_begin(&t);
	transaction_add(&t, op_select(table, condition("name", "==", json_text(name)), columns));
	error = transaction_run(ovs->db, &t, deadline, why);
	if (error)
		return error;
	rows = transaction_rows(&t, 0);
	row = rows && json_object_array_length(rows) > 0 ? json_object_array_get_idx(rows, 0) : NULL;
	if (json_object_is_type(row, json_type_object))
		found = value_uuid(json_object_object_get(row, "_uuid"));
	if (!found)
		return reason_set(why, -ENOENT, name, "Open vSwitch has no %s of that name", table);
	snprintf(uuid, 40, "%s", found);
	return 0;
}

/*
 * Removes a bridge or port of ours: takes it out of the row that holds it, whereupon the database collects it.
 * table: "Bridge" or "Port". number: receives that of the new configuration, 0 if the row was not there any more.
 * Return: 0; -EAGAIN if it was not there any more, or not ours, when it was to go; other negative errno; *why filled.
 */
static int try_remove_row(struct ovs *ovs, const char *table, const char *name, int64_t *number, deadline_t deadline, struct reason *why)
{
	bool is_bridge = strcmp(table, "Bridge") == 0;
	autotransaction struct transaction t;
	struct json_object *row, *holders;
	char uuid[40];
	int error = find_uuid(ovs, table, name, uuid, deadline, why);

	*number = 0;
	transaction_begin(&t);
	if (error)
		return error == -ENOENT ? 0 : error;
	row = json_list(json_text("uuid"), json_text(uuid), NULL);
	holders = is_bridge ? NULL : condition("ports", "includes", json_object_get(row));
	transaction_add(&t, ovs_demand_row(table, name, true));
	transaction_add(&t, op_mutate(is_bridge ? "Open_vSwitch" : "Bridge", holders,
				      ovs_mutation(is_bridge ? "bridges" : "ports", "delete", row)));
	if (!is_bridge)
		ovs_qos_forget(&t, name);
	error = ovs_commit(ovs, &t, number, deadline, why);
	return error && t.timed_out ? -EAGAIN : error;
}

/*
 * The same; one that somebody else has removed in the same moment is gone, which is what was wanted.
 * Return: 0, negative errno with *why filled.
 */
static int remove_row(struct ovs *ovs, const char *table, const char *name, int64_t *number, deadline_t deadline, struct reason *why)
{
	int error = try_remove_row(ovs, table, name, number, deadline, why);

	return error == -EAGAIN ? try_remove_row(ovs, table, name, number, deadline, why) : error;
}

/* Removes a bridge or port of ours and waits until it is gone. Return: 0, negative errno with *why filled. */
int ovs_remove_and_wait(struct ovs *ovs, const char *table, const char *name, deadline_t deadline, struct reason *why)
{
	int64_t number;
	int error = remove_row(ovs, table, name, &number, deadline, why);

	return error || number == 0 ? error : ovs_wait_applied(ovs, number, deadline, why);
}

/* Takes back a bridge or port that Open vSwitch could not set up, in the database alone; what fails here cannot be helped. */
void ovs_forget(struct ovs *ovs, const char *table, const char *name)
{
	int64_t number;

	(void)remove_row(ovs, table, name, &number, deadline_in(UNDO_TIME), NULL);
}

/*
 * Adds a bridge. One that is there already is left as it is, whosever it is.
 * Return: 0; -EIO with Open vSwitch's words if it could not be set up (and is gone again); other negative errno; *why filled.
 */
int ovs_add_bridge(struct ovs *ovs, const char *bridge, deadline_t deadline, struct reason *why)
{
	autostate struct ovs_state state = { 0 };
	autotransaction struct transaction t;
	int64_t number;
	int error = ovs_read(ovs, &state, deadline, why);

	transaction_begin(&t);
	if (error || ovs_find_bridge(&state, bridge))
		return error;
	if (!bridge[0] || strlen(bridge) > OVS_PORT_NAME_MAX)
		return reason_set(why, -EINVAL, bridge, "the name of a bridge has 1 to %d letters", OVS_PORT_NAME_MAX);
	put_bridge(&t, bridge);
	error = ovs_commit(ovs, &t, &number, deadline, why);
	if (error)
		return t.timed_out && t.failed == 0 ? 0 : error; /* timed_out: somebody was faster */
	error = ovs_wait_applied(ovs, number, deadline, why);
	if (!error)
		error = ovs_verify_port(ovs, bridge, bridge, deadline, why);
	if (error)
		ovs_forget(ovs, "Bridge", bridge);
	return error;
}

/*
 * Removes a bridge that vferry made, with all its ports.
 * Return: 0, also if it is not there; -EPERM if it is somebody else's; other negative errno; *why filled.
 */
int ovs_del_bridge(struct ovs *ovs, const char *bridge, deadline_t deadline, struct reason *why)
{
	autostate struct ovs_state state = { 0 };
	const struct ovs_bridge *found;
	int error = ovs_read(ovs, &state, deadline, why);

	if (error)
		return error;
	found = ovs_find_bridge(&state, bridge);
	if (!found)
		return 0;
	if (!found->ours)
		return reason_set(why, -EPERM, bridge, "this bridge was not made by vferry, which leaves it alone");
	return ovs_remove_and_wait(ovs, "Bridge", bridge, deadline, why);
}

/* ---- Options ------------------------------------------------------------------------------------------------------------------- */

/* Whether other_config has the wanted value (NULL: no such key) already. Return: 1 yes, 0 no, negative errno with *why filled. */
static int has_option(struct ovs *ovs, const char *key, const char *value, deadline_t deadline, struct reason *why)
{
	static const char *const columns[] = { "other_config", NULL };
	autotransaction struct transaction t;
	struct json_object *rows;
	const char *now;
	int error;

	transaction_begin(&t);
	transaction_add(&t, op_select("Open_vSwitch", NULL, columns));
	error = transaction_run(ovs->db, &t, deadline, why);
	if (error)
		return error;
	rows = transaction_rows(&t, 0);
	now = rows && json_object_array_length(rows) > 0 ? value_map_text(json_object_array_get_idx(rows, 0), "other_config", key) : NULL;
	return value ? now && strcmp(now, value) == 0 : now == NULL;
}

/*
 * Sets or removes (value NULL) a key of other_config in the table Open_vSwitch. What is so already is not written again.
 * Return: 0, negative errno with *why filled.
 */
int ovs_set_option(struct ovs *ovs, const char *key, const char *value, deadline_t deadline, struct reason *why)
{
	struct json_object *mutations;
	autotransaction struct transaction t;
	int error;

	transaction_begin(&t);
	error = has_option(ovs, key, value, deadline, why);
	if (error)
		return error < 0 ? error : 0;
	/* "insert" leaves a key alone that is there: so it is deleted first. */
	mutations = ovs_mutation("other_config", "delete", json_list(json_text("set"), json_list(json_text(key), NULL), NULL));
	if (value)
		json_object_array_add(mutations,
				      json_list(json_text("other_config"), json_text("insert"), json_map(key, value, NULL), NULL));
	transaction_add(&t, op_mutate("Open_vSwitch", NULL, mutations));
	return ovs_commit_and_wait(ovs, &t, deadline, why);
}
