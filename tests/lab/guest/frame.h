/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * frame.h - the numbered frame that the lab's guest sends and the station counts
 *
 * One Ethernet frame, broadcast, VFERRY_FRAME_LEN bytes (above the minimum of 60, so nobody pads it). Numbers are in
 * network byte order. The header needs nothing but <stdint.h>: the guest is built without a C library.
 */
#ifndef VFERRY_FRAME_H
#define VFERRY_FRAME_H

#include <stdint.h>

#define VFERRY_ETHERTYPE	0x88b5		/* IEEE 802 local experimental ethertype 1 */
#define VFERRY_FRAME_MAGIC	0x56464652u	/* "VFFR" */
#define VFERRY_FRAME_VERSION	1
#define VFERRY_TAG_LEN		32

/**
 * struct vferry_frame - a numbered frame as it is on the wire
 * @dst:	ff:ff:ff:ff:ff:ff
 * @src:	MAC of the NIC that sends
 * @ethertype:	VFERRY_ETHERTYPE
 * @magic:	VFERRY_FRAME_MAGIC
 * @version:	VFERRY_FRAME_VERSION
 * @nic:	index of the NIC in the guest, from 0, in PCI order
 * @interval:	milliseconds between two frames of this NIC
 * @boot:	number drawn when the guest booted: the same before and after a live migration, another after a restart
 * @seq:	sequence number, from 1, one stream for each NIC; a frame the guest could not queue takes no number
 * @guest_ns:	nanoseconds since the guest booted, by its virtual clock (stands still while the guest is paused)
 * @tag:	text of the guest's tag= option, filled up with NULs, no NUL at the end if it is full
 */
struct vferry_frame {
	uint8_t dst[6];
	uint8_t src[6];
	uint16_t ethertype;
	uint32_t magic;
	uint8_t version;
	uint8_t nic;
	uint16_t interval;
	uint32_t boot;
	uint64_t seq;
	uint64_t guest_ns;
	char tag[VFERRY_TAG_LEN];
} __attribute__((packed));

#define VFERRY_FRAME_LEN	sizeof(struct vferry_frame)

_Static_assert(sizeof(struct vferry_frame) == 74, "the frame's layout is part of the lab's interface");

#endif
