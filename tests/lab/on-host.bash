# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# on-host.bash: what the tests of faults and kills run on a lab host, so that a
# loop costs one ssh. The hook is called as libvirtd calls it, with the XML of a
# guest from the other host on stdin. Begin with "begin PF"; "finish" ends with 1
# if a check failed.

HOOK=/etc/libvirt/hooks/qemu.d/50-vferry
XML=/root/guest1.xml # an <interface> of a VF
ARRIVED=/root/arrived.xml
FAILED=0
CHECKS=0

# uplink PF: prints the name of a PF's netdev.
uplink() {
	local net
	for net in "/sys/bus/pci/devices/$1/net/"*np*; do
		[ ! -e "$net" ] || echo "${net##*/}"
	done | head -n 1
}

# begin PF: the host's PF that the tests use; what is there now is the state that everything must come back to.
begin() {
	export PF=$1
	CARD=/sys/kernel/debug/swcx7/pf0
	BASE=$(look)
}

# finish: says how many checks there were.
finish() {
	echo "$CHECKS checks, $FAILED failed"
	[ "$FAILED" = 0 ] && [ "$CHECKS" -gt 0 ]
}

# fail WHAT: notes a check that failed.
fail() {
	FAILED=$((FAILED + 1))
	printf 'NOT OK %s\n' "$1"
}

# same_as TEXT WHAT: the host looks like TEXT.
same_as() {
	local now
	now=$(look)
	CHECKS=$((CHECKS + 1))
	[ "$1" = "$now" ] && return 0
	fail "$2"
	diff <(printf '%s\n' "$1") <(printf '%s\n' "$now")
	return 1
}

# look: everything that vferry may change: PFs, VFs, their ports and settings, links, Open vSwitch, leases and journals.
look() {
	local pf vf driver
	for pf in /sys/bus/pci/drivers/mlx5_core/*/sriov_totalvfs; do
		[ -e "$pf" ] || continue
		pf=${pf%/*}
		echo "${pf##*/} numvfs $(<"$pf/sriov_numvfs") autoprobe $(<"$pf/sriov_drivers_autoprobe")"
		devlink dev eswitch show "pci/${pf##*/}"
		for vf in "$pf"/virtfn*; do
			[ -e "$vf" ] || continue
			driver=none
			[ ! -e "$vf/driver" ] || driver=$(readlink "$vf/driver")
			echo "${vf##*/} ${driver##*/} override $(<"$vf/driver_override")"
		done
		ip link show dev "$(uplink "${pf##*/}")" 2>/dev/null | grep '^ *vf '
	done
	devlink port show 2>/dev/null | grep -A1 'flavour pcivf' | sed -e 's/netdev [^ ]*//' -e '/^--/d'
	ip -br link | awk '$1 != "ovs-system" { print $1, $2 }' | sort
	ovs-vsctl -- get Open_vSwitch . other_config -- show |
		awk '/ovs_version/ { next } /Bridge /{ bridge = $2; port = "" } / Port /{ port = $2 } { print bridge, port, $0 }' | sort
	find /run/vferry -name '*.json' 2>/dev/null | sort
}

# hook OPERATION SUBOPERATION EXTRA [XML]: one call as libvirtd makes it: OUT what the hook says, RC its status, MS how long it took. What an
# arrival makes of the XML is what libvirt goes on with.
hook() {
	local start=${EPOCHREALTIME/[.,]/}
	OUT=$("$HOOK" guest1 "$1" "$2" "$3" 2>&1 >/root/output.xml <"${4:-$XML}")
	RC=$?
	MS=$(((${EPOCHREALTIME/[.,]/} - start) / 1000))
	[ "$1 $RC" != "migrate 0" ] || cp /root/output.xml "$ARRIVED"
}

# take_back: the guest that has arrived fails behind "prepare", and libvirt says so.
take_back() {
	hook prepare begin - "$ARRIVED"
	[ "$RC" = 0 ] || fail "prepare: status $RC: $OUT"
	hook release end failed "$ARRIVED"
	[ "$RC" = 0 ] || fail "release: status $RC: $OUT"
}

# never_comes: libvirt says nothing more of the guest. Its time runs out (here at once), the next call of another guest takes back what was
# made for it, and "vferry release" forgets that it could still come.
never_comes() {
	local file
	for file in /run/vferry/vfs/*.json; do
		[ ! -e "$file" ] || sed -i -E 's/("touched": *)[0-9]+/\199999999999999/' "$file" # not a time of this boot
	done
	"$HOOK" nobody reconnect begin - >/dev/null 2>&1 <<-END
		<domain type='qemu'><name>nobody</name><uuid>11111111-2222-3333-4444-555555555555</uuid><devices><hostdev mode='subsystem' type='pci'>
		<source><address domain='0x${PF%%:*}' bus='0x$(cut -d: -f2 <<<"$PF")' slot='0x00' function='0x2'/></source></hostdev></devices></domain>
	END
	OUT=$(vferry release --yes 2>&1) || fail "release: $OUT"
}

# fault FILE VALUE: a fault of the software card.
fault() {
	echo "$2" >"$CARD/$1"
}

# refused WHAT PART...: the last call refused in one sentence that has all parts, in time.
refused() {
	local what=$1 part
	shift
	CHECKS=$((CHECKS + 1))
	echo "$what: $MS ms: $OUT"
	[ "$RC" = 1 ] || fail "$what: status $RC"
	[ "$(wc -l <<<"$OUT")" = 1 ] || fail "$what: more than one sentence"
	[[ $OUT == "vferry: guest1: "*"; "* ]] || fail "$what: no sentence of the form 'vferry: GUEST: WHAT; WHAT TO DO'"
	for part in "$@"; do
		[[ $OUT == *"$part"* ]] || fail "$what: does not say '$part'"
	done
	in_time "$what"
}

# in_time WHAT: the last call ended within hook_deadline; 2 s are for starting programs on a slow machine.
in_time() {
	local deadline
	deadline=$(sed -n 's/^hook_deadline = //p' /etc/vferry/vferry.conf)
	[ "$MS" -le $(((${deadline:-60} + 2) * 1000)) ] || fail "$1: took $MS ms"
}

# refuses_and_undoes WHAT PART...: an arrival is refused, and the host is as it was.
refuses_and_undoes() {
	hook migrate begin - "${WITH_XML:-$XML}"
	refused "$@"
	same_as "$BASE" "$1: the host is not as it was"
}

# accepts WHAT: the last call did its work.
accepts() {
	CHECKS=$((CHECKS + 1))
	echo "$1: $MS ms"
	[ "$RC" = 0 ] || fail "$1: status $RC: $OUT"
	in_time "$1"
}

# until_true SECONDS COMMAND...: waits for a condition.
until_true() {
	local end=$((SECONDS + $1))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}

# is_steady: no change of the eswitch is under way.
is_steady() {
	[ "$(<"$CARD/eswitch_state")" != changing ]
}

# deadline SECONDS: hook_deadline from now on.
deadline() {
	sed -i "s/^hook_deadline = .*/hook_deadline = $1/" /etc/vferry/vferry.conf
}
