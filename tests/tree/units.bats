#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The services of systemd, as far as they can be looked at where systemd does not run.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	vferry=$PWD/${BUILD:-build}/vferry
	[ -x "$vferry" ] || skip "$vferry is not built"
}

@test "the boot services have no mistake that systemd can see" {
	command -v systemd-analyze >/dev/null || skip "systemd-analyze is not installed"
	for unit in card host; do
		sed "s|^ExecStart=vferry |ExecStart=$vferry |" "install/systemd/vferry-$unit.service" >"$BATS_TEST_TMPDIR/vferry-$unit.service"
	done
	run systemd-analyze verify --man=no "$BATS_TEST_TMPDIR"/vferry-card.service "$BATS_TEST_TMPDIR"/vferry-host.service
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(grep -c vferry- <<<"$output")" -eq 0 ]
}

@test "what the boot services start is what the program takes" {
	for unit in card host; do
		line=$(sed -n 's/^ExecStart=vferry //p' "install/systemd/vferry-$unit.service")
		[ "$line" = "prepare --boot $unit" ]
		# shellcheck disable=SC2086 # words
		run "$vferry" $line --help
		[ "$status" -eq 0 ]
	done
}

@test "the boot services come in order: card, Open vSwitch, host, libvirt" {
	grep -q '^Before=.*ovs-vswitchd.service.*vferry-host.service' install/systemd/vferry-card.service
	grep -q '^After=vferry-card.service.*openvswitch-switch.service' install/systemd/vferry-host.service
	grep -q '^Before=libvirtd.service virtqemud.service' install/systemd/vferry-host.service
}
