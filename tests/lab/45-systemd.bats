#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Host A booted by systemd, with Debian's own units of libvirt, Open vSwitch and sshd: the two boot services and the agent's, in their closed
# boxes. Only the card, the names of the host and the network come from the lab (boot-by-systemd).
# Under software emulation such a boot takes one to two minutes, and there are two, so all of it is long.

load helpers.bash
load systemd.bash

UNITS="vferry-card vferry-host vferryd"

setup_file() {
	lab_setup
	boot_by_systemd
}

teardown_file() {
	lab_teardown
}

# kept: what vferry status shows of the first PF, without what a guest changes.
kept() {
	on A "vferry status --json" | jq -S '.pfs[0] | .vfs |= map({vf, driver, migratable, representor}) | del(.in_flight)'
}

# log UNIT: the unit's messages of this boot.
log() {
	on A "journalctl -b -o cat --no-pager -u $1"
}

# bats test_tags=long
@test "systemd takes the units, starts the agent, and rates their boxes" {
	settled
	[ "$(on A 'systemctl is-active vferryd libvirtd openvswitch-switch | sort -u')" = active ]
	[ "$(on A 'systemctl show -P Type vferryd; systemctl show -P NRestarts vferryd')" = "notify
0" ]
	[ -z "$(on A 'systemctl --failed --no-legend')" ]
	run on A "systemd-analyze verify --man=no ${UNITS// /.service }.service 2>&1"
	same "" "$(grep vferry <<<"$output" || true)"
	for unit in $UNITS; do
		run on A "systemd-analyze security --no-pager --threshold=35 $unit"
		echo "# $(tail -n 1 <<<"$output")" >&3
		[ "$status" = 0 ]
	done
}

# bats test_tags=long
@test "prepare names the services, and to enable them says nothing but what is done" {
	run on A "vferry prepare --yes"
	[ "$status" = 0 ]
	contains "$output" "systemctl enable vferry-card vferry-host"
	run on A "systemctl enable --now vferry-card vferry-host 2>&1"
	echo "$output"
	[ "$status" = 0 ]
	[ "$(grep -vc '^Created symlink' <<<"$output")" = 0 ]
	contains "$(log vferry-host)" "Nothing had to be done."
	[ "$(on A 'vferry prepare --yes | grep -c systemctl')" = 0 ]
	[ "$(on A 'vferry check --json' | jq -r '.checks[] | select(.id == "V6") | .state')" = ok ]
}

# bats test_tags=long
@test "a guest arrives, and the agent in its box writes its passport and plugs a VF that is attached" {
	guest B guest1 --vf "$(pf B)/1" >&3 2>&1
	run migrate B A guest1
	echo "$output"
	[ "$status" = 0 ]
	waits A "virsh -q -c $URI metadata guest1 urn:vferry:passport:1 2>/dev/null | grep -q $(pf A)"
	ports=$(on A 'ovs-vsctl list-ports br-vferry | wc -l')
	[ "$ports" = 2 ]
	on A "echo \"<interface type='hostdev' managed='yes'><mac address='52:54:00:aa:bb:01'/><source><address type='pci' domain='0' bus='0x81' slot='0' function='0x5'/></source></interface>\" >/root/vf.xml
		virsh -q -c $URI attach-device guest1 /root/vf.xml --live"
	waits A '[ "$(ovs-vsctl list-ports br-vferry | wc -l)" = 3 ]'
	waits A "virsh -q -c $URI metadata guest1 urn:vferry:passport:1 | grep -q aa:bb:01"
	on A "virsh -q -c $URI detach-device guest1 /root/vf.xml --live"
	waits A '[ "$(ovs-vsctl list-ports br-vferry | wc -l)" = 2 ]'
	[ "$(on A 'systemctl show -P NRestarts vferryd')" = 0 ]
	same "" "$(log vferryd | grep -iE 'permi|refused|denied' || true)"
}

# bats test_tags=long
@test "when Open vSwitch is started anew, what was prepared is made so again, and the guest keeps its VF and its port" {
	before=$(kept)
	vf=$(vfs A guest1)
	uplink=$(jq -r .uplink <<<"$before")
	on A "ovs-vsctl del-port $uplink && systemctl restart openvswitch-switch"
	waits A "ovs-vsctl list-ports br-vferry | grep -qx $uplink"
	settled
	same "$before" "$(kept)"
	[ "$(state A guest1)" = running ]
	[ "$(vfs A guest1)" = "$vf" ]
	[ "$(on A 'ovs-vsctl list-ports br-vferry | wc -l')" = 2 ]
}

# bats test_tags=long
@test "an upgrade and a removal of the package: systemd starts the agent anew, the hook is looked for, the guest keeps its VF" {
	vf=$(vfs A guest1)
	first=$(moment vferryd ExecMainStartTimestampMonotonic)
	run on A "dpkg --force-unsafe-io -i /root/vferry.deb 2>&1"
	echo "$output"
	[ "$status" = 0 ]
	[ "$(on A 'systemctl is-active vferryd')" = active ]
	[ "$first" != "$(moment vferryd ExecMainStartTimestampMonotonic)" ]
	run on A "dpkg --force-unsafe-io -r vferry 2>&1"
	echo "$output"
	[ "$status" = 0 ]
	[ "$(on A 'systemctl is-active vferryd')" != active ]
	[ "$(on A 'find /etc/libvirt/hooks -type f')" = "" ]
	[ "$(state A guest1)" = running ]
	[ "$(vfs A guest1)" = "$vf" ]
	on A "dpkg --force-unsafe-io --force-confmiss -i /root/vferry.deb 2>&1" >&2
	[ "$(on A 'systemctl is-active vferryd')" = active ]
	run migrate A B guest1
	echo "$output"
	[ "$status" = 0 ]
	waits A '[ "$(ovs-vsctl list-ports br-vferry | wc -l)" = 1 ]'
}

# bats test_tags=long
@test "when the driver is loaded anew, the card is made ready again" {
	on A "systemctl enable --now vferry-card vferry-host 2>/dev/null"
	before=$(kept)
	[ "$(jq '.vfs | length' <<<"$before")" = 8 ]
	on A "rmmod mlx5_vfio_pci mlx5_core && modprobe -a mlx5_core mlx5_vfio_pci"
	waits A '[ "$(vferry status | grep -c " yes ")" = 8 ]'
	settled
	same "$before" "$(kept)"
}

# bats test_tags=long
@test "after a reboot the card is ready before Open vSwitch, the host after it and before libvirt" {
	before=$(kept)
	reboot_a >&3 2>&1
	settled
	[ -z "$(on A 'systemctl --failed --no-legend')" ]
	same "$before" "$(kept)"
	contains "$(log vferry-card)" "eswitch mode switchdev"
	contains "$(log vferry-host)" "is ready for guests on bridge br-vferry"
	came_in_order libvirtd
	[ "$(on A 'vferry check --json' | jq -r '.checks[] | select(.id == "V6") | .state')" = ok ]
}

# bats test_tags=long
@test "the README's first host, typed as it stands, over ssh, there and back" {
	on A '[ -e /root/.ssh/id_ed25519 ] || ssh-keygen -q -t ed25519 -N "" -f /root/.ssh/id_ed25519; ssh-keyscan -t ed25519 hostB >>/root/.ssh/known_hosts 2>/dev/null'
	on A 'cat /root/.ssh/id_ed25519.pub' | on B 'cat >>/root/.ssh/authorized_keys'
	on B "vferry prepare --yes && vferry check" >&2 || true
	guest A web1 --no-passport --define >&3 2>&1
	on A "vferry attach web1" >&2
	run on A "vferry check web1 --against qemu+ssh://hostB/system"
	echo "$output"
	[ "$status" = 0 ]
	run on A "virsh migrate --live web1 qemu+ssh://hostB/system 2>&1"
	echo "$output"
	[ "$status" = 0 ]
	[ "$(state B web1)" = running ]
	run on A "journalctl -t vferry -b --no-pager"
	contains "$output" "web1: release: done"
	run on B "vferry status"
	contains "$output" "web1"
	[ "$(state A web1)" = "shut off" ]
	on A "systemctl reload libvirtd && systemctl enable --now vferryd" >&2
	on B "virsh -c $URI migrate-setmaxdowntime web1 5000"
	run migrate B A web1 --parallel
	echo "$output"
	[ "$status" = 0 ]
	[ "$(state A web1)" = running ]
	on A "vferry detach web1" >&2
	[ -z "$(vfs A web1)" ]
}
