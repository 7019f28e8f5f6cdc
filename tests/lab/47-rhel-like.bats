#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Both hosts like RHEL's (platforms/rhel-like): systemd, libvirt's modular daemons and no libvirtd, firewalld with its default zone,
# NetworkManager with its defaults, /etc/libvirt for root alone. The packages are Debian's all the same, and no SELinux rules here.
# Such hosts take minutes to boot under software emulation, and libvirt there is slower than the monolithic one, so all of it is long.

load helpers.bash
load systemd.bash

export PLATFORM=rhel-like A='' B='' LAB_BOOT_DEADLINE=900

setup_file() {
	lab_setup
	for host in A B; do
		started "$host"
		on "$host" '[ -e /root/.ssh/id_ed25519 ] || ssh-keygen -q -t ed25519 -N "" -f /root/.ssh/id_ed25519
			ssh-keyscan -t ed25519 hostA hostB >/root/.ssh/known_hosts 2>/dev/null'
	done
	on A 'cat /root/.ssh/id_ed25519.pub' | on B 'cat >>/root/.ssh/authorized_keys'
	on B 'cat /root/.ssh/id_ed25519.pub' | on A 'cat >>/root/.ssh/authorized_keys'
}

teardown_file() {
	lab_teardown
}

# started HOST: until nothing is left for systemd to start there; it says so whether all went well or not.
started() {
	[[ "$(on "$1" 'timeout 300 systemctl is-system-running --wait')" =~ ^(running|degraded)$ ]]
}

# go FROM TO GUEST [FLAG...]: a plain virsh migrate by ssh, output and status for bats' run.
go() {
	on "$1" "timeout 180 virsh migrate --live ${*:4} $3 qemu+ssh://host$2/system 2>&1"
}

# move FROM TO GUEST: the same, and it must work.
move() {
	run go "$@"
	echo "$output"
	[ "$status" = 0 ]
	[ "$(state "$2" "$3")" = running ]
	[ -z "$(state "$1" "$3")" ]
}

# check_line HOST ID [USER]: what vferry check says there in this line, asked by root or by a user.
check_line() {
	on "$1" "runuser -u ${3:-root} -- vferry check --json" | jq -c --arg id "$2" '[.checks[] | select(.id == $id)][0]'
}

# says HOST ID STATE TEXT [USER]: that line has this state and these words.
says() {
	local line
	line=$(check_line "$1" "$2" "${5:-root}")
	echo "$1, ${5:-root}: $line" >&2
	[ "$(jq -r .state <<<"$line")" = "$3" ]
	contains "$(jq -r .found <<<"$line")" "$4"
}

# raised HOST: waits until the agent there has given virtqemud its 20 threads for calls.
raised() {
	waits "$1" '[ "$(cat /proc/$(systemctl show -P MainPID virtqemud)/task/*/comm | grep -cx rpc-virtqemud)" = 20 ]'
}

# failed HOST: units that failed there, but for the one that waits until each cabled port has an address: nobody answers DHCP here.
failed() {
	on "$1" 'systemctl --failed --no-legend --plain' | grep -v '^NetworkManager-wait-online.service' || true
}

# opened: both hosts let migrations in, by the command that check prints where they do not.
opened() {
	local mend host
	for host in A B; do
		mend=$(check_line "$host" P9 | jq -r .mend)
		[ -z "$mend" ] || on "$host" "$mend" >&2
	done
}

# guest_runs: guest1 runs on A, and the station counts its frames from now on.
guest_runs() {
	[ "$(state A guest1)" = running ] || guest A guest1 --vf "$(pf A)/1" --cmdline "ip=$GUEST_IP interval=20 hz=50 tag=guest1 serial"
	station_start --ping "$GUEST_IP"
	frames_flow
}

# bats test_tags=long
@test "the hosts are what they should be: modular daemons by their sockets, no libvirtd, firewalld, NetworkManager, /etc/libvirt closed" {
	for host in A B; do
		[ "$(on "$host" 'systemctl is-active virt{qemu,network,nodedev,proxy}d.socket firewalld NetworkManager vferryd openvswitch-switch | sort -u')" = active ]
		[ "$(on "$host" 'systemctl is-enabled libvirtd.service libvirtd.socket | sort -u; pidof libvirtd')" = masked ]
		[ "$(on "$host" 'firewall-cmd --get-default-zone')" = public ]
		[ "$(on "$host" 'stat -c %a /etc/libvirt')" = 700 ]
		same "" "$(failed "$host")"
	done
	on A 'virsh version --daemon; firewall-cmd --version; nmcli --version; systemctl --version | head -n 1; nmcli device' >&3
}

# bats test_tags=long
@test "check on such hosts: libvirt's socket, the threads, the hook that only root sees, the firewall" {
	for host in A B; do
		says "$host" P13 ok "virtqemud listens"
		says "$host" P13 ok "virtqemud listens" nobody
		raised "$host"
		says "$host" V7 ok "virtqemud has 20 threads"
		says "$host" L1 unknown "only root sees" nobody
		[ "$(check_line "$host" L1 | jq -r .state)" != failure ]
		says "$host" P9 warning "firewalld"
		says "$host" P9 warning "firewalld runs; its rules can be seen by root alone" nobody
	done
}

# bats test_tags=long
@test "a firewall as it comes keeps a guest where it is; the command that check prints lets it go" {
	guest_runs
	run go A B guest1
	echo "$output"
	[ "$status" != 0 ]
	contains "$output" "No route to host"
	[ "$(state A guest1)" = running ]
	opened
	says A P9 ok "ssh 22 open"
	says B P9 ok "ssh 22 open"
	sleep 1
	no_frame_lost
}

# bats test_tags=long
@test "the main job: a plain virsh migrate by ssh to a host where nothing is prepared, and back" {
	guest_runs
	opened
	move A B guest1
	move B A guest1
	sleep 1
	echo "# there and back: $(report '.guests[0] | "\(.lost) frames lost, longest gap \(.longest_gap.ms) ms"')" >&3
	[ "$(report '.guests[0].silent_ms < 1000 and .pings[0].silent_ms < 1000')" = true ]
	says A L1 ok "refuses it"
	says B L1 ok "refuses it"
	says A NM ok "no network manager"
	says B NM ok "no network manager"
	[ -z "$(on B 'find /run/vferry -name "*.json" -path "*/leases/*"')" ]
	waits A "virsh -q -c $URI metadata guest1 urn:vferry:passport:1 2>/dev/null | grep -q $(pf A)"
}

# bats test_tags=long
@test "virtqemud is started anew under a guest: the agent comes back to it, and raises its threads again" {
	guest_runs
	vf=$(vfs A guest1)
	before=$(on A 'systemctl show -P MainPID virtqemud')
	agent=$(on A 'systemctl show -P MainPID vferryd')
	on A 'systemctl restart virtqemud'
	raised A
	[ "$(on A 'systemctl show -P MainPID virtqemud')" != "$before" ]
	[ "$(on A 'systemctl show -P MainPID vferryd')" = "$agent" ]
	[ "$(state A guest1)" = running ]
	[ "$(vfs A guest1)" = "$vf" ]
	says A V7 ok "virtqemud has 20 threads"
	on A "virsh -q -c $URI destroy guest1"
	"$LAB" station stop
}

# bats test_tags=long
@test "virtqemud goes when it is idle, unless the agent holds it; by its socket it comes again" {
	on A 'mkdir -p /run/systemd/system/virtqemud.service.d
		printf "[Service]\nEnvironment=VIRTQEMUD_ARGS=\"--timeout 5\"\n" >/run/systemd/system/virtqemud.service.d/idle.conf
		systemctl daemon-reload && systemctl stop vferryd && systemctl restart virtqemud'
	waits A '[ "$(systemctl is-active virtqemud)" = inactive ]'
	says A P13 ok "virtqemud listens"
	says A V7 not-applicable "does not run at the moment"
	on A 'systemctl start vferryd'
	raised A
	sleep 15 # three times what it would take an idle one to go
	says A V7 ok "virtqemud has 20 threads"
	[ "$(on A 'systemctl show -P NRestarts virtqemud')" = 0 ]
	on A 'rm -r /run/systemd/system/virtqemud.service.d; systemctl daemon-reload; systemctl restart virtqemud'
}

# pool HOST: a hostdev pool of PF 0 by virtnetworkd, which reads its VFs when it starts; nothing if there is one.
pool() {
	local uplink
	[ "$(on "$1" "virsh -c $URI net-list --name" | grep -cx vf-pool)" = 0 ] || return 0
	on "$1" 'vferry prepare --yes >/dev/null'
	uplink=$(on "$1" "vferry status --json" | jq -r '.pfs[0].uplink')
	sed '/^<!--/,/-->$/d' "$BATS_TEST_DIRNAME/../../xml-templates/network.xml.in" | sed "s/@NETWORK@/vf-pool/; s/@UPLINK@/$uplink/" |
		on "$1" "cat >/root/net.xml && virsh -q -c $URI net-define /root/net.xml && virsh -q -c $URI net-start vf-pool"
}

# bats test_tags=long
@test "an interface of a hostdev pool that virtnetworkd keeps moves to the VF that the pool over there chooses, and back" {
	opened
	pool A
	pool B
	guest A pooled --type network --vf "$(pf A)/1" --cmdline "ip=$GUEST_IP interval=20 hz=50 tag=pooled serial"
	station_start --ping "$GUEST_IP"
	frames_flow pooled
	move A B pooled
	[ -n "$(vfs B pooled)" ]
	move B A pooled
	sleep 1
	[ "$(report '.guests[0].silent_ms < 1000 and .pings[0].silent_ms < 1000')" = true ]
	no_harmful_set A
	no_harmful_set B
	on A "virsh -q -c $URI destroy pooled"
	"$LAB" station stop
}

# bats test_tags=long
@test "after a reboot the card is ready before Open vSwitch, the host after it and before virtqemud, and the pool has its VFs" {
	opened
	pool A
	on A "systemctl enable vferry-card vferry-host virtnetworkd 2>/dev/null; virsh -q -c $URI net-autostart vf-pool"
	reboot_a >&3 2>&1
	started A
	same "" "$(failed A)"
	came_in_order virtqemud
	[ "$(on A "virsh -c $URI net-info vf-pool | sed -n 's/^Active: *//p'")" = yes ]
	[ "$(on A "virsh -c $URI net-dumpxml vf-pool | grep -c '<address type=.pci.'")" -ge 8 ]
	says A P9 ok "ssh 22 open"
	says A NM ok "no network manager"
	says A V6 ok ""
	guest B guest2 --vf "$(pf B)/2"
	move B A guest2
	waits A "virsh -q -c $URI metadata guest2 urn:vferry:passport:1 2>/dev/null | grep -q $(pf A)"
}
