#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Hosts as people have them: on host B somebody uses the card in a way that no list of the uplink's own addresses and bridges shows: through a
# VLAN, a bridge, a macvtap, Open vSwitch's local port, another NIC, the card's other port, a VF's network device in a container, or a VF's vDPA
# device. vferry leaves them alone and names them, and they lose no frame.

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

# first_vf_of_mlx5_core: host B is ready with two VFs, of which mlx5_core has the first, TAKEN; its network device is here, down. Another shell
# line for B may follow, which runs in the VF's folder.
first_vf_of_mlx5_core() {
	on B "vferry prepare --pf $PF --vfs 2 --yes --once >/dev/null || exit 1
		cd -P /sys/bus/pci/devices/$PF/virtfn0 && vf=\${PWD##*/}
		[ ! -e driver ] || echo \$vf >driver/unbind
		echo mlx5_core >driver_override; echo \$vf >/sys/bus/pci/drivers/mlx5_core/bind; udevadm settle
		for rep in /sys/class/net/*/phys_port_name; do ! grep -qs 'pf0vf0\$' \$rep || break; done
		rep=\${rep%/*}; rep=\${rep##*/}; ovs-vsctl --may-exist add-port br-vferry \$rep; ip link set \$rep up
		${1:-}" || return 1
	TAKEN=$(on B "basename \$(readlink /sys/bus/pci/devices/$PF/virtfn0)")
	configure B "[host]
pf = $PF
vfs = 2"
}

# vdpa_device NAME DRIVER: the first VF has a vDPA device of that name, and this driver of the kernel's vDPA bus takes it. The VF's own network
# device is here, down, in nothing. What virtio_vdpa makes is a child of the VF, too, since that does the DMA.
vdpa_device() {
	on B "modprobe -r virtio_vdpa vhost_vdpa; modprobe -a mlx5_vdpa $2 && echo Y >/sys/module/mlx5_core/parameters/vnet" || return 1
	first_vf_of_mlx5_core "vdpa dev add name $1 mgmtdev pci/\$vf mac 52:54:00:00:37:01 && udevadm settle && ip -br link show \$(ls net)"
}

# passes_it_over SENTENCE STATUS: TAKEN is nobody's but its user's: a guest that arrives gets the other VF, and when that is taken the next one is
# refused, also where its definition names just TAKEN; prepare, release, status and check leave it alone. All of them name the user, status as
# STATUS.
passes_it_over() {
	run migrate A B guest1
	echo "$output"
	[ "$status" = 0 ]
	[ "$(vfs B guest1)" != "$TAKEN" ]
	guest A guest9 --vf "$(pf A)/2"
	run migrate A B guest9
	echo "$output"
	[ "$status" != 0 ]
	contains "$output" "VF $TAKEN is passed over"
	contains "$output" "$1"
	[ "$(state A guest9)" = running ]
	run on B "sed -E \"s|<uuid>.*</uuid>|<uuid>11111111-2222-3333-4444-000000000007</uuid>|; s|guest1|guest7|; s|52:54:00(:[0-9a-f]{2}){3}|52:54:00:00:37:07|
		/<source>/,/<.source>/s|<address .*/>|<address type='pci' domain='0x${TAKEN:0:4}' bus='0x${TAKEN:5:2}' slot='0x${TAKEN:8:2}' function='0x${TAKEN:11}'/>|\" \
		/root/guest1.xml >/root/guest7.xml; grep -c bus=.0x${TAKEN:5:2}. /root/guest7.xml
		/etc/libvirt/hooks/qemu.d/50-vferry guest7 migrate begin - </root/guest7.xml 2>&1"
	echo "$output"
	[ "$status" = 1 ]
	[ "${lines[0]}" = 1 ]
	contains "$output" "VF $TAKEN is passed over"
	contains "$output" "$1"
	run on B "vferry prepare --pf $PF --vfs 4 --yes 2>&1"
	echo "$output"
	[ "$status" = 1 ]
	contains "$output" "$1"
	run on B "vferry release --yes 2>&1; COLUMNS=1000 vferry status; COLUMNS=1000 vferry check; cat /sys/kernel/debug/swcx7/pf0/vf0/owner"
	echo "$output"
	contains "$output" "$2"
	contains "$output" "$1"
	contains "$output" "$TAKEN ("
	contains "$output" "mlx5_core in-use"
	run migrate B A guest1
	[ "$status" = 0 ]
	on A "virsh -q -c $URI destroy guest9"
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
	first_vf_of_mlx5_core "dev=\$(ls net); ip netns add spare; ip link set \$dev netns spare; ip -n spare addr add $SPARE/24 dev \$dev
		ip -n spare link set \$dev up"
	watch_pings
	passes_it_over "in another network namespace" "namespace: "
	no_ping_lost
	on B "ip netns del spare"
	wipe B
	configure B "[host]
pf = $PF"
}

# bats test_tags=long
@test "a VF's vDPA device is the host's own network device, and its network device is here and down: the VF is left alone, the device named" {
	vdpa_device blue virtio_vdpa
	on B "dev=\$(ls /sys/bus/pci/devices/$TAKEN/virtio*/net); ip netns add spare; ip link set \$dev netns spare
		ip -n spare addr add $SPARE/24 dev \$dev; ip -n spare link set \$dev up"
	watch_pings
	passes_it_over "vDPA device blue has it by way of vDPA" "vdpa: vDPA device blue"
	no_ping_lost
	on B "ip netns del spare"
	wipe B
	configure B "[host]
pf = $PF"
}

# bats test_tags=long
@test "a guest has a VF's vDPA device: the VF is left alone, the guest named" {
	vdpa_device net.1 vhost_vdpa
	guest_on "type='vdpa'><mac address='52:54:00:00:37:01'/><source dev='/dev/vhost-vdpa-0'/>"
	station_start --ping "$SPARE"
	frames_flow other
	passes_it_over "guest other, net.1 has it by way of vDPA" "vdpa: guest other, net.1"
	no_frame_lost other
	on B "virsh -q -c $URI destroy other"
	wipe B
	configure B "[host]
pf = $PF"
}
