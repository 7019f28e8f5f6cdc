#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A migration that fails at each point where libvirt can fail: the guest runs exactly once, nothing is left on either host, and the
# same virsh migrate works afterwards.
#
# One guest serves all tests, since it survives them; the tests that end it or its host come last. B is a host where nothing is
# prepared, so all that an arrival needs has to be taken back each time. Each failure takes its time: the rarer ones are long tests.

load helpers.bash

setup_file() {
	lab_setup
	wipe_both
	for host in A B; do
		on "$host" "cat >/etc/libvirt/hooks/qemu.d/40-test && chmod 755 /etc/libvirt/hooks/qemu.d/40-test; sync" <<-'END'
			#!/bin/bash
			# A hook of somebody else: runs the file /run/at-EVENT, if there is one.
			[ ! -e "/run/at-$2" ] || . "/run/at-$2"
		END
	done
}

teardown_file() {
	lab_teardown
}

setup() {
	on B 'rm -f /run/at-*'
}

# need_guest1: the guest runs on A; long to move at 1 MiB/s, and every 20 ms it sends a frame.
need_guest1() {
	[ "$(state A guest1)" = running ] && return
	wipe_both
	guest A guest1 --vf "$(pf A)/1" --cmdline "ip=$GUEST_IP interval=20 hz=50 tag=guest1 serial ballast=24"
	station_start
	frames_flow # what is lost while the guest comes up is no matter of the migration
}

# write_down SUFFIX: both hosts as they are now, into files.
write_down() {
	snapshot A >"$BATS_FILE_TMPDIR/A.$1" &
	snapshot B >"$BATS_FILE_TMPDIR/B.$1"
	wait "$!"
}

# begin: the guest runs, the station counts, both hosts are written down, unless the test before has seen that they are as they were.
begin() {
	need_guest1
	[ -e "$BATS_FILE_TMPDIR/survived" ] || write_down before
	rm -f "$BATS_FILE_TMPDIR/survived"
	station_start
	frames_flow
}

# at EVENT TEXT: what the other hook on B does at that event.
at() {
	on B "cat >/run/at-$1" <<<"$2"
}

# call_b: a call of the hook on B for a guest that is not there: what happens there all the time, and takes back what is left over.
call_b() {
	on B '/etc/libvirt/hooks/qemu.d/50-vferry nobody reconnect begin -' <<-'END'
		<domain type='qemu'><name>nobody</name><uuid>11111111-2222-3333-4444-555555555555</uuid><devices><hostdev mode='subsystem' type='pci'>
		<source><address domain='0x0000' bus='0xc1' slot='0x00' function='0x2'/></source></hostdev></devices></domain>
	END
}

# gone_from_b: nothing is left on B, at the latest when later calls of the hook have looked.
gone_from_b() {
	local tries
	for tries in $(seq 60); do
		write_down after
		! cmp -s "$BATS_FILE_TMPDIR/B.before" "$BATS_FILE_TMPDIR/B.after" || return 0
		call_b
		sleep 1
	done
	echo "still on B after $tries more calls of the hook:"
	diff "$BATS_FILE_TMPDIR/B.before" "$BATS_FILE_TMPDIR/B.after"
}

# lapsed_on_b: the time of a lease runs out, and later calls of the hook take back what was made for it. That the guest can still come is
# known, until another has its VF or somebody says that it will not.
lapsed_on_b() {
	local tries
	for tries in $(seq 60); do
		call_b
		write_down after
		! diff <(grep -v '^/run/vferry/' "$BATS_FILE_TMPDIR/B.before") <(grep -v '^/run/vferry/' "$BATS_FILE_TMPDIR/B.after") || break
		sleep 1
	done
	on B 'cat /run/vferry/vfs/*.json | tr -d " \n" | grep -q "\"lapsed\":true" && vferry release --yes'
}

# only_on_a: the guest runs exactly once. A destination that has lost the connection learns that from its keepalive, after half a minute, and a
# libvirtd that has just been started may not tell at once.
only_on_a() {
	local tries
	for tries in $(seq 60); do
		[ "$(state A guest1)" != running ] || break
		sleep 0.5
	done
	[ "$(state A guest1)" = running ]
	on B "for i in \$(seq 1200); do virsh -c $URI domstate guest1 >/dev/null 2>&1 || exit 0; sleep 0.1; done; virsh -c $URI list --all; exit 1"
	[ "$(on A 'pgrep -c qemu-system')" = 1 ]
	[ "$(on B 'for i in $(seq 300); do pgrep qemu-system >/dev/null || break; sleep 0.1; done; pgrep -c qemu-system')" = 0 ]
}

# survived: after a failure the guest runs on A alone, without a lost frame, and both hosts are as they were before.
survived() {
	only_on_a
	gone_from_b
	diff "$BATS_FILE_TMPDIR/A.before" "$BATS_FILE_TMPDIR/A.after"
	[ "$(report '.guests[0].silent_ms < 5000')" = true ]
	no_frame_lost
	touch "$BATS_FILE_TMPDIR/survived"
}

# fails SENTENCE [FLAG...]: a migration that fails with these words, and what must hold then.
fails() {
	local sentence=$1
	shift
	run migrate A B guest1 "$@"
	echo "$output"
	[ "$status" != 0 ]
	contains "$output" "$sentence"
	[ "$(state A guest1)" = running ]
	[ -z "$(state B guest1)" ]
}

# to_the_middle: begins a migration on A and returns when memory is on its way. "ended" tells its end. MODE: further flags of virsh migrate.
to_the_middle() {
	on A "rm -f /root/migrate.status
		setsid bash -c 'timeout 200 virsh -c $URI migrate --live --bandwidth 1 ${MODE:-} guest1 qemu+tcp://hostB/system >/root/migrate.log 2>&1
			echo \$? >/root/migrate.status' </dev/null >/dev/null 2>&1 &
		for i in \$(seq 600); do
			virsh -c $URI domjobinfo guest1 2>/dev/null | grep -q 'Data processed' && exit 0
			[ ! -e /root/migrate.status ] || break
			sleep 0.1
		done
		cat /root/migrate.log >&2; exit 1"
}

# ended: waits for the migration that to_the_middle began, which must have failed.
ended() {
	on A 'for i in $(seq 1200); do [ ! -e /root/migrate.status ] || break; sleep 0.1; done; cat /root/migrate.log'
	[ "$(on A 'cat /root/migrate.status')" != 0 ]
}

# there_and_back: a plain migration of the guest to B, and home again.
there_and_back() {
	run migrate A B guest1
	echo "$output"
	[ "$status" = 0 ]
	[ "$(state B guest1)" = running ]
	[ -z "$(state A guest1)" ]
	run migrate B A guest1
	echo "$output"
	[ "$status" = 0 ]
	only_on_a
}

@test "refused at migrate by another hook, after vferry said yes: the next try takes over; refused at prepare" {
	begin
	at migrate 'echo not today >&2; exit 1'
	fails "not today"
	[ "$(on B 'find /run/vferry/guests -name "*.json" | wc -l')" = 1 ] # libvirt tells nobody
	on B 'rm /run/at-migrate'
	at prepare 'echo not now >&2; exit 1'
	fails "not now"
	survived
}

# bats test_tags=long
@test "a guest of that name is there: libvirt refuses after migrate without a word, and the lease goes by itself" {
	begin
	configure B "[hook]
lease_time = 10"
	"$LAB" guest B guest1 --no-passport --print | on B "cat >/root/same.xml && virsh -q -c $URI define /root/same.xml"
	run migrate A B guest1
	echo "$output"
	[ "$status" != 0 ]
	contains "$output" "already exists with uuid"
	[ "$(on B 'find /run/vferry/guests -name "*.json" | wc -l')" = 1 ]
	on B "virsh -q -c $URI undefine guest1"
	lapsed_on_b
	survived
	on B 'rm /etc/vferry/vferry.conf'
}

# bats test_tags=long
@test "refused at start" {
	begin
	at start 'echo no start >&2; exit 1'
	fails "no start"
	survived
}

# bats test_tags=long
@test "refused at started" {
	begin
	at started 'echo not started >&2; exit 1'
	fails "not started"
	survived
}

# bats test_tags=long
@test "the destination changes between migrate and prepare: vferry refuses and says what is missing" {
	begin
	at prepare 'for port in $(ovs-vsctl list-ports br-vferry | grep "r[0-9]*$"); do ovs-vsctl del-port "$port"; done'
	fails "is not in bridge br-vferry any more"
	contains "$output" "vferry: guest1: "
	survived
}

@test "the destination's QEMU is killed in the middle" {
	begin
	to_the_middle
	on B 'kill -9 "$(cat /run/libvirt/qemu/guest1.pid)"'
	ended
	survived
}

# bats test_tags=long
@test "the connection is cut in the middle" {
	begin
	to_the_middle
	ip -n "vflab-$LAB_NAME" link set B-mgmt down
	on A 'ss -K dst hostB >/dev/null' # A learns it now, and not after the time that its kernel waits; B learns nothing
	ended
	[ "$(state A guest1)" = running ]
	ip -n "vflab-$LAB_NAME" link set B-mgmt up
	survived
}

# bats test_tags=long
@test "libvirtd is restarted at the destination in the middle" {
	begin
	to_the_middle
	restart_libvirtd B
	ended
	survived
}

# bats test_tags=long
@test "libvirtd is restarted at the source in the middle" {
	begin
	to_the_middle
	restart_libvirtd A
	ended
	survived
}

# bats test_tags=long
@test "libvirtd is killed at the destination between prepare and start: nobody is told, and the lease goes by itself" {
	begin
	configure B "[hook]
lease_time = 10"
	at start 'kill -9 "$(cat /run/libvirtd.pid)"'
	run migrate A B guest1
	echo "$output"
	[ "$status" != 0 ]
	on B "rm -f /run/libvirtd.pid; libvirtd --daemon --listen && virsh -q -c $URI list >/dev/null"
	survived
	on B 'rm /etc/vferry/vferry.conf'
}

@test "after all this a plain migration works, there and back" {
	need_guest1
	there_and_back
	no_harmful_set A
	no_harmful_set B
	wipe B
	rm -f "$BATS_FILE_TMPDIR/survived"
}

# bats test_tags=long
@test "the same in peer-to-peer mode: QEMU killed, cut, libvirtd restarted on either side, refused at each event" {
	MODE=--p2p
	begin
	for event in migrate prepare start started; do
		at "$event" 'echo not today >&2; exit 1'
		fails "not today" --p2p
		on B "rm /run/at-$event"
	done
	survived
	begin
	to_the_middle
	on B 'kill -9 "$(cat /run/libvirt/qemu/guest1.pid)"'
	ended
	survived
	begin
	to_the_middle
	ip -n "vflab-$LAB_NAME" link set B-mgmt down # nobody is told: both libvirtds find out by themselves
	ended
	ip -n "vflab-$LAB_NAME" link set B-mgmt up
	survived
	begin
	to_the_middle
	restart_libvirtd B
	ended
	survived
	begin
	to_the_middle
	restart_libvirtd A KILL
	ended
	survived
	begin
	to_the_middle
	restart_libvirtd A # which conducts the migration itself, and finishes it before it ends: the guest arrives, and virsh is not told
	ended
	[ "$(state B guest1)" = running ]
	[ "$(on A 'pgrep -c qemu-system')" = 0 ]
	[ -z "$(on A 'ls /run/vferry/guests')" ]
	no_frame_lost
	run migrate B A guest1
	echo "$output"
	[ "$status" = 0 ]
	only_on_a
	wipe B
	rm -f "$BATS_FILE_TMPDIR/survived"
}

# bats test_tags=long
@test "the source's QEMU is killed in the middle: the guest is gone, as without a migration, and nothing is left" {
	begin
	to_the_middle
	on A 'kill -9 "$(cat /run/libvirt/qemu/guest1.pid)"'
	ended
	[ -z "$(state A guest1)" ]
	[ -z "$(state B guest1)" ]
	[ "$(on A 'ovs-vsctl list-ports br-vferry | wc -l')" = 1 ]
	[ "$(on A 'find /run/vferry -name "*.json" | wc -l')" = 0 ]
	gone_from_b
}

# bats test_tags=long
@test "the destination loses power in the middle, and comes back: the lease of its only VF blocks nobody" {
	configure B "[host]
pf = $(pf B)
vfs = 1"
	begin
	to_the_middle
	vf=$(vfs B guest1)
	[ "$(on B 'find /run/vferry/guests -name "*.json" | wc -l')" = 1 ]
	contains "$(on B 'ls /run/vferry/vfs')" "$vf"
	on B 'cp -a /run/vferry /root/run-vferry; sync'
	"$LAB" off B
	on A 'ss -K dst hostB >/dev/null'
	ended
	[ "$(state A guest1)" = running ]
	"$LAB" on B >&3 2>&1
	only_on_a
	call_b
	[ "$(on B 'ovs-vsctl list-ports br-vferry | wc -l')" -le 1 ]
	[ "$(on B 'find /run/vferry -name "*.json" | wc -l')" = 0 ]
	no_frame_lost

	# Worse than a restart: leases and journals as they were before it. Another guest gets the VF all the same.
	on B 'rm -rf /run/vferry && cp -a /root/run-vferry /run/vferry && find /run/vferry/guests -name "*.json" | grep .'
	guest A guest2 --vf "$(pf A)/2" --cmdline "ip=10.77.0.12 tag=guest2"
	run migrate A B guest2
	echo "$output"
	[ "$status" = 0 ]
	[ "$(vfs B guest2)" = "$vf" ]
	[ "$(on B 'find /run/vferry/guests -name "*.json" | wc -l')" = 1 ]
	on B "virsh -q -c $URI destroy guest2"
	there_and_back
	[ "$(report '[.guests[] | select(.tag == "guest1")][0].silent_ms < 5000')" = true ]
	no_harmful_set A
	no_harmful_set B
}
