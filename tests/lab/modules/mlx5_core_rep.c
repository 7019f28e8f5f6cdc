// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: VF ports of devlink and their representors.
 *
 * They exist in switchdev mode for the VFs that are enabled. A representor is made anew each time, with a new ifindex and a
 * random MAC, administratively down.
 *
 * Source for capabilities and messages: mlx5_devlink_port_fn_migratable_get/set() and mlx5_devlink_port_fn_hw_addr_get/set()
 * in Linux 6.12.
 */
#include <linux/slab.h>
#include "mlx5_core.h"

/** to_vport() - vport of the VF that a devlink port stands for */
static struct swcx7_vport *to_vport(struct devlink_port *port)
{
	return container_of(port, struct mlx5_rep, port)->vport;
}

/**
 * take_fault() - let an injected fault fail a port function set
 * @fault:	the fault
 * @extack:	gets its sentence
 * @otherwise:	sentence when the fault has none
 *
 * Return: 0 when no fault is set, else its errno
 */
static int take_fault(struct swcx7_fault *fault, struct netlink_ext_ack *extack, const char *otherwise)
{
	char text[SWCX7_FAULT_TEXT_LEN];
	int ret = swcx7_fault_take(fault, text, sizeof(text));

	if (ret)
		NL_SET_ERR_MSG_FMT_MOD(extack, "%s", *text ? text : otherwise);
	return ret;
}

/**
 * hw_addr_get() - devlink_port_ops.port_fn_hw_addr_get: the MAC set from outside, zero for none
 *
 * Return: 0, or the injected errno of a sick port
 */
static int hw_addr_get(struct devlink_port *port, u8 *mac, int *len, struct netlink_ext_ack *extack)
{
	struct swcx7_vport *vport = to_vport(port);

	swcx7_firmware(vport->pf, 1); /* since Linux 6.13 */
	if (vport->port_sick)
		return -(int)min_t(u32, vport->port_sick, MAX_ERRNO);
	ether_addr_copy(mac, vport->admin_mac);
	*len = ETH_ALEN;
	return 0;
}

/**
 * hw_addr_set() - devlink_port_ops.port_fn_hw_addr_set: acts when the function reads its MAC next
 *
 * Return: 0 or the injected errno
 */
static int hw_addr_set(struct devlink_port *port, const u8 *mac, int len, struct netlink_ext_ack *extack)
{
	struct swcx7_vport *vport = to_vport(port);
	int ret = take_fault(&vport->pf->fault_hw_addr_set, extack, "Failed to set vport MAC");

	swcx7_firmware(vport->pf, 2);
	if (!ret)
		swcx7_vport_set_admin_mac(vport, mac);
	return ret;
}

/** roce_get() - devlink_port_ops.port_fn_roce_get */
static int roce_get(struct devlink_port *port, bool *on, struct netlink_ext_ack *extack)
{
	*on = to_vport(port)->roce;
	return 0;
}

/** roce_set() - devlink_port_ops.port_fn_roce_set: kept, has no other effect */
static int roce_set(struct devlink_port *port, bool on, struct netlink_ext_ack *extack)
{
	struct swcx7_vport *vport = to_vport(port);

	if (vport->roce != on)
		swcx7_firmware(vport->pf, 2);
	vport->roce = on;
	return 0;
}

/** ipsec_crypto_get() - devlink_port_ops.port_fn_ipsec_crypto_get */
static int ipsec_crypto_get(struct devlink_port *port, bool *on, struct netlink_ext_ack *extack)
{
	*on = to_vport(port)->ipsec_crypto;
	return 0;
}

/** ipsec_packet_get() - devlink_port_ops.port_fn_ipsec_packet_get */
static int ipsec_packet_get(struct devlink_port *port, bool *on, struct netlink_ext_ack *extack)
{
	*on = to_vport(port)->ipsec_packet;
	return 0;
}

/** max_io_eqs_get() - devlink_port_ops.port_fn_max_io_eqs_get: asks firmware each time */
static int max_io_eqs_get(struct devlink_port *port, u32 *eqs, struct netlink_ext_ack *extack)
{
	swcx7_firmware(to_vport(port)->pf, 1);
	*eqs = to_vport(port)->max_io_eqs;
	return 0;
}

/** max_io_eqs_set() - devlink_port_ops.port_fn_max_io_eqs_set: kept, has no other effect */
static int max_io_eqs_set(struct devlink_port *port, u32 eqs, struct netlink_ext_ack *extack)
{
	swcx7_firmware(to_vport(port)->pf, 2);
	to_vport(port)->max_io_eqs = eqs;
	return 0;
}

/**
 * check_migration_capability() - can VFs of this PF migrate at all?
 * @vport:	VF's vport
 * @extack:	for the reason
 *
 * Return: 0 or -EOPNOTSUPP, which makes devlink leave the bit out of the selector
 */
static int check_migration_capability(struct swcx7_vport *vport, struct netlink_ext_ack *extack)
{
	if (vport->pf->capability_migration)
		return 0;
	NL_SET_ERR_MSG_MOD(extack, "Device doesn't support migration");
	return -EOPNOTSUPP;
}

/** migratable_get() - devlink_port_ops.port_fn_migratable_get */
static int migratable_get(struct devlink_port *port, bool *on, struct netlink_ext_ack *extack)
{
	struct swcx7_vport *vport = to_vport(port);
	int ret = check_migration_capability(vport, extack);

	if (!ret)
		*on = vport->migratable;
	return ret;
}

/**
 * migratable_set() - devlink_port_ops.port_fn_migratable_set
 *
 * The same value never reaches firmware. Whether firmware accepts a change on a VF that is bound but not in use is not known
 * from the outside; migratable_when_bound says which of the two is played.
 *
 * Return: 0; -EOPNOTSUPP without the capability; -EBUSY on a VF that has a driver; the injected errno
 */
static int migratable_set(struct devlink_port *port, bool on, struct netlink_ext_ack *extack)
{
	static const char *const refusal = "Failed setting HCA migratable cap";
	struct swcx7_vport *vport = to_vport(port);
	bool busy = vport->pf->migratable_when_bound ? swcx7_vport_is_initialised(vport) : !!swcx7_vport_owner(vport);
	int ret = check_migration_capability(vport, extack);

	if (ret || vport->migratable == on)
		return ret;
	ret = take_fault(&vport->pf->fault_migratable_set, extack, refusal);
	if (ret)
		return ret;
	if (busy) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "%s", refusal);
		return -EBUSY;
	}
	swcx7_firmware(vport->pf, 2);
	vport->migratable = on;
	return 0;
}

static const struct devlink_port_ops vf_port_ops = {
	.port_fn_hw_addr_get = hw_addr_get,
	.port_fn_hw_addr_set = hw_addr_set,
	.port_fn_roce_get = roce_get,
	.port_fn_roce_set = roce_set,
	.port_fn_ipsec_crypto_get = ipsec_crypto_get,
	.port_fn_ipsec_packet_get = ipsec_packet_get,
	.port_fn_max_io_eqs_get = max_io_eqs_get,
	.port_fn_max_io_eqs_set = max_io_eqs_set,
	.port_fn_migratable_get = migratable_get,
	.port_fn_migratable_set = migratable_set,
};

/**
 * add_rep_netdev() - make the representor of a port
 * @rep:	its port is registered
 *
 * Return: 0 or a negative errno
 */
static int add_rep_netdev(struct mlx5_rep *rep)
{
	const char *name = *rep->vport->rep_name ? rep->vport->rep_name : NULL;
	struct net_device *netdev;

	netdev = mlx5_netdev_create(rep->dev, rep->vport, &rep->port, &mlx5_rep_netdev_ops, name);
	if (IS_ERR(netdev))
		return PTR_ERR(netdev);
	rep->netdev = netdev;
	swcx7_rep_attach(rep->vport, netdev);
	return 0;
}

/**
 * add_late_rep() - work: make a representor that was to be late
 *
 * Does nothing when the port has gone meanwhile or already has its representor.
 */
static void add_late_rep(struct work_struct *work)
{
	struct mlx5_rep *rep = container_of(to_delayed_work(work), struct mlx5_rep, late);
	struct devlink *devlink = priv_to_devlink(rep->dev);

	devl_lock(devlink);
	if (rep->registered && !rep->netdev)
		add_rep_netdev(rep);
	devl_unlock(devlink);
}

/**
 * register_vf_port() - make the devlink port of a VF
 * @rep:	without a port
 *
 * Return: 0 or a negative errno
 */
static int register_vf_port(struct mlx5_rep *rep)
{
	struct devlink *devlink = priv_to_devlink(rep->dev);
	int ret;

	memset(&rep->port, 0, sizeof(rep->port));
	swcx7_switch_id(rep->dev->pf, &rep->port.attrs.switch_id);
	devlink_port_attrs_pci_vf_set(&rep->port, 0, rep->dev->pf->index, rep->vport->index, false);
	ret = devl_port_register_with_ops(devlink, &rep->port, mlx5_port_index(rep->dev, rep->vport->index + 1), &vf_port_ops);
	rep->registered = !ret;
	return ret;
}

/**
 * add_rep() - make the port of a VF and its representor, as the faults of the VF allow
 * @rep:	empty
 *
 * Return: 0 or a negative errno
 */
static int add_rep(struct mlx5_rep *rep)
{
	int ret;

	if (rep->vport->rep_missing >= 2)
		return 0;
	ret = register_vf_port(rep);
	if (ret || rep->vport->rep_missing)
		return ret;
	if (rep->vport->rep_delay_ms) {
		schedule_delayed_work(&rep->late, msecs_to_jiffies(rep->vport->rep_delay_ms));
		return 0;
	}
	return add_rep_netdev(rep);
}

/**
 * del_rep() - remove what add_rep() made
 * @rep:	complete, partial or empty
 */
static void del_rep(struct mlx5_rep *rep)
{
	cancel_delayed_work(&rep->late);
	if (rep->netdev) {
		swcx7_rep_detach(rep->vport);
		mlx5_netdev_destroy(rep->netdev);
		rep->netdev = NULL;
	}
	if (rep->registered)
		devl_port_unregister(&rep->port);
	rep->registered = false;
}

/**
 * mlx5_reps_add() - make ports and representors of all enabled VFs
 * @dev:	the PF, its devlink instance locked
 *
 * Return: 0 or a negative errno, then none is left
 */
int mlx5_reps_add(struct mlx5_dev *dev)
{
	int i, ret;

	for (i = 0; i < dev->num_vfs; i++) {
		ret = add_rep(&dev->reps[i]);
		if (ret) {
			mlx5_reps_del(dev);
			return ret;
		}
	}
	return 0;
}

/**
 * mlx5_reps_del() - remove all ports and representors of VFs
 * @dev:	the PF, its devlink instance locked
 */
void mlx5_reps_del(struct mlx5_dev *dev)
{
	int i;

	for (i = swcx7_total_vfs(dev->pf) - 1; i >= 0; i--)
		del_rep(&dev->reps[i]);
}

/**
 * mlx5_reps_alloc() - memory for the representors of a PF
 * @dev:	the PF
 *
 * Return: 0 or -ENOMEM
 */
int mlx5_reps_alloc(struct mlx5_dev *dev)
{
	int i, count = swcx7_total_vfs(dev->pf);

	dev->reps = kvcalloc(count, sizeof(*dev->reps), GFP_KERNEL);
	if (!dev->reps)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		dev->reps[i].dev = dev;
		dev->reps[i].vport = &dev->pf->vports[i];
		INIT_DELAYED_WORK(&dev->reps[i].late, add_late_rep);
	}
	return 0;
}

/**
 * mlx5_reps_free() - take mlx5_reps_alloc() back
 * @dev:	any function; the devlink instance lock must not be held, a late representor's work may wait for it
 */
void mlx5_reps_free(struct mlx5_dev *dev)
{
	int i;

	if (!dev->reps)
		return;
	for (i = 0; i < swcx7_total_vfs(dev->pf); i++)
		cancel_delayed_work_sync(&dev->reps[i].late);
	kvfree(dev->reps);
	dev->reps = NULL;
}
