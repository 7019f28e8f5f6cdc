// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: what the vDPA core asks of a vDPA device. All of it may sleep but kick_vq().
 */
#include <uapi/linux/virtio_ids.h>
#include <linux/virtio_config.h>
#include "mlx5_vdpa.h"

/** to_device() - from the vDPA core's view to ours */
static struct mlx5_vdpa_device *to_device(struct vdpa_device *vdpa)
{
	return container_of(vdpa, struct mlx5_vdpa_device, vdpa);
}

/** set_vq_address() - vdpa_config_ops: where the three parts of a queue are */
static int set_vq_address(struct vdpa_device *vdpa, u16 index, u64 desc, u64 driver, u64 device_area)
{
	struct mlx5_vdpa_queue *queue = &to_device(vdpa)->queues[index];

	mutex_lock(&to_device(vdpa)->lock);
	queue->desc = desc;
	queue->avail = driver;
	queue->used = device_area;
	mutex_unlock(&to_device(vdpa)->lock);
	return 0;
}

/** set_vq_num() - vdpa_config_ops: descriptors of a queue */
static void set_vq_num(struct vdpa_device *vdpa, u16 index, u32 num)
{
	mutex_lock(&to_device(vdpa)->lock);
	to_device(vdpa)->queues[index].size = min_t(u32, num, MLX5_VDPA_QUEUE_SIZE);
	mutex_unlock(&to_device(vdpa)->lock);
}

/** kick_vq() - vdpa_config_ops: a queue has something new; any context */
static void kick_vq(struct vdpa_device *vdpa, u16 index)
{
	mlx5_vdpa_kick(to_device(vdpa));
}

/** set_vq_cb() - vdpa_config_ops: the interrupt of a queue */
static void set_vq_cb(struct vdpa_device *vdpa, u16 index, struct vdpa_callback *callback)
{
	mutex_lock(&to_device(vdpa)->lock);
	to_device(vdpa)->queues[index].callback = *callback;
	mutex_unlock(&to_device(vdpa)->lock);
}

/** set_vq_ready() - vdpa_config_ops: begin with a queue, or leave it alone after return */
static void set_vq_ready(struct vdpa_device *vdpa, u16 index, bool ready)
{
	mutex_lock(&to_device(vdpa)->lock);
	to_device(vdpa)->queues[index].ready = ready && to_device(vdpa)->queues[index].size;
	mutex_unlock(&to_device(vdpa)->lock);
}

/** get_vq_ready() - vdpa_config_ops */
static bool get_vq_ready(struct vdpa_device *vdpa, u16 index)
{
	return READ_ONCE(to_device(vdpa)->queues[index].ready);
}

/** set_vq_state() - vdpa_config_ops: where to go on in a queue; Return: 0 */
static int set_vq_state(struct vdpa_device *vdpa, u16 index, const struct vdpa_vq_state *state)
{
	struct mlx5_vdpa_queue *queue = &to_device(vdpa)->queues[index];

	mutex_lock(&to_device(vdpa)->lock);
	queue->next_avail = state->split.avail_index;
	queue->used_index = state->split.avail_index;
	mutex_unlock(&to_device(vdpa)->lock);
	return 0;
}

/** get_vq_state() - vdpa_config_ops: how far a queue is; Return: 0 */
static int get_vq_state(struct vdpa_device *vdpa, u16 index, struct vdpa_vq_state *state)
{
	state->split.avail_index = READ_ONCE(to_device(vdpa)->queues[index].next_avail);
	return 0;
}

/** get_vq_align() - vdpa_config_ops: as mlx5's */
static u32 get_vq_align(struct vdpa_device *vdpa)
{
	return PAGE_SIZE;
}

/** get_vq_num_max() - vdpa_config_ops */
static u16 get_vq_num_max(struct vdpa_device *vdpa)
{
	return MLX5_VDPA_QUEUE_SIZE;
}

/** get_device_features() - vdpa_config_ops: no offloads, one pair of queues */
static u64 get_device_features(struct vdpa_device *vdpa)
{
	return MLX5_VDPA_FEATURES;
}

/**
 * set_driver_features() - vdpa_config_ops
 *
 * Return: 0; -EOPNOTSUPP without ACCESS_PLATFORM, as mlx5's: addresses would not be translated
 */
static int set_driver_features(struct vdpa_device *vdpa, u64 features)
{
	if (!(features & BIT_ULL(VIRTIO_F_ACCESS_PLATFORM)))
		return -EOPNOTSUPP;
	WRITE_ONCE(to_device(vdpa)->features, features & MLX5_VDPA_FEATURES);
	return 0;
}

/** get_driver_features() - vdpa_config_ops */
static u64 get_driver_features(struct vdpa_device *vdpa)
{
	return READ_ONCE(to_device(vdpa)->features);
}

/** set_config_cb() - vdpa_config_ops: the interrupt for the configuration space */
static void set_config_cb(struct vdpa_device *vdpa, struct vdpa_callback *callback)
{
	mutex_lock(&to_device(vdpa)->lock);
	to_device(vdpa)->config_callback = *callback;
	mutex_unlock(&to_device(vdpa)->lock);
}

/** get_device_id() - vdpa_config_ops */
static u32 get_device_id(struct vdpa_device *vdpa)
{
	return VIRTIO_ID_NET;
}

/** get_vendor_id() - vdpa_config_ops */
static u32 get_vendor_id(struct vdpa_device *vdpa)
{
	return PCI_VENDOR_ID_MELLANOX;
}

/** get_status() - vdpa_config_ops */
static u8 get_status(struct vdpa_device *vdpa)
{
	return READ_ONCE(to_device(vdpa)->status);
}

/**
 * set_status() - vdpa_config_ops; with DRIVER_OK the device begins to share the vport
 *
 * Going back is reset() alone.
 */
static void set_status(struct vdpa_device *vdpa, u8 status)
{
	struct mlx5_vdpa_device *device = to_device(vdpa);

	mutex_lock(&device->lock);
	device->status = status;
	if ((status & VIRTIO_CONFIG_S_DRIVER_OK) && !device->attached) {
		device->link_up = swcx7_vport_link_is_up(device->dev->vport);
		mlx5_vnet_attach(device->dev, &device->vnet);
		device->attached = true;
	}
	mutex_unlock(&device->lock);
	mlx5_vdpa_kick(device);
}

/** reset() - vdpa_config_ops: the vport is the netdev's alone again, and no memory is touched after return; Return: 0 */
static int reset(struct vdpa_device *vdpa)
{
	struct mlx5_vdpa_device *device = to_device(vdpa);

	mutex_lock(&device->lock);
	if (device->attached)
		mlx5_vnet_detach(device->dev);
	device->attached = false;
	skb_queue_purge(&device->rx_queue);
	memset(device->queues, 0, sizeof(device->queues));
	memset(&device->config_callback, 0, sizeof(device->config_callback));
	device->features = 0;
	device->status = 0;
	device->generation++;
	mutex_unlock(&device->lock);
	return 0;
}

/** get_config_size() - vdpa_config_ops */
static size_t get_config_size(struct vdpa_device *vdpa)
{
	return sizeof(struct virtio_net_config);
}

/** get_config() - vdpa_config_ops: MAC and link */
static void get_config(struct vdpa_device *vdpa, unsigned int offset, void *data, unsigned int len)
{
	struct mlx5_vdpa_device *device = to_device(vdpa);
	bool up = swcx7_vport_link_is_up(device->dev->vport);
	struct virtio_net_config config = {
		.status = (__force __virtio16)cpu_to_le16(up ? VIRTIO_NET_S_LINK_UP : 0),
		.max_virtqueue_pairs = (__force __virtio16)cpu_to_le16(1),
		.mtu = (__force __virtio16)cpu_to_le16(ETH_DATA_LEN),
	};

	ether_addr_copy(config.mac, device->vnet.mac);
	if (offset <= sizeof(config) && len <= sizeof(config) - offset)
		memcpy(data, (u8 *)&config + offset, len);
}

/** set_config() - vdpa_config_ops: nothing can be set */
static void set_config(struct vdpa_device *vdpa, unsigned int offset, const void *data, unsigned int len)
{
}

/** get_generation() - vdpa_config_ops */
static u32 get_generation(struct vdpa_device *vdpa)
{
	return READ_ONCE(to_device(vdpa)->generation);
}

/** free_device() - vdpa_config_ops.free: what dev_add() has made; the vDPA core frees the device itself */
static void free_device(struct vdpa_device *vdpa)
{
	struct mlx5_vdpa_device *device = to_device(vdpa);

	if (device->attached)
		mlx5_vnet_detach(device->dev);
	if (device->worker)
		kthread_destroy_worker(device->worker);
	skb_queue_purge(&device->rx_queue);
	mutex_destroy(&device->lock);
	kfree(device->buffer);
}

const struct vdpa_config_ops mlx5_vdpa_ops = {
	.set_vq_address = set_vq_address,
	.set_vq_num = set_vq_num,
	.kick_vq = kick_vq,
	.set_vq_cb = set_vq_cb,
	.set_vq_ready = set_vq_ready,
	.get_vq_ready = get_vq_ready,
	.set_vq_state = set_vq_state,
	.get_vq_state = get_vq_state,
	.get_vq_align = get_vq_align,
	.get_vq_num_max = get_vq_num_max,
	.get_device_features = get_device_features,
	.set_driver_features = set_driver_features,
	.get_driver_features = get_driver_features,
	.set_config_cb = set_config_cb,
	.get_device_id = get_device_id,
	.get_vendor_id = get_vendor_id,
	.get_status = get_status,
	.set_status = set_status,
	.reset = reset,
	.get_config_size = get_config_size,
	.get_config = get_config,
	.set_config = set_config,
	.get_generation = get_generation,
	.free = free_device,
};
