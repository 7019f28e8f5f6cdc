// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: mlx5_vdpa, vDPA devices of VFs that mlx5_core holds.
 *
 * Source for what sysfs and vdpa(8) show: drivers/vdpa/mlx5/net/mlx5_vnet.c in Linux 6.12, mlx5v_probe() and mlx5_vdpa_dev_add(): management
 * device and vDPA device belong to the PCI function, not to the auxiliary device that the driver is bound to.
 */
#include <linux/module.h>
#include <uapi/linux/vdpa.h>
#include <uapi/linux/virtio_ids.h>
#include "compat.h"
#include "mlx5_vdpa.h"

/*
 * struct mgmt - management device of a VF
 * @mgmt:	for the vDPA core
 * @dev:	the VF
 * @device:	its vDPA device, NULL while there is none
 */
struct mgmt {
	struct vdpa_mgmt_dev mgmt;
	struct mlx5_dev *dev;
	struct mlx5_vdpa_device *device;
};

/**
 * init_device() - fill a new vDPA device
 * @device:	zeroed but for @device->vdpa; what is made here is freed by mlx5_vdpa_ops.free
 * @mgmt:	its management device
 * @config:	what the person who adds it asks for
 *
 * Return: 0 or a negative errno
 */
static int init_device(struct mlx5_vdpa_device *device, struct mgmt *mgmt, const struct vdpa_dev_set_config *config)
{
	device->dev = mgmt->dev;
	device->vdpa.mdev = &mgmt->mgmt;
	device->vdpa.compat_vdpa_dma_dev = &mgmt->dev->pdev->dev;
	device->vnet.func.ops = &mlx5_vdpa_func_ops;
	ether_addr_copy(device->vnet.mac, mgmt->dev->vport->mac);
	if (config->mask & BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR))
		ether_addr_copy(device->vnet.mac, config->net.mac);
	device->buffer = kmalloc(MLX5_VDPA_BUFFER_SIZE, GFP_KERNEL);
	if (!device->buffer)
		return -ENOMEM;
	device->worker = kthread_create_worker(0, "mlx5vdpa-%s", pci_name(mgmt->dev->pdev));
	if (IS_ERR(device->worker)) {
		int ret = PTR_ERR(device->worker);

		device->worker = NULL;
		return ret;
	}
	return 0;
}

/**
 * dev_add() - vdpa_mgmtdev_ops.dev_add
 * @mdev:	management device
 * @name:	of the new device
 * @config:	what is asked for
 *
 * Return: 0; -ENOSPC when the VF has one already; other negative errno
 */
static int dev_add(struct vdpa_mgmt_dev *mdev, const char *name, const struct vdpa_dev_set_config *config)
{
	struct mgmt *mgmt = container_of(mdev, struct mgmt, mgmt);
	struct mlx5_vdpa_device *device;
	int ret;

	if (mgmt->device)
		return -ENOSPC;
	device = compat_vdpa_alloc(struct mlx5_vdpa_device, vdpa, mdev->device, &mlx5_vdpa_ops, name);
	if (IS_ERR(device))
		return PTR_ERR(device);
	mutex_init(&device->lock);
	skb_queue_head_init(&device->rx_queue);
	kthread_init_work(&device->work, mlx5_vdpa_work);
	ret = init_device(device, mgmt, config);
	if (!ret)
		ret = _vdpa_register_device(&device->vdpa, MLX5_VDPA_QUEUES);
	if (ret)
		put_device(&device->vdpa.dev);
	else
		mgmt->device = device;
	return ret;
}

/** dev_del() - vdpa_mgmtdev_ops.dev_del; waits until a program that has the device open lets it go */
static void dev_del(struct vdpa_mgmt_dev *mdev, struct vdpa_device *vdpa)
{
	_vdpa_unregister_device(vdpa);
	container_of(mdev, struct mgmt, mgmt)->device = NULL;
}

static const struct vdpa_mgmtdev_ops mgmt_ops = { .dev_add = dev_add, .dev_del = dev_del };

static struct virtio_device_id virtio_ids[] = {
	{ VIRTIO_ID_NET, VIRTIO_DEV_ANY_ID },
	{ }
};

/**
 * vnet_probe() - auxiliary_driver.probe: a management device
 * @adev:	mlx5_core.vnet.N
 * @id:		unused
 *
 * Return: 0 or a negative errno
 */
static int vnet_probe(struct auxiliary_device *adev, const struct auxiliary_device_id *id)
{
	struct mgmt *mgmt = kzalloc(sizeof(*mgmt), GFP_KERNEL);
	int ret;

	if (!mgmt)
		return -ENOMEM;
	mgmt->dev = container_of(adev, struct mlx5_adev, adev)->dev;
	mgmt->mgmt.device = &mgmt->dev->pdev->dev;
	mgmt->mgmt.ops = &mgmt_ops;
	mgmt->mgmt.id_table = virtio_ids;
	mgmt->mgmt.config_attr_mask = BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR);
	mgmt->mgmt.supported_features = MLX5_VDPA_FEATURES;
	mgmt->mgmt.max_supported_vqs = MLX5_VDPA_QUEUES;
	ret = vdpa_mgmtdev_register(&mgmt->mgmt);
	if (ret) {
		kfree(mgmt);
		return ret;
	}
	auxiliary_set_drvdata(adev, mgmt);
	return 0;
}

/** vnet_remove() - auxiliary_driver.remove: the vDPA core deletes the device first */
static void vnet_remove(struct auxiliary_device *adev)
{
	struct mgmt *mgmt = auxiliary_get_drvdata(adev);

	vdpa_mgmtdev_unregister(&mgmt->mgmt);
	kfree(mgmt);
}

static const struct auxiliary_device_id vnet_ids[] = {
	{ .name = "mlx5_core.vnet" },
	{ }
};
MODULE_DEVICE_TABLE(auxiliary, vnet_ids);

static struct auxiliary_driver vnet_driver = {
	.name = "vnet",
	.probe = vnet_probe,
	.remove = vnet_remove,
	.id_table = vnet_ids,
};

module_auxiliary_driver(vnet_driver);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("software ConnectX-7: look-alike of mlx5_vdpa");
