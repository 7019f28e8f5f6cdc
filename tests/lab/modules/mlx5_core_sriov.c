// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: sriov_numvfs.
 *
 * Order as in mlx5_core_sriov_configure() of Linux 6.12: representors come before the VFs and go after them. The PCI core has
 * already refused a number above totalvfs (ERANGE) and a change between two non-zero numbers (EBUSY).
 */
#include <linux/delay.h>
#include "mlx5_core.h"

/**
 * disable_vports() - forget the VFs of a PF
 * @dev:	the PF; its VFs are gone from the bus
 *
 * The mode stays. Without VFs a dead legacy eswitch is whole again when VFs come back.
 */
static void disable_vports(struct mlx5_dev *dev)
{
	int i;

	devl_lock(priv_to_devlink(dev));
	mlx5_reps_del(dev);
	dev->num_vfs = 0;
	for (i = 0; i < swcx7_total_vfs(dev->pf); i++)
		swcx7_vport_clear(&dev->pf->vports[i]);
	devl_unlock(priv_to_devlink(dev));
}

/**
 * enable_vports() - make the VFs of a PF known to its eswitch
 * @dev:	the PF
 * @num_vfs:	how many
 *
 * Return: 0 or a negative errno
 */
static int enable_vports(struct mlx5_dev *dev, int num_vfs)
{
	int i, ret = 0;

	devl_lock(priv_to_devlink(dev));
	dev->num_vfs = num_vfs;
	msleep(num_vfs * dev->pf->vf_create_ms);
	for (i = 0; i < num_vfs; i++)
		swcx7_msix_set(&dev->pf->vports[i], swcx7_msix_default(dev->pf, num_vfs));
	if (dev->pf->state == SWCX7_ESW_SWITCHDEV)
		ret = mlx5_reps_add(dev);
	else
		swcx7_esw_set_state(dev->pf, SWCX7_ESW_LEGACY);
	devl_unlock(priv_to_devlink(dev));
	return ret;
}

/**
 * mlx5_sriov_disable() - remove all VFs of a PF
 * @dev:	the PF
 *
 * Blocks while a VF is open in a VMM: vfio_unregister_group_dev() waits for it.
 */
void mlx5_sriov_disable(struct mlx5_dev *dev)
{
	pci_disable_sriov(dev->pdev);
	disable_vports(dev);
}

/**
 * enable_vfs() - create VFs
 * @dev:	a PF without VFs
 * @num_vfs:	1 to totalvfs
 *
 * Return: 0 or a negative errno, then there is none
 */
static int enable_vfs(struct mlx5_dev *dev, int num_vfs)
{
	int ret = swcx7_fault_take(&dev->pf->fault_numvfs, NULL, 0);

	if (ret) {
		dev_warn(&dev->pdev->dev, "mlx5_device_enable_sriov failed : %d\n", ret);
		return ret;
	}
	ret = enable_vports(dev, num_vfs);
	if (!ret)
		ret = pci_enable_sriov(dev->pdev, num_vfs);
	if (ret)
		disable_vports(dev);
	return ret;
}

/**
 * mlx5_sriov_configure() - pci_driver.sriov_configure
 * @pdev:	the PF
 * @num_vfs:	0 to remove all VFs
 *
 * Return: @num_vfs or a negative errno
 */
int mlx5_sriov_configure(struct pci_dev *pdev, int num_vfs)
{
	struct mlx5_dev *dev = pci_get_drvdata(pdev);
	int ret = 0;

	dev->pf->count_numvfs_writes++;
	if (num_vfs)
		ret = enable_vfs(dev, num_vfs);
	else
		mlx5_sriov_disable(dev);
	return ret ?: num_vfs;
}

/**
 * mlx5_sriov_set_msix() - pci_driver.sriov_set_msix_vec_count: the VF has no driver, as the PCI core has seen to
 * @pdev:	the VF
 * @vectors:	0 for the default
 *
 * Source: mlx5_core_sriov_set_msix_vec_count() in Linux 6.12.
 *
 * Return: 0; -EOPNOTSUPP without a pool; -EINVAL for too few, -EOVERFLOW for too many
 */
int mlx5_sriov_set_msix(struct pci_dev *pdev, int vectors)
{
	struct swcx7_vport *vport = swcx7_vport_of(pdev);

	if (!vport || !vport->pf->msix_pool)
		return -EOPNOTSUPP;
	if (!vectors)
		vectors = swcx7_msix_default(vport->pf, max(pci_num_vf(pci_physfn(pdev)), 1));
	if (vectors < SWCX7_MIN_MSIX)
		return -EINVAL;
	if (vectors > SWCX7_MAX_MSIX)
		return -EOVERFLOW;
	swcx7_firmware(vport->pf, 2);
	swcx7_msix_set(vport, vectors);
	return 0;
}

/** mlx5_sriov_total_msix() - pci_driver.sriov_get_vf_total_msix: vectors that the VFs of a PF share */
u32 mlx5_sriov_total_msix(struct pci_dev *pdev)
{
	struct swcx7_pf *pf = swcx7_pf_of(pdev);

	return pf ? pf->msix_pool : 0;
}
