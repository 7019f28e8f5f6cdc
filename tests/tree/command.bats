#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What vferry says of itself: --help, the manual page and the completion name the same commands and options.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	vferry=${BUILD:-build}/vferry
	[ -x "$vferry" ] || skip "$vferry is not built"
	page=helpers/vferry.8
	# shellcheck source=install/completion/vferry.bash
	. install/completion/vferry.bash
}

# commands: prints the commands that --help names.
commands() {
	"$vferry" --help | sed -n 's/^  \([a-z]\{1,\}\)  *[A-Z].*/\1/p' | sort
}

# help_options COMMAND: prints the options that its --help names.
help_options() {
	"$vferry" "$1" --help | sed -n 's/^  \(--[a-z-]*\).*/\1/p' | sort
}

# page_options COMMAND: prints the options that its section of the manual page names, and those that it says all have.
page_options() {
	{
		sed 's/\\-/-/g' "$page" | awk -v command="$1" '
			$1 == ".SS" { inside = $2 == command }
			$1 == ".SH" { inside = 0 }
			inside && /^\.BI? --/ { print $2 }'
		printf '%s\n' --help --version
	} | sort -u
}

# page_commands: prints the commands that the manual page describes.
page_commands() {
	sed -n 's/^\.SS \([a-z]*\)$/\1/p' "$page" | sort
}

# complete_line WORD...: prints what the completion offers for the last word.
complete_line() {
	COMP_LINE=$*
	COMP_POINT=${#COMP_LINE}
	_vferry
	printf '%s\n' "${COMPREPLY[@]}"
}

@test "help, manual page and completion name the same commands" {
	[ "$(commands | wc -l)" -ge 7 ]
	diff <(commands) <(page_commands)
	diff <(commands) <(complete_line vferry "" | grep -v '^--' | sort)
}

@test "help, manual page and completion name the same options of each command" {
	for command in $(commands); do
		echo "$command"
		[ -n "$(help_options "$command")" ]
		diff <(help_options "$command") <(page_options "$command")
		diff <(help_options "$command") <(_vferry_options "$command" | tr ' ' '\n' | sort)
	done
}

@test "help fits 80 columns" {
	for command in "" $(commands); do
		# shellcheck disable=SC2086 # an empty command is none
		wide=$("$vferry" $command --help | awk 'length > 80')
		[ -z "$wide" ] || { echo "$command: $wide"; false; }
	done
}

@test "help goes to stdout with 0, wrong use to stderr with 2" {
	for command in $(commands); do
		run bash -c "'$vferry' '$command' --help 2>/dev/null"
		[ "$status" -eq 0 ]
		[[ $output == "Usage: vferry $command"* ]]
		run bash -c "'$vferry' '$command' --frobnicate 2>&1 >/dev/null"
		[ "$status" -eq 2 ]
		[[ $output == "vferry $command: unknown option '--frobnicate'"* ]]
	done
	run bash -c "'$vferry' 2>&1 >/dev/null"
	[ "$status" -eq 2 ]
	run bash -c "'$vferry' frobnicate 2>&1 >/dev/null"
	[ "$status" -eq 2 ]
	[[ $output == "vferry: there is no command 'frobnicate'"* ]]
}

@test "--version says what the Makefile says" {
	[ "$("$vferry" --version)" = "vferry $(sed -n 's/^VERSION = //p' Makefile)" ]
}

@test "the manual page says where every key of the inventory comes from" {
	command -v jq >/dev/null || skip "jq is not installed"
	bad=0
	for key in $(jq -r '[paths | .[] | select(type == "string")] | unique[]' tests/unit/data/command/host-busy.json); do
		grep -qE "(^|[ .\"])$key([ \"]|$)" "$page" || { echo "the manual page does not name $key"; bad=1; }
	done
	[ "$bad" -eq 0 ]
}

@test "the manual page names every key that a command prints as JSON" {
	command -v jq >/dev/null || skip "jq is not installed"
	data=tests/unit/data/command bad=0
	sed 's/\\-/-/g' "$page" >"$BATS_TEST_TMPDIR/page"
	for host in host-fresh host-busy; do
		for line in check "check --domain $data/guest.xml --against $data/host-ready.json" status "plan --domain $data/guest.xml" "prepare --dry-run"; do
			# shellcheck disable=SC2086 # words
			"$vferry" $line --inventory "$data/$host.json" --settings /nonexistent/vferry.conf --json >"$BATS_TEST_TMPDIR/out" || true
			keys=$(jq -r '[paths | .[] | select(type == "string")] | unique[]' "$BATS_TEST_TMPDIR/out")
			[ "$(wc -l <<<"$keys")" -ge 5 ] || { echo "$line: no JSON: $(cat "$BATS_TEST_TMPDIR/out")"; bad=1; }
			for key in $keys; do
				grep -qE "(^|[ .\"])$key([ \"]|$)" "$BATS_TEST_TMPDIR/page" || { echo "$line: the manual page does not name $key"; bad=1; }
			done
		done
	done
	[ "$bad" -eq 0 ]
}

@test "the manual page has no mistake that groff or mandoc can see" {
	if command -v mandoc >/dev/null; then
		run mandoc -T lint -W warning "$page"
	elif command -v groff >/dev/null; then
		run groff -man -Tascii -ww -z "$page"
	else
		skip "neither mandoc nor groff is installed"
	fi
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "the completion offers options, files and values" {
	[ "$(complete_line vferry pre)" = prepare ]
	[ "$(complete_line vferry prepare --dr)" = --dry-run ]
	[ "$(complete_line vferry plan --as sta)" = start ]
	complete_line vferry plan --domain Make | grep -qx Makefile
}

@test "the completion offers guests, networks and bridges" {
	# shellcheck disable=SC2317 # called by the completion
	virsh() {
		case $* in
		*net-list*) echo vf-pool ;;
		*) printf 'web1\ndb1\n' ;;
		esac
	}
	# shellcheck disable=SC2317
	ovs-vsctl() { echo br-vferry; }
	for command in check plan attach detach; do
		[ "$(complete_line vferry "$command" w)" = web1 ]
	done
	[ "$(complete_line vferry attach --network vf)" = vf-pool ]
	[ "$(complete_line vferry prepare --bridge br)" = br-vferry ]
	[ "$(complete_line vferry prepare --boot c)" = card ]
	[ -z "$(complete_line vferry status w)" ]
}

@test "the completion offers PFs, by address and by device, although bash breaks words at colons" {
	# shellcheck disable=SC2317 # called by the completion
	_vferry_pfs() { printf '%s\n' 0000:81:00.0 enp129s0f0np0 0000:81:00.1 enp129s0f1np1; }
	[ "$(complete_line vferry prepare --pf | wc -l)" = 1 ]
	[ "$(complete_line vferry prepare --pf "" | wc -l)" = 4 ]
	[ "$(complete_line vferry attach web1 --pf enp129s0f1)" = enp129s0f1np1 ]
	[ "$(complete_line vferry attach web1 --pf 0000:81:00 | tr '\n' ' ')" = "00.0 00.1 " ]
	COMP_WORDBREAKS=" "
	[ "$(complete_line vferry prepare --pf 0000:81:00.1)" = 0000:81:00.1 ]
}
