#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A new user with two hosts as they boot: vferry prepare on each, vferry
# attach, virsh migrate. Then what else the commands for a guest do, and what
# is kept over a reboot.

load helpers.bash

setup_file() {
	lab_setup
}

teardown_file() {
	lab_teardown
}

# plain HOST NAME: a defined, running guest without a VF.
plain() {
	guest "$1" "$2" --no-passport --define
}

# both GUEST: what a guest has on host A, running and defined, without what changes by itself.
both() {
	on A "virsh -q -c $URI dumpxml $1; virsh -q -c $URI dumpxml --inactive $1" | grep -vE '<(label|imagelabel)>|metadata'
}

@test "two hosts as they boot: prepare on each, attach, check, migrate" {
	begin=$SECONDS
	plain A web1
	station_start --ping "$GUEST_IP"
	on A "vferry prepare --yes" >&2
	on B "vferry prepare --yes" >&2
	on A "vferry attach web1" >&2
	for host in A B; do
		run on "$host" "vferry check --json"
		[ "$(jq '.summary.failure' <<<"$output")" = 0 ] || { jq '.checks[] | select(.state == "failure")' <<<"$output"; false; }
	done
	run on A "vferry check web1 --json"
	[ "$(jq .ready <<<"$output")" = true ]
	[ "$(jq -r '[.checks[] | select(.id == "L5" and .name == "passport")][0].state' <<<"$output")" = ok ]
	frames_flow
	run migrate A B web1
	echo "$output"
	[ "$status" = 0 ]
	[ "$(state B web1)" = running ]
	sleep 1
	[ "$(report '.guests[0].silent_ms < 1000 and .guests[0].received > 50')" = true ]
	echo "# from nothing to a guest that has moved: $((SECONDS - begin)) s; $(report '.guests[0] | "\(.lost) frames lost, longest gap \(.longest_gap.ms) ms"')" >&3
	"$LAB" station stop >/dev/null 2>&1
}

@test "status tells what was done, and what was refused and why" {
	run migrate B A web1 --postcopy
	[ "$status" != 0 ]
	run on A "vferry status"
	echo "$output"
	contains "$output" "refused  web1: at started, after "
	run on B "vferry status --json"
	[ "$(jq -r '[.last[] | select(.what == "ready")][0] | "\(.guest) \(.vfs) \(.milliseconds > 0)"' <<<"$output")" = "web1 1 true" ]
	run on A "vferry status --json"
	[ "$(jq -r '[.last[].what] | contains(["left", "ready", "refused"])' <<<"$output")" = true ]
	[ "$(on A 'stat -c %a /run/vferry/history')" = 600 ]
}

@test "check asks the other host by ssh, as libvirt's address names it" {
	on A '[ -e /root/.ssh/id_ed25519 ] || ssh-keygen -q -t ed25519 -N "" -f /root/.ssh/id_ed25519'
	key=$(on A 'cat /root/.ssh/id_ed25519.pub')
	on B "echo '$key' >>/root/.ssh/authorized_keys"
	on A 'ssh-keyscan -t ed25519 hostB >>/root/.ssh/known_hosts 2>/dev/null'
	run on A "vferry check --json --against qemu+ssh://hostB/system"
	[ "$(jq -r .against <<<"$output")" = hostB ]
	[ "$(jq -r '[.checks[] | select(.id == "L6" and (.name | test("^same")))][0].state' <<<"$output")" = ok ]
	run on B "vferry check web1 --json --against ssh://hostA 2>&1"
	[ "$status" = 1 ] # this way nobody made a key
	contains "$output" "ssh"
}

@test "a guest gets a VF with a VLAN, and gives it back; nothing else changes" {
	wipe A
	wipe B
	on A "vferry prepare --yes" >&2
	plain A web2
	before=$(snapshot A) guest_before=$(both web2)
	run on A "vferry attach web2 --vlan 42 --json"
	echo "$output"
	[ "$status" = 0 ]
	mac=$(jq -r .mac <<<"$output") vf=$(jq -r .vf <<<"$output")
	[[ $mac == 52:* && $mac != 52:54:* ]]
	[ "$(vfs A web2)" = "$vf" ]
	run on A "vferry status --json"
	row=$(jq -c --arg vf "$vf" '.pfs[0].vfs[] | select(.vf == $vf)' <<<"$output")
	echo "$row"
	[ "$(jq -r '"\(.driver) \(.migratable) \(.link) \(.bridge) \(.vlan) \(.holder)"' <<<"$row")" = "mlx5_vfio_pci true true br-vferry 42 web2" ]
	for kind in "" --inactive; do
		run on A "virsh -q -c $URI metadata web2 urn:vferry:passport:1 ${kind:+--config}"
		echo "$output"
		contains "$output" "mac=\"$mac\""
		contains "$output" 'psid="MT_0000000834"'
		contains "$output" 'tag="42"'
	done
	run on A "vferry attach web2 --mac $mac 2>&1"
	[ "$status" = 1 ]
	contains "$output" "a device of web2 has this MAC"
	run on A "vferry attach web2 --config --json"
	[ "$status" = 0 ]
	second=$(jq -r .mac <<<"$output")
	[ "$(jq -r .vf <<<"$output")" != "$vf" ]
	run on A "vferry detach web2 --config 2>&1"
	[ "$status" = 1 ]
	contains "$output" "it has 2 VFs: "
	on A "vferry detach web2 --config --mac $second && vferry detach web2" >&2
	[ -z "$(vfs A web2)" ]
	same "$before" "$(snapshot A)"
	same "$guest_before" "$(both web2)"
}

# bats test_tags=long
@test "an attach that is killed, before and after each of its steps, is taken back by the next one" {
	"$LAB" push A "$BATS_TEST_DIRNAME/on-host.bash" "$BATS_TEST_DIRNAME/kills.bash" :/root/
	run on A ". /root/kills.bash; begin $(pf A); GUEST=web2 LEAST=2; kill_some 0 1 attach then_attached; finish"
	echo "$output"
	[ "$status" = 0 ]
}

# bats test_tags=long
@test "a guest that has no slot left is told so, and nothing is left behind" {
	for _ in $(seq 8); do
		before=$(snapshot A)
		run on A "vferry attach web2 --live 2>&1"
		[ "$status" = 0 ] || break
	done
	echo "$output"
	[ "$status" = 1 ]
	contains "$output" "libvirt cannot attach the device"
	contains "$output" "pcie-root-port"
	same "$before" "$(snapshot A)"
}

# bats test_tags=long
@test "a guest gets a VF out of a pool" {
	wipe A
	on A "vferry prepare --yes" >&2
	uplink=$(on A "vferry status --json" | jq -r '.pfs[0].uplink')
	sed '/^<!--/,/-->$/d' "$BATS_TEST_DIRNAME/../../xml-templates/network.xml.in" | sed "s/@NETWORK@/vf-pool/; s/@UPLINK@/$uplink/" |
		on A "cat >/root/net.xml && virsh -q -c $URI net-define /root/net.xml && virsh -q -c $URI net-start vf-pool"
	plain A web3
	run on A "vferry attach web3 --network nothing 2>&1"
	[ "$status" = 1 ]
	contains "$output" "no active network of libvirt that is a pool of VFs"
	before=$(snapshot A)
	run on A "vferry attach web3 --network vf-pool --json"
	echo "$output"
	[ "$status" = 0 ]
	vf=$(jq -r .vf <<<"$output")
	[ "$(vfs A web3)" = "$vf" ]
	[ "$(on A "vferry status --json" | jq -r --arg vf "$vf" '.pfs[0].vfs[] | select(.vf == $vf) | "\(.link) \(.bridge) \(.holder)"')" = \
		"true br-vferry web3" ]
	on A "vferry detach web3" >&2
	same "$before" "$(snapshot A)"
}

@test "what was prepared is made so again at boot, and check tells when it is not" {
	wipe A
	on A "vferry prepare --vfs 4 --yes" >&2
	before=$(snapshot A)
	# As after a reboot: the card has forgotten everything, Open vSwitch nothing, and does not run yet.
	on A "uplink=\$(vferry status --json | sed -n 's/.*\"uplink\": \"\\(.*\\)\".*/\\1/p' | head -n 1)
		/usr/share/openvswitch/scripts/ovs-ctl stop
		echo 0 >/sys/bus/pci/devices/$(pf A)/sriov_numvfs; echo 1 >/sys/bus/pci/devices/$(pf A)/sriov_drivers_autoprobe
		for i in \$(seq 50); do
			tc qdisc del dev \$uplink ingress 2>/dev/null
			devlink dev eswitch set pci/$(pf A) mode legacy 2>/dev/null && break
			sleep 0.2
		done; rm -rf /run/vferry" >&2
	run on A "vferry check --json"
	line=$(jq -c '.checks[] | select(.id == "V6")' <<<"$output")
	echo "$line"
	[ "$(jq -r .state <<<"$line")" = warning ]
	contains "$(jq -r .found <<<"$line")" "not as vferry prepare made it, since it lacks: $(pf A): "
	[ "$(jq -r .mend <<<"$line")" = "vferry prepare --boot host" ]
	on A "$(sed -n 's/^ExecStart=//p' "$BATS_TEST_DIRNAME/../../install/systemd/vferry-card.service")" >&2
	[ "$(on A "cat /sys/bus/pci/devices/$(pf A)/sriov_numvfs")" = 4 ]
	on A "/usr/share/openvswitch/scripts/ovs-ctl start --system-id=random" >&2
	on A "$(sed -n 's/^ExecStart=//p' "$BATS_TEST_DIRNAME/../../install/systemd/vferry-host.service")" >&2
	same "$before" "$(snapshot A)"
	run on A "vferry check --json"
	[ "$(jq -r '.checks[] | select(.id == "V6") | .state' <<<"$output")" = ok ]
	run on A "vferry prepare --once"
	[ "$status" = 0 ]
	[ "$(on A 'cat /var/lib/vferry/prepared.json')" = "[]" ]
}

@test "VFIO is asked for a VF that is bound and free" {
	on A "vferry prepare --yes" >&2
	vf=$(on A "basename \$(readlink /sys/bus/pci/devices/$(pf A)/virtfn1)")
	node=pci_$(tr ':.' '__' <<<"$vf")
	on A "virsh -q -c $URI nodedev-detach $node" >&2
	run on A "vferry check --json"
	line=$(jq -c '.checks[] | select(.name == "VFIO")' <<<"$output")
	on A "virsh -q -c $URI nodedev-reattach $node" >&2
	echo "$line"
	contains "$line" "VF $vf offers stop-copy"
}

@test "udev takes the rule for a driver that was loaded anew" {
	on A "udevadm verify /usr/lib/udev/rules.d/70-vferry.rules" >&2
	uplink=$(on A "vferry status --json" | jq -r '.pfs[0].uplink')
	for action in add move; do
		contains "$(on A "udevadm test --action=$action /sys/class/net/$uplink 2>&1")" "SYSTEMD_WANTS=vferry-host.service"
	done
}
