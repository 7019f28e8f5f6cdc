// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: netdevs: uplink of a PF, representors, and VFs bound to mlx5_core.
 *
 * tc rules are accepted as offloaded and counted; the software path of tc goes on to carry them out, so that the packets do
 * what they would do on the card. A rule with skip_sw would forward nothing.
 */
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <net/pkt_cls.h>
#include "compat.h"
#include "mlx5_core.h"

#define MAX_MTU 9978

static LIST_HEAD(block_callbacks);

/**
 * vnet_of() - the vDPA device that is to get a frame
 * @priv:	netdev of its function
 * @skb:	the frame
 *
 * Steering as mlx5_vdpa's: what is for the MAC of its device, and all multicast, passes the netdev by
 * (mlx5_vdpa_add_mac_vlan_rules() in Linux 6.12).
 *
 * Return: the device, or NULL; under RCU
 */
static struct mlx5_vnet *vnet_of(struct mlx5_netdev *priv, const struct sk_buff *skb)
{
	const u8 *destination = ((const struct ethhdr *)skb->data)->h_dest;
	struct mlx5_vnet *vnet = rcu_dereference(priv->vnet);

	return vnet && (is_multicast_ether_addr(destination) || ether_addr_equal(destination, vnet->mac)) ? vnet : NULL;
}

/**
 * netdev_rx() - swcx7_func_ops.rx: a frame for the netdev of a function
 * @func:	its function side
 * @skb:	the frame, taken over
 */
static void netdev_rx(struct swcx7_func *func, struct sk_buff *skb)
{
	struct mlx5_netdev *priv = container_of(func, struct mlx5_netdev, func);
	struct net_device *netdev = priv->netdev;
	struct mlx5_vnet *vnet = vnet_of(priv, skb);

	if (vnet) {
		vnet->func.ops->rx(&vnet->func, skb);
		return;
	}
	if (!netif_running(netdev)) {
		kfree_skb(skb);
		return;
	}
	dev_sw_netstats_rx_add(netdev, skb->len);
	skb->protocol = eth_type_trans(skb, netdev);
	netif_rx(skb);
}

/**
 * netdev_link() - swcx7_func_ops.link: carrier of the netdev of a function
 * @func:	its function side
 * @up:		link of the vport
 */
static void netdev_link(struct swcx7_func *func, bool up)
{
	struct mlx5_netdev *priv = container_of(func, struct mlx5_netdev, func);
	struct mlx5_vnet *vnet;

	if (up && netif_running(priv->netdev))
		netif_carrier_on(priv->netdev);
	else
		netif_carrier_off(priv->netdev);
	rcu_read_lock();
	vnet = rcu_dereference(priv->vnet);
	if (vnet)
		vnet->func.ops->link(&vnet->func, up);
	rcu_read_unlock();
}

static const struct swcx7_func_ops func_ops = { .rx = netdev_rx, .link = netdev_link };

/** start_xmit() - net_device_ops.ndo_start_xmit */
static netdev_tx_t start_xmit(struct sk_buff *skb, struct net_device *netdev)
{
	struct mlx5_netdev *priv = netdev_priv(netdev);

	dev_sw_netstats_tx_add(netdev, 1, skb->len);
	skb_tx_timestamp(skb);
	if (priv->is_rep)
		swcx7_tx_from_rep(priv->vport, skb);
	else
		swcx7_tx_from_function(priv->vport, skb);
	return NETDEV_TX_OK;
}

/** function_open() - net_device_ops.ndo_open of a function: carrier as the vport says */
static int function_open(struct net_device *netdev)
{
	struct mlx5_netdev *priv = netdev_priv(netdev);

	netif_start_queue(netdev);
	if (swcx7_vport_link_is_up(priv->vport))
		netif_carrier_on(netdev);
	return 0;
}

/** function_stop() - net_device_ops.ndo_stop of a function */
static int function_stop(struct net_device *netdev)
{
	netif_stop_queue(netdev);
	netif_carrier_off(netdev);
	return 0;
}

/** rep_open() - net_device_ops.ndo_open of a representor: its IFF_UP is the VF's vport state (mlx5e_rep_open()) */
static int rep_open(struct net_device *netdev)
{
	struct mlx5_netdev *priv = netdev_priv(netdev);

	netif_start_queue(netdev);
	netif_carrier_on(netdev);
	swcx7_vport_set_admin_up(priv->vport, true);
	return 0;
}

/** rep_stop() - net_device_ops.ndo_stop of a representor: the VF loses its link */
static int rep_stop(struct net_device *netdev)
{
	struct mlx5_netdev *priv = netdev_priv(netdev);

	swcx7_vport_set_admin_up(priv->vport, false);
	netif_carrier_off(netdev);
	netif_stop_queue(netdev);
	return 0;
}

/** function_set_mac() - net_device_ops.ndo_set_mac_address of a function: the vport follows */
static int function_set_mac(struct net_device *netdev, void *address)
{
	struct mlx5_netdev *priv = netdev_priv(netdev);
	int ret = eth_mac_addr(netdev, address);

	if (!ret)
		ether_addr_copy(priv->vport->mac, netdev->dev_addr);
	return ret;
}

/**
 * block_callback() - flow block: accept a rule as offloaded
 * @type, @type_data: what tc asks
 * @cb_priv:	the netdev
 *
 * Counts flower rules, since each holds a reference on the eswitch that forbids a mode change (mlx5e_configure_flower()).
 *
 * Return: 0, or -EOPNOTSUPP for anything but flower and matchall
 */
static int block_callback(enum tc_setup_type type, void *type_data, void *cb_priv)
{
	struct mlx5_netdev *priv = netdev_priv(cb_priv);
	struct flow_cls_offload *flow = type_data;

	if (type == TC_SETUP_CLSMATCHALL)
		return 0;
	if (type != TC_SETUP_CLSFLOWER)
		return -EOPNOTSUPP;
	if (flow->command == FLOW_CLS_REPLACE)
		atomic_inc(&priv->vport->pf->tc_rules);
	else if (flow->command == FLOW_CLS_DESTROY)
		atomic_dec(&priv->vport->pf->tc_rules);
	else if (flow->command == FLOW_CLS_STATS)
		flow_stats_update(&flow->stats, 0, 0, 0, 0, FLOW_ACTION_HW_STATS_DELAYED);
	return 0;
}

/** setup_tc() - net_device_ops.ndo_setup_tc: blocks only */
static int setup_tc(struct net_device *netdev, enum tc_setup_type type, void *type_data)
{
	if (type != TC_SETUP_BLOCK)
		return -EOPNOTSUPP;
	return flow_block_cb_setup_simple(type_data, &block_callbacks, block_callback, netdev, netdev, true);
}

/**
 * get_stats() - net_device_ops.ndo_get_stats64
 *
 * On a real card a worker reads counters for it: two firmware commands for a representor, four for a function's own netdev
 * (mlx5e_rep_get_stats(), mlx5e_get_stats() in Linux 6.12).
 */
static void get_stats(struct net_device *netdev, struct rtnl_link_stats64 *stats)
{
	struct mlx5_netdev *priv = netdev_priv(netdev);

	swcx7_firmware(priv->vport->pf, priv->is_rep ? 2 : 4);
	dev_get_tstats64(netdev, stats);
}

static const struct net_device_ops uplink_netdev_ops = {
	.ndo_open = function_open,
	.ndo_stop = function_stop,
	.ndo_start_xmit = start_xmit,
	.ndo_get_stats64 = get_stats,
	.ndo_set_mac_address = function_set_mac,
	.ndo_validate_addr = eth_validate_addr,
	.ndo_setup_tc = setup_tc,
	.ndo_set_vf_mac = mlx5_set_vf_mac,
	.ndo_set_vf_vlan = mlx5_set_vf_vlan,
	.ndo_set_vf_rate = mlx5_set_vf_rate,
	.ndo_set_vf_spoofchk = mlx5_set_vf_spoofchk,
	.ndo_set_vf_trust = mlx5_set_vf_trust,
	.ndo_set_vf_link_state = mlx5_set_vf_link_state,
	.ndo_get_vf_config = mlx5_get_vf_config,
	.ndo_get_vf_stats = mlx5_get_vf_stats,
};

static const struct net_device_ops vf_netdev_ops = {
	.ndo_open = function_open,
	.ndo_stop = function_stop,
	.ndo_start_xmit = start_xmit,
	.ndo_get_stats64 = get_stats,
	.ndo_set_mac_address = function_set_mac,
	.ndo_validate_addr = eth_validate_addr,
};

const struct net_device_ops mlx5_rep_netdev_ops = {
	.ndo_open = rep_open,
	.ndo_stop = rep_stop,
	.ndo_start_xmit = start_xmit,
	.ndo_get_stats64 = get_stats,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
	.ndo_setup_tc = setup_tc,
};

/** mlx5_function_netdev_ops() - operations of a function's own netdev */
const struct net_device_ops *mlx5_function_netdev_ops(const struct mlx5_dev *dev)
{
	return mlx5_is_pf(dev) ? &uplink_netdev_ops : &vf_netdev_ops;
}

/** get_drvinfo() - ethtool_ops: firmware and PSID in the form of the real driver */
static void get_drvinfo(struct net_device *netdev, struct ethtool_drvinfo *info)
{
	struct mlx5_netdev *priv = netdev_priv(netdev);

	strscpy(info->driver, priv->is_rep ? "mlx5e_rep" : "mlx5_core", sizeof(info->driver));
	snprintf(info->fw_version, sizeof(info->fw_version), "%s (%s)", priv->vport->pf->firmware, priv->vport->pf->psid);
	if (netdev->dev.parent)
		strscpy(info->bus_info, dev_name(netdev->dev.parent), sizeof(info->bus_info));
}

/** get_link_ksettings() - ethtool_ops: 100 Gbit/s over copper */
static int get_link_ksettings(struct net_device *netdev, struct ethtool_link_ksettings *settings)
{
	settings->base.speed = SPEED_100000;
	settings->base.duplex = DUPLEX_FULL;
	settings->base.port = PORT_DA;
	settings->base.autoneg = AUTONEG_ENABLE;
	return 0;
}

static const struct ethtool_ops netdev_ethtool_ops = {
	.get_drvinfo = get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_link_ksettings = get_link_ksettings,
};

/**
 * init_netdev() - fill a netdev
 * @netdev:	fresh from alloc_etherdev()
 * @vport:	vport that it sends through
 * @ops:	its operations
 */
static void init_netdev(struct net_device *netdev, struct swcx7_vport *vport, const struct net_device_ops *ops)
{
	struct mlx5_netdev *priv = netdev_priv(netdev);

	priv->netdev = netdev;
	priv->vport = vport;
	priv->is_rep = ops == &mlx5_rep_netdev_ops;
	priv->func.ops = &func_ops;
	priv->func.owner = "mlx5_core";
	priv->func.initialised = true;
	netdev->netdev_ops = ops;
	netdev->ethtool_ops = &netdev_ethtool_ops;
	netdev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
	netdev->min_mtu = ETH_MIN_MTU;
	netdev->max_mtu = MAX_MTU;
	netdev->lltx = true;
	netdev->compat_netns_immutable = priv->is_rep;
	netdev->hw_features = NETIF_F_HIGHDMA;
	if (ops->ndo_setup_tc)
		netdev->hw_features |= NETIF_F_HW_TC;
	netdev->features = netdev->hw_features;
	if (priv->is_rep)
		eth_hw_addr_random(netdev);
	else
		eth_hw_addr_set(netdev, vport->mac);
	netif_carrier_off(netdev);
}

/**
 * mlx5_netdev_create() - make and register a netdev
 * @dev:	function that is its parent device
 * @vport:	vport that it sends through
 * @port:	its devlink port, registered
 * @ops:	its operations; mlx5_rep_netdev_ops makes a representor
 * @name:	kernel name, NULL for eth%d
 *
 * Return: the netdev, or an ERR_PTR
 */
struct net_device *mlx5_netdev_create(struct mlx5_dev *dev, struct swcx7_vport *vport, struct devlink_port *port,
				      const struct net_device_ops *ops, const char *name)
{
	struct net_device *netdev = alloc_etherdev(sizeof(struct mlx5_netdev));
	int ret;

	if (!netdev)
		return ERR_PTR(-ENOMEM);
	init_netdev(netdev, vport, ops);
	if (name)
		strscpy(netdev->name, name, IFNAMSIZ);
	SET_NETDEV_DEV(netdev, &dev->pdev->dev);
	SET_NETDEV_DEVLINK_PORT(netdev, port);
	ret = register_netdev(netdev);
	if (ret) {
		free_netdev(netdev);
		return ERR_PTR(ret);
	}
	return netdev;
}

/** mlx5_netdev_destroy() - take mlx5_netdev_create() back */
void mlx5_netdev_destroy(struct net_device *netdev)
{
	unregister_netdev(netdev);
	free_netdev(netdev);
}
