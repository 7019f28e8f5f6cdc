/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * openflow.h: the one OpenFlow message that vferry sends, packet-out, to a bridge of this host (ovs-vswitchd's socket BRIDGE.mgmt).
 */
#ifndef VFERRY_SWITCH_OPENFLOW_H
#define VFERRY_SWITCH_OPENFLOW_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/reason.h"

#define OPENFLOW_PACKET_MAX 256
#define OPENFLOW_MESSAGE_MAX (OPENFLOW_PACKET_MAX + 64)

struct openflow_packet {
	uint32_t in_port;    /* OpenFlow number of the port at which it seems to come in */
	const uint8_t *data;
	size_t len;          /* at most OPENFLOW_PACKET_MAX */
};

/*
 * Sends a packet through the bridge's flow tables (action TABLE). ovsdb_socket: the bridge's own socket is in the same directory.
 * Return: 0 when the bridge has taken it; -ETIME; -EPROTO; other negative errno with *why.
 */
int openflow_packet_out(const char *ovsdb_socket, const char *bridge, const struct openflow_packet *packet, deadline_t deadline,
			struct reason *why);

/* The message itself, for OpenFlow 1.0 (version 1) or 1.1 and later (wire version 2 to 6), with the message after it that asks whether it
 * was taken. Return: length; -EOPNOTSUPP for another version, -EMSGSIZE. */
int openflow_build(uint8_t version, const struct openflow_packet *packet, uint8_t out[OPENFLOW_MESSAGE_MAX]);

#endif
