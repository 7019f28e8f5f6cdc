#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The agent: what libvirt calls no hook for. The tests share one silent guest, which each takes as the one before has left it: those
# tagged long run as one, in their order (LONG=1).

load helpers.bash

setup_file() {
	lab_setup
	wipe_both
	agent A start
	agent B start
	# On a machine that is busy with other things Open vSwitch may take too long at first: then once more, from what is done by then.
	guest A guest1 --define --vf "$(pf A)/1" --cmdline "ip=$GUEST_IP silent ballast=4" --no-passport ||
		on A "virsh -q -c $URI start guest1"
}

teardown_file() {
	agent A stop
	agent B stop
	lab_teardown
}

# agent HOST start|stop
agent() {
	on "$1" "/usr/lib/vferry-lab/agent $2"
}

# passport HOST: the guest's passport there, a line.
passport() {
	on "$1" "virsh -c $URI metadata guest1 urn:vferry:passport:1 2>/dev/null" | tr -d '\n'
}

# eventually COMMAND...: until it succeeds, half a minute at most; shows what it says if it never does.
eventually() {
	local tries
	for tries in $(seq 60); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.5
	done
	"$@" || { echo "not true after $tries tries: $*" >&2; return 1; }
}

# has_passport HOST TEXT...: the passport there contains each text.
has_passport() {
	local text now
	now=$(passport "$1")
	shift
	for text in "$@"; do
		contains "$now" "$text" || return 1
	done
}

# said HOST TEXT: the agent's log there contains it.
said() {
	contains "$(on "$1" 'grep vferryd /var/log/messages')" "$2"
}

# rep HOST: the port of the guest's representor.
rep() {
	on "$1" 'ovs-vsctl list-ports br-vferry' | grep -v 'np[01]$'
}

# is_here HOST: the guest runs there, has a passport of that host, and no job.
is_here() {
	[ "$(state "$1" guest1)" = running ] && has_passport "$1" "pf=\"$(pf "$1")\""
}

# answers: the guest has answered the station.
answers() {
	[ "$(report '.pings[0].answered > 20')" = true ]
}

# blackout FROM TO: moves the silent guest, and prints for how long the station's pings had no answer, as it is 4 s later.
blackout() {
	station_start --ping "$GUEST_IP" >/dev/null
	eventually answers
	run migrate "$1" "$2" guest1
	echo "$output" >&2
	[ "$status" = 0 ] || return 1
	sleep 4
	report '.pings[0] | [.silent_ms, .longest_gap.ms] | max | round'
}

@test "a guest gets its passport, also with what somebody sets on its port afterwards" {
	eventually has_passport A 'psid="MT_0000000834"' 'firmware="28.42.1000"' "pf=\"$(pf A)\"" 'bridge="br-vferry"'
	on A "ovs-vsctl set port $(rep A) tag=0 vlan_mode=native-untagged trunks=0,20 -- set interface $(rep A) \
		ingress_policing_rate=900000 external_ids:iface-id=port-one external_ids:vm-uuid=one external_ids:bad='a b'"
	eventually has_passport A 'tag="0"' 'vlan-mode="native-untagged"' 'trunks="0 20"' 'ingress-rate="900000"' 'iface-id="port-one"' \
		'vm-uuid="one"'
}

# bats test_tags=long
@test "a silent guest is found at once where it has gone, its port's settings are there, and nothing of it is left behind" {
	with=$(blackout A B)
	[ "$(state B guest1)" = running ]
	said B 'announced 52:54:'
	same "$(on B "ovs-vsctl get port $(rep B) tag vlan_mode trunks -- get interface $(rep B) ingress_policing_rate external_ids:iface-id \
		external_ids:vm-uuid external_ids:vm-id" | tr -d \")" "0
native-untagged
[0, 20]
900000
port-one
one
$(on B "virsh -c $URI domuuid guest1" | head -n 1)"
	said A 'the guest has gone, port'
	[ "$(on A 'ovs-vsctl list-ports br-vferry | wc -l')" = 1 ]
	eventually is_here B
	agent A stop
	without=$(blackout B A)
	agent A start
	echo "# no answer for $with ms with the agent, for $without ms without it (and then it was still lost)" >&3
	[ "$(report '.pings[0].silent_ms > 3000')" = true ]
	[ "$with" -lt "$without" ]
	eventually is_here A
}

# bats test_tags=long
@test "after --persistent the stored definition names the VF that the guest has, and nothing else is changed" {
	before=$(on A "virsh -c $URI dumpxml --inactive --security-info guest1")
	run migrate A B guest1 --persistent
	echo "$output"
	[ "$status" = 0 ]
	eventually said B 'its stored definition named VF'
	live=$(vfs B guest1)
	[ -n "$live" ]
	[ "$(on B "virsh -c $URI dumpxml --inactive guest1" | sed -n "/<source>/,/<\/source>/s/.*bus='0x\(..\)'.*/\1/p")" = "${live:5:2}" ]
	after=$(on B "virsh -c $URI dumpxml --inactive --security-info guest1")
	[ "$before" != "$after" ]
	same "$(sed "/<source>/,/<\/source>/s/<address .*//" <<<"$before")" "$(sed "/<source>/,/<\/source>/s/<address .*//" <<<"$after")"
	eventually is_here B
}

# bats test_tags=long
@test "a VF that is plugged while the guest runs gets its representor and its passport, and gives them back" {
	on B "echo \"<interface type='hostdev' managed='yes'><mac address='52:54:00:aa:bb:01'/><source><address type='pci' domain='0' bus='0xc1' slot='0' function='0x5'/></source></interface>\" >/root/vf.xml
		devlink port function set pci/$(pf B)/4 migratable enable 2>/dev/null
		virsh -q -c $URI attach-device guest1 /root/vf.xml --live"
	eventually has_passport B 'mac="52:54:00:aa:bb:01"'
	[ "$(on B 'ovs-vsctl list-ports br-vferry | wc -l')" = 3 ]
	on B "virsh -q -c $URI detach-device guest1 /root/vf.xml --live"
	[ "$(on B 'for i in $(seq 60); do [ "$(ovs-vsctl list-ports br-vferry | wc -l)" != 2 ] || break; sleep 0.5; done; ovs-vsctl list-ports br-vferry | wc -l')" = 2 ]
	eventually is_here B
	[[ $(passport B) != *aa:bb:01* ]]
}

# bats test_tags=long
@test "post-copy is ended on the source, which names the rule" {
	run migrate B A guest1 --postcopy
	echo "$output"
	[ "$status" != 0 ]
	eventually said B 'rule L1-postcopy'
	said B 'the migration of this guest is ended, it runs on here'
	[ "$(state B guest1)" = running ]
	contains "$(on B 'vferry status')" 'L1-postcopy'
}

# bats test_tags=long
@test "a state that does not fit into QEMU's downtime never ends without the agent and does with it" {
	on B 'for f in /sys/kernel/debug/swcx7/pf*/state_filler_bytes; do echo 12000000 >$f; done'
	configure B '[agent]
max_downtime = off'
	on B 'kill -HUP $(cat /run/vferry-lab-agent.pid)'
	# 8 MiB/s and 300 ms: 2.5 MB may be left, and 12 MB are.
	on B "virsh -c $URI migrate --live guest1 qemu+tcp://hostA/system --bandwidth 8 >/root/migrate.log 2>&1 &
		for i in \$(seq 60); do virsh -c $URI domjobinfo guest1 | grep -q 'Iteration: *\([2-9]\|[0-9][0-9]\)' && break; sleep 0.5; done; sleep 5
		virsh -c $URI domjobinfo guest1; virsh -c $URI domstate guest1; virsh -c $URI domjobabort guest1; wait; cat /root/migrate.log" >"$BATS_TEST_TMPDIR/off"
	cat "$BATS_TEST_TMPDIR/off"
	[ "$(state B guest1)" = running ]
	grep -q 'Job type: *Unbounded' "$BATS_TEST_TMPDIR/off"
	eventually on A '[ -z "$(virsh -q -c qemu:///system list --name | tr -d "\n")" ]'
	configure B ''
	on B 'kill -HUP $(cat /run/vferry-lab-agent.pid)'
	run migrate B A guest1 --bandwidth 8
	echo "$output"
	on B 'for f in /sys/kernel/debug/swcx7/pf*/state_filler_bytes; do echo 0 >$f; done'
	[ "$status" = 0 ]
	said B 'QEMU may stop it for'
	[ "$(state A guest1)" = running ]
	echo "# $(on B 'grep vferryd /var/log/messages' | sed -n 's/.*guest1: gone, with/gone, with/p' | tail -n 1), limit raised $(on B 'grep -c "do not fit" /var/log/messages') times" >&3
}

# bats test_tags=long
@test "more VFs than allowed do not leave at once: the newest migration is ended" {
	eventually is_here A
	guest A guest2 --vf "$(pf A)/2" --cmdline "ip=10.77.0.20 silent ballast=24" --no-passport
	configure A '[limits]
vfs_in_flight = 1'
	on A 'kill -HUP $(cat /run/vferry-lab-agent.pid)'
	on A "for g in guest1 guest2; do virsh -c $URI migrate --live --bandwidth 1 \$g qemu+tcp://hostB/system >/root/\$g.log 2>&1 & sleep 1; done; wait; cat /root/guest?.log"
	eventually said A 'rule L4-slots'
	# The older one has gone, the newer one is here.
	[ "$(state B guest1)" = running ]
	[ "$(state A guest2)" = running ]
}

# bats test_tags=long
@test "the agent comes back to a libvirtd that was killed, and does not grow" {
	pid=$(on A 'cat /run/vferry-lab-agent.pid')
	before=$(on A "sed -n 's/^VmRSS: *\([0-9]*\).*/\1/p' /proc/$pid/status")
	on A 'kill -9 $(cat /run/libvirtd.pid); sleep 1; rm -f /run/libvirtd.pid; libvirtd --listen --daemon'
	eventually on A "[ \$(grep -c 'vferryd.*connected to libvirt' /var/log/messages) -ge 3 ]"
	on A "virsh -q -c $URI metadata guest2 urn:vferry:passport:1 --live --remove"
	on A 'for i in $(seq 200); do virsh -q -c qemu:///system suspend guest2; virsh -q -c qemu:///system resume guest2; done 2>&1 | head -n 5'
	[ "$(on A "readlink /proc/$pid/exe")" = /usr/sbin/vferryd ]
	after=$(on A "sed -n 's/^VmRSS: *\([0-9]*\).*/\1/p' /proc/$pid/status")
	echo "# resident memory $before kB before and $after kB after 400 events and a new libvirtd" >&3
	[ "$after" -lt $((before + 4096)) ]
}
