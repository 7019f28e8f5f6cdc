# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# agent.bash: what the tests of the agent share, beside helpers.bash.

# agent HOST start|stop
agent() {
	on "$1" "/usr/lib/vferry-lab/agent $2"
}

# reload HOST: the agent there reads its configuration again and looks at everything.
reload() {
	on "$1" 'kill -HUP $(cat /run/vferry-lab-agent.pid)'
}

# passport HOST [GUEST]: the guest's passport there, a line.
passport() {
	on "$1" "virsh -c $URI metadata ${2:-guest1} urn:vferry:passport:1 2>/dev/null" | tr -d '\n'
}

# eventually COMMAND...: until it succeeds, a minute at least; shows what it says if it never does.
eventually() {
	local tries
	for tries in $(seq 120); do
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

# quiet HOST: the log there is emptied, so that said() speaks of what comes from now on.
quiet() {
	on "$1" ': >/var/log/messages'
}

# rep HOST: the port of the guest's representor.
rep() {
	on "$1" 'ovs-vsctl list-ports br-vferry' | grep -v 'np[01]$'
}

# is_here HOST: the guest runs there, has a passport of that host, and no job.
is_here() {
	[ "$(state "$1" guest1)" = running ] && has_passport "$1" "pf=\"$(pf "$1")\"" &&
		contains "$(on "$1" "virsh -c $URI domjobinfo guest1")" None
}

# answers: the guest has answered the station.
answers() {
	[ "$(report '.pings[0].answered > 20')" = true ]
}

# clock HOST: by how many ms the host's clock is ahead of this machine's, from the quickest of some questions.
clock() {
	local try before there after best=999999 ahead=0
	for try in 1 2 3 4 5 6; do
		before=${EPOCHREALTIME/[.,]/}
		there=$(on "$1" 'echo ${EPOCHREALTIME/[.,]/}')
		after=${EPOCHREALTIME/[.,]/}
		[ $((after - before)) -lt "$best" ] || continue
		best=$((after - before))
		ahead=$(((there - (before + after) / 2) / 1000))
	done
	echo "clock of $1 is $ahead ms ahead, known to $((best / 2000)) ms, after $try questions" >&2
	echo "$ahead"
}

# blackout FROM TO [FLAG...]: moves the silent guest. Prints two figures in ms: how long the station's pings had no answer, and how long of it
# the guest ran at the destination already, by QEMU's own time; a guest that has not answered 4 s later counts as lost until then.
blackout() {
	local from=$1 to=$2 ran
	shift 2
	station_start --ping "$GUEST_IP" >/dev/null
	eventually answers
	on "$to" "timeout 300 virsh -c $URI qemu-monitor-event --event RESUME --loop >/root/resume.log 2>&1 & sleep 0.5"
	migrate "$from" "$to" guest1 "$@" >&2 || return 1
	sleep 4
	ran=$(on "$to" 'sed -n "s/.* at \([0-9]*\)\.\([0-9][0-9][0-9]\).*/\1\2/p" /root/resume.log | tail -n 1')
	[ -n "$ran" ] || return 1
	ran=$((ran - $(clock "$to")))
	"$LAB" station report >&2
	# The gap that the guest began to run in; none: it was never lost.
	report "(.gaps + [{kind: \"ping\", from_ms: (.written_ms - .pings[0].silent_ms), to_ms: .written_ms}]) |
		[.[] | select(.kind == \"ping\" and .from_ms <= $ran + 100 and .to_ms >= $ran - 100)] |
		(map(.to_ms - .from_ms) | max // 0 | round), (map(.to_ms - $ran) | max // 0 | if . < 0 then 0 else . end | round)" | tr '\n' ' '
}
