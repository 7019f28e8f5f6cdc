// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: frames between the virtqueues of a vDPA device and its vport.
 *
 * One thread per device does all of it, under device->lock; it is kicked by a notification of the driver, by a frame from the vport
 * and by a change of the link.
 */
#include <linux/highmem.h>
#include <linux/iommu.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include "mlx5_vdpa.h"

#define HEADER_SIZE	sizeof(struct virtio_net_hdr_mrg_rxbuf)	/* with VIRTIO_F_VERSION_1, whatever else is negotiated */
#define TX_BUDGET	(2 * MLX5_VDPA_QUEUE_SIZE)

/**
 * access_part() - read or write memory as a device on a bus does, within one page
 * @device:	the device, locked
 * @address:	address that the driver gave
 * @data, @len:	where to or what, bytes
 * @is_write:	direction
 *
 * Return: 0, or -EFAULT for an address that leads to no memory
 */
static int access_part(struct mlx5_vdpa_device *device, u64 address, void *data, size_t len, bool is_write)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(&device->dev->pdev->dev);
	phys_addr_t physical = domain ? iommu_iova_to_phys(domain, address) : address;
	void *page;

	if (!physical || !pfn_valid(PHYS_PFN(physical)))
		return -EFAULT;
	page = kmap_local_page(pfn_to_page(PHYS_PFN(physical)));
	if (is_write)
		memcpy(page + offset_in_page(physical), data, len);
	else
		memcpy(data, page + offset_in_page(physical), len);
	kunmap_local(page);
	return 0;
}

/**
 * access_memory() - read or write memory as a device on a bus does; see access_part()
 *
 * Return: 0 or -EFAULT
 */
static int access_memory(struct mlx5_vdpa_device *device, u64 address, void *data, size_t len, bool is_write)
{
	size_t part;
	int ret;

	while (len) {
		part = min_t(size_t, len, PAGE_SIZE - offset_in_page(address));
		ret = access_part(device, address, data, part, is_write);
		if (ret)
			return ret;
		address += part;
		data += part;
		len -= part;
	}
	return 0;
}

/**
 * read_avail() - read a number of the available ring
 * @device:	the device, locked
 * @queue:	the queue
 * @offset:	where in struct vring_avail
 * @value:	receives it
 *
 * Return: 0 or -EFAULT
 */
static int read_avail(struct mlx5_vdpa_device *device, struct mlx5_vdpa_queue *queue, size_t offset, u16 *value)
{
	__le16 number;
	int ret = access_memory(device, queue->avail + offset, &number, sizeof(number), false);

	*value = ret ? 0 : le16_to_cpu(number);
	return ret;
}

/**
 * pop() - take the next descriptor chain that the driver offers
 * @device:	the device, locked
 * @queue:	the queue
 * @head:	its first descriptor
 *
 * Return: true if there was one
 */
static bool pop(struct mlx5_vdpa_device *device, struct mlx5_vdpa_queue *queue, u16 *head)
{
	size_t entry = offsetof(struct vring_avail, ring) + sizeof(__le16) * (queue->next_avail % max_t(u16, queue->size, 1));
	u16 index;

	if (!queue->ready || read_avail(device, queue, offsetof(struct vring_avail, idx), &index) || index == queue->next_avail)
		return false;
	virt_rmb();	/* the entry is there once the index says so */
	if (read_avail(device, queue, entry, head))
		return false;
	queue->next_avail++;
	return true;
}

/**
 * copy_chain() - move bytes between a descriptor chain and device->buffer
 * @device:	the device, locked
 * @queue:	the queue
 * @head:	first descriptor
 * @len:	bytes to move at most
 * @to_driver:	direction; only descriptors of that direction count
 *
 * Return: bytes moved, or -EFAULT for a chain that leads nowhere
 */
static int copy_chain(struct mlx5_vdpa_device *device, struct mlx5_vdpa_queue *queue, u16 head, u32 len, bool to_driver)
{
	struct vring_desc desc;
	u32 done = 0, part;
	u16 flags;
	int i;

	for (i = 0; i < queue->size; i++) {
		if (head >= queue->size || access_memory(device, queue->desc + sizeof(desc) * head, &desc, sizeof(desc), false))
			return -EFAULT;
		flags = le16_to_cpu((__force __le16)desc.flags);
		part = min(le32_to_cpu((__force __le32)desc.len), len - done);
		if (part && !!(flags & VRING_DESC_F_WRITE) == to_driver) {
			if (access_memory(device, le64_to_cpu((__force __le64)desc.addr), device->buffer + done, part, to_driver))
				return -EFAULT;
			done += part;
		}
		if (!(flags & VRING_DESC_F_NEXT) || done == len)
			break;
		head = le16_to_cpu((__force __le16)desc.next);
	}
	return done;
}

/**
 * push() - give a descriptor chain back to the driver
 * @device:	the device, locked
 * @queue:	the queue
 * @head:	first descriptor
 * @len:	bytes written to it
 */
static void push(struct mlx5_vdpa_device *device, struct mlx5_vdpa_queue *queue, u16 head, u32 len)
{
	__le32 element[2] = { cpu_to_le32(head), cpu_to_le32(len) };
	__le16 index;

	access_memory(device, queue->used + offsetof(struct vring_used, ring) + sizeof(element) * (queue->used_index % queue->size),
		      element, sizeof(element), true);
	queue->used_index++;
	index = cpu_to_le16(queue->used_index);
	virt_wmb();	/* the driver must see the element before the index */
	access_memory(device, queue->used + offsetof(struct vring_used, idx), &index, sizeof(index), true);
}

/**
 * interrupt() - call one of the driver's callbacks, which expects bottom halves to be off
 * @callback:	may be empty
 */
static void interrupt(struct vdpa_callback *callback)
{
	local_bh_disable();
	if (callback->callback)
		callback->callback(callback->private);
	local_bh_enable();
}

/**
 * signal_queue() - tell the driver that a queue has news, unless it wants to hear nothing
 * @device:	the device, locked
 * @queue:	the queue
 */
static void signal_queue(struct mlx5_vdpa_device *device, struct mlx5_vdpa_queue *queue)
{
	u16 flags;

	virt_mb();	/* the driver looks at the used index again after it has set the flag */
	if (!read_avail(device, queue, offsetof(struct vring_avail, flags), &flags) && !(flags & VRING_AVAIL_F_NO_INTERRUPT))
		interrupt(&queue->callback);
}

/**
 * transmit() - move frames from the driver to the vport
 * @device:	the device, locked
 */
static void transmit(struct mlx5_vdpa_device *device)
{
	struct mlx5_vdpa_queue *queue = &device->queues[MLX5_VDPA_TX];
	int len, sent = 0;
	u16 head;

	while (sent < TX_BUDGET && pop(device, queue, &head)) {
		len = copy_chain(device, queue, head, MLX5_VDPA_BUFFER_SIZE, false);
		push(device, queue, head, 0);
		swcx7_send(device->dev->vport, device->buffer + HEADER_SIZE, len - (int)HEADER_SIZE);
		sent++;
	}
	if (sent)
		signal_queue(device, queue);
	if (sent == TX_BUDGET)
		mlx5_vdpa_kick(device);
}

/**
 * receive_frame() - put one frame into a buffer that the driver offers
 * @device:	the device, locked
 * @skb:	the frame
 *
 * Return: true if the driver has it; false without a buffer, or too long
 */
static bool receive_frame(struct mlx5_vdpa_device *device, struct sk_buff *skb)
{
	struct mlx5_vdpa_queue *queue = &device->queues[MLX5_VDPA_RX];
	struct virtio_net_hdr_mrg_rxbuf header = { .num_buffers = (__force __virtio16)cpu_to_le16(1) };
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
 * receive() - move frames from the vport to the driver
 * @device:	the device, locked
 */
static void receive(struct mlx5_vdpa_device *device)
{
	bool received = false;
	struct sk_buff *skb;

	while ((skb = skb_dequeue(&device->rx_queue))) {
		if (receive_frame(device, skb))
			received = true;
		else
			atomic64_inc(&device->dev->vport->dropped);
		kfree_skb(skb);
	}
	if (received)
		signal_queue(device, &device->queues[MLX5_VDPA_RX]);
}

/**
 * update_link() - tell the driver when its link is not what it was told last
 * @device:	the device, locked
 */
static void update_link(struct mlx5_vdpa_device *device)
{
	bool up = swcx7_vport_link_is_up(device->dev->vport);

	if (device->link_up == up)
		return;
	device->link_up = up;
	device->generation++;
	interrupt(&device->config_callback);
}

/**
 * mlx5_vdpa_work() - the work of a device's thread
 * @work:	device->work
 */
void mlx5_vdpa_work(struct kthread_work *work)
{
	struct mlx5_vdpa_device *device = container_of(work, struct mlx5_vdpa_device, work);

	mutex_lock(&device->lock);
	if (device->attached) {
		update_link(device);
		transmit(device);
		receive(device);
	}
	mutex_unlock(&device->lock);
}

/**
 * mlx5_vdpa_kick() - let the thread of a device look at everything again
 * @device:	the device; any context
 */
void mlx5_vdpa_kick(struct mlx5_vdpa_device *device)
{
	kthread_queue_work(device->worker, &device->work);
}

/** vport_rx() - swcx7_func_ops.rx */
static void vport_rx(struct swcx7_func *func, struct sk_buff *skb)
{
	struct mlx5_vdpa_device *device = container_of(func, struct mlx5_vdpa_device, vnet.func);

	if (!swcx7_enqueue(&device->rx_queue, skb)) {
		atomic64_inc(&device->dev->vport->dropped);
		kfree_skb(skb);
		return;
	}
	mlx5_vdpa_kick(device);
}

/** vport_link() - swcx7_func_ops.link */
static void vport_link(struct swcx7_func *func, bool up)
{
	mlx5_vdpa_kick(container_of(func, struct mlx5_vdpa_device, vnet.func));
}

const struct swcx7_func_ops mlx5_vdpa_func_ops = { .rx = vport_rx, .link = vport_link };
