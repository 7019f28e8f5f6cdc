// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: devlink instance of a function: info and eswitch mode.
 *
 * Source for order and messages: mlx5_devlink_eswitch_mode_set(), mlx5_esw_try_lock(), esw_offloads_start() and
 * mlx5_devlink_info_get() in Linux 6.12.
 */
#include <linux/delay.h>
#include "mlx5_core.h"

/**
 * put_version() - add a version under both of its names
 * @req:	reply being built
 * @put:	devlink_info_version_running_put or _stored_put
 * @version:	the version
 *
 * Return: 0 or a negative errno
 */
static int put_version(struct devlink_info_req *req,
		       int (*put)(struct devlink_info_req *req, const char *name, const char *value), const char *version)
{
	int ret = put(req, "fw.version", version);

	return ret ?: put(req, DEVLINK_INFO_VERSION_GENERIC_FW, version);
}

/**
 * info_get() - devlink_ops.info_get of a PF
 *
 * Return: 0 or a negative errno, also the injected one
 */
static int info_get(struct devlink *devlink, struct devlink_info_req *req, struct netlink_ext_ack *extack)
{
	struct mlx5_dev *dev = devlink_priv(devlink);
	char text[SWCX7_FAULT_TEXT_LEN];
	int ret = swcx7_fault_take(&dev->pf->fault_info_get, text, sizeof(text));

	swcx7_firmware(dev->pf, 3); /* mlx5_fw_version_query() */
	if (ret && *text)
		NL_SET_ERR_MSG_FMT_MOD(extack, "%s", text);
	if (ret)
		return ret;
	ret = devlink_info_version_fixed_put(req, DEVLINK_INFO_VERSION_GENERIC_FW_PSID, dev->pf->psid);
	if (ret)
		return ret;
	ret = put_version(req, devlink_info_version_running_put, dev->pf->firmware);
	return ret ?: put_version(req, devlink_info_version_stored_put, dev->pf->firmware_stored);
}

/** vf_info_get() - devlink_ops.info_get of a VF: in Linux 6.12 only the driver's name, which devlink adds by itself */
static int vf_info_get(struct devlink *devlink, struct devlink_info_req *req, struct netlink_ext_ack *extack)
{
	return 0;
}

/** current_mode() - mode as devlink shows it; a dead eswitch says legacy */
static u16 current_mode(const struct mlx5_dev *dev)
{
	return dev->pf->state == SWCX7_ESW_SWITCHDEV ? DEVLINK_ESWITCH_MODE_SWITCHDEV : DEVLINK_ESWITCH_MODE_LEGACY;
}

/** eswitch_mode_get() - devlink_ops.eswitch_mode_get */
static int eswitch_mode_get(struct devlink *devlink, u16 *mode)
{
	*mode = current_mode(devlink_priv(devlink));
	return 0;
}

/**
 * begin_change() - stop forwarding for as long as a mode change takes; the uplink's carrier drops
 * @dev:	the PF
 */
static void begin_change(struct mlx5_dev *dev)
{
	swcx7_esw_set_state(dev->pf, SWCX7_ESW_CHANGING);
	swcx7_link_drop(dev->pf);
	msleep(dev->pf->eswitch_delay_ms);
	swcx7_link_train(dev->pf);
}

/**
 * fail_with_fault() - let an injected fault fail a mode set
 * @dev:	the PF
 * @extack:	gets the fault's sentence
 *
 * Return: 0 when no fault is set, else its errno
 */
static int fail_with_fault(struct mlx5_dev *dev, struct netlink_ext_ack *extack)
{
	char text[SWCX7_FAULT_TEXT_LEN];
	int ret = swcx7_fault_take(&dev->pf->fault_eswitch_set, text, sizeof(text));

	if (!ret)
		return 0;
	if (*text)
		NL_SET_ERR_MSG_FMT_MOD(extack, "%s", text);
	if (dev->pf->fault_eswitch_kills && dev->pf->state == SWCX7_ESW_LEGACY) {
		begin_change(dev);
		swcx7_esw_set_state(dev->pf, SWCX7_ESW_DEAD);
	}
	return ret;
}

/**
 * start_offloads() - legacy to switchdev
 * @dev:	the PF, its devlink instance locked
 * @extack:	for the reason
 *
 * The legacy tables go first. Firmware then refuses the new ones while any VF is initialised, and nobody puts the old ones
 * back: the eswitch is dead until its VFs are re-created or a later change succeeds.
 *
 * Return: 0 or a negative errno
 */
static int start_offloads(struct mlx5_dev *dev, struct netlink_ext_ack *extack)
{
	int ret;

	begin_change(dev);
	if (swcx7_any_vf_initialised(dev->pf)) {
		dev_err(&dev->pdev->dev,
			"CREATE_FLOW_TABLE(0x930) op_mod(0x0) failed, status bad resource state(0x9), syndrome (0x98afbb), err(-22)\n");
		dev_err(&dev->pdev->dev, "E-Switch: Failed to create slow path FDB Table err -22\n");
		NL_SET_ERR_MSG_MOD(extack, "Failed setting eswitch to offloads");
		swcx7_esw_set_state(dev->pf, SWCX7_ESW_DEAD);
		return -EINVAL;
	}
	ret = mlx5_reps_add(dev);
	if (ret) {
		NL_SET_ERR_MSG_MOD(extack, "Failed setting eswitch to offloads");
		swcx7_esw_set_state(dev->pf, SWCX7_ESW_DEAD);
		return ret;
	}
	swcx7_esw_set_state(dev->pf, SWCX7_ESW_SWITCHDEV);
	dev_info(&dev->pdev->dev, "E-Switch: Enable: mode(OFFLOADS), nvfs(%d)\n", dev->num_vfs);
	return 0;
}

/**
 * stop_offloads() - switchdev to legacy; representors and VF ports go
 * @dev:	the PF, its devlink instance locked
 */
static void stop_offloads(struct mlx5_dev *dev)
{
	begin_change(dev);
	mlx5_reps_del(dev);
	swcx7_esw_set_state(dev->pf, SWCX7_ESW_LEGACY);
	dev_info(&dev->pdev->dev, "E-Switch: Disable: mode(OFFLOADS), nvfs(%d)\n", dev->num_vfs);
}

/**
 * eswitch_mode_set() - devlink_ops.eswitch_mode_set
 * @devlink:	instance of a PF
 * @mode:	DEVLINK_ESWITCH_MODE_*
 * @extack:	for the reason
 *
 * As in the real driver the test for offloaded rules comes before the test for the same mode.
 *
 * Return: 0; -EBUSY while tc rules are offloaded; -EINVAL while a VF is in use; other negative errno
 */
static int eswitch_mode_set(struct devlink *devlink, u16 mode, struct netlink_ext_ack *extack)
{
	struct mlx5_dev *dev = devlink_priv(devlink);
	bool is_same = mode == current_mode(dev);
	int ret;

	if (mode != DEVLINK_ESWITCH_MODE_SWITCHDEV && mode != DEVLINK_ESWITCH_MODE_LEGACY)
		return -EINVAL;
	dev->pf->count_mode_sets++;
	if (is_same)
		dev->pf->count_same_mode_sets++;
	if (atomic_read(&dev->pf->tc_rules) > 0) {
		NL_SET_ERR_MSG_MOD(extack, "Can't change mode, E-Switch is busy");
		return -EBUSY;
	}
	if (is_same)
		return 0;
	ret = fail_with_fault(dev, extack);
	if (ret)
		return ret;
	if (mode == DEVLINK_ESWITCH_MODE_SWITCHDEV)
		return start_offloads(dev, extack);
	stop_offloads(dev);
	return 0;
}

/** eswitch_inline_mode_get() - devlink_ops: a ConnectX-7 needs no inline headers */
static int eswitch_inline_mode_get(struct devlink *devlink, u8 *mode)
{
	*mode = DEVLINK_ESWITCH_INLINE_MODE_NONE;
	return 0;
}

/** eswitch_inline_mode_set() - devlink_ops: only "none" can be set */
static int eswitch_inline_mode_set(struct devlink *devlink, u8 mode, struct netlink_ext_ack *extack)
{
	if (mode == DEVLINK_ESWITCH_INLINE_MODE_NONE)
		return 0;
	NL_SET_ERR_MSG_MOD(extack, "Inline mode can't be set");
	return -EOPNOTSUPP;
}

/** eswitch_encap_mode_get() - devlink_ops: the default, basic */
static int eswitch_encap_mode_get(struct devlink *devlink, enum devlink_eswitch_encap_mode *encap)
{
	*encap = DEVLINK_ESWITCH_ENCAP_MODE_BASIC;
	return 0;
}

/** eswitch_encap_mode_set() - devlink_ops: encapsulation is not modelled, only the default can be set */
static int eswitch_encap_mode_set(struct devlink *devlink, enum devlink_eswitch_encap_mode encap,
				  struct netlink_ext_ack *extack)
{
	return encap == DEVLINK_ESWITCH_ENCAP_MODE_BASIC ? 0 : -EOPNOTSUPP;
}

const struct devlink_ops mlx5_pf_devlink_ops = {
	.info_get = info_get,
	.eswitch_mode_get = eswitch_mode_get,
	.eswitch_mode_set = eswitch_mode_set,
	.eswitch_inline_mode_get = eswitch_inline_mode_get,
	.eswitch_inline_mode_set = eswitch_inline_mode_set,
	.eswitch_encap_mode_get = eswitch_encap_mode_get,
	.eswitch_encap_mode_set = eswitch_encap_mode_set,
};

const struct devlink_ops mlx5_vf_devlink_ops = { .info_get = vf_info_get };
