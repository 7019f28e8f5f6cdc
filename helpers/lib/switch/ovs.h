/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ovs.h: Open vSwitch, over OVSDB's JSON-RPC (RFC 7047) on its socket. Typed results, a deadline on every call, every change read
 * back: a transaction that ovsdb-server commits says nothing about what ovs-vswitchd could do with it.
 */
#ifndef VFERRY_SWITCH_OVS_H
#define VFERRY_SWITCH_OVS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/port_settings.h"
#include "base/reason.h"

#define OVS_OWNER_KEY "vferry-owner" /* external_ids of a port that vferry made: "vferry" */
#define OVS_GUEST_KEY "vferry-guest" /* uuid of the guest, or "host" for an uplink */
#define OVS_LEASE_KEY "vferry-lease" /* which instance of the guest */
#define OVS_VF_KEY "vferry-vf"       /* PCI address of the VF, or of the PF for an uplink */

#define OVS_MAX_MEMBERS 8

struct ovs_port {
	char name[64];        /* of the port, which is that of its interface unless it is a bond */
	char member[OVS_MAX_MEMBERS][16]; /* interfaces of a bond (more than one), as many as fit */
	size_t members;
	char bridge[64];
	char type[16];        /* Interface.type: "" or "system": a netdev; "internal", "patch", "vxlan", "geneve", "dpdk", … */
	char peer[64];        /* of a patch port: the port at its other end */
	char leads[16];       /* the netdev at the bottom of it, if it may lead to a cable; "" a guest's or the host's own; set by the inventory */
	unsigned int mtu;     /* of the netdev that leads there, bytes; 0: not known; set by the inventory */
	int ofport;           /* -1: failed, 0: not known yet */
	char error[256];      /* Interface.error */
	bool ours;            /* external_ids say that vferry made it */
	char guest[40];       /* OVS_GUEST_KEY */
	char lease[20];       /* OVS_LEASE_KEY */
	char vf[32];          /* OVS_VF_KEY */
	int tag;              /* VLAN, -1: none */
	struct port_settings settings; /* what was set on it; what is no word or out of range there is left out */
};

struct ovs_bridge {
	char name[64];
	bool ours;
	char datapath_type[16];
};

struct ovs_state {
	struct ovs_bridge *bridge;
	size_t bridges;
	struct ovs_port *port;
	size_t ports;
	bool hw_offload;      /* other_config:hw-offload=true */
	long max_idle;        /* other_config:max-idle in ms, -1: not set */
	char version[32];
	char ovn_bridge[64];  /* OVN's integration bridge, "": OVN does not run here */
};

/* What a new port says of itself. */
struct ovs_port_request {
	const char *bridge, *port;
	const char *guest;    /* uuid or "host" */
	const char *lease;    /* which instance of the guest, NULL: none */
	const char *vf;       /* PCI address */
	const char *mac;      /* external_ids:attached-mac, NULL: none */
	const char *name;     /* external_ids:vm-name, of the guest (vm-id gets the uuid), NULL: none */
	int tag;              /* -1: none */
	const struct port_settings *settings; /* VLANs, limits and names that the port had where its guest came from; NULL: none */
	bool transient;       /* other_config:transient=true: gone after a reboot where Open vSwitch starts with --delete-transient-ports */
	const struct ovs_state *seen; /* as it was read a moment ago, with nothing changed since; NULL: it is read */
};

struct ovs;

/* Connects to socket. -ENOENT, -ECONNREFUSED: Open vSwitch does not run (the sentence says so). */
int ovs_open(struct ovs **ovs, const char *socket, deadline_t deadline, struct reason *why);
void ovs_close(struct ovs **ovs);

/* Reads bridges, ports and the options in one transaction; free with ovs_state_release(). */
int ovs_read(struct ovs *ovs, struct ovs_state *state, deadline_t deadline, struct reason *why);
void ovs_state_release(struct ovs_state *state);

/*
 * Each is one transaction, waits until ovs-vswitchd has applied it (cur_cfg), and reads back. Adding what is there already as asked is
 * success; a port in another bridge is -EEXIST with the bridge's name.
 */
int ovs_add_bridge(struct ovs *ovs, const char *bridge, deadline_t deadline, struct reason *why);
int ovs_add_port(struct ovs *ovs, const struct ovs_port_request *request, deadline_t deadline, struct reason *why);

/* Remove only what vferry made (external_ids); what is not there is success; what is somebody else's is -EPERM. */
int ovs_del_bridge(struct ovs *ovs, const char *bridge, deadline_t deadline, struct reason *why);
int ovs_del_port(struct ovs *ovs, const char *port, deadline_t deadline, struct reason *why);

/* other_config of the Open_vSwitch row: hw-offload and max-idle. value NULL removes the key. */
int ovs_set_option(struct ovs *ovs, const char *key, const char *value, deadline_t deadline, struct reason *why);

/*
 * Asks to be told when what an operator sets on ports changes (VLANs, limits, external_ids), on a connection of its own. The descriptor
 * of ovs_watch_fd() can be read then, and ovs_watch_take() says whether there was such a change. Return: 0, negative errno with *why.
 */
int ovs_watch_open(struct ovs **ovs, const char *socket, deadline_t deadline, struct reason *why);
int ovs_watch_fd(const struct ovs *ovs);
int ovs_watch_take(struct ovs *ovs, bool *some, struct reason *why);

/* In a state: by name, NULL if absent. */
const struct ovs_port *ovs_find_port(const struct ovs_state *state, const char *name);

/* The port that a netdev is in: its own, or the bond that it is a member of. */
const struct ovs_port *ovs_find_interface(const struct ovs_state *state, const char *netdev);
const struct ovs_bridge *ovs_find_bridge(const struct ovs_state *state, const char *name);

#define autoovs __attribute__((cleanup(ovs_close)))

#endif
