// SPDX-License-Identifier: GPL-2.0-only
/* Software ConnectX-7: what a VFIO user can do with a VF: ioctls, config space, BAR 0, interrupts. */
#include <linux/eventfd.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include "mlx5_vfio.h"

/**
 * get_device_info() - VFIO_DEVICE_GET_INFO
 * @user:	struct vfio_device_info
 *
 * Return: 0 or a negative errno
 */
static long get_device_info(void __user *user)
{
	unsigned long size = offsetofend(struct vfio_device_info, num_irqs);
	struct vfio_device_info info = {};

	if (copy_from_user(&info, user, size))
		return -EFAULT;
	if (info.argsz < size)
		return -EINVAL;
	info.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = VFIO_PCI_NUM_REGIONS;
	info.num_irqs = VFIO_PCI_NUM_IRQS;
	return copy_to_user(user, &info, size) ? -EFAULT : 0;
}

/**
 * region_size() - size of a region
 * @index:	VFIO_PCI_*_REGION_INDEX
 *
 * Return: bytes, 0 for a region that does not exist
 */
static u64 region_size(u32 index)
{
	switch (index) {
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return MLX5_VFIO_CONFIG_SIZE;
	case VFIO_PCI_BAR0_REGION_INDEX:
		return MLX5_VFIO_BAR_SIZE;
	default:
		return 0;
	}
}

/**
 * mlx5_vfio_describe_region() - vfio_device_ops.get_region_info_caps; nothing can be mapped, every access is trapped
 * @vdev:	any VF: their regions are the same
 * @info:	its index is read, the rest filled
 * @caps:	not used
 *
 * Return: 0, -EINVAL for a region that there is not
 */
int mlx5_vfio_describe_region(struct vfio_device *vdev, struct vfio_region_info *info, struct vfio_info_cap *caps)
{
	if (info->index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	info->offset = (u64)info->index << MLX5_VFIO_REGION_SHIFT;
	info->size = region_size(info->index);
	info->flags = info->size ? VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE : 0;
	info->cap_offset = 0;
	return 0;
}

/**
 * get_region_info() - VFIO_DEVICE_GET_REGION_INFO, where the core leaves it to the driver
 * @user:	struct vfio_region_info
 *
 * Return: 0 or a negative errno
 */
static long get_region_info(void __user *user)
{
	unsigned long size = offsetofend(struct vfio_region_info, offset);
	struct vfio_region_info info = {};

	if (copy_from_user(&info, user, size))
		return -EFAULT;
	if (info.argsz < size || mlx5_vfio_describe_region(NULL, &info, NULL))
		return -EINVAL;
	return copy_to_user(user, &info, size) ? -EFAULT : 0;
}

/**
 * interrupt_count() - number of interrupts of a kind
 * @index:	VFIO_PCI_*_IRQ_INDEX
 */
static u32 interrupt_count(u32 index)
{
	switch (index) {
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return MLX5_VFIO_VECTORS;
	case VFIO_PCI_REQ_IRQ_INDEX:
		return 1;
	default:
		return 0;
	}
}

/**
 * get_irq_info() - VFIO_DEVICE_GET_IRQ_INFO
 * @user:	struct vfio_irq_info
 *
 * Return: 0 or a negative errno
 */
static long get_irq_info(void __user *user)
{
	unsigned long size = offsetofend(struct vfio_irq_info, count);
	struct vfio_irq_info info = {};

	if (copy_from_user(&info, user, size))
		return -EFAULT;
	if (info.argsz < size || info.index >= VFIO_PCI_NUM_IRQS || info.index == VFIO_PCI_ERR_IRQ_INDEX)
		return -EINVAL;
	info.count = interrupt_count(info.index);
	info.flags = VFIO_IRQ_INFO_EVENTFD;
	if (info.count)
		info.flags |= VFIO_IRQ_INFO_NORESIZE;
	return copy_to_user(user, &info, size) ? -EFAULT : 0;
}

/**
 * put_irq() - let go of an interrupt
 * @slot:	where it is kept
 */
static void put_irq(struct eventfd_ctx **slot)
{
	if (*slot)
		eventfd_ctx_put(*slot);
	*slot = NULL;
}

/**
 * mlx5_vfio_clear_irqs() - let go of all interrupts
 * @device:	the device, locked
 */
void mlx5_vfio_clear_irqs(struct mlx5_vfio_device *device)
{
	int i;

	for (i = 0; i < MLX5_VFIO_VECTORS; i++)
		put_irq(&device->irqs[i]);
	put_irq(&device->request_irq);
}

/**
 * set_irq_fd() - set an interrupt
 * @slot:	where it is kept
 * @fd:		eventfd, negative for none
 *
 * Return: 0 or a negative errno
 */
static int set_irq_fd(struct eventfd_ctx **slot, int fd)
{
	struct eventfd_ctx *context = NULL;

	if (fd >= 0) {
		context = eventfd_ctx_fdget(fd);
		if (IS_ERR(context))
			return PTR_ERR(context);
	}
	put_irq(slot);
	*slot = context;
	return 0;
}

/**
 * apply_irqs() - carry out VFIO_DEVICE_SET_IRQS
 * @device:	the device, locked
 * @set:	checked request
 * @data:	its eventfds or booleans, or NULL
 *
 * Return: 0 or a negative errno
 */
static int apply_irqs(struct mlx5_vfio_device *device, const struct vfio_irq_set *set, const void *data)
{
	struct eventfd_ctx **slots = set->index == VFIO_PCI_REQ_IRQ_INDEX ? &device->request_irq : device->irqs;
	u32 i;
	int ret;

	if ((set->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) != VFIO_IRQ_SET_ACTION_TRIGGER || !interrupt_count(set->index))
		return -ENOTTY;
	if (!set->count && (set->flags & VFIO_IRQ_SET_DATA_NONE)) {
		for (i = 0; i < interrupt_count(set->index); i++)
			put_irq(&slots[i]);
		return 0;
	}
	for (i = 0; i < set->count; i++) {
		struct eventfd_ctx **slot = &slots[set->start + i];

		if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD) {
			ret = set_irq_fd(slot, ((const int *)data)[i]);
			if (ret)
				return ret;
		} else if (*slot && ((set->flags & VFIO_IRQ_SET_DATA_NONE) || ((const u8 *)data)[i])) {
			eventfd_signal(*slot);
		}
	}
	return 0;
}

/**
 * set_irqs() - VFIO_DEVICE_SET_IRQS
 * @device:	the device
 * @user:	struct vfio_irq_set
 *
 * Return: 0 or a negative errno
 */
static long set_irqs(struct mlx5_vfio_device *device, void __user *user)
{
	unsigned long size = offsetofend(struct vfio_irq_set, count);
	struct vfio_irq_set set;
	size_t data_size = 0;
	void *data = NULL;
	int ret;

	if (copy_from_user(&set, user, size))
		return -EFAULT;
	ret = vfio_set_irqs_validate_and_prepare(&set, interrupt_count(set.index), VFIO_PCI_NUM_IRQS, &data_size);
	if (ret)
		return ret;
	if (data_size) {
		data = memdup_user(user + size, data_size);
		if (IS_ERR(data))
			return PTR_ERR(data);
	}
	mutex_lock(&device->lock);
	ret = apply_irqs(device, &set, data);
	mutex_unlock(&device->lock);
	kfree(data);
	return ret;
}

/**
 * reset_device() - VFIO_DEVICE_RESET: function level reset
 * @device:	the device
 *
 * Return: 0
 */
static long reset_device(struct mlx5_vfio_device *device)
{
	mutex_lock(&device->lock);
	mlx5_vfio_virtio_reset(device);
	mutex_unlock(&device->lock);
	mlx5_vfio_migration_reset(device);
	return 0;
}

/**
 * mlx5_vfio_ioctl() - vfio_device_ops.ioctl
 *
 * Return: 0 or a negative errno, -ENOTTY for what is not known
 */
long mlx5_vfio_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	struct mlx5_vfio_device *device = mlx5_vfio_of(vdev);
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return get_device_info(user);
	case VFIO_DEVICE_GET_REGION_INFO:
		return get_region_info(user);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return get_irq_info(user);
	case VFIO_DEVICE_SET_IRQS:
		return set_irqs(device, user);
	case VFIO_DEVICE_RESET:
		return reset_device(device);
	default:
		return -ENOTTY;
	}
}

/**
 * mlx5_vfio_request() - vfio_device_ops.request: ask the user to let go of the device
 * @vdev:	device that is being unbound
 * @count:	how often it was asked before
 */
void mlx5_vfio_request(struct vfio_device *vdev, unsigned int count)
{
	struct mlx5_vfio_device *device = mlx5_vfio_of(vdev);

	mutex_lock(&device->lock);
	if (device->request_irq) {
		if (!(count % 10))
			dev_notice_ratelimited(vdev->dev, "Relaying device request to user (#%u)\n", count);
		eventfd_signal(device->request_irq);
	} else if (!count) {
		dev_warn(vdev->dev, "No device request channel registered, blocked until released by user\n");
	}
	mutex_unlock(&device->lock);
}

/**
 * access_size() - largest aligned access at an offset
 * @at:		offset in the region
 * @left:	bytes still to move, at least 1
 *
 * Return: 8, 4, 2 or 1
 */
static size_t access_size(u64 at, size_t left)
{
	size_t size = 8;

	while (size > left || at % size)
		size /= 2;
	return size;
}

/**
 * access_config() - one access to config space
 * @device:	the device, locked
 * @at:		offset, in range
 * @bytes:	value
 * @size:	1 to 8 bytes
 * @is_write:	direction
 */
static void access_config(struct mlx5_vfio_device *device, u64 at, u8 *bytes, size_t size, bool is_write)
{
	size_t i;
	u8 mask;

	if (!is_write) {
		memcpy(bytes, device->config + at, size);
		return;
	}
	for (i = 0; i < size; i++) {
		mask = device->config_writable[at + i];
		device->config[at + i] = (device->config[at + i] & ~mask) | (bytes[i] & mask);
	}
}

/**
 * access_once() - one access to a region
 * @device:	the device
 * @pos:	region and offset
 * @bytes:	value
 * @size:	1, 2, 4 or 8 bytes
 * @is_write:	direction
 *
 * Return: 0, or -EINVAL outside of any region
 */
static int access_once(struct mlx5_vfio_device *device, loff_t pos, u8 *bytes, size_t size, bool is_write)
{
	u64 at = pos & ((1ULL << MLX5_VFIO_REGION_SHIFT) - 1);
	u32 index = pos >> MLX5_VFIO_REGION_SHIFT;

	if (at + size > region_size(index))
		return -EINVAL;
	mutex_lock(&device->lock);
	if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		access_config(device, at, bytes, size, is_write);
	else if (is_write)
		mlx5_vfio_bar_write(device, at, bytes, size);
	else
		mlx5_vfio_bar_read(device, at, bytes, size);
	mutex_unlock(&device->lock);
	return 0;
}

/**
 * mlx5_vfio_read() - vfio_device_ops.read
 *
 * Return: bytes read or a negative errno
 */
ssize_t mlx5_vfio_read(struct vfio_device *vdev, char __user *user, size_t count, loff_t *pos)
{
	size_t size, done;
	int ret;

	for (done = 0; done < count; done += size, *pos += size) {
		u8 bytes[8] = {};

		size = access_size(*pos, count - done);
		ret = access_once(mlx5_vfio_of(vdev), *pos, bytes, size, false);
		if (ret)
			return ret;
		if (copy_to_user(user + done, bytes, size))
			return -EFAULT;
	}
	return done;
}

/**
 * mlx5_vfio_write() - vfio_device_ops.write
 *
 * Return: bytes written or a negative errno
 */
ssize_t mlx5_vfio_write(struct vfio_device *vdev, const char __user *user, size_t count, loff_t *pos)
{
	size_t size, done;
	int ret;

	for (done = 0; done < count; done += size, *pos += size) {
		u8 bytes[8] = {};

		size = access_size(*pos, count - done);
		if (copy_from_user(bytes, user + done, size))
			return -EFAULT;
		ret = access_once(mlx5_vfio_of(vdev), *pos, bytes, size, true);
		if (ret)
			return ret;
	}
	return done;
}
