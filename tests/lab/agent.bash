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

# to_guest: frames for the guest's MAC begin to come from the namespace, 50 a second: echo requests for an address that is not its own, so
# that it does not say a word.
to_guest() {
	local mac
	mac=$(on A "virsh -c $URI dumpxml guest1" | sed -n "s/.*<mac address='\(.*\)'.*/\1/p" | head -n 1)
	ip netns exec "vflab-$LAB_NAME" ip neigh replace 10.77.0.99 lladdr "$mac" nud permanent dev station0
	ip netns exec "vflab-$LAB_NAME" ping -q -i 0.02 -w 600 10.77.0.99 >/dev/null 2>&1 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/ping"
}

# to_guest_end: they end.
to_guest_end() {
	kill "$(cat "$BATS_FILE_TMPDIR/ping")"
}

# watch_frames HOST: how many frames its VFs get is written down there, with the time, until the file /root/watch is gone.
watch_frames() {
	on "$1" 'touch /root/watch; (exec 9<> <(:); while [ -e /root/watch ]; do
		sum=0; for f in /sys/kernel/debug/swcx7/pf0/vf*/frames; do read -r _ n _ <$f; sum=$((sum + n)); done
		[ $sum = "$last" ] || echo "${EPOCHREALTIME/[.,]/} $sum"; last=$sum; read -r -t 0.01 -u 9; done) >/root/frames.log 2>&1 </dev/null &'
}

# lost_for FROM TO [FLAG...]: moves the silent guest; prints for how many ms it ran at the destination, by QEMU's own time, before the network
# sent it what is sent to it, and "found"; or "lost" if that had not come 4 s later.
lost_for() {
	local from=$1 to=$2
	shift 2
	watch_frames "$to"
	on "$to" "rm -f /root/resume.log; timeout 300 virsh -c $URI qemu-monitor-event --event RESUME --loop >/root/resume.log 2>&1 & sleep 0.5"
	migrate "$from" "$to" guest1 "$@" >&2 || return 1
	sleep 4
	# From the first of ten frames that came within two seconds: a single one may have been sent to all.
	on "$to" 'rm -f /root/watch; cat /root/resume.log >&2
		awk -v now="$(date +%s%3N)" "/RESUME at/ { ran = substr(\$0, index(\$0, \" at \") + 4); sub(/ .*/, \"\", ran); ran = int(ran * 1000); next }
			NF == 2 { n++; t[n] = int(\$1 / 1000); c[n] = \$2 }
			END {
				if (!ran) exit 1
				for (i = 1; i <= n; i++) for (j = i; j <= n && t[j] < t[i] + 2000; j++)
					if (c[j] >= c[i] + 10) { ms = t[i] - ran; print (ms > 0 ? ms : 0), \"found\"; exit }
				print systime() * 1000 - ran, \"lost\"
			}" /root/resume.log /root/frames.log'
}
