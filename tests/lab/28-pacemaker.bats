#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Pacemaker: corosync, pacemaker and VirtualDomain of the hosts' own Debian on both hosts; guests with VFs out of a pool. What a cluster does
# with a guest whose migration is refused, by its defaults and by the rules of `vferry cluster`; a drain; a host that dies.
#
# The tests build on each other: the cluster of setup_file goes through all of them.

load helpers.bash

# Pacemaker's programs, and what they need that a host of the lab lacks.
PACEMAKER="corosync pacemaker pacemaker-cli-utils pacemaker-resource-agents resource-agents crmsh"

setup_file() {
	lab_setup
	wipe_both
	pacemaker_install
	for host in A B; do
		on "$host" 'vferry prepare --card-only --yes --once >/dev/null; ovs-vsctl --may-exist add-br br-vferry'
		pool "$host"
	done
	cluster_start
}

teardown_file() {
	lab_teardown
}

# pacemaker_install: the packages onto both hosts, unpacked: no host of the lab has them, since only these tests need them.
pacemaker_install() {
	local dir=$BATS_FILE_TMPDIR/pacemaker host
	# shellcheck disable=SC2086 # words
	fetch_debs "$dir" $PACEMAKER
	for host in A B; do
		on "$host" 'mkdir -p /root/pacemaker'
		"$LAB" push "$host" "$dir"/*.deb :/root/pacemaker/
		on "$host" 'for deb in /root/pacemaker/*.deb; do dpkg-deb -x "$deb" / || exit 1; done; ldconfig
			grep -q ^haclient: /etc/group || groupadd -r haclient
			id hacluster >/dev/null 2>&1 || useradd -r -g haclient -d /var/lib/pacemaker hacluster
			install -d -o hacluster -g haclient -m 750 /var/lib/pacemaker /var/lib/pacemaker/{cib,pengine,blackbox,cores} /var/log/pacemaker
			test -x /usr/lib/ocf/resource.d/vferry/host'
	done
}

# pool HOST: the network that guests name, with all VFs of the host's PF.
pool() {
	on "$1" "printf \"<network><name>vf-pool</name><forward mode='hostdev' managed='yes'><pf dev='%s'/></forward></network>\" \
		\"\$(ls /sys/bus/pci/devices/$(pf "$1")/net | grep -v _ | head -n 1)\" >/root/pool.xml
		virsh -q -c $URI net-define /root/pool.xml && virsh -q -c $URI net-start vf-pool"
}

# cluster_start: corosync between both hosts, and Pacemaker; waits until both are online.
cluster_start() {
	local host
	for host in A B; do
		on "$host" 'mkdir -p /etc/corosync; cat >/etc/corosync/corosync.conf' <<-END
			totem {
			  version: 2
			  cluster_name: lab
			  transport: knet
			  crypto_cipher: none
			  crypto_hash: none
			  token: 10000
			}
			nodelist {
			  node {
			    ring0_addr: 198.51.100.11
			    name: hostA
			    nodeid: 1
			  }
			  node {
			    ring0_addr: 198.51.100.12
			    name: hostB
			    nodeid: 2
			  }
			}
			quorum {
			  provider: corosync_votequorum
			  two_node: 1
			  wait_for_all: 0
			}
			logging {
			  to_syslog: no
			  to_logfile: yes
			  logfile: /var/log/corosync.log
			}
		END
		on "$host" '(corosync && exec setsid pacemakerd) </dev/null >/var/log/pacemakerd.log 2>&1 &' # daemons keep what they were given
	done
	until_so 120 'crm_node -l | grep -c member | grep -qx 2'
	on A 'crm_attribute --name stonith-enabled --update false
		crm_attribute --name no-quorum-policy --update ignore
		crm configure primitive vferry-host ocf:vferry:host op monitor interval=15s timeout=300s op stop timeout=300s on-fail=block
		crm configure clone vferry-host-clone vferry-host'
	until_so 120 'crm_attribute --node hostB --lifetime reboot --name vferry-card --query --quiet'
}

# until_so SECONDS COMMAND: waits until a command on host A succeeds.
until_so() {
	local end=$((SECONDS + $1))
	until on A "$2" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || { on A 'crm_mon -1' >&2; return 1; }
		sleep 1
	done
}

# resource NAME [OPTION...]: a guest with one VF of the pool, as a resource that Pacemaker may move; no rules of vferry's yet. The lab's guest
# does not shut down when it is asked to, and its hosts are slow.
resource() {
	local host
	for host in A B; do
		guest A "$@" --print |
			sed "s|<devices>|&<interface type='network'><source network='vf-pool'/></interface>|" |
			on "$host" "mkdir -p /etc/guests; cat >/etc/guests/$1.xml"
	done
	on A "crm configure" <<-END # both at once: it starts where it belongs
		primitive $1 VirtualDomain params config=/etc/guests/$1.xml hypervisor=$URI migration_transport=tcp force_stop=true \
		  op start timeout=300s op stop timeout=300s op monitor interval=60s timeout=300s meta allow-migrate=true
		location on-A-$1 $1 50: hostA
		commit
	END
	until_so 240 "crm_resource --resource $1 --locate | grep -q hostA"
}

# boots HOST NAME: since when its QEMU runs: another number tells that it was stopped in between.
boots() {
	on "$1" "stat -c %Y /proc/\$(cat /run/libvirt/qemu/$2.pid)"
}

# settled: Pacemaker has nothing more to do.
settled() {
	until_so 600 'crm_resource --wait --timeout 30'
}

# bats test_tags=long
@test "the harm: by the defaults of Pacemaker a guest whose migration is refused is stopped and started elsewhere" {
	resource g1
	before=$(boots A g1)
	on B 'vferry maintenance on'
	run on A 'vferry check'
	contains "$(tr -s ' \n' ' ' <<<"$output")" "a refused migration would stop g1"
	on A 'crm resource move g1 hostB force'
	settled
	echo "# by default: g1 is $(state A g1) on A, $(state B g1) on B" >&3
	[ "$(state A g1)" != running ] || [ "$(boots A g1)" != "$before" ]
	on B 'vferry maintenance off'
	on A 'crm resource clear g1; crm_resource --cleanup --resource g1'
	settled
}

# bats test_tags=long
@test "with the rules of vferry cluster, typed as they are printed, a refused guest runs on, and moves when it can" {
	until_so 240 'crm_resource --resource g1 --locate | grep -q hostA'
	on A 'vferry cluster --all --crmsh | grep -v "^#" >/root/rules; cat /root/rules; sh -e /root/rules'
	run on A 'vferry check'
	contains "$(tr -s ' \n' ' ' <<<"$output")" "V12 Pacemaker ok"
	before=$(boots A g1)
	on B 'vferry maintenance on'
	until_so 60 'crm_attribute --node hostB --utilization --name vferry-vfs --query --quiet | grep -qx 0'
	on A 'crm resource move g1 hostB force'
	settled
	[ "$(state A g1)" = running ]
	[ "$(boots A g1)" = "$before" ]
	on B 'vferry maintenance off'
	on A 'crm_resource --cleanup --resource g1'
	until_so 300 'crm_resource --resource g1 --locate | grep -q hostB'
	[ "$(state B g1)" = running ]
	on A 'crm resource clear g1'
	settled
}

# bats test_tags=long
@test "a host on standby: several guests leave, none stops, slots hold; one that nobody can take stays and runs" {
	local name
	for name in g2 g3; do resource "$name"; done
	resource g4 --iommu intel # which nobody takes
	on A 'vferry cluster --all --crmsh | grep -v "^#" | sh -e'
	before=$(boots A g4)
	on A 'crm node standby hostA'
	settled
	for name in g2 g3; do [ "$(state B "$name")" = running ]; done
	[ "$(state A g4)" = running ] && [ "$(boots A g4)" = "$before" ]
	on A 'crm node online hostA'
	settled
}

# bats test_tags=long
@test "a refusal in the middle of a drain: that guest runs on, the others have left" {
	on A 'crm_resource --cleanup'
	settled
	configure B '[hook]
slot_wait = 0
slot_queue = 0
[limits]
vfs_in_flight = 1'
	on A 'crm_attribute --name migration-limit --update 4; crm node standby hostA'
	settled
	for name in g2 g3 g4; do
		[ "$(state A "$name")" = running ] || [ "$(state B "$name")" = running ]
	done
	on A 'crm node online hostA; crm_resource --cleanup'
	settled
}

# bats test_tags=long
@test "a host dies: its guests start on the other" {
	on A 'crm resource move g2 hostB force'
	until_so 300 'crm_resource --resource g2 --locate | grep -q hostB'
	on B 'killall -9 pacemakerd corosync; pkill -9 -f "guest=g" || :; echo b >/proc/sysrq-trigger' || :
	until_so 600 'crm_resource --resource g2 --locate | grep -q hostA'
	[ "$(state A g2)" = running ]
}
