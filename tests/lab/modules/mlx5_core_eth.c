// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: Ethernet side of a function, on its auxiliary device.
 *
 * Source: drivers/net/ethernet/mellanox/mlx5/core/en/devlink.c in Linux 6.12 for which instance carries which port.
 */
#include <linux/idr.h>
#include <linux/module.h>
#include "mlx5_core.h"

static bool uplink_on_pci;
module_param(uplink_on_pci, bool, 0444);
MODULE_PARM_DESC(uplink_on_pci, "show the uplink port on pci/BDF/65535 as before Linux 6.3 (0)");

static DEFINE_IDA(adev_ids);

/**
 * set_port_attrs() - flavour and numbers of a function's own port
 * @eth:	Ethernet side
 */
static void set_port_attrs(struct mlx5_eth *eth)
{
	struct devlink_port_attrs attrs = {};

	if (mlx5_is_pf(eth->dev)) {
		attrs.flavour = DEVLINK_PORT_FLAVOUR_PHYSICAL;
		attrs.phys.port_number = eth->dev->pf->index;
		swcx7_switch_id(eth->dev->pf, &attrs.switch_id);
	} else {
		attrs.flavour = DEVLINK_PORT_FLAVOUR_VIRTUAL;
	}
	devlink_port_attrs_set(&eth->port, &attrs);
}

/**
 * port_index() - index of a function's own port
 * @dev:	the function
 *
 * Return: the index; without upper half for a PF's uplink in the old layout
 */
static u32 port_index(struct mlx5_dev *dev)
{
	if (!mlx5_is_pf(dev))
		return mlx5_port_index(dev, 0);
	return uplink_on_pci ? MLX5_VPORT_UPLINK : mlx5_port_index(dev, MLX5_VPORT_UPLINK);
}

/**
 * setup_eth() - make port and netdev and take the function
 * @eth:	memory, zeroed
 * @dev:	the function
 * @devlink:	instance for the port, locked
 *
 * Return: 0 or a negative errno
 */
static int setup_eth(struct mlx5_eth *eth, struct mlx5_dev *dev, struct devlink *devlink)
{
	struct mlx5_netdev *priv;
	int ret;

	eth->dev = dev;
	set_port_attrs(eth);
	ret = devl_port_register(devlink, &eth->port, port_index(dev));
	if (ret)
		return ret;
	eth->netdev = mlx5_netdev_create(dev, dev->vport, &eth->port, mlx5_function_netdev_ops(dev), NULL);
	if (IS_ERR(eth->netdev)) {
		ret = PTR_ERR(eth->netdev);
		goto undo_port;
	}
	priv = netdev_priv(eth->netdev);
	ret = swcx7_func_attach(dev->vport, &priv->func);
	if (ret)
		goto undo_netdev;
	dev->eth = eth;
	return 0;

undo_netdev:
	mlx5_netdev_destroy(eth->netdev);
undo_port:
	devl_port_unregister(&eth->port);
	return ret;
}

/**
 * teardown_eth() - take setup_eth() back
 * @eth:	Ethernet side; its devlink instance is locked
 */
static void teardown_eth(struct mlx5_eth *eth)
{
	struct mlx5_netdev *priv = netdev_priv(eth->netdev);

	eth->dev->eth = NULL;
	swcx7_func_detach(eth->dev->vport, &priv->func);
	mlx5_netdev_destroy(eth->netdev);
	devl_port_unregister(&eth->port);
}

static const struct devlink_ops eth_devlink_ops = { };

/**
 * eth_probe() - auxiliary_driver.probe: nested devlink instance with port and netdev
 * @adev:	mlx5_core.eth.N; added while the devlink instance of its function is locked
 * @id:		unused
 *
 * Return: 0 or a negative errno
 */
static int eth_probe(struct auxiliary_device *adev, const struct auxiliary_device_id *id)
{
	struct mlx5_dev *dev = container_of(adev, struct mlx5_adev, adev)->dev;
	struct devlink *devlink = devlink_alloc(&eth_devlink_ops, sizeof(struct mlx5_eth), &adev->dev);
	int ret;

	if (!devlink)
		return -ENOMEM;
	ret = devl_nested_devlink_set(priv_to_devlink(dev), devlink);
	if (ret)
		goto undo_alloc;
	devlink_register(devlink);
	devl_lock(devlink);
	ret = setup_eth(devlink_priv(devlink), dev, devlink);
	devl_unlock(devlink);
	if (ret)
		goto undo_register;
	auxiliary_set_drvdata(adev, devlink);
	return 0;

undo_register:
	devlink_unregister(devlink);
undo_alloc:
	devlink_free(devlink);
	return ret;
}

/** eth_remove() - auxiliary_driver.remove */
static void eth_remove(struct auxiliary_device *adev)
{
	struct devlink *devlink = auxiliary_get_drvdata(adev);

	devl_lock(devlink);
	teardown_eth(devlink_priv(devlink));
	devl_unlock(devlink);
	devlink_unregister(devlink);
	devlink_free(devlink);
}

static const struct auxiliary_device_id eth_ids[] = {
	{ .name = "mlx5_core.eth" },
	{ }
};
MODULE_DEVICE_TABLE(auxiliary, eth_ids);

struct auxiliary_driver mlx5_eth_driver = {
	.name = "eth",
	.probe = eth_probe,
	.remove = eth_remove,
	.id_table = eth_ids,
	.driver.suppress_bind_attrs = true,
};

/** release_adev() - last reference to an auxiliary device is gone */
static void release_adev(struct device *device)
{
	struct mlx5_adev *adev = container_of(device, struct mlx5_adev, adev.dev);

	ida_free(&adev_ids, adev->adev.id);
	kfree(adev);
}

/**
 * mlx5_adev_create() - make an auxiliary device mlx5_core.NAME.N, not yet added
 * @dev:	its function
 * @name:	its kind: "eth", "vnet"
 *
 * Return: the device, or an ERR_PTR
 */
struct mlx5_adev *mlx5_adev_create(struct mlx5_dev *dev, const char *name)
{
	struct mlx5_adev *adev = kzalloc(sizeof(*adev), GFP_KERNEL);
	int id, ret;

	if (!adev)
		return ERR_PTR(-ENOMEM);
	id = ida_alloc(&adev_ids, GFP_KERNEL);
	if (id < 0) {
		kfree(adev);
		return ERR_PTR(id);
	}
	adev->dev = dev;
	adev->adev.id = id;
	adev->adev.name = name;
	adev->adev.dev.parent = &dev->pdev->dev;
	adev->adev.dev.release = release_adev;
	ret = auxiliary_device_init(&adev->adev);
	if (ret) {
		ida_free(&adev_ids, id);
		kfree(adev);
		return ERR_PTR(ret);
	}
	return adev;
}

/**
 * mlx5_eth_create() - give a function its Ethernet side
 * @dev:	the function, its devlink instance locked
 *
 * Return: 0 or a negative errno
 */
int mlx5_eth_create(struct mlx5_dev *dev)
{
	struct mlx5_adev *adev;
	int ret;

	if (uplink_on_pci)
		return setup_eth(&dev->eth_on_pci, dev, priv_to_devlink(dev));
	adev = mlx5_adev_create(dev, "eth");
	if (IS_ERR(adev))
		return PTR_ERR(adev);
	ret = auxiliary_device_add(&adev->adev);
	if (ret) {
		auxiliary_device_uninit(&adev->adev);
		return ret;
	}
	dev->adev = adev;
	/* A failing probe of the auxiliary driver is not an error of the add. */
	if (!dev->eth) {
		mlx5_eth_destroy(dev);
		return -ENODEV;
	}
	return 0;
}

/**
 * mlx5_eth_destroy() - take mlx5_eth_create() back
 * @dev:	the function, its devlink instance locked
 */
void mlx5_eth_destroy(struct mlx5_dev *dev)
{
	if (dev->adev) {
		auxiliary_device_delete(&dev->adev->adev);
		auxiliary_device_uninit(&dev->adev->adev);
		dev->adev = NULL;
	} else if (dev->eth) {
		teardown_eth(dev->eth);
	}
}
