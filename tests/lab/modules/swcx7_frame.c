// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: frames between a vport and a driver that has them in a guest's memory.
 */
#include <linux/if_vlan.h>
#include <linux/module.h>
#include <net/gso.h>
#include "swcx7_internal.h"

#define RX_QUEUE_MAX	1000

/**
 * swcx7_send() - send a frame that lies in memory through a vport
 * @vport:	the function's vport
 * @data:	the frame, from its Ethernet header
 * @len:	bytes; a frame that is too short, or longer than SWCX7_FRAME_MAX, is dropped
 *
 * May sleep.
 */
void swcx7_send(struct swcx7_vport *vport, const void *data, int len)
{
	struct sk_buff *skb;

	if (len < ETH_HLEN || len > SWCX7_FRAME_MAX)
		return;
	skb = alloc_skb(len + NET_SKB_PAD, GFP_KERNEL);
	if (!skb)
		return;
	skb_reserve(skb, NET_SKB_PAD);
	skb_put_data(skb, data, len);
	local_bh_disable();
	swcx7_tx_from_function(vport, skb);
	local_bh_enable();
}
EXPORT_SYMBOL_GPL(swcx7_send);

/**
 * swcx7_enqueue() - keep a frame from a vport for a driver's thread, in pieces of the size that goes over a wire
 * @queue:	the driver's queue
 * @skb:	the frame; taken over on success, and taken from its sender's socket buffer in any case
 *
 * Return: false when it must be dropped: the queue is full, or there is no memory
 */
bool swcx7_enqueue(struct sk_buff_head *queue, struct sk_buff *skb)
{
	struct sk_buff *segments, *segment, *next;

	skb_orphan(skb);
	if (skb_queue_len(queue) >= RX_QUEUE_MAX)
		return false;
	if (!skb_is_gso(skb)) {
		if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb))
			return false;
		skb_queue_tail(queue, skb);
		return true;
	}
	segments = skb_gso_segment(skb, 0);
	if (IS_ERR_OR_NULL(segments))
		return false;
	consume_skb(skb);
	skb_list_walk_safe(segments, segment, next) {
		skb_mark_not_on_list(segment);
		skb_queue_tail(queue, segment);
	}
	return true;
}
EXPORT_SYMBOL_GPL(swcx7_enqueue);
