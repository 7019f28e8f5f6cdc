# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034 # the other parts use these
# What every part of the lab's driver shares: messages, places, the two hosts.
# Sourced by tests/lab/lab, which sets LAB_DIR (this folder's parent).

LAB_NAME=${LAB_NAME:-vferry}
LAB_NS=vflab-$LAB_NAME
LAB_RUN=/run/vferry-lab/$LAB_NAME
LAB_CACHE=${VFERRY_LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vferry-lab}
LAB_KEY_FILE=$LAB_CACHE/ssh/id_ed25519
LAB_CHECKOUT=${LAB_DIR%/tests/lab}

# The lab's sources, each of which another folder can stand in for.
LAB_MODULES=${VFERRY_LAB_MODULES:-$LAB_DIR/modules}
LAB_GUEST=${VFERRY_LAB_GUEST:-$LAB_DIR/guest}
LAB_STATION=${VFERRY_LAB_STATION:-$LAB_DIR/station}

# The two hosts. All networks exist inside the lab's namespace only.
LAB_HOSTS=(A B)
LAB_MGMT_OUTER=198.51.100.1
declare -A HOST_MGMT=([A]=198.51.100.11 [B]=198.51.100.12)
declare -A HOST_MAC=([A]=52:54:00:fe:0a [B]=52:54:00:fe:0b)
# What each is made of (see platforms/README.md), by PLATFORM for both, or by A and B; and what build.sh and deploy.sh make of that.
declare -A HOST_PLATFORM=([A]=${A:-${PLATFORM:-trixie}} [B]=${B:-${PLATFORM:-trixie}})
declare -A HOST_IMAGE=() HOST_BUILD_TREE=() HOST_DEB=()
declare -A HOST_UUID=([A]=5f0e3c1a-0a0a-4a0a-8a0a-00000000000a [B]=5f0e3c1a-0b0b-4b0b-8b0b-00000000000b)
# The guests' network, on the cable of PF 0: the namespace's own address there,
# and the one from which the station's program pings.
LAB_STATION_ADDRESS=10.77.0.1
LAB_STATION_PING_ADDRESS=10.77.0.2

# say TEXT...: one progress line on stderr.
say() {
	[ -n "${LAB_QUIET:-}" ] || echo "lab: $*" >&2
}

# die TEXT...: ends the program with a reason.
die() {
	echo "lab: $*" >&2
	exit 1
}

# now_ms: prints the time in milliseconds.
now_ms() {
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# took SINCE_MS: prints the time since then, as "12.3 s".
took() {
	local ms=$(($(now_ms) - $1))
	printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100))
}

# timed TEXT COMMAND...: runs the command, says TEXT before and the time after.
# Return: the command's status.
timed() {
	local text=$1 start status=0
	shift
	start=$(now_ms)
	say "$text ..."
	"$@" || status=$?
	if [ "$status" -eq 0 ]; then
		say "$text: $(took "$start")"
	else
		say "$text: failed after $(took "$start")"
	fi
	return "$status"
}

# telling FUNCTION COMMAND...: runs the command, and says every 10 s what the function prints, so that whoever waits knows how far it is.
# Return: the command's status.
telling() {
	local function=$1 status=0 teller
	shift
	(
		exec 8>&- 9>&-
		trap 'kill "$nap"; exit 0' TERM
		while kill -0 "$$" 2>/dev/null; do
			sleep 10 >/dev/null 2>&1 &
			nap=$!
			wait "$nap"
			text=$("$function")
			[ -z "$text" ] || say "... $text"
		done
	) &
	teller=$!
	"$@" || status=$?
	kill "$teller" 2>/dev/null
	wait "$teller" 2>/dev/null
	return "$status"
}

# need PROGRAM=PACKAGE...: dies with a list of what is not installed.
need() {
	local pair missing=()
	for pair in "$@"; do
		command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
	done
	[ "${#missing[@]}" -eq 0 ] ||
		die "not installed: ${missing[*]} (Debian package names)"
}

# need_root: the lab makes namespaces, file systems and chroots.
need_root() {
	[ "$EUID" -eq 0 ] || die "the lab needs root (namespaces, mounts, tap devices)"
}

# host_valid HOST: dies unless HOST is A or B.
host_valid() {
	[[ ${HOST_MGMT[${1:-none}]+yes} ]] || die "'${1:-}' is no host of the lab; say A or B"
}

# host_dir HOST: prints the host's folder in the run directory.
host_dir() {
	echo "$LAB_RUN/$1"
}

# platforms_of_hosts: prints the hosts' platforms, for a person.
platforms_of_hosts() {
	if [ "${HOST_PLATFORM[A]}" = "${HOST_PLATFORM[B]}" ]; then
		echo "${HOST_PLATFORM[A]}"
	else
		echo "A ${HOST_PLATFORM[A]}, B ${HOST_PLATFORM[B]}"
	fi
}

# platform_option VALUE: what --platform says: NAME for both hosts, A=NAME or B=NAME.
platform_option() {
	case "$1" in
	[AB]=*) HOST_PLATFORM[${1%%=*}]=${1#*=} ;;
	*) HOST_PLATFORM=([A]=$1 [B]=$1) ;;
	esac
}

# in_ns COMMAND...: runs a command in the lab's network namespace.
in_ns() {
	ip netns exec "$LAB_NS" "$@"
}

# process_is_ours PIDFILE: whether the process named there runs and belongs to this lab.
# A pid file outlives its process; the number may be someone else's by now.
process_is_ours() {
	local pid
	[ -s "$1" ] || return 1
	read -r pid <"$1"
	[ -r "/proc/$pid/cmdline" ] || return 1
	tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$LAB_RUN/"
}

# end_process PIDFILE: ends the process named there, if it is ours: TERM, then KILL after 5 s.
end_process() {
	local pid tries=0
	if process_is_ours "$1"; then
		read -r pid <"$1"
		kill "$pid" 2>/dev/null
		while process_is_ours "$1"; do
			tries=$((tries + 1))
			[ "$tries" -ne 50 ] || kill -KILL "$pid" 2>/dev/null
			[ "$tries" -lt 100 ] || break
			sleep 0.1
		done
	fi
	rm -f "$1"
}

# descendants PID EXCEPT: prints the process ids of all children, their children
# and so on, as of one moment; without EXCEPT and what it has started.
descendants() {
	grep -H '^PPid:' /proc/[0-9]*/status 2>/dev/null | awk -v top="$1" -v except="$2" '
		{ split($1, path, "/"); parent[path[3]] = $2 }
		END {
			for (pid in parent) {
				at = pid
				while (at in parent && at != top && at != except)
					at = parent[at]
				if (at == top && pid != top)
					print pid
			}
		}'
}

# offspring: prints the process ids of everything that this process has started,
# also of what has lost its parent since, which still carries LAB_DRIVER in its
# environment (see main).
offspring() {
	descendants "$$" "$BASHPID"
	grep -lzxF "LAB_DRIVER=$LAB_DRIVER" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 | grep -vx "$BASHPID"
}

# end_offspring: ends everything that this process has started and waits for it
# to be gone: TERM, after 10 s KILL.
end_offspring() {
	local pids pid tries
	for ((tries = 0; tries < 110; tries++)); do
		mapfile -t pids < <(offspring | grep -vx "$$" | sort -u)
		for pid in "${!pids[@]}"; do
			[ -e "/proc/${pids[pid]}/exe" ] || unset "pids[pid]"
		done
		[ "${#pids[@]}" -gt 0 ] || return
		kill "-$([ "$tries" -lt 100 ] && echo TERM || echo KILL)" "${pids[@]}" 2>/dev/null
		sleep 0.1
	done
}
