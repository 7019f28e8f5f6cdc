/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* count.h - what the station knows: gaps, streams of numbered frames, pings. Structs in, structs out; no socket, no clock */
#ifndef STATION_COUNT_H
#define STATION_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

#define NS_PER_MS	1000000ll
#define NS_PER_S	1000000000ll
#define MAX_STREAMS	64
#define MAX_PINGS	16
#define PING_WINDOW	16384	/* pings that an answer may be late and still count */

/* enum gap_kind - between what a gap lies */
enum gap_kind { GAP_FRAMES, GAP_PING };

/**
 * struct gap - a time without a frame, or without an answer
 * @kind:	GAP_FRAMES, GAP_PING
 * @mac:	GAP_FRAMES: the guest's MAC
 * @ip:		GAP_PING: the address, host byte order
 * @from_ns:	arrival of the last before it, ns since the epoch
 * @to_ns:	arrival of the first after it; if @open, when the report was written
 * @before:	number of the last before it
 * @after:	number of the first after it; 0 if @open
 * @lost:	numbers left out between the two, as known when the gap ended
 * @guest_ns:	GAP_FRAMES: how far the guest's clock went between the two: less than the gap by the time it was paused
 * @open:	the gap has not ended
 */
struct gap {
	enum gap_kind kind;
	uint8_t mac[MAC_LEN];
	uint32_t ip;
	int64_t from_ns, to_ns;
	uint64_t before, after, lost;
	int64_t guest_ns;
	bool open;
};

/**
 * struct timeline - the gaps longer than a limit, in the order in which they ended
 * @gap, @n, @room:	array, entries in use and allocated
 * @least_ns:		shorter gaps are left out
 */
struct timeline {
	struct gap *gap;
	size_t n, room;
	int64_t least_ns;
};

/**
 * struct run - frames lost one after the other
 * @first:	sequence number of the first
 * @count:	how many
 * @boot:	boot of the guest that they belong to
 */
struct run {
	uint64_t first, count;
	uint32_t boot;
};

/**
 * struct stream - the numbered frames of one MAC
 * @mac:		the MAC
 * @latest:		the frame with the highest number of the boot seen last
 * @vlan:		VLAN id of the frame that arrived last, -1 untagged
 * @boots:		how many boots of the guest were seen: 1 if it never restarted
 * @former:		the boot before the one seen last, if there were two
 * @twins:		how often a frame was of that one again: two guests have this MAC
 * @first, @last:	lowest and highest sequence number of the boot seen last
 * @received:		different frames received, all boots
 * @duplicates:		frames received again
 * @out_of_order:	frames that came after one with a higher number
 * @first_ns, @last_ns:	arrival of the first and of the latest frame, ns since the epoch
 * @run, @n_runs, @room: frames missing at present, rising within a boot
 * @longest:		longest gap, from_ns 0 if there was none
 */
struct stream {
	uint8_t mac[MAC_LEN];
	struct numbered latest;
	uint32_t former;
	int vlan;
	uint64_t twins, boots, first, last, received, duplicates, out_of_order;
	int64_t first_ns, last_ns;
	struct run *run;
	size_t n_runs, room;
	struct gap longest;
};

/**
 * struct ping - pings to one address
 * @ip:			the address, host byte order
 * @mac:		its MAC, valid if @resolved
 * @resolved:		ARP has answered
 * @arp_requests:	ARP requests sent
 * @sent, @answered:	pings; the number of the last one sent is @sent
 * @duplicates:		answers that came again
 * @late:		answers that came more than PING_WINDOW pings later; not in @answered
 * @first_ns, @last_ns:	arrival of the first and of the latest answer, ns since the epoch
 * @last_number:	number of the ping answered last
 * @sent_ns:		when a ping was sent, by number modulo PING_WINDOW
 * @is_answered:	whether it was answered
 * @rtt_ns, @room:	round trip times of the @answered pings, entries allocated
 * @longest:		longest gap between two answers, from_ns 0 if there was none
 */
struct ping {
	uint32_t ip;
	uint8_t mac[MAC_LEN];
	bool resolved;
	uint64_t arp_requests, sent, answered, duplicates, late;
	int64_t first_ns, last_ns;
	uint64_t last_number;
	int64_t sent_ns[PING_WINDOW];
	bool is_answered[PING_WINDOW];
	int64_t *rtt_ns;
	size_t room;
	struct gap longest;
};

/**
 * struct station - all that is counted
 * @stream, @n_streams:	one for each MAC
 * @crowded:		frames of further MACs, not counted
 * @ping, @n_pings:	one for each address
 * @timeline:		the long gaps
 */
struct station {
	struct stream stream[MAX_STREAMS];
	size_t n_streams;
	uint64_t crowded;
	struct ping ping[MAX_PINGS];
	size_t n_pings;
	struct timeline timeline;
};

int timeline_add(struct timeline *t, const struct gap *g);

int station_count(struct station *s, const struct numbered *f, int64_t now_ns, int vlan);
void station_free(struct station *s);
uint64_t stream_lost(const struct stream *s);
struct run stream_longest_run(const struct stream *s);
bool stream_open_gap(struct gap *out, const struct stream *s, int64_t now_ns);

void ping_sent(struct ping *p, int64_t now_ns);
int ping_answered(struct ping *p, struct timeline *t, uint64_t number, int64_t now_ns);
uint64_t ping_pending(const struct ping *p, int64_t now_ns, int64_t patience_ns);
bool ping_open_gap(struct gap *out, const struct ping *p, int64_t now_ns);
int64_t ping_median_rtt(const struct ping *p);

#endif
