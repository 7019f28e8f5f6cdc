#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The Debian package on a host: what it puts there, an upgrade and a removal under a running guest, the user's own hooks. The hosts of all
# lab tests are installed from this package.

load helpers.bash

ROLE=$BATS_TEST_DIRNAME/../../install/ansible

HOOK=/etc/libvirt/hooks/qemu.d/50-vferry

setup_file() {
	lab_setup
	guest A guest1 --vf 0000:81:00.0/0 >&3 2>&1
}

teardown_file() {
	lab_teardown
}

# vf_driver: the driver of the guest's VF on host A.
vf_driver() {
	on A "basename \"\$(readlink /sys/bus/pci/devices/$(vfs A guest1)/driver)\""
}

# reinstall: the package again, as at first.
reinstall() {
	on A 'dpkg --force-unsafe-io --force-confmiss -i /root/vferry.deb >/dev/null 2>&1; kill -HUP $(cat /run/libvirtd.pid)
		[ ! -e /usr/sbin/vferryd ] || /usr/lib/vferry-lab/agent restart'
}

# lend_python: the hosts have no Python: this machine's, without what only a developer needs, to /usr of both. It must be no newer than
# their libraries.
lend_python() {
	local python library
	python=$(readlink -f /usr/bin/python3) # the distribution's: what else is called python3 may be somebody's script
	library=$("$python" -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
	for host in A B; do
		tar -C / --exclude=__pycache__ --exclude=test --exclude=tests --exclude=dist-packages --exclude=idlelib --exclude=lib2to3 \
			--exclude='config-*' --exclude=tkinter --exclude=ensurepip --dereference -cf - "${python#/}" "${library#/}" 2>/dev/null |
			"$LAB" exec "$host" "tar -C / --no-same-owner -xf - && ln -sf $python /usr/bin/python3" || return 1
	done
}

# playbook ARGUMENT...: the role on hosts A and B, over the lab's standing connections.
playbook() {
	local place=/run/vferry-lab/$LAB_NAME
	cat >"$BATS_TEST_TMPDIR/hosts" <<-END
		[all]
		A ansible_host=hostA ansible_ssh_extra_args="-S $place/A/ssh"
		B ansible_host=hostB ansible_ssh_extra_args="-S $place/B/ssh"
		[all:vars]
		ansible_user=root
		ansible_python_interpreter=/usr/bin/python3
	END
	(cd "$ROLE" && ANSIBLE_HOME=$BATS_TEST_TMPDIR/home ANSIBLE_LOCAL_TEMP=$BATS_TEST_TMPDIR/tmp ANSIBLE_PIPELINING=1 ANSIBLE_NOCOWS=1 \
		ANSIBLE_SSH_ARGS="-F none -o BatchMode=yes -o LogLevel=ERROR" ANSIBLE_TIMEOUT=60 \
		timeout 400 ansible-playbook -i "$BATS_TEST_TMPDIR/hosts" site.yml "$@")
}

@test "dpkg knows every file but the hook, and the hook is a real file that is the package's" {
	# The hosts' dpkg leaves out manual pages and documents.
	run on A "dpkg --verify vferry | grep -v '^missing .* /usr/share/\(doc\|man\)/'; dpkg -S /usr/sbin/vferry /usr/libexec/vferry/hook /etc/vferry/vferry.conf >/dev/null &&
		[ ! -L $HOOK ] && cmp $HOOK /usr/libexec/vferry/50-vferry && [ \$(stat -c %a $HOOK) = 755 ] && echo fine"
	[ "$output" = fine ]
}

@test "a user's hooks, before and beside ours, are called with ours, and their word counts" {
	on A 'printf "#!/bin/sh\necho own \$2 >>/run/own-hook\n" >/etc/libvirt/hooks/qemu
		printf "#!/bin/sh\necho late \$2 >>/run/own-hook\n[ \$2 != prepare ] || { echo not today >&2; exit 1; }\n" >/etc/libvirt/hooks/qemu.d/90-late
		chmod 755 /etc/libvirt/hooks/qemu /etc/libvirt/hooks/qemu.d/90-late'
	reinstall
	run guest A guest2 --vf 0000:81:00.0/1
	[ "$status" -ne 0 ]
	contains "$output" "not today"
	called=$(on A 'cat /run/own-hook; grep "guest2: prepare: done" /var/log/messages')
	contains "$called" "own prepare"
	contains "$called" "late prepare"
	contains "$called" "vferry["
	on A 'rm /etc/libvirt/hooks/qemu /etc/libvirt/hooks/qemu.d/90-late'
}

@test "an upgrade keeps the configuration, the hook in its place, and a running guest its VF" {
	before=$(vfs A guest1)
	on A 'echo "# mine" >>/etc/vferry/vferry.conf
		dpkg-deb -R /root/vferry.deb /root/newer && sed -i "s/^Version: .*/&+newer/" /root/newer/DEBIAN/control &&
		dpkg-deb -b /root/newer /root/newer.deb >/dev/null'
	run on A "dpkg --force-unsafe-io -i /root/newer.deb </dev/null 2>&1"
	[ "$status" -eq 0 ]
	[ "$(on A "dpkg-query -W -f '\${Version}' vferry")" = "$(on A 'dpkg-deb -f /root/newer.deb Version')" ]
	on A "grep -q '# mine' /etc/vferry/vferry.conf && cmp $HOOK /usr/libexec/vferry/50-vferry && ls /run/vferry/vfs/*.json"
	[ "$(state A guest1)" = running ]
	[ "$(vfs A guest1)" = "$before" ]
	[ "$(vf_driver)" = mlx5_vfio_pci ]
}

@test "a removal leaves the configuration and a running guest's VF, and nothing else" {
	before=$(vfs A guest1)
	on A 'dpkg-query -L vferry >/root/files'
	# Where there is systemd, the package stops and starts the agent.
	run on A "/usr/lib/vferry-lab/agent stop; dpkg --force-unsafe-io -r vferry 2>&1"
	[ "$status" -eq 0 ]
	left=$(on A 'while read -r f; do [ ! -f "$f" ] || echo "$f"; done </root/files; find /etc/libvirt/hooks -type f; grep -l vferry /etc/apparmor.d/local/*' || true)
	same "$left" "/etc/apparmor.d/abstractions/vferry
/etc/vferry/vferry.conf"
	[ "$(state A guest1)" = running ]
	[ "$(vfs A guest1)" = "$before" ]
	[ "$(vf_driver)" = mlx5_vfio_pci ]
}

@test "a guest's VF survives the way out and in again, and the guest then leaves as if nothing had been" {
	reinstall
	[ "$(state A guest1)" = running ]
	[ -n "$(on A 'grep -l guest1 /run/vferry/vfs/*.json')" ]
	run migrate A B guest1
	[ "$status" -eq 0 ]
	[ "$(state B guest1)" = running ]
}

# bats test_tags=long
@test "the role configures both hosts, shows what vferry check says of each and gathers the inventories; again it changes nothing" {
	command -v ansible-playbook >/dev/null || skip "ansible-playbook is not installed; run: install/dependencies --what check"
	lend_python
	on A 'python3 -c "import json, zipfile"' || skip "this machine's Python does not run on the lab's hosts"
	run playbook --skip-tags install -e vferry_inventories="$BATS_TEST_TMPDIR/inventories" -e '{"vferry_config": {"host": {"bridge": "br-fleet", "create_bridge": true}}}'
	echo "$output"
	[ "$status" -eq 0 ]
	contains "$output" "Open vSwitch"
	for host in A B; do
		[ "$(jq -r .hostname "$BATS_TEST_TMPDIR/inventories/$host.json")" = "host$host" ]
		contains "$(on "$host" 'cat /etc/vferry/vferry.conf')" "bridge = br-fleet
create_bridge = yes"
	done
	run playbook --tags configure -e '{"vferry_config": {"host": {"bridge": "br-fleet", "create_bridge": true}}}'
	[ "$status" -eq 0 ]
	[[ $output == *"changed=0"*"changed=0"* ]]
	[[ $output != *"changed=1"* ]]
}

@test "a purge leaves nothing" {
	on A "systemctl enable vferry-card vferry-host 2>/dev/null; ls /etc/systemd/system/*.wants/vferry-host.service" >&2
	on A "rm -f /etc/vferry/vferry.conf.*; /usr/lib/vferry-lab/agent stop; dpkg --force-unsafe-io -P vferry >/dev/null 2>&1"
	run on A 'find / -xdev \( -path /proc -o -path /sys -o -path /root -o -path "/var/log/*" -o -path "/run/vferry-lab*" -o -path "/usr/lib/vferry-lab*" -o -path "/var/lib/libvirt/images" \) -prune -o -name "*vferry*" -print'
	same "$output" ""
}
