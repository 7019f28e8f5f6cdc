#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The agent at its limits: what it ends, what it allows, what it survives. All are long tests that share two guests, in their order (LONG=1);
# MIGRATIONS=N is how many go in a row (100).

load helpers.bash
load agent.bash

setup_file() {
	[ -n "${LONG:-}" ] || return 0
	lab_setup
	wipe_both
	agent A start
	agent B start
	guest A guest1 --define --vf "$(pf A)/1" --cmdline "ip=$GUEST_IP silent ballast=4" --no-passport ||
		on A "virsh -q -c $URI start guest1"
}

teardown_file() {
	[ -n "${LONG:-}" ] || return 0
	agent A stop
	agent B stop
	lab_teardown
}

# memory HOST: the agent's resident memory there, kB.
memory() {
	on "$1" 'awk "/^VmRSS/ { print \$2 }" /proc/$(cat /run/vferry-lab-agent.pid)/status'
}

# nobody_waits HOST: nothing is expected or in flight there, and no lease is left of a guest that is not there.
nobody_waits() {
	[ "$(on "$1" 'vferry status --json' | jq '(.migrations | length) + (.expected | length) + (.queue | length)')" = 0 ]
}

# at_perform HOST GUEST: the guest's memory is being sent.
at_perform() {
	on "$1" "grep -q \"phase='perform3'\" /run/libvirt/qemu/$2.xml"
}

# bats test_tags=long
@test "a VF that is plugged while the guest runs gets its representor and its passport, and gives them back" {
	eventually is_here A
	on A "echo \"<interface type='hostdev' managed='yes'><mac address='52:54:00:aa:bb:01'/><source><address type='pci' domain='0' bus='0x81' slot='0' function='0x5'/></source></interface>\" >/root/vf.xml
		devlink port function set pci/$(pf A)/4 migratable enable
		virsh -q -c $URI attach-device guest1 /root/vf.xml --live"
	eventually has_passport A 'mac="52:54:00:aa:bb:01"'
	[ "$(on A 'ovs-vsctl list-ports br-vferry | wc -l')" = 3 ]
	on A "virsh -q -c $URI detach-device guest1 /root/vf.xml --live"
	two_ports() { [ "$(on A 'ovs-vsctl list-ports br-vferry | wc -l')" = 2 ]; }
	eventually two_ports
	one_vf() { is_here A && [[ $(passport A) != *aa:bb:01* ]]; }
	eventually one_vf
}

# bats test_tags=long
@test "post-copy is ended on the source, which names the rule; later libvirt lets nobody ask for it" {
	run migrate A B guest1 --postcopy
	echo "$output"
	[ "$status" != 0 ]
	eventually said A 'rule L1-postcopy'
	said A 'the migration of this guest is ended, it runs on here'
	[ "$(state A guest1)" = running ]
	contains "$(on A 'vferry status --json')" 'L1-postcopy'
	on A "virsh -c $URI migrate --live --bandwidth 1 guest1 qemu+tcp://hostB/system >/root/guest1.log 2>&1 &"
	eventually at_perform A guest1
	run on A "virsh -c $URI migrate-postcopy guest1 2>&1"
	echo "$output"
	[ "$status" != 0 ]
	on A "virsh -c $URI domjobabort guest1"
	eventually is_here A
	eventually nobody_waits B
	contains "$(on A 'tail -n 1 /var/lib/vferry/migrations.jsonl')" '"outcome":"failed"'
}

# bats test_tags=long
@test "a card unlike what is known of the other hosts keeps its guest" {
	configure A '[peer]
firmware = 28.43.2000'
	quiet A
	reload A
	eventually said A 'the configuration is read again'
	run migrate A B guest1 --bandwidth 1
	echo "$output"
	configure A ''
	reload A
	[ "$status" != 0 ]
	[ "$(state A guest1)" = running ]
	eventually said A 'rule L6-same-firmware'
	eventually is_here A
	eventually nobody_waits B
}

# filler HOST BYTES: how much longer the states of VFs there are.
filler() {
	on "$1" "for f in /sys/kernel/debug/swcx7/pf*/state_filler_bytes; do echo $2 >\$f; done"
}

# bats test_tags=long
@test "more VFs than allowed do not leave at once: the newest migration is ended, and the older one goes on" {
	guest A guest2 --vf "$(pf A)/2" --cmdline "ip=10.77.0.20 silent ballast=4" --no-passport
	# A migration that goes on until it is told to end: 12 MB of state are left, and 8 MiB/s times 300 ms fit.
	filler A 12000000
	configure A '[limits]
vfs_in_flight = 1
[agent]
max_downtime = off'
	quiet A
	reload A
	eventually said A 'the configuration is read again'
	on A "virsh -c $URI migrate --live --bandwidth 8 guest1 qemu+tcp://hostB/system >/root/guest1.log 2>&1 &"
	eventually at_perform A guest1
	run migrate A B guest2 --bandwidth 1
	echo "$output"
	[ "$status" != 0 ]
	said A 'guest2: the migration of this guest is ended'
	said A 'rule L4-slots'
	[ "$(state A guest2)" = running ]
	at_perform A guest1
	# Without the agent's downtime it would go on for ever.
	on A "virsh -c $URI domjobinfo guest1" >"$BATS_TEST_TMPDIR/info"
	cat "$BATS_TEST_TMPDIR/info"
	grep -q 'Job type: *Unbounded' "$BATS_TEST_TMPDIR/info"
	on A "virsh -c $URI domjobabort guest1"
	configure A ''
	reload A
	eventually is_here A
	eventually nobody_waits B
}

# bats test_tags=long
@test "with the agent's downtime a state that does not fit into QEMU's arrives, and that is learned" {
	quiet A
	run migrate A B guest1 --bandwidth 8
	echo "$output"
	filler A 0
	[ "$status" = 0 ]
	said A 'QEMU may stop it for 475 ms'
	said A 'QEMU may stop it for 712 ms now'
	eventually said A 'gone, with a downtime of'
	eventually is_here B
	learned=$(on A 'cat /var/lib/vferry/downtime.json' | jq .ms_per_vf)
	echo "# $(on A 'grep vferryd /var/log/messages' | sed -n 's/.*guest1: gone, with/gone, with/p' | tail -n 1), limit raised $(on A 'grep -c "do not fit" /var/log/messages') times, learned $learned ms" >&3
	[ "$learned" -gt 475 ]
	# The next one begins with what was learned.
	migrate B A guest1
	eventually is_here A
	quiet A
	migrate A B guest1
	eventually said A 'QEMU may stop it for'
	[ "$(on A 'grep vferryd /var/log/messages' | sed -n 's/.*QEMU may stop it for \([0-9]*\) ms$/\1/p' | head -n 1)" -gt 712 ]
	eventually is_here B
	migrate B A guest1
	eventually is_here A
}

# bats test_tags=long
@test "libvirtd is restarted, killed and absent; the agent is killed in every phase: guests, ports and leases are as they should be" {
	on A 'kill -9 $(cat /run/libvirtd.pid); rm -f /run/libvirtd.pid; sleep 130; libvirtd --listen --daemon'
	quiet A
	eventually said A 'connected to libvirt'
	on A 'kill $(cat /run/libvirtd.pid); sleep 2; libvirtd --listen --daemon'
	eventually is_here A
	on A "virsh -q -c $URI metadata guest2 urn:vferry:passport:1 --live --remove"
	reload A
	second_has() { contains "$(passport A guest2)" 'psid='; }
	eventually second_has
	here=A there=B
	for phase in begin3 perform3 finish3 confirm3 gone; do
		for host in A B; do
			on "$host" "(until grep -qs \"phase='$phase'\" /run/libvirt/qemu/guest1.xml || { [ $phase = gone ] && [ ! -e /run/libvirt/qemu/guest1.xml ]; }; do
				[ \$SECONDS -lt 240 ] || exit; done; kill -9 \$(cat /run/vferry-lab-agent.pid); sleep 1; /usr/lib/vferry-lab/agent restart) >/dev/null 2>&1 &"
		done
		migrate "$here" "$there" guest1
		agent A stop
		agent B stop
		agent A start
		agent B start
		eventually is_here "$there"
		eventually nobody_waits "$here"
		[ "$(on "$here" "ovs-vsctl --bare --columns=name find port external_ids:vferry-guest=$(on "$there" "virsh -c $URI domuuid guest1" | head -n 1)" | wc -w)" = 0 ]
		read -r here there <<<"$there $here"
	done
	[ "$here" = B ]
	migrate B A guest1
	eventually is_here A
}

# bats test_tags=long
@test "the agent does not grow in many migrations and in a burst of events, and sleeps when nothing happens" {
	before_a=$(memory A) before_b=$(memory B)
	here=A there=B
	for i in $(seq "${MIGRATIONS:-100}"); do
		migrate "$here" "$there" guest1 || { echo "migration $i"; on "$there" 'tail -n 30 /var/log/messages'; return 1; }
		read -r here there <<<"$there $here"
	done
	echo "# ${MIGRATIONS:-100} migrations in a row: resident memory A $before_a to $(memory A) kB, B $before_b to $(memory B) kB" >&3
	[ "$(memory A)" -lt $((before_a + 4096)) ]
	[ "$(memory B)" -lt $((before_b + 4096)) ]
	eventually is_here "$here"
	# 50 guests' events: libvirt's test guests have no VF and no memory to speak of.
	before_a=$(memory A)
	on A "for i in \$(seq 50); do echo \"<domain type='qemu'><name>small\$i</name><memory unit='KiB'>2048</memory><os><type machine='isapc'>hvm</type></os></domain>\" >/root/small.xml
		virsh -q -c $URI create --paused /root/small.xml & [ \$((i % 10)) != 0 ] || wait; done; wait
		for i in \$(seq 50); do virsh -q -c $URI 'suspend small'\$i'; resume small'\$i'; suspend small'\$i'; destroy small'\$i & [ \$((i % 10)) != 0 ] || wait; done; wait" 2>&1 | tail -n 3
	echo "# events of 50 guests: resident memory $before_a to $(memory A) kB" >&3
	[ "$(memory A)" -lt $((before_a + 4096)) ]
	# Idle: little more than a minute, twice.
	sleep 10
	on A 'p=/proc/$(cat /run/vferry-lab-agent.pid); look() { awk "/^voluntary/ { printf \"%s \", \$2 }" $p/status; cut -d" " -f1 $p/schedstat; }
		look; sleep 65; look; timeout 65 strace -f -o /root/idle -e trace=poll,ppoll -p ${p#/proc/}
		echo "polls $(grep -c "poll(" /root/idle)"' >"$BATS_TEST_TMPDIR/idle"
	cat "$BATS_TEST_TMPDIR/idle"
	polls=$(sed -n 's/^polls //p' "$BATS_TEST_TMPDIR/idle")
	read -r switches cpu < <(awk 'NF == 2 && $1 ~ /^[0-9]+$/ { s[++n] = $1; c[n] = $2 } END { print s[2] - s[1], int((c[2] - c[1]) / 1000000) }' "$BATS_TEST_TMPDIR/idle")
	echo "# idle for 65 s: $switches voluntary switches and $cpu ms of (emulated) processor time; in 65 s more it polled $polls times" >&3
	# The minute's own work, in children too, is in both. Who looked ten times a second would be at 650.
	[ "$switches" -gt 0 ]
	[ "$switches" -lt 200 ]
	[ "$polls" -lt 200 ]
}
