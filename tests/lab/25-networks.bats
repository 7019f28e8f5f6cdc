#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The networks of production: somebody else joined the guests' bridge with the cable, by patch ports,
# tunnels or a bond, or each port has a network of its own. A guest moves there and back by a plain virsh migrate, and vferry leaves all of
# that as it is.

load helpers.bash

NS=vflab-$LAB_NAME
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
	for host in A B; do
		on "$host" 'for wire in /sys/kernel/debug/swcx7/pf*/wire; do n=${wire%/wire}; echo "wire${n##*pf}" >"$wire"; done
			for dev in $(ovs-vsctl list-br); do ovs-vsctl del-br "$dev"; done
			ip link del bond0 2>/dev/null; ip link del p0 2>/dev/null
			for dev in /sys/bus/pci/drivers/mlx5_core/*/net/*; do ip addr flush dev "${dev##*/}"; ip link set "${dev##*/}" up mtu 1500; done'
		for n in 0 1; do ip -n "$NS" link set "$host-wire$n" nomaster master "wire$n" up; done
	done
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

# ping_guest ADDRESS: begins to ping from outside, 20 times a second; ping_report: "N of M answers, longest gap N ms".
ping_guest() {
	ip netns exec "$NS" stdbuf -oL ping -D -n -i 0.05 -W 1 "$1" >"$BATS_TEST_TMPDIR/ping" 2>&1 3>&- &
	PING=$!
}

ping_report() {
	kill -INT "$PING"
	wait "$PING" || true
	awk '/bytes from/ { t = substr($1, 2, length($1) - 2) * 1000; if (last && t - last > gap) gap = t - last; last = t }
		/transmitted/ { line = $1 " sent, " $4 " answered" } END { printf "%s, longest gap %d ms\n", line, gap }' "$BATS_TEST_TMPDIR/ping"
}

# answers: how many there have been.
answers() {
	grep -c 'bytes from' "$BATS_TEST_TMPDIR/ping" || true
}

# answers_again: pings are answered from now on; a guest that has just been started needs a while.
answers_again() {
	local n
	n=$(answers)
	for _ in $(seq 240); do
		[ "$(answers)" -lt $((n + 10)) ] || return 0
		sleep 0.25
	done
	tail -3 "$BATS_TEST_TMPDIR/ping" >&2
	return 1
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
