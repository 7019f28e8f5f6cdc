/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Software ConnectX-7: what the files of mlx5_core share.
 *
 * Theory of operation
 *
 * A PCI function (PF or VF) has a struct mlx5_dev, the private part of its devlink instance pci/BDF. The Ethernet side of it,
 * struct mlx5_eth, is one netdev and one devlink port; as in Linux since 6.3 it hangs on an auxiliary device
 * mlx5_core.eth.N with a devlink instance of its own, nested in that of the function (uplink_on_pci=1 puts the port on the
 * function's instance as before 6.3). A PF has a struct mlx5_rep for each VF: devlink port and representor.
 *
 * With the parameter vnet=1 a VF also has an auxiliary device mlx5_core.vnet.N, for mlx5_vdpa.
 *
 * Everything that changes reps or the mode runs under the devlink instance lock of the PF.
 */
#ifndef MLX5_CORE_H
#define MLX5_CORE_H

#include <linux/auxiliary_bus.h>
#include <linux/workqueue.h>
#include <net/devlink.h>
#include "swcx7.h"

#define MLX5_VPORT_UPLINK	0xffff	/* number of the uplink in a devlink port index */

/*
 * struct mlx5_rep - VF port and representor
 * @port:	devlink port, flavour pcivf
 * @vport:	the VF's vport
 * @dev:	the PF
 * @netdev:	representor, NULL while there is none
 * @registered:	@port is registered
 * @late:	makes @netdev after vport->rep_delay_ms
 */
struct mlx5_rep {
	struct devlink_port port;
	struct swcx7_vport *vport;
	struct mlx5_dev *dev;
	struct net_device *netdev;
	bool registered;
	struct delayed_work late;
};

/*
 * struct mlx5_eth - Ethernet side of a function
 * @port:	devlink port: physical on a PF, virtual on a VF
 * @netdev:	uplink netdev of a PF, ordinary netdev of a VF
 * @dev:	the function
 */
struct mlx5_eth {
	struct devlink_port port;
	struct net_device *netdev;
	struct mlx5_dev *dev;
};

/*
 * struct mlx5_adev - auxiliary device mlx5_core.eth.N or mlx5_core.vnet.N
 * @adev:	in the auxiliary bus; freed by its release
 * @dev:	the function
 */
struct mlx5_adev {
	struct auxiliary_device adev;
	struct mlx5_dev *dev;
};

/*
 * struct mlx5_vnet - what a vDPA device of a VF takes of the frames that its vport delivers
 * @func:	its callbacks
 * @mac:	its MAC
 */
struct mlx5_vnet {
	struct swcx7_func func;
	u8 mac[ETH_ALEN];
};

/*
 * struct mlx5_dev - a PCI function, private part of its devlink instance
 * @pdev:	PCI device
 * @pf:		the PF that it is or belongs to
 * @vport:	its own vport
 * @adev:	auxiliary device, NULL with uplink_on_pci=1
 * @vnet_adev:	auxiliary device for vDPA, NULL without
 * @eth:	Ethernet side, set while it exists
 * @eth_on_pci:	memory for @eth with uplink_on_pci=1
 * @reps:	PF only: one for each possible VF
 * @num_vfs:	PF only: VFs enabled
 */
struct mlx5_dev {
	struct pci_dev *pdev;
	struct swcx7_pf *pf;
	struct swcx7_vport *vport;
	struct mlx5_adev *adev, *vnet_adev;
	struct mlx5_eth *eth;
	struct mlx5_eth eth_on_pci;
	struct mlx5_rep *reps;
	int num_vfs;
};

/*
 * struct mlx5_netdev - private part of every netdev of ours
 * @func:	function side of the vport; unused in a representor
 * @vnet:	vDPA device of the function, NULL while none is at work
 * @vport:	vport that it sends through
 * @netdev:	itself
 * @is_rep:	it is a representor
 */
struct mlx5_netdev {
	struct swcx7_func func;
	struct mlx5_vnet __rcu *vnet;
	struct swcx7_vport *vport;
	struct net_device *netdev;
	bool is_rep;
};

/* mlx5_core_main.c */
bool mlx5_is_pf(const struct mlx5_dev *dev);
u32 mlx5_port_index(const struct mlx5_dev *dev, int vport_number);

/* mlx5_core_eth.c */
extern struct auxiliary_driver mlx5_eth_driver;
int mlx5_eth_create(struct mlx5_dev *dev);
void mlx5_eth_destroy(struct mlx5_dev *dev);
struct mlx5_adev *mlx5_adev_create(struct mlx5_dev *dev, const char *name);

/* mlx5_core_vnet.c: the last two for mlx5_vdpa */
void mlx5_vnet_create(struct mlx5_dev *dev);
void mlx5_vnet_destroy(struct mlx5_dev *dev);
void mlx5_vnet_attach(struct mlx5_dev *dev, struct mlx5_vnet *vnet);
void mlx5_vnet_detach(struct mlx5_dev *dev);

/* mlx5_core_devlink.c */
extern const struct devlink_ops mlx5_pf_devlink_ops;
extern const struct devlink_ops mlx5_vf_devlink_ops;

/* mlx5_core_rep.c; all under the devlink instance lock of the PF but mlx5_reps_free() */
int mlx5_reps_alloc(struct mlx5_dev *dev);
void mlx5_reps_free(struct mlx5_dev *dev);
int mlx5_reps_add(struct mlx5_dev *dev);
void mlx5_reps_del(struct mlx5_dev *dev);

/* mlx5_core_netdev.c */
extern const struct net_device_ops mlx5_rep_netdev_ops;
struct net_device *mlx5_netdev_create(struct mlx5_dev *dev, struct swcx7_vport *vport, struct devlink_port *port,
				      const struct net_device_ops *ops, const char *name);
void mlx5_netdev_destroy(struct net_device *netdev);
const struct net_device_ops *mlx5_function_netdev_ops(const struct mlx5_dev *dev);

/* mlx5_core_vf_ndo.c: "ip link set PF vf N ..." */
int mlx5_set_vf_mac(struct net_device *netdev, int vf, u8 *mac);
int mlx5_set_vf_vlan(struct net_device *netdev, int vf, u16 vlan, u8 qos, __be16 proto);
int mlx5_set_vf_rate(struct net_device *netdev, int vf, int min_rate, int max_rate);
int mlx5_set_vf_spoofchk(struct net_device *netdev, int vf, bool on);
int mlx5_set_vf_trust(struct net_device *netdev, int vf, bool on);
int mlx5_set_vf_link_state(struct net_device *netdev, int vf, int link_state);
int mlx5_get_vf_config(struct net_device *netdev, int vf, struct ifla_vf_info *info);
int mlx5_get_vf_stats(struct net_device *netdev, int vf, struct ifla_vf_stats *stats);

/* mlx5_core_sriov.c */
int mlx5_sriov_configure(struct pci_dev *pdev, int num_vfs);
void mlx5_sriov_disable(struct mlx5_dev *dev);
int mlx5_sriov_set_msix(struct pci_dev *pdev, int vectors);
u32 mlx5_sriov_total_msix(struct pci_dev *pdev);

#endif
