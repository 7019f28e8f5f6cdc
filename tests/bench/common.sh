# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# common.sh: what the benchmarks share. Run in the top folder of the tree.

BUILD=${BUILD:-build}
OUT=$BUILD/tests/bench     # programs, figures and the text of each section
# shellcheck disable=SC2034 # used by those that read this file
TRUE=/bin/true             # the baseline: coreutils' true, as a program of its own

# say TEXT: progress, on stderr.
say() {
	echo "bench: $*" >&2
}

# up_to_date: makes what $BUILD holds up to date, with warnings as it was built: by other flags everything would be compiled again.
up_to_date() {
	local as_built=()
	! grep -qs -e -Werror "$BUILD/flags" || as_built=(WERROR=1)
	make -s BUILD="$BUILD" "${as_built[@]}" all >&2
}

# compile: the programs of the bench: measure; the worker and the command on a machine of files (machine.c); and the worker that tells where
# its time goes (parts.c), with the program that libvirt runs before it.
compile() {
	local flags libraries part objects=() worker=() wrap='-Wl,--wrap=netlink_open,--wrap=netlink_call' parts=
	mkdir -p "$OUT"
	up_to_date || return 1 # what is measured is what the tree holds
	flags=$(make -s BUILD="$BUILD" print-flags) || return 1
	libraries=$(pkg-config --libs libxml-2.0 libnl-3.0 libnl-genl-3.0 libpci json-c inih)
	${CC:-cc} -std=gnu17 -O2 -Wall -Wextra -static -o "$OUT/measure" tests/bench/measure.c || return 1
	for part in ovsdb_call poll fork guard_call guard_begin guard_finish guard_ask converge_to log_line; do parts+=" -Wl,--wrap=$part"; done
	read -ra worker < <(make -s BUILD="$BUILD" print-worker)
	read -ra objects < <(make -s BUILD="$BUILD" print-vferry)
	# shellcheck disable=SC2086 # flags are words
	eval "${CC:-cc} $flags -O2 -g -c -o '$OUT/machine-alone.o' tests/bench/machine.c" &&
		${CC:-cc} -std=gnu17 -O2 -Wall -Wextra -c -o "$OUT/firmware.o" tests/worlds/firmware.c &&
		ld -r -o "$OUT/machine.o" "$OUT/machine-alone.o" "$OUT/firmware.o" &&
		eval "${CC:-cc} $flags -O2 -g -c -o '$OUT/parts.o' tests/bench/parts.c" &&
		eval "${CC:-cc} $flags -O2 -g -DWORKER='\"$OUT/hook-parts\"' -o '$OUT/qemu-parts' hooks/qemu.c helpers/lib/base/dev_log.c" &&
		${CC:-cc} -o "$OUT/hook-parts" $wrap $parts "${worker[@]}" "$OUT/machine.o" "$OUT/parts.o" \
			"$BUILD/libvferry.a" $libraries &&
		${CC:-cc} -o "$OUT/hook" $wrap "${worker[@]}" "$OUT/machine.o" "$BUILD/libvferry.a" \
			$libraries &&
		${CC:-cc} -o "$OUT/vferry" $wrap "${objects[@]}" "$OUT/machine.o" "$BUILD/libvferry.a" $libraries
}

# measure ROUNDS INPUT COMMAND...: see measure.c.
measure() {
	"$OUT/measure" "$@"
}

# ratio A B: A divided by B, two digits.
ratio() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'
}

# disturbance: a line about what else the machine did while a section was measured.
disturbance() {
	echo "Load of the machine at the end: $(cut -d ' ' -f 1 /proc/loadavg) on $(nproc) processors; a quiet one has less than 1."
}

# machine PFS VFS GUESTS: makes the machine of files, with Open vSwitch as "vferry prepare" leaves it; $VFERRY_BENCH_ROOT is its folder.
machine() {
	local pf
	machine_end
	VFERRY_BENCH_ROOT=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)/vferry-bench.XXXXXX") || return 1
	export VFERRY_BENCH_ROOT OVS_RUNDIR=$VFERRY_BENCH_ROOT/run/openvswitch
	tests/bench/make-machine "$VFERRY_BENCH_ROOT" "$1" "$2" "$3" || return 1
	printf '[host]\nvfs = 0\nbridge = br-vferry\n' >"$VFERRY_BENCH_ROOT/etc/vferry/vferry.conf"
	ovsdb-tool create "$OVS_RUNDIR/conf.db" /usr/share/openvswitch/vswitch.ovsschema || return 1
	ovsdb-server "$OVS_RUNDIR/conf.db" --remote="punix:$OVS_RUNDIR/db.sock" --unixctl="$OVS_RUNDIR/db.ctl" 2>/dev/null &
	machine_server=$!
	until [ -S "$OVS_RUNDIR/db.sock" ]; do sleep 0.05; done
	vsctl --no-wait -- init -- set Open_vSwitch . other_config:hw-offload=true other_config:max-idle=300000 ovs_version=3.1.0
	ovs-vswitchd "unix:$OVS_RUNDIR/db.sock" --unixctl="$OVS_RUNDIR/vswitchd.ctl" --enable-dummy=override 2>/dev/null &
	machine_switch=$!
	vsctl --timeout=60 add-br br-vferry
	for ((pf = 0; pf < $1; pf++)); do
		vsctl --timeout=60 add-port br-vferry "uplink$pf"
	done
}

# vsctl WORD...: ovs-vsctl on the machine of files.
vsctl() {
	ovs-vsctl --db="unix:$OVS_RUNDIR/db.sock" "$@"
}

# take_back_program DOMAIN.xml: makes the program $OUT/take-back, which ends an arrival as libvirt does where a migration fails at the
# destination: "prepare" with the XML as the hook has changed it, then "release". Without "prepare" the hook would keep the VF, as for a
# guest that still comes, and the next arrival of the guest would have that to clear away.
take_back_program() {
	"$OUT/hook" arrival migrate begin - <"$1" >"$OUT/take-back.xml" || return 1
	cat >"$OUT/take-back" <<-END
		#!/bin/sh
		"$OUT/hook" arrival prepare begin - <"$OUT/take-back.xml" && exec "$OUT/hook" arrival release end failed <"$OUT/take-back.xml"
	END
	chmod +x "$OUT/take-back" && "$OUT/take-back"
}

# machine_end: takes the machine away.
machine_end() {
	if [ -n "${machine_switch:-}" ]; then
		kill "$machine_switch" "$machine_server" 2>/dev/null || :
		wait "$machine_switch" "$machine_server" 2>/dev/null || :
	fi
	machine_switch=
	[ -z "${VFERRY_BENCH_ROOT:-}" ] || rm -rf "$VFERRY_BENCH_ROOT"
	VFERRY_BENCH_ROOT=
}

# arrival NUMBER: prints the XML of a guest with a VF, and its passport, from another host; NUMBER (from 1) makes it different from others.
arrival() {
	local mac passport device
	mac=$(printf '52:54:00:12:34:%02x' "$1")
	passport="<vf:passport xmlns:vf='urn:vferry:passport:1' version='1'><vf:vf mac='$mac' pf='0000:c1:00.0' psid='MT_0000000834'"
	passport+=" firmware='28.43.1014' bridge='br-vferry'/></vf:passport>"
	device="<interface type='hostdev' managed='yes'><mac address='$mac'/>"
	device+="<source><address type='pci' domain='0x0000' bus='0xc1' slot='0x00' function='0x3'/></source></interface>"
	sed -e "s#<name>.*</name>#<name>arrival-$1</name>#" \
		-e "s#<uuid>.*</uuid>#<uuid>$(printf '9e0c7f57-b8d6-4b29-8c3e-%012d' "$1")</uuid>#" \
		-e "s#</metadata>#$passport&#" -e "s#</devices>#$device&#" \
		tests/bench/guest.xml
}
