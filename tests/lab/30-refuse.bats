#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Refusals: the person who typed virsh migrate reads one sentence, the guest
# runs on at the source, and the destination is as it was.
#
# A refused guest runs on, so one serves all tests: each starts those that it needs and that do not run yet. Host B is wiped where
# a test has not seen it unchanged.

load helpers.bash

setup_file() {
	lab_setup
}

teardown_file() {
	lab_teardown
}

setup() {
	[ -e "$BATS_FILE_TMPDIR/unchanged" ] || wipe B
	rm -f "$BATS_FILE_TMPDIR/unchanged"
}

# need NAME OPTION...: a guest that runs on A, started if it does not.
need() {
	[ "$(state A "$1")" = running ] || guest A "$@"
}

# need_guest1: the guest that most tests would like to move.
need_guest1() {
	need guest1 --vf "$(pf A)/1" --cmdline "ip=$GUEST_IP interval=20 hz=50 tag=guest1 serial ballast=24"
}

# refused SENTENCE: what must hold after a refused "run migrate A B NAME"; NAME is guest1 unless given.
refused() {
	local name=${2:-guest1}
	echo "$output"
	[ "$status" != 0 ]
	contains "$output" "vferry: $name: "
	contains "$output" "$1"
	[ "$(state A "$name")" = running ]
	[ -z "$(state B "$name")" ]
}

# unchanged_b: host B is as it was before the refused migration. Where Open vSwitch kept the eswitch busy for longer than the hook
# may wait, vferry release takes the rest back, as the README says; this is told.
unchanged_b() {
	local tries after
	after=$(snapshot B)
	for tries in 1 2 3 4 5 6; do
		[ "$before" != "$after" ] || break
		echo "# taken back late, by vferry release ($tries)" >&3
		on B 'sleep 10; vferry release --yes' >&2 || :
		after=$(snapshot B)
	done
	same "$before" "$after"
	touch "$BATS_FILE_TMPDIR/unchanged"
}

@test "post-copy is refused before a byte is sent" {
	need_guest1
	before=$(snapshot B)
	station_start
	frames_flow
	station_start # counts from here on, when the guest is up and its path is known
	run migrate A B guest1 --postcopy
	refused "post-copy was asked for"
	unchanged_b
	no_frame_lost
}

# bats test_tags=long
@test "post-copy in peer-to-peer mode is refused too" {
	need_guest1
	before=$(snapshot B)
	run migrate A B guest1 --p2p --postcopy --postcopy-after-precopy
	refused "post-copy was asked for"
	unchanged_b
}

@test "a guest with a vIOMMU is refused" {
	need viommu --vf "$(pf A)/2" --iommu intel --cmdline "ip=10.77.0.20 silent hz=20"
	before=$(snapshot B)
	run migrate A B viommu
	echo "$output"
	[ "$status" != 0 ]
	[ "$(state A viommu)" = running ]
	unchanged_b
}

@test "the hook itself refuses a vIOMMU, whatever QEMU says" {
	need viommu --vf "$(pf A)/2" --iommu intel --cmdline "ip=10.77.0.20 silent hz=20"
	xml=$(on A "virsh -c $URI dumpxml --migratable viommu")
	before=$(snapshot B)
	run on B '/etc/libvirt/hooks/qemu.d/50-vferry viommu migrate begin - 2>&1' <<<"$xml"
	[ "$status" = 1 ]
	contains "$output" "the guest has a vIOMMU (model 'intel')"
	unchanged_b
}

# bats test_tags=long
@test "a guest with 5 VFs of one PF is refused" {
	need five --vf "$(pf A)/3" --vf "$(pf A)/4" --vf "$(pf A)/5" --vf "$(pf A)/6" --vf "$(pf A)/7" --cmdline "ip=10.77.0.30 silent hz=20"
	before=$(snapshot B)
	run migrate A B five
	refused "the guest has 5 VFs of one PF" five
	unchanged_b
}

# bats test_tags=long
@test "a destination without Open vSwitch is refused" {
	need_guest1
	before=$(snapshot B)
	on B '/usr/share/openvswitch/scripts/ovs-ctl stop'
	run migrate A B guest1
	on B '/usr/share/openvswitch/scripts/ovs-ctl start --system-id=random' >/dev/null
	refused "Open vSwitch"
	contains "$output" "start it on this host with"
	unchanged_b
}

@test "a destination without a free VF is refused, and each PF is named with the reason" {
	need_guest1
	configure B "[host]
pf = $(pf B)
vfs = 1"
	guest B other --vf "$(pf B)/0"
	before=$(snapshot B)
	run migrate A B guest1
	refused "no free VF"
	contains "$output" "$(pf B 0)"
	contains "$output" "$(pf B 1)"
	same "$before" "$(snapshot B)"
	[ "$(state B other)" = running ]
}

# card_b OPTION...: takes host B's software card away, and loads it anew with these module options.
card_b() {
	on B "rmmod mlx5_vfio_pci mlx5_core swcx7_hw"
	[ "$1" = none ] || on B "/usr/lib/vferry-lab/load-cx7 B '$*'"
}

# bats test_tags=long
@test "a destination without a CX-7 is refused" {
	need_guest1
	card_b none
	before=$(snapshot B)
	run migrate A B guest1
	after=$(snapshot B)
	on B "/usr/lib/vferry-lab/load-cx7 B ''"
	refused "no card whose VFs can be live-migrated"
	same "$before" "$after"
}

# bats test_tags=long
@test "a destination with another card is refused, and the card is named" {
	need_guest1
	card_b pf_device=0x101d
	before=$(snapshot B)
	run migrate A B guest1
	after=$(snapshot B)
	card_b ''
	refused "it is a ConnectX-6 Dx, whose VFs cannot be live-migrated"
	same "$before" "$after"
}

@test "a destination with another PSID is refused, and both are named" {
	need_guest1
	card_b psid=MT_0000000999
	before=$(snapshot B)
	run migrate A B guest1
	after=$(snapshot B)
	card_b ''
	refused "its PSID is MT_0000000999 and the source's is MT_0000000834"
	same "$before" "$after"
}

# bats test_tags=long
@test "another firmware on the destination is refused, and both versions are named" {
	need_guest1
	xml=$(on A "virsh -c $URI dumpxml --migratable guest1" | sed 's/firmware="[^"]*"/firmware="28.99.1000"/')
	before=$(snapshot B)
	run on B '/etc/libvirt/hooks/qemu.d/50-vferry guest1 migrate begin - 2>&1' <<<"$xml"
	[ "$status" = 1 ]
	contains "$output" "the source's is 28.99.1000"
	unchanged_b
}

@test "a failed migration leaves the destination as it was" {
	need_guest1
	before=$(snapshot B)
	on A "virsh -c $URI migrate --live --bandwidth 1 guest1 qemu+tcp://hostB/system >/root/migrate.log 2>&1 &
		for i in \$(seq 200); do virsh -c $URI domjobinfo guest1 2>/dev/null | grep -q 'Data processed' && break; sleep 0.1; done
		virsh -c $URI domjobabort guest1; wait"
	[ "$(state A guest1)" = running ]
	[ -z "$(state B guest1)" ]
	unchanged_b
	run migrate A B guest1
	echo "$output"
	[ "$status" = 0 ]
}

@test "a guest that gets no slot is told who has them, whether it waited or may not wait" {
	wipe A
	wipe B
	guest A guest1 --vf "$(pf A)/1"
	first=$(on A "virsh -c $URI dumpxml --migratable guest1")
	second=$(sed -E 's|<uuid>.*</uuid>|<uuid>11111111-2222-3333-4444-555555555555</uuid>|; s|guest1|guest2|; s|52:54:00:..|52:54:00:fe|' <<<"$first")
	before=$(snapshot B)
	hook=/etc/libvirt/hooks/qemu.d/50-vferry slots="[host]
pf = $(pf B)
[limits]
vfs_in_flight = 1
[hook]"
	configure B "$slots
slot_wait = 2"
	on B "$hook guest1 migrate begin - >/root/first.xml" <<<"$first"
	run on B "$hook guest2 migrate begin - 2>&1" <<<"$second"
	echo "$output"
	[ "$status" = 1 ]
	contains "$output" "vferry: guest2: no slot for live migration came free within 2 s: "
	contains "$output" "its 1 slot for live migration is taken by guest1"
	contains "$output" "slot_wait in vferry.conf"
	contains "$(on B 'grep "waiting for a slot" /var/log/messages')" "guest2: migrate: waiting for a slot, up to 2 s: "
	configure B "$slots
slot_queue = 0"
	run on B "$hook guest2 migrate begin - 2>&1" <<<"$second"
	echo "$output"
	[ "$status" = 1 ]
	contains "$output" "nobody may wait for one; in flight are PF $(pf B): guest1; "
	on B "$hook guest1 prepare begin - </root/first.xml && $hook guest1 release end failed </root/first.xml"
	on B 'rm /etc/vferry/vferry.conf; find /run/vferry -type f -path "*queue*" | grep . && exit 1; exit 0'
	unchanged_b
}

# The last test of this file: it leaves both hosts with other cards.
# bats test_tags=long
@test "a BlueField-3 is refused with what switches it on, and its guest moves when that is done" {
	wipe A
	wipe B
	for host in A B; do
		on "$host" "rmmod mlx5_vfio_pci mlx5_core swcx7_hw && /usr/lib/vferry-lab/load-cx7 $host pf_device=0xa2dc,firmware=32.42.1000"
	done
	configure A "[host]
cards = bluefield-3"
	guest A guest1 --vf "$(pf A)/1"
	before=$(snapshot B)
	run migrate A B guest1
	refused "it is a BlueField-3, and cards of that kind are not switched on here"
	contains "$output" "set cards = all in vferry.conf"
	unchanged_b
	[[ $(on B 'vferry check --json') == *"it is a BlueField-3, and cards of that kind are not switched on here"* ]]
	configure B "[host]
cards = all"
	run migrate A B guest1
	echo "$output"
	[ "$status" = 0 ]
	[ "$(state B guest1)" = running ]
	[ "$(vfs B guest1 | wc -l)" = 1 ]
}
