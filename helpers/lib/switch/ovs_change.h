/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ovs_change.h: how a change of Open vSwitch is made, waited for, read back and taken back. Private to the ovs*.c files.
 */
#ifndef VFERRY_SWITCH_OVS_CHANGE_H
#define VFERRY_SWITCH_OVS_CHANGE_H

#include <stdint.h>

#include "switch/ovs.h"
#include "switch/ovsdb.h"

#define OVS_PORT_NAME_MAX 15 /* IFNAMSIZ - 1 */

struct ovs {
	struct ovsdb *db;
};

#define autostate __attribute__((cleanup(ovs_state_release)))

/* Demands for a transaction: a row of that name is there (and ours), or none is. */
struct json_object *ovs_demand_row(const char *table, const char *name, bool owner);
struct json_object *ovs_demand_no_row(const char *table, const char *name);

/* [[column, mutator, value]], value consumed. */
struct json_object *ovs_mutation(const char *column, const char *mutator, struct json_object *value);

/* Runs a change; waits until ovs-vswitchd has applied it; both. */
int ovs_commit(struct ovs *ovs, struct transaction *t, int64_t *number, deadline_t deadline, struct reason *why);
int ovs_wait_applied(struct ovs *ovs, int64_t wanted, deadline_t deadline, struct reason *why);
int ovs_commit_and_wait(struct ovs *ovs, struct transaction *t, deadline_t deadline, struct reason *why);

/* Reads a port once ovs-vswitchd has looked at it; whether it works; both, with a sentence that names the bridge. */
int ovs_settle_port(struct ovs *ovs, const char *name, struct ovs_port *port, deadline_t deadline, struct reason *why);
bool ovs_is_healthy(const struct ovs_port *port);
int ovs_verify_port(struct ovs *ovs, const char *bridge, const char *name, deadline_t deadline, struct reason *why);

/*
 * Operations for a transaction: let a port go without QoS and forget what vferry made for it; make those of a text of port_qos.h. Return:
 * the value of the Port's column, an empty set where the text is none.
 */
void ovs_qos_forget(struct transaction *t, const char *port);
struct json_object *ovs_qos_insert(struct transaction *t, const char *port, const char *text);

/* Removes a "Bridge" or "Port" of ours: waiting, or to take back what failed. */
int ovs_remove_and_wait(struct ovs *ovs, const char *table, const char *name, deadline_t deadline, struct reason *why);
void ovs_forget(struct ovs *ovs, const char *table, const char *name);

#endif
