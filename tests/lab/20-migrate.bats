#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The main job: an ordinary virsh migrate moves a guest with a VF to a host
# where nothing is prepared, and back.

load helpers.bash

setup_file() {
	lab_setup
}

teardown_file() {
	lab_teardown
}

setup() {
	wipe A
	wipe B
}

# fresh_a: a guest on A, which the hook prepares at the guest's start.
fresh_a() {
	guest A guest1 --vf "$(pf A)/1" "$@"
}

# without_addresses: canonical XML without the host addresses of devices.
without_addresses() {
	sed -E '/<source>/,/<\/source>/s/ (domain|bus|slot|function)="[^"]*"//g'
}

@test "a guest's start prepares its host" {
	fresh_a
	[ "$(state A guest1)" = running ]
	on A "devlink dev eswitch show pci/$(pf A)" | grep -q 'mode switchdev'
	on A "ovs-vsctl list-ports br-vferry" | grep -q .
	[ "$(on A 'find /run/vferry/pfs -name "*.json" | wc -l')" = 0 ]
}

@test "a guest goes to a host where nothing is prepared, and comes back, and its frames go on" {
	fresh_a --cmdline "ip=$GUEST_IP interval=5 tag=guest1 serial ballast=8"
	before=$(vfs A guest1)
	station_start --ping "$GUEST_IP"
	run migrate A B guest1
	echo "$output"
	[ "$status" = 0 ]
	[ "$(state B guest1)" = running ]
	[ -z "$(state A guest1)" ]
	after=$(vfs B guest1)
	[ -n "$after" ] && [ "$after" != "$before" ]
	sleep 1
	echo "# A to B: $(report '.guests[0] | "\(.lost) frames lost, longest gap \(.longest_gap.ms) ms"')" >&3
	[ "$(report '.guests[0].silent_ms < 1000 and .guests[0].received > 50')" = true ]
	run migrate B A guest1
	echo "$output"
	[ "$status" = 0 ]
	[ "$(state A guest1)" = running ]
	[ "$(vfs A guest1)" = "$before" ] || [ -n "$(vfs A guest1)" ]
	sleep 1
	[ "$(report '.guests[0].silent_ms < 1000 and .pings[0].silent_ms < 1000')" = true ]
	echo "# and back: $(report '.guests[0] | "\(.lost) frames lost in all, longest gap \(.longest_gap.ms) ms"')" >&3
}

@test "the source's representor leaves the bridge when the guest has left" {
	fresh_a
	ports=$(on A 'ovs-vsctl list-ports br-vferry | wc -l')
	[ "$ports" = 2 ]
	run migrate A B guest1
	[ "$status" = 0 ]
	[ "$(on A 'ovs-vsctl list-ports br-vferry | wc -l')" = 1 ]
	[ "$(on A 'find /run/vferry/guests -name "*.json" | wc -l')" = 0 ]
}

@test "the XML that the hook prints differs from what it got only in source addresses" {
	fresh_a
	xml=$(on A "virsh -c $URI dumpxml --migratable guest1")
	printed=$(on B "cat >/root/in.xml; /etc/libvirt/hooks/qemu.d/50-vferry guest1 migrate begin - </root/in.xml" <<<"$xml")
	[ -n "$printed" ]
	in=$(xmllint --c14n - <<<"$xml" | without_addresses)
	out=$(xmllint --c14n - <<<"$printed" | without_addresses)
	same "$in" "$out"
	[ "$(xmllint --c14n - <<<"$xml")" != "$(xmllint --c14n - <<<"$printed")" ]
}

@test "a guest without a VF is none of vferry's business" {
	printed=$(on B "/etc/libvirt/hooks/qemu.d/50-vferry plain migrate begin -" <<<"<domain type='qemu'><name>plain</name><uuid>11111111-2222-3333-4444-555555555555</uuid></domain>")
	[ -z "$printed" ]
	[ -z "$(on B 'ovs-vsctl list-br')" ]
}

@test "a plain hostdev moves" {
	fresh_a --type hostdev
	run migrate A B guest1
	echo "$output"
	[ "$status" = 0 ]
	[ "$(state B guest1)" = running ]
	station_start --ping "$GUEST_IP"
	sleep 2
	[ "$(report '.guests[0].received > 50')" = true ]
}

@test "an unmanaged interface moves, bound by the hook" {
	fresh_a --managed no
	run migrate A B guest1
	echo "$output"
	[ "$status" = 0 ]
	[ "$(state B guest1)" = running ]
	run migrate B A guest1
	echo "$output"
	[ "$status" = 0 ]
}

@test "an unmanaged hostdev moves, bound by the hook" {
	fresh_a --type hostdev --managed no
	run migrate A B guest1
	echo "$output"
	[ "$status" = 0 ]
	[ "$(state B guest1)" = running ]
}

@test "two VFs of one guest move" {
	guest A guest1 --vf "$(pf A)/1" --vf "$(pf A)/2"
	run migrate A B guest1
	echo "$output"
	[ "$status" = 0 ]
	[ "$(vfs B guest1 | sort -u | wc -l)" = 2 ]
}

@test "an interface from a hostdev pool moves to the VF that the pool chooses" {
	for host in A B; do
		# A pool reads its VFs when it starts, so they must exist: an ordinary guest's start makes them.
		guest "$host" first --vf "$(pf "$host")/7"
		uplink=$(on "$host" 'basename "$(dirname "$(grep -lx p0 /sys/class/net/*/phys_port_name)")"')
		on "$host" "printf '%s' \"<network><name>vf-pool</name><forward mode='hostdev' managed='yes'><pf dev='$uplink'/></forward></network>\" >/root/net.xml &&
			virsh -q -c $URI net-create /root/net.xml"
	done
	guest A guest1 --vf "$(pf A)/1" --type network --no-passport
	[ "$(on A 'ovs-vsctl list-ports br-vferry | wc -l')" = 3 ]
	run migrate A B guest1
	echo "$output"
	[ "$status" = 0 ]
	[ "$(state B guest1)" = running ]
	[ "$(on B 'ovs-vsctl list-ports br-vferry | wc -l')" = 3 ]
	station_start
	sleep 2
	[ "$(report '[.guests[] | select(.tag == "guest1")][0].received > 50')" = true ]
}

@test "a guest that is shut down after it landed leaves its VF clean" {
	fresh_a
	run migrate A B guest1
	[ "$status" = 0 ]
	on B "virsh -q -c $URI destroy guest1"
	[ "$(on B 'ovs-vsctl list-ports br-vferry | wc -l')" = 1 ]
	[ "$(on B 'find /run/vferry -name "*.json" | wc -l')" = 0 ]
}

@test "each step is one line with milliseconds in the log" {
	fresh_a
	run migrate A B guest1
	[ "$status" = 0 ]
	log=$(on B 'grep vferry /var/log/messages')
	contains "$log" 'eswitch mode switchdev: done in'
	contains "$log" 'sriov_numvfs 8: done in'
	contains "$log" 'migratable: done in'
	contains "$log" 'representor into bridge br-vferry: done in'
}

@test "the eswitch mode was never set to what it was already" {
	fresh_a
	run migrate A B guest1
	[ "$status" = 0 ]
	run migrate B A guest1
	[ "$status" = 0 ]
	no_harmful_set A
	no_harmful_set B
}

@test "a guest that finds the slots taken waits its turn, and both arrive" {
	configure B "[limits]
vfs_in_flight = 1"
	fresh_a
	guest A guest2 --vf "$(pf A)/2" --cmdline "ip=10.77.0.20 interval=5 tag=guest2 serial"
	run on A "for g in guest1 guest2; do virsh -c $URI migrate --live \$g qemu+tcp://hostB/system >/root/\$g.log 2>&1 & done; wait; cat /root/guest?.log"
	echo "$output"
	[ "$(state B guest1)" = running ]
	[ "$(state B guest2)" = running ]
	contains "$(on B 'grep vferry /var/log/messages')" 'waiting for a slot'
}
