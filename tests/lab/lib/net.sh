# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The lab's networks, all in one namespace:
#   mgmt    bridge: the hosts' libvirts and ssh; the namespace itself is .1
#   wire0   bridge: the cable of PF 0 of both hosts; the station hangs here
#   wire1   bridge: the cable of PF 1 of both hosts
# The wires are ordinary learning bridges without STP: after a migration they
# send a guest's frames to the old port until they have learned better, as the
# switch between two real hosts does.

# bridge_add NAME: a learning bridge that forwards at once.
bridge_add() {
	ip -n "$LAB_NS" link add "$1" type bridge stp_state 0 forward_delay 0 mcast_snooping 0 &&
		ip -n "$LAB_NS" link set "$1" addrgenmode none up
}

# tap_add NAME BRIDGE: a tap device for a host's NIC, plugged into the bridge.
tap_add() {
	ip -n "$LAB_NS" tuntap add "$1" mode tap &&
		ip -n "$LAB_NS" link set "$1" addrgenmode none master "$2" up
}

# station_add: the station's cable end on wire0, with its address.
station_add() {
	ip -n "$LAB_NS" link add station type veth peer name station0 &&
		ip -n "$LAB_NS" link set station addrgenmode none master wire0 up &&
		ip -n "$LAB_NS" link set station0 addrgenmode none up &&
		ip -n "$LAB_NS" address add "$LAB_STATION_ADDRESS/24" dev station0
}

# net_up: makes the namespace with everything in it.
# Return: non-zero if any part could not be made.
net_up() {
	local host net
	ip netns add "$LAB_NS" && ip -n "$LAB_NS" link set lo up || return 1
	for net in mgmt wire0 wire1; do
		bridge_add "$net" || return 1
		for host in "${LAB_HOSTS[@]}"; do
			tap_add "$host-$net" "$net" || return 1
		done
	done
	ip -n "$LAB_NS" address add "$LAB_MGMT_OUTER/24" dev mgmt && station_add
}

# net_exists: whether the lab's namespace is there.
net_exists() {
	[ -e "/run/netns/$LAB_NS" ]
}

# net_down: ends what still runs in the namespace, which is the lab's alone, and
# removes it; its devices go with it.
net_down() {
	local pid tries=0
	net_exists || return 0
	while [ "$tries" -lt 30 ] && [ -n "$(ip netns pids "$LAB_NS")" ]; do
		for pid in $(ip netns pids "$LAB_NS"); do
			kill "-$([ "$tries" -lt 20 ] && echo TERM || echo KILL)" "$pid" 2>/dev/null
		done
		tries=$((tries + 1))
		sleep 0.1
	done
	ip netns del "$LAB_NS"
}
