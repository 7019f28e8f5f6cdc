/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ovs_port.c: netdevs in bridges of Open vSwitch.
 *
 * Several processes may add the same port at once, and people use ovs-vsctl beside us: what was read is demanded again inside the
 * transaction that relies on it, and a demand that does not hold any more makes us look again.
 */
#include <errno.h>
#include <string.h>

#include "switch/ovs_change.h"

#define RACE_TRIES 3

/* A set without a member: how a column is cleared (RFC 7047). */
static struct json_object *empty_set(void)
{
	return json_list(json_text("set"), json_object_new_array(), NULL);
}

/* The VLAN tag that a request wants, -1: none. */
static int wanted_tag(const struct ovs_port_request *request)
{
	return request->settings && request->settings->has_tag ? request->settings->tag : request->tag;
}

/* Adds trunks and VLAN mode. */
static void add_vlans(struct json_object *row, const struct port_settings *settings)
{
	struct json_object *trunks = json_object_new_array();

	for (unsigned int vlan = 0; settings->trunks && vlan <= PORT_MAX_VLAN; vlan++) {
		if (port_settings_has_trunk(settings, vlan))
			json_object_array_add(trunks, json_object_new_int((int)vlan));
	}
	json_object_object_add(row, "trunks", json_list(json_text("set"), trunks, NULL));
	json_object_object_add(row, "vlan_mode", *settings->vlan_mode ? json_text(settings->vlan_mode) : empty_set());
}

/* The columns of a Port row that a request sets. Without settings those of a port that is there stay. */
static struct json_object *port_row(const struct ovs_port_request *request)
{
	struct json_object *row = json_object_new_object();

	json_object_object_add(row, "external_ids", json_map(OVS_OWNER_KEY, "vferry", OVS_GUEST_KEY, request->guest ? request->guest : "",
							     OVS_LEASE_KEY, request->lease ? request->lease : "", OVS_VF_KEY,
							     request->vf ? request->vf : "", NULL));
	json_object_object_add(row, "other_config", json_map("transient", request->transient ? "true" : "", NULL));
	json_object_object_add(row, "tag", wanted_tag(request) >= 0 ? json_object_new_int(wanted_tag(request)) : empty_set());
	if (request->settings)
		add_vlans(row, request->settings);
	return row;
}

/*
 * The columns of an Interface row that a request sets: external_ids as Open vSwitch's integration guide names them. What the port said of
 * itself where the guest came from goes before what is known here.
 */
static struct json_object *interface_row(const struct ovs_port_request *request)
{
	static const struct port_settings nothing;
	const struct port_settings *settings = request->settings ? request->settings : &nothing;
	bool is_guest = request->guest && strcmp(request->guest, "host") != 0;
	const char *mac = request->mac ? request->mac : "", *vm_id = is_guest ? request->guest : "";
	struct json_object *row = json_object_new_object();
	char attached[MAC_ADDRESS_LEN];

	if (settings->has_attached_mac)
		mac = mac_address_format(&settings->attached_mac, attached);
	json_object_object_add(row, "external_ids", json_map("attached-mac", mac, "vm-id", *settings->vm_id ? settings->vm_id : vm_id,
							     "vm-name", is_guest && request->name ? request->name : "", "iface-id",
							     settings->iface_id, "vm-uuid", settings->vm_uuid, NULL));
	if (request->settings) {
		json_object_object_add(row, "ingress_policing_rate", json_object_new_int((int)settings->ingress_rate));
		json_object_object_add(row, "ingress_policing_burst", json_object_new_int((int)settings->ingress_burst));
	}
	return row;
}

/* Whether a port that is not ours has the VLANs that are wanted. */
static bool has_wanted_vlans(const struct ovs_port *port, const struct ovs_port_request *request)
{
	const struct port_settings *wanted = request->settings, *has = &port->settings;

	if (wanted_tag(request) >= 0 && port->tag != wanted_tag(request))
		return false;
	if (!wanted)
		return true;
	return strcmp(wanted->vlan_mode, has->vlan_mode) == 0 && wanted->trunks == has->trunks &&
	       memcmp(&wanted->trunk, &has->trunk, sizeof(wanted->trunk)) == 0;
}

/* Adds the egress QoS that a request sets, in place of what vferry made for a port of that name. Without settings what is there stays. */
static void add_qos(struct transaction *t, struct json_object *port, const struct ovs_port_request *request)
{
	if (!request->settings)
		return;
	ovs_qos_forget(t, request->port);
	json_object_object_add(port, "qos", ovs_qos_insert(t, request->port, request->settings->qos));
}

/* Adds a port that is not there. Return: 0; -EAGAIN if a demand did not hold any more; other negative errno; *why filled. */
static int insert_port(struct ovs *ovs, const struct ovs_port_request *request, deadline_t deadline, struct reason *why)
{
	struct json_object *port = port_row(request), *interface = interface_row(request);
	autotransaction struct transaction t;
	int64_t number;
	int error;

	json_object_object_add(port, "name", json_text(request->port));
	json_object_object_add(port, "interfaces", json_named_uuid("new_interface"));
	json_object_object_add(interface, "name", json_text(request->port));
	transaction_begin(&t);
	transaction_add(&t, ovs_demand_row("Bridge", request->bridge, false));
	transaction_add(&t, ovs_demand_no_row("Port", request->port));
	add_qos(&t, port, request);
	transaction_add(&t, op_insert("Interface", "new_interface", interface));
	transaction_add(&t, op_insert("Port", "new_port", port));
	transaction_add(&t, op_mutate("Bridge", condition("name", "==", json_text(request->bridge)),
				      ovs_mutation("ports", "insert", json_named_uuid("new_port"))));
	error = ovs_commit(ovs, &t, &number, deadline, why);
	if (error)
		return t.timed_out ? -EAGAIN : error;
	error = ovs_wait_applied(ovs, number, deadline, why);
	if (!error)
		error = ovs_verify_port(ovs, request->bridge, request->port, deadline, why);
	if (error)
		ovs_forget(ovs, "Port", request->port);
	return error;
}

/* Writes a request over a port of ours that is there. Return: as insert_port(). */
static int update_port(struct ovs *ovs, const struct ovs_port_request *request, deadline_t deadline, struct reason *why)
{
	struct json_object *port = port_row(request);
	autotransaction struct transaction t;
	int error;

	transaction_begin(&t);
	transaction_add(&t, ovs_demand_row("Port", request->port, true));
	add_qos(&t, port, request);
	transaction_add(&t, op_update("Port", condition("name", "==", json_text(request->port)), port));
	transaction_add(&t, op_update("Interface", condition("name", "==", json_text(request->port)), interface_row(request)));
	error = ovs_commit_and_wait(ovs, &t, deadline, why);
	return error && t.timed_out ? -EAGAIN : error;
}

/*
 * Deals with a port that is in the wanted bridge already. Ours is brought in line, or made anew when it does not work (its netdev has
 * been another one since); somebody else's is taken as it is, if it is what was asked for.
 * Return: 0; -EAGAIN if it is not there any more; other negative errno; *why filled.
 */
static int keep_port(struct ovs *ovs, const struct ovs_port_request *request, const struct ovs_port *port, deadline_t deadline,
		     struct reason *why)
{
	char has[PORT_TAG_LEN], wants[PORT_TAG_LEN];
	struct ovs_port settled = { 0 };
	int error;

	if (port->ours) {
		/* Another process may have added it a moment ago. */
		error = ovs_settle_port(ovs, port->name, &settled, deadline, why);
		if (error)
			return error == -ENOENT ? -EAGAIN : error;
		if (ovs_is_healthy(&settled))
			return update_port(ovs, request, deadline, why);
		error = ovs_del_port(ovs, port->name, deadline, why);
		return error ? error : -EAGAIN;
	}
	if (!has_wanted_vlans(port, request)) {
		reason_set(why, -EEXIST, request->port, "it is in bridge %s already, not by vferry, with %s instead of %s, or other trunks",
			   port->bridge, port_settings_format_tag(port->tag, has), port_settings_format_tag(wanted_tag(request), wants));
		reason_cure(why, "give it those VLANs, or let guests use another VF: whoever put it there may need it as it is");
		return -EEXIST;
	}
	return ovs_verify_port(ovs, port->bridge, port->name, deadline, why);
}

/* Refuses a request that cannot be met whatever Open vSwitch has. Return: 0, -EINVAL with *why filled. */
static int check_request(const struct ovs_port_request *request, struct reason *why)
{
	if (!request->port[0] || strlen(request->port) > OVS_PORT_NAME_MAX)
		return reason_set(why, -EINVAL, request->port, "the name of a port has 1 to %d letters", OVS_PORT_NAME_MAX);
	if (wanted_tag(request) > PORT_MAX_VLAN)
		return reason_set(why, -EINVAL, request->port, "VLAN tag %d is above %d", wanted_tag(request), PORT_MAX_VLAN);
	return 0;
}

/*
 * Adds or keeps the port.
 * state: as it was read a moment ago: what counts of it is demanded in the transaction.
 * Return: 0; -EAGAIN to look again; other negative errno; *why filled.
 */
static int put_port(struct ovs *ovs, const struct ovs_port_request *request, const struct ovs_state *state, deadline_t deadline,
		    struct reason *why)
{
	const struct ovs_port *port = ovs_find_interface(state, request->port);
	char word[2][160];

	if (!port)
		port = ovs_find_port(state, request->port);
	if (port && (strcmp(port->bridge, request->bridge) != 0 || strcmp(port->name, request->port) != 0)) {
		reason_set(why, -EEXIST, request->port, "it is in Open vSwitch bridge %s already, as port %s", port->bridge, port->name);
		if (port->ours)
			reason_cure(why, "use that bridge, or take it out: ovs-vsctl del-port %s %s", reason_word(port->bridge, word[0], 160),
				    reason_word(port->name, word[1], 160));
		else
			reason_cure(why, "use that bridge, or let guests use another VF: somebody else put it there, and may need it");
		return -EEXIST;
	}
	if (port)
		return keep_port(ovs, request, port, deadline, why);
	if (!ovs_find_bridge(state, request->bridge)) {
		reason_set(why, -ENOENT, request->bridge, "Open vSwitch has no such bridge");
		reason_cure(why, "make it with: ovs-vsctl add-br %s, or name another in vferry.conf", reason_word(request->bridge, word[0], 160));
		return -ENOENT;
	}
	return insert_port(ovs, request, deadline, why);
}

/* Looks at what is there and adds or keeps the port. Return: as put_port(). */
static int try_add_port(struct ovs *ovs, const struct ovs_port_request *request, deadline_t deadline, struct reason *why)
{
	autostate struct ovs_state state = { 0 };
	int error = ovs_read(ovs, &state, deadline, why);

	return error ? error : put_port(ovs, request, &state, deadline, why);
}

/*
 * Puts a netdev into a bridge; see the header.
 * Return: 0; -ENOENT without the bridge; -EEXIST if the port is elsewhere or not as asked; -EIO with Open vSwitch's words if it could not
 * open the netdev (the port is gone again); -ETIME if ovs-vswitchd did not apply it (likewise); other negative errno; *why filled.
 */
int ovs_add_port(struct ovs *ovs, const struct ovs_port_request *request, deadline_t deadline, struct reason *why)
{
	int error = check_request(request, why);

	if (error)
		return error;
	error = request->seen ? put_port(ovs, request, request->seen, deadline, why) : -EAGAIN;
	for (int tries = 0; error == -EAGAIN && tries < RACE_TRIES; tries++)
		error = try_add_port(ovs, request, deadline, why);
	if (error == -EAGAIN)
		reason_set(why, error, request->port, "somebody else keeps adding and removing this port in Open vSwitch");
	return error;
}

/*
 * Removes a port that vferry made.
 * Return: 0, also if it is not there; -EPERM if it is somebody else's; -ETIME if it is out of the database but ovs-vswitchd does not
 * follow; other negative errno; *why filled.
 */
int ovs_del_port(struct ovs *ovs, const char *port, deadline_t deadline, struct reason *why)
{
	autostate struct ovs_state state = { 0 };
	const struct ovs_port *found;
	int error = ovs_read(ovs, &state, deadline, why);

	found = error ? NULL : ovs_find_port(&state, port);
	if (!found)
		return error;
	if (!found->ours)
		return reason_set(why, -EPERM, port, "this port of bridge %s was not made by vferry, which leaves it alone", found->bridge);
	return ovs_remove_and_wait(ovs, "Port", port, deadline, why);
}
