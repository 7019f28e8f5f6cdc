# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# systemd.bash: for tests on a host A that is booted by systemd, with Debian's own units.

# boot_by_systemd: from now on it boots so; the first time now.
boot_by_systemd() {
	"$LAB" push A "$BATS_TEST_DIRNAME/boot-by-systemd" && on A /root/boot-by-systemd && reboot_a >&3 2>&1
}

# reboot_a: host A boots anew from its disk.
reboot_a() {
	on A sync
	"$LAB" off A && "$LAB" on A
}

# waits HOST CONDITION: until a shell line succeeds there; half a minute at least, and longer where the line itself takes long.
waits() {
	on "$1" "for i in \$(seq 60); do if $2; then exit 0; fi; sleep 0.5; done; exit 1"
}

# settled: until nothing is left for systemd to start.
settled() {
	waits A '[ -z "$(systemctl list-jobs --no-legend)" ]'
}

# moment UNIT PROPERTY: when systemd saw it on A, in microseconds of this boot.
moment() {
	on A "systemctl show -P $2 $1"
}

# came_in_order DAEMON: at this boot A's card was ready before Open vSwitch began, and the host after that and before libvirt's daemon began.
came_in_order() {
	local moments
	moments=$(moment vferry-card InactiveEnterTimestampMonotonic
		moment ovs-vswitchd ExecMainStartTimestampMonotonic
		moment vferry-host InactiveEnterTimestampMonotonic
		moment "$1" ExecMainStartTimestampMonotonic)
	echo "$moments"
	[ "$(grep -c '^[1-9]' <<<"$moments")" = 4 ] && same "$moments" "$(sort -n <<<"$moments")"
}
