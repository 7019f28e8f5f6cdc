#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Two guests that change places again and again, while faults are planted at random: each runs exactly once after each migration, no
# frame is lost but where a fault explains it, and at the end leases, ports and VFs are as at the beginning and nothing has grown. The
# agent runs on both hosts.
#
# ENDURANCE is the number of migrations (8; 200 is the real run), or fewer, if ENDURANCE_SECONDS have gone by; SEED chooses the faults (14).
# A run with the same numbers plants the same faults; what they hit depends on the machine.

load helpers.bash

declare -gA at=() fault=() planted=() struck=() lost=()
migrations=0 arrived=0 failed=0 unexplained=0

setup_file() {
	local host
	lab_setup
	for host in A B; do on "$host" '/usr/lib/vferry-lab/agent start'; done
}

teardown_file() {
	local host
	for host in A B; do on "$host" '/usr/lib/vferry-lab/agent stop; tail -n 5 /var/log/vferryd.log' >&3; done
	lab_teardown
}

# random_fault GUEST: chooses its next fault, half of the time none. "card FILE" is one of the card's own at the destination,
# "source FILE" at the source. (No command substitution: a subshell has random numbers of its own.)
random_fault() {
	local faults=("card fault_migratable_set" "card fault_state_load" "card fault_info_get" "source fault_precopy" "source fault_state_save"
		abort hook ovs qemu postcopy)
	fault[$1]=none
	[ $((RANDOM % 2)) = 0 ] || fault[$1]=${faults[RANDOM % ${#faults[@]}]}
}

# other HOST: the other one.
other() {
	[ "$1" = A ] && echo B || echo A
}

# plant HOST GUEST FAULT DELAY: a fault on the host where it is to strike. DELAY: ms, for those that wait for something. ovs-vswitchd crashes:
# its monitor starts it again then, but not after SIGKILL (Open vSwitch's lib/daemon-unix.c, should_restart()).
plant() {
	case $3 in
	card* | source*) on "$1" "echo '5 1 planted' >/sys/kernel/debug/swcx7/pf0/${3#* }" ;;
	abort) strike "$1" "$2" "virsh -c $URI domjobinfo $2 2>/dev/null | grep -q 'Data processed'" "virsh -c $URI domjobabort $2" "$4" ;;
	hook) strike "$1" "$2" "pgrep -x hook" "pkill -9 -x hook" "$4" ;;
	ovs) strike "$1" "$2" "pgrep -x hook" "kill -SEGV \$(cat /run/openvswitch/ovs-vswitchd.pid)" "$4" ;;
	qemu) strike "$1" "$2" "grep -q \"async='migration in'\" /run/libvirt/qemu/$2.xml" "kill -9 \$(cat /run/libvirt/qemu/$2.pid)" "$4" ;;
	esac
}

# strike HOST GUEST CONDITION COMMAND DELAY: in the background, as soon as the condition holds, and so many ms later.
strike() {
	on "$1" "cd /root; rm -f strike-$2.*; cat >strike-$2
		setsid bash strike-$2 </dev/null >/dev/null 2>&1 &" <<-END
		echo \$\$ >/root/strike-$2.pid
		until { $3; } >/dev/null 2>&1; do
			[ ! -e /root/strike-$2.end ] || exit
			sleep 0.05
		done
		sleep $(printf '%d.%03d' $(($5 / 1000)) $(($5 % 1000)))
		{ $4; } >/dev/null 2>&1 && touch /root/strike-$2.struck
	END
}

# has_struck HOST GUEST FAULT: prints 1 if the planted fault has struck, else 0; it is gone afterwards.
has_struck() {
	case $3 in
	none) echo 0 ;;
	postcopy) echo 1 ;;
	card* | source*) on "$1" "cd /sys/kernel/debug/swcx7/pf0; grep -q planted ${3#* } && echo 0 || echo 1; echo 0 >${3#* }" ;;
	*) on "$1" "cd /root; touch strike-$2.end
		for i in \$(seq 100); do [ -e \"/proc/\$(cat strike-$2.pid)/exe\" ] || break; sleep 0.1; done
		[ -e strike-$2.struck ] && echo 1 || echo 0" ;;
	esac
}

# one_migration GUEST DELAY: to the other host, with the guest's fault. Virsh's words are in $BATS_TEST_TMPDIR/GUEST.log, its status and
# whether the fault struck in GUEST.result.
one_migration() {
	local from=${at[$1]} to host flags="" status=0
	to=$(other "$from")
	host=$to
	case ${fault[$1]} in
	source*) host=$from ;;
	abort) host=$from flags="--bandwidth 2" ;;
	qemu) flags="--bandwidth 2" ;;
	postcopy) flags=--postcopy ;;
	esac
	plant "$host" "$1" "${fault[$1]}" "$2"
	migrate "$from" "$to" "$1" "$flags" >"$BATS_TEST_TMPDIR/$1.log" 2>&1 || status=$?
	echo "$status $(has_struck "$host" "$1" "${fault[$1]}")" >"$BATS_TEST_TMPDIR/$1.result"
}

# where GUEST: prints the hosts on which it runs: A, B, AB or nothing.
where() {
	local host
	for host in A B; do
		[ "$(state "$host" "$1")" != running ] || printf '%s' "$host"
	done
}

# settle GUEST: waits until the guest runs where virsh said, and nowhere else, and counts.
settle() {
	local from=${at[$1]} to place tries status hit
	to=$(other "$from")
	read -r status hit <"$BATS_TEST_TMPDIR/$1.result"
	[ "$status" = 0 ] && at[$1]=$to
	for ((tries = 0; tries < 120; tries++)); do
		place=$(where "$1")
		[ "$place" != "${at[$1]}" ] || break
		sleep 0.5
	done
	struck[${fault[$1]}]=$((${struck[${fault[$1]}]:-0} + hit))
	migrations=$((migrations + 1))
	[ "$status" = 0 ] && arrived=$((arrived + 1)) || failed=$((failed + 1))
	echo "# $migrations: $1 $from to $to, fault '${fault[$1]}' struck $hit: status $status, runs on '$place'" | tee /dev/fd/3
	[ "$place" = "${at[$1]}" ] || return 1
	[ "$status" = 0 ] || [ "$hit" = 1 ] || [ -n "${met_other:-}" ] || { cat "$BATS_TEST_TMPDIR/$1.log"; return 1; }
}

# frames: what the station has counted since the last look; loss in a round in which no ovs-vswitchd was killed has no excuse.
frames() {
	local guest now
	for guest in g1 g2; do
		now=$(report "[.guests[] | select(.tag == \"$guest\")][0].lost // 0")
		if [ "$now" != "${lost[$guest]:-0}" ]; then
			echo "$guest lost $((now - ${lost[$guest]:-0})) frames (faults: ${fault[g1]}, ${fault[g2]})"
			[[ "${fault[g1]} ${fault[g2]}" == *ovs* ]] || unexplained=$((unexplained + now - ${lost[$guest]:-0}))
		fi
		lost[$guest]=$now
	done
}

# census HOST: what must be the same at the end: guests, ports, leases, VFs that are bound, migratable, up. Which VF a guest has may differ.
census() {
	on "$1" '
		echo "guests $(virsh -q -c qemu:///system list --name | grep -c .)"
		for br in $(ovs-vsctl list-br); do echo "bridge $br: $(ovs-vsctl list-ports "$br" | wc -l) ports"; done
		echo "leases $(ls /run/vferry/guests | wc -l) journals $(ls /run/vferry/pfs 2>/dev/null | wc -l) waiting $(ls /run/vferry/queue 2>/dev/null | wc -l)"
		echo "bound $(ls -d /sys/bus/pci/drivers/mlx5_vfio_pci/0* | wc -l)"
		echo "migratable $(devlink port show | grep -c "migratable enable")"
		echo "up $(ip -br link | grep -c "r[0-9]* *UP")"
		for pf in /sys/bus/pci/drivers/mlx5_core/*/sriov_numvfs; do echo "$pf $(cat "$pf")"; done'
}

# processes HOST: what lives long: name, pid, descriptors, resident KiB.
processes() {
	on "$1" 'for file in libvirtd.pid openvswitch/ovs-vswitchd.pid openvswitch/ovsdb-server.pid vferry-lab-agent.pid; do
		p=$(cat "/run/$file") # one by one: not each ends in a newline
		[ ! -e "/proc/$p" ] || echo "$(cat /proc/$p/comm) $p $(ls /proc/$p/fd | wc -l) $(sed -n "s/^VmRSS:[[:space:]]*\([0-9]*\).*/\1/p" /proc/$p/status)"
	done'
}

# begin_counting HOST: writes down the processes that were not there when it looked last: one that a fault has killed begins anew.
begin_counting() {
	local name pid rest
	touch "$BATS_TEST_TMPDIR/$1.first"
	while read -r name pid rest; do
		grep -q "^$name $pid " "$BATS_TEST_TMPDIR/$1.first" || echo "$name $pid $rest $migrations" >>"$BATS_TEST_TMPDIR/$1.first"
	done < <(processes "$1")
}

# tell_memory: every 20 migrations or so, so that what grows without end can be told from what grows to its size.
tell_memory() {
	local host
	[ $((migrations % 20)) -lt 2 ] || return 0
	for host in A B; do
		processes "$host" | awk -v host="$host" -v n="$migrations" '{ line = line "; " $1 " " $3 " descriptors, " $4 " KiB" }
			END { print "# after " n " migrations, host " host line }' >&3
	done
}

# no_growth HOST: compares with what "begin_counting" wrote down.
no_growth() {
	local name pid files rss old_files old_rss since seen=0
	while read -r name pid files rss; do
		read -r old_files old_rss since < <(awk -v name="$name" -v pid="$pid" '$1 == name && $2 == pid { print $3, $4, $5 }' \
			"$BATS_TEST_TMPDIR/$1.first")
		echo "# host $1: $name, over $((migrations - since)) migrations: $old_files -> $files descriptors, $old_rss -> $rss KiB" >&3
		[ -n "$since" ] || return 1
		[ "$files" -le $((old_files + 16)) ] || return 1 # what leaks once a migration leaks more
		[ "$rss" -le $((old_rss * 3 / 2 + 16384)) ] || return 1
		seen=$((seen + 1))
	done <"$BATS_TEST_TMPDIR/$1.last"
	[ "$seen" = 4 ]
}

# has_met_other: prints 1 if a fault has struck that may have met the guest for which it was not meant: one of the card, which strikes whoever
# comes first, the hook that was killed, or ovs-vswitchd.
has_met_other() {
	local guest hit
	for guest in g1 g2; do
		read -r _ hit <"$BATS_TEST_TMPDIR/$guest.result"
		[[ "$hit ${fault[$guest]}" =~ ^1\ (card|source|hook|ovs) ]] && echo 1 && return
	done
	return 0
}

# round: both guests change places at once, each with its fault.
round() {
	local guest workers=()
	for guest in g1 g2; do
		planted[${fault[$guest]}]=$((${planted[${fault[$guest]}]:-0} + 1))
		one_migration "$guest" $((RANDOM % 1500)) &
		workers+=($!)
	done
	wait "${workers[@]}"
	met_other=$(has_met_other)
	settle g1 && settle g2 || return 1
	frames
}

# go_home: plain migrations, until g1 is on A and g2 on B again. They must work.
go_home() {
	local guest home
	for guest in g1 g2; do
		home=$([ "$guest" = g1 ] && echo A || echo B)
		[ "${at[$guest]}" != "$home" ] || continue
		fault[$guest]=none met_other=""
		one_migration "$guest" 0
		settle "$guest" || return 1
	done
	fault[g1]=none fault[g2]=none
	frames
}

# bats test_tags=long
@test "two guests change places again and again, with faults at random" {
	RANDOM=${SEED:-14}
	guest A g1 --vf "$(pf A)/1" --cmdline "ip=10.77.0.11 interval=10 tag=g1 ballast=8"
	guest B g2 --vf "$(pf B)/3" --cmdline "ip=10.77.0.12 interval=10 tag=g2 ballast=8"
	at=([g1]=A [g2]=B)
	fault=([g1]=none [g2]=none)
	station_start
	round # the first time, everything is made ready that stays, and processes grow to their size
	go_home
	for host in A B; do
		census "$host" >"$BATS_TEST_TMPDIR/$host.census"
		begin_counting "$host"
	done
	end=$((SECONDS + ${ENDURANCE_SECONDS:-86400}))
	while [ "$migrations" -lt "${ENDURANCE:-8}" ] && [ "$SECONDS" -lt "$end" ]; do
		random_fault g1
		random_fault g2
		round
		begin_counting A
		begin_counting B
		tell_memory
	done
	go_home
	echo "# seed ${SEED:-14}: $migrations migrations, $arrived arrived, $failed failed by a fault; lost frames: g1 ${lost[g1]}, g2 ${lost[g2]}, without an excuse $unexplained" >&3
	for kind in "${!planted[@]}"; do
		echo "# $kind: planted ${planted[$kind]} times, struck ${struck[$kind]:-0}" >&3
	done
	for host in A B; do
		same "$(<"$BATS_TEST_TMPDIR/$host.census")" "$(census "$host")"
		no_harmful_set "$host"
		begin_counting "$host"
		processes "$host" >"$BATS_TEST_TMPDIR/$host.last"
		no_growth "$host"
	done
	[ "$unexplained" = 0 ]
}
