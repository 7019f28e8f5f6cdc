#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What an operator types: vferry prepare, check, plan, status, release. Faults
# are planted one by one; each is named, and the command that is printed for
# it is typed as printed and mends it.

load helpers.bash

setup_file() {
	lab_setup
}

teardown_file() {
	lab_teardown
}

# checks HOST [ARGUMENT...]: runs vferry check, keeps its JSON in $json.
checks() {
	json=$(on "$1" "vferry check --json ${*:2}" || true)
	[ -n "$json" ]
}

# line ID [OBJECT]: the result of one line in $json: state, found, mend.
line() {
	jq -c --arg id "$1" --arg object "${2:-}" '[.checks[] | select(.id == $id and ($object == "" or .object == $object))][0]' <<<"$json"
}

# state_of ID [OBJECT]
state_of() {
	line "$@" | jq -r .state
}

# names STATE ID TEXT [OBJECT]: host A's line has this state and names the fault.
names() {
	checks A
	line "$2" "${4:-}" >&2
	[ "$(state_of "$2" "${4:-}")" = "$1" ]
	contains "$(line "$2" "${4:-}" | jq -r .found)" "$3"
}

# mends ID [OBJECT]: types the printed command; then the line is all right.
mends() {
	local mend
	mend=$(line "$@" | jq -r .mend)
	echo "mend: $mend" >&2
	[ -n "$mend" ]
	on A "$mend" >&2
	checks A
	line "$@" >&2
	[ "$(state_of "$@")" = ok ]
}

# legacy HOST: PF 0 as it boots. Open vSwitch lets go of its flows some time after their ports, and until then the mode cannot change:
# they are taken away by hand.
legacy() {
	on "$1" "for br in \$(ovs-vsctl list-br); do ovs-vsctl del-br \$br; done
		pf=$(pf "$1"); echo 0 >/sys/bus/pci/devices/\$pf/sriov_numvfs; echo 1 >/sys/bus/pci/devices/\$pf/sriov_drivers_autoprobe
		for i in \$(seq 20); do
			devlink dev eswitch show pci/\$pf | grep -q 'mode legacy' && exit 0
			for dev in /sys/class/net/*; do
				tc qdisc del dev \$(basename \$dev) ingress 2>/dev/null
				tc qdisc del dev \$(basename \$dev) clsact 2>/dev/null
			done
			devlink dev eswitch set pci/\$pf mode legacy 2>/dev/null || sleep 1
		done; exit 1"
}

# fresh HOST: as it boots.
fresh() {
	wipe "$1"
	legacy "$1"
}

# prepared HOST: what each test of a fault begins with.
prepared() {
	on "$1" "vferry prepare --pf $(pf "$1") --yes" >&2
}

# card HOST FILE VALUE: sets something of the software card's PF 0 in debugfs.
card() {
	on "$1" "echo '$3' >/sys/kernel/debug/swcx7/pf0/$2"
}

# ---- Prepare ----------------------------------------------------------------

@test "prepare makes a host as it boots ready, and check has nothing to say of the card and Open vSwitch" {
	fresh A
	run on A "vferry prepare --yes"
	echo "$output"
	[ "$status" = 0 ]
	contains "$output" "is ready for guests on bridge br-vferry"
	checks A
	[ "$(jq '[.checks[] | select((.id | test("^(S|L|P[1367]$)")) and (.state == "warning" or .state == "failure"))] | length' <<<"$json")" = 0 ]
	[ -z "$(on A 'find /run/vferry -name "*.json"')" ]
}

@test "a second prepare changes nothing" {
	prepared A
	before=$(snapshot A)
	run on A "vferry prepare --yes"
	[ "$status" = 0 ]
	contains "$output" "Nothing had to be done."
	same "$before" "$(snapshot A)"
}

@test "without --yes and without a terminal nothing is changed" {
	fresh A
	before=$(snapshot A)
	run on A "vferry prepare 2>&1"
	[ "$status" = 1 ]
	contains "$output" "nothing was changed; run it with --yes"
	same "$before" "$(snapshot A)"
}

@test "a step that fails is told, and what was done is taken back" {
	fresh A
	before=$(snapshot A)
	card A fault_migratable_set '5 1 lab says no'
	run on A "vferry prepare --pf $(pf A) --yes 2>&1"
	echo "$output"
	[ "$status" = 1 ]
	contains "$output" "failed"
	contains "$output" "lab says no"
	contains "$output" "what was done is taken back"
	same "$before" "$(snapshot A)"
	[ -z "$(on A 'find /run/vferry -name "*.json"')" ]
}

@test "a killed prepare is finished by the next one" {
	fresh A
	card A eswitch_delay_ms 3000
	on A 'vferry prepare --yes >/dev/null 2>&1 & pid=$!; sleep 2; kill -KILL $pid; wait $pid' || true
	sleep 4
	card A eswitch_delay_ms 200
	run on A "vferry prepare --pf $(pf A) --yes 2>&1"
	echo "$output"
	[ "$status" = 0 ]
	[ -z "$(on A 'find /run/vferry -name "*.json"')" ]
}

@test "a guest moves between two hosts that were prepared" {
	for host in A B; do
		wipe "$host"
		prepared "$host"
	done
	guest A guest1 --vf "$(pf A)/1"
	run on A "vferry check guest1"
	echo "$output"
	[ "$status" = 0 ]
	run on A "vferry status"
	echo "$output"
	contains "$output" "guest1"
	on B "vferry inventory" >"$BATS_TEST_TMPDIR/b.json"
	on A "cat >/root/b.json" <"$BATS_TEST_TMPDIR/b.json"
	checks A guest1 --against /root/b.json
	line V5 >&2
	[ "$(state_of V5)" = ok ]
	run on A "vferry plan guest1 --inventory /root/b.json"
	echo "$output"
	contains "$output" "guest1 can come to"
	run migrate A B guest1
	echo "$output"
	[ "$status" = 0 ]
	[ "$(state B guest1)" = running ]
}

@test "the number of VFs does not change while a guest has one" {
	wipe A
	prepared A
	guest A guest1 --vf "$(pf A)/1"
	before=$(snapshot A)
	run on A "vferry prepare --vfs 4 --yes 2>&1"
	echo "$output"
	[ "$status" = 1 ]
	contains "$output" "is held by driver mlx5_vfio_pci"
	same "$before" "$(snapshot A)"
	wipe A
}

@test "the number of VFs changes while nobody has one" {
	wipe A
	prepared A
	run on A "vferry prepare --vfs 4 --yes"
	echo "$output"
	[ "$status" = 0 ]
	[ "$(on A "cat /sys/bus/pci/devices/$(pf A)/sriov_numvfs")" = 4 ]
}

# ---- Faults -----------------------------------------------------------------

# bats test_tags=long
@test "fault: the uplink is down" {
	wipe A
	prepared A
	uplink=$(on A "vferry status --json" | jq -r '.pfs[0].uplink')
	on A "ip link set dev $uplink down"
	names failure P7 "$uplink is down" "$(pf A)"
	mends P7 "$(pf A)"
}

# bats test_tags=long
@test "fault: libvirtd has too few threads for those who may wait" {
	threads_at_boot A
	names warning V7 "libvirtd has 5 threads for calls; with 8 guests that wait for a slot (slot_queue) it needs 10"
	mends V7
}

# bats test_tags=long
@test "fault: hardware offload is off" {
	prepared A
	on A "ovs-vsctl remove Open_vSwitch . other_config hw-offload"
	names warning S5b "hw-offload is not true"
	mends S5b
}

# bats test_tags=long
@test "fault: idle flows leave the card early" {
	prepared A
	on A "ovs-vsctl set Open_vSwitch . other_config:max-idle=10000"
	names warning S5c "max-idle is 10000 ms"
	mends S5c
}

# bats test_tags=long
@test "fault: the uplink is in no bridge" {
	prepared A
	uplink=$(on A "vferry status --json" | jq -r '.pfs[0].uplink')
	on A "ovs-vsctl del-port $uplink"
	names warning S5f "$uplink is in no bridge" "$(pf A)"
	mends S5f "$(pf A)"
}

# bats test_tags=long
@test "fault: there is no bridge" {
	prepared A
	on A "ovs-vsctl del-br br-vferry"
	names warning S5d "there is no bridge br-vferry"
	mends S5d
}

# bats test_tags=long
@test "fault: a port has failed" {
	prepared A
	on A "ovs-vsctl --may-exist add-br br-vferry -- add-port br-vferry gone0" || true
	names warning S5e "port gone0 of bridge br-vferry"
	mends S5e
}

# bats test_tags=long
@test "fault: a VF is not migratable" {
	prepared A
	on A "devlink port function set \$(devlink port show | sed -n 's/^\(pci[^:]*:[^:]*:[^:]*\): .*vfnum 3.*/\1/p') migratable disable"
	names warning S4 "7 of 8 VFs are migratable" "$(pf A)"
	mends S4 "$(pf A)"
}

# bats test_tags=long
@test "fault: the host's driver holds a VF" {
	prepared A
	on A "vf=\$(basename \$(readlink /sys/bus/pci/devices/$(pf A)/virtfn2)); echo mlx5_core >/sys/bus/pci/devices/\$vf/driver_override &&
		echo \$vf >/sys/bus/pci/drivers_probe"
	names warning S3 "the host's driver holds VFs that nobody uses" "$(pf A)"
	mends S3 "$(pf A)"
}

# bats test_tags=long
@test "fault: there are no VFs" {
	prepared A
	on A "echo 0 >/sys/bus/pci/devices/$(pf A)/sriov_numvfs"
	names warning S2 "it has none of 8 VFs" "$(pf A)"
	mends S2 "$(pf A)"
}

# bats test_tags=long
@test "fault: the eswitch is in legacy mode" {
	prepared A
	legacy A
	names warning S1 "the eswitch is in legacy mode" "$(pf A)"
	mends S1 "$(pf A)"
}

# bats test_tags=long
@test "fault: the eswitch cannot be switched, since the uplink has an address" {
	fresh A
	uplink=$(on A "vferry status --json" | jq -r '.pfs[0].uplink')
	on A "ip address add 192.0.2.1/24 dev $uplink"
	checks A
	run on A "vferry prepare --pf $(pf A) --yes 2>&1"
	on A "ip address del 192.0.2.1/24 dev $uplink"
	[ "$status" = 1 ]
	[ "$(state_of S1 "$(pf A)")" = failure ]
	contains "$(line S1 "$(pf A)" | jq -r .found)" "would take the carrier of $uplink for seconds: $uplink has an address"
	[ "$(state_of S5f "$(pf A)")" = failure ]
	contains "$(line S5f "$(pf A)" | jq -r .found)" "$uplink has an address of this host"
}

# bats test_tags=long
@test "fault: Open vSwitch does not run" {
	prepared A
	on A "/usr/share/openvswitch/scripts/ovs-ctl stop"
	names failure S5a "it does not run"
	mends S5a
}

# bats test_tags=long
@test "fault: a guest's representor is down, or in no bridge" {
	wipe A
	prepared A
	guest A guest1 --vf "$(pf A)/1"
	port=$(on A "vferry status --json" | jq -r '.pfs[0].vfs[] | select(.holder == "guest1") | .representor')
	on A "ip link set dev $port down"
	names failure S5g "the representor $port of guest guest1 is down" "$(pf A)"
	mends S5g "$(pf A)"
	on A "ovs-vsctl del-port $port"
	names failure S5g "the representor $port of guest guest1 is in no bridge" "$(pf A)"
	mends S5g "$(pf A)"
	wipe A
}

# bats test_tags=long
@test "fault: firmware is too old, or waits for a reset" {
	fresh A
	card A firmware 28.35.1000
	names failure P1 "its firmware is 28.35.1000, and live migration needs 28.36.1010" "$(pf A)"
	names warning L6 "28.35.1000 runs and 28.42.1000 is stored" "$(pf A)"
	card A firmware 28.42.1000
	names ok P1 "28.42.1000 runs" "$(pf A)"
}

# bats test_tags=long
@test "fault: VF_MIGRATION_MODE is off" {
	fresh A
	card A capability_migration N
	run on A "vferry prepare --pf $(pf A) --yes 2>&1"
	echo "$output"
	[ "$status" = 1 ]
	contains "$output" "VF_MIGRATION_MODE"
	on A "devlink dev eswitch set pci/$(pf A) mode switchdev; echo 0 >/sys/bus/pci/devices/$(pf A)/sriov_drivers_autoprobe
		echo 8 >/sys/bus/pci/devices/$(pf A)/sriov_numvfs"
	names failure P3 "does not offer 'migratable' for 8 of 8 VFs" "$(pf A)"
	contains "$(line P3 "$(pf A)" | jq -r .mend)" "set VF_MIGRATION_MODE=2"
	card A capability_migration Y
	names ok P3 "offers 'migratable'" "$(pf A)"
	wipe A
}

# bats test_tags=long
@test "fault: another PSID and another firmware on the other host" {
	for host in A B; do
		wipe "$host"
		prepared "$host"
	done
	for fault in "psid MT_0000000999 L5 MT_0000000834" "firmware 28.44.1036 L6 28.42.1000"; do
		read -r file value id usual <<<"$fault"
		card B "$file" "$value"
		on B "echo '$value' >/sys/kernel/debug/swcx7/pf1/$file"
		on B "vferry inventory" >"$BATS_TEST_TMPDIR/b.json"
		card B "$file" "$usual"
		on B "echo '$usual' >/sys/kernel/debug/swcx7/pf1/$file"
		on A "cat >/root/b.json" <"$BATS_TEST_TMPDIR/b.json"
		checks A --against /root/b.json
		result=$(jq -c --arg id "$id" '[.checks[] | select(.id == $id and (.name | test("^same")))][0]' <<<"$json")
		echo "$result"
		[ "$(jq -r .state <<<"$result")" = failure ]
		contains "$(jq -r .found <<<"$result")" "$value"
	done
}

# bats test_tags=long
@test "fault: vferry's hook is missing" {
	on A "mv /etc/libvirt/hooks/qemu.d/50-vferry /root/"
	names failure L1 "hook is not installed"
	on A "mv /root/50-vferry /etc/libvirt/hooks/qemu.d/"
	names ok L1 "is installed"
}

# bats test_tags=long
@test "fault: a guest has a vIOMMU" {
	prepared A
	"$LAB" guest A guest1 --vf "$(pf A)/1" --iommu intel --print >"$BATS_TEST_TMPDIR/guest.xml"
	on A "cat >/root/guest.xml" < <(sed "s|<name>|<uuid>11111111-2222-3333-4444-555555555555</uuid><name>|" "$BATS_TEST_TMPDIR/guest.xml")
	checks A --domain /root/guest.xml
	[ "$(state_of L2)" = failure ]
	contains "$(line L2 | jq -r .found)" "vIOMMU"
}

# bats test_tags=long
@test "fault: a guest that was announced never came" {
	wipe A
	wipe B
	guest B guest1 --vf "$(pf B)/1"
	configure A "[hook]
lease_time = 10"
	before=$(snapshot A)
	xml=$(on B "virsh -c $URI dumpxml --migratable guest1")
	on A '/etc/libvirt/hooks/qemu.d/50-vferry guest1 migrate begin - >/dev/null' <<<"$xml"
	[ "$before" != "$(snapshot A)" ]
	sleep 12
	names warning V1 "left of guests that are gone: guest1"
	mends V1
	same "$before" "$(snapshot A)"
}

@test "a host without a CX-7 says so in one line" {
	wipe A
	on A "rmmod mlx5_vfio_pci mlx5_core swcx7_hw"
	run on A "vferry check 2>&1"
	echo "$output"
	status_check=$status
	on A "/usr/lib/vferry-lab/load-cx7 A ''"
	[ "$status_check" = 1 ]
	[ "$(wc -l <<<"$output")" = 1 ]
	contains "$output" "has no ConnectX-7"
}

@test "without root check shows what it can and names what it could not see" {
	prepared A
	on A "id nobody" >/dev/null
	run on A "setpriv --reuid=65534 --regid=65534 --clear-groups /usr/sbin/vferry check 2>&1"
	echo "$output"
	contains "$output" "not seen without root"
	contains "$output" "$(pf A)"
}
