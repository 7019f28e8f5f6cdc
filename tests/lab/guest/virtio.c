// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * virtio.c - a polled driver for modern virtio-net (virtio 1.0, split rings, PCI)
 *
 * Each NIC has one receive and one transmit queue. Descriptor i always points to buffer i, which holds one frame behind
 * its virtio-net header. No interrupts: the rings say so, INTx is switched off, MSI-X stays off.
 */
#include "guest.h"

#define VENDOR_VIRTIO		0x1af4
#define DEVICE_NET_TRANSITIONAL	0x1000
#define DEVICE_NET		0x1041
#define VENDOR_MELLANOX		0x15b3
#define DEVICE_CX7_VF		0x101e

#define CAP_COMMON		1
#define CAP_NOTIFY		2
#define CAP_DEVICE		4
#define ALL_CAPS		(1u << CAP_COMMON | 1u << CAP_NOTIFY | 1u << CAP_DEVICE)
#define CAP_TYPE		3
#define CAP_BAR			4
#define CAP_OFFSET		8
#define CAP_LENGTH		12
#define CAP_MULTIPLIER		16

/* struct virtio_pci_common_cfg, virtio 1.0 section 4.1.4.3 */
#define DEVICE_FEATURE_SELECT	0x00
#define DEVICE_FEATURE		0x04
#define DRIVER_FEATURE_SELECT	0x08
#define DRIVER_FEATURE		0x0c
#define DEVICE_STATUS		0x14
#define QUEUE_SELECT		0x16
#define QUEUE_LENGTH		0x18
#define QUEUE_ENABLE		0x1c
#define QUEUE_NOTIFY_OFF	0x1e
#define QUEUE_DESC		0x20
#define QUEUE_DRIVER		0x28
#define QUEUE_DEVICE		0x30

#define STATUS_ACKNOWLEDGE	1
#define STATUS_DRIVER		2
#define STATUS_DRIVER_OK	4
#define STATUS_FEATURES_OK	8
#define STATUS_RUNNING		(STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK | STATUS_FEATURES_OK)

#define F_NET_MAC		(1ull << 5)
#define F_NET_STATUS		(1ull << 16)
#define F_VERSION_1		(1ull << 32)
#define F_ACCESS_PLATFORM	(1ull << 33)
#define F_WANTED		(F_NET_MAC | F_NET_STATUS | F_VERSION_1 | F_ACCESS_PLATFORM)

#define CONFIG_MAC		0
#define CONFIG_STATUS		6
#define LINK_UP			1
#define NET_HEADER		12	/* struct virtio_net_hdr with num_buffers, as always with VERSION_1 */

#define COMMAND_MEMORY		0x0002
#define COMMAND_MASTER		0x0004
#define COMMAND_INTX_OFF	0x0400
#define DESC_WRITE		2
#define AVAIL_NO_INTERRUPT	1
#define USED_NO_NOTIFY		1
#define RESET_PATIENCE		100000

/**
 * struct desc - a descriptor; struct avail, struct used - the two rings (virtio 1.0 section 2.4)
 */
struct desc {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

struct avail {
	uint16_t flags, index, ring[QUEUE_SIZE];
};

struct used {
	uint16_t flags, index;
	struct {
		uint32_t id, length;
	} ring[QUEUE_SIZE];
};

/**
 * struct virtq - a queue with its buffers
 * @desc, @avail, @used:	shared with the device
 * @size:			descriptors in use, a power of two
 * @avail_index:		entries given to the device so far; @avail.index follows when they are published
 * @used_index:			entries taken back so far
 * @free:			transmit only: descriptors that the device does not have
 * @n_free:			how many of them
 * @number:			0 receive, 1 transmit
 * @notify:			where to write @number when there is something to do
 * @buffer:			one for each descriptor, BUFFER_SIZE bytes
 */
struct virtq {
	struct desc desc[QUEUE_SIZE];
	volatile struct avail avail;
	volatile struct used used __attribute__((aligned(4)));
	uint16_t size, avail_index, used_index;
	uint16_t free[QUEUE_SIZE], n_free;
	uint16_t number;
	volatile uint16_t *notify;
	uint8_t (*buffer)[BUFFER_SIZE];
};

/**
 * struct regions - the device's structures in its BARs
 * @common, @config, @notify:	addresses
 * @multiplier:			bytes between the notify registers of two queues
 */
struct regions {
	volatile uint8_t *common, *config, *notify;
	uint32_t multiplier;
};

static struct virtq queues[MAX_NICS][2] __attribute__((aligned(4096)));
static uint8_t buffers[MAX_NICS][2][QUEUE_SIZE][BUFFER_SIZE] __attribute__((noinit, aligned(4096)));

/* put8() - write one byte of a device's structure at @base + @offset */
static void put8(volatile uint8_t *base, unsigned int offset, uint8_t value)
{
	base[offset] = value;
}

/* put16() - write two bytes of a device's structure at @base + @offset */
static void put16(volatile uint8_t *base, unsigned int offset, uint16_t value)
{
	*(volatile uint16_t *)(base + offset) = value;
}

/* put32() - write four bytes of a device's structure at @base + @offset */
static void put32(volatile uint8_t *base, unsigned int offset, uint32_t value)
{
	*(volatile uint32_t *)(base + offset) = value;
}

/* get16() - read two bytes of a device's structure at @base + @offset */
static uint16_t get16(const volatile uint8_t *base, unsigned int offset)
{
	return *(const volatile uint16_t *)(base + offset);
}

/* get32() - read four bytes of a device's structure at @base + @offset */
static uint32_t get32(const volatile uint8_t *base, unsigned int offset)
{
	return *(const volatile uint32_t *)(base + offset);
}

/**
 * map_capability() - note where one of the device's structures is
 * @r:		result
 * @f:		function
 * @at:		offset of the vendor capability
 *
 * Return: 1 << type for a structure that was noted, 0 for another kind, one that is there already or a BAR that has no address
 */
static unsigned int map_capability(struct regions *r, const struct pci_function *f, uint8_t at)
{
	uint8_t type = pci_read8(f, at + CAP_TYPE), bar;
	uint64_t address;
	volatile uint8_t **where = type == CAP_COMMON ? &r->common : type == CAP_NOTIFY ? &r->notify :
				   type == CAP_DEVICE ? &r->config : NULL;

	if (!where || *where)
		return 0;
	bar = pci_read8(f, at + CAP_BAR);
	address = pci_bar_address(f, bar);
	if (!address)
		address = pci_place_bar(f, bar);
	if (!address)
		return 0;
	address += pci_read32(f, at + CAP_OFFSET);
	if (mmu_map_device(address, pci_read32(f, at + CAP_LENGTH)))
		return 0;
	*where = (volatile uint8_t *)address;
	if (type == CAP_NOTIFY)
		r->multiplier = pci_read32(f, at + CAP_MULTIPLIER);
	return 1u << type;
}

/**
 * find_regions() - find the device's structures
 * @r:		result
 * @f:		function
 *
 * Return: whether all that are needed were found
 */
static bool find_regions(struct regions *r, const struct pci_function *f)
{
	unsigned int found = 0, patience = 48;
	uint8_t at;

	*r = (struct regions){ 0 };
	for (at = pci_next_capability(f, 0); at && patience--; at = pci_next_capability(f, at))
		if (pci_read8(f, at) == PCI_CAP_ID_VNDR)
			found |= map_capability(r, f, at);
	return found == ALL_CAPS;
}

/**
 * virtio_net_matches() - whether a function may be a virtio-net device
 * @f:		function
 *
 * A ConnectX-7 VF counts if it carries virtio's capabilities: that of the lab does, a real one does not.
 *
 * Return: whether to try it
 */
bool virtio_net_matches(const struct pci_function *f)
{
	struct regions r;

	if (f->vendor == VENDOR_VIRTIO)
		return f->device == DEVICE_NET || f->device == DEVICE_NET_TRANSITIONAL;
	return f->vendor == VENDOR_MELLANOX && f->device == DEVICE_CX7_VF && find_regions(&r, f);
}

/**
 * negotiate() - agree on features
 * @dev:	device, reset
 *
 * Return: the features in use, 0 if the device does not have VERSION_1 or will not have it so
 */
static uint64_t negotiate(struct virtio_net *dev)
{
	uint64_t features;

	put8(dev->common, DEVICE_STATUS, STATUS_ACKNOWLEDGE);
	put8(dev->common, DEVICE_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	put32(dev->common, DEVICE_FEATURE_SELECT, 0);
	features = get32(dev->common, DEVICE_FEATURE);
	put32(dev->common, DEVICE_FEATURE_SELECT, 1);
	features |= (uint64_t)get32(dev->common, DEVICE_FEATURE) << 32;
	features &= F_WANTED;
	put32(dev->common, DRIVER_FEATURE_SELECT, 0);
	put32(dev->common, DRIVER_FEATURE, (uint32_t)features);
	put32(dev->common, DRIVER_FEATURE_SELECT, 1);
	put32(dev->common, DRIVER_FEATURE, (uint32_t)(features >> 32));
	put8(dev->common, DEVICE_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	if (!(features & F_VERSION_1) || !(dev->common[DEVICE_STATUS] & STATUS_FEATURES_OK))
		return 0;
	return features;
}

/**
 * put_address() - write a 64-bit field of the common configuration in two halves
 * @dev:	device
 * @offset:	the field
 * @address:	the value
 */
static void put_address(struct virtio_net *dev, unsigned int offset, const volatile void *address)
{
	put32(dev->common, offset, (uint32_t)(uint64_t)address);
	put32(dev->common, offset + 4, (uint32_t)((uint64_t)address >> 32));
}

/**
 * init_queue() - lay a queue out and hand it to the device
 * @dev:	device
 * @q:		queue
 * @number:	0 receive, 1 transmit
 * @r:		for the notify register
 *
 * Return: 0, -1 if the device has no such queue
 */
static int init_queue(struct virtio_net *dev, struct virtq *q, uint16_t number, const struct regions *r)
{
	uint16_t most, i;

	put16(dev->common, QUEUE_SELECT, number);
	most = get16(dev->common, QUEUE_LENGTH);
	if (!most)
		return -1;
	memset(q, 0, offsetof(struct virtq, buffer));
	q->size = QUEUE_SIZE;
	while (q->size > most)
		q->size /= 2;
	put16(dev->common, QUEUE_LENGTH, q->size);
	q->number = number;
	q->notify = (volatile uint16_t *)(r->notify + get16(dev->common, QUEUE_NOTIFY_OFF) * r->multiplier);
	q->avail.flags = AVAIL_NO_INTERRUPT;
	for (i = 0; i < q->size; i++) {
		q->desc[i] = (struct desc){ .address = (uint64_t)q->buffer[i], .length = BUFFER_SIZE,
					    .flags = number ? 0 : DESC_WRITE };
		if (number)
			q->free[q->n_free++] = i;
		else
			q->avail.ring[q->avail_index++ % q->size] = i;
	}
	q->avail.index = q->avail_index;
	put_address(dev, QUEUE_DESC, q->desc);
	put_address(dev, QUEUE_DRIVER, &q->avail);
	put_address(dev, QUEUE_DEVICE, &q->used);
	put16(dev->common, QUEUE_ENABLE, 1);
	return 0;
}

/**
 * reset() - reset a device
 * @dev:	device
 *
 * Return: 0, -1 if it does not come to an end
 */
static int reset(struct virtio_net *dev)
{
	unsigned int i;

	put8(dev->common, DEVICE_STATUS, 0);
	for (i = 0; i < RESET_PATIENCE; i++)
		if (!dev->common[DEVICE_STATUS])
			return 0;
	return -1;
}

/**
 * publish() - show the device the entries added to the available ring, and wake it if it wants that
 * @q:		queue
 */
static void publish(struct virtq *q)
{
	__asm__ volatile("" : : : "memory");
	q->avail.index = q->avail_index;
	__sync_synchronize();
	if (!(q->used.flags & USED_NO_NOTIFY))
		*q->notify = q->number;
}

/**
 * virtio_net_init() - bring a device into operation
 * @dev:	result
 * @f:		function
 * @index:	number of the NIC, below MAX_NICS; chooses its queues
 *
 * Return: 0, -1 if the device cannot be driven
 */
int virtio_net_init(struct virtio_net *dev, const struct pci_function *f, unsigned int index)
{
	struct regions r;
	uint64_t features;
	unsigned int i;

	if (!find_regions(&r, f))
		return -1;
	pci_write16(f, PCI_COMMAND, COMMAND_MEMORY | COMMAND_MASTER | COMMAND_INTX_OFF);
	*dev = (struct virtio_net){ .pci = *f, .common = r.common, .config = r.config, .rx = &queues[index][0],
				    .tx = &queues[index][1] };
	dev->rx->buffer = buffers[index][0];
	dev->tx->buffer = buffers[index][1];
	if (reset(dev))
		return -1;
	features = negotiate(dev);
	if (!features || init_queue(dev, dev->rx, 0, &r) || init_queue(dev, dev->tx, 1, &r))
		return -1;
	for (i = 0; i < sizeof(dev->mac); i++)
		dev->mac[i] = dev->config[CONFIG_MAC + i];
	dev->has_status = features & F_NET_STATUS;
	put8(dev->common, DEVICE_STATUS, STATUS_RUNNING);
	publish(dev->rx);
	return 0;
}

/**
 * virtio_net_is_alive() - whether the device still holds the state that the driver gave it
 * @dev:	device
 *
 * Return: false after it has gone, was reset behind our back, lost its state in a migration or asks for a reset
 */
bool virtio_net_is_alive(const struct virtio_net *dev)
{
	return dev->common[DEVICE_STATUS] == STATUS_RUNNING;
}

/**
 * virtio_net_link_is_up() - the link's state
 * @dev:	device
 *
 * Return: whether it is up; a device that cannot tell is always up (virtio 1.0 section 5.1.4)
 */
bool virtio_net_link_is_up(const struct virtio_net *dev)
{
	return !dev->has_status || get16(dev->config, CONFIG_STATUS) & LINK_UP;
}

/**
 * virtio_net_receive() - take the next frame that has arrived
 * @dev:	device
 * @length:	result: bytes of the frame
 * @token:	result: what virtio_net_give_back() needs
 *
 * Return: the frame, NULL if none has arrived
 */
uint8_t *virtio_net_receive(struct virtio_net *dev, unsigned int *length, uint16_t *token)
{
	struct virtq *q = dev->rx;
	uint32_t id, got;

	if (q->used.index == q->used_index)
		return NULL;
	__asm__ volatile("" : : : "memory");
	id = q->used.ring[q->used_index % q->size].id % q->size;
	got = q->used.ring[q->used_index % q->size].length;
	q->used_index++;
	*length = got < NET_HEADER ? 0 : got > BUFFER_SIZE ? BUFFER_SIZE - NET_HEADER : got - NET_HEADER;
	*token = (uint16_t)id;
	return q->buffer[id] + NET_HEADER;
}

/**
 * virtio_net_give_back() - let the device have a receive buffer again; virtio_net_receive_done() must follow
 * @dev:	device
 * @token:	from virtio_net_receive()
 */
void virtio_net_give_back(struct virtio_net *dev, uint16_t token)
{
	struct virtq *q = dev->rx;

	q->avail.ring[q->avail_index++ % q->size] = token;
}

/**
 * virtio_net_receive_done() - tell the device about the buffers given back
 * @dev:	device
 */
void virtio_net_receive_done(struct virtio_net *dev)
{
	publish(dev->rx);
}

/**
 * virtio_net_tx_buffer() - room for a frame to be sent
 * @dev:	device
 *
 * Return: FRAME_MAX bytes at least, NULL if the device has not yet sent what it has
 */
uint8_t *virtio_net_tx_buffer(struct virtio_net *dev)
{
	struct virtq *q = dev->tx;

	while (q->used_index != q->used.index && q->n_free < q->size) {
		__asm__ volatile("" : : : "memory");
		q->free[q->n_free++] = (uint16_t)(q->used.ring[q->used_index++ % q->size].id % q->size);
	}
	return q->n_free ? q->buffer[q->free[q->n_free - 1]] + NET_HEADER : NULL;
}

/**
 * virtio_net_send() - send the frame in the room that virtio_net_tx_buffer() gave last
 * @dev:	device
 * @length:	bytes of the frame
 */
void virtio_net_send(struct virtio_net *dev, unsigned int length)
{
	struct virtq *q = dev->tx;
	uint16_t id = q->free[--q->n_free];

	memset(q->buffer[id], 0, NET_HEADER);
	q->desc[id].length = NET_HEADER + length;
	q->avail.ring[q->avail_index++ % q->size] = id;
	publish(q);
}
