/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Software ConnectX-7: what the card offers to its drivers.
 *
 * Theory of operation
 *
 * The card (swcx7_hw) owns everything that on real hardware lives in silicon or firmware and so survives the unbinding of a
 * driver: config space, one eswitch per PF, the vports, firmware and PSID, the cable. mlx5_core and mlx5_vfio_pci are drivers
 * of that card. A driver that takes a function fills a struct swcx7_func and attaches it to the vport; a representor is told
 * to the vport with swcx7_rep_attach(). Frames are handed over as sk_buffs whose data begins at the Ethernet header.
 *
 * Locks: control changes of one PF are serialised by the drivers (devlink instance lock of the PF, RTNL for the wire); the
 * data path reads under RCU.
 */
#ifndef SWCX7_H
#define SWCX7_H

#include <linux/etherdevice.h>
#include <linux/if_link.h>
#include <linux/netdevice.h>
#include <linux/pci.h>
#include <linux/workqueue.h>

#define SWCX7_MAX_PFS		2
#define SWCX7_MAX_VFS		64
#define SWCX7_VPORT_UPLINK	(-1)	/* swcx7_vport.index of the PF's own vport */
#define SWCX7_VERSION_LEN	32
#define SWCX7_PSID_LEN		SWCX7_VERSION_LEN
#define SWCX7_FAULT_TEXT_LEN	120
#define SWCX7_DEFAULT_IO_EQS	8
#define SWCX7_FRAME_MAX		9996	/* bytes of a frame without FCS */

struct dentry;
struct swcx7_card;
struct swcx7_func;
struct swcx7_pf;

enum swcx7_esw_state {
	SWCX7_ESW_LEGACY,
	SWCX7_ESW_SWITCHDEV,
	SWCX7_ESW_CHANGING,	/* no frame is forwarded */
	SWCX7_ESW_DEAD,		/* legacy tables gone after a failed change: VFs have no network */
};

/*
 * struct swcx7_func_ops - what the driver of a function does with what its vport delivers
 * @rx:		takes over one frame; called with bottom halves off, may not sleep
 * @link:	the function's link may have changed; may not sleep
 */
struct swcx7_func_ops {
	void (*rx)(struct swcx7_func *func, struct sk_buff *skb);
	void (*link)(struct swcx7_func *func, bool up);
};

/*
 * struct swcx7_func - the function side of a vport, owned by a driver
 * @ops:		callbacks
 * @owner:		name of the driver
 * @initialised:	firmware sees a running driver in the function (mlx5_core bound, or open in a VMM)
 */
struct swcx7_func {
	const struct swcx7_func_ops *ops;
	const char *owner;
	bool initialised;
};

/*
 * struct swcx7_fault - one injected fault; see README.md for the file format
 * @error:	negative errno, or 0
 * @left:	operations that still fail, -1 for all
 * @text:	sentence for the caller, may be empty
 */
struct swcx7_fault {
	int error;
	int left;
	char text[SWCX7_FAULT_TEXT_LEN];
};

/*
 * struct swcx7_vport - one vport of an eswitch
 * @pf:			the PF it belongs to
 * @index:		VF number, or SWCX7_VPORT_UPLINK
 * @mac:		MAC that the function uses now
 * @admin_mac:		MAC set from outside (devlink hw_addr, ip link vf mac); zero: none
 * @fallback_mac:	what a function without @admin_mac gets; random, constant while the card exists
 * @admin_up:		vport state, driven by the representor's IFF_UP (switchdev only)
 * @migratable, @roce, @ipsec_crypto, @ipsec_packet, @max_io_eqs: devlink port function attributes
 * @msix:	size of the function's MSI-X table
 * @trusted, @spoofchk, @link_state, @vlan, @qos, @min_rate, @max_rate: settings from "ip link set PF vf N" (rates in Mbit/s)
 * @rep_missing, @rep_delay_ms, @rep_name, @port_sick: faults, see README.md
 * @func:		function side, or NULL
 * @rep:		representor, or NULL
 * @to_function, @from_function, @dropped: frames
 */
struct swcx7_vport {
	struct swcx7_pf *pf;
	int index;
	u8 mac[ETH_ALEN];
	u8 admin_mac[ETH_ALEN];
	u8 fallback_mac[ETH_ALEN];
	bool admin_up;
	bool migratable, roce, ipsec_crypto, ipsec_packet;
	u32 max_io_eqs;
	u16 msix;
	bool trusted, spoofchk;
	int link_state;
	u16 vlan;
	u8 qos;
	int min_rate, max_rate;
	u32 rep_missing, rep_delay_ms, port_sick;
	char rep_name[IFNAMSIZ];
	struct swcx7_func __rcu *func;
	struct net_device __rcu *rep;
	atomic64_t to_function, from_function, dropped;
};

/*
 * struct swcx7_pf - one physical function with its port and eswitch
 * @card:	the card
 * @index:	PCI function, port number and devlink pfnum
 * @pdev:	its PCI device
 * @state:	enum swcx7_esw_state
 * @uplink:	the PF's own vport
 * @vports:	card->total_vfs VF vports
 * @wire:	netdev that is the cable, or NULL
 * @firmware, @firmware_stored, @psid: identity
 * @capability_migration, @migratable_when_bound, @eswitch_delay_ms, @state_filler_bytes, @state_save_delay_ms,
 * @state_load_delay_ms, @fault_eswitch_kills: settings, see README.md
 * @link_training_ms, @sibling_link, @vf_create_ms, @msix_pool, @capability_word: the same
 * @is_training: the link is not there yet after a mode change
 * @training:	work that ends it
 * @count_mode_sets, @count_same_mode_sets, @count_numvfs_writes: what users asked for
 * @firmware_commands: what mlx5 would have sent to its firmware for it
 * @tc_rules:	offloaded rules at present
 * @fault_*:	injected faults
 * @debugfs:	directory of this PF
 */
struct swcx7_pf {
	struct swcx7_card *card;
	int index;
	struct pci_dev *pdev;
	int state;
	struct swcx7_vport uplink;
	struct swcx7_vport *vports;
	struct net_device __rcu *wire;
	char firmware[SWCX7_VERSION_LEN];
	char firmware_stored[SWCX7_VERSION_LEN];
	char psid[SWCX7_PSID_LEN];
	bool capability_migration, migratable_when_bound, fault_eswitch_kills, sibling_link, is_training;
	u32 eswitch_delay_ms, state_save_delay_ms, state_load_delay_ms;
	u32 link_training_ms, vf_create_ms, msix_pool, capability_word;
	u64 state_filler_bytes;
	u32 count_mode_sets, count_same_mode_sets, count_numvfs_writes;
	atomic_t tc_rules, firmware_commands;
	struct delayed_work training;
	struct swcx7_fault fault_eswitch_set, fault_numvfs, fault_migratable_set, fault_hw_addr_set;
	struct swcx7_fault fault_info_get, fault_precopy, fault_state_save, fault_state_load;
	struct dentry *debugfs;
};

/* swcx7_main.c: from a PCI device to the card; NULL for every device that is not ours */
struct swcx7_pf *swcx7_pf_of(struct pci_dev *pdev);
struct swcx7_vport *swcx7_vport_of(struct pci_dev *pdev);
int swcx7_total_vfs(const struct swcx7_pf *pf);
void swcx7_switch_id(const struct swcx7_pf *pf, struct netdev_phys_item_id *id);

/* swcx7_eswitch.c: vports */
int swcx7_func_attach(struct swcx7_vport *vport, struct swcx7_func *func);
void swcx7_func_detach(struct swcx7_vport *vport, struct swcx7_func *func);
const char *swcx7_vport_owner(struct swcx7_vport *vport);
bool swcx7_vport_is_initialised(struct swcx7_vport *vport);
bool swcx7_any_vf_initialised(struct swcx7_pf *pf);
void swcx7_vport_load_mac(struct swcx7_vport *vport);
void swcx7_vport_set_admin_mac(struct swcx7_vport *vport, const u8 *mac);
void swcx7_vport_set_admin_up(struct swcx7_vport *vport, bool up);
bool swcx7_vport_link_is_up(struct swcx7_vport *vport);
void swcx7_vport_link_update(struct swcx7_vport *vport);
void swcx7_vport_clear(struct swcx7_vport *vport);
void swcx7_rep_attach(struct swcx7_vport *vport, struct net_device *rep);
void swcx7_rep_detach(struct swcx7_vport *vport);
void swcx7_esw_set_state(struct swcx7_pf *pf, enum swcx7_esw_state state);
void swcx7_esw_link_update(struct swcx7_pf *pf);
void swcx7_tx_from_function(struct swcx7_vport *vport, struct sk_buff *skb);
void swcx7_tx_from_rep(struct swcx7_vport *vport, struct sk_buff *skb);

/* swcx7_frame.c: frames of drivers that have them in a guest's memory */
void swcx7_send(struct swcx7_vport *vport, const void *data, int len);
bool swcx7_enqueue(struct sk_buff_head *queue, struct sk_buff *skb);

/* swcx7_link.c: the physical link around a mode change */
void swcx7_link_drop(struct swcx7_pf *pf);
void swcx7_link_train(struct swcx7_pf *pf);

/* swcx7_config.c: MSI-X tables of VFs */
#define SWCX7_MIN_MSIX		4
#define SWCX7_MAX_MSIX		64
int swcx7_msix_default(const struct swcx7_pf *pf, int num_vfs);
void swcx7_msix_set(struct swcx7_vport *vport, int vectors);

/** swcx7_firmware() - count firmware commands that a real driver would send now. @commands: how many, 0 or more */
static inline void swcx7_firmware(struct swcx7_pf *pf, int commands)
{
	atomic_add(commands, &pf->firmware_commands);
}

/* swcx7_fault.c */
int swcx7_fault_take(struct swcx7_fault *fault, char *text, size_t len);

/* swcx7_iommu.c */
void swcx7_iommu_set_ops(const struct pci_ops *ops);

#endif
