// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: vports and forwarding of one eswitch per PF.
 *
 * legacy:	a virtual Ethernet bridge by the MACs that the functions use; what is unknown goes out
 * switchdev:	a VF speaks with its representor only, the wire with the uplink netdev only; everything else is software (Open
 *		vSwitch or tc), as on a card whose rules all miss
 * dead:	the PF alone has its wire
 * changing:	nothing is forwarded
 */
#include <linux/module.h>
#include "swcx7_internal.h"

/**
 * drop() - count and free a frame
 * @vport:	vport that loses it
 * @skb:	the frame
 */
static void drop(struct swcx7_vport *vport, struct sk_buff *skb)
{
	atomic64_inc(&vport->dropped);
	kfree_skb(skb);
}

/**
 * deliver_to_function() - hand a frame to the driver of a function
 * @vport:	its vport
 * @skb:	the frame, taken over
 *
 * Under RCU.
 */
static void deliver_to_function(struct swcx7_vport *vport, struct sk_buff *skb)
{
	struct swcx7_func *func = rcu_dereference(vport->func);

	if (!func) {
		drop(vport, skb);
		return;
	}
	atomic64_inc(&vport->to_function);
	func->ops->rx(func, skb);
}

/**
 * deliver_to_rep() - hand a frame of a VF to its representor
 * @vport:	the VF's vport
 * @skb:	the frame, taken over; dropped while the representor is down or missing
 *
 * Under RCU, bottom halves off.
 */
static void deliver_to_rep(struct swcx7_vport *vport, struct sk_buff *skb)
{
	struct net_device *rep = rcu_dereference(vport->rep);

	if (!rep || !READ_ONCE(vport->admin_up)) {
		drop(vport, skb);
		return;
	}
	dev_sw_netstats_rx_add(rep, skb->len);
	skb->protocol = eth_type_trans(skb, rep);
	netif_rx(skb);
}

/**
 * deliver_to_wire() - send a frame out of the port
 * @pf:		the port
 * @skb:	the frame, taken over; dropped without a cable
 *
 * Under RCU, bottom halves off.
 */
static void deliver_to_wire(struct swcx7_pf *pf, struct sk_buff *skb)
{
	struct net_device *wire = rcu_dereference(pf->wire);

	if (!wire) {
		drop(&pf->uplink, skb);
		return;
	}
	skb->dev = wire;
	dev_queue_xmit(skb);
}

/**
 * bridge_to_vfs() - legacy mode: offer a frame to the VFs
 * @pf:		the eswitch
 * @from:	vport it came from, NULL for the wire
 * @skb:	the frame
 *
 * Multicast is copied to every VF, unicast moved to the one that has the address.
 *
 * Return: true if the frame was taken over
 */
static bool bridge_to_vfs(struct swcx7_pf *pf, struct swcx7_vport *from, struct sk_buff *skb)
{
	const u8 *destination = ((struct ethhdr *)skb->data)->h_dest;
	bool multicast = is_multicast_ether_addr(destination);
	struct sk_buff *copy;
	int i;

	for (i = 0; i < swcx7_total_vfs(pf); i++) {
		struct swcx7_vport *vport = &pf->vports[i];

		if (vport == from || !rcu_access_pointer(vport->func) || !swcx7_vport_link_is_up(vport))
			continue;
		if (multicast) {
			copy = skb_copy(skb, GFP_ATOMIC);
			if (copy)
				deliver_to_function(vport, copy);
		} else if (ether_addr_equal(destination, vport->mac)) {
			deliver_to_function(vport, skb);
			return true;
		}
	}
	return false;
}

/**
 * bridge() - legacy mode: forward a frame
 * @pf:		the eswitch
 * @from:	vport it came from, NULL for the wire
 * @skb:	the frame, taken over
 */
static void bridge(struct swcx7_pf *pf, struct swcx7_vport *from, struct sk_buff *skb)
{
	const u8 *destination = ((struct ethhdr *)skb->data)->h_dest;
	struct sk_buff *copy;

	if (bridge_to_vfs(pf, from, skb))
		return;
	if (!from) {
		deliver_to_function(&pf->uplink, skb);
		return;
	}
	if (from != &pf->uplink) {
		if (ether_addr_equal(destination, pf->uplink.mac)) {
			deliver_to_function(&pf->uplink, skb);
			return;
		}
		copy = is_multicast_ether_addr(destination) ? skb_copy(skb, GFP_ATOMIC) : NULL;
		if (copy)
			deliver_to_function(&pf->uplink, copy);
	}
	deliver_to_wire(pf, skb);
}

/**
 * prepare_skb() - forget where a frame came from
 * @skb:	the frame; data at the Ethernet header
 */
static void prepare_skb(struct sk_buff *skb)
{
	skb_scrub_packet(skb, true);
	skb_reset_mac_header(skb);
	skb_set_network_header(skb, ETH_HLEN);
	skb->protocol = ((struct ethhdr *)skb->data)->h_proto;
}

/**
 * swcx7_tx_from_function() - a function sends a frame
 * @vport:	its vport
 * @skb:	the frame, data at the Ethernet header, at least ETH_HLEN long; taken over
 *
 * Call with bottom halves off.
 */
void swcx7_tx_from_function(struct swcx7_vport *vport, struct sk_buff *skb)
{
	struct swcx7_pf *pf = vport->pf;
	bool is_uplink = vport->index == SWCX7_VPORT_UPLINK;
	int state = READ_ONCE(pf->state);

	rcu_read_lock();
	prepare_skb(skb);
	atomic64_inc(&vport->from_function);
	if (state == SWCX7_ESW_LEGACY && swcx7_vport_link_is_up(vport))
		bridge(pf, vport, skb);
	else if (is_uplink && (state == SWCX7_ESW_SWITCHDEV || state == SWCX7_ESW_DEAD))
		deliver_to_wire(pf, skb);
	else if (!is_uplink && state == SWCX7_ESW_SWITCHDEV)
		deliver_to_rep(vport, skb);
	else
		drop(vport, skb);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(swcx7_tx_from_function);

/**
 * swcx7_tx_from_rep() - a representor sends a frame to its VF
 * @vport:	the VF's vport
 * @skb:	the frame, as in swcx7_tx_from_function(); taken over
 */
void swcx7_tx_from_rep(struct swcx7_vport *vport, struct sk_buff *skb)
{
	rcu_read_lock();
	prepare_skb(skb);
	if (READ_ONCE(vport->pf->state) == SWCX7_ESW_SWITCHDEV)
		deliver_to_function(vport, skb);
	else
		drop(vport, skb);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(swcx7_tx_from_rep);

/**
 * swcx7_esw_rx_from_wire() - a frame arrives at the port
 * @pf:		the port
 * @skb:	the frame, data at the Ethernet header; taken over
 *
 * Under RCU, bottom halves off.
 */
void swcx7_esw_rx_from_wire(struct swcx7_pf *pf, struct sk_buff *skb)
{
	switch (READ_ONCE(pf->state)) {
	case SWCX7_ESW_LEGACY:
		bridge(pf, NULL, skb);
		break;
	case SWCX7_ESW_SWITCHDEV:
	case SWCX7_ESW_DEAD:
		deliver_to_function(&pf->uplink, skb);
		break;
	default:
		drop(&pf->uplink, skb);
	}
}

/**
 * swcx7_func_attach() - a driver takes a function
 * @vport:	its vport
 * @func:	filled by the driver, must live until swcx7_func_detach()
 *
 * Return: 0, or -EBUSY when another driver has it
 */
int swcx7_func_attach(struct swcx7_vport *vport, struct swcx7_func *func)
{
	if (rcu_access_pointer(vport->func))
		return -EBUSY;
	rcu_assign_pointer(vport->func, func);
	return 0;
}
EXPORT_SYMBOL_GPL(swcx7_func_attach);

/**
 * swcx7_func_detach() - a driver gives a function back
 * @vport:	its vport
 * @func:	as attached; no callback runs after return
 */
void swcx7_func_detach(struct swcx7_vport *vport, struct swcx7_func *func)
{
	if (rcu_access_pointer(vport->func) == func)
		RCU_INIT_POINTER(vport->func, NULL);
	synchronize_net();
}
EXPORT_SYMBOL_GPL(swcx7_func_detach);

/**
 * swcx7_vport_owner() - name of the driver that holds a function
 * @vport:	its vport
 *
 * Return: a constant string, NULL for none
 */
const char *swcx7_vport_owner(struct swcx7_vport *vport)
{
	struct swcx7_func *func;
	const char *owner;

	rcu_read_lock();
	func = rcu_dereference(vport->func);
	owner = func ? func->owner : NULL;
	rcu_read_unlock();
	return owner;
}
EXPORT_SYMBOL_GPL(swcx7_vport_owner);

/**
 * swcx7_vport_is_initialised() - does firmware see a running driver in this function?
 * @vport:	its vport
 */
bool swcx7_vport_is_initialised(struct swcx7_vport *vport)
{
	struct swcx7_func *func;
	bool initialised;

	rcu_read_lock();
	func = rcu_dereference(vport->func);
	initialised = func && READ_ONCE(func->initialised);
	rcu_read_unlock();
	return initialised;
}
EXPORT_SYMBOL_GPL(swcx7_vport_is_initialised);

/**
 * swcx7_any_vf_initialised() - is any VF of a PF in use?
 * @pf:		the PF
 */
bool swcx7_any_vf_initialised(struct swcx7_pf *pf)
{
	int i;

	for (i = 0; i < swcx7_total_vfs(pf); i++)
		if (swcx7_vport_is_initialised(&pf->vports[i]))
			return true;
	return false;
}
EXPORT_SYMBOL_GPL(swcx7_any_vf_initialised);

/**
 * swcx7_vport_load_mac() - a function reads its permanent MAC: take the one set from outside, else the fallback
 * @vport:	its vport; changes of admin_mac take effect here only
 */
void swcx7_vport_load_mac(struct swcx7_vport *vport)
{
	ether_addr_copy(vport->mac, is_valid_ether_addr(vport->admin_mac) ? vport->admin_mac : vport->fallback_mac);
}
EXPORT_SYMBOL_GPL(swcx7_vport_load_mac);

/**
 * swcx7_vport_set_admin_mac() - set the MAC of a VF from outside
 * @vport:	its vport
 * @mac:	the MAC, zero for none; a function in use goes on with its old one until it reads it anew
 */
void swcx7_vport_set_admin_mac(struct swcx7_vport *vport, const u8 *mac)
{
	ether_addr_copy(vport->admin_mac, mac);
	if (!swcx7_vport_is_initialised(vport))
		swcx7_vport_load_mac(vport);
}
EXPORT_SYMBOL_GPL(swcx7_vport_set_admin_mac);

/**
 * swcx7_vport_link_is_up() - link of a function, as its driver sees it
 * @vport:	its vport
 *
 * switchdev: the representor's IFF_UP. legacy: "ip link set PF vf N state", where auto follows the cable. The uplink follows
 * the cable and is down while the mode changes, and while the link trains anew.
 */
bool swcx7_vport_link_is_up(struct swcx7_vport *vport)
{
	struct swcx7_pf *pf = vport->pf;
	int state = READ_ONCE(pf->state);

	if (vport->index == SWCX7_VPORT_UPLINK)
		return state != SWCX7_ESW_CHANGING && !READ_ONCE(pf->is_training) && swcx7_wire_has_carrier(pf);
	if (state == SWCX7_ESW_SWITCHDEV)
		return READ_ONCE(vport->admin_up);
	if (state != SWCX7_ESW_LEGACY)
		return false;
	if (vport->link_state == IFLA_VF_LINK_STATE_AUTO)
		return swcx7_wire_has_carrier(pf);
	return vport->link_state == IFLA_VF_LINK_STATE_ENABLE;
}
EXPORT_SYMBOL_GPL(swcx7_vport_link_is_up);

/**
 * swcx7_vport_link_update() - tell a function's driver about its link
 * @vport:	its vport; call after anything that swcx7_vport_link_is_up() looks at has changed
 */
void swcx7_vport_link_update(struct swcx7_vport *vport)
{
	struct swcx7_func *func;

	rcu_read_lock();
	func = rcu_dereference(vport->func);
	if (func)
		func->ops->link(func, swcx7_vport_link_is_up(vport));
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(swcx7_vport_link_update);

/**
 * swcx7_esw_link_update() - tell all functions of an eswitch about their links
 * @pf:		the eswitch
 */
void swcx7_esw_link_update(struct swcx7_pf *pf)
{
	int i;

	swcx7_vport_link_update(&pf->uplink);
	for (i = 0; i < swcx7_total_vfs(pf); i++)
		swcx7_vport_link_update(&pf->vports[i]);
}
EXPORT_SYMBOL_GPL(swcx7_esw_link_update);

/**
 * swcx7_vport_set_admin_up() - set the vport state (MODIFY_VPORT_STATE on the card)
 * @vport:	a VF's vport
 * @up:		the representor's IFF_UP
 */
void swcx7_vport_set_admin_up(struct swcx7_vport *vport, bool up)
{
	WRITE_ONCE(vport->admin_up, up);
	swcx7_vport_link_update(vport);
}
EXPORT_SYMBOL_GPL(swcx7_vport_set_admin_up);

/**
 * swcx7_vport_clear() - forget the settings of a VF, as numvfs 0 does
 * @vport:	its vport
 *
 * Source: mlx5_eswitch_clear_vf_vports_info() in Linux 6.12. That firmware also forgets @migratable is an assumption.
 */
void swcx7_vport_clear(struct swcx7_vport *vport)
{
	eth_zero_addr(vport->admin_mac);
	swcx7_vport_load_mac(vport);
	vport->migratable = false;
	vport->roce = true;
	vport->ipsec_crypto = false;
	vport->ipsec_packet = false;
	vport->max_io_eqs = SWCX7_DEFAULT_IO_EQS;
	vport->trusted = false;
	vport->spoofchk = false;
	vport->link_state = IFLA_VF_LINK_STATE_AUTO;
	vport->vlan = 0;
	vport->qos = 0;
	vport->min_rate = 0;
	vport->max_rate = 0;
}
EXPORT_SYMBOL_GPL(swcx7_vport_clear);

/**
 * swcx7_rep_attach() - a representor takes its vport; its vport state starts as down
 * @vport:	the VF's vport
 * @rep:	the representor, must live until swcx7_rep_detach()
 */
void swcx7_rep_attach(struct swcx7_vport *vport, struct net_device *rep)
{
	rcu_assign_pointer(vport->rep, rep);
}
EXPORT_SYMBOL_GPL(swcx7_rep_attach);

/**
 * swcx7_rep_detach() - a representor leaves; no frame reaches it after return
 * @vport:	the VF's vport
 */
void swcx7_rep_detach(struct swcx7_vport *vport)
{
	RCU_INIT_POINTER(vport->rep, NULL);
	swcx7_vport_set_admin_up(vport, false);
	synchronize_net();
}
EXPORT_SYMBOL_GPL(swcx7_rep_detach);

/**
 * swcx7_esw_set_state() - change what an eswitch does
 * @pf:		the eswitch
 * @state:	the new state; frames under way are finished when this returns
 */
void swcx7_esw_set_state(struct swcx7_pf *pf, enum swcx7_esw_state state)
{
	WRITE_ONCE(pf->state, state);
	synchronize_net();
	swcx7_esw_link_update(pf);
}
EXPORT_SYMBOL_GPL(swcx7_esw_set_state);
