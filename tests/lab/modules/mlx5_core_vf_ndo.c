// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: VF settings through the PF netdev, "ip link set PF vf N ...".
 *
 * In switchdev mode VLAN, trust, spoof check and link state belong to the representor and are refused, but VLAN 0, which
 * libvirt always sets. In legacy mode VLAN, trust, spoof check and rates are kept and shown; they do not touch frames.
 *
 * Source: mlx5_eswitch_set_vport_vlan(), _trust(), _spoofchk(), _state() in Linux 6.12.
 */
#include "mlx5_core.h"

/**
 * find_vf() - vport of a VF
 * @netdev:	uplink netdev
 * @vf:		VF number
 *
 * Return: the vport, NULL when that VF is not enabled
 */
static struct swcx7_vport *find_vf(struct net_device *netdev, int vf)
{
	struct mlx5_netdev *priv = netdev_priv(netdev);
	struct pci_dev *pdev = priv->vport->pf->pdev;

	if (!pdev || vf < 0 || vf >= pci_num_vf(pdev))
		return NULL;
	return &priv->vport->pf->vports[vf];
}

/**
 * find_legacy_vf() - vport of a VF for a setting that switchdev mode refuses
 * @netdev:	uplink netdev
 * @vf:		VF number
 *
 * Return: the vport; ERR_PTR of -EINVAL (no such VF) or -EOPNOTSUPP (switchdev)
 */
static struct swcx7_vport *find_legacy_vf(struct net_device *netdev, int vf)
{
	struct swcx7_vport *vport = find_vf(netdev, vf);

	if (!vport)
		return ERR_PTR(-EINVAL);
	return vport->pf->state == SWCX7_ESW_SWITCHDEV ? ERR_PTR(-EOPNOTSUPP) : vport;
}

/** mlx5_set_vf_mac() - ndo_set_vf_mac: both modes; acts when the function reads its MAC next */
int mlx5_set_vf_mac(struct net_device *netdev, int vf, u8 *mac)
{
	struct swcx7_vport *vport = find_vf(netdev, vf);

	if (!vport || is_multicast_ether_addr(mac))
		return -EINVAL;
	swcx7_vport_set_admin_mac(vport, mac);
	return 0;
}

/** mlx5_set_vf_vlan() - ndo_set_vf_vlan */
int mlx5_set_vf_vlan(struct net_device *netdev, int vf, u16 vlan, u8 qos, __be16 proto)
{
	struct swcx7_vport *vport = find_legacy_vf(netdev, vf);

	if (vport == ERR_PTR(-EOPNOTSUPP) && vlan == 0)
		return 0;
	if (IS_ERR(vport))
		return PTR_ERR(vport);
	vport->vlan = vlan;
	vport->qos = qos;
	return 0;
}

/** mlx5_set_vf_rate() - ndo_set_vf_rate: both modes */
int mlx5_set_vf_rate(struct net_device *netdev, int vf, int min_rate, int max_rate)
{
	struct swcx7_vport *vport = find_vf(netdev, vf);

	if (!vport)
		return -EINVAL;
	vport->min_rate = min_rate;
	vport->max_rate = max_rate;
	return 0;
}

/** mlx5_set_vf_spoofchk() - ndo_set_vf_spoofchk */
int mlx5_set_vf_spoofchk(struct net_device *netdev, int vf, bool on)
{
	struct swcx7_vport *vport = find_legacy_vf(netdev, vf);

	if (IS_ERR(vport))
		return PTR_ERR(vport);
	vport->spoofchk = on;
	return 0;
}

/** mlx5_set_vf_trust() - ndo_set_vf_trust */
int mlx5_set_vf_trust(struct net_device *netdev, int vf, bool on)
{
	struct swcx7_vport *vport = find_legacy_vf(netdev, vf);

	if (IS_ERR(vport))
		return PTR_ERR(vport);
	vport->trusted = on;
	return 0;
}

/** mlx5_set_vf_link_state() - ndo_set_vf_link_state: the VF's link follows at once */
int mlx5_set_vf_link_state(struct net_device *netdev, int vf, int link_state)
{
	struct swcx7_vport *vport = find_legacy_vf(netdev, vf);

	if (IS_ERR(vport))
		return PTR_ERR(vport);
	vport->link_state = link_state;
	swcx7_vport_link_update(vport);
	return 0;
}

/** mlx5_get_vf_config() - ndo_get_vf_config */
int mlx5_get_vf_config(struct net_device *netdev, int vf, struct ifla_vf_info *info)
{
	struct swcx7_vport *vport = find_vf(netdev, vf);

	if (!vport)
		return -EINVAL;
	memset(info, 0, sizeof(*info));
	info->vf = vf;
	ether_addr_copy(info->mac, vport->admin_mac);
	info->vlan = vport->vlan;
	info->qos = vport->qos;
	info->vlan_proto = htons(ETH_P_8021Q);
	info->min_tx_rate = vport->min_rate;
	info->max_tx_rate = vport->max_rate;
	info->spoofchk = vport->spoofchk;
	info->trusted = vport->trusted;
	info->linkstate = vport->link_state;
	return 0;
}

/** mlx5_get_vf_stats() - ndo_get_vf_stats: what the function has sent and received; two firmware commands on a real card */
int mlx5_get_vf_stats(struct net_device *netdev, int vf, struct ifla_vf_stats *stats)
{
	struct swcx7_vport *vport = find_vf(netdev, vf);

	if (!vport)
		return -EINVAL;
	swcx7_firmware(vport->pf, 2);
	memset(stats, 0, sizeof(*stats));
	stats->rx_packets = atomic64_read(&vport->to_function);
	stats->tx_packets = atomic64_read(&vport->from_function);
	return 0;
}
