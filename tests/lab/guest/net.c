// SPDX-License-Identifier: LGPL-2.1-or-later
/* net.c - answers to ARP requests and ICMP echo requests */
#include "guest.h"

#define ETHERTYPE_IPV4	0x0800
#define ETHERTYPE_ARP	0x0806
#define FRAME_MIN	60
#define ARP_REQUEST	1
#define ARP_REPLY	2
#define IP_ICMP		1
#define IP_FRAGMENT	0x3fff		/* more fragments, or not the first */
#define ICMP_ECHO_REPLY	0
#define ICMP_ECHO	8

/**
 * struct ethernet, struct arp, struct ipv4, struct icmp - the headers as they are on the wire
 */
struct ethernet {
	uint8_t dst[6], src[6];
	uint16_t type;
} __attribute__((packed));

struct arp {
	uint16_t hardware, protocol;
	uint8_t hardware_length, protocol_length;
	uint16_t operation;
	uint8_t sender_mac[6];
	uint32_t sender_ip;
	uint8_t target_mac[6];
	uint32_t target_ip;
} __attribute__((packed));

struct ipv4 {
	uint8_t version_ihl, tos;
	uint16_t length, id, fragment;
	uint8_t ttl, protocol;
	uint16_t checksum;
	uint32_t src, dst;
} __attribute__((packed));

struct icmp {
	uint8_t type, code;
	uint16_t checksum, id, sequence;
} __attribute__((packed));

/**
 * answer_arp() - answer a request for our address
 * @reply:	room for the answer
 * @length:	bytes of the request, then of the answer
 * @frame:	the request
 * @mac:	own MAC
 * @ip:		own address, host byte order
 *
 * Return: NET_ARP if there is an answer
 */
static enum net_answer answer_arp(uint8_t *reply, unsigned int *length, const uint8_t *frame, const uint8_t mac[6],
				  uint32_t ip)
{
	const struct arp *request = (const void *)(frame + sizeof(struct ethernet));
	struct ethernet *eth = (void *)reply;
	struct arp *arp = (void *)(reply + sizeof(*eth));

	if (*length < sizeof(*eth) + sizeof(*request) || request->hardware != swap16(1) ||
	    request->protocol != swap16(ETHERTYPE_IPV4) || request->operation != swap16(ARP_REQUEST) ||
	    request->target_ip != swap32(ip))
		return NET_IGNORED;
	memset(reply, 0, FRAME_MIN);
	memcpy(eth->dst, request->sender_mac, 6);
	memcpy(eth->src, mac, 6);
	eth->type = swap16(ETHERTYPE_ARP);
	*arp = *request;
	arp->operation = swap16(ARP_REPLY);
	memcpy(arp->sender_mac, mac, 6);
	arp->sender_ip = request->target_ip;
	memcpy(arp->target_mac, request->sender_mac, 6);
	arp->target_ip = request->sender_ip;
	*length = FRAME_MIN;
	return NET_ARP;
}

/**
 * echo_at() - where the ICMP header of an echo request for us is
 * @frame:	the frame
 * @length:	its bytes
 * @ip:		own address, host byte order
 * @end:	result: offset behind the IP packet in the frame
 *
 * Return: offset in the frame, 0 if it is no echo request for us
 */
static unsigned int echo_at(const uint8_t *frame, unsigned int length, uint32_t ip, unsigned int *end)
{
	const struct ipv4 *ip4 = (const void *)(frame + sizeof(struct ethernet));
	unsigned int header, at;

	if (length < sizeof(struct ethernet) + sizeof(*ip4) || ip4->version_ihl >> 4 != 4)
		return 0;
	header = (ip4->version_ihl & 15) * 4u;
	at = sizeof(struct ethernet) + header;
	*end = sizeof(struct ethernet) + swap16(ip4->length);
	if (header < sizeof(*ip4) || *end > length || *end > FRAME_MAX || at + sizeof(struct icmp) > *end)
		return 0;
	if (ip4->protocol != IP_ICMP || ip4->dst != swap32(ip) || swap16(ip4->fragment) & IP_FRAGMENT)
		return 0;
	return ((const struct icmp *)(frame + at))->type == ICMP_ECHO ? at : 0;
}

/**
 * answer_echo() - answer an echo request
 * @reply:	room for the answer
 * @length:	bytes of the request, then of the answer
 * @frame:	the request
 * @mac:	own MAC
 * @ip:		own address, host byte order
 *
 * Swapping the two addresses leaves the IP checksum as it is; the ICMP checksum is corrected for the type alone
 * (RFC 1624), so that a request that was damaged gives an answer that is seen to be damaged.
 *
 * Return: NET_ECHO if there is an answer
 */
static enum net_answer answer_echo(uint8_t *reply, unsigned int *length, const uint8_t *frame, const uint8_t mac[6],
				   uint32_t ip)
{
	struct ethernet *eth = (void *)reply;
	struct ipv4 *ip4 = (void *)(reply + sizeof(*eth));
	struct icmp *icmp;
	unsigned int end = 0, at = echo_at(frame, *length, ip, &end);
	uint32_t sum;

	if (!at || memcmp(frame, mac, 6))
		return NET_IGNORED;
	memset(reply, 0, FRAME_MIN);
	memcpy(reply, frame, end);
	memcpy(eth->dst, ((const struct ethernet *)frame)->src, 6);
	memcpy(eth->src, mac, 6);
	ip4->dst = ip4->src;
	ip4->src = swap32(ip);
	icmp = (void *)(reply + at);
	sum = (uint16_t)~swap16(icmp->checksum) + (uint32_t)(uint16_t)~(ICMP_ECHO << 8) + (ICMP_ECHO_REPLY << 8);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	icmp->checksum = swap16((uint16_t)~sum);
	icmp->type = ICMP_ECHO_REPLY;
	*length = end < FRAME_MIN ? FRAME_MIN : end;
	return NET_ECHO;
}

/**
 * net_answer() - make the answer to a frame, if it wants one of us
 * @reply:	room for the answer, FRAME_MAX bytes
 * @length:	bytes of @frame, then of the answer
 * @frame:	what was received
 * @mac:	own MAC
 * @ip:		own address, host byte order
 *
 * Return: what kind of answer is in @reply, NET_IGNORED for none
 */
enum net_answer net_answer(uint8_t *reply, unsigned int *length, const uint8_t *frame, const uint8_t mac[6], uint32_t ip)
{
	const struct ethernet *eth = (const void *)frame;

	if (*length < sizeof(*eth))
		return NET_IGNORED;
	if (eth->type == swap16(ETHERTYPE_ARP))
		return answer_arp(reply, length, frame, mac, ip);
	if (eth->type == swap16(ETHERTYPE_IPV4))
		return answer_echo(reply, length, frame, mac, ip);
	return NET_IGNORED;
}
