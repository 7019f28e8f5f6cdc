#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Who makes a host's networks: NetworkManager on a host whose guests run, and the examples of vferry(7) for a bond over both ports
# (VF-LAG) that is made at boot by NetworkManager, systemd-networkd and ifupdown2. Host A is booted by systemd, see 45-systemd.bats.
# Under software emulation such a boot takes one to two minutes, and there are four, so all of it is long.

load helpers.bash
load systemd.bash

DEBS=/root/debs

setup_file() {
	lab_setup
	fetch_debs "$BATS_FILE_TMPDIR/debs" network-manager ifupdown2
	on A "mkdir -p $DEBS"
	"$LAB" push A "$BATS_FILE_TMPDIR"/debs/*.deb ":$DEBS/"
	boot_by_systemd
	settled
}

teardown_file() {
	lab_teardown
}

# A guest that a test left would hold what the next one prepares.
teardown() {
	on A 'for guest in $(virsh -q -c qemu:///system list --name); do virsh -q -c qemu:///system destroy "$guest"; done' >&2 || true
	"$LAB" station stop >/dev/null 2>&1 || true
}

# representors: A's representors of VFs.
representors() {
	on A 'for d in /sys/class/net/*/phys_port_name; do ! grep -qs vf $d || basename ${d%/*}; done'
}

# install FILES: some of the fetched packages (words of the host's shell), by the host's own apt, which knows in what order.
install() {
	on A "cd $DEBS && DEBIAN_FRONTEND=noninteractive apt-get -qy -o APT::Sandbox::User=root -o Dpkg::Options::=--force-unsafe-io \
		-o Dpkg::Options::=--force-confnew --no-install-recommends install $1 2>&1" >&2
}

# install_manager: NetworkManager, if it is not there yet.
install_manager() {
	on A 'command -v nmcli >/dev/null' || install '$(ls ./*.deb | grep -v ifupdown2)'
}

# ports: A's two ports, as udev named them.
ports() {
	on A 'udevadm settle; for d in /sys/bus/pci/drivers/mlx5_core/*/sriov_totalvfs; do ls "${d%/*}/net" | grep -v _ | head -n 1; done'
}

# bond_after_boot: it is there, over both ports, which were made ready before; and vferry finds nothing to complain about.
bond_after_boot() {
	local port
	[ "$(on A 'sed -n "s/^Bonding Mode: //p" /proc/net/bonding/bond0')" = "IEEE 802.3ad Dynamic link aggregation" ]
	same "$(ports | sort)" "$(on A 'tr " " "\n" </sys/class/net/bond0/bonding/slaves' | sort)"
	for port in $(on A 'ls /sys/kernel/debug/swcx7 | grep "^pf[0-9]*$"'); do
		contains "$(on A "cat /sys/kernel/debug/swcx7/$port/eswitch_state")" switchdev
	done
	no_harmful_set A
	same "" "$(on A 'systemctl --failed --no-legend')"
	[ "$(on A 'systemctl show -P Result vferry-card; systemctl show -P Result vferry-host' | sort -u)" = success ]
	on A 'vferry check' >"$BATS_TEST_TMPDIR/check"
	for port in $(ports); do
		grep -q "$port is in bridge br-lag" "$BATS_TEST_TMPDIR/check"
	done
	contains "$(tail -n 1 "$BATS_TEST_TMPDIR/check")" Ready.
	on A 'cat /proc/net/bonding/bond0 >/root/bond; journalctl -b -o short-monotonic --no-pager | grep -iE "vferry|bond0" | head -n 20' >&2
}

# bats test_tags=long
@test "NetworkManager is installed and starts: representors and VFs stay unmanaged, running guests lose no frame, and one arrives and leaves" {
	on A 'vferry prepare --yes >/dev/null && systemctl enable vferry-card vferry-host 2>/dev/null'
	guest A guest1 --vf "$(pf A)/1" --cmdline "ip=$GUEST_IP interval=20 hz=50 tag=guest1 serial"
	station_start --ping "$GUEST_IP"
	frames_flow
	install_manager
	on A 'systemctl start NetworkManager && nm-online -s -q -t 60; nmcli device' >&2
	[ "$(on A 'systemctl is-active NetworkManager')" = active ]
	mapfile -t names < <(representors)
	[ "${#names[@]}" -ge 8 ]
	for name in "${names[@]}"; do
		contains "$(on A "nmcli -g GENERAL.STATE device show $name")" unmanaged
	done
	contains "$(on A 'vferry check; true' | tr -s ' \n' ' ')" " NM "
	sleep 2
	no_frame_lost
	run migrate A B guest1
	echo "$output"
	[ "$status" = 0 ]
	run migrate B A guest1
	echo "$output"
	[ "$status" = 0 ]
	contains "$(on A 'vferry check; true' | tr -s ' \n' ' ')" " NM "
	sleep 2
	no_frame_lost
}

# bats test_tags=long
@test "a bond by NetworkManager, as vferry(7) shows it, stands after a boot over ports that vferry-card made ready" {
	mapfile -t port < <(ports)
	install_manager
	on A 'systemctl enable vferry-card vferry-host 2>/dev/null; systemctl start NetworkManager
		ovs-vsctl --if-exists del-br br-vferry; vferry prepare --card-only --yes >/dev/null
		mkdir -p /etc/vferry; printf "[host]\nbridge = br-lag\nuplink = present\n" >/etc/vferry/vferry.conf
		printf "[main]\nno-auto-default=*\n" >/etc/NetworkManager/conf.d/server.conf; systemctl reload NetworkManager # as on RHEL servers
		nmcli connection add type bond ifname bond0 bond.options mode=802.3ad ipv4.method disabled ipv6.method disabled
		nmcli connection add type ethernet ifname '"${port[0]}"' master bond0
		nmcli connection add type ethernet ifname '"${port[1]}"' master bond0' >&2
	on A 'ovs-vsctl add-br br-lag -- add-port br-lag bond0'
	reboot_a >&3 2>&1
	settled
	bond_after_boot
}

# bats test_tags=long
@test "a bond by systemd-networkd, as vferry(7) shows it, stands after a boot over ports that vferry-card made ready" {
	mapfile -t port < <(ports)
	on A 'rm -f /etc/NetworkManager/system-connections/*; systemctl disable NetworkManager NetworkManager-wait-online
		mkdir -p /etc/systemd/network; cd /etc/systemd/network
		printf "[NetDev]\nName=bond0\nKind=bond\n[Bond]\nMode=802.3ad\n" >bond0.netdev
		printf "[Match]\nName=bond0\n[Link]\nRequiredForOnline=carrier\n[Network]\nLinkLocalAddressing=no\n" >bond0.network
		printf "[Match]\nName='"${port[0]} ${port[1]}"'\n[Network]\nBond=bond0\n" >ports.network
		systemctl enable systemd-networkd' >&2
	reboot_a >&3 2>&1
	settled
	bond_after_boot
	contains "$(on A 'networkctl --no-pager list')" "bond0"
	contains "$(on A "networkctl --no-pager list $(representors | head -n 1)")" unmanaged
}

# bats test_tags=long
@test "a bond by ifupdown2, as vferry(7) shows it, stands after a boot over ports that vferry-card made ready" {
	mapfile -t port < <(ports)
	on A 'systemctl disable systemd-networkd; rm -f /etc/systemd/network/{bond0,ports}.net*'
	install './*.deb'
	on A 'printf "auto lo\niface lo inet loopback\n\nauto bond0\niface bond0\n    bond-slaves '"${port[0]} ${port[1]}"'\n    bond-mode 802.3ad\n" \
		>/etc/network/interfaces; systemctl enable networking' >&2
	reboot_a >&3 2>&1
	settled
	bond_after_boot
}
