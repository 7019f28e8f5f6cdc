#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The rooms of helpers/lib and what each may touch (see README.md, "The rooms").

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	BUILD=${BUILD:-build}
	# shellcheck source=tests/tree/files.sh
	. tests/tree/files.sh
}

# own_includes FILE: prints the room of every header in quotation marks; a name without a folder is of the file's own room.
own_includes() {
	sed -n 's|^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*|\1|p' "$1" | sed 's|^[^/]*$|'"$(basename "$(dirname "$1")")"'/&|; s|/.*||'
}

# system_includes FILE: prints every header in angle brackets.
system_includes() {
	sed -n 's|^[[:space:]]*#[[:space:]]*include[[:space:]]*<\([^>]*\)>.*|\1|p' "$1"
}

# none_of HEADERS FILE...: fails with a line for each file that includes one of the headers (an extended regular expression).
none_of() {
	local forbidden=$1 file header bad=0

	shift
	for file in "$@"; do
		while read -r header; do
			if [[ $header =~ ^($forbidden)$ ]]; then
				echo "$file includes <$header>"
				bad=1
			fi
		done < <(system_includes "$file")
	done
	return "$bad"
}

@test "every room of the library is known here" {
	for room in helpers/lib/*/; do
		allowed "$(basename "$room")" || { echo "what may $room include?"; false; }
	done
}

@test "a room includes only the rooms below it" {
	bad=0
	for file in helpers/lib/*/*.[ch]; do
		room=$(basename "$(dirname "$file")")
		for other in $(own_includes "$file"); do
			[[ " $(allowed "$room") " == *" $other "* ]] || { echo "$file ($room) includes a header of $other"; bad=1; }
		done
	done
	[ "$bad" -eq 0 ]
}

@test "of the programs' rooms each includes the library and itself, and libvirt's room only who may call libvirt" {
	bad=0
	library=' base domain card switch host state policy engine '
	while read -r file; do
		room=${file%/*}
		case $file in
		hooks/*) also=' hooks ' ;;
		helpers/virt/*) also=' virt ' ;;
		helpers/agent/*) also=' agent virt ' ;;
		helpers/command/attach/* | helpers/command/fleet/run.c) also=' command virt ' ;;
		helpers/command/*) also=' command ' ;;
		esac
		for other in $(own_includes "$file"); do
			[ "$other" != "$(basename "$room")" ] || other=own
			[[ "$library own $also" == *" $other "* ]] || { echo "$file includes a header of $other"; bad=1; }
			[[ $file != helpers/virt/* || " own virt base " == *" $other "* ]] || { echo "$file includes a header of $other"; bad=1; }
		done
	done < <(find hooks helpers/virt helpers/agent helpers/command -name '*.[ch]')
	[ "$bad" -eq 0 ]
}

@test "domain knows no netlink, and card, switch and host no XML" {
	none_of 'netlink/.*|linux/.*|net/.*|pci/.*' helpers/lib/domain/*.[ch]
	none_of 'libxml/.*' helpers/lib/card/*.[ch] helpers/lib/switch/*.[ch] helpers/lib/host/*.[ch] helpers/lib/base/*.[ch] helpers/lib/policy/*.[ch]
}

@test "all netlink goes through one door" {
	cd helpers/lib
	# nl_send and its like in one file; building and reading messages is everybody's.
	users=$(grep -lE '\bnl_(send|recv|complete)[a-z_]*[[:space:]]*\(' */*.c | sort -u)
	echo "$users"
	[ "$users" = card/netlink.c ]
}

@test "all processes are made through one door" {
	users=$(grep -lE '\b(fork|vfork|clone3?|posix_spawnp?|system|popen)[[:space:]]*\(' hooks/*.c helpers/*.c helpers/*/*.c helpers/command/*/*.c helpers/lib/*/*.c 2>/dev/null | sort -u)
	echo "$users"
	# The hook's first program has libc alone, and starts one program: the worker.
	[ "$users" = $'helpers/lib/base/child.c\nhooks/qemu.c' ]
	[ "$(grep -cE '\b(fork|vfork|clone3?|posix_spawnp?|system|popen)[[:space:]]*\(' hooks/qemu.c)" = 1 ]
}

@test "device ids of cards stand in one table" {
	run grep -rniE '\b(0x(15b3|101[0-9a-f]|102[0-9a-f]|a2d[0-9a-f])|15b3)\b' helpers hooks --include='*.[ch]'
	echo "$output"
	[ -n "$output" ]
	[ -z "$(grep -vE '^helpers/lib/card/card\.[ch]:' <<<"$output")" ]
}

@test "limits are judged by one table" {
	# The thresholds: who compares something with them has a rule of his own. Three commands and the
	# agent tell how many slots there are, and the line is as quick as there are slots.
	run grep -rnE 'config[.>-]+(vfs_in_flight|firmware_(refuse|warn)_below|peer_(psid|firmware)|unknown_source)' helpers hooks --include='*.c'
	echo "$output"
	[ -n "$output" ]
	[ -z "$(grep -vE '^helpers/lib/policy/(rules_[a-z]+|gate)\.c:|^(helpers/command/(status/status|check/card|cluster/cluster)|helpers/agent/publish|helpers/lib/policy/patience)\.c:.*vfs_in_flight' <<<"$output")" ]
	users=$(grep -rlE '\bdisturb_(uplink|eswitch)[[:space:]]*\(' helpers hooks --include='*.c' | sort | tr '\n' ' ')
	echo "$users"
	[ "$users" = "helpers/lib/engine/door_pf.c helpers/lib/policy/disturb.c helpers/lib/policy/rules_pf.c " ]
}

@test "nothing reloads devlink or restarts Open vSwitch" {
	# Words in sentences and facts that tell an operator what he may do are no calls: devlink is asked by number, programs run by argv.
	run grep -rnE 'CMD_RELOAD|DEVLINK_RELOAD|driver_reinit|fw_activate' helpers hooks --include='*.[ch]'
	[ -z "$output" ]
	run grep -rnE 'char [a-z_]+\[\] = "[^"]*(systemctl|ovs-ctl|service|ovs-vsctl)"' helpers hooks --include='*.c'
	[ -z "$output" ]
}

@test "/sys and /proc are named behind the sysroot alone" {
	# A path given to open() and its like by hand would not move with the root.
	run grep -nE '\b(open|openat|fopen|opendir|access|stat|lstat|readlink|unlink|mkdir)[[:space:]]*\([^;]*"/(sys|proc|run|etc)/' -r helpers hooks --include='*.c'
	echo "$output"
	# /proc/self is this process itself, on every root.
	[ -z "$(grep -v '"/proc/self' <<<"$output")" ]
}

@test "policy includes no header for files, sockets, clocks or processes" {
	none_of '(unistd|fcntl|dirent|time|poll|syslog|signal|spawn|netdb|ftw|glob)\.h|sys/.*|net/.*|netinet/.*|arpa/.*|linux/.*|netlink/.*|json-c/.*' \
		helpers/lib/policy/*.[ch]
	for file in helpers/lib/policy/*.c; do
		run sed -n 's|.*include "base/\(child\|clock\|dev_log\|guard\|log\|spawn\|sysroot\).h"|\1|p' "$file"
		[ -z "$output" ] || { echo "$file includes base/$output.h"; false; }
	done
}

@test "policy calls nothing that could touch the machine" {
	command -v nm >/dev/null || skip "nm (binutils) is not installed"
	objects=("$BUILD"/helpers/lib/policy/*.o)
	[ -e "${objects[0]}" ] || skip "nothing is built in $BUILD"
	# Text and memory of the C library; reasons and addresses; questions to structs; the plan's own data; policy itself.
	pure='mem[a-z]+|str[a-z]+|v?snprintf|qsort|bsearch|malloc|calloc|realloc(array)?|free|__.*|_GLOBAL_OFFSET_TABLE_'
	pure+='|(reason|pci_address|mac_address|port_settings|step|steps|vlan_set|extras|vf_function)_[a-z_]+|[a-z]+_(find|has|is|can|equal)(_[a-z_]+)?'
	own=$(nm --defined-only "${objects[@]}" | awk 'NF == 3 { print $3 }')
	bad=0
	for symbol in $(nm -u "${objects[@]}" | awk '$1 == "U" { print $2 }' | sort -u); do
		[[ $symbol =~ ^($pure)$ ]] || grep -qx "$symbol" <<<"$own" || { echo "policy calls $symbol()"; bad=1; }
	done
	[ "$bad" -eq 0 ]
}

@test "the agent decides without touching the machine, and no part of it calls another" {
	command -v nm >/dev/null || skip "nm (binutils) is not installed"
	[ -e "$BUILD/helpers/agent/decide.o" ] || skip "nothing is built in $BUILD"
	objects=("$BUILD"/helpers/agent/{decide,agenda,facts}.o)
	pure='mem[a-z]+|str[a-z]+|v?snprintf|calloc|reallocarray|free|__.*|_GLOBAL_OFFSET_TABLE_|gate_[a-z_]+|pci_address_equal|status_(find|is|list_release)[a-z_]*'
	own=$(nm --defined-only "${objects[@]}" | awk 'NF == 3 { print $3 }')
	bad=0
	for symbol in $(nm -u "${objects[@]}" | awk '$1 == "U" { print $2 }' | sort -u); do
		[[ $symbol =~ ^($pure)$ ]] || grep -qx "$symbol" <<<"$own" || { echo "it calls $symbol()"; bad=1; }
	done
	# The parts, which work.h names: of the others' functions none knows any.
	mapfile -t parts < <(sed -n 's|^\(/\*\)\{0,1\} \*\{0,1\} *\([a-z]*\)\.c: .*|\2|p' helpers/agent/work.h)
	[ "${#parts[@]}" -ge 8 ]
	for part in "${parts[@]}"; do
		for other in "${parts[@]}"; do
			[ "$part" != "$other" ] || continue
			shared=$(comm -12 <(nm -u "$BUILD/helpers/agent/$part.o" | awk '{ print $2 }' | sort) \
				<(nm --defined-only "$BUILD/helpers/agent/$other.o" | awk '$2 ~ /[TDB]/ { print $3 }' | sort))
			[ -z "$shared" ] || { echo "$part calls $shared of $other"; bad=1; }
		done
	done
	[ "$bad" -eq 0 ]
}

@test "the library never prints and never exits" {
	command -v nm >/dev/null || skip "nm (binutils) is not installed"
	[ -e "$BUILD/libvferry.a" ] || skip "nothing is built in $BUILD"
	bad=0
	for room in base domain card switch host policy state; do
		for object in "$BUILD/helpers/lib/$room"/*.o; do
			case $object in */base/log.o | */base/reason.o) continue ;; esac # reason_print() writes to a stream that a program gives it
			found=$(nm -u "$object" | grep -owE 'printf|puts|putchar|vprintf|perror|stdout|stderr|exit|abort|err|errx|warn|warnx|error|syslog|vsyslog' | tr '\n' ' ')
			[ -z "$found" ] || { echo "$object uses $found"; bad=1; }
		done
	done
	[ "$bad" -eq 0 ]
}
