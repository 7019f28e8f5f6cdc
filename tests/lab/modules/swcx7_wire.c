// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: cables.
 *
 * The cable of a PF is another netdev of the machine (a virtio NIC that leads out of a virtual machine, one end of a veth).
 * Every frame it receives enters the port, every frame the port sends leaves through it; the netdev itself sees none.
 */
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>
#include "swcx7_internal.h"

static struct swcx7_card *wired_card;

/**
 * wire_receive() - rx_handler of the cable
 * @pskb:	the frame
 *
 * Return: RX_HANDLER_CONSUMED, or RX_HANDLER_PASS for the machine's own looped-back frames
 */
static rx_handler_result_t wire_receive(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	struct swcx7_pf *pf;

	if (skb->pkt_type == PACKET_LOOPBACK)
		return RX_HANDLER_PASS;
	skb = skb_share_check(skb, GFP_ATOMIC);
	*pskb = skb;
	if (!skb)
		return RX_HANDLER_CONSUMED;
	pf = rcu_dereference(skb->dev->rx_handler_data);
	skb_push(skb, ETH_HLEN);
	skb_reset_mac_header(skb);
	/* The core has taken a VLAN tag out of the frame; a port has it in the frame. */
	if (skb_vlan_tag_present(skb)) {
		skb = __vlan_hwaccel_push_inside(skb);
		if (!skb)
			return RX_HANDLER_CONSUMED;
		skb_reset_mac_header(skb);
	}
	skb->pkt_type = PACKET_HOST;
	swcx7_esw_rx_from_wire(pf, skb);
	return RX_HANDLER_CONSUMED;
}

/**
 * swcx7_wire_has_carrier() - is there light on the port?
 * @pf:		the port
 *
 * Return: true when a cable is plugged in and its netdev is up with carrier
 */
bool swcx7_wire_has_carrier(struct swcx7_pf *pf)
{
	struct net_device *wire;
	bool carrier;

	rcu_read_lock();
	wire = rcu_dereference(pf->wire);
	carrier = wire && netif_running(wire) && netif_carrier_ok(wire);
	rcu_read_unlock();
	return carrier;
}

/**
 * unplug() - pull the cable out
 * @pf:		the port
 *
 * Under RTNL.
 */
static void unplug(struct swcx7_pf *pf)
{
	struct net_device *wire = rtnl_dereference(pf->wire);

	if (!wire)
		return;
	RCU_INIT_POINTER(pf->wire, NULL);
	netdev_rx_handler_unregister(wire);
	dev_set_promiscuity(wire, -1);
	synchronize_net();
	dev_put(wire);
}

/**
 * plug() - put a cable in
 * @pf:		the port, without a cable
 * @name:	netdev in the initial network namespace
 *
 * Under RTNL.
 *
 * Return: 0; -ENODEV no such netdev; -EBUSY it is in a bridge, bond or the cable of another port
 */
static int plug(struct swcx7_pf *pf, const char *name)
{
	struct net_device *wire = __dev_get_by_name(&init_net, name);
	int ret;

	if (!wire)
		return -ENODEV;
	ret = netdev_rx_handler_register(wire, wire_receive, pf);
	if (ret)
		return ret;
	dev_hold(wire);
	dev_set_promiscuity(wire, 1);
	rcu_assign_pointer(pf->wire, wire);
	return 0;
}

/**
 * swcx7_wire_set() - change the cable of a port
 * @pf:		the port
 * @name:	netdev, "" for none; the old cable is out even when the new one fails
 *
 * Return: 0 or a negative errno, see plug()
 */
int swcx7_wire_set(struct swcx7_pf *pf, const char *name)
{
	int ret = 0;

	rtnl_lock();
	unplug(pf);
	if (*name)
		ret = plug(pf, name);
	swcx7_esw_link_update(pf);
	rtnl_unlock();
	return ret;
}

/**
 * wire_event() - netdevice notifier: follow the carrier of the cables
 *
 * Return: NOTIFY_DONE
 */
static int wire_event(struct notifier_block *block, unsigned long event, void *ptr)
{
	struct net_device *netdev = netdev_notifier_info_to_dev(ptr);
	struct swcx7_pf *pf;
	int i;

	for (i = 0; i < wired_card->layout.pfs; i++) {
		pf = &wired_card->pfs[i];
		if (rtnl_dereference(pf->wire) != netdev)
			continue;
		if (event == NETDEV_UNREGISTER)
			unplug(pf);
		if (event == NETDEV_UNREGISTER || event == NETDEV_CHANGE || event == NETDEV_UP || event == NETDEV_DOWN)
			swcx7_esw_link_update(pf);
	}
	return NOTIFY_DONE;
}

static struct notifier_block wire_notifier = { .notifier_call = wire_event };

/**
 * swcx7_wire_init() - begin to watch cables
 * @card:	the card
 *
 * Return: 0 or a negative errno
 */
int swcx7_wire_init(struct swcx7_card *card)
{
	wired_card = card;
	return register_netdevice_notifier(&wire_notifier);
}

/** swcx7_wire_exit() - pull all cables out */
void swcx7_wire_exit(void)
{
	int i;

	for (i = 0; i < wired_card->layout.pfs; i++)
		swcx7_wire_set(&wired_card->pfs[i], "");
	unregister_netdevice_notifier(&wire_notifier);
}
