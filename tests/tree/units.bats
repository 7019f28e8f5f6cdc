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

@test "the boot services run in a closed box" {
	command -v systemd-analyze >/dev/null || skip "systemd-analyze is not installed"
	systemd-analyze security --help | grep -q -- --offline || skip "this systemd-analyze rates no files"
	for unit in card host; do
		sed "s|^ExecStart=vferry |ExecStart=$vferry |" "install/systemd/vferry-$unit.service" >"$BATS_TEST_TMPDIR/vferry-$unit.service"
		systemd-analyze security --offline=yes --threshold=35 "$BATS_TEST_TMPDIR/vferry-$unit.service"
	done
}

@test "every service may see whether another user's process has a VF open" {
	for unit in vferry-card vferry-host vferryd; do
		grep -q '^CapabilityBoundingSet=.*CAP_SYS_PTRACE' "install/systemd/$unit.service"
	done
}

@test "every service may see who has a card's netdev in another network namespace" {
	for unit in vferry-card vferry-host vferryd; do
		grep -q '^CapabilityBoundingSet=.*CAP_SYS_ADMIN' "install/systemd/$unit.service"
		grep -qx 'RestrictNamespaces=net' "install/systemd/$unit.service"
	done
}

@test "the boot services come in order: card, Open vSwitch, host, libvirt" {
	grep -q '^Before=.*ovs-vswitchd.service.*vferry-host.service' install/systemd/vferry-card.service
	grep -q '^After=vferry-card.service.*openvswitch-switch.service' install/systemd/vferry-host.service
	grep -q '^Before=libvirtd.service virtqemud.service' install/systemd/vferry-host.service
}

@test "the agent's service has no mistake that systemd can see, and runs in a closed box" {
	command -v systemd-analyze >/dev/null || skip "systemd-analyze is not installed"
	[ -x "${vferry}d" ] || skip "${vferry}d is not built"
	sed "s|^ExecStart=vferryd$|ExecStart=${vferry}d|" install/systemd/vferryd.service >"$BATS_TEST_TMPDIR/vferryd.service"
	run systemd-analyze verify --man=no "$BATS_TEST_TMPDIR/vferryd.service"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(grep -c vferryd <<<"$output")" -eq 0 ]
	systemd-analyze security --help | grep -q -- --offline || skip "this systemd-analyze rates no files"
	systemd-analyze security --offline=yes --threshold=40 "$BATS_TEST_TMPDIR/vferryd.service"
}

@test "the agent says all its options in its help and its manual page" {
	[ -x "${vferry}d" ] || skip "${vferry}d is not built"
	options=$("${vferry}d" --help | sed -n 's/^  \(--[a-z-]*\).*/\1/p' | sort)
	[ "$(wc -l <<<"$options")" -ge 4 ]
	diff <(echo "$options") <(sed -n '/^\.SH OPTIONS/,/^\.SH SIGNALS/s/^\.BI\{0,1\} \\-\\-\([a-z]*\).*/--\1/p' helpers/vferryd.8 | sort)
	run "${vferry}d" --frobnicate
	[ "$status" -eq 2 ]
	[[ $output == *"--frobnicate: no such option"* ]]
}

@test "the agent tells systemd when it is ready, that it lives, and when it ends" {
	[ "$(id -u)" = 0 ] || skip "only root can run the agent"
	# With a /run of its own it finds no libvirt, no Open vSwitch and no guest.
	cat >"$BATS_TEST_TMPDIR/listen" <<-'END'
		use IO::Socket::UNIX;
		my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => "/run/notify") or die "$!";
		my $agent = fork // die;
		if (!$agent) {
			($ENV{NOTIFY_SOCKET}, $ENV{WATCHDOG_USEC}) = ("/run/notify", 400000);
			exec @ARGV or die;
		}
		$SIG{ALRM} = sub { kill KILL => $agent; die "it said nothing more\n" };
		alarm 60;
		while ($socket->recv(my $text, 4096), 1) {
			print "$text\n";
			kill TERM => $agent if $text =~ /WATCHDOG/;
			last if $text =~ /STOPPING/;
		}
		waitpid $agent, 0;
		print "status ", $? >> 8, "\n";
	END
	run unshare --mount bash -c "mount -t tmpfs none /run && perl '$BATS_TEST_TMPDIR/listen' '${BUILD:-build}/vferryd' --settings /nowhere"
	echo "$output"
	[ "$(sort -u <<<"$output")" = "READY=1
STOPPING=1
WATCHDOG=1
status 0" ]
}
