#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Killed with SIGKILL before and after every step: the next call finds in the
# journal what was begun, and makes the host ready or as it was. strace counts
# the calls of one whole run and kills the later ones at a place of the list.

load helpers.bash

setup_file() {
	lab_setup
	export PF_B
	PF_B=$(pf B)
	on_host_setup B
	"$LAB" push B "$BATS_TEST_DIRNAME/kills.bash" :/root/
}

teardown_file() {
	lab_teardown
}

setup() {
	wipe B
	configure B "[host]
pf = $PF_B
vfs = 1"
}

# b SCRIPT: runs a script on B with the functions of kills.bash, and shows what it says.
b() {
	run on B ". /root/kills.bash; begin $PF_B; $1
finish"
	echo "$output"
	echo "# $(grep -c '^killed' <<<"$output") kills" >&3
	[ "$status" = 0 ]
}

@test "an arrival on a prepared host, killed before and after every step: the next call takes back what was made" {
	b 'vferry prepare --yes >/dev/null || fail prepare
		BASE=$(look)
		kill_some 0 1 arrival then_released'
}

# bats test_tags=long
@test "an arrival on a host as it boots, killed before or after the steps of its plan: the next call takes back what was made" {
	b 'kill_some 3 5 arrival then_released'
}

@test "an arrival killed: the same guest arrives again, and a release that is killed too is finished by the next" {
	b 'kill_some 5 12 arrival then_again'
}

@test "vferry prepare killed when all was done: the next one finds nothing to do, and nothing takes it back" {
	b 'learn prepare
		NEXT_UNDO=0
		kill_at prepare ${PLACES[-1]} && then_prepared "the last step"'
}

# bats test_tags=long
@test "vferry prepare killed: the next one makes the host ready, or vferry release makes it as it was" {
	b 'kill_some 3 8 prepare then_prepared'
}

# bats test_tags=long
@test "an arrival on a host as it boots, killed before and after every step" {
	b 'kill_some 0 1 arrival then_released'
}

# bats test_tags=long
@test "an arrival killed at every step: the same guest arrives again, and its release is killed at every step" {
	b 'kill_some 0 1 arrival then_again'
}

# bats test_tags=long
@test "vferry prepare killed before and after every step" {
	b 'kill_some 0 1 prepare then_prepared'
}
