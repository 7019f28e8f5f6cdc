/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Software ConnectX-7: what the files of mlx5_vdpa share.
 *
 * Theory of operation
 *
 * mlx5_vdpa binds to the auxiliary device mlx5_core.vnet.N of a VF and registers a management device for vdpa(8), pci/BDF. `vdpa dev add`
 * makes one struct mlx5_vdpa_device of it, a child of the PCI function, which virtio_vdpa or vhost_vdpa binds. While its driver is at
 * work (DRIVER_OK) it shares the VF's vport with the VF's netdev. One thread moves all its frames.
 *
 * The device reaches memory as one on a bus does: by the addresses that the DMA API gave virtio_vdpa, or that vhost_vdpa has mapped in an
 * IOMMU domain of its own; the software IOMMU translates both.
 */
#ifndef MLX5_VDPA_H
#define MLX5_VDPA_H

#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/vdpa.h>
#include "mlx5_core.h"

#define MLX5_VDPA_RX		0	/* queue in which the driver receives */
#define MLX5_VDPA_TX		1
#define MLX5_VDPA_QUEUES	2
#define MLX5_VDPA_QUEUE_SIZE	256
#define MLX5_VDPA_BUFFER_SIZE	(SWCX7_FRAME_MAX + 64)

/*
 * struct mlx5_vdpa_queue - one split virtqueue
 * @desc, @avail, @used:	addresses, as the device sees them
 * @size:		descriptors
 * @next_avail:		next entry of the available ring to take
 * @used_index:		entries of the used ring written
 * @ready:		the driver has set it up
 * @callback:		the driver's interrupt
 */
struct mlx5_vdpa_queue {
	u64 desc, avail, used;
	u16 size, next_avail, used_index;
	bool ready;
	struct vdpa_callback callback;
};

/*
 * struct mlx5_vdpa_device - a vDPA device
 * @vdpa:	for the vDPA core, which frees it
 * @vnet:	what it takes of the vport's frames
 * @dev:	its VF
 * @lock:	guards all below but @rx_queue
 * @queues:	its virtqueues
 * @features:	negotiated
 * @status:	virtio device status
 * @generation:	of the configuration space
 * @link_up:	link that the driver was told last
 * @attached:	@vnet is attached
 * @config_callback: the driver's interrupt for a change of the configuration space
 * @worker, @work: the thread
 * @rx_queue:	frames from the vport
 * @buffer:	one frame with its virtio header
 */
struct mlx5_vdpa_device {
	struct vdpa_device vdpa;
	struct mlx5_vnet vnet;
	struct mlx5_dev *dev;
	struct mutex lock;
	struct mlx5_vdpa_queue queues[MLX5_VDPA_QUEUES];
	u64 features;
	u8 status;
	u32 generation;
	bool link_up, attached;
	struct vdpa_callback config_callback;
	struct kthread_worker *worker;
	struct kthread_work work;
	struct sk_buff_head rx_queue;
	u8 *buffer;
};

/* mlx5_vdpa_ops.c */
#define MLX5_VDPA_FEATURES	(BIT_ULL(VIRTIO_NET_F_MAC) | BIT_ULL(VIRTIO_NET_F_STATUS) | \
				 BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(VIRTIO_F_ACCESS_PLATFORM))
extern const struct vdpa_config_ops mlx5_vdpa_ops;

/* mlx5_vdpa_queue.c */
extern const struct swcx7_func_ops mlx5_vdpa_func_ops;
void mlx5_vdpa_work(struct kthread_work *work);
void mlx5_vdpa_kick(struct mlx5_vdpa_device *device);

#endif
