/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * openflow.c: packet-out to a bridge. See openflow.h.
 *
 * Both sides say hello with the highest version that they speak, and use the lower of the two. A bridge may be limited to some versions
 * (ovs-vsctl set bridge protocols), in which case it closes the connection: then the next lower one is offered. A barrier behind the
 * packet-out is answered when the packet has been taken, and an error comes before its answer.
 */
#include "switch/openflow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/scope.h"
#include "switch/local.h"

#define HEADER 8
#define NO_BUFFER 0xffffffffu
#define MESSAGES_MAX 64 /* that are passed over while an answer is waited for */

/* Types of messages (OpenFlow specification, ofp_type). */
enum { OF_HELLO = 0, OF_ERROR = 1, OF_ECHO_REQUEST = 2, OF_ECHO_REPLY = 3, OF_PACKET_OUT = 13 };

/* Writes a big-endian number of 2 or 4 bytes. Return: behind it. */
static uint8_t *put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
	return put16(put16(at, value >> 16), value & 0xffff);
}

/* Writes a header. Return: behind it. */
static uint8_t *put_header(uint8_t *at, uint8_t version, uint8_t type, size_t length, uint32_t number)
{
	at[0] = version;
	at[1] = type;
	return put32(put16(at + 2, (unsigned int)length), number);
}

/* The type of a barrier request: 18 in OpenFlow 1.0, 20 since 1.1. Its answer is the next. */
static uint8_t barrier_type(uint8_t version)
{
	return version == 1 ? 18 : 20;
}

/* Writes packet-out without its packet for OpenFlow 1.0: ports have 16 bits. Return: behind it. */
static uint8_t *put_packet_out_10(uint8_t *at, const struct openflow_packet *packet)
{
	at = put_header(at, 1, OF_PACKET_OUT, HEADER + 16 + packet->len, 1);
	at = put16(put16(put32(at, NO_BUFFER), packet->in_port), 8);
	return put16(put16(put16(put16(at, 0), 8), 0xfff9), 0); /* action OUTPUT, 8 bytes, to OFPP_TABLE */
}

/* The same for 1.1 and later: ports have 32 bits. Return: behind it. */
static uint8_t *put_packet_out_11(uint8_t *at, uint8_t version, const struct openflow_packet *packet)
{
	at = put_header(at, version, OF_PACKET_OUT, HEADER + 32 + packet->len, 1);
	at = put16(put32(put32(at, NO_BUFFER), packet->in_port), 16);
	at = put16(put32(at, 0), 0);                           /* padding */
	at = put16(put32(put16(put16(at, 0), 16), 0xfffffff9), 0); /* action OUTPUT, 16 bytes, to OFPP_TABLE */
	return put16(put32(at, 0), 0);
}

/* See openflow.h. */
int openflow_build(uint8_t version, const struct openflow_packet *packet, uint8_t out[OPENFLOW_MESSAGE_MAX])
{
	uint8_t *at;

	/* 1.5 has another layout; ovs-vswitchd speaks 1.0 to 1.4 whenever it speaks 1.5, unless it is told not to. */
	if (version < 1 || version > 5)
		return -EOPNOTSUPP;
	if (packet->len > OPENFLOW_PACKET_MAX)
		return -EMSGSIZE;
	at = version == 1 ? put_packet_out_10(out, packet) : put_packet_out_11(out, version, packet);
	memcpy(at, packet->data, packet->len);
	at = put_header(at + packet->len, version, barrier_type(version), HEADER, 2);
	return (int)(at - out);
}

/* Waits until the socket can be read. Return: 0, -ETIME. */
static int wait_readable(int fd, deadline_t deadline)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	int ready;

	do
		ready = poll(&poller, 1, deadline_left(deadline));
	while (ready < 0 && errno == EINTR);
	return ready > 0 ? 0 : -ETIME;
}

/* Reads exactly len bytes; NULL throws them away. Return: 0, -ETIME, -ECONNRESET if the other side closed, negative errno. */
static int read_all(int fd, uint8_t *out, size_t len, deadline_t deadline)
{
	uint8_t nowhere[512];

	while (len) {
		size_t want = !out && len > sizeof(nowhere) ? sizeof(nowhere) : len;
		int error = wait_readable(fd, deadline);
		ssize_t got = error ? -1 : recv(fd, out ? out : nowhere, want, MSG_DONTWAIT);

		if (error)
			return error;
		if (got <= 0)
			return got == 0 ? -ECONNRESET : -errno;
		len -= (size_t)got;
		if (out)
			out += got;
	}
	return 0;
}

/* One message that came: its header, and how long the rest was (thrown away). */
struct message {
	uint8_t version, type;
};

/* Reads a message. Return: 0, -EPROTO, negative errno as read_all(). */
static int read_message(int fd, struct message *message, deadline_t deadline)
{
	uint8_t header[HEADER] = { 0 };
	int error = read_all(fd, header, sizeof(header), deadline);
	size_t length = ((size_t)header[2] << 8) | header[3];

	if (error)
		return error;
	if (length < HEADER)
		return -EPROTO;
	*message = (struct message){ header[0], header[1] };
	return read_all(fd, NULL, length - HEADER, deadline);
}

/* Sends bytes; the socket's buffer always has room for what is sent here. Return: 0, negative errno. */
static int send_all(int fd, const uint8_t *data, size_t len)
{
	ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);

	if (sent < 0)
		return -errno;
	return (size_t)sent == len ? 0 : -EMSGSIZE;
}

/* Connects to the bridge's socket, which is beside ovsdb-server's. Return: descriptor, negative errno. */
static int connect_bridge(const char *ovsdb_socket, const char *bridge, deadline_t deadline)
{
	const char *slash = strrchr(ovsdb_socket, '/');
	char path[PATH_MAX];

	if (strchr(bridge, '/') || !slash)
		return -EINVAL;
	snprintf(path, sizeof(path), "%.*s/%s.mgmt", (int)(slash - ovsdb_socket), ovsdb_socket, bridge);
	return local_connect(path, deadline);
}

/* Says hello with a version and hears the other's. Return: the version to use, negative errno. */
static int greet(int fd, uint8_t version, deadline_t deadline)
{
	uint8_t hello[HEADER];
	struct message answer = { 0 };
	int error;

	put_header(hello, version, OF_HELLO, HEADER, 0);
	error = send_all(fd, hello, sizeof(hello));
	if (!error)
		error = read_message(fd, &answer, deadline);
	if (error)
		return error;
	if (answer.type != OF_HELLO || !answer.version)
		return -EPROTO;
	return answer.version < version ? answer.version : version;
}

/* Waits for the answer to the barrier. Return: 0; -EPROTO if the bridge has refused the packet; negative errno. */
static int await_barrier(int fd, uint8_t version, deadline_t deadline)
{
	for (int i = 0; i < MESSAGES_MAX; i++) {
		struct message message;
		int error = read_message(fd, &message, deadline);

		if (error)
			return error;
		if (message.type == OF_ERROR)
			return -EPROTO;
		if (message.type == barrier_type(version) + 1)
			return 0;
	}
	return -EPROTO;
}

/* Does it all, offering one version. Return: 0, negative errno (-ECONNRESET, -EPIPE or -EPROTO: another version may work). */
static int try_version(const char *ovsdb_socket, const char *bridge, uint8_t offer, const struct openflow_packet *packet,
		       deadline_t deadline)
{
	autoclose int fd = connect_bridge(ovsdb_socket, bridge, deadline);
	uint8_t text[OPENFLOW_MESSAGE_MAX];
	int version = fd < 0 ? fd : greet(fd, offer, deadline), length, error;

	if (version < 0)
		return version;
	length = openflow_build((uint8_t)version, packet, text);
	if (length < 0)
		return length;
	error = send_all(fd, text, (size_t)length);
	return error ? error : await_barrier(fd, (uint8_t)version, deadline);
}

/* See openflow.h. */
int openflow_packet_out(const char *ovsdb_socket, const char *bridge, const struct openflow_packet *packet, deadline_t deadline,
			struct reason *why)
{
	static const uint8_t offers[] = { 1, 4, 5, 3, 2 };
	int error = -EPROTO;

	for (size_t i = 0; i < sizeof(offers) && (error == -ECONNRESET || error == -EPIPE || error == -EPROTO); i++)
		error = try_version(ovsdb_socket, bridge, offers[i], packet, deadline);
	if (!error)
		return 0;
	return reason_set(why, error, bridge, "Open vSwitch does not send a packet through this bridge: %s", strerror(-error));
}
