#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The Ansible role's playbooks on three hosts that are records: real vferry plans, what virsh would be told is written down in place of a move,
# since no host is there. Each host has a /var/lib of its own.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	vferry=$PWD/${BUILD:-build}/vferry
	[ -x "$vferry" ] || skip "$vferry is not built"
	command -v ansible-playbook >/dev/null || skip "ansible-playbook is not installed; run: install/dependencies --what check"
	perl -MJSON::PP -e 1 2>/dev/null || skip "perl's JSON::PP is not installed; run: install/dependencies --what lab"
}

# fleet FILE: three hosts as the playbooks see them, with vferry and the recorder of virsh in their PATH.
fleet() {
	local host

	work=$BATS_TEST_TMPDIR
	tests/fleet/make "$1" "$work/records"
	mkdir "$work/bin"
	for host in hostA hostB hostC; do
		mkdir -p "$work/$host"
		printf '#!/bin/sh\nFLEET_HOST=%s PATH=%s:$PATH exec /bin/sh "$@"\n' "$host" "$work/bin" >"$work/shell-$host"
		echo "$host ansible_connection=local ansible_become=false ansible_shell_executable=$work/shell-$host ansible_async_dir=$work/async-$host" \
			"ansible_python_interpreter=/usr/bin/python3"
	done >"$work/hosts"
	cat >"$work/bin/vferry" <<-END
		#!/bin/sh
		echo "\$FLEET_HOST vferry \$*" >>$work/calls
		[ ! -e $work/answers/\$FLEET_HOST-\$1 ] || exec /bin/sh $work/answers/\$FLEET_HOST-\$1
		case \$1 in
		inventory) exec perl -MJSON::PP -0777 -ne '
			\$r = decode_json(\$_);
			@{\$r->{guests}} = grep { !-e "$work/gone/\$_->{name}" } @{\$r->{guests}};
			print encode_json(\$r)' $work/records/\$FLEET_HOST.json ;;
		maintenance) exec unshare -m sh -c 'mount --bind "\$0" /var/lib && exec "\$@"' $work/\$FLEET_HOST $vferry "\$@" ;;
		*) exec $vferry "\$@" --settings /nonexistent/vferry.conf ;;
		esac
	END
	mkdir "$work/answers" "$work/gone" "$work/refused" "$work/hangs" "$work/unknown" "$work/transient"
	cat >"$work/bin/virsh" <<-END
		#!/bin/sh
		echo "\$FLEET_HOST virsh \$*" >>$work/calls
		while [ "\$1" != --domain ]; do word="\$word \$1"; shift; done
		case \$word in
		*" dominfo")
			[ ! -e "$work/unknown/\$2" ] || { echo "error: failed to get domain '\$2'" >&2; exit 1; }
			[ ! -e "$work/transient/\$2" ] && answer=yes || answer=no
			printf 'Name:           %s\nPersistent:     %s\nAutostart:      enable\n' "\$2" "\$answer" ;;
		*" migrate "*)
			[ ! -e "$work/refused/\$2" ] || { echo "error: not today" >&2; exit 1; }
			[ ! -e "$work/hangs/\$2" ] || exec sleep 600
			touch "$work/gone/\$2" ;;
		esac
	END
	chmod +x "$work"/bin/* "$work"/shell-*
}

# play PLAYBOOK OPTION...: runs it. Facts are not gathered: what a test needs of them stands in $work/facts.
play() {
	local playbook=$1
	shift
	(cd install/ansible && ANSIBLE_HOME=$work/home ANSIBLE_LOCAL_TEMP=$work/home ANSIBLE_NOCOLOR=1 \
		ANSIBLE_PIPELINING=1 ANSIBLE_GATHERING=explicit ANSIBLE_LIBRARY=$work/library \
		ANSIBLE_CACHE_PLUGIN=jsonfile ANSIBLE_CACHE_PLUGIN_CONNECTION=$work/facts ANSIBLE_CACHE_PLUGIN_TIMEOUT=0 \
		ansible-playbook -i "$work/hosts" -e vferry_inventories="$work/inventories" "$@" "$playbook")
}

# evacuate OPTION...: empties hostA; $output and $status are the play's.
evacuate() {
	run play evacuate.yml -e vferry_host=hostA -e vferry_name=hostA "$@"
	echo "$output"
	cat "$work/calls"
}

# bats test_tags=long
@test "evacuate.yml closes the host and moves its guests wave by wave" {
	[ "$(id -u)" -eq 0 ] || skip "root alone gives each host a /var/lib of its own"
	fleet tests/fleet/small.fleet
	evacuate
	[ "$status" -eq 0 ]
	[ -e "$work/hostA/vferry/maintenance" ]
	[ ! -e "$work/hostB/vferry/maintenance" ]
	[ "$(grep -c '^hostA virsh .*migrate --live --p2p' "$work/calls")" -eq 4 ]
	[ "$(grep -c 'virsh .*migrate' "$work/calls")" -eq 4 ]
	[[ $output == *"Guests set out, wave 2"* ]]
	[[ $output == *"on hostA run: no guest"* ]]
	run play evacuate.yml -e vferry_host=hostA --tags back
	[ "$status" -eq 0 ]
	[ ! -e "$work/hostA/vferry/maintenance" ]
}

# bats test_tags=long
@test "evacuate.yml fails at its end where a guest was refused, names it and why, and one that is refused keeps no other" {
	[ "$(id -u)" -eq 0 ] || skip "root alone gives each host a /var/lib of its own"
	fleet tests/fleet/small.fleet
	touch "$work/refused/web2"
	evacuate
	[ "$status" -ne 0 ]
	[ "$(grep -c 'virsh .*migrate' "$work/calls")" -eq 4 ]
	[[ $output == *"still on hostA: web2 (error: not today)"* ]]
	[[ $output == *"on hostA run: web2"* ]]
	rm "$work"/gone/*
	evacuate -e vferry_partial=true
	[ "$status" -eq 0 ]
	[[ $output == *"web2 stays: error: not today"* ]]
}

# bats test_tags=long
@test "evacuate.yml fails where guests do not arrive in time, or libvirt does not know them, and where virsh is content and the guest still there" {
	[ "$(id -u)" -eq 0 ] || skip "root alone gives each host a /var/lib of its own"
	fleet tests/fleet/small.fleet
	touch "$work/hangs/db1" "$work/unknown/web1"
	sed -i 's|touch "\(.*\)/gone/$2"|[ "$2" = lb1 ] \|\| &|' "$work/bin/virsh"
	evacuate -e vferry_migrate_time=6
	[ "$status" -ne 0 ]
	[[ $output == *"db1 (it had not arrived after 6 s, and may be on its way still; see: virsh domjobinfo db1)"* ]]
	[[ $output == *"web1 (error: failed to get domain 'web1')"* ]]
	[[ $output == *"lb1 (virsh reported no error)"* ]]
	[[ $output != *"web2 ("* ]]
	[ "$(grep -c 'virsh .*migrate.* web1 ' "$work/calls" || true)" -eq 0 ]
}

# bats test_tags=long
@test "evacuate.yml takes a persistent guest's definition along, leaves none behind, and a transient one's as it is" {
	[ "$(id -u)" -eq 0 ] || skip "root alone gives each host a /var/lib of its own"
	fleet tests/fleet/small.fleet
	touch "$work/transient/lb1"
	evacuate -e '{"vferry_migrate_options": ["--persistent", "--auto-converge"]}'
	[ "$status" -eq 0 ]
	for guest in web1 web2 db1; do
		grep -qE "migrate --live --p2p --undefinesource --persistent --auto-converge --domain $guest " "$work/calls"
	done
	grep -qE 'migrate --live --p2p --persistent --auto-converge --domain lb1 ' "$work/calls"
	rm "$work"/gone/* "$work/calls"
	evacuate
	grep -qE 'migrate --live --p2p --persistent --undefinesource --domain web1 ' "$work/calls"
	grep -qE 'migrate --live --p2p --domain lb1 ' "$work/calls"
	rm "$work"/gone/* "$work/calls"
	evacuate -e '{"vferry_persistent_options": []}'
	grep -qE 'migrate --live --p2p --domain web1 ' "$work/calls"
}

# bats test_tags=long
@test "evacuate.yml moves nobody where one cannot leave, unless it is told to" {
	[ "$(id -u)" -eq 0 ] || skip "root alone gives each host a /var/lib of its own"
	fleet tests/fleet/stuck.fleet
	run play evacuate.yml -e vferry_host=hostA -e vferry_name=hostA
	echo "$output"
	[ "$status" -ne 0 ]
	[[ $output == *"cannot leave; with -e vferry_partial=true the others are moved"* ]]
	[ "$(grep -c virsh "$work/calls" || true)" -eq 0 ]
}

# upgradable: the three hosts have a package manager that writes down what it is told, and nobody is on the way. Fails where $work/no-package is.
upgradable() {
	local host

	fleet tests/fleet/small.fleet
	mkdir "$work/library" "$work/facts"
	cat >"$work/library/recorder" <<-END
		#!/bin/sh
		# WANT_JSON
		cat "\$1" >>$work/installed
		echo >>$work/installed
		[ ! -e $work/no-package ] && echo '{"changed": true}' || echo '{"failed": true, "msg": "no such package"}'
	END
	for host in hostA hostB hostC; do
		echo '{"ansible_pkg_mgr": "recorder"}' >"$work/facts/$host"
		echo "echo '{\"migrations\": [], \"expected\": []}'" >"$work/answers/$host-status"
	done
	mkdir -p "$work/hostB/vferry"
	touch "$work/installed" "$work/hostB/vferry/maintenance"
}

# upgrade OPTION...: upgrades the hosts; $output and $status are the play's.
upgrade() {
	: >"$work/calls"
	: >"$work/installed"
	run play upgrade.yml "$@"
	echo "$output"
	cat "$work/calls" "$work/installed"
}

# bats test_tags=long
@test "upgrade.yml asks for the latest package, and opens a host again that it has closed itself, not one that was closed before" {
	[ "$(id -u)" -eq 0 ] || skip "root alone gives each host a /var/lib of its own"
	upgradable
	upgrade
	[ "$status" -eq 0 ]
	[ "$(grep -c '"name": "vferry".*"state": "latest"\|"state": "latest".*"name": "vferry"' "$work/installed")" -eq 3 ]
	grep -qx 'hostA vferry maintenance on' "$work/calls"
	[ ! -e "$work/hostA/vferry/maintenance" ]
	[ -e "$work/hostB/vferry/maintenance" ]
	! grep -qx 'hostB vferry maintenance off' "$work/calls" || false
	touch "$work/no-package"
	upgrade -l hostB
	[ "$status" -ne 0 ]
	[ -e "$work/hostB/vferry/maintenance" ]
	upgrade -l hostA
	[ "$status" -ne 0 ]
	[ ! -e "$work/hostA/vferry/maintenance" ]
}

# bats test_tags=long
@test "upgrade.yml does not wait for a host whose vferry is too old for a marker, that has no card, or no vferry, and says so" {
	[ "$(id -u)" -eq 0 ] || skip "root alone gives each host a /var/lib of its own"
	upgradable
	echo "echo \"vferry: there is no command 'maintenance'; see vferry --help\" >&2; exit 2" >"$work/answers/hostA-maintenance"
	echo "echo '{\"verdict\": \"refused\"}'; echo 'vferry: hostC has no ConnectX-7' >&2; exit 1" >"$work/answers/hostC-status"
	echo "echo '{\"pfs\": [], \"guests\": []}'" >"$work/answers/hostC-inventory"
	upgrade
	[ "$status" -eq 0 ]
	[[ $output == *"vferry on hostA has no marker against arrivals (vferry: there is no command 'maintenance'"* ]]
	[[ $output == *"hostC has no card, so no guest with a VF is on its way"* ]]
	[ "$(grep -c 'vferry status' "$work/calls")" -eq 3 ]
	[ "$(grep -c '"state": "latest"' "$work/installed")" -eq 3 ]
	mv "$work/bin/vferry" "$work/vferry"
	command -v vferry && skip "this machine has a vferry of its own"
	upgrade -l hostA
	[ "$status" -eq 0 ]
	[[ $output == *"hostA has no vferry yet"* ]]
	[ "$(grep -c '"state": "latest"' "$work/installed")" -eq 1 ]
}

# bats test_tags=long
@test "upgrade.yml leaves a host as it is where nobody can tell who is on the way, or somebody is for too long" {
	[ "$(id -u)" -eq 0 ] || skip "root alone gives each host a /var/lib of its own"
	upgradable
	echo "echo 'vferry: /run/libvirt/qemu cannot be read' >&2; exit 1" >"$work/answers/hostA-status"
	upgrade -l hostA
	[ "$status" -ne 0 ]
	[[ $output == *"vferry on hostA does not tell whether a guest is on its way, so it is not upgraded"*"/run/libvirt/qemu cannot be read"* ]]
	[ "$(grep -c 'vferry status' "$work/calls")" -eq 1 ]
	[ ! -s "$work/installed" ]
	[ ! -e "$work/hostA/vferry/maintenance" ]
	echo "echo '{\"migrations\": [], \"expected\": [{\"guest\": \"web9\"}]}'" >"$work/answers/hostA-status"
	upgrade -l hostA -e vferry_flight_time=5
	[ "$status" -ne 0 ]
	[[ $output == *"guests are on their way from or to hostA after 5 s"* ]]
	[ ! -s "$work/installed" ]
	[ ! -e "$work/hostA/vferry/maintenance" ]
}

@test "the playbooks are ones that Ansible takes" {
	work=$BATS_TEST_TMPDIR
	echo localhost >"$work/hosts"
	for playbook in site evacuate upgrade; do
		play "$playbook.yml" --syntax-check -e vferry_host=localhost
	done
}
