// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: mlx5_core, the driver of PFs and VFs.
 *
 * Binds the ids of real cards, so that everything that looks for a driver by id finds this one, and refuses every device that
 * does not sit on the software card's bus.
 */
#include <linux/module.h>
#include "mlx5_core.h"

/** mlx5_is_pf() - is this function a PF? */
bool mlx5_is_pf(const struct mlx5_dev *dev)
{
	return !dev->pdev->is_virtfn;
}

/**
 * mlx5_port_index() - devlink port index: virtual HCA id in the upper half, vport number in the lower
 * @dev:		function whose devlink instance has the port
 * @vport_number:	0 the function itself, VF number + 1, or MLX5_VPORT_UPLINK
 *
 * Source: mlx5_esw_vport_to_devlink_port_index() in Linux 6.12. The HCA ids of VFs come behind those of the PFs.
 *
 * Return: the index
 */
u32 mlx5_port_index(const struct mlx5_dev *dev, int vport_number)
{
	int hca_id = dev->pf->index;

	if (!mlx5_is_pf(dev))
		hca_id = SWCX7_MAX_PFS + dev->pf->index * swcx7_total_vfs(dev->pf) + dev->vport->index;
	return (hca_id << 16) | vport_number;
}

/**
 * init_dev() - fill the private part of a function
 * @dev:	zeroed memory
 * @pdev:	function of the software card
 *
 * Return: 0 or -ENOMEM
 */
static int init_dev(struct mlx5_dev *dev, struct pci_dev *pdev)
{
	dev->pdev = pdev;
	dev->pf = swcx7_pf_of(pdev);
	dev->vport = swcx7_vport_of(pdev);
	pci_set_drvdata(pdev, dev);
	return mlx5_is_pf(dev) ? mlx5_reps_alloc(dev) : 0;
}

/**
 * probe() - pci_driver.probe
 * @pdev:	a device with one of our ids
 * @id:		unused
 *
 * Return: 0; -ENODEV for a real card; other negative errno
 */
static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	const struct devlink_ops *ops = pdev->is_virtfn ? &mlx5_vf_devlink_ops : &mlx5_pf_devlink_ops;
	struct devlink *devlink;
	struct mlx5_dev *dev;
	int ret;

	if (!swcx7_pf_of(pdev))
		return -ENODEV;
	ret = pci_enable_device(pdev);
	if (ret)
		return ret;
	pci_set_master(pdev);
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		goto undo_enable;
	devlink = devlink_alloc(ops, sizeof(*dev), &pdev->dev);
	if (!devlink) {
		ret = -ENOMEM;
		goto undo_enable;
	}
	dev = devlink_priv(devlink);
	ret = init_dev(dev, pdev);
	if (ret)
		goto undo_devlink;
	dev_info(&pdev->dev, "firmware version: %s\n", dev->pf->firmware);
	swcx7_vport_load_mac(dev->vport);
	devl_lock(devlink);
	devl_register(devlink);
	ret = mlx5_eth_create(dev);
	if (ret)
		devl_unregister(devlink);
	devl_unlock(devlink);
	if (!ret) {
		mlx5_vnet_create(dev);
		return 0;
	}
	mlx5_reps_free(dev);
undo_devlink:
	devlink_free(devlink);
undo_enable:
	pci_disable_device(pdev);
	return ret;
}

/**
 * remove() - pci_driver.remove
 * @pdev:	a function of ours
 *
 * A PF loses its VFs and falls back to legacy mode, as with the real driver.
 */
static void remove(struct pci_dev *pdev)
{
	struct mlx5_dev *dev = pci_get_drvdata(pdev);
	struct devlink *devlink = priv_to_devlink(dev);

	if (mlx5_is_pf(dev))
		mlx5_sriov_disable(dev);
	mlx5_vnet_destroy(dev);
	devl_lock(devlink);
	if (mlx5_is_pf(dev))
		swcx7_esw_set_state(dev->pf, SWCX7_ESW_LEGACY);
	mlx5_eth_destroy(dev);
	devl_unregister(devlink);
	devl_unlock(devlink);
	mlx5_reps_free(dev);
	devlink_free(devlink);
	pci_disable_device(pdev);
}

static const struct pci_device_id ids[] = {
	{ PCI_VDEVICE(MELLANOX, 0x101b) },	/* ConnectX-6 */
	{ PCI_VDEVICE(MELLANOX, 0x101c) },	/* ConnectX-6 VF */
	{ PCI_VDEVICE(MELLANOX, 0x101d) },	/* ConnectX-6 Dx */
	{ PCI_VDEVICE(MELLANOX, 0x101e) },	/* VF of ConnectX-6 Dx and later */
	{ PCI_VDEVICE(MELLANOX, 0x101f) },	/* ConnectX-6 Lx */
	{ PCI_VDEVICE(MELLANOX, 0x1021) },	/* ConnectX-7 */
	{ PCI_VDEVICE(MELLANOX, 0x1023) },	/* ConnectX-8 */
	{ PCI_VDEVICE(MELLANOX, 0xa2d6) },	/* BlueField-2 */
	{ PCI_VDEVICE(MELLANOX, 0xa2dc) },	/* BlueField-3 */
	{ }
};
MODULE_DEVICE_TABLE(pci, ids);

static struct pci_driver mlx5_pci_driver = {
	.name = "mlx5_core",
	.id_table = ids,
	.probe = probe,
	.remove = remove,
	.sriov_configure = mlx5_sriov_configure,
	.sriov_set_msix_vec_count = mlx5_sriov_set_msix,
	.sriov_get_vf_total_msix = mlx5_sriov_total_msix,
};

/** mlx5_init() - module entry; the auxiliary driver first, PFs need it in their probe */
static int __init mlx5_init(void)
{
	int ret = auxiliary_driver_register(&mlx5_eth_driver);

	if (ret)
		return ret;
	ret = pci_register_driver(&mlx5_pci_driver);
	if (ret)
		auxiliary_driver_unregister(&mlx5_eth_driver);
	return ret;
}

/** mlx5_exit() - module exit */
static void __exit mlx5_exit(void)
{
	pci_unregister_driver(&mlx5_pci_driver);
	auxiliary_driver_unregister(&mlx5_eth_driver);
}

module_init(mlx5_init);
module_exit(mlx5_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("software ConnectX-7: look-alike of mlx5_core");
