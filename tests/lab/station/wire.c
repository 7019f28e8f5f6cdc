// SPDX-License-Identifier: LGPL-2.1-or-later
/* wire.c - takes frames apart and puts them together; no socket, no clock */
#include <arpa/inet.h>
#include <endian.h>
#include <net/ethernet.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "wire.h"

#define FRAME_MIN	60
#define ECHO_MAGIC	0x76666563u	/* "vfec" */

/**
 * struct echo_frame - a ping as it is on the wire
 * @eth, @ip, @icmp:	headers, the IP header without options
 * @magic:		ECHO_MAGIC
 * @number:		number of the ping
 */
struct echo_frame {
	struct ether_header eth;
	struct iphdr ip;
	struct icmphdr icmp;
	uint32_t magic;
	uint64_t number;
} __attribute__((packed));

/**
 * struct arp_frame - an ARP message on Ethernet for IPv4
 */
struct arp_frame {
	struct ether_header eth;
	struct ether_arp arp;
} __attribute__((packed));

/**
 * wire_parse_numbered() - read a numbered frame
 * @out:	result
 * @frame:	what was received, with its Ethernet header
 * @length:	bytes
 *
 * Return: whether it is one, of a version that is known
 */
bool wire_parse_numbered(struct numbered *out, const uint8_t *frame, size_t length)
{
	struct vferry_frame f;

	if (length < sizeof(f))
		return false;
	memcpy(&f, frame, sizeof(f));
	if (ntohs(f.ethertype) != VFERRY_ETHERTYPE || ntohl(f.magic) != VFERRY_FRAME_MAGIC ||
	    f.version != VFERRY_FRAME_VERSION)
		return false;
	*out = (struct numbered){ .nic = f.nic, .interval_ms = ntohs(f.interval), .boot = ntohl(f.boot),
				  .seq = be64toh(f.seq), .guest_ns = be64toh(f.guest_ns) };
	memcpy(out->mac, f.src, MAC_LEN);
	memcpy(out->tag, f.tag, VFERRY_TAG_LEN);
	return true;
}

/**
 * wire_parse_arp() - read an ARP request or reply
 * @out:	result
 * @frame:	what was received, with its Ethernet header
 * @length:	bytes
 *
 * Return: whether it is one
 */
bool wire_parse_arp(struct arp_news *out, const uint8_t *frame, size_t length)
{
	struct arp_frame f;
	uint16_t op;

	if (length < sizeof(f))
		return false;
	memcpy(&f, frame, sizeof(f));
	if (ntohs(f.eth.ether_type) != ETHERTYPE_ARP || ntohs(f.arp.arp_hrd) != ARPHRD_ETHER ||
	    ntohs(f.arp.arp_pro) != ETHERTYPE_IP)
		return false;
	op = ntohs(f.arp.arp_op);
	if (op != ARPOP_REQUEST && op != ARPOP_REPLY)
		return false;
	out->kind = op == ARPOP_REQUEST ? ARP_REQUEST : ARP_REPLY;
	memcpy(out->mac, f.arp.arp_sha, MAC_LEN);
	memcpy(&out->ip, f.arp.arp_spa, 4);
	memcpy(&out->target, f.arp.arp_tpa, 4);
	out->ip = ntohl(out->ip);
	out->target = ntohl(out->target);
	return true;
}

/**
 * wire_build_arp() - write an ARP request or reply
 * @frame:	result, FRAME_ROOM bytes
 * @what:	kind, own MAC and address, address asked for (or answered to)
 * @to:		MAC to send to, NULL for all
 *
 * Return: bytes of the frame
 */
size_t wire_build_arp(uint8_t *frame, const struct arp_news *what, const uint8_t to[MAC_LEN])
{
	struct arp_frame f = { .eth.ether_type = htons(ETHERTYPE_ARP) };
	uint32_t ip = htonl(what->ip), target = htonl(what->target);

	memset(f.eth.ether_dhost, 0xff, MAC_LEN);
	if (to)
		memcpy(f.eth.ether_dhost, to, MAC_LEN);
	memcpy(f.eth.ether_shost, what->mac, MAC_LEN);
	f.arp.arp_hrd = htons(ARPHRD_ETHER);
	f.arp.arp_pro = htons(ETHERTYPE_IP);
	f.arp.arp_hln = MAC_LEN;
	f.arp.arp_pln = 4;
	f.arp.arp_op = htons(what->kind == ARP_REQUEST ? ARPOP_REQUEST : ARPOP_REPLY);
	memcpy(f.arp.arp_sha, what->mac, MAC_LEN);
	memcpy(f.arp.arp_spa, &ip, 4);
	if (to)
		memcpy(f.arp.arp_tha, to, MAC_LEN);
	memcpy(f.arp.arp_tpa, &target, 4);
	memset(frame, 0, FRAME_MIN);
	memcpy(frame, &f, sizeof(f));
	return FRAME_MIN;
}

/**
 * checksum() - the Internet checksum (RFC 1071)
 * @data:	what to sum; its length must be even or the last byte is taken as padded with zero
 * @length:	bytes
 *
 * Return: the checksum in network byte order; 0 over data that holds its own correct checksum
 */
static uint16_t checksum(const void *data, size_t length)
{
	const uint8_t *p = data;
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < length; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/**
 * wire_build_echo() - write a ping
 * @frame:	result, FRAME_ROOM bytes
 * @what:	addresses, identifier and number
 *
 * Return: bytes of the frame
 */
size_t wire_build_echo(uint8_t *frame, const struct echo *what)
{
	struct echo_frame f = { .eth.ether_type = htons(ETHERTYPE_IP), .magic = htonl(ECHO_MAGIC),
				.number = htobe64(what->number) };

	memcpy(f.eth.ether_dhost, what->dst_mac, MAC_LEN);
	memcpy(f.eth.ether_shost, what->src_mac, MAC_LEN);
	f.ip.version = 4;
	f.ip.ihl = 5;
	f.ip.ttl = 64;
	f.ip.protocol = IPPROTO_ICMP;
	f.ip.tot_len = htons(sizeof(f) - sizeof(f.eth));
	f.ip.saddr = htonl(what->src);
	f.ip.daddr = htonl(what->dst);
	f.ip.check = checksum((const uint8_t *)&f + sizeof(f.eth), sizeof(f.ip));
	f.icmp.type = ICMP_ECHO;
	f.icmp.un.echo.id = htons(what->id);
	f.icmp.un.echo.sequence = htons((uint16_t)what->number);
	f.icmp.checksum = checksum((const uint8_t *)&f + sizeof(f.eth) + sizeof(f.ip),
				   sizeof(f) - sizeof(f.eth) - sizeof(f.ip));
	memset(frame, 0, FRAME_MIN);
	memcpy(frame, &f, sizeof(f));
	return sizeof(f) < FRAME_MIN ? FRAME_MIN : sizeof(f);
}

/**
 * wire_parse_echo_reply() - read the answer to a ping of a station
 * @out:	result
 * @frame:	what was received, with its Ethernet header
 * @length:	bytes
 *
 * Return: whether it is one, undamaged
 */
bool wire_parse_echo_reply(struct echo *out, const uint8_t *frame, size_t length)
{
	struct echo_frame f;

	if (length < sizeof(f))
		return false;
	memcpy(&f, frame, sizeof(f));
	if (ntohs(f.eth.ether_type) != ETHERTYPE_IP || f.ip.version != 4 || f.ip.ihl != 5 ||
	    f.ip.protocol != IPPROTO_ICMP || ntohs(f.ip.tot_len) != sizeof(f) - sizeof(f.eth) ||
	    f.icmp.type != ICMP_ECHOREPLY || ntohl(f.magic) != ECHO_MAGIC)
		return false;
	if (checksum((const uint8_t *)&f + sizeof(f.eth), sizeof(f.ip)) ||
	    checksum((const uint8_t *)&f + sizeof(f.eth) + sizeof(f.ip), sizeof(f) - sizeof(f.eth) - sizeof(f.ip)))
		return false;
	*out = (struct echo){ .src = ntohl(f.ip.saddr), .dst = ntohl(f.ip.daddr), .id = ntohs(f.icmp.un.echo.id),
			      .number = be64toh(f.number) };
	memcpy(out->src_mac, frame + offsetof(struct ether_header, ether_shost), MAC_LEN);
	memcpy(out->dst_mac, frame + offsetof(struct ether_header, ether_dhost), MAC_LEN);
	return true;
}
