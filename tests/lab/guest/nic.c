// SPDX-License-Identifier: LGPL-2.1-or-later
/* nic.c - what the guest does with a NIC: answer, send numbered frames, report the link */
#include "guest.h"

#define LOOK_NS		(50 * NS_PER_MS)	/* between two looks at link and device: each is an exit to the hypervisor */

/**
 * say_link() - one line about the link
 * @nic:	the NIC
 */
static void say_link(const struct nic *nic)
{
	say("nic%u: link %s\n", nic->index, nic->link ? "up" : "down");
}

/**
 * nic_start() - begin with a NIC whose device is in operation, and say so
 * @nic:	the NIC; @nic->dev is set
 * @index:	its number
 * @opt:	the command line
 */
void nic_start(struct nic *nic, unsigned int index, const struct options *opt)
{
	const struct pci_function *f = &nic->dev.pci;
	const uint8_t *m = nic->dev.mac;
	uint32_t ip;

	nic->index = index;
	nic->gone = false;
	nic->ip = ip = opt->ip + index;
	nic->alive = true;
	nic->link = virtio_net_link_is_up(&nic->dev);
	say("nic%u: %2x:%2x:%2x:%2x:%2x:%2x %u.%u.%u.%u at %2x:%2x.%u %4x:%4x link %s\n", index, m[0], m[1], m[2], m[3],
	    m[4], m[5], ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255, f->bus, f->devfn >> 3, f->devfn & 7u,
	    f->vendor, f->device, nic->link ? "up" : "down");
}

/**
 * look() - see whether device and link are as before, and say what changed
 * @nic:	the NIC
 */
static void look(struct nic *nic)
{
	bool alive = virtio_net_is_alive(&nic->dev), link;

	if (alive != nic->alive) {
		nic->alive = alive;
		say("nic%u: device %s (status 0x%2x)\n", nic->index, alive ? "answers again" : "lost its state or has gone",
		    nic->dev.common[0x14]);
	}
	link = alive && virtio_net_link_is_up(&nic->dev);
	if (link != nic->link) {
		nic->link = link;
		say_link(nic);
	}
}

/**
 * answer() - answer what has arrived
 * @nic:	the NIC
 */
static void answer(struct nic *nic)
{
	unsigned int length, n = 0;
	uint8_t *frame, *reply;
	enum net_answer kind;
	uint16_t token;

	for (; n < QUEUE_SIZE && (frame = virtio_net_receive(&nic->dev, &length, &token)); n++) {
		reply = virtio_net_tx_buffer(&nic->dev);
		kind = reply ? net_answer(reply, &length, frame, nic->dev.mac, nic->ip) : NET_IGNORED;
		if (kind != NET_IGNORED)
			virtio_net_send(&nic->dev, length);
		virtio_net_give_back(&nic->dev, token);
		nic->arp += kind == NET_ARP;
		nic->echo += kind == NET_ECHO;
	}
	nic->received += n;
	if (n)
		virtio_net_receive_done(&nic->dev);
}

/**
 * send_numbered() - send the next numbered frame
 * @nic:	the NIC
 * @opt:	the command line
 * @boot:	this boot's number
 * @now_ns:	guest time, ns
 */
static void send_numbered(struct nic *nic, const struct options *opt, uint32_t boot, uint64_t now_ns)
{
	struct vferry_frame *frame = (void *)virtio_net_tx_buffer(&nic->dev);

	if (!frame) {
		nic->not_sent++;
		return;
	}
	memset(frame->dst, 0xff, sizeof(frame->dst));
	memcpy(frame->src, nic->dev.mac, sizeof(frame->src));
	frame->ethertype = swap16(VFERRY_ETHERTYPE);
	frame->magic = swap32(VFERRY_FRAME_MAGIC);
	frame->version = VFERRY_FRAME_VERSION;
	frame->nic = (uint8_t)nic->index;
	frame->interval = swap16((uint16_t)opt->interval_ms);
	frame->boot = swap32(boot);
	frame->seq = swap64(++nic->seq);
	frame->guest_ns = swap64(now_ns);
	memcpy(frame->tag, opt->tag, sizeof(frame->tag));
	virtio_net_send(&nic->dev, VFERRY_FRAME_LEN);
}

/**
 * nic_run() - do what is due
 * @nic:	the NIC
 * @opt:	the command line
 * @boot:	this boot's number
 * @now_ns:	guest time, ns
 *
 * A frame goes out at the tick nearest to its time. One that comes late is not followed by a burst: the next is due one
 * interval later.
 */
void nic_run(struct nic *nic, const struct options *opt, uint32_t boot, uint64_t now_ns)
{
	uint64_t interval = opt->interval_ms * NS_PER_MS, half_tick = NS_PER_S / opt->hz / 2;

	if (nic->gone)
		return;
	if (now_ns >= nic->next_look) {
		nic->next_look = now_ns + LOOK_NS;
		look(nic);
	}
	if (!nic->alive)
		return;
	answer(nic);
	if (opt->silent || !nic->link || now_ns + half_tick < nic->next_frame)
		return;
	nic->next_frame += interval;
	if (nic->next_frame <= now_ns)
		nic->next_frame = now_ns + interval;
	send_numbered(nic, opt, boot, now_ns);
}

/**
 * nic_say_status() - one line of counters
 * @nic:	the NIC
 */
void nic_say_status(const struct nic *nic)
{
	say("nic%u: sent %lu, not sent %lu, received %lu, arp %lu, echo %lu, link %s\n", nic->index, nic->seq,
	    nic->not_sent, nic->received, nic->arp, nic->echo, nic->link ? "up" : "down");
}
