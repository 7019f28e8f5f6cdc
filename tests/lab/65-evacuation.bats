#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Many guests at once: a host is evacuated by a parallel loop of virsh migrate, and never more VFs of a PF are in flight than may be;
# more arrivals come than may wait; no two arrivals get the same VF.
#
# The tests build on each other: the guests that the first one starts are on B after the second and partly on A again after the fourth.

load helpers.bash
load agent.bash

# How many; fewer where somebody runs this file without LONG=1.
GUESTS=${GUESTS:-$([ "${LONG:-0}" = 1 ] && echo 12 || echo 6)}

setup_file() {
	# A guest with a VF keeps all of its memory in the host's: 110 MiB with its QEMU.
	[ -z "${LONG:-}" ] || export LAB_HOST_MEMORY=4096
	lab_setup
	cards 16
	agent B start
}

teardown_file() {
	agent B stop
	lab_teardown
}

# cards NUMBER: both hosts with cards of so many VFs, all of which vferry makes.
cards() {
	local host
	for host in A B; do
		wipe "$host"
		on "$host" "rmmod mlx5_vfio_pci mlx5_core swcx7_hw && /usr/lib/vferry-lab/load-cx7 $host total_vfs=$1"
		limits "$host" ''
	done
}

# limits HOST TEXT: the host's configuration, with all VFs and these lines of [limits] and [hook].
limits() {
	configure "$1" "[host]
vfs = 0
$2"
}

# start_guests NUMBER [--paused]: starts guests g1 and so on with a VF each on A, four at a time; QEMU's processors stand still with --paused.
start_guests() {
	local i pf
	pf=$(pf A)
	for ((i = 1; i <= $1; i++)); do
		"$LAB" guest A "g$i" --vf "$pf/$((i - 1))" --print --cmdline "ip=10.77.1.$i silent hz=10" >"$BATS_FILE_TMPDIR/g$i.xml"
	done
	"$LAB" push A "$BATS_FILE_TMPDIR"/g*.xml :/root/guests/
	on A "virsh -q -c $URI create ${2:-} /root/guests/g1.xml &&
		seq -f 'g%.0f' 2 $1 | xargs -P 4 -I{} virsh -q -c $URI create ${2:-} /root/guests/{}.xml"
}

# watch_flight HOST: looks all the time how many guests are in flight there, by libvirt's status files and by vferry's leases, and how many
# wait, until "flight_seen" asks for the most. Guests have one VF each.
watch_flight() {
	on "$1" "cat >/root/watch-flight; rm -f /root/flight /root/flight-ends
		setsid bash /root/watch-flight </dev/null >/dev/null 2>&1 &" <<-'END'
		shopt -s nullglob
		cd /run/libvirt/qemu || exit 1
		while [ ! -e /root/flight-ends ]; do
			leased=$(cat /run/vferry/vfs/*.json 2>/dev/null | tr -d ' \n' | sed 's/}{/}\n{/g' | grep '"arriving"' | grep -v '"lapsed":true' | grep -o '"uuid":"[^"]*' | cut -c9-)
			known=$(grep -ho '<uuid>[^<]*' *.xml | cut -c7-)
			files=$(grep -l "async='migration in'" *.xml)
			moving=$([ -z "$files" ] || grep -ho '<uuid>[^<]*' $files | cut -c7-)
			for uuid in $leased; do
				[[ $known == *$uuid* ]] || moving+=$'\n'$uuid
			done
			waits=0
			for ticket in /run/vferry/queue/*; do # one that has just got its lease may not have left the line yet
				[[ $leased == *${ticket: -36}* ]] || waits=$((waits + 1))
			done
			# A guest whose status file appears between two looks would be counted twice.
			echo "$(sort -u <<<"$moving" | grep -c .) $waits" >>/root/flight
		done
	END
}

# flight_seen HOST: ends it. Prints how often it looked, the most in flight, the most that waited, the most of both together.
flight_seen() {
	on "$1" 'touch /root/flight-ends
		awk "{ n++; if (\$1 > f) f = \$1; if (\$2 > w) w = \$2; if (\$1 + \$2 > b) b = \$1 + \$2 } END { print n + 0, f + 0, w + 0, b + 0 }" \
			/root/flight'
}

# running_on HOST [STATE]: the guests that run there, or are in another state ("paused"), a line each.
running_on() {
	on "$1" "virsh -c $URI list --state-${2:-running} --name" | grep . | sort -V
}

# bats test_tags=long
@test "a host is evacuated by a parallel loop of virsh migrate, with at most 4 VFs of a PF in flight" {
	start_guests "$GUESTS"
	[ "$(running_on A | wc -l)" = "$GUESTS" ]
	watch_flight B
	run on A "virsh -c $URI list --name | xargs -P $GUESTS -I{} virsh -c $URI migrate --live {} qemu+tcp://hostB/system 2>&1"
	echo "$output"
	read -r looks flight waited both < <(flight_seen B)
	echo "# $GUESTS guests evacuated; $looks looks: at most $flight in flight, $waited waiting, $both together" >&3
	[ "$status" = 0 ]
	[ "$(running_on B | wc -l)" = "$GUESTS" ]
	[ -z "$(running_on A)" ]
	[ "$flight" -ge 1 ] && [ "$flight" -le 4 ]
	[ "$both" -le $((4 + 8)) ]
	[ "$(for i in $(seq "$GUESTS"); do vfs B "g$i"; done | sort -u | wc -l)" = "$GUESTS" ]
	[ "$(on A 'ovs-vsctl list-ports br-vferry | wc -l')" = 1 ]
	[ "$(on A 'find /run/vferry -name "*.json" | wc -l')" = 0 ]
	no_harmful_set A
	no_harmful_set B
}

# bats test_tags=long
@test "of many arrivals that the hook is asked about at once no two get the same VF, and each gives its own back" {
	[ "$(running_on B | wc -l)" = "$GUESTS" ]
	limits A '[hook]
slot_queue = 12'
	before=$(snapshot A)
	on B "virsh -c $URI dumpxml --migratable g1" | on A 'cat >/root/base.xml'
	run on A 'cd /root && rm -rf arrivals && mkdir arrivals && cd arrivals || exit 1
		hook=/etc/libvirt/hooks/qemu.d/50-vferry
		arrive() {
			local mac uuid
			mac=$(printf "52:54:00:aa:00:%02x" "$1") uuid=$(printf "aaaaaaaa-0000-4000-8000-%012d" "$1")
			old=$(grep -o "52:54:00:[0-9a-f:]*" ../base.xml | head -n 1)
			sed -e "s/$old/$mac/g; s#<uuid>.*</uuid>#<uuid>$uuid</uuid>#; s#<name>.*</name>#<name>a$1</name>#" ../base.xml >$1.xml
			$hook a$1 migrate begin - <$1.xml >$1.out 2>$1.err
			echo $? >$1.status
			[ "$(cat $1.status)" = 0 ] || return
			grep -h -A3 "<source>" $1.out | grep -o "domain=.0x.*function=.0x[0-7]" >$1.vf
			mkdir "held-$(tr -dc "0-9a-fx" <$1.vf)" || echo "$1 got a VF that somebody holds" >>doubles
			sleep 0.5
			rmdir "held-$(tr -dc "0-9a-fx" <$1.vf)"
			$hook a$1 prepare begin - <$1.out
			$hook a$1 stopped end - <$1.out
			$hook a$1 release end failed <$1.out
		}
		for i in $(seq 20); do arrive $i & done
		wait
		cat doubles 2>/dev/null
		cat *.err
		echo "accepted $(grep -lx 0 *.status | wc -l) refused $(grep -lx 1 *.status | wc -l)"'
	echo "$output"
	echo "# 20 calls at once: ${lines[-1]}" >&3
	[[ $output != *"somebody holds"* ]]
	read -r _ accepted _ refused <<<"${lines[-1]}"
	[ "$((accepted + refused))" = 20 ]
	[ "$accepted" -ge 16 ]
	[ "$(grep -c 'guests wait for one already' <<<"$output")" = "$refused" ]
	same "$before" "$(snapshot A)"
}

# arrive FROM TO NUMBER: so many guests at once. While some wait at TO, virsh list is asked there again and again. Leaves in $accepted and
# $refused the names, in $flight, $waited and $both the most that were seen, in $asked and $longest how often virsh list answered, and the
# longest time that it took, in ms.
arrive() {
	local mover asker
	watch_flight "$2"
	on "$1" "cd /root && rm -f g*.status g*.log; for i in \$(seq $3); do
			(virsh -c $URI migrate --live g\$i qemu+tcp://host$2/system >g\$i.log 2>&1; echo \$? >g\$i.status) &
		done
		wait" &
	mover=$!
	on "$2" "asked=0 longest=0
		while [ ! -e /root/flight-ends ]; do
			if [ -n \"\$(ls /run/vferry/queue 2>/dev/null)\" ]; then
				begin=\${EPOCHREALTIME/./}
				timeout 120 virsh -q -c $URI list >/dev/null || { echo '0 virsh-list-does-not-answer'; exit; }
				took=\$(((\${EPOCHREALTIME/./} - begin) / 1000))
				asked=\$((asked + 1))
				[ \$took -le \$longest ] || longest=\$took
			fi
			sleep 0.1
		done
		echo \$asked \$longest" >"$BATS_TEST_TMPDIR/asked" &
	asker=$!
	wait "$mover"
	read -r _ flight waited both < <(flight_seen "$2")
	wait "$asker"
	read -r asked longest <"$BATS_TEST_TMPDIR/asked"
	accepted=$(on "$1" 'cd /root; grep -lx 0 g*.status | sed "s/.status//" | sort -V')
	refused=$(on "$1" 'cd /root; grep -Lx 0 g*.status | sed "s/.status//" | sort -V')
}

# as_many_as_may FROM TO FLIGHT QUEUE [STATE]: what must hold after "arrive", if so many may be in flight and so many wait for a slot. Those who
# come while there still are slots wait until the one before them is made ready for; they count as if they had their slots.
as_many_as_may() {
	local name
	echo "# $(wc -l <<<"$accepted") arrived, $(grep -c . <<<"$refused") refused; at most $flight in flight, $waited waiting, $both together;" \
		"virsh list answered $asked times meanwhile, after $longest ms at most" >&3
	[ "$flight" -le "$3" ]
	[ "$both" -le $(($3 + $4)) ]
	[ "$asked" -gt 0 ]
	[ "$(wc -l <<<"$accepted")" -ge $(($3 + $4)) ]
	[ -n "$refused" ]
	same "$accepted" "$(running_on "$2" "${5:-running}")"
	same "$refused" "$(running_on "$1" "${5:-running}")"
	for name in $refused; do
		contains "$(on "$1" "cat /root/$name.log")" "guests wait for one already"
	done
}

# bats test_tags=long
@test "more arrivals than may wait: the next are refused at once, virsh list answers, and the running ones finish" {
	[ "$(running_on B | wc -l)" = "$GUESTS" ]
	limits A '[limits]
vfs_in_flight = 2
[hook]
slot_queue = 3'
	arrive B A "$GUESTS"
	as_many_as_may B A 2 3
}

# Each that waits keeps a thread of libvirtd, and what moves needs some, so with few threads fewer may wait than slot_queue says. Whether libvirtd
# starts more than the 5 that it begins with is a matter of luck: here it may not. The guests are paused: what counts is who is let in.
# bats test_tags=long
@test "libvirtd never runs out of threads: without the agent fewer may wait, with it all go through" {
	agent B stop
	wipe_both
	cards 16
	threads_at_boot B 5
	start_guests 12 --paused
	arrive A B 12
	echo "# libvirtd has $(threads B) threads: $(wc -l <<<"$accepted") arrived, $(grep -c . <<<"$refused") refused;" \
		"virsh list answered $asked times, after $longest ms at most" >&3
	[ "$flight" -le 4 ]
	[ "$asked" -gt 0 ]
	[ "$(wc -l <<<"$accepted")" -ge 4 ]
	[ -n "$refused" ]
	same "$accepted" "$(running_on B paused)"
	same "$refused" "$(running_on A paused)"
	for name in $refused; do
		contains "$(on A "cat /root/$name.log")" "no more may wait, as libvirt has only "
		contains "$(on A "cat /root/$name.log")" "start vferryd here or set min_workers = 20"
	done
	on B 'virt-admin server-threadpool-set libvirtd --max-workers 20'
	agent B start
	eventually said B 'libvirtd was given 20 threads for calls'
	run on A "virsh -c $URI list --all --name | grep . | xargs -P 12 -I{} virsh -c $URI migrate --live {} qemu+tcp://hostB/system 2>&1"
	echo "$output"
	[ "$status" = 0 ]
	[ "$(running_on B paused | wc -l)" = 12 ]
}

# The guests are paused: 30 of them that run are more than an emulated host can carry. Those that have arrived run afterwards.
# bats test_tags=long
@test "30 arrivals at once, with the limits as they are by default" {
	wipe_both
	cards 32
	start_guests 30 --paused
	[ "$(running_on A paused | wc -l)" = 30 ]
	arrive A B 30
	as_many_as_may A B 4 8 paused
	for name in $accepted; do
		on B "virsh -q -c $URI resume $name"
	done
	same "$accepted" "$(running_on B)"
}
