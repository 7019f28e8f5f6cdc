/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * announce.h: tells the network where a MAC address is now.
 *
 * QEMU announces its own network cards after a migration and knows nothing of a VF, so switches go on sending to the old host until the
 * guest happens to speak. A RARP request with the guest's MAC as its source, as QEMU sends (net/announce.c), teaches every switch.
 */
#ifndef VFERRY_HOST_ANNOUNCE_H
#define VFERRY_HOST_ANNOUNCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/mac_address.h"
#include "base/reason.h"

#define ANNOUNCE_FRAME_LEN 60

/* Writes the frame for a MAC. */
void announce_frame(const struct mac_address *mac, uint8_t frame[ANNOUNCE_FRAME_LEN]);

/*
 * Through Open vSwitch: as if the frame had come in at a port of the bridge, so that the port's VLAN is applied, the bridge learns where
 * the MAC is, and its flows decide (OpenFlow packet-out with the action TABLE). socket: of ovsdb-server, beside which the bridge's
 * management socket is; in_port: ofport of the representor. Return: 0, negative errno with *why.
 */
int announce_through_bridge(const char *socket, const char *bridge, uint32_t in_port, const struct mac_address *mac, deadline_t deadline,
			    struct reason *why);

/* Where there is no Open vSwitch: out of a network interface as it is. Return: 0, negative errno with *why. */
int announce_from(uint32_t ifindex, const struct mac_address *mac, struct reason *why);

#endif
