#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The networks of production: somebody else joined the guests' bridge with the cable, by patch ports,
# tunnels or a bond, or each port has a network of its own. A guest moves there and back by a plain virsh migrate, and vferry leaves all of
# that as it is.

load helpers.bash

PASSED=10.88.0.10 # a guest in the overlay
SECOND=10.77.1.10 # a guest in the second network

setup_file() {
	lab_setup
}

teardown_file() {
	lab_teardown
}

teardown() {
	"$LAB" station stop >/dev/null 2>&1
	switch_end
	for host in A B; do
		on "$host" 'for wire in /sys/kernel/debug/swcx7/pf*/wire; do n=${wire%/wire}; echo "wire${n##*pf}" >"$wire"; done
			for dev in $(ovs-vsctl list-br); do ovs-vsctl del-br "$dev"; done
			ip link del bond0 2>/dev/null; ip link del p0 2>/dev/null
			for dev in /sys/bus/pci/drivers/mlx5_core/*/net/*; do ip addr flush dev "${dev##*/}"; ip link set "${dev##*/}" up mtu 1500; done
			ip link set wire0 mtu 1500'
		for n in 0 1; do ip -n "$NS" link set "$host-wire$n" nomaster master "wire$n" up; done
	done
	for dev in A-wire0 B-wire0 station station0 wire0; do ip -n "$NS" link set "$dev" mtu 1500; done
	ip -n "$NS" link del vx0 2>/dev/null
	ip -n "$NS" addr del 10.77.1.1/24 dev wire1 2>/dev/null
	ip -n "$NS" addr del 10.99.0.3/24 dev wire0 2>/dev/null
	true
}

# uplink HOST [NUMBER]: the netdev of a PF.
uplink() {
	# udev names a netdev that was made just now: the name that the kernel gave it is none to go by.
	on "$1" "cd /sys/bus/pci/devices/$(pf "$1" "${2:-0}")/net && for i in \$(seq 100); do set -- *; case \$1 in eth*) sleep 0.1 ;; *) break ;; esac; done; echo \$1"
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

# lag MODE HOST: a bond of both ports, in the bridge.
lag() {
	local host=$2 mode=$1
	card "$host"
	on "$host" "ip link add bond0 type bond mode $mode miimon 50 $([ "$mode" = active-backup ] || echo lacp_rate fast)
		for dev in $(uplink "$host") $(uplink "$host" 1); do ip link set \$dev down; ip link set \$dev master bond0; done
		ip link set bond0 up
		ovs-vsctl add-br br-lag -- add-port br-lag bond0"
}

# switch_ovs COMMAND...: one of Open vSwitch's commands for the switch outside.
switch_ovs() {
	OVS_RUNDIR=$BATS_FILE_TMPDIR/switch ip netns exec "$NS" "$@"
}

# switch_begin: in place of the cables' bridges, a switch that speaks LACP: an Open vSwitch of this machine, in user space. Each host's two
# cables are a bond there, and the station's bridge is on a port of it.
switch_begin() {
	local dir=$BATS_FILE_TMPDIR/switch host
	mkdir -p "$dir"
	rm -f "$dir/db"
	ovsdb-tool create "$dir/db" /usr/share/openvswitch/vswitch.ovsschema
	switch_ovs ovsdb-server "$dir/db" --remote="punix:$dir/db.sock" --pidfile="$dir/db.pid" --log-file="$dir/db.log" --detach 3>&-
	switch_ovs ovs-vsctl --db="unix:$dir/db.sock" --no-wait init
	switch_ovs ovs-vswitchd "unix:$dir/db.sock" --pidfile="$dir/switch.pid" --log-file="$dir/switch.log" --unixctl="$dir/switch.ctl" --detach \
		2>/dev/null 3>&-
	ip -n "$NS" link add cable0 type veth peer name cable
	ip -n "$NS" link set cable0 master wire0 up
	ip -n "$NS" link set cable up
	for host in A B; do
		for n in 0 1; do ip -n "$NS" link set "$host-wire$n" nomaster up; done
	done
	switch_ovs ovs-vsctl --db="unix:$dir/db.sock" -- add-br switch -- set Bridge switch datapath_type=netdev -- add-port switch cable \
		-- add-bond switch A A-wire0 A-wire1 lacp=active bond_mode=balance-tcp other_config:lacp-time=fast \
		-- add-bond switch B B-wire0 B-wire1 lacp=active bond_mode=balance-tcp other_config:lacp-time=fast
}

# switch_end: if there is one.
switch_end() {
	local dir=$BATS_FILE_TMPDIR/switch pid
	for pid in "$dir"/switch.pid "$dir"/db.pid; do
		[ ! -e "$pid" ] || kill "$(<"$pid")"
	done
	ip -n "$NS" link del cable 2>/dev/null
	true
}

# joined HOST: both ports of its bond are in one aggregate with the switch.
joined() {
	for _ in $(seq 60); do
		[ "$(on "$1" 'sed -n "s/.*Number of ports: //p" /proc/net/bonding/bond0')" != 2 ] || return 0
		sleep 0.5
	done
	on "$1" 'cat /proc/net/bonding/bond0' >&2
	return 1
}

# pull: once guest1 is on its way to B, and before it has come, the first cable of B; both of its ends see that.
pull() {
	on B 'is_coming() { grep -qs "migration in" /run/libvirt/qemu/guest1.xml; }
		for i in $(seq 1200); do is_coming && break; sleep 0.05; done
		echo >/sys/kernel/debug/swcx7/pf0/wire; is_coming' && ip -n "$NS" link set B-wire0 down
}

# lag_test MODE: VFs of the second port and of the first, there and back; one member's cable is pulled during the migration.
lag_test() {
	wipe_both
	both lag "$1"
	[ "$1" = active-backup ] || both joined
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
	pull &
	pulled=$!
	move A B
	wait "$pulled"
	contains "$(vfs B guest1)" "$(pf B | cut -c 1-8)" # a VF of the port whose cable is gone
	sleep 1
	echo "# bond $1, one cable of B pulled, A to B: $(report '.guests[0] | "\(.lost) frames lost, longest gap \(.longest_gap.ms) ms"')" >&3
	[ "$(report '.guests[0].silent_ms < 1000 and .pings[0].silent_ms < 1000')" = true ]
}

# bats test_tags=long
@test "an active-backup bond over both ports (VF-LAG)" {
	for host in A B; do ip -n "$NS" link set "$host-wire1" master wire0; done
	lag_test active-backup
}

# bats test_tags=long
@test "an 802.3ad bond over both ports (VF-LAG), with a switch that speaks LACP" {
	switch_begin
	lag_test 802.3ad
}

# jumbo HOST: frames of 9000 bytes pass from the guests' bridge to the cable.
jumbo() {
	card "$1"
	on "$1" "ip link set wire0 mtu 9000; ip link set $(uplink "$1") mtu 9000; ovs-vsctl add-br br-vferry -- add-port br-vferry $(uplink "$1")"
}

# bats test_tags=long
@test "jumbo frames pass before, during and after a migration; an uplink that carries less is refused" {
	wipe_both
	for dev in A-wire0 B-wire0 station station0 wire0; do ip -n "$NS" link set "$dev" mtu 9000; done
	both jumbo
	for host in A B; do on "$host" '/usr/lib/vferry-lab/agent start'; done # it writes into the passport what a guest has
	guest A guest1 --vf "$(pf A)/1" --cmdline "ip=$GUEST_IP interval=5 tag=guest1 serial"
	ping_guest "$GUEST_IP" -M "do" -s 8972
	answers_again
	move A B
	answers_again
	move B A
	answers_again
	echo "# pings of 9000 bytes, there and back: $(ping_report)" >&3
	on A "for i in \$(seq 120); do virsh -c $URI metadata guest1 urn:vferry:passport:1 | grep -q 'mtu=.9000' && exit 0; sleep 0.5; done; exit 1"
	on B "ip link set $(uplink B) mtu 1500"
	run migrate A B guest1
	echo "$output"
	[ "$status" != 0 ]
	contains "$output" "the MTU of its uplink $(uplink B) is 1500, and that of the guest's representor at the source is 9000"
	[ "$(state A guest1)" = running ]
	on B "ip link set $(uplink B) mtu 9000"
	move A B
	for host in A B; do on "$host" '/usr/lib/vferry-lab/agent stop'; done
}

# two HOST: each port with a bridge of its own.
two() {
	card "$1"
	on "$1" "ovs-vsctl add-br br-a -- add-port br-a $(uplink "$1") -- add-br br-b -- add-port br-b $(uplink "$1" 1)"
}

# bats test_tags=long
@test "two ports, two bridges, two networks: never the other one" {
	wipe_both
	both two
	for host in A B; do
		configure "$host" '[host]
bridge = br-a'
	done
	ip -n "$NS" addr add 10.77.1.1/24 dev wire1
	guest A guest1 --vf "$(pf A 1)/1" --no-passport --cmdline "ip=$SECOND interval=5 tag=guest1 serial"
	[ "$(port_of A)" = br-b ]
	on A 'virsh -q -c qemu:///system destroy guest1'
	guest A guest1 --vf "$(pf A 1)/1" --bridge br-b --cmdline "ip=$SECOND interval=5 tag=guest1 serial"
	[ "$(port_of A)" = br-b ]
	ping_guest "$SECOND"
	answers_again
	move A B
	[ "$(port_of B)" = br-b ]
	contains "$(vfs B guest1)" "$(pf B 1 | cut -c 1-8)"
	answers_again
	move B A
	answers_again
	echo "# second network, there and back: $(ping_report)" >&3
}

# overlay HOST: the guests' bridge reaches the others by VXLAN; the uplink carries the tunnel's address and is in no bridge.
overlay() {
	local address=10.99.0.1
	[ "$1" = A ] || address=10.99.0.2
	card "$1"
	on "$1" "ip addr add $address/24 dev $(uplink "$1"); ovs-vsctl add-br br-int"
	for other in 10.99.0.1 10.99.0.2 10.99.0.3; do
		[ "$other" = "$address" ] || on "$1" "ovs-vsctl add-port br-int vx${other##*.} -- set Interface vx${other##*.} type=vxlan \
			options:remote_ip=$other options:local_ip=$address options:key=7"
	done
}

# bats test_tags=long
@test "an overlay: the uplink carries the tunnel and is left alone" {
	wipe_both
	both overlay
	# The world outside is a third end of the tunnels.
	ip -n "$NS" addr add 10.99.0.3/24 dev wire0
	ip -n "$NS" link add vx0 type vxlan id 7 local 10.99.0.3 dstport 4789 dev wire0
	ip netns exec "$NS" bridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.99.0.1
	ip netns exec "$NS" bridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.99.0.2
	ip -n "$NS" addr add 10.88.0.1/24 dev vx0
	ip -n "$NS" link set vx0 up
	for host in A B; do
		configure "$host" '[host]
bridge = br-int'
	done
	contains "$(on B 'vferry check')" 'by tunnels'
	before=$(on B "ip -br addr show $(uplink B); ovs-vsctl get Open_vSwitch . other_config")
	guest A guest1 --vf "$(pf A)/1" --bridge br-int --cmdline "ip=$PASSED interval=50 tag=guest1 serial"
	ping_guest "$PASSED"
	answers_again
	move A B
	[ "$(port_of B)" = br-int ]
	answers_again
	move B A
	answers_again
	echo "# overlay, there and back: $(ping_report)" >&3
	same "$before" "$(on B "ip -br addr show $(uplink B); ovs-vsctl get Open_vSwitch . other_config")"
}

# bats test_tags=long
@test "two guests with one MAC on two hosts: the station hears both, and vferry check names them" {
	wipe_both
	guest A guest1 --vf "$(pf A)/1" --mac 52:54:00:0d:00:01 --cmdline "ip=$GUEST_IP interval=5 tag=guest1 serial"
	guest B guest2 --vf "$(pf B)/1" --mac 52:54:00:0d:00:01 --cmdline "ip=10.77.0.11 interval=5 tag=guest2 serial"
	station_start
	frames_flow
	for _ in $(seq 60); do
		[ "$(report '.guests[0].twins > 10')" != true ] || break
		sleep 0.5
	done
	[ "$(report '.guests[0].twins > 10')" = true ]
	on B 'vferry inventory' >"$BATS_TEST_TMPDIR/b.json"
	on A "cat >/root/b.json" <"$BATS_TEST_TMPDIR/b.json"
	contains "$(on A 'vferry check --against /root/b.json; true' | tr -s ' \n' ' ')" "have one MAC, 52:54:00:0d:00:01"
	run migrate A B guest1
	echo "$output"
	[ "$status" != 0 ]
	contains "$output" "MAC 52:54:00:0d:00:01, which the guest brings along, is that of guest guest2 here"
	[ "$(state A guest1)" = running ]
}
