/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wire.h - what the station reads from and writes to the wire: numbered frames, ARP, ICMP echo */
#ifndef STATION_WIRE_H
#define STATION_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../guest/frame.h"

#define MAC_LEN		6
#define FRAME_ROOM	2048	/* largest frame the station looks at */

/**
 * struct numbered - a numbered frame in host byte order
 * @mac:	who sent it
 * @nic:	index of the NIC in the guest
 * @interval_ms: the guest's interval between two frames
 * @boot:	number of the guest's boot
 * @seq:	sequence number
 * @guest_ns:	guest time at sending, ns since its boot
 * @tag:	the guest's tag
 */
struct numbered {
	uint8_t mac[MAC_LEN];
	uint8_t nic;
	uint16_t interval_ms;
	uint32_t boot;
	uint64_t seq, guest_ns;
	char tag[VFERRY_TAG_LEN + 1];
};

/* enum arp_kind - what wire_parse_arp() found */
enum arp_kind { ARP_NONE, ARP_REQUEST, ARP_REPLY };

/**
 * struct arp_news - an ARP message in host byte order
 * @kind:	request or reply
 * @mac:	sender's MAC
 * @ip:		sender's address
 * @target:	address asked for
 */
struct arp_news {
	enum arp_kind kind;
	uint8_t mac[MAC_LEN];
	uint32_t ip, target;
};

/**
 * struct echo - a ping of the station
 * @src_mac, @dst_mac:	Ethernet addresses
 * @src, @dst:		IPv4 addresses, host byte order
 * @id:			ICMP identifier: tells the stations on a network apart
 * @number:		number of the ping, from 1
 */
struct echo {
	uint8_t src_mac[MAC_LEN], dst_mac[MAC_LEN];
	uint32_t src, dst;
	uint16_t id;
	uint64_t number;
};

bool wire_parse_numbered(struct numbered *out, const uint8_t *frame, size_t length);
bool wire_parse_arp(struct arp_news *out, const uint8_t *frame, size_t length);
size_t wire_build_arp(uint8_t *frame, const struct arp_news *what, const uint8_t to[MAC_LEN]);
bool wire_parse_echo_reply(struct echo *out, const uint8_t *frame, size_t length);
size_t wire_build_echo(uint8_t *frame, const struct echo *what);

#endif
