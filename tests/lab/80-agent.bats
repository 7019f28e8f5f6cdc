#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The agent: what libvirt calls no hook for. The tests share one silent guest, which each takes as the one before has left it: they run as
# one, in their order. What takes longer is in 81-agent-limits.bats.

load helpers.bash
load agent.bash

setup_file() {
	lab_setup
	wipe_both
	on A 'mkdir -p /var/lib/prometheus/node-exporter' # where figures are wanted; on B nobody wants any
	agent A start
	agent B start
	# On a machine that is busy with other things Open vSwitch may take too long at first: then once more, from what is done by then.
	guest A guest1 --define --vf "$(pf A)/1" --cmdline "ip=$GUEST_IP silent ballast=4" --no-passport ||
		on A "virsh -q -c $URI start guest1"
}

teardown_file() {
	agent A stop
	agent B stop
	lab_teardown
}

@test "a guest gets its passport, also with what somebody sets on its port and with firmware that changes" {
	eventually has_passport A 'host="hostA"' 'psid="MT_0000000834"' 'firmware="28.42.1000"' "pf=\"$(pf A)\"" 'bridge="br-vferry"'
	on A "ovs-vsctl set port $(rep A) tag=0 vlan_mode=native-untagged trunks=0,20 qos=@qos -- set interface $(rep A) \
		ingress_policing_rate=900000 external_ids:iface-id=port-one external_ids:vm-uuid=one external_ids:bad='a b' -- \
		--id=@qos create QoS type=linux-htb other_config:max-rate=900000000 queues:0=@queue -- \
		--id=@queue create Queue other_config:max-rate=800000000 other_config:burst=64000000
		echo 28.43.2000 >/sys/kernel/debug/swcx7/pf0/firmware"
	reload A
	eventually has_passport A 'firmware="28.43.2000"'
	on A 'echo 28.42.1000 >/sys/kernel/debug/swcx7/pf0/firmware'
	reload A
	eventually has_passport A 'tag="0"' 'vlan-mode="native-untagged"' 'trunks="0 20"' 'ingress-rate="900000"' 'iface-id="port-one"' \
		'vm-uuid="one"' 'qos="linux-htb max-rate=900000000 0:max-rate=800000000,burst=64000000"' 'firmware="28.42.1000"'
}

@test "libvirtd, which begins with 5 threads for calls, gets enough for guests that wait" {
	eventually said A 'libvirtd was given 20 threads for calls'
	[ "$(threads A)" = 20 ]
	contains "$(on A 'vferry check --json' | jq -c '.checks[] | select(.id == "V7")')" '"state":"ok"'
}

@test "the agent outlives a libvirtd that goes while it is written to" {
	on A 'kill -PIPE $(cat /run/vferry-lab-agent.pid); sleep 1; kill -0 $(cat /run/vferry-lab-agent.pid)' # what the kernel sends then
}

@test "a silent guest is found at once where it has gone, with its port's settings and a mended definition" {
	before=$(on A "virsh -c $URI dumpxml --inactive --security-info guest1")
	uuid=$(on A "virsh -c $URI domuuid guest1" | head -n 1)
	# When the port has its settings at the destination, the guest does not run there yet.
	on B "timeout 300 bash -c 'until ovs-vsctl --bare --columns=name find interface external_ids:iface-id=port-one | grep -q .; do sleep 0.1; done
		virsh -c $URI domstate guest1 >/root/when-set 2>&1' >/dev/null 2>&1 &"
	to_guest
	lost_for A B --persistent >"$BATS_FILE_TMPDIR/with"
	cat "$BATS_FILE_TMPDIR/with"
	grep -q found "$BATS_FILE_TMPDIR/with"
	[ "$(state B guest1)" = running ]
	[[ $(on B 'cat /root/when-set') != *running* ]]
	[ "$(on B 'wc -l </root/when-set')" -gt 0 ]
	said B 'announced 52:54:'
	same "$(on B "ovs-vsctl get port $(rep B) tag vlan_mode trunks -- get interface $(rep B) ingress_policing_rate external_ids:iface-id \
		external_ids:vm-uuid external_ids:vm-id external_ids:attached-mac
		ovs-vsctl --bare --columns=type list qos; ovs-vsctl --bare --columns=other_config list queue" | tr -d \")" "0
native-untagged
[0, 20]
900000
port-one
one
$uuid
$(sed -n "s/.*<mac address='\(.*\)'.*/\1/p" <<<"$before")
linux-htb
burst=64000000 max-rate=800000000"
	[ "$(on A 'ovs-vsctl list-ports br-vferry | wc -l')" = 1 ]
	# --persistent stored the source's definition: the address is mended, and nothing else is changed.
	eventually is_here B
	eventually said B 'its stored definition named VF'
	live=$(vfs B guest1)
	[ -n "$live" ]
	after=$(on B "virsh -c $URI dumpxml --inactive --security-info guest1")
	[ "$(sed -n "/<source>/,/<\/source>/s/.*bus='0x\(..\)'.*/\1/p" <<<"$after")" = "${live:5:2}" ]
	same "$(sed "/<source>/,/<\/source>/s/<address .*//" <<<"$before")" "$(sed "/<source>/,/<\/source>/s/<address .*//" <<<"$after")"
	# Both sides remember it, and the node exporter gets it.
	eventually on B 'vferry status | grep "guest1: came from hostA"'
	[ "$(on B 'cat /var/lib/vferry/migrations.jsonl' | jq -r '[.direction, .outcome, .from, .to, .reason] | map(. // "-") | join(" ")')" = \
		'in completed hostA hostB -' ]
	eventually on A 'vferry status | grep "guest1: left in"'
	[ "$(on A 'cat /var/lib/vferry/migrations.jsonl' | jq -r '[.direction, .outcome, .from, .vfs, (.phases_ms | has("perform3")),
		.downtime_ms > 0, .memory_bytes > 0, .counts_guest_memory_only[0]] | join(" ")')" = \
		'out completed hostA 1 true true true memory_bytes' ]
	eventually on A 'grep "completed.* 1$" /var/lib/prometheus/node-exporter/vferry.prom'
	figures=$(on A 'cat /var/lib/prometheus/node-exporter/vferry.prom; stat -c "# %a" /var/lib/prometheus/node-exporter/vferry.prom')
	contains "$figures" 'vferry_migrations_total{direction="out",outcome="completed"} 1'
	contains "$figures" 'vferry_migration_downtime_seconds_count 1'
	contains "$figures" '# 644'
	! command -v promtool || promtool check metrics <<<"$figures"
	[ "$(on B 'find / -xdev -name vferry.prom')" = "" ]
}

# bats test_tags=long
@test "without the agent the network does not find it until it speaks" {
	agent A stop
	agent B stop
	lost_for B A >"$BATS_FILE_TMPDIR/without"
	[ "$(state A guest1)" = running ]
	read -r with _ <"$BATS_FILE_TMPDIR/with"
	read -r without how <"$BATS_FILE_TMPDIR/without"
	echo "# the silent guest is reachable $with ms after it runs at the destination; without the agent it is not after $without ms ($how)" >&3
	[ "$how" = lost ]
	# It speaks, and is there.
	ip netns exec "vflab-$LAB_NAME" ping -c 1 -w 60 "$GUEST_IP"
	watch_frames A
	come() { on A '[ "$(wc -l </root/frames.log)" -gt 20 ]'; }
	eventually come
	on A 'rm -f /root/watch'
	to_guest_end
	agent A start
	agent B start
	eventually is_here A
}
