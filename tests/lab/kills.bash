# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# kills.bash: kills vferry on a lab host at chosen system calls, and looks what
# the next call makes of that. Used by 51-kills.bats and 41-first-host.bats. Of
# the hook it is the worker that is killed: it alone changes anything.
#
# What it does is traced once, whole. A step is seen there as the rename of its
# journal, what follows, and its line in the log. Two places of each step are
# taken: the first call after the rename ("journalled, not made") and the
# line in the log ("made, not told"); besides, the rename of the lease and the
# output. A place is the name of a system call and how often it was called.

# shellcheck source=tests/lab/on-host.bash
. /root/on-host.bash

MAC=52:54:00:aa:bb:09 # of the VF that is attached
CALLS=rename,clone,sendto,sendmsg
WORKER=/usr/libexec/vferry/hook
PLACES=()
UNDO_PLACES=()

# places FILE WORD: prints the places of a trace where WORD begins a step's line in the log: "step" or "undo".
places() {
	awk -v word="$2: " '
		/^(---|\+\+\+)/ { next }
		{ name = $0; sub(/\(.*/, "", name); n[name]++ }
		name == "rename" { if (!lease++) print name, n[name]; journalled = 1; next }
		journalled && word == "step: " { print name, n[name]; last = name " " n[name]; journalled = 0 }
		name == "sendto" && index($0, word) && name " " n[name] != last { print name, n[name] }' "$1"
}

# run arrival|prepare|release|attach [STRACE-OPTION...]: one run of what is killed. Its status is in RC.
run() {
	local what=$1
	shift
	case $what in
	arrival) strace -s 200 -o /root/trace -e trace=$CALLS "$@" "$WORKER" guest1 migrate begin - <"$XML" >/root/output.xml 2>/root/said ;;
	release) strace -s 200 -o /root/trace -e trace=$CALLS "$@" "$WORKER" guest1 release end failed <"$ARRIVED" >/dev/null 2>/root/said ;;
	prepare) strace -s 200 -o /root/trace -e trace=$CALLS "$@" vferry prepare --pf "$PF" --yes >/root/said 2>&1 ;;
	attach) strace -s 200 -o /root/trace -e trace=$CALLS "$@" vferry attach "$GUEST" --live --mac $MAC >/root/said 2>&1 ;;
	esac
	RC=$?
}

# learn WHAT: a whole run of it, for its places; READY is what the host looks like then. Then back to BASE.
learn() {
	run "$1"
	[ "$RC" = 0 ] || fail "a whole $1: status $RC: $(</root/said)"
	READY=$(look)
	mapfile -t PLACES < <(places /root/trace step)
	case $1 in
	arrival)
		cp /root/output.xml "$ARRIVED"
		hook prepare begin - "$ARRIVED"
		run release
		mapfile -t UNDO_PLACES < <(places /root/trace undo)
		;;
	prepare) back_by_hand ;;
	attach) vferry detach "$GUEST" --live >/root/said 2>&1 || fail "detach: $(</root/said)" ;;
	esac
	same_as "$BASE" "after a whole $1"
	[ "${#PLACES[@]}" -gt "${LEAST:-6}" ] || fail "only ${#PLACES[@]} places were found in the trace: ${PLACES[*]}"
}

# back_by_hand: what "vferry prepare" made is for good; this takes it away as the next test needs it.
back_by_hand() {
	local bridge dev
	for bridge in $(ovs-vsctl list-br); do ovs-vsctl del-br "$bridge"; done
	ovs-vsctl clear Open_vSwitch . other_config
	for dev in /sys/bus/pci/devices/"$PF"/net/*; do tc qdisc del dev "${dev##*/}" ingress 2>/dev/null; done
	echo 0 >"/sys/bus/pci/devices/$PF/sriov_numvfs"
	echo 1 >"/sys/bus/pci/devices/$PF/sriov_drivers_autoprobe"
	until_true 60 legacy
}

# legacy: the eswitch is in legacy mode, or goes there now.
legacy() {
	devlink dev eswitch show "pci/$PF" | grep -q 'mode legacy' || devlink dev eswitch set "pci/$PF" mode legacy
}

# kill_at WHAT CALL NUMBER: a run that dies there. Return: 1 if it did not come that far.
kill_at() {
	CHECKS=$((CHECKS + 1))
	run "$1" -e "inject=$2:signal=KILL:when=$3"
	if [ "$RC" != 137 ]; then
		echo "not killed: $1 at $2 $3"
		return 1
	fi
	echo "killed: $1 at $2 $3: $(tail -n 3 /root/trace | grep -v '^[-+]' | tail -n 1 | cut -c 1-150)"
}

# then_released: the guest does not come.
then_released() {
	never_comes
	same_as "$BASE" "released after a kill at $*"
}

# then_again: the guest arrives a second time; its release is killed, and called again.
then_again() {
	local place=${UNDO_PLACES[$((NEXT_UNDO++ % ${#UNDO_PLACES[@]}))]}
	hook migrate begin -
	accepts "arrival after a kill at $*"
	same_as "$READY" "arrived after a kill at $*"
	hook prepare begin - "$ARRIVED"
	accepts "prepare after a kill at $*"
	# shellcheck disable=SC2086 # two words
	kill_at release $place
	never_comes
	same_as "$BASE" "released after a kill of the release at $place"
}

# then_prepared: in turn, vferry prepare goes on, or vferry release takes back.
then_prepared() {
	if [ $((NEXT_UNDO++ % 2)) = 0 ]; then
		vferry prepare --pf "$PF" --yes >/root/said 2>&1 || fail "prepare after a kill at $*: $(</root/said)"
		same_as "$READY" "prepared after a kill at $*"
		back_by_hand
	else
		vferry release --yes >/root/said 2>&1 || fail "release after a kill at $*: $(</root/said)"
	fi
	same_as "$BASE" "as it was after a kill of prepare at $*"
}

# then_attached: the guest gets a VF, one only, and gives it back.
then_attached() {
	vferry attach "$GUEST" --live --mac $MAC >/root/said 2>&1 || fail "attach after a kill at $*: $(</root/said)"
	same_as "$READY" "attached after a kill at $*"
	vferry detach "$GUEST" --live >/root/said 2>&1 || fail "detach after a kill at $*: $(</root/said)"
	same_as "$BASE" "as it was after a kill of attach at $*"
}

# kill_some START STEP WHAT THEN: kills WHAT at every STEP-th of its places, one run each, and calls THEN.
kill_some() {
	local i killed=0 tried=0
	NEXT_UNDO=$1
	learn "$3"
	for ((i = $1; i < ${#PLACES[@]}; i += $2)); do
		tried=$((tried + 1))
		# shellcheck disable=SC2086 # two words
		if kill_at "$3" ${PLACES[$i]}; then killed=$((killed + 1)); fi
		"$4" "${PLACES[$i]}"
	done
	echo "killed at $killed of $tried places; a whole run has ${#PLACES[@]}"
	if [ "$tried" = 0 ] || [ "$killed" -lt $((tried * 3 / 4)) ]; then fail "too few kills"; fi
}
