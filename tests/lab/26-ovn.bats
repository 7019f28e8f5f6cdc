#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# OVN: Debian's own, whose databases run on host A. A guest with a VF moves by a plain virsh migrate as Neutron does it: its port may be
# bound on two chassis (requested-chassis), and is activated on the second one by the RARP frame that vferry's agent sends for it.

load helpers.bash

LS=net0             # logical switch, with the cable of PF 0 as its provider network
MAC=52:54:00:0c:00:01
PEER=10.77.0.20     # a second guest, which stays on A
ROUTER=10.77.0.254

setup_file() {
	lab_setup
	ovn_install
}

teardown_file() {
	lab_teardown
}

# ovn_install: OVN's programs of the hosts' own release onto both, unpacked: no host of the lab has them, since only these tests need them.
ovn_install() {
	local world=${VFERRY_LAB_CACHE:-$HOME/.cache/vferry-lab}/apt-trixie dir=$BATS_FILE_TMPDIR/ovn host
	mkdir -p "$dir"
	(cd "$dir" && APT_CONFIG=$world/apt.conf apt-get -q download ovn-common ovn-central ovn-host libunbound8 libevent-2.1-7t64 \
		>log 2>&1) || { cat "$dir/log" >&2; return 1; }
	for host in A B; do
		on "$host" 'mkdir -p /root/ovn'
		"$LAB" push "$host" "$dir"/*.deb :/root/ovn/
		on "$host" 'for deb in /root/ovn/*.deb; do dpkg-deb -x "$deb" / || exit 1; done; ldconfig
			! ldd /usr/bin/ovn-controller /usr/bin/ovn-northd | grep "not found"'
	done
}

# guest_with IFACE-ID OPTION...: a guest on A of that name, whose passport brings the iface-id.
guest_with() {
	local name=$1
	shift
	guest A "$name" "$@" --bridge br-int --print | sed "s|bridge=\"br-int\"|& iface-id=\"$name\"|" |
		on A "cat >/root/$name.xml; grep -q iface-id /root/$name.xml && virsh -q -c $URI create /root/$name.xml"
}

# address HOST: in the hosts' own network.
address() {
	[ "$1" = A ] && echo 198.51.100.11 || echo 198.51.100.12
}

# chassis HOST: switchdev mode, the provider's bridge with the uplink, and OVN's controller.
chassis() {
	local uplink
	uplink=$(on "$1" "cd /sys/bus/pci/devices/$(pf "$1")/net && ls -d * | head -n 1")
	on "$1" "vferry prepare --card-only --yes --once >/dev/null
		ovs-vsctl add-br br-ex -- add-port br-ex $uplink -- set Open_vSwitch . external_ids:system-id=host$1 \
			external_ids:ovn-remote=tcp:198.51.100.11:6642 external_ids:ovn-encap-type=geneve \
			external_ids:ovn-encap-ip=$(address "$1") external_ids:ovn-bridge-mappings=phys0:br-ex
		/usr/share/ovn/scripts/ovn-ctl start_controller"
	configure "$1" '[host]
bridge = br-int'
}

# ovn COMMAND...: one of OVN's commands, on host A.
ovn() {
	on A "$*"
}

# bound_on HOST: guest1's port is bound there.
bound_on() {
	for _ in $(seq 60); do
		[ "$(ovn ovn-sbctl --bare --columns=chassis find Port_Binding logical_port=guest1)" != "$(ovn ovn-sbctl --bare --columns=_uuid find Chassis "name=host$1")" ] ||
			return 0
		sleep 0.5
	done
	ovn ovn-sbctl show >&2
	return 1
}

# seen: what the station saw of guest1.
seen() {
	report '.guests[] | select(.tag == "guest1") | "\(.lost) frames lost, longest gap \(.longest_gap.ms) ms"'
}

# announced: how often the agent of B has announced a guest.
announced() {
	on B 'grep vferry /var/log/messages | grep -c announced; true'
}

# plain: moves guest1 by a plain bridge, as it moves by OVN afterwards.
plain() {
	wipe_both
	guest A guest1 --vf "$(pf A)/1" --mac "$MAC" --cmdline "ip=$GUEST_IP interval=5 tag=guest1 serial"
	on B 'vferry prepare --yes --once >/dev/null'
	for host in A B; do on "$host" '/usr/lib/vferry-lab/agent start'; done
	station_start --ping "$GUEST_IP"
	frames_flow guest1
	run migrate A B guest1
	echo "$output"
	[ "$status" = 0 ]
	sleep 1
	BY_PLAIN_BRIDGE=$(seen)
	for host in A B; do on "$host" '/usr/lib/vferry-lab/agent stop'; done
	"$LAB" station stop
}

# bats test_tags=long
@test "OVN: logical switch, router and two guests; one moves, and the agent's announcement opens its port" {
	plain
	wipe_both
	on A '/usr/share/ovn/scripts/ovn-ctl start_northd --ovn-manage-ovsdb=yes
		ovn-nbctl set-connection ptcp:6641; ovn-sbctl set-connection ptcp:6642:0.0.0.0'
	for host in A B; do chassis "$host"; done
	ovn "ovn-nbctl ls-add $LS -- lsp-add $LS cable -- lsp-set-type cable localnet -- lsp-set-addresses cable unknown \
		-- lsp-set-options cable network_name=phys0 \
		-- lsp-add $LS guest1 -- lsp-set-addresses guest1 '$MAC $GUEST_IP' \
		-- lsp-add $LS peer -- lsp-set-addresses peer 'unknown' \
		-- lr-add r0 -- lrp-add r0 r0-net0 52:54:00:0c:00:fe $ROUTER/24 \
		-- lsp-add $LS to-r0 -- lsp-set-type to-r0 router -- lsp-set-addresses to-r0 router -- lsp-set-options to-r0 router-port=r0-net0"
	contains "$(on B 'vferry check')" "bridge br-int is OVN's"
	guest_with guest1 --vf "$(pf A)/1" --mac "$MAC" --cmdline "ip=$GUEST_IP interval=5 tag=guest1 serial"
	guest_with peer --vf "$(pf A)/2" --cmdline "ip=$PEER interval=50 tag=peer serial"
	bound_on A
	for host in A B; do on "$host" '/usr/lib/vferry-lab/agent start'; done
	station_start --ping "$GUEST_IP"
	frames_flow guest1
	ovn "ovn-nbctl lsp-set-options guest1 requested-chassis=hostA,hostB activation-strategy=rarp"
	before=$(announced)
	run migrate A B guest1
	echo "$output"
	[ "$status" = 0 ]
	sleep 1
	echo "# OVN, A to B: $(seen); by a plain bridge: $BY_PLAIN_BRIDGE" >&3
	[ "$(report '[.guests[] | select(.tag == "guest1")][0].silent_ms < 1000')" = true ]
	[ "$(announced)" -gt "$before" ]
	ovn "ovn-nbctl lsp-set-options guest1 requested-chassis=hostB"
	bound_on B
	frames_flow guest1
	[ "$(report '[.guests[] | select(.tag == "peer")][0].silent_ms < 1000')" = true ]
}
