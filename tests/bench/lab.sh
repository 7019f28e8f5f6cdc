# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# lab.sh: what the benchmarks in the lab share. Read after common.sh.

export LAB_NAME=${LAB_NAME:-bench}
LAB=tests/lab/lab
# shellcheck disable=SC2034 # used by those that read this file
URI=qemu:///system
# shellcheck disable=SC2034 # the same
PF_A=0000:81:00.0 PF_B=0000:c1:00.0
work=$OUT/${0##*/}

# lab_begin: both hosts with vferry installed; ends them when the script ends.
lab_begin() {
	[ "$(id -u)" = 0 ] || { say "the lab needs root"; exit 1; }
	mkdir -p "$work"
	rm -f "$work"/*
	trap '"$LAB" station stop >/dev/null 2>&1; "$LAB" down >&2' EXIT
	"$LAB" up --deploy >&2
}

# on HOST COMMAND: a shell line on a host.
on() {
	"$LAB" exec "$1" "$2"
}

# wiped HOST: takes the host back to how it boots (on-host.sh).
wiped() {
	on "$1" "/root/on-host.sh wipe"
}

# push_all: what runs on the hosts.
push_all() {
	local host
	for host in A B; do
		"$LAB" push "$host" tests/bench/on-host.sh "$OUT/measure" tests/bench/guest.xml :/root/
	done
}

# median: of the numbers on stdin.
median() {
	sort -n | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)] }'
}

# report FILTER: from the report of the station, by jq.
report() {
	"$LAB" station report | jq -r "$1"
}

# until_true COMMAND...: until it succeeds, two minutes at most.
until_true() {
	local end=$((SECONDS + 120))
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || { say "never true: $*"; return 1; }
		sleep 0.5
	done
}

# has_frames: the station has received 50 frames of the guest.
has_frames() {
	[ "$(report '(.guests[0].received // 0) > 50')" = true ]
}

# migrated FROM TO GUEST [FLAG...]: a migration that must work; prints its milliseconds, as virsh takes them on its host.
migrated() {
	local from=$1 to=$2 name=$3
	shift 3
	on "$from" "begin=\${EPOCHREALTIME/./}; timeout 180 virsh -q -c $URI migrate --live $* $name qemu+tcp://host$to/system >&2 || exit 1
		echo \$(((\${EPOCHREALTIME/./} - begin) / 1000))"
}

# downtime HOST GUEST: the downtime of the migration that brought it there, ms, as libvirt counts it.
downtime() {
	on "$1" "virsh -c $URI domjobinfo $2 --completed" | awk '/^Total downtime:/ { print $3 }'
}

# timed HOST COMMAND: the milliseconds of a command on its host.
timed() {
	on "$1" "begin=\${EPOCHREALTIME/./}; $2 >&2 || exit 1; echo \$(((\${EPOCHREALTIME/./} - begin) / 1000))"
}
