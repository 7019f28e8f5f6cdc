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
		case \$1 in
		inventory) exec cat $work/records/\$FLEET_HOST.json ;;
		maintenance) exec unshare -m sh -c 'mount --bind "\$0" /var/lib && exec "\$@"' $work/\$FLEET_HOST $vferry "\$@" ;;
		*) exec $vferry "\$@" --settings /nonexistent/vferry.conf ;;
		esac
	END
	cat >"$work/bin/virsh" <<-END
		#!/bin/sh
		echo "\$FLEET_HOST virsh \$*" >>$work/calls
		case "\$*" in *"--domain web2 "*) echo "error: refused" >&2; exit 1 ;; esac
	END
	chmod +x "$work"/bin/* "$work"/shell-*
}

# play PLAYBOOK OPTION...: runs it.
play() {
	local playbook=$1
	shift
	(cd install/ansible && ANSIBLE_HOME=$work/home ANSIBLE_LOCAL_TEMP=$work/home ANSIBLE_NOCOLOR=1 \
		ansible-playbook -i "$work/hosts" -e vferry_inventories="$work/inventories" "$@" "$playbook")
}

# bats test_tags=long
@test "evacuate.yml closes the host, moves its guests wave by wave, and one that is refused keeps no other" {
	[ "$(id -u)" -eq 0 ] || skip "root alone gives each host a /var/lib of its own"
	fleet tests/fleet/small.fleet
	run play evacuate.yml -e vferry_host=hostA -e vferry_name=hostA
	echo "$output"
	cat "$work/calls"
	[ "$status" -eq 0 ]
	[ -e "$work/hostA/vferry/maintenance" ]
	[ ! -e "$work/hostB/vferry/maintenance" ]
	[ "$(grep -c '^hostA virsh .*migrate --live --p2p' "$work/calls")" -eq 4 ]
	[ "$(grep -c 'virsh' "$work/calls")" -eq 4 ]
	[[ $output == *"web2 was refused: error: refused"* ]]
	[[ $output == *"Guests set out, wave 2"* ]]
	run play evacuate.yml -e vferry_host=hostA --tags back
	[ "$status" -eq 0 ]
	[ ! -e "$work/hostA/vferry/maintenance" ]
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

@test "the playbooks are ones that Ansible takes" {
	work=$BATS_TEST_TMPDIR
	echo localhost >"$work/hosts"
	for playbook in site evacuate upgrade; do
		play "$playbook.yml" --syntax-check -e vferry_host=localhost
	done
}
