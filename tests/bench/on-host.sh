#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# on-host.sh ACTION [ARGUMENT...]: what the benchmarks do on a host of the lab.
#
#   wipe              back to how it boots: no VFs, eswitch legacy, nothing of vferry's, no bridge
#   procedure VFS     the vendor's procedure, S1 to S5, for VFS VFs of PF 0 and the first of them; a line "STEP MILLISECONDS" each, in
#                     /root/steps
#   one-vf INDEX      its part for one VF on a host that is prepared: S3, S4, S5g
#   take-back INDEX   the same backwards
#   ready INDEX...    its part for a guest that libvirt binds VFs for: S4, S5g for each VF
#   unready INDEX...  the same backwards, when the guest has left
#   hooks on|off      vferry's hook in its place, or moved away
pf=$(cd /sys/bus/pci/drivers/mlx5_core && for d in */sriov_totalvfs; do echo "${d%/*}"; done | sort | head -n 1)
began=${EPOCHREALTIME/[.,]/}

# step NAME: says how long the commands since the last one took.
step() {
	local now=${EPOCHREALTIME/[.,]/}
	echo "$1 $(((now - began) / 1000))" >>/root/steps
	began=${EPOCHREALTIME/[.,]/}
}

# vf INDEX: the address of a VF of PF 0.
vf() {
	local link
	link=$(readlink "/sys/bus/pci/devices/$pf/virtfn$1")
	echo "${link##*/}"
}

# nodedev ADDRESS: libvirt's name of a device.
nodedev() {
	echo "pci_${1//[:.]/_}"
}

# port INDEX: the devlink port of a VF, and its netdev.
port() {
	devlink port show | sed -n "s#^\(pci/$pf/[0-9]*\): .* netdev \([^ ]*\) .* vfnum $1 .*#\1 \2#p"
}

# uplink: the netdev of PF 0.
uplink() {
	devlink port show | sed -n 's#^auxiliary/mlx5_core.eth.0/.* netdev \([^ ]*\) .*#\1#p'
}

wipe() {
	local dev
	for dev in $(ovs-vsctl list-br); do ovs-vsctl del-br "$dev"; done
	ovs-vsctl clear Open_vSwitch . other_config
	tc qdisc show | while read -r _ kind _ _ dev _; do
		[[ $kind != ingress ]] || tc qdisc del dev "$dev" ingress 2>/dev/null
	done
	for dev in /sys/bus/pci/drivers/mlx5_core/*/sriov_totalvfs; do
		dev=${dev%/*}
		[ "$(<"$dev/sriov_numvfs")" = 0 ] || echo 0 >"$dev/sriov_numvfs"
		echo 1 >"$dev/sriov_drivers_autoprobe"
		for _ in {1..100}; do # busy until ovs-vswitchd has taken its flows away
			[[ $(devlink dev eswitch show "pci/${dev##*/}") != *"mode legacy"* ]] || break
			devlink dev eswitch set "pci/${dev##*/}" mode legacy 2>/dev/null || sleep 0.1
		done
	done
	rm -rf /run/vferry /var/lib/vferry
}

procedure() {
	local address name netdev
	devlink dev eswitch set "pci/$pf" mode switchdev || exit 1
	step S1-eswitch
	echo "$1" >"/sys/bus/pci/devices/$pf/sriov_numvfs" || exit 1
	step S2-VFs
	address=$(vf 0)
	udevadm settle # the representors get their names; a person is slower than that
	began=${EPOCHREALTIME/[.,]/}
	virsh -q nodedev-detach "$(nodedev "$address")" --driver pci-stub || exit 1
	step S3-detach
	read -r name netdev < <(port 0)
	began=${EPOCHREALTIME/[.,]/}
	devlink port function set "$name" migratable enable || exit 1
	step S4-migratable
	ovs-vsctl set Open_vSwitch . other_config:hw-offload=true || exit 1
	ovs-vsctl set Open_vSwitch . other_config:max-idle=300000 || exit 1
	ovs-vsctl add-br br-vferry || exit 1
	step S5b-S5d-bridge
	ovs-vsctl add-port br-vferry "$(uplink)" || exit 1
	ovs-vsctl add-port br-vferry "$netdev" || exit 1
	ip link set "$netdev" up || exit 1
	step S5f-S5g-ports
}

one_vf() {
	local name netdev
	read -r name netdev < <(port "$1")
	virsh -q nodedev-detach "$(nodedev "$(vf "$1")")" --driver pci-stub || exit 1
	devlink port function set "$name" migratable enable || exit 1
	ovs-vsctl add-port br-vferry "$netdev" || exit 1
	ip link set "$netdev" up || exit 1
}

take_back() {
	local netdev
	read -r _ netdev < <(port "$1")
	ovs-vsctl --if-exists del-port br-vferry "$netdev"
	[ -z "$netdev" ] || ip link set "$netdev" down
	vf "$1" >"/sys/bus/pci/devices/$(vf "$1")/driver/unbind" 2>/dev/null
	echo >"/sys/bus/pci/devices/$(vf "$1")/driver_override"
	/etc/libvirt/hooks/qemu.d/50-vferry guest1 release end failed </root/guest1.xml
}

ready() {
	local index name netdev
	for index in "$@"; do
		read -r name netdev < <(port "$index")
		devlink port function set "$name" migratable enable || exit 1
		ovs-vsctl add-port br-vferry "$netdev" || exit 1
		ip link set "$netdev" up || exit 1
	done
}

unready() {
	local index netdev
	for index in "$@"; do
		read -r _ netdev < <(port "$index")
		ovs-vsctl del-port br-vferry "$netdev"
		ip link set "$netdev" down
	done
}

hooks() {
	case $1 in
	on) mv /root/50-vferry /etc/libvirt/hooks/qemu.d/ ;;
	off) mv /etc/libvirt/hooks/qemu.d/50-vferry /root/ ;;
	esac
}

case $1 in
ready | unready | hooks) "$@" ;;
wipe) wipe ;;
procedure) procedure "$2" ;;
one-vf) one_vf "$2" ;;
take-back) take_back "$2" ;;
*) exit 2 ;;
esac
