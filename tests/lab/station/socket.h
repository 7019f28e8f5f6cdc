/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* socket.h - the packet socket: the station's one door to the network */
#ifndef STATION_SOCKET_H
#define STATION_SOCKET_H

#include "wire.h"

/**
 * struct packet_socket - a packet socket on an interface
 * @fd:		file descriptor, does not block
 * @mac:	the interface's MAC
 * @drops:	frames dropped because the socket's buffer was full, as far as asked
 */
struct packet_socket {
	int fd;
	uint8_t mac[MAC_LEN];
	uint64_t drops;
};

/**
 * struct packet - a frame that has arrived
 * @data:	the frame with its Ethernet header, without a VLAN header
 * @length:	bytes in @data
 * @time_ns:	the kernel's time stamp, ns since the epoch
 * @vlan:	VLAN id it carried, -1 for none
 */
struct packet {
	uint8_t data[FRAME_ROOM];
	size_t length;
	int64_t time_ns;
	int vlan;
};

int packet_socket_open(struct packet_socket *s, const char *interface);
int packet_socket_receive(struct packet_socket *s, struct packet *p);
void packet_socket_send(struct packet_socket *s, const uint8_t *frame, size_t length);
uint64_t packet_socket_drops(struct packet_socket *s);

#endif
