// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: the auxiliary device mlx5_core.vnet.N of a VF, to which mlx5_vdpa binds.
 *
 * A kernel that is built with MLX5_VDPA_NET has one for each VF that mlx5_core holds (mlx5_adev_devices in Linux 6.12,
 * drivers/net/ethernet/mellanox/mlx5/core/dev.c); Debian's are built without. VF and vDPA device share the vport: see vnet_of().
 */
#include <linux/module.h>
#include "mlx5_core.h"

static bool has_vnet;
module_param_named(vnet, has_vnet, bool, 0644);
MODULE_PARM_DESC(vnet, "VFs that are bound from now on have mlx5_core.vnet.N, as with MLX5_VDPA_NET (0)");

/**
 * mlx5_vnet_create() - give a VF its auxiliary device for vDPA, if there is to be one
 * @dev:	a function with its Ethernet side; its devlink instance not locked
 *
 * The function is of use without it: a failure is told in the kernel's log alone.
 */
void mlx5_vnet_create(struct mlx5_dev *dev)
{
	struct mlx5_adev *adev;
	int ret;

	if (mlx5_is_pf(dev) || !READ_ONCE(has_vnet))
		return;
	adev = mlx5_adev_create(dev, "vnet");
	ret = PTR_ERR_OR_ZERO(adev);
	if (!ret) {
		ret = auxiliary_device_add(&adev->adev);
		if (ret)
			auxiliary_device_uninit(&adev->adev);
	}
	if (ret)
		dev_warn(&dev->pdev->dev, "no auxiliary device for vDPA: %d\n", ret);
	else
		dev->vnet_adev = adev;
}

/**
 * mlx5_vnet_destroy() - take mlx5_vnet_create() back, with the vDPA device of the VF
 * @dev:	a function with its Ethernet side; its devlink instance not locked
 */
void mlx5_vnet_destroy(struct mlx5_dev *dev)
{
	if (!dev->vnet_adev)
		return;
	auxiliary_device_delete(&dev->vnet_adev->adev);
	auxiliary_device_uninit(&dev->vnet_adev->adev);
	dev->vnet_adev = NULL;
}

/**
 * mlx5_vnet_attach() - a vDPA device begins to take frames
 * @dev:	a VF whose auxiliary device is bound
 * @vnet:	filled; it must live until mlx5_vnet_detach()
 */
void mlx5_vnet_attach(struct mlx5_dev *dev, struct mlx5_vnet *vnet)
{
	struct mlx5_netdev *priv = netdev_priv(dev->eth->netdev);

	rcu_assign_pointer(priv->vnet, vnet);
}
EXPORT_SYMBOL_GPL(mlx5_vnet_attach);

/**
 * mlx5_vnet_detach() - it takes no more; no callback runs after return
 * @dev:	as attached
 */
void mlx5_vnet_detach(struct mlx5_dev *dev)
{
	struct mlx5_netdev *priv = netdev_priv(dev->eth->netdev);

	RCU_INIT_POINTER(priv->vnet, NULL);
	synchronize_net();
}
EXPORT_SYMBOL_GPL(mlx5_vnet_detach);
