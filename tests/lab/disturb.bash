# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154 # bats sets output, lines and status
# disturb.bash: for tests in which somebody uses the card on host B: the hook and vferry prepare refuse and name what is in the way, nothing on
# B is changed, and whoever uses the card there loses no frame.

SPARE=10.77.0.50 # what answers the station's pings on host B

# disturb_setup: for setup_file: the lab, and on host B the XML of a guest that is to arrive, of one that is to start, and what runs there.
disturb_setup() {
	lab_setup
	wipe A
	wipe B
	PF=$(pf B) PF2=$(pf B 1)
	UPLINK=$(on B "basename /sys/bus/pci/devices/$PF/net/*")
	UPLINK2=$(on B "basename /sys/bus/pci/devices/$PF2/net/*")
	export PF PF2 UPLINK UPLINK2
	guest A guest1 --vf "$(pf A)/1"
	on A "virsh -c $URI dumpxml --migratable guest1" | on B 'cat >/root/guest1.xml'
	# A guest that is to start on B, on the second VF of the PF.
	on B "sed -E 's|<uuid>.*</uuid>|<uuid>11111111-2222-3333-4444-555555555555</uuid>|; s|guest1|guest2|; s|bus=.0x81.|bus=\"0x${PF:5:2}\"|' \
		/root/guest1.xml >/root/guest2.xml"
	in_the_way_script | on B 'cat >/root/in-the-way'
	# The other PF would do: only this one may be used.
	configure B "[host]
pf = $PF"
}

# disturb_teardown: for teardown: host B as it boots, where a test may have left something: much less work than wipe.
disturb_teardown() {
	"$LAB" station stop >/dev/null 2>&1
	on B "
		[ ! -e /root/50-vferry ] || mv /root/50-vferry /etc/libvirt/hooks/qemu.d/
		! pgrep -f qemu-system >/dev/null || virsh -q -c $URI destroy other
		ovs-vsctl --if-exists del-br br-vferry -- --if-exists del-br br-other
		ip netns del spare 2>/dev/null; ip link del bond0 2>/dev/null; ip link del br0 2>/dev/null
		for dev in $UPLINK $UPLINK2; do
			tc qdisc del dev \$dev ingress 2>/dev/null; ip -4 addr flush dev \$dev; ip link set \$dev promisc off up
		done
		ip route del default dev $UPLINK 2>/dev/null
		for pf in $PF $PF2; do
			[ \$(cat /sys/bus/pci/devices/\$pf/sriov_numvfs) = 0 ] || echo 0 >/sys/bus/pci/devices/\$pf/sriov_numvfs
			echo 1 >/sys/bus/pci/devices/\$pf/sriov_drivers_autoprobe
		done
		rm -rf /run/vferry"
}

# in_the_way_script: what runs on B in each state: the hook for an arrival, vferry prepare, the hook for an ordinary start; and whether
# anything has changed.
in_the_way_script() {
	cat <<'END'
marks() {
	for pf in /sys/kernel/debug/swcx7/pf*; do # how often modes and VFs were set, and what they are
		bdf=$(cat "$pf/bdf")
		echo "$bdf $(cat "$pf/eswitch_state") sets $(cat "$pf/count_mode_sets") same $(cat "$pf/count_same_mode_sets")" \
			"numvfs $(cat "$pf/count_numvfs_writes") $(cat "/sys/bus/pci/devices/$bdf/sriov_numvfs")" \
			"autoprobe $(cat "/sys/bus/pci/devices/$bdf/sriov_drivers_autoprobe")"
		for vf in "/sys/bus/pci/devices/$bdf"/virtfn*; do
			[ ! -e "$vf" ] || echo "$(readlink "$vf") $(readlink "$vf/driver") $(cat "$vf/driver_override")"
		done
	done
	echo "daemons $(pidof ovs-vswitchd) $(pidof ovsdb-server)"
	ip -o link | cut -d' ' -f1-3,8-11
	ip -4 -br addr
	ip route
	tc qdisc show
	ovs-vsctl --format=csv --columns=name,ports list Bridge -- --columns=name,interfaces,external_ids list Port \
		-- --columns=other_config list Open_vSwitch
	find /run/vferry -name '*.json' 2>/dev/null
}
before=$(marks)
echo "hook: $(/etc/libvirt/hooks/qemu.d/50-vferry guest1 migrate begin - 2>&1 </root/guest1.xml) (status $?)"
echo "prepare: $(vferry prepare --pf "$1" --yes 2>&1) (status $?)"
/etc/libvirt/hooks/qemu.d/50-vferry guest2 prepare begin - </root/guest2.xml >/root/start.out 2>&1
after=$(marks)
[ "$before" = "$after" ] && echo "nothing has changed" || { echo "$before" >/root/before; echo "$after" | diff /root/before -; }
END
}

# in_the_way SENTENCE: the hook refuses the guest with this sentence, in one line; vferry prepare says the same; nothing has changed,
# not by a guest that starts there either (whether that is refused depends on its VF and on at_start).
in_the_way() {
	run on B "bash /root/in-the-way $PF"
	echo "$output"
	[ "${#lines[@]}" = 3 ]
	[[ ${lines[0]} == "hook: vferry: guest1: "*"$1"*" (status 1)" ]]
	[[ ${lines[1]} == "prepare: vferry: "*"$1"*" (status 1)" ]]
	[ "${lines[2]}" = "nothing has changed" ]
	no_harmful_set B
}

# virsh_says SENTENCE: the person who types virsh migrate reads it, and the guest runs on.
virsh_says() {
	run migrate A B guest1
	echo "$output"
	[ "$status" != 0 ]
	contains "$output" "vferry: guest1: "
	contains "$output" "$1"
	[ "$(state A guest1)" = running ]
	[ -z "$(state B guest1)" ]
}

# watch_pings: begins to count, and waits until $SPARE answers.
watch_pings() {
	local deadline=$((SECONDS + 60))
	station_start --ping "$SPARE"
	while [ "$SECONDS" -lt "$deadline" ]; do
		[ "$(report '.pings[0].answered > 2')" = true ] && return 0
		sleep 0.1
	done
	echo "nobody answers at $SPARE: $(report .)" >&2
	return 1
}

no_ping_lost() {
	report '.pings[0] | "\(.sent) sent, \(.answered) answered, \(.lost) lost"'
	[ "$(report '.pings[0] | .lost == 0 and .answered > 10')" = true ]
}

# spare_host: shell lines that make a network namespace on B, on the other end of a veth "spare", where $SPARE answers.
spare_host() {
	echo "ip netns add spare && ip link add spare type veth peer name eth0 netns spare && ip link set spare up &&
		ip -n spare link set eth0 up && ip -n spare addr add $SPARE/24 dev eth0"
}

# no_frame_lost TAG: the guest of that tag has sent numbered frames, goes on, and all have arrived. Pings say less of a guest: an emulated
# one that gets no processor for long may drop them itself.
no_frame_lost() {
	local deadline=$((SECONDS + 30)) stream="[.guests[] | select(.tag == \"$1\")][0]"
	until [ "$(report "$stream | .received > 100")" = true ] || [ "$SECONDS" -ge "$deadline" ]; do
		sleep 0.1
	done
	report "$stream | \"\(.received) received, \(.lost) lost\""
	[ "$(report "$stream | .lost == 0 and .received > 100")" = true ]
}
