/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * announce.c: tells the network where a MAC address is now. See announce.h.
 */
#include "host/announce.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/scope.h"
#include "switch/openflow.h"

/*
 * mac: source, and both hardware addresses. frame: receives Ethernet header, RARP request (RFC 903: operation 3) and padding.
 */
void announce_frame(const struct mac_address *mac, uint8_t frame[ANNOUNCE_FRAME_LEN])
{
	static const uint8_t head[] = {
		0x80, 0x35,             /* RARP */
		0x00, 0x01, 0x08, 0x00, /* Ethernet, IPv4 */
		0x06, 0x04, 0x00, 0x03, /* lengths; request reverse */
	};

	memset(frame, 0, ANNOUNCE_FRAME_LEN);
	memset(frame, 0xff, 6);
	memcpy(frame + 6, mac->octet, 6);
	memcpy(frame + 12, head, sizeof(head));
	memcpy(frame + 22, mac->octet, 6);
	memcpy(frame + 32, mac->octet, 6);
}

/* See announce.h. Return: 0, negative errno. */
int announce_through_bridge(const char *socket, const char *bridge, uint32_t in_port, const struct mac_address *mac, deadline_t deadline,
			    struct reason *why)
{
	struct openflow_packet packet = { .in_port = in_port, .len = ANNOUNCE_FRAME_LEN };
	uint8_t frame[ANNOUNCE_FRAME_LEN];

	announce_frame(mac, frame);
	packet.data = frame;
	return openflow_packet_out(socket, bridge, &packet, deadline, why);
}

/* See announce.h. Needs CAP_NET_RAW. Return: 0, negative errno. */
int announce_from(uint32_t ifindex, const struct mac_address *mac, struct reason *why)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE_REVARP), .sll_ifindex = (int)ifindex };
	autoclose int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	uint8_t frame[ANNOUNCE_FRAME_LEN];

	announce_frame(mac, frame);
	if (fd >= 0 && sendto(fd, frame, sizeof(frame), MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) == sizeof(frame))
		return 0;
	return reason_set(why, -errno, "", "the guest's MAC address cannot be announced from the uplink: %s", strerror(errno));
}
