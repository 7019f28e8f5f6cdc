// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: mlx5_vfio_pci, VFIO variant driver of VFs.
 *
 * Binds by driver_override only and carries the alias vfio_pci:v000015B3d0000101E..., by which libvirt finds it. Whether the
 * VF can migrate is decided when it is bound, from the devlink capability `migratable`, as in mlx5vf_cmd_set_migratable() of
 * Linux 6.12.
 */
#include <linux/module.h>
#include "compat.h"
#include "mlx5_vfio.h"

/**
 * init_device() - vfio_device_ops.init
 *
 * Return: 0 or a negative errno
 */
static int init_device(struct vfio_device *vdev)
{
	struct mlx5_vfio_device *device = mlx5_vfio_of(vdev);

	device->pdev = to_pci_dev(vdev->dev);
	device->vport = swcx7_vport_of(device->pdev);
	device->func.ops = &mlx5_vfio_func_ops;
	device->func.owner = "mlx5_vfio_pci";
	mutex_init(&device->lock);
	xa_init(&device->dirty);
	skb_queue_head_init(&device->rx_queue);
	mlx5_vfio_migration_init(device);
	device->buffer = kmalloc(MLX5_VFIO_BUFFER_SIZE, GFP_KERNEL);
	if (!device->buffer)
		return -ENOMEM;
	kthread_init_work(&device->work, mlx5_vfio_queue_work);
	device->worker = kthread_create_worker(0, "mlx5vf-%s", pci_name(device->pdev));
	if (IS_ERR(device->worker)) {
		kfree(device->buffer);
		return PTR_ERR(device->worker);
	}
	if (device->vport->migratable && device->vport->pf->capability_migration) {
		vdev->migration_flags = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P | VFIO_MIGRATION_PRE_COPY;
		vdev->mig_ops = &mlx5_vfio_migration_ops;
		if (mlx5_vfio_log_is_available())
			vdev->log_ops = &mlx5_vfio_log_ops;
	}
	return 0;
}

/** release_device() - vfio_device_ops.release: last reference gone */
static void release_device(struct vfio_device *vdev)
{
	struct mlx5_vfio_device *device = mlx5_vfio_of(vdev);

	kthread_destroy_worker(device->worker);
	kfree(device->buffer);
}

/**
 * open_device() - vfio_device_ops.open_device: a user takes the VF, which starts freshly reset
 *
 * Return: 0
 */
static int open_device(struct vfio_device *vdev)
{
	struct mlx5_vfio_device *device = mlx5_vfio_of(vdev);

	mutex_lock(&device->lock);
	mlx5_vfio_config_init(device);
	mlx5_vfio_virtio_reset(device);
	device->migration.state = VFIO_DEVICE_STATE_RUNNING;
	device->pinned = false;
	device->running = true;
	device->open = true;
	WRITE_ONCE(device->func.initialised, true);
	mutex_unlock(&device->lock);
	return 0;
}

/**
 * close_device() - vfio_device_ops.close_device: the user is gone
 *
 * The function reset that comes with it gives the vport its MAC from outside back.
 */
static void close_device(struct vfio_device *vdev)
{
	struct mlx5_vfio_device *device = mlx5_vfio_of(vdev);

	mutex_lock(&device->lock);
	device->open = false;
	device->running = false;
	mutex_unlock(&device->lock);
	kthread_flush_worker(device->worker);
	skb_queue_purge(&device->rx_queue);
	mlx5_vfio_migration_close(device);
	mutex_lock(&device->lock);
	mlx5_vfio_clear_irqs(device);
	device->logging = false;
	mlx5_vfio_log_clear(device);
	swcx7_vport_load_mac(device->vport);
	WRITE_ONCE(device->func.initialised, false);
	mutex_unlock(&device->lock);
}

/** dma_unmap() - vfio_device_ops.dma_unmap: no page stays pinned; without this op vfio_pin_pages() is not allowed */
static void dma_unmap(struct vfio_device *vdev, u64 iova, u64 length)
{
}

static const struct vfio_device_ops device_ops = {
	.name = "mlx5-vfio-pci",
	.init = init_device,
	.release = release_device,
	.open_device = open_device,
	.close_device = close_device,
	.read = mlx5_vfio_read,
	.write = mlx5_vfio_write,
	.ioctl = mlx5_vfio_ioctl,
	COMPAT_DESCRIBE_REGION(mlx5_vfio_describe_region)
	.request = mlx5_vfio_request,
	.dma_unmap = dma_unmap,
};

/**
 * probe() - pci_driver.probe
 *
 * Return: 0; -ENODEV for a real VF; other negative errno
 */
static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct mlx5_vfio_device *device;
	int ret;

	if (!pdev->is_virtfn || !swcx7_vport_of(pdev))
		return -ENODEV;
	device = vfio_alloc_device(mlx5_vfio_device, vdev, &pdev->dev, &device_ops);
	if (IS_ERR(device))
		return PTR_ERR(device);
	pci_set_drvdata(pdev, device);
	swcx7_vport_load_mac(device->vport);
	ret = swcx7_func_attach(device->vport, &device->func);
	if (ret)
		goto undo_alloc;
	ret = vfio_register_group_dev(&device->vdev);
	if (ret)
		goto undo_attach;
	return 0;

undo_attach:
	swcx7_func_detach(device->vport, &device->func);
undo_alloc:
	vfio_put_device(&device->vdev);
	return ret;
}

/** remove() - pci_driver.remove; blocks while a user has the VF open */
static void remove(struct pci_dev *pdev)
{
	struct mlx5_vfio_device *device = pci_get_drvdata(pdev);

	vfio_unregister_group_dev(&device->vdev);
	swcx7_func_detach(device->vport, &device->func);
	kthread_flush_worker(device->worker);
	skb_queue_purge(&device->rx_queue);
	vfio_put_device(&device->vdev);
}

static const struct pci_device_id ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_VENDOR_ID_MELLANOX, 0x101e) },
	{ }
};
MODULE_DEVICE_TABLE(pci, ids);

static struct pci_driver mlx5_vfio_pci_driver = {
	.name = "mlx5_vfio_pci",
	.id_table = ids,
	.probe = probe,
	.remove = remove,
	.driver_managed_dma = true,
};

/** mlx5_vfio_init() - module entry */
static int __init mlx5_vfio_init(void)
{
	int ret;

	mlx5_vfio_log_init();
	ret = pci_register_driver(&mlx5_vfio_pci_driver);
	if (ret)
		mlx5_vfio_log_exit();
	return ret;
}

/** mlx5_vfio_exit() - module exit */
static void __exit mlx5_vfio_exit(void)
{
	pci_unregister_driver(&mlx5_vfio_pci_driver);
	mlx5_vfio_log_exit();
}

module_init(mlx5_vfio_init);
module_exit(mlx5_vfio_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("software ConnectX-7: look-alike of mlx5_vfio_pci");
