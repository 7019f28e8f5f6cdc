// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: frames between the guest's virtqueues and the vport.
 *
 * One thread per VF does all of it, under device->lock; it is kicked by a notification of the guest, by a frame from the
 * vport and by a change of the link. While migration has stopped the device nothing moves and arriving frames are dropped.
 *
 * VFIO type1 takes all of a guest's memory for dirty unless a device has pinned a page once; from then on only pages pinned
 * or written by vfio_dma_rw() count. So one page is pinned and let go at the first work: device->pinned.
 */
#include <linux/eventfd.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include "mlx5_vfio.h"

#define ISR_QUEUE	0x1	/* bit 0 of the ISR register: a queue has news */
#define HEADER_SIZE	sizeof(struct virtio_net_hdr_mrg_rxbuf)
#define TX_BUDGET	(2 * MLX5_VFIO_QUEUE_SIZE)

/**
 * guest_read() - read guest memory
 * @device:	the device
 * @address:	guest address
 * @data, @len:	where to, bytes
 *
 * Return: 0 or a negative errno
 */
static int guest_read(struct mlx5_vfio_device *device, u64 address, void *data, size_t len)
{
	return vfio_dma_rw(&device->vdev, address, data, len, false);
}

/**
 * guest_write() - write guest memory, which becomes dirty
 * @device:	the device, locked
 * @address:	guest address
 * @data, @len:	what, bytes
 *
 * Return: 0 or a negative errno
 */
static int guest_write(struct mlx5_vfio_device *device, u64 address, void *data, size_t len)
{
	mlx5_vfio_log_write(device, address, len);
	return vfio_dma_rw(&device->vdev, address, data, len, true);
}

/**
 * pin_once() - let type1 know that this device says what it writes
 * @device:	the device, locked
 * @address:	any mapped guest address
 */
static void pin_once(struct mlx5_vfio_device *device, u64 address)
{
	struct page *page;

	if (device->pinned || vfio_pin_pages(&device->vdev, address & PAGE_MASK, 1, IOMMU_READ, &page) != 1)
		return;
	vfio_unpin_pages(&device->vdev, address & PAGE_MASK, 1);
	device->pinned = true;
}

/**
 * signal_vector() - raise an interrupt
 * @device:	the device, locked
 * @vector:	MSI-X vector, or VIRTIO_MSI_NO_VECTOR
 * @cause:	bit for the ISR register, for guests that poll
 */
static void signal_vector(struct mlx5_vfio_device *device, u16 vector, u8 cause)
{
	device->state.isr |= cause;
	if (vector < MLX5_VFIO_VECTORS && device->irqs[vector])
		eventfd_signal(device->irqs[vector]);
}

/**
 * pop() - take the next descriptor chain that the guest offers
 * @device:	the device, locked
 * @queue:	the queue
 * @head:	its first descriptor
 *
 * Return: true if there was one
 */
static bool pop(struct mlx5_vfio_device *device, struct mlx5_vfio_queue *queue, u16 *head)
{
	__le16 value;

	if (!queue->enable || !(device->state.status & VIRTIO_CONFIG_S_DRIVER_OK))
		return false;
	if (guest_read(device, queue->avail + offsetof(struct vring_avail, idx), &value, sizeof(value)))
		return false;
	if (le16_to_cpu(value) == queue->next_avail)
		return false;
	if (guest_read(device, queue->avail + offsetof(struct vring_avail, ring) +
		       sizeof(value) * (queue->next_avail % queue->size), &value, sizeof(value)))
		return false;
	*head = le16_to_cpu(value);
	queue->next_avail++;
	return true;
}

/**
 * copy_chain() - move bytes between a descriptor chain and device->buffer
 * @device:	the device, locked
 * @queue:	the queue
 * @head:	first descriptor
 * @len:	bytes to move at most
 * @to_guest:	direction; only descriptors of that direction count
 *
 * Return: bytes moved, or -EFAULT for a chain that leads nowhere
 */
static int copy_chain(struct mlx5_vfio_device *device, struct mlx5_vfio_queue *queue, u16 head, u32 len, bool to_guest)
{
	struct vring_desc desc;
	u32 done = 0, part;
	int i, ret;

	for (i = 0; i < queue->size; i++) {
		if (head >= queue->size || guest_read(device, queue->desc + sizeof(desc) * head, &desc, sizeof(desc)))
			return -EFAULT;
		part = min(le32_to_cpu(desc.len), len - done);
		if (part && !!(le16_to_cpu(desc.flags) & VRING_DESC_F_WRITE) == to_guest) {
			ret = to_guest ? guest_write(device, le64_to_cpu(desc.addr), device->buffer + done, part) :
					 guest_read(device, le64_to_cpu(desc.addr), device->buffer + done, part);
			if (ret)
				return -EFAULT;
			done += part;
		}
		if (!(le16_to_cpu(desc.flags) & VRING_DESC_F_NEXT) || done == len)
			break;
		head = le16_to_cpu(desc.next);
	}
	return done;
}

/**
 * push() - give a descriptor chain back to the guest
 * @device:	the device, locked
 * @queue:	the queue
 * @head:	first descriptor
 * @len:	bytes written to it
 */
static void push(struct mlx5_vfio_device *device, struct mlx5_vfio_queue *queue, u16 head, u32 len)
{
	struct vring_used_elem element = { .id = cpu_to_le32(head), .len = cpu_to_le32(len) };
	__le16 index;

	guest_write(device, queue->used + offsetof(struct vring_used, ring) +
		    sizeof(element) * (queue->used_index % queue->size), &element, sizeof(element));
	queue->used_index++;
	index = cpu_to_le16(queue->used_index);
	smp_wmb();	/* the guest must see the element before the index */
	guest_write(device, queue->used + offsetof(struct vring_used, idx), &index, sizeof(index));
}

/**
 * transmit() - move frames from the guest to the vport
 * @device:	the device, locked
 */
static void transmit(struct mlx5_vfio_device *device)
{
	struct mlx5_vfio_queue *queue = &device->state.queues[MLX5_VFIO_TX];
	int len, sent = 0;
	u16 head;

	if (queue->enable)
		pin_once(device, queue->avail);
	while (sent < TX_BUDGET && pop(device, queue, &head)) {
		len = copy_chain(device, queue, head, MLX5_VFIO_BUFFER_SIZE, false);
		push(device, queue, head, 0);
		swcx7_send(device->vport, device->buffer + HEADER_SIZE, len - (int)HEADER_SIZE);
		sent++;
	}
	if (sent)
		signal_vector(device, queue->vector, ISR_QUEUE);
	if (sent == TX_BUDGET)
		mlx5_vfio_kick(device);
}

/**
 * receive_frame() - put one frame into a buffer that the guest offers
 * @device:	the device, locked
 * @skb:	the frame
 *
 * Return: true if the guest has it; false without a buffer, or too long
 */
static bool receive_frame(struct mlx5_vfio_device *device, struct sk_buff *skb)
{
	struct mlx5_vfio_queue *queue = &device->state.queues[MLX5_VFIO_RX];
	struct virtio_net_hdr_mrg_rxbuf header = { .num_buffers = cpu_to_le16(1) };
	u16 head;
	int len;

	if (skb->len > SWCX7_FRAME_MAX || !pop(device, queue, &head))
		return false;
	memcpy(device->buffer, &header, HEADER_SIZE);
	skb_copy_bits(skb, 0, device->buffer + HEADER_SIZE, skb->len);
	len = copy_chain(device, queue, head, skb->len + HEADER_SIZE, true);
	push(device, queue, head, max(len, 0));
	return len > 0;
}

/**
 * receive() - move frames from the vport to the guest
 * @device:	the device, locked
 */
static void receive(struct mlx5_vfio_device *device)
{
	bool received = false;
	struct sk_buff *skb;

	while ((skb = skb_dequeue(&device->rx_queue))) {
		if (receive_frame(device, skb))
			received = true;
		else
			atomic64_inc(&device->vport->dropped);
		kfree_skb(skb);
	}
	if (received)
		signal_vector(device, device->state.queues[MLX5_VFIO_RX].vector, ISR_QUEUE);
}

/**
 * update_link() - tell the guest when its link is not what it was told last
 * @device:	the device, locked
 */
static void update_link(struct mlx5_vfio_device *device)
{
	struct mlx5_vfio_state *state = &device->state;
	bool up = swcx7_vport_link_is_up(device->vport);

	if (state->link_up == up)
		return;
	state->link_up = up;
	state->generation++;
	if (state->status & VIRTIO_CONFIG_S_DRIVER_OK)
		signal_vector(device, state->config_vector, VIRTIO_PCI_ISR_CONFIG);
}

/**
 * mlx5_vfio_queue_work() - the work of a device's thread
 * @work:	device->work
 */
void mlx5_vfio_queue_work(struct kthread_work *work)
{
	struct mlx5_vfio_device *device = container_of(work, struct mlx5_vfio_device, work);

	mutex_lock(&device->lock);
	if (device->running && device->open) {
		update_link(device);
		transmit(device);
		receive(device);
	}
	mutex_unlock(&device->lock);
}

/**
 * mlx5_vfio_kick() - let the thread of a device look at everything again
 * @device:	the device; any context
 */
void mlx5_vfio_kick(struct mlx5_vfio_device *device)
{
	kthread_queue_work(device->worker, &device->work);
}

/**
 * vport_rx() - swcx7_func_ops.rx
 *
 * The frame leaves its sender's socket buffer here: a stopped guest must not hold up the sender.
 */
static void vport_rx(struct swcx7_func *func, struct sk_buff *skb)
{
	struct mlx5_vfio_device *device = container_of(func, struct mlx5_vfio_device, func);

	if (!READ_ONCE(device->running) || !swcx7_enqueue(&device->rx_queue, skb)) {
		atomic64_inc(&device->vport->dropped);
		kfree_skb(skb);
		return;
	}
	mlx5_vfio_kick(device);
}

/** vport_link() - swcx7_func_ops.link */
static void vport_link(struct swcx7_func *func, bool up)
{
	mlx5_vfio_kick(container_of(func, struct mlx5_vfio_device, func));
}

const struct swcx7_func_ops mlx5_vfio_func_ops = { .rx = vport_rx, .link = vport_link };
