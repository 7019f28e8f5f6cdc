#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Hosts as people have them: on host B somebody uses the card in a way that no list of the uplink's own addresses and bridges shows: through a
# VLAN, a bridge, a macvtap, Open vSwitch's local port, another NIC, the card's other port, or a VF's network device in a container. vferry
# leaves them alone and names them, and they lose no frame.

load helpers.bash
load disturb.bash

setup_file() {
	disturb_setup
}

teardown_file() {
	lab_teardown
}

teardown() {
	[ -z "${PING:-}" ] || kill "$PING" 2>/dev/null || true
	on A 'ip link del vlan10 2>/dev/null'
	ip -n "$NS" addr del 10.77.1.1/24 dev wire1 2>/dev/null
	ip -n "$NS" link set B-wire1 master wire1
	on B 'virsh -q -c qemu:///system destroy other 2>/dev/null; ip link del vlan10 2>/dev/null; ip link del br10 2>/dev/null
		ovs-vsctl --if-exists del-port wire1; echo wire1 >/sys/kernel/debug/swcx7/pf1/wire'
	disturb_teardown
}

# guest_on SOURCE: a guest "other" on B with an interface of the kernel's, and numbered frames every 20 ms, at $SPARE or at another address.
guest_on() {
	guest B other --no-passport --cmdline "ip=${2:-$SPARE} interval=20 hz=50 tag=other serial" --print |
		sed "s|<devices>|&<interface $1<model type='virtio'/></interface>|" | on B "modprobe -a tun macvtap; cat >/root/other.xml; virsh -q -c $URI create /root/other.xml"
}

# bats test_tags=long
@test "a guest's tap and the host's address on a bridge over a VLAN of the uplink" {
	on B "ip link add link $UPLINK name vlan10 type vlan id 10; ip link add br10 type bridge; ip link set vlan10 master br10 up
		ip addr add 10.78.0.50/24 dev br10; ip link set br10 up"
	guest_on "type='bridge'><source bridge='br10'/>" 10.78.0.60
	# This machine may know no VLANs: host A is who talks to it.
	on A "ip link add link $(on A "basename \$(ls -d /sys/bus/pci/devices/$(pf A)/net/* | grep -v _ | head -n 1)") name vlan10 type vlan id 10
		ip addr add 10.78.0.1/24 dev vlan10; ip link set vlan10 up"
	on A 'exec stdbuf -oL ping -D -n -i 0.05 -W 1 10.78.0.60' >"$BATS_TEST_TMPDIR/ping" 2>&1 3>&- &
	PING=$!
	answers_again
	in_the_way "bridge br10 has an address of this host"
	virsh_says "bridge br10 has an address of this host"
	on B 'ip addr flush dev br10'
	in_the_way "vlan vlan10 lies on it"
	no_answer_lost
}

# bats test_tags=long
@test "a guest's macvtap on the uplink" {
	guest_on "type='direct'><source dev='$UPLINK' mode='bridge'/>"
	station_start --ping "$SPARE"
	frames_flow other
	in_the_way "lies on it"
	contains "$output" "macvtap"
	virsh_says "macvtap"
	no_frame_lost other
}

# bats test_tags=long
@test "the host's address on the local port of its bridge" {
	on B "ovs-vsctl add-br br-vferry -- add-port br-vferry $UPLINK && ip addr add $SPARE/24 dev br-vferry && ip link set br-vferry up"
	watch_pings
	in_the_way "port br-vferry has an address of this host"
	virsh_says "port br-vferry has an address of this host"
	no_ping_lost
}

# bats test_tags=long
@test "another NIC in the bridge is its way already: a second one would be a loop" {
	on B "echo >/sys/kernel/debug/swcx7/pf1/wire; ip link set wire1 up
		ovs-vsctl add-br br-vferry -- add-port br-vferry wire1 && $(spare_host) && ovs-vsctl add-port br-vferry spare"
	ip -n "$NS" link set B-wire1 master wire0
	watch_pings
	in_the_way "wire1"
	virsh_says "wire1"
	no_ping_lost
}

# bats test_tags=long
@test "the card's other port has an address: its link would go down with a mode change of this one" {
	ip -n "$NS" addr add 10.77.1.1/24 dev wire1
	on B "ip addr add 10.77.1.50/24 dev $UPLINK2"
	ping_guest 10.77.1.50
	answers_again
	in_the_way "the card's other port"
	virsh_says "the card's other port"
	no_answer_lost
}

# bats test_tags=long
@test "a VF's network device in a container: an arrival takes another VF; where there is none it is refused, and the container named" {
	on B "vferry prepare --pf $PF --vfs 2 --yes --once >/dev/null || exit 1
		cd -P /sys/bus/pci/devices/$PF/virtfn0 && vf=\${PWD##*/}
		[ ! -e driver ] || echo \$vf >driver/unbind
		echo mlx5_core >driver_override; echo \$vf >/sys/bus/pci/drivers/mlx5_core/bind; udevadm settle
		dev=\$(ls net); ip netns add spare; ip link set \$dev netns spare; ip -n spare addr add $SPARE/24 dev \$dev; ip -n spare link set \$dev up
		for rep in /sys/class/net/*/phys_port_name; do ! grep -qs 'pf0vf0\$' \$rep || break; done
		rep=\${rep%/*}; rep=\${rep##*/}; ovs-vsctl --may-exist add-port br-vferry \$rep; ip link set \$rep up"
	taken=$(on B "basename \$(readlink /sys/bus/pci/devices/$PF/virtfn0)")
	configure B "[host]
pf = $PF
vfs = 2"
	watch_pings
	run migrate A B guest1
	echo "$output"
	[ "$status" = 0 ]
	[ "$(vfs B guest1)" != "$taken" ]
	guest A guest9 --vf "$(pf A)/2"
	run migrate A B guest9
	echo "$output"
	[ "$status" != 0 ]
	contains "$output" "VF $taken is passed over"
	contains "$output" "in another network namespace"
	[ "$(state A guest9)" = running ]
	run on B "vferry prepare --pf $PF --vfs 4 --yes 2>&1"
	[ "$status" = 1 ]
	no_ping_lost
	run migrate B A guest1
	[ "$status" = 0 ]
	no_ping_lost
	on A "virsh -q -c $URI destroy guest9"
	on B "ip netns del spare"
	wipe B
	configure B "[host]
pf = $PF"
}
