#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The packages: both are built here, without their unit tests, and looked at; the RPM by the rules of Fedora and RHEL
# (tests/tree/rpm/redhat.macros), and installed, upgraded and removed in a scratch root. That Debian's installs is tested in the lab
# (tests/lab/90-package.bats). Each is built once, for all tests; the RPM without link-time optimisation, which takes half of its time: with
# it, and with its unit tests, it is built with LONG=1.

# redhat_rules: prints the option by which rpmbuild does as redhat-rpm-config has it, where that is not installed.
redhat_rules() {
	[ ! -e /etc/debian_version ] || echo "--load=$PWD/tests/tree/rpm/redhat.macros"
}

setup_file() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	export out=$PWD/build/packages
	DEB_BUILD_OPTIONS="nocheck noautodbgsym parallel=$(nproc)" install/deb/build "$out" -nc -d >"$BATS_FILE_TMPDIR/deb" 2>&1 3>&- || true
	if command -v rpmbuild >/dev/null; then
		rm -f "$out"/*.rpm
		# shellcheck disable=SC2046 # words
		install/rpm/build "$out" --nocheck --without lto $(redhat_rules) >"$BATS_FILE_TMPDIR/rpm" 2>&1 3>&- || true
	fi
}

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	version=$(sed -n 's/^VERSION *= *//p' Makefile)
}

teardown() {
	[ -z "${work:-}" ] || rm -rf "$work"
}

# need PROGRAM: skips where it is missing.
need() {
	command -v "$1" >/dev/null || skip "$1 is not installed; run: install/dependencies --what deb,rpm,check"
}

# lacks GREP_ARGUMENT...: whether grep finds nothing; what it finds is shown.
lacks() {
	! grep "$@"
}

# rpms_built: the two packages that somebody installs, in rpms.
rpms_built() {
	rpms=("$out"/vferry-"$version"-*.rpm "$out"/vferry-selinux-"$version"-*.rpm)
	if [ ! -e "${rpms[0]}" ] || [ ! -e "${rpms[1]}" ]; then
		tail -n 20 "$BATS_FILE_TMPDIR/rpm"
		false
	fi
}

# debug_packages FOLDER: whether the RPMs in a folder have their debug information, and their sources, beside them and not in them.
debug_packages() {
	rpm -qpl "$1"/vferry-debugsource-"$version"-*.rpm | grep -q '/helpers/vferry.c$'
	rpm -qpl "$1"/vferry-debuginfo-"$version"-*.rpm | grep -q '/vferryd-.*\.debug$'
	rpm -qpl "$1"/vferry-"$version"-*.rpm | grep -qx /usr/bin/vferryd
	lacks -aF "$1" <(rpm2cpio "$1"/vferry-"$version"-*.rpm | cpio -i --quiet --to-stdout './usr/libexec/vferry/hook')
}

# rpm_do OPTION...: rpm in the scratch root; what it says is kept in said.
rpm_do() {
	rpm --root "$root" --nodeps "$@" 2>&1 | tee "$BATS_TEST_TMPDIR/said"
}

# rpm_in_root: installs both packages in a scratch root where virtqemud runs.
rpm_in_root() {
	need rpmbuild
	[ "$(id -u)" -eq 0 ] || skip "rpm runs scriptlets in another root for root alone"
	rpms_built
	root=$BATS_TEST_TMPDIR/root
	tests/tree/rpm/root "$root"
	echo virtqemud.service >"$root/active"
	rpm_do -U "${rpms[@]}"
}

# trace: what the scriptlets called, in trace, and shown if the test fails.
trace() {
	trace=$(cat "$root/trace")
	echo "$trace"
}

@test "make deb's package: the hook is no configuration, the configuration is, and the libvirt it needs is 6.5" {
	need dpkg-buildpackage
	need dh
	deb=$out/vferry_${version}_$(dpkg --print-architecture).deb
	[ -e "$deb" ] || { tail -n 20 "$BATS_FILE_TMPDIR/deb"; false; }
	run dpkg-deb --info "$deb" conffiles
	[ "$output" = "/etc/apparmor.d/abstractions/vferry
/etc/vferry/vferry.conf" ]
	dpkg-deb -c "$deb" | grep -q ' ./usr/libexec/vferry/50-vferry$'
	dpkg-deb -c "$deb" | grep -q ' ./usr/lib/python3/dist-packages/sos/report/plugins/vferry.py$'
	[[ $(dpkg-deb -f "$deb" Depends) == *"libvirt-daemon (>= 6.5)"* ]]
	[ "$(dpkg-deb -f "$deb" Version)" = "$version" ]
}

@test "lintian finds nothing in the Debian package" {
	need dpkg-buildpackage
	need lintian
	lintian --allow-root --fail-on error,warning "$out/vferry_${version}_$(dpkg --print-architecture).deb"
}

@test "make rpm's packages: rpmlint finds no error, the hook lies where libvirt looks, and the libvirt it needs is 6.5" {
	need rpmbuild
	need rpmlint
	rpms_built
	rpmlint -c install/rpm/rpmlint.toml "${rpms[@]}"
	rpm -qpl "${rpms[0]}" | grep -qx /etc/libvirt/hooks/qemu.d/50-vferry
	[ "$(rpm -qpc "${rpms[0]}")" = /etc/vferry/vferry.conf ]
	rpm -qpR "${rpms[0]}" | grep -qx 'libvirt-daemon-driver-qemu >= 6.5'
	rpm -qp --conflicts "${rpms[0]}" | grep -qE '^qemu-(system-x86|kvm)-core < (2|17):8\.1$'
	rpm -qp --recommends "${rpms[0]}" | grep -q openvswitch
	rpm -qpl "${rpms[1]}" | grep -qx /usr/share/selinux/packages/targeted/vferry.pp.bz2
	rpm -qpl "$out"/vferry-sos-"$version"-*.rpm | grep -q '/site-packages/sos/report/plugins/vferry.py$'
	lacks -q sos/report <(rpm -qpl "${rpms[0]}")
	grep -q "^Version: *$version$" install/rpm/vferry.spec
}

@test "the RPM comes with debug packages, whose sources are there" {
	need rpmbuild
	[ -e /etc/debian_version ] || skip "what redhat-rpm-config says is tried by its stand-in on Debian"
	rpms_built
	debug_packages "$out"
}

# bats test_tags=long
@test "RPM: built by an ordinary user, unit tests, link-time optimisation and all, by the rules of Fedora and RHEL" {
	need rpmbuild
	need setpriv
	[ "$(id -u)" -eq 0 ] || skip "only root becomes somebody else"
	work=$(mktemp -d -p /var/tmp)
	chmod 0755 "$work"
	git ls-files -z | xargs -0 cp --parents -t "$work"
	chown -R nobody: "$work"
	# shellcheck disable=SC2046 # words
	run env -C "$work" HOME="$work" setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups install/rpm/build "$work/out" $(redhat_rules)
	grep -E '^(not ok|[0-9]+ passed)|error' <<<"$output" | tail -n 30
	[ ! -e /etc/debian_version ] || grep -q -e ' -flto=auto' <<<"$output"
	[ ! -e /etc/debian_version ] || debug_packages "$work/out"
	[ "$status" -eq 0 ]
	grep -qE '^[0-9]+ passed, 0 failed' <<<"$output"
}

@test "RPM: an installation asks for labels and reloads the libvirt that runs; the folders belong to it" {
	rpm_in_root
	trace
	grep -q '^semodule .*-s targeted -i .*vferry.pp.bz2 hook=no' <<<"$trace"
	grep -q '^systemctl .*preset vferryd.service vferry-card.service vferry-host.service' <<<"$trace"
	grep -q '^systemd-tmpfiles --create /usr/lib/tmpfiles.d/vferry.conf hook=yes worker=yes' <<<"$trace"
	grep -q '^systemctl reload virtqemud.service hook=yes worker=yes' <<<"$trace"
	lacks -q 'reload libvirtd' <<<"$trace"
	grep -q '^fixfiles -C .* hook=yes worker=yes' <<<"$trace"
	for path in /etc/libvirt/hooks /etc/libvirt/hooks/qemu.d /var/lib/vferry /run/vferry; do
		rpm --root "$root" -qf "$path" 2>&1 | tee -a "$BATS_TEST_TMPDIR/owners"
	done
	[ "$(grep -c "^vferry-$version" "$BATS_TEST_TMPDIR/owners")" -eq 4 ]
	cmp "$root/etc/libvirt/hooks/qemu.d/50-vferry" "$root/usr/libexec/vferry/50-vferry"
}

@test "RPM: an upgrade leaves hook, links and settings, and starts the agent anew" {
	rpm_in_root
	chroot "$root" /usr/bin/systemctl enable vferryd.service vferry-card.service vferry-host.service
	echo '# the operator was here' >>"$root/etc/vferry/vferry.conf"
	rm "$root/trace"
	rpm_do -U --force "${rpms[@]}"
	trace
	lacks -q 'hook=no\|worker=no' <<<"$trace"
	lacks -q ' disable ' <<<"$trace"
	grep -q '^systemctl try-restart vferryd.service' <<<"$trace"
	lacks -q 'restart.*vferry-host' <<<"$trace"
	[ -L "$root/etc/systemd/system/ovs-vswitchd.service.wants/vferry-host.service" ]
	grep -q 'the operator was here' "$root/etc/vferry/vferry.conf"
}

@test "RPM: a removal takes the hook before its worker, and leaves no link that leads nowhere" {
	rpm_in_root
	chroot "$root" /usr/bin/systemctl enable vferryd.service vferry-card.service vferry-host.service
	echo '# the operator was here' >>"$root/etc/vferry/vferry.conf"
	rm "$root/trace"
	rpm_do -e vferry vferry-selinux
	trace
	grep -q '^systemctl .*disable --now vferryd.service vferry-card.service vferry-host.service hook=no worker=yes' <<<"$trace"
	grep -q '^semodule .*-r vferry' <<<"$trace"
	run find "$root/etc" "$root/usr/libexec" "$root/var/lib" -name '*vferry*' ! -name '*.rpmsave' ! -path '*/var/lib/rpm/*'
	[ "$output" = "$root/etc/vferry" ] || { echo "left behind: $output"; false; }
	grep -q 'the operator was here' "$root/etc/vferry/vferry.conf.rpmsave"
	lacks 'warning: file ' "$BATS_TEST_TMPDIR/said"
}

@test "both packages ship every file that make install puts, each where the other has it" {
	need rpmbuild
	need dh
	deb=$(dpkg-deb -c "$out/vferry_${version}_"*.deb | awk '!/^d/ { print $6 }' |
		sed -e 's|^\.||' -e 's|\.gz$||' -e 's|^/usr/libexec/vferry/50-vferry$|/etc/libvirt/hooks/qemu.d/50-vferry|' -e 's|^/lib/|/usr/lib/|' |
		grep -vE '^/usr/share/(doc|lintian)/|^/etc/apparmor\.d/' | LC_ALL=C sort)
	# What is Python lies where each distribution's Python looks, and RPM alone ships it compiled, too.
	rpm=$(rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$out/vferry-$version"-*.rpm "$out/vferry-sos-$version"-*.rpm |
		sed -n 's/^[-l][^ ]* //p' |
		grep -vE '^/usr/share/(doc|licenses)/|^/usr/lib/\.build-id|^/usr/libexec/vferry/50-vferry$|\.pyc$' |
		sed -e 's|\.gz$||' -e 's|^/usr/bin/vferry|/usr/sbin/vferry|' \
			-e 's|^/usr/lib/python3[^/]*/[a-z]*-packages/|/usr/lib/python3/dist-packages/|' | LC_ALL=C sort)
	diff <(echo "$deb") <(echo "$rpm")
}

@test "the rules for AppArmor are taken by its compiler, and the package uses them" {
	need apparmor_parser
	tests/tree/apparmor
	grep -qx 'include if exists <abstractions/vferry>' <(sed -n "s/^rule='\(.*\)'$/\1/p" install/deb/debian/postinst)
}

@test "what the Ansible role writes is a configuration that vferry reads, and a wrong key in it is named" {
	need ansible
	vferry=${BUILD:-build}/vferry
	[ -x "$vferry" ] || skip "$vferry is not built"
	render() {
		ANSIBLE_HOME=$BATS_TEST_TMPDIR ANSIBLE_LOCAL_TEMP=$BATS_TEST_TMPDIR ansible localhost -c local -e "{\"vferry_config\": $1}" \
			-m ansible.builtin.template -a "src=$PWD/install/ansible/roles/vferry/templates/vferry.conf.j2 dest=$BATS_TEST_TMPDIR/vferry.conf"
		run "$vferry" check --settings "$BATS_TEST_TMPDIR/vferry.conf" --inventory tests/unit/data/command/host-ready.json
	}
	render '{"host": {"bridge": "br-fleet", "create_bridge": false, "vfs": 4}, "guest": {"at_start": "refuse"}}'
	grep -qx 'create_bridge = no' "$BATS_TEST_TMPDIR/vferry.conf"
	[[ $output == *"Open vSwitch"* ]] || { echo "$output"; false; }
	render '{"host": {"bridges": "br-fleet"}}'
	[[ $output == *"bridges"* ]]
}

@test "the Ansible role has the agent run where a package leaves it off, and stops it where it is not wanted" {
	need ansible-playbook
	mkdir "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/systemctl" <<-END
		#!/bin/sh
		echo "systemctl \$*" >>$BATS_TEST_TMPDIR/calls
		case \$1 in
		show) printf 'LoadState=loaded\nActiveState=%s\nUnitFileState=%s\n' \$(cat $BATS_TEST_TMPDIR/state) ;;
		is-enabled) grep -q enabled $BATS_TEST_TMPDIR/state ;;
		esac
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/systemctl"
	play() {
		rm -f "$BATS_TEST_TMPDIR/calls"
		printf '%s\n' '- hosts: localhost' '  gather_facts: false' '  tasks:' \
			'    - ansible.builtin.set_fact: {ansible_facts: {services: {vferryd.service: {}}, service_mgr: systemd}}' \
			'    - ansible.builtin.include_role: {name: vferry, tasks_from: agent}' >"$BATS_TEST_TMPDIR/site.yml"
		PATH=$BATS_TEST_TMPDIR/bin:$PATH ANSIBLE_HOME=$BATS_TEST_TMPDIR ANSIBLE_LOCAL_TEMP=$BATS_TEST_TMPDIR \
			ANSIBLE_ROLES_PATH=$PWD/install/ansible/roles ansible-playbook -c local -i localhost, "$@" "$BATS_TEST_TMPDIR/site.yml"
		cat "$BATS_TEST_TMPDIR/calls"
	}
	echo inactive disabled >"$BATS_TEST_TMPDIR/state"
	play
	grep -q '^systemctl enable vferryd' "$BATS_TEST_TMPDIR/calls"
	grep -q '^systemctl start vferryd' "$BATS_TEST_TMPDIR/calls"
	echo active enabled >"$BATS_TEST_TMPDIR/state"
	play -e vferry_agent=false
	grep -q '^systemctl disable vferryd' "$BATS_TEST_TMPDIR/calls"
	grep -q '^systemctl stop vferryd' "$BATS_TEST_TMPDIR/calls"
	grep -q 'import_tasks: agent.yml' install/ansible/roles/vferry/tasks/main.yml
}
