/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Software ConnectX-7: what the files of mlx5_vfio_pci share.
 *
 * Theory of operation
 *
 * A VF that is opened through VFIO shows its user a modern virtio-net PCI function (a stock guest has a driver for it; the
 * real VF's interface is not public). All of it is emulated: config space and BAR 0 are trapped, guest memory is read and
 * written with vfio_dma_rw() by one kernel thread per VF, interrupts are eventfds. The card's vport is the network.
 *
 * Migration is VFIO migration v2 with STOP_COPY, P2P and PRE_COPY, like the real driver. What migrates is struct
 * mlx5_vfio_state, wrapped in records that name firmware and PSID; a card with another firmware or PSID refuses them.
 *
 * Locks, outer to inner: migration.state_mutex (migration state), lock (everything a guest can see, the queues and the log).
 * migration.reset_lock only covers deferred_reset. Data from the vport arrives without a lock in rx_queue.
 */
#ifndef MLX5_VFIO_H
#define MLX5_VFIO_H

#include <linux/kthread.h>
#include <linux/vfio.h>
#include <linux/xarray.h>
#include "swcx7.h"

#define MLX5_VFIO_REGION_SHIFT	40	/* region index in the upper part of a file offset */
#define MLX5_VFIO_CONFIG_SIZE	256
#define MLX5_VFIO_BAR_SIZE	SZ_1M
#define MLX5_VFIO_VECTORS	3
#define MLX5_VFIO_QUEUE_SIZE	256
#define MLX5_VFIO_BUFFER_SIZE	(SWCX7_FRAME_MAX + 64)

enum { MLX5_VFIO_RX, MLX5_VFIO_TX, MLX5_VFIO_QUEUES };

struct eventfd_ctx;
struct vfio_info_cap;
struct mlx5_vfio_stream;

/*
 * struct mlx5_vfio_queue - a virtqueue
 * @size, @enable, @vector: registers
 * @next_avail:	next entry of the available ring to look at
 * @used_index:	next entry of the used ring to fill
 * @desc, @avail, @used: guest addresses of its three parts
 */
struct mlx5_vfio_queue {
	u16 size, enable, vector, next_avail, used_index;
	u64 desc, avail, used;
} __packed;

/*
 * struct mlx5_vfio_state - all that a guest can see of its device; this is what migrates
 * @driver_features:	features that the guest's driver took
 * @device_feature_select, @driver_feature_select, @queue_select: registers
 * @status:	virtio device status
 * @isr:	pending interrupt causes
 * @generation:	config generation
 * @link_up:	link as the guest was last told
 * @config_vector: MSI-X vector of config changes
 * @queues:	receive and transmit queue
 * @mac:	MAC of the function
 */
struct mlx5_vfio_state {
	u64 driver_features;
	u32 device_feature_select, driver_feature_select;
	u8 status, isr, generation, link_up;
	u16 config_vector, queue_select;
	struct mlx5_vfio_queue queues[MLX5_VFIO_QUEUES];
	u8 mac[ETH_ALEN];
} __packed;

/*
 * struct mlx5_vfio_migration - migration of a device
 * @state_mutex:	held over a change of state
 * @reset_lock:		covers @deferred_reset
 * @deferred_reset:	a reset came while @state_mutex was held by another
 * @state:		current state
 * @saving, @resuming:	open data stream, NULL for none
 */
struct mlx5_vfio_migration {
	struct mutex state_mutex, reset_lock;
	bool deferred_reset;
	enum vfio_device_mig_state state;
	struct mlx5_vfio_stream *saving, *resuming;
};

/*
 * struct mlx5_vfio_device - a VF bound to this driver
 * @vdev:	for the VFIO core; must be first
 * @pdev:	PCI device
 * @vport:	its vport
 * @func:	function side of the vport
 * @lock:	covers what follows down to @dirty
 * @open:	a user has it
 * @running:	not stopped by migration
 * @pinned:	see mlx5_vfio_queue.c
 * @logging:	device writes are recorded in @dirty
 * @dirty:	guest page numbers written since they were last asked for
 * @state:	what the guest sees
 * @config, @config_writable: config space that the guest sees
 * @irqs:	MSI-X vectors, NULL while not set
 * @request_irq: tells the user to let go of the device
 * @buffer:	one frame with its virtio header
 * @rx_queue:	frames from the vport
 * @worker, @work: the thread that moves frames
 * @migration:	migration
 */
struct mlx5_vfio_device {
	struct vfio_device vdev;
	struct pci_dev *pdev;
	struct swcx7_vport *vport;
	struct swcx7_func func;
	struct mutex lock;
	bool open, running, pinned, logging;
	struct xarray dirty;
	struct mlx5_vfio_state state;
	u8 config[MLX5_VFIO_CONFIG_SIZE];
	u8 config_writable[MLX5_VFIO_CONFIG_SIZE];
	struct eventfd_ctx *irqs[MLX5_VFIO_VECTORS];
	struct eventfd_ctx *request_irq;
	u8 *buffer;
	struct sk_buff_head rx_queue;
	struct kthread_worker *worker;
	struct kthread_work work;
	struct mlx5_vfio_migration migration;
};

/**
 * mlx5_vfio_of() - from the VFIO core's view of a device to ours
 * @vdev:	device of this driver
 */
static inline struct mlx5_vfio_device *mlx5_vfio_of(struct vfio_device *vdev)
{
	return container_of(vdev, struct mlx5_vfio_device, vdev);
}

/* mlx5_vfio_device.c: VFIO ioctls and accesses */
int mlx5_vfio_describe_region(struct vfio_device *vdev, struct vfio_region_info *info, struct vfio_info_cap *caps);
long mlx5_vfio_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg);
ssize_t mlx5_vfio_read(struct vfio_device *vdev, char __user *user, size_t count, loff_t *pos);
ssize_t mlx5_vfio_write(struct vfio_device *vdev, const char __user *user, size_t count, loff_t *pos);
void mlx5_vfio_request(struct vfio_device *vdev, unsigned int count);
void mlx5_vfio_clear_irqs(struct mlx5_vfio_device *device);

/* mlx5_vfio_virtio.c: the PCI function that the guest sees; all under device->lock */
void mlx5_vfio_config_init(struct mlx5_vfio_device *device);
void mlx5_vfio_virtio_reset(struct mlx5_vfio_device *device);
void mlx5_vfio_bar_read(struct mlx5_vfio_device *device, u32 at, u8 *bytes, size_t size);
void mlx5_vfio_bar_write(struct mlx5_vfio_device *device, u32 at, const u8 *bytes, size_t size);

/* mlx5_vfio_queue.c: frames */
extern const struct swcx7_func_ops mlx5_vfio_func_ops;
void mlx5_vfio_queue_work(struct kthread_work *work);
void mlx5_vfio_kick(struct mlx5_vfio_device *device);

/* mlx5_vfio_migration.c: states */
extern const struct vfio_migration_ops mlx5_vfio_migration_ops;
void mlx5_vfio_migration_init(struct mlx5_vfio_device *device);
void mlx5_vfio_migration_close(struct mlx5_vfio_device *device);
void mlx5_vfio_migration_reset(struct mlx5_vfio_device *device);

/* mlx5_vfio_stream.c: data streams */
struct mlx5_vfio_stream *mlx5_vfio_stream_open_save(struct mlx5_vfio_device *device);
struct mlx5_vfio_stream *mlx5_vfio_stream_open_resume(struct mlx5_vfio_device *device);
struct file *mlx5_vfio_stream_get_file(struct mlx5_vfio_stream *stream);
void mlx5_vfio_stream_add_initial(struct mlx5_vfio_stream *stream);
void mlx5_vfio_stream_add_final(struct mlx5_vfio_stream *stream);
void mlx5_vfio_stream_fail(struct mlx5_vfio_stream *stream, int error);
int mlx5_vfio_stream_load(struct mlx5_vfio_stream *stream);
void mlx5_vfio_stream_close(struct mlx5_vfio_stream **stream);
u64 mlx5_vfio_stream_size(struct mlx5_vfio_device *device);

/* mlx5_vfio_dma_log.c: device dirty tracking */
extern const struct vfio_log_ops mlx5_vfio_log_ops;
bool mlx5_vfio_log_is_available(void);
void mlx5_vfio_log_init(void);
void mlx5_vfio_log_exit(void);
void mlx5_vfio_log_write(struct mlx5_vfio_device *device, u64 address, size_t len);
void mlx5_vfio_log_clear(struct mlx5_vfio_device *device);

#endif
