#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The networks of production: somebody else joined the guests' bridge with the cable, by patch ports or a bond. A guest moves there and back by
# a plain virsh migrate, and vferry leaves all of that as it is.

load helpers.bash

NS=vflab-$LAB_NAME

setup_file() {
	lab_setup
}

teardown_file() {
	lab_teardown
}

teardown() {
	"$LAB" station stop >/dev/null 2>&1
	for host in A B; do
		on "$host" 'for wire in /sys/kernel/debug/swcx7/pf*/wire; do n=${wire%/wire}; echo "wire${n##*pf}" >"$wire"; done
			for dev in $(ovs-vsctl list-br); do ovs-vsctl del-br "$dev"; done
			ip link del bond0 2>/dev/null; ip link del p0 2>/dev/null
			for dev in /sys/bus/pci/drivers/mlx5_core/*/net/*; do ip addr flush dev "${dev##*/}"; ip link set "${dev##*/}" up mtu 1500; done'
		for n in 0 1; do ip -n "$NS" link set "$host-wire$n" nomaster master "wire$n" up; done
	done
	true
}

# uplink HOST [NUMBER]: the netdev of a PF.
uplink() {
	on "$1" "cd /sys/bus/pci/devices/$(pf "$1" "${2:-0}")/net && ls -d *" | head -n 1
}

# both COMMAND...: with each host's name behind it.
both() {
	"$@" A
	"$@" B
}

# card HOST: both ports of the card made ready, and nothing of Open vSwitch.
card() {
	on "$1" 'vferry prepare --card-only --yes --once >/dev/null'
	[ -z "$(on "$1" 'ovs-vsctl list-br')" ]
}

# move FROM TO: a plain virsh migrate of guest1 that must work.
move() {
	run migrate "$1" "$2" guest1
	echo "$output"
	[ "$status" = 0 ]
	[ "$(state "$2" guest1)" = running ]
}

# port_of HOST: the bridge that the port of guest1's VF is in.
port_of() {
	on "$1" "ovs-vsctl --bare --columns=name find Port external_ids:vferry-guest!=host 'external_ids:vferry-owner=vferry' |
		while read -r port; do [ -z \"\$port\" ] || ovs-vsctl port-to-br \"\$port\"; done" | sort -u | grep -v "^$"
}

# there_and_back WHAT BRIDGE: moves guest1 from A to B and back, tells what the station saw.
there_and_back() {
	local before after
	before=$(on B 'ovs-vsctl list-ports '"$2"' | sort; ovs-vsctl get Open_vSwitch . other_config')
	frames_flow
	move A B
	[ "$(port_of B)" = "$2" ]
	sleep 1
	echo "# $1, A to B: $(report '.guests[0] | "\(.lost) frames lost, longest gap \(.longest_gap.ms) ms"')" >&3
	[ "$(report '.guests[0].silent_ms < 1000 and .pings[0].silent_ms < 1000')" = true ]
	station_start --ping "$GUEST_IP"
	frames_flow
	move B A
	sleep 1
	echo "# $1, B to A: $(report '.guests[0] | "\(.lost) frames lost, longest gap \(.longest_gap.ms) ms"')" >&3
	[ "$(report '.guests[0].silent_ms < 1000 and .pings[0].silent_ms < 1000')" = true ]
	after=$(on B 'ovs-vsctl list-ports '"$2"' | sort; ovs-vsctl get Open_vSwitch . other_config')
	same "$before" "$after"
}

# patched HOST: the guests' bridge br-int, the uplink in br-ex, joined by patch ports.
patched() {
	card "$1"
	on "$1" "ovs-vsctl add-br br-ex -- add-port br-ex $(uplink "$1") -- add-br br-int \
		-- add-port br-int to-ex -- set Interface to-ex type=patch options:peer=to-int \
		-- add-port br-ex to-int -- set Interface to-int type=patch options:peer=to-ex"
}

@test "a provider network behind patch ports" {
	wipe_both
	both patched
	configure A '[host]
bridge = br-int'
	configure B '[host]
bridge = br-int
uplink = present'
	contains "$(on B 'vferry check')" 'bridge br-int reaches'
	guest A guest1 --vf "$(pf A)/1" --bridge br-int --cmdline "ip=$GUEST_IP interval=5 tag=guest1 serial"
	[ "$(port_of A)" = br-int ]
	station_start --ping "$GUEST_IP"
	there_and_back 'patch ports' br-int
}

# lag HOST MODE: a bond of both ports, in the bridge.
lag() {
	local host=$2 mode=$1
	card "$host"
	on "$host" "ip link add bond0 type bond mode $mode miimon 50 $([ "$mode" = active-backup ] || echo lacp_rate fast)
		for dev in $(uplink "$host") $(uplink "$host" 1); do ip link set \$dev down; ip link set \$dev master bond0; done
		ip link set bond0 up
		ovs-vsctl add-br br-lag -- add-port br-lag bond0"
}

# lag_test MODE: VFs of the second port and of the first, there and back; one member's cable is pulled during the migration.
lag_test() {
	wipe_both
	both lag "$1"
	for host in A B; do
		configure "$host" '[host]
bridge = br-lag
uplink = present'
	done
	guest A guest1 --vf "$(pf A 1)/1" --bridge br-lag --cmdline "ip=$GUEST_IP interval=5 tag=guest1 serial"
	[ "$(port_of A)" = br-lag ]
	station_start --ping "$GUEST_IP"
	there_and_back "bond $1" br-lag
	station_start --ping "$GUEST_IP"
	frames_flow
	on B 'echo >/sys/kernel/debug/swcx7/pf0/wire' &
	move A B
	wait "$!"
	sleep 1
	echo "# bond $1, one cable of B pulled, A to B: $(report '.guests[0] | "\(.lost) frames lost, longest gap \(.longest_gap.ms) ms"')" >&3
	[ "$(report '.guests[0].silent_ms < 1000 and .pings[0].silent_ms < 1000')" = true ]
}

@test "an active-backup bond over both ports (VF-LAG)" {
	for host in A B; do ip -n "$NS" link set "$host-wire1" master wire0; done
	lag_test active-backup
}
