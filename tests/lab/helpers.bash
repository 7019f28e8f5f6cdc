# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# helpers.bash: what the lab's bats files share. One lab serves a whole file: it
# is brought up once, and each test starts from hosts in a known state.

LAB=$BATS_TEST_DIRNAME/lab
export LAB_NAME=${LAB_NAME:-check}
export GUEST_IP=10.77.0.10
URI=qemu:///system

# on HOST COMMAND: a shell line on host A or B.
on() {
	"$LAB" exec "$1" "$2"
}

# pf HOST [NUMBER]: the PCI address of the host's CX-7 PF.
pf() {
	on "$1" 'for d in /sys/bus/pci/drivers/mlx5_core/*/sriov_totalvfs; do basename "$(dirname "$d")"; done' | sort | sed -n "$((${2:-0} + 1))p"
}

# snapshot HOST: everything that vferry may change, as text to compare. ofports,
# ifindexes and counters are left out: they change by themselves.
snapshot() {
	on "$1" '
		for d in /sys/bus/pci/drivers/mlx5_core/*/sriov_totalvfs; do # without a process for each: they are slow here
			[ -e "$d" ] || continue
			cd -P "${d%/*}"
			pf=${PWD##*/}
			echo "$pf $(devlink dev eswitch show "pci/$pf" 2>&1) numvfs $(<sriov_numvfs) autoprobe $(<sriov_drivers_autoprobe)"
			for vf in /sys/bus/pci/devices/$pf/virtfn*; do
				[ -e "$vf" ] || continue
				cd -P "$vf"
				vf=${PWD##*/} driver=none override=$(<driver_override)
				[ ! -e driver ] || { cd -P driver; driver=${PWD##*/}; }
				echo "$vf $driver override $override"
			done
		done
		devlink port show 2>/dev/null | grep -A1 "flavour pcivf" | sed -e "s/netdev [^ ]*//" -e "/^--/d"
		ip -br link | awk "{ print \$1, \$2 }" | grep -v "^ovs-system" | sort
		ovs-vsctl --columns=other_config --format=csv list Open_vSwitch
		for br in $(ovs-vsctl list-br); do echo "bridge $br: $(ovs-vsctl list-ports "$br" | sort | tr "\n" " ")"; done
		find /run/vferry -name "*.json" 2>/dev/null | sort'
}

# wipe HOST: ends the guests and takes the host back to how it boots, by hand.
wipe() {
	on "$1" '
		kind=domain cleared=
		while read -r name; do
			case "$kind $name" in
			*" networks:") kind=network ;;
			*" ") ;;
			domain*) virsh -q -c qemu:///system "destroy $name; undefine $name" 2>/dev/null </dev/null ;;
			network*) virsh -q -c qemu:///system "net-destroy $name; net-undefine $name" 2>/dev/null </dev/null ;;
			esac
		done < <(virsh -q -c qemu:///system "list --all --name; echo networks:; net-list --all --name")
		for br in $(ovs-vsctl list-br); do cleared+=" -- del-br $br"; done
		ovs-vsctl clear Open_vSwitch . other_config $cleared
		tc qdisc show | grep "^qdisc ingress" | while read -r _ _ _ _ dev _; do # Open vSwitch may keep offloaded rules of a removed port for long
			tc qdisc del dev "$dev" ingress 2>/dev/null
		done
		for d in /sys/bus/pci/drivers/mlx5_core/*/sriov_totalvfs; do
			[ -e "$d" ] || continue
			cd -P "${d%/*}"
			pf=${PWD##*/}
			[ "$(<sriov_numvfs)" = 0 ] || echo 0 >sriov_numvfs
			echo 1 >sriov_drivers_autoprobe
			for i in $(seq 50); do # busy until ovs-vswitchd has taken its flows away
				devlink dev eswitch show "pci/$pf" | grep -q "mode legacy" && break
				devlink dev eswitch set "pci/$pf" mode legacy 2>/dev/null || sleep 0.1
			done
		done
		rm -rf /run/vferry /var/lib/vferry
		rm -f /etc/vferry/vferry.conf'
}

# wipe_both: both hosts, side by side.
wipe_both() {
	wipe A &
	wipe B
	wait "$!"
}

# guest HOST NAME OPTION...: starts a small guest (see "lab guest A help").
guest() {
	"$LAB" guest "$@"
}

# migrate FROM TO GUEST [FLAG...]: a plain virsh migrate, output and status for bats' run.
migrate() {
	local from=$1 to=$2 name=$3
	shift 3
	on "$from" "timeout 120 virsh -c $URI migrate --live $* $name qemu+tcp://host$to/system 2>&1"
}

# state HOST GUEST: running, paused, ... or nothing.
state() {
	on "$1" "virsh -c $URI domstate $2 2>/dev/null" | head -n 1
}

# vfs HOST GUEST: the host's PCI addresses of a running guest's devices, a line each.
vfs() {
	on "$1" "virsh -c $URI dumpxml $2" |
		sed -n "/<source>/,/<\/source>/s/.*<address type='pci' domain='0x\(.*\)' bus='0x\(..\)' slot='0x\(..\)' function='0x\(.\)'.*/\1:\2:\3.\4/p"
}

# station START... and report JQ-FILTER: the third machine on the cable.
station_start() {
	"$LAB" station start "$@"
}

report() {
	"$LAB" station report | jq -r "$1"
}

# no_frame_lost: every stream that the station has seen is whole; shows its report if not.
no_frame_lost() {
	[ "$(report '[.guests[].lost] | length > 0 and add == 0')" = true ] || {
		"$LAB" station report >&2
		on A 'for d in /sys/kernel/debug/swcx7/pf*/vf*; do echo "$d: $(cat "$d/frames" "$d/link" | tr "\n" " ")"; done; ip -s -br link; ovs-appctl coverage/show' >&2
		return 1
	}
}

# frames_flow [TAG]: waits until the station has counted 50 frames of a guest: the first that it saw, or the one with this tag.
frames_flow() {
	local tries
	for tries in $(seq 120); do
		[ "$(report "([.guests[]${1:+ | select(.tag == \"$1\")}][0].received // 0) > 50")" = true ] && return 0
		sleep 0.5
	done
	echo "no frames after $tries tries" >&2
	return 1
}

# no_harmful_set HOST: the eswitch mode was never set to what it was already, by the card's own count.
no_harmful_set() {
	[ "$(on "$1" 'cat /sys/kernel/debug/swcx7/pf*/count_same_mode_sets | sort -u')" = 0 ]
}

# configure HOST TEXT: /etc/vferry/vferry.conf.
configure() {
	on "$1" "mkdir -p /etc/vferry && printf '%s\n' '$2' >/etc/vferry/vferry.conf"
}

# contains TEXT PART: a check that says what it saw.
contains() {
	[[ $1 == *"$2"* ]] || {
		printf 'expected: %s\nin: %s\n' "$2" "$1" >&2
		return 1
	}
}

# same TEXT TEXT: a check that shows the difference.
same() {
	diff <(printf '%s\n' "$1") <(printf '%s\n' "$2") >&2
}

NS=vflab-$LAB_NAME # the namespace outside both hosts

# ping_guest ADDRESS [OPTION...]: begins to ping from outside, 20 times a second; ping_report: "N of M answers, longest gap N ms".
ping_guest() {
	ip netns exec "$NS" stdbuf -oL ping -D -n -i 0.05 -W 1 "${@:2}" "$1" >"$BATS_TEST_TMPDIR/ping" 2>&1 3>&- &
	PING=$!
}

ping_report() {
	kill -INT "$PING"
	wait "$PING" || true
	awk '/bytes from/ { t = substr($1, 2, length($1) - 2) * 1000; if (last && t - last > gap) gap = t - last; last = t }
		/transmitted/ { line = $1 " sent, " $4 " answered" } END { printf "%s, longest gap %d ms\n", line, gap }' "$BATS_TEST_TMPDIR/ping"
}

# answers: how many there have been.
answers() {
	grep -c 'bytes from' "$BATS_TEST_TMPDIR/ping" || true
}

# answers_again: pings are answered from now on; a guest that has just been started needs a while.
answers_again() {
	local n
	n=$(answers)
	for _ in $(seq 240); do
		[ "$(answers)" -lt $((n + 10)) ] || return 0
		sleep 0.25
	done
	tail -3 "$BATS_TEST_TMPDIR/ping" >&2
	return 1
}

# no_answer_lost: between the first answer and the last none is missing.
no_answer_lost() {
	tail -n 1 "$BATS_TEST_TMPDIR/ping"
	awk -F 'icmp_seq=' '/bytes from/ { n = $2 + 0; first = first ? first : n; last = n; all++ }
		END { printf "%d answers, %d missing\n", all, last - first + 1 - all; exit all < 20 || last - first + 1 != all }' "$BATS_TEST_TMPDIR/ping"
}

# threads HOST: how many threads libvirtd has there that serve calls.
threads() {
	on "$1" 'cat /proc/$(cat /run/libvirtd.pid)/task/*/comm | grep -cx rpc-libvirtd'
}

# threads_at_boot HOST [MOST]: it has 5 again, and may start more, up to 20 in all or so many.
threads_at_boot() {
	on "$1" 'virt-admin server-threadpool-set libvirtd --min-workers 1 --max-workers 5 || exit 1
		for i in $(seq 100); do
			[ "$(cat /proc/$(cat /run/libvirtd.pid)/task/*/comm | grep -cx rpc-libvirtd)" -gt 5 ] || break
			sleep 0.1
		done
		virt-admin server-threadpool-set libvirtd --min-workers 5 --max-workers '"${2:-20}"
	[ "$(threads "$1")" = 5 ]
}

# restart_libvirtd HOST [SIGNAL]: as systemd does it, or after this signal: guests go on.
restart_libvirtd() {
	on "$1" 'pid=$(cat /run/libvirtd.pid); kill -'"${2:-TERM}"' "$pid"
		for i in $(seq 600); do [ -e "/proc/$pid" ] || break; sleep 0.1; done
		libvirtd --daemon --listen && virsh -q -c qemu:///system list >/dev/null'
}

# fetch_debs FOLDER PACKAGE...: into a folder here, packages of the hosts' own release with what they need and host A lacks: for programs that
# one file of tests alone needs. What A has is told to apt by A's own list, so that it chooses as it would there.
fetch_debs() {
	local dir=$1 world=${VFERRY_LAB_CACHE:-$HOME/.cache/vferry-lab}/apt-trixie
	shift
	mkdir -p "$dir/partial"
	on A 'cat /var/lib/dpkg/status' >"$dir/status"
	APT_CONFIG=$world/apt.conf apt-get -qy -o Dir::State::status="$dir/status" -o Dir::Cache::archives="$dir" --no-install-recommends \
		--download-only install "$@" >"$dir/log" 2>&1 || { cat "$dir/log" >&2; return 1; }
}

# lab_setup, lab_teardown: for setup_file and teardown_file.
lab_setup() {
	"$LAB" up --deploy >&3 2>&1
}

lab_teardown() {
	"$LAB" station stop >/dev/null 2>&1
	[ -n "${KEEP_LAB:-}" ] || "$LAB" down >&3 2>&1
}

# on_host_setup HOST: puts on-host.bash, the fake OVSDB server and the XML of a guest from A on a host, for tests that call the hook there.
on_host_setup() {
	local dir=$BATS_FILE_TMPDIR uuid='<uuid>3d5d2a5e-0b5e-4d0c-9a5a-000000000001</uuid>'
	guest A guest1 --vf "$(pf A)/1" --print | sed "s#</name>#&$uuid#" >"$dir/guest1.xml"
	guest A guest1 --vf "$(pf A)/1" --type hostdev --print | sed "s#</name>#&$uuid#" >"$dir/guest1-plain.xml"
	"$LAB" push "$1" "$BATS_TEST_DIRNAME/on-host.bash" "$BATS_TEST_DIRNAME/fake-ovsdb" "$dir/guest1.xml" "$dir/guest1-plain.xml" :/root/
}
