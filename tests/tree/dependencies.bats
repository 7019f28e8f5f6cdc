#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# install/dependencies, with fake package managers that write down how they were called.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	bin=$BATS_TEST_TMPDIR/bin
	mkdir "$bin"
	# A machine that has these programs and nothing else.
	for program in sh cat cut echo env grep id mktemp rm sed sort tr; do
		ln -s "$(command -v "$program")" "$bin/$program"
	done
}

# fake NAME STATUS: a program that records its arguments.
fake() {
	printf '#!/bin/sh\necho "%s $*" >>%s/calls\nexit %s\n' "$1" "$BATS_TEST_TMPDIR" "$2" >"$bin/$1"
	chmod +x "$bin/$1"
}

# is_user: makes the script believe that it is not root.
is_user() {
	rm "$bin/id"
	printf '#!/bin/sh\necho 1000\n' >"$bin/id"
	chmod +x "$bin/id"
}

@test "all is there: it says nothing, and no package manager is asked" {
	install/dependencies --what build,deb,rpm,check,lab --list | grep -q . && skip "this machine lacks some"
	fake apt-get 0
	fake dnf 0
	run env PATH="$bin:$PATH" install/dependencies --what build,deb,rpm,check,lab
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ ! -e "$BATS_TEST_TMPDIR/calls" ]
}

@test "a user who is not root reads what to run, and nothing is installed" {
	fake apt-get 0
	is_user
	run env PATH="$bin" "$bin/sh" install/dependencies --what check
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"missing: "*"shellcheck"*"as root run: install/dependencies --what check"* ]]
	[[ $output == *"apt-get install --no-install-recommends "*"bats"* ]]
	[ ! -e "$BATS_TEST_TMPDIR/calls" ]
}

@test "Fedora's names are used where dnf is" {
	fake dnf 0
	is_user
	run env PATH="$bin" "$bin/sh" install/dependencies --what check
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"dnf install "*"ShellCheck"* ]]
	[[ $output != *"libxml2-utils"* ]]
}

@test "a package that dnf does not know keeps no other out, and is named afterwards" {
	fake dnf 0
	ln -s "$(command -v true)" "$bin/true"
	rm "$bin/id"
	printf '#!/bin/sh\necho 0\n' >"$bin/id"
	chmod +x "$bin/id"
	run env PATH="$bin" "$bin/sh" install/dependencies --what check
	echo "$output"
	[ "$status" -eq 1 ]
	grep -q -- '--setopt=strict=0 --setopt=skip_unavailable=1' "$BATS_TEST_TMPDIR/calls"
	[[ $output == *"still missing after the installation: "*"openvswitch"* ]]
}

@test "without a package manager it names the packages" {
	run env PATH="$bin" "$bin/sh" install/dependencies --what check
	[ "$status" -eq 1 ]
	[[ $output == *"neither apt-get nor dnf is here; install what Debian calls: "*"shellcheck"* ]]
}

@test "--list names the packages once and installs nothing" {
	fake apt-get 0
	run env PATH="$bin" "$bin/sh" install/dependencies --what check --list
	[ "$status" -eq 0 ]
	[ "$(grep -cx openvswitch-switch <<<"$output")" -eq 1 ]
	[ ! -e "$BATS_TEST_TMPDIR/calls" ]
}

@test "an unknown set is refused with the usage" {
	run install/dependencies --what everything
	[ "$status" -eq 2 ]
	[[ $output == *"--what SET"* ]]
}
