// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: device dirty tracking (VFIO_DEVICE_FEATURE_DMA_LOGGING_*).
 *
 * Debian's vfio.ko is built without iova_bitmap (CONFIG_IOMMUFD_DRIVER is off); with that one the feature is not offered. The
 * rebuilt vfio.ko exports iova_bitmap_set(), which is looked up when this module is loaded.
 */
#include <linux/iova_bitmap.h>
#include <linux/module.h>
#include "mlx5_vfio.h"

static void (*mark_dirty)(struct iova_bitmap *bitmap, unsigned long iova, size_t length);

/** mlx5_vfio_log_init() - look for iova_bitmap_set() */
void mlx5_vfio_log_init(void)
{
	mark_dirty = __symbol_get("iova_bitmap_set");
	if (!mark_dirty)
		pr_info("mlx5_vfio_pci: vfio.ko has no iova_bitmap, device dirty tracking is not offered\n");
}

/** mlx5_vfio_log_exit() - let go of it */
void mlx5_vfio_log_exit(void)
{
	if (mark_dirty)
		__symbol_put("iova_bitmap_set");
}

/** mlx5_vfio_log_is_available() - can device dirty tracking be offered? */
bool mlx5_vfio_log_is_available(void)
{
	return mark_dirty;
}

/**
 * mlx5_vfio_log_write() - note that the device writes guest memory
 * @device:	the device, locked
 * @address:	guest address
 * @len:	bytes, at least 1
 */
void mlx5_vfio_log_write(struct mlx5_vfio_device *device, u64 address, size_t len)
{
	u64 page;

	if (!device->logging)
		return;
	for (page = address >> PAGE_SHIFT; page <= (address + len - 1) >> PAGE_SHIFT; page++)
		if (xa_is_err(xa_store(&device->dirty, page, xa_mk_value(1), GFP_KERNEL)))
			dev_err_ratelimited(&device->pdev->dev, "dirty page %llx lost: no memory\n", page);
}

/**
 * mlx5_vfio_log_clear() - forget all dirty pages
 * @device:	the device, locked
 */
void mlx5_vfio_log_clear(struct mlx5_vfio_device *device)
{
	xa_destroy(&device->dirty);
}

/** set_logging() - begin or end to record; either way with an empty record */
static void set_logging(struct mlx5_vfio_device *device, bool on)
{
	mutex_lock(&device->lock);
	device->logging = on;
	mlx5_vfio_log_clear(device);
	mutex_unlock(&device->lock);
}

/**
 * log_start() - vfio_log_ops.log_start
 * @ranges, @count: ranges to watch; all of guest memory is watched
 * @page_size:	granule, set to PAGE_SIZE
 *
 * Return: 0
 */
static int log_start(struct vfio_device *vdev, struct rb_root_cached *ranges, u32 count, u64 *page_size)
{
	*page_size = PAGE_SIZE;
	set_logging(mlx5_vfio_of(vdev), true);
	return 0;
}

/** log_stop() - vfio_log_ops.log_stop */
static int log_stop(struct vfio_device *vdev)
{
	set_logging(mlx5_vfio_of(vdev), false);
	return 0;
}

/**
 * log_read_and_clear() - vfio_log_ops.log_read_and_clear
 * @iova, @length: range in bytes
 * @bitmap:	gets a bit for each page written
 *
 * Return: 0
 */
static int log_read_and_clear(struct vfio_device *vdev, unsigned long iova, unsigned long length, struct iova_bitmap *bitmap)
{
	struct mlx5_vfio_device *device = mlx5_vfio_of(vdev);
	unsigned long page;
	void *entry;

	mutex_lock(&device->lock);
	xa_for_each_range(&device->dirty, page, entry, iova >> PAGE_SHIFT, (iova + length - 1) >> PAGE_SHIFT) {
		xa_erase(&device->dirty, page);
		mark_dirty(bitmap, page << PAGE_SHIFT, PAGE_SIZE);
	}
	mutex_unlock(&device->lock);
	return 0;
}

const struct vfio_log_ops mlx5_vfio_log_ops = {
	.log_start = log_start,
	.log_stop = log_stop,
	.log_read_and_clear = log_read_and_clear,
};
