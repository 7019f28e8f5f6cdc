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

# settings HOST [TEXT]: the agent there has read this configuration.
settings() {
	quiet "$1"
	configure "$1" "${2:-}"
	reload "$1"
	eventually said "$1" 'the configuration is read again'
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

# card HOST FILE VALUE: what the card there says of itself.
card() {
	on "$1" "for f in /sys/kernel/debug/swcx7/pf*/$2; do echo $3 >\$f; done"
}

# bats test_tags=long
@test "a card unlike the source's takes no guest: refused at the destination by the passport, ended at the source by what is known of the others" {
	local fault file other usual rule word
	eventually is_here A
	for fault in "psid MT_0000000999 MT_0000000834 L5-psid PSID" "firmware 28.43.2000 28.42.1000 L6-same-firmware firmware"; do
		read -r file other usual rule word <<<"$fault"
		card B "$file" "$other"
		run migrate A B guest1
		card B "$file" "$usual"
		echo "$output"
		[ "$status" != 0 ]
		contains "$output" "its $word is $other and the source's is $usual"
		[ "$(state A guest1)" = running ]
		settings A "[peer]
$file = $other"
		run migrate A B guest1 --bandwidth 1
		echo "$output"
		[ "$status" != 0 ]
		eventually said A "rule $rule"
		settings A
		[ "$(state A guest1)" = running ]
		eventually is_here A
		eventually nobody_waits B
	done
}

# written TEXT: somebody on the source writes this into the guest's metadata as its passport.
written() {
	on A "cat >/root/passport; virsh -q -c $URI metadata guest1 urn:vferry:passport:1 --live --key vf --set \"\$(cat /root/passport)\"" <<<"$1"
}

# bats test_tags=long
@test "a passport that somebody has made up moves nothing: it is refused or left out, and that is said" {
	agent A stop # it would write a right one
	mac=$(on A "virsh -c $URI dumpxml guest1" | sed -n "s/.*<mac address='\(.*\)'.*/\1/p" | head -n 1)
	before=$(snapshot B)
	# Huge.
	written "<passport version='1'>$(for i in $(seq 33); do echo "<vf mac='52:54:00:00:01:$(printf %02x "$i")'/>"; done)</passport>"
	run migrate A B guest1
	echo "$output"
	[ "$status" != 0 ]
	contains "$output" "the guest's passport has more than 32 entries"
	# For a bridge that is not this host's to give.
	written "<passport version='1'><vf mac='$mac' psid='MT_0000000834' firmware='28.42.1000' bridge='br-other'/></passport>"
	run migrate A B guest1
	echo "$output"
	[ "$status" != 0 ]
	contains "$output" "br-other"
	same "$before" "$(snapshot B)"
	# A wrong MAC, long and odd values, fields that nobody knows, a device that the guest does not have.
	quiet B
	written "<passport version='1' host='\$(reboot)'><vf mac='01:00:5e:00:00:01' psid='$(printf 'A%.0s' $(seq 50000))'/><run command='reboot'>reboot</run>
		<vf mac='$mac' psid='MT_0000000834' firmware='28.42.1000' bridge='br-vferry' colour='red'><run>reboot</run></vf>
		<vf mac='52:54:00:00:00:99' psid='MT_0000000834' bridge='br-other' tag='7' iface-id='another'/></passport>"
	run migrate A B guest1
	echo "$output"
	[ "$status" = 0 ]
	contains "$(on B 'cat /var/log/messages')" "of the guest's passport something is left out: entry 1 has a wrong mac"
	same "$(on B 'ovs-vsctl list-br')" br-vferry
	[ "$(on B "ovs-vsctl get port $(rep B) tag")" = '[]' ]
	[[ $(on B 'ovs-vsctl list interface') != *another* ]]
	agent A start
	# The agent where it has arrived writes a right one.
	eventually is_here B
	[[ $(passport B) != *01:00:5e* && $(passport B) != *br-other* ]]
	# So does the agent of the source, of what somebody writes while it is there.
	migrate B A guest1
	eventually is_here A
	written "<passport version='1'><vf mac='52:54:00:00:00:99'/></passport>"
	reload A
	eventually is_here A
}

# frames HOST: how many frames its VFs have got.
frames() {
	on "$1" 'sum=0; for f in /sys/kernel/debug/swcx7/pf0/vf*/frames; do read -r _ n _ <$f; sum=$((sum + n)); done; echo $sum'
}

# gets_frames HOST: what is sent to the silent guest comes there.
gets_frames() {
	local before
	before=$(frames "$1")
	more() { [ "$(frames "$1")" -gt $((before + 50)) ]; }
	eventually more "$1"
}

# bats test_tags=long
@test "a silent guest whose migration fails is found where it runs on, also when the destination has announced it" {
	to_guest
	gets_frames A
	quiet A
	# Its last state cannot be saved: it is stopped by then.
	on A 'echo "5 1" >/sys/kernel/debug/swcx7/pf0/fault_state_save'
	run migrate A B guest1
	echo "$output"
	on A 'echo 0 >/sys/kernel/debug/swcx7/pf0/fault_state_save'
	[ "$status" != 0 ]
	[ "$(state A guest1)" = running ]
	gets_frames A
	said A 'announced 52:54:'
	# It was never stopped.
	quiet A
	on A "virsh -c $URI migrate --live --bandwidth 1 guest1 qemu+tcp://hostB/system >/root/guest1.log 2>&1 &"
	eventually at_perform A guest1
	on A "virsh -c $URI domjobabort guest1"
	eventually said A 'announced 52:54:'
	gets_frames A
	to_guest_end
	[ "$(on A 'tail -n 2 /var/lib/vferry/migrations.jsonl' | jq -r '[.outcome, .reason] | join(" ")' | sort -u)" = "failed it ended in libvirt's phase perform3" ]
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
	settings A '[limits]
vfs_in_flight = 1
[agent]
max_downtime = off'
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
	settings A
	eventually is_here A
	eventually nobody_waits B
}

# bats test_tags=long
@test "of five guests that leave with a VF of one PF each, the newest is ended, and four go on" {
	local i
	filler A 12000000 # they go on until they are told to end
	for i in 2 3 4 5; do
		[ -n "$(state A "guest$i")" ] || guest A "guest$i" --vf "$(pf A)/$i" --cmdline "ip=10.77.0.2$i silent" --no-passport
	done
	settings A '[agent]
max_downtime = off'
	for i in 1 2 3 4; do
		on A "virsh -c $URI migrate --live --bandwidth 4 guest$i qemu+tcp://hostB/system >/root/guest$i.log 2>&1 &"
		eventually at_perform A "guest$i"
	done
	# The destination's hook would let the fifth wait. It goes to a host that has none, with an address there written by hand.
	on B "mv /etc/libvirt/hooks/qemu.d/50-vferry /root/; devlink port function set pci/$(pf B)/6 migratable enable"
	on A "virsh -c $URI dumpxml --migratable guest5 | sed \"s/bus='0x81' slot='0x00' function='0x7'/bus='0xc1' slot='0x00' function='0x7'/\" >/root/guest5.xml
		grep -q 0xc1 /root/guest5.xml"
	run migrate A B guest5 --bandwidth 4 --xml /root/guest5.xml
	on B 'mv /root/50-vferry /etc/libvirt/hooks/qemu.d/'
	echo "$output"
	[ "$status" != 0 ]
	eventually said A 'guest5: the migration of this guest is ended'
	said A 'rule L4-slots'
	[ "$(state A guest5)" = running ]
	for i in 1 2 3 4; do
		at_perform A "guest$i"
		[[ $(on A 'grep vferryd /var/log/messages') != *"guest$i: the migration of this guest is ended"* ]]
	done
	on A "for i in 1 2 3 4; do virsh -c $URI domjobabort guest\$i; done"
	eventually nobody_waits B
	on A "for i in 3 4 5; do virsh -q -c $URI destroy guest\$i; done"
	settings A
	eventually is_here A
}

# owner VF: uuid of the guest that the port of its representor is made for, if that is up.
owner() {
	on A "for port in \$(ovs-vsctl --bare --columns=name find port external_ids:vferry-vf='\"$1\"'); do
		ip -o link show up dev \$port | grep -q . && ovs-vsctl get port \$port external_ids:vferry-guest | tr -d '\"'; done"
}

# move VF FROM TO: takes the VF from a guest and gives it to another as soon as it can be had.
move() {
	local function=${1##*.}
	on A "echo \"<interface type='hostdev' managed='yes'><mac address='52:54:00:aa:bb:0$function'/><source><address type='pci' domain='0' bus='0x81' slot='0' function='0x$function'/></source></interface>\" >/root/vf$function.xml
		[ $2 = nobody ] || virsh -q -c $URI detach-device $2 /root/vf$function.xml --live
		for i in \$(seq 100); do virsh -q -c $URI attach-device $3 /root/vf$function.xml --live && break; sleep 0.1; done"
}

# sees stop|cont: the agent sees nothing of what happens, or all of it at once.
sees() {
	on A "kill -${1^^} \$(cat /run/vferry-lab-agent.pid)"
}

# bats test_tags=long
@test "a VF that goes from guest to guest at once, and two that change places, have the ports of those who have them" {
	local one two vf1=0000:81:00.5 vf2=0000:81:00.6
	[ -n "$(state A guest2)" ] || guest A guest2 --vf "$(pf A)/2" --cmdline "ip=10.77.0.20 silent ballast=4" --no-passport
	one=$(on A "virsh -c $URI domuuid guest1" | head -n 1) two=$(on A "virsh -c $URI domuuid guest2" | head -n 1)
	is() { same "$(owner "$1")" "$2"; }
	on A "for i in 4 5; do devlink port function set pci/$(pf A)/\$i migratable enable; done"
	move "$vf1" nobody guest1
	eventually is "$vf1" "$one"
	sees stop
	move "$vf1" guest1 guest2
	sees cont
	eventually is "$vf1" "$two"
	# The other way at the same time.
	move "$vf2" nobody guest1
	eventually is "$vf2" "$one"
	sees stop
	move "$vf1" guest2 guest1 3>&- &
	move "$vf2" guest1 guest2
	wait
	sees cont
	eventually is "$vf1" "$one"
	eventually is "$vf2" "$two"
	eventually has_passport A 'mac="52:54:00:aa:bb:05"'
	on A "virsh -q -c $URI detach-device guest1 /root/vf5.xml --live; virsh -q -c $URI detach-device guest2 /root/vf6.xml --live"
	eventually is "$vf1" ""
	eventually is "$vf2" ""
}

# stored HOST: the VF that its stored definition there names.
stored() {
	on "$1" "virsh -c $URI dumpxml --inactive guest1" |
		sed -n "/<source>/,/<\/source>/s/.*<address type='pci' domain='0x\(.*\)' bus='0x\(..\)' slot='0x\(..\)' function='0x\(.\)'.*/\1:\2:\3.\4/p"
}

# bats test_tags=long
@test "with the agent's downtime a state that does not fit into QEMU's arrives, and that is learned" {
	eventually is_here A
	filler A 12000000
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
	[ "$learned" -gt 0 ]
	# The next one begins with what was learned. Back at home it has another VF than before, which somebody else has meanwhile, and its
	# definition, which stayed there, names that.
	before=$(stored A)
	guest A other --vf "$(pf A)/$(on A "for vf in /sys/bus/pci/devices/$(pf A)/virtfn*; do echo \${vf##*virtfn} \$(basename \$(readlink \$vf)); done" |
		awk -v vf="$before" '$2 == vf { print $1 }')" --cmdline "ip=10.77.0.77 silent ballast=4" --no-passport
	migrate B A guest1
	eventually is_here A
	[ "$(vfs A guest1)" != "$before" ]
	home() { same "$(stored A)" "$(vfs A guest1)"; }
	eventually home
	on A "virsh -q -c $URI destroy other"
	quiet A
	migrate A B guest1
	eventually said A 'QEMU may stop it for'
	limit=$(on A 'grep vferryd /var/log/messages' | sed -n 's/.*QEMU may stop it for \([0-9]*\) ms$/\1/p' | head -n 1)
	same "$limit" "$((learned * 3 / 2 > 300 ? learned * 3 / 2 : 300))"
	eventually is_here B
	migrate B A guest1
	eventually is_here A
}

# kill_agent_at HOST PHASE: kills the agent there when guest1 is in that phase of its migration, or "gone", and starts it again.
kill_agent_at() {
	on "$1" "(until grep -qs \"phase='$2'\" /run/libvirt/qemu/guest1.xml || { [ $2 = gone ] && [ ! -e /run/libvirt/qemu/guest1.xml ]; }; do
			[ \$SECONDS -lt 240 ] || exit
		done
		exec 9>/root/agent.lock; flock 9
		kill -9 \$(cat /run/vferry-lab-agent.pid); sleep 1; /usr/lib/vferry-lab/agent restart 9>&-) >/dev/null 2>&1 & echo \$! >/root/killer"
}

# renew_agent HOST: ends the agent there and whoever waits for a phase to kill it, and starts it.
renew_agent() {
	on "$1" 'exec 9>/root/agent.lock; flock 9
		kill $(cat /root/killer) 2>/dev/null; /usr/lib/vferry-lab/agent stop; /usr/lib/vferry-lab/agent start 9>&-'
}

# bats test_tags=long
@test "libvirtd is restarted, killed and absent; the agent is killed in every phase: guests, ports and leases are as they should be" {
	on A 'kill -9 $(cat /run/libvirtd.pid); rm -f /run/libvirtd.pid; sleep 130; libvirtd --listen --daemon'
	quiet A
	eventually said A 'connected to libvirt'
	restart_libvirtd A
	eventually is_here A
	on A "virsh -q -c $URI metadata guest2 urn:vferry:passport:1 --live --remove"
	reload A
	second_has() { contains "$(passport A guest2)" 'psid='; }
	eventually second_has
	here=A there=B
	for phase in begin3 perform3 finish3 confirm3 gone; do
		kill_agent_at A "$phase"
		kill_agent_at B "$phase"
		migrate "$here" "$there" guest1
		renew_agent A
		renew_agent B
		eventually is_here "$there"
		eventually nobody_waits "$here"
		[ "$(on "$here" "ovs-vsctl --bare --columns=name find port external_ids:vferry-guest=$(on "$there" "virsh -c $URI domuuid guest1" | head -n 1)" | wc -w)" = 0 ]
		read -r here there <<<"$there $here"
	done
	[ "$here" = B ]
	migrate B A guest1
	eventually is_here A
}

# burst HOST: 50 small guests come, run, stand still, run and go there; prints how many there are in between and at the end.
burst() {
	on "$1" 'cat >/root/burst; bash /root/burst 2>&1' <<-'END'
		virsh="virsh -q -c qemu:///system"
		each() { for i in $(seq 50); do "$1" "small$i" & [ $((i % 10)) != 0 ] || wait; done; }
		count() { $virsh list --name | grep -c small; }
		create() {
			echo "<domain type='qemu'><name>$1</name><memory unit='KiB'>2048</memory><os><type machine='isapc'>hvm</type></os>
				<devices><controller type='usb' model='none'/><memballoon model='none'/></devices></domain>" >"/root/$1.xml"
			$virsh create --paused "/root/$1.xml"
		}
		change() { $virsh "resume $1; suspend $1; resume $1; destroy $1"; }
		each create
		count
		each change
		count
	END
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
	# 50 guests' events, ten guests at a time: they have no VF and no memory to speak of.
	before_a=$(memory A)
	run burst A
	echo "$output"
	[ "$output" = $'50\n0' ]
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
