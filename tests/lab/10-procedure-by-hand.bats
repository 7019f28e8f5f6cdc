#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The vendor's procedure by hand, with its own commands, steps S1 to S9: the lab
# is good enough to follow it, and what it costs is the baseline for vferry.
# Nothing of vferry is on the hosts. The tests build on each other.
#
# Where the procedure as it is written does not work, the test says so.

load lib/tests

GUEST=byhand
MAC=52:54:00:ca:fe:01
declare -gA PF=([A]=0000:81:00.0 [B]=0000:c1:00.0)
declare -gA VF=([A]=0000:81:00.2 [B]=0000:c1:00.2)

setup_file() {
	fresh_lab
	lab station start --ping 10.77.0.10
}

teardown_file() {
	end_lab
}

setup() {
	began=$(now_ms)
}

# Every test adds its time to the baseline, when it was a step of the procedure.
step_done() {
	echo $(($(now_ms) - began)) >>"$BATS_FILE_TMPDIR/milliseconds"
}

# nodedev ADDRESS: libvirt's name of a PCI device.
nodedev() {
	echo "pci_${1//[:.]/_}"
}

# netdev_of HOST FLAVOUR: the interface that devlink shows for PF 0's first port of the flavour.
netdev_of() {
	on "$1" devlink port show | awk -v flavour="$2" -v vf="$3" '
		{ dev = ""; f = ""; n = ""; pf = 0
		  for (i = 1; i < NF; i++) {
			if ($i == "netdev") dev = $(i + 1)
			if ($i == "flavour") f = $(i + 1)
			if ($i == "vfnum") n = $(i + 1)
			if ($i == "pfnum" || $i == "port") pf = $(i + 1)
		  }
		  if (f == flavour && pf == 0 && (flavour == "physical" || n == vf)) { print dev; exit } }'
}

# port_of HOST VF-INDEX: the devlink port of PF 0's VF, as in pci/0000:81:00.0/1.
port_of() {
	on "$1" devlink port show | sed -n "s#^\(pci/${PF[$1]}/[0-9]*\): .* pfnum 0 vfnum $2 .*#\1#p"
}

@test "a host as it boots has nothing prepared" {
	for host in A B; do
		[[ $(on "$host" devlink dev eswitch show "pci/${PF[$host]}") == *"mode legacy"* ]]
		[ "$(on "$host" cat "/sys/bus/pci/devices/${PF[$host]}/sriov_numvfs")" = 0 ]
		[ -z "$(on "$host" ovs-vsctl list-br)" ]
		[[ $(on "$host" ip -o link show up) == *"$(netdev_of "$host" physical)"* ]]
	done
}

@test "S1: the eswitch goes to switchdev, on both hosts" {
	for host in A B; do
		on "$host" devlink dev eswitch set "pci/${PF[$host]}" mode switchdev
		[[ $(on "$host" devlink dev eswitch show "pci/${PF[$host]}") == *"mode switchdev"* ]]
	done
	step_done
}

@test "S2: two VFs appear, on both hosts, at different PCI addresses" {
	for host in A B; do
		on "$host" "echo 2 >/sys/bus/pci/devices/${PF[$host]}/sriov_numvfs"
		[ "$(on "$host" readlink -f "/sys/bus/pci/devices/${PF[$host]}/virtfn0" | sed 's#.*/##')" = "${VF[$host]}" ]
	done
	[ "${VF[A]}" != "${VF[B]}" ]
	step_done
}

@test "S3: the VFs leave their driver for pci-stub, on both hosts" {
	for host in A B; do
		on "$host" virsh nodedev-detach "$(nodedev "${VF[$host]}")" --driver pci-stub
		[ "$(on "$host" "basename \$(readlink /sys/bus/pci/devices/${VF[$host]}/driver)")" = pci-stub ]
	done
	step_done
}

@test "S4: the VFs become migratable, on both hosts" {
	for host in A B; do
		port=$(port_of "$host" 0)
		on "$host" devlink port function set "$port" migratable enable
		[[ $(on "$host" devlink port show "$port") == *"migratable enable"* ]]
	done
	step_done
}

@test "S5: uplink and representor are ports of a bridge, on both hosts" {
	for host in A B; do
		on "$host" ovs-vsctl set Open_vSwitch . other_config:hw-offload=true
		on "$host" ovs-vsctl set Open_vSwitch . other_config:max-idle=300000
		on "$host" ovs-vsctl add-br br-vferry
		on "$host" /usr/share/openvswitch/scripts/ovs-ctl restart
		for port in "$(netdev_of "$host" physical)" "$(netdev_of "$host" pcivf 0)"; do
			on "$host" ovs-vsctl add-port br-vferry "$port"
			[ "$(on "$host" ovs-vsctl get Interface "$port" ofport)" -ge 1 ]
		done
		# Not in the procedure: the representor's interface state is the guest's carrier.
		on "$host" ip link set "$(netdev_of "$host" pcivf 0)" up
	done
	step_done
}

@test "S7, S8: the VF is attached to a guest, whose frames arrive" {
	# Into the configuration only: the small guest looks for its NICs when it starts.
	lab guest A "$GUEST" --no-passport --print | on A "cat >/root/$GUEST.xml && virsh define /root/$GUEST.xml"
	on A "cat >/root/mlx_vf.xml" <<-END
		<interface type='hostdev' managed='yes'>
		  <mac address='$MAC'/>
		  <source>
		    <address type='pci' domain='0x0000' bus='0x${VF[A]:5:2}' slot='0x${VF[A]:8:2}' function='0x${VF[A]:11:1}'/>
		  </source>
		</interface>
	END
	on A virsh attach-device "$GUEST" /root/mlx_vf.xml --config
	on A virsh start "$GUEST"
	[ "$(on A "basename \$(readlink /sys/bus/pci/devices/${VF[A]}/driver)")" = mlx5_vfio_pci ]
	station_wait_frames 100
	step_done
}

@test "S9 as it is written fails where the VF has another PCI address on the destination" {
	run on A virsh migrate --live --domain "$GUEST" --desturi qemu+tcp://hostB/system
	[ "$status" -ne 0 ]
	[[ $output == *"${VF[A]}"* ]] || [[ $output == *"SR-IOV Virtual Functions only"* ]]
	[ "$(on A virsh domstate "$GUEST" | head -n 1)" = running ]
	station_wait_frames 20
}

@test "S9 with the destination's address moves the guest; its frames go on" {
	on A "virsh dumpxml --migratable $GUEST | sed \"/<source>/,/<\\/source>/s/bus='0x${VF[A]:5:2}'/bus='0x${VF[B]:5:2}'/\" >/root/destination.xml"
	on A virsh migrate --live --domain "$GUEST" --desturi qemu+tcp://hostB/system --xml /root/destination.xml
	step_done
	[ "$(on B virsh domstate "$GUEST" | head -n 1)" = running ]
	run on A virsh domstate "$GUEST"
	[[ $output != running* ]]
	[ "$(on B "basename \$(readlink /sys/bus/pci/devices/${VF[B]}/driver)")" = mlx5_vfio_pci ]
	station_wait_frames 100
	[ "$(station_value guests.0.mac)" = "$MAC" ]
	[ "$(station_value guests.0.boots)" = 1 ]
	[ $(($(station_value guests.0.lost) * $(station_value guests.0.interval_ms))) -lt 3000 ]
	tell "by hand: $(awk '{ all += $1; last = $1 } END { printf "%.1f s for all steps, %.1f s of it the migration", all / 1000, last / 1000 }' \
		"$BATS_FILE_TMPDIR/milliseconds")"
	tell "by hand: $(station_value guests.0.lost) frames lost of $(station_value guests.0.last), one every" \
		"$(station_value guests.0.interval_ms) ms; longest gap $(station_value guests.0.longest_gap.ms) ms"
}

@test "S10: the guest answers a ping on the destination" {
	lab station stop
	ip netns exec "vflab-$LAB_NAME" ping -c 3 -i 0.2 -W 2 10.77.0.10
}
