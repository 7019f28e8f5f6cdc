// SPDX-License-Identifier: LGPL-2.1-or-later
/* socket.c - AF_PACKET, see packet(7): time stamps, VLAN ids and drops as the kernel tells them */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "count.h"
#include "socket.h"

#define RECEIVE_BUFFER	(8 * 1024 * 1024)
#define VLAN_ID_MASK	0x0fff

/**
 * set_option() - switch a socket option on
 * @fd:		socket
 * @level:	level of the option
 * @option:	option
 * @value:	its value
 *
 * Return: 0 or a negative errno
 */
static int set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) ? -errno : 0;
}

/**
 * prepare() - options, own MAC, and bind to the interface
 * @s:		socket; gets the MAC
 * @interface:	name of the interface
 *
 * Return: 0 or a negative errno
 */
static int prepare(struct packet_socket *s, const char *interface)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct ifreq request = { 0 };
	int err;

	if (strlen(interface) >= sizeof(request.ifr_name))
		return -ENODEV;
	strcpy(request.ifr_name, interface);
	if (ioctl(s->fd, SIOCGIFHWADDR, &request))
		return -errno;
	memcpy(s->mac, request.ifr_hwaddr.sa_data, MAC_LEN);
	to.sll_ifindex = (int)if_nametoindex(interface);
	if (!to.sll_ifindex)
		return -errno;
	/* More than rmem_max needs CAP_NET_ADMIN; without it the buffer is smaller and drops are counted. */
	if (set_option(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER))
		set_option(s->fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
	err = set_option(s->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	if (!err)
		err = set_option(s->fd, SOL_PACKET, PACKET_AUXDATA, 1);
	if (!err)
		err = set_option(s->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
	if (!err && bind(s->fd, (const struct sockaddr *)&to, sizeof(to)))
		err = -errno;
	return err;
}

/**
 * packet_socket_open() - open a packet socket
 * @s:		result
 * @interface:	name of the interface
 *
 * The socket is made with protocol 0, so that nothing arrives from other interfaces before it is bound.
 *
 * Return: 0 or a negative errno
 */
int packet_socket_open(struct packet_socket *s, const char *interface)
{
	int err;

	s->drops = 0;
	s->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return -errno;
	err = prepare(s, interface);
	if (err)
		close(s->fd);
	return err;
}

/**
 * read_control() - take time stamp and VLAN id out of what came with a frame
 * @p:		result
 * @message:	from recvmsg()
 */
static void read_control(struct packet *p, struct msghdr *message)
{
	struct cmsghdr *c;
	struct tpacket_auxdata aux;
	struct timespec stamp;

	for (c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
			p->time_ns = stamp.tv_sec * NS_PER_S + stamp.tv_nsec;
		} else if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
			memcpy(&aux, CMSG_DATA(c), sizeof(aux));
			if (aux.tp_status & TP_STATUS_VLAN_VALID)
				p->vlan = aux.tp_vlan_tci & VLAN_ID_MASK;
		}
	}
}

/**
 * packet_socket_receive() - take the next frame
 * @s:		socket
 * @p:		result
 *
 * Return: 1, 0 if there is none at present, a negative errno (-ENETDOWN when the interface went down; it is told once)
 */
int packet_socket_receive(struct packet_socket *s, struct packet *p)
{
	union {
		char room[256];
		struct cmsghdr align;
	} control;
	struct iovec iov = { p->data, sizeof(p->data) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(s->fd, &message, 0);

	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	p->length = (size_t)n;
	p->vlan = -1;
	p->time_ns = 0;
	read_control(p, &message);
	return 1;
}

/**
 * packet_socket_send() - send a frame; one that cannot be sent is lost like one on the wire
 * @s:		socket
 * @frame:	the frame with its Ethernet header
 * @length:	bytes
 */
void packet_socket_send(struct packet_socket *s, const uint8_t *frame, size_t length)
{
	ssize_t sent = send(s->fd, frame, length, MSG_DONTWAIT);

	(void)sent;
}

/**
 * packet_socket_drops() - frames lost because the socket's buffer was full
 * @s:		socket
 *
 * Return: frames since it was opened (the kernel forgets its count when asked, packet(7))
 */
uint64_t packet_socket_drops(struct packet_socket *s)
{
	struct tpacket_stats stats;
	socklen_t length = sizeof(stats);

	if (!getsockopt(s->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &length))
		s->drops += stats.tp_drops;
	return s->drops;
}
