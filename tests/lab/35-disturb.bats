#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Never disturb what runs: host B is brought into a state where making it ready
# would cut somebody off. The hook and vferry prepare refuse and name what is in
# the way, nothing on B is changed, and whoever uses the card there loses no frame.

load helpers.bash
load disturb.bash

setup_file() {
	disturb_setup
}

teardown_file() {
	lab_teardown
}

teardown() {
	disturb_teardown
}

# legacy_guest: a guest with a VF on B, whose eswitch is in legacy mode, as before vferry was installed.
legacy_guest() {
	on B "mv /etc/libvirt/hooks/qemu.d/50-vferry /root/ && echo 0 >/sys/bus/pci/devices/$PF/sriov_drivers_autoprobe &&
		echo 2 >/sys/bus/pci/devices/$PF/sriov_numvfs"
	guest B other --vf "$PF/0" --no-passport --cmdline "ip=$SPARE interval=20 hz=50 tag=other serial"
	on B 'mv /root/50-vferry /etc/libvirt/hooks/qemu.d/'
}

@test "a guest with a VF on a PF in legacy mode" {
	legacy_guest
	watch_pings
	in_the_way "its eswitch is in legacy mode and cannot be switched while guest other has its VF"
	virsh_says "while guest other has its VF"
	contains "$output" "migrate or shut down that guest"
	no_frame_lost other
}

@test "a VF that the host itself uses, with an address" {
	on B "echo 2 >/sys/bus/pci/devices/$PF/sriov_numvfs
		vf=\$(readlink -f /sys/bus/pci/devices/$PF/virtfn0)
		for i in \$(seq 100); do # udev gives it its name
			[ -e /sys/class/net/\$dev ] && ip addr add $SPARE/24 dev \$dev && ip link set \$dev up && exit 0
			sleep 0.1; udevadm settle; dev=\$(basename \$vf/net/*)
		done 2>/dev/null; exit 1"
	watch_pings
	in_the_way "its eswitch is in legacy mode and cannot be switched while its VF"
	contains "$output" "has an address of this host (driver mlx5_core)"
	no_ping_lost
}

# bats test_tags=long
@test "a LAG of both uplinks" {
	on B "ip link add bond0 type bond mode active-backup miimon 50 &&
		for dev in $UPLINK $UPLINK2; do ip link set \$dev down && ip link set \$dev master bond0 && ip link set \$dev up; done
		ip link set bond0 type bond primary $UPLINK && ip addr add $SPARE/24 dev bond0 && ip link set bond0 up"
	watch_pings
	in_the_way "its uplink $UPLINK is in bond bond0"
	no_ping_lost
}

# bats test_tags=long
@test "a LAG of both uplinks in the bridge" {
	on B "ip link add bond0 type bond mode active-backup miimon 50 &&
		for dev in $UPLINK $UPLINK2; do ip link set \$dev down && ip link set \$dev master bond0 && ip link set \$dev up; done
		ip link set bond0 type bond primary $UPLINK && ip link set bond0 up &&
		ovs-vsctl add-br br-vferry -- add-port br-vferry bond0 && $(spare_host) && ovs-vsctl add-port br-vferry spare"
	watch_pings
	in_the_way "its eswitch is in legacy mode and switching it would take the carrier of $UPLINK for seconds: it is in bond bond0"
	no_ping_lost
}

@test "TC rules on the uplink that carry traffic" {
	on B "$(spare_host) && ip -n spare link set eth0 address \$(cat /sys/class/net/$UPLINK/address) && ip link set $UPLINK promisc on &&
		for dev in $UPLINK spare; do tc qdisc add dev \$dev ingress; done &&
		tc filter add dev $UPLINK ingress matchall action mirred egress redirect dev spare &&
		tc filter add dev spare ingress matchall action mirred egress redirect dev $UPLINK"
	watch_pings
	rules=$(on B "tc filter show dev $UPLINK ingress; tc filter show dev spare ingress")
	in_the_way "its uplink $UPLINK cannot be put into a bridge of Open vSwitch, which would take its traffic: $UPLINK has TC rules"
	contains "$output" "tc filter show dev $UPLINK ingress"
	same "$rules" "$(on B "tc filter show dev $UPLINK ingress; tc filter show dev spare ingress")"
	no_ping_lost
	# Somebody's rules on a port of the bridge, where Open vSwitch has no reason to touch them: a change of mode would take them away.
	# Open vSwitch may still be clearing the port when ovs-vsctl returns: they are set until they stay.
	on B "ovs-vsctl add-br br-vferry -- add-port br-vferry $UPLINK
		for i in \$(seq 20); do
			sleep 1
			tc filter show dev $UPLINK ingress | grep -q mirred && exit 0
			tc qdisc add dev $UPLINK ingress
			tc filter add dev $UPLINK ingress matchall action mirred egress redirect dev spare
		done 2>/dev/null; exit 1"
	in_the_way "its eswitch is in legacy mode and switching it would take the carrier of $UPLINK for seconds: $UPLINK has TC rules"
	same "$rules" "$(on B "tc filter show dev $UPLINK ingress; tc filter show dev spare ingress")"
}

# bats test_tags=long
@test "an uplink in a Linux bridge" {
	on B "ip link add br0 type bridge && ip link set br0 up && ip link set $UPLINK master br0 && $(spare_host) && ip link set spare master br0"
	watch_pings
	in_the_way "its uplink $UPLINK is in bridge br0"
	no_ping_lost
}

# bats test_tags=long
@test "an uplink in another bridge of Open vSwitch" {
	on B "ovs-vsctl add-br br-other -- add-port br-other $UPLINK && $(spare_host) && ovs-vsctl add-port br-other spare"
	watch_pings
	in_the_way "its uplink $UPLINK is in bridge br-other, and the VF belongs to bridge br-vferry"
	virsh_says "is in bridge br-other"
	no_ping_lost
}

# bats test_tags=long
@test "an uplink in the right bridge that other ports use, in legacy mode" {
	on B "ovs-vsctl add-br br-vferry -- add-port br-vferry $UPLINK && $(spare_host) && ovs-vsctl add-port br-vferry spare"
	watch_pings
	in_the_way "its eswitch is in legacy mode and switching it would take the carrier of $UPLINK for seconds: port spare of bridge br-vferry reaches the network by it"
	no_ping_lost
}

# bats test_tags=long
@test "an uplink with an address of the host, and with its default route" {
	on B "ip addr add $SPARE/24 dev $UPLINK"
	watch_pings
	in_the_way "which would take its traffic: $UPLINK has an address of this host"
	on B "ip route add default via 10.77.0.1 dev $UPLINK"
	in_the_way "which would take its traffic: $UPLINK has the default route of this host"
	virsh_says "has the default route"
	no_ping_lost
}

# untouched: what making ready for a second guest has no reason to change.
untouched() {
	on B "UPLINK=$UPLINK PF=$PF"'
		cat /sys/kernel/debug/swcx7/pf0/count_mode_sets /sys/kernel/debug/swcx7/pf0/count_numvfs_writes
		pidof ovs-vswitchd; pidof ovsdb-server
		cat /sys/class/net/$UPLINK/ifindex /sys/bus/pci/devices/$PF/sriov_numvfs; ls /sys/class/net | sort'
}

@test "a guest that has all VFs of a PF, whose number would have to change" {
	configure B "[host]
pf = $PF
vfs = 1"
	guest B other --vf "$PF/0" --cmdline "ip=$SPARE interval=20 hz=50 tag=other serial"
	watch_pings
	before=$(untouched)
	run on B '/etc/libvirt/hooks/qemu.d/50-vferry guest1 migrate begin - 2>&1 </root/guest1.xml'
	echo "$output"
	[ "$status" = 1 ]
	contains "$output" "no free VF among its 1: other has them"
	run on B "vferry prepare --pf $PF --vfs 4 --yes 2>&1"
	[ "$status" = 1 ]
	contains "$output" "it has 1 VFs, and that cannot be made 4 while its VF"
	run on B "vferry release --yes 2>&1"
	[ "$status" = 0 ]
	same "$before" "$(untouched)"
	no_harmful_set B
	no_frame_lost other
}

@test "beside a guest that runs there nothing is done twice, nothing restarted and no VF taken away" {
	configure B "[host]
pf = $PF"
	guest B other --vf "$PF/0" --cmdline "ip=$SPARE interval=20 hz=50 tag=other serial"
	watch_pings
	before=$(untouched)
	run on B '/etc/libvirt/hooks/qemu.d/50-vferry guest1 migrate begin - 2>&1 >/root/arrived.xml </root/guest1.xml'
	[ "$status" = 0 ]
	run on B "vferry prepare --pf $PF --yes 2>&1"
	[ "$status" = 0 ]
	run on B '/etc/libvirt/hooks/qemu.d/50-vferry guest1 prepare begin - 2>&1 </root/arrived.xml'
	[ "$status" = 0 ]
	run on B '/etc/libvirt/hooks/qemu.d/50-vferry guest1 release end failed 2>&1 </root/arrived.xml'
	[ "$status" = 0 ]
	run on B "vferry prepare --pf $PF --vfs 2 --yes 2>&1"
	[ "$status" = 1 ]
	same "$before" "$(untouched)"
	no_harmful_set B
	no_frame_lost other
}
