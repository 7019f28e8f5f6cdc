/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * network.h: the network that a guest's port is in: an Open vSwitch bridge, and how what is sent there reaches a cable.
 *
 * Found from the state of Open vSwitch alone, which is followed through patch ports: a cloud has its guests' ports in one bridge and the
 * uplink in another. Whether something may be plugged is judged here; what else uses an uplink that is to be plugged is judged by who
 * knows its uses.
 */
#ifndef VFERRY_POLICY_NETWORK_H
#define VFERRY_POLICY_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/config.h"
#include "base/reason.h"
#include "host/inventory.h"

#define NETWORK_MAX_BRIDGES 32 /* that patch ports join; what lies beyond is not looked at, and no uplink is plugged then */

/* What a bridge is part of, and the ways out of it. More than one may be there. */
struct network {
	const struct ovs_bridge *bridge[NETWORK_MAX_BRIDGES]; /* the bridge itself first, then those behind patch ports */
	size_t bridges;                   /* 0: there is no such bridge */
	bool too_many;                    /* more bridges than that */
	bool is_userspace;                /* datapath_type netdev: nothing is offloaded, and representors are read by the processor */
	bool is_ovn;                      /* OVN's integration bridge: OVN decides what a port reaches, by its iface-id */
	unsigned int uplinks;             /* bit N: the uplink of inventory->pf[N], a bond that it is in, or a VLAN on either, is a port */
	const struct ovs_port *tunnel;    /* a port that is a tunnel, NULL: none */
	const struct ovs_port *device;    /* a port that is another device which may lead to a cable, NULL: none */
	const struct ovs_port *widest;    /* of the uplinks, else of the devices, the port with the largest MTU, since which one a guest's frames
					   * take is not known; NULL: no MTU is known */
	bool widest_is_uplink;
};

/*
 * Finds the network of a bridge. A bridge that does not exist has no way; a PF that says it is in it (uplink_bridge) is one all the
 * same.
 */
void network_find(const struct inventory *inventory, const char *bridge, struct network *network);

/* Whether something joins it with the world outside already: a second way would make a loop. */
bool network_has_way(const struct network *network);

/* Whether the uplink of a PF of the inventory is a way out of it. */
bool network_reaches(const struct network *network, const struct inventory *inventory, const struct inventory_pf *pf);

/* Whose business the uplink is: config->uplink, and plug_uplink = no, its older name for UPLINK_PRESENT. */
enum uplink network_uplink(const struct config *config);

/*
 * Whether a VF of a PF reaches the network of a bridge. plug: set where vferry has to put the PF's uplink into the bridge first (which the
 * uplink's other users may forbid: not judged here). Return: 0, -EBUSY with *why.
 */
int network_judge(const struct config *config, const struct inventory *inventory, const struct inventory_pf *pf, const char *bridge,
		  bool *plug, struct reason *why);

/*
 * The bridge of a VF of which nobody tells the bridge: the one that its PF's uplink is in, but that of the configuration where the uplink
 * is a way out of it too (patch ports), where it has tunnels, or where all that is somebody else's business. pf: NULL: not known.
 */
const char *network_bridge(const struct config *config, const struct inventory *inventory, const struct inventory_pf *pf);

/* Whether guests of a PF reach the network, by the bridge that is theirs. plug, why: as of network_judge(). Return: 0, -EBUSY. */
int network_judge_pf(const struct config *config, const struct inventory *inventory, const struct inventory_pf *pf, bool *plug,
		     struct reason *why);

/*
 * The MTU that a VF's representor is to have: the uplink's. A representor begins with 1500 (Linux mlx5/core/en_rep.c), what does not fit
 * through it is dropped until the card has the flow, and Open vSwitch gives a bridge's own port the smallest MTU of its ports. Never less
 * than it has.
 * Return: bytes; 0: leave it as it is.
 */
unsigned int network_mtu(const struct inventory_pf *pf, const struct inventory_vf *vf);

/*
 * Says how VFs of a PF reach the network of a bridge: "p0 is in bridge br-ex", "bridge br-int reaches p0 by way of bridge br-ex".
 * Return: out; "" if they do not.
 */
char *network_describe(const struct network *network, const struct inventory *inventory, const struct inventory_pf *pf, char *out,
		       size_t size);

#endif
