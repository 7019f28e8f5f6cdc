#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The main job: an ordinary virsh migrate moves a guest with a VF to a host
# where nothing is prepared, and back.
#
# A guest's start takes seconds here and a migration more, so tests share them: each first brings about what it needs, and does nothing
# for that where an earlier test has left it so.

load helpers.bash

setup_file() {
	lab_setup
}

teardown_file() {
	lab_teardown
}

# guest_on HOST: guest1 runs there; if it must come to B, then to a host where nothing is prepared.
guest_on() {
	[ "$(state "$1" guest1)" != running ] || return 0
	if [ "$1" = A ] || [ "$(state A guest1)" != running ]; then
		wipe_both
		guest A guest1 --vf "$(pf A)/1" --cmdline "ip=$GUEST_IP interval=5 tag=guest1 serial ballast=8"
	fi
	[ "$1" = A ] || move A B
}

# move FROM TO: a plain virsh migrate of guest1 that must work.
move() {
	run migrate "$1" "$2" guest1
	echo "$output"
	[ "$status" = 0 ]
	[ "$(state "$2" guest1)" = running ]
	[ -z "$(state "$1" guest1)" ]
}

# without_addresses: canonical XML without the host addresses of devices.
without_addresses() {
	sed -E '/<source>/,/<\/source>/s/ (domain|bus|slot|function)="[^"]*"//g'
}

@test "a guest's start prepares its host" {
	wipe_both
	guest_on A
	[ "$(state A guest1)" = running ]
	on A "devlink dev eswitch show pci/$(pf A)" | grep -q 'mode switchdev'
	[ "$(on A 'ovs-vsctl list-ports br-vferry | wc -l')" = 2 ]
	[ "$(on A 'find /run/vferry/pfs -name "*.json" | wc -l')" = 0 ]
}

@test "a guest goes to a host where nothing is prepared, and its frames go on" {
	guest_on A
	wipe B
	before=$(vfs A guest1)
	station_start --ping "$GUEST_IP"
	move A B
	after=$(vfs B guest1)
	[ -n "$after" ] && [ "$after" != "$before" ]
	sleep 1
	echo "# A to B: $(report '.guests[0] | "\(.lost) frames lost, longest gap \(.longest_gap.ms) ms"')" >&3
	[ "$(report '.guests[0].silent_ms < 1000 and .guests[0].received > 50')" = true ]
}

@test "the source's representor leaves the bridge when the guest has left" {
	guest_on B
	[ "$(on A 'ovs-vsctl list-ports br-vferry | wc -l')" = 1 ]
	[ "$(on A 'find /run/vferry/guests -name "*.json" | wc -l')" = 0 ]
}

@test "each step is one line with milliseconds in the log" {
	guest_on B
	log=$(on B 'grep vferry /var/log/messages')
	contains "$log" 'eswitch mode switchdev: done in'
	contains "$log" 'sriov_numvfs 8: done in'
	contains "$log" 'migratable: done in'
	contains "$log" 'representor into bridge br-vferry: done in'
}

@test "the guest comes back, and its frames go on" {
	guest_on B
	station_start --ping "$GUEST_IP"
	move B A
	[ -n "$(vfs A guest1)" ]
	sleep 1
	echo "# B to A: $(report '.guests[0] | "\(.lost) frames lost, longest gap \(.longest_gap.ms) ms"')" >&3
	[ "$(report '.guests[0].silent_ms < 1000 and .pings[0].silent_ms < 1000')" = true ]
}

@test "the XML that the hook prints differs from what it got only in source addresses" {
	guest_on A
	xml=$(on A "virsh -c $URI dumpxml --migratable guest1")
	printed=$(on B "cat >/root/in.xml; /etc/libvirt/hooks/qemu.d/50-vferry guest1 migrate begin - </root/in.xml" <<<"$xml")
	[ -n "$printed" ]
	in=$(xmllint --c14n - <<<"$xml" | without_addresses)
	out=$(xmllint --c14n - <<<"$printed" | without_addresses)
	same "$in" "$out"
	[ "$(xmllint --c14n - <<<"$xml")" != "$(xmllint --c14n - <<<"$printed")" ]
}

@test "a guest without a VF is none of vferry's business" {
	wipe B
	printed=$(on B "/etc/libvirt/hooks/qemu.d/50-vferry plain migrate begin -" <<<"<domain type='qemu'><name>plain</name><uuid>11111111-2222-3333-4444-555555555555</uuid></domain>")
	[ -z "$printed" ]
	[ -z "$(on B 'ovs-vsctl list-br')" ]
}

# moved_together: four guests of different kinds, 5 VFs, moved from A to B at the same time, where 2 VFs may be in flight; once for all
# tests. What virsh said is in $BATS_FILE_TMPDIR/NAME, and its exit status in NAME.status.
moved_together() {
	local name
	[ ! -e "$BATS_FILE_TMPDIR/moved" ] || return 0
	wipe_both
	configure B "[limits]
vfs_in_flight = 2"
	guest A hostdev --vf "$(pf A)/1" --type hostdev --cmdline "ip=10.77.0.11 interval=50 tag=hostdev"
	guest A unmanaged --vf "$(pf A)/2" --managed no --cmdline "ip=10.77.0.12 silent hz=20"
	guest A both --vf "$(pf A)/3" --type hostdev --managed no --cmdline "ip=10.77.0.13 silent hz=20"
	guest A two --vf "$(pf A)/4" --vf "$(pf A)/5" --cmdline "ip=10.77.0.14 silent hz=20"
	on A "for g in hostdev unmanaged both two; do
			(timeout 300 virsh -c $URI migrate --live \$g qemu+tcp://hostB/system >/root/\$g.log 2>&1; echo \$? >/root/\$g.status) &
		done
		wait"
	for name in hostdev unmanaged both two; do
		on A "cat /root/$name.log" >"$BATS_FILE_TMPDIR/$name"
		on A "cat /root/$name.status" >"$BATS_FILE_TMPDIR/$name.status"
	done
	touch "$BATS_FILE_TMPDIR/moved"
}

# has_moved NAME: one of them runs on B.
has_moved() {
	moved_together
	cat "$BATS_FILE_TMPDIR/$1"
	[ "$(<"$BATS_FILE_TMPDIR/$1.status")" = 0 ]
	[ "$(state B "$1")" = running ]
}

@test "a plain hostdev moves" {
	has_moved hostdev
	station_start --ping 10.77.0.11
	frames_flow hostdev
}

@test "an unmanaged hostdev moves, bound by the hook" {
	has_moved both
}

@test "two VFs of one guest move" {
	has_moved two
	[ "$(vfs B two | sort -u | wc -l)" = 2 ]
}

@test "a guest that finds the slots taken waits its turn, and all arrive" {
	for name in hostdev unmanaged both two; do
		has_moved "$name"
	done
	contains "$(on B 'grep vferry /var/log/messages')" 'waiting for a slot'
}

@test "an unmanaged interface moves, bound by the hook, and back" {
	has_moved unmanaged
	run migrate B A unmanaged
	echo "$output"
	[ "$status" = 0 ]
	[ "$(state A unmanaged)" = running ]
}

@test "guests that are shut down after they landed leave their VFs clean" {
	moved_together
	on B "for g in hostdev both two; do virsh -q -c $URI destroy \$g; done"
	[ "$(on B 'ovs-vsctl list-ports br-vferry | wc -l')" = 1 ]
	[ "$(on B 'find /run/vferry -name "*.json" | wc -l')" = 0 ]
}

# make_pool HOST: a hostdev pool of PF 0. A pool reads its VFs when it starts, so they must exist: an ordinary guest's start makes them.
make_pool() {
	local uplink
	[ "$(on "$1" "cat /sys/bus/pci/devices/$(pf "$1")/sriov_numvfs")" != 0 ] || guest "$1" first --vf "$(pf "$1")/7"
	uplink=$(on "$1" 'basename "$(dirname "$(grep -lx p0 /sys/class/net/*/phys_port_name)")"')
	on "$1" "printf '%s' \"<network><name>vf-pool</name><forward mode='hostdev' managed='yes'><pf dev='$uplink'/></forward></network>\" >/root/net.xml &&
		virsh -q -c $URI net-create /root/net.xml"
}

@test "an interface from a hostdev pool moves to the VF that the pool chooses" {
	for host in A B; do
		on "$host" "for g in \$(virsh -q -c $URI list --name); do virsh -q -c $URI destroy \$g; done"
		make_pool "$host"
	done
	ports=$(on B 'ovs-vsctl list-ports br-vferry | wc -l')
	on_a=$(on A 'ovs-vsctl list-ports br-vferry | wc -l')
	guest A guest1 --vf "$(pf A)/1" --type network --no-passport
	[ "$(on A 'ovs-vsctl list-ports br-vferry | wc -l')" = $((on_a + 1)) ]
	move A B
	[ "$(on B 'ovs-vsctl list-ports br-vferry | wc -l')" = $((ports + 1)) ]
	station_start
	frames_flow guest1
}

@test "the eswitch mode was never set to what it was already" {
	guest_on B
	no_harmful_set A
	no_harmful_set B
}
