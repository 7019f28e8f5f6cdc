#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The packages: both are built here, without their unit tests, and looked at. That they install is tested in the lab
# (tests/lab/90-package.bats); lintian is a part of lint.

setup_file() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	export out=$PWD/build/lint
	DEB_BUILD_OPTIONS="nocheck noautodbgsym parallel=$(nproc)" install/deb/build "$out" -nc -d >"$BATS_FILE_TMPDIR/deb" 2>&1 3>&- || true
	if command -v rpmbuild >/dev/null; then
		install/rpm/build "$out" --nocheck >"$BATS_FILE_TMPDIR/rpm" 2>&1 3>&- || true
	fi
}

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	version=$(sed -n 's/^VERSION *= *//p' Makefile)
}

# need PROGRAM: skips where it is missing.
need() {
	command -v "$1" >/dev/null || skip "$1 is not installed; run: install/dependencies --what deb,rpm,check"
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
	[[ $(dpkg-deb -f "$deb" Depends) == *"libvirt-daemon (>= 6.5)"* ]]
	[ "$(dpkg-deb -f "$deb" Version)" = "$version" ]
}

@test "make rpm's packages: rpmlint finds no error, the hook lies where libvirt looks, and the libvirt it needs is 6.5" {
	need rpmbuild
	need rpmlint
	rpms=("$out"/vferry-"$version"-*.rpm "$out"/vferry-selinux-"$version"-*.rpm)
	[ -e "${rpms[0]}" ] && [ -e "${rpms[1]}" ] || { tail -n 20 "$BATS_FILE_TMPDIR/rpm"; false; }
	rpmlint -c install/rpm/rpmlint.toml "${rpms[@]}"
	rpm -qpl "${rpms[0]}" | grep -qx /etc/libvirt/hooks/qemu.d/50-vferry
	[ "$(rpm -qpc "${rpms[0]}")" = /etc/vferry/vferry.conf ]
	rpm -qpR "${rpms[0]}" | grep -qx 'libvirt-daemon-driver-qemu >= 6.5'
	rpm -qpl "${rpms[1]}" | grep -qx /usr/share/selinux/packages/targeted/vferry.pp.bz2
	grep -q "^Version: *$version$" install/rpm/vferry.spec
}

@test "both packages ship every file that make install puts, each where the other has it" {
	need rpmbuild
	need dh
	deb=$(dpkg-deb -c "$out/vferry_${version}_"*.deb | awk '!/^d/ { print $6 }' |
		sed -e 's|^\.||' -e 's|\.gz$||' -e 's|^/usr/libexec/vferry/50-vferry$|/etc/libvirt/hooks/qemu.d/50-vferry|' -e 's|^/lib/|/usr/lib/|' |
		grep -vE '^/usr/share/(doc|lintian)/|^/etc/apparmor\.d/' | LC_ALL=C sort)
	rpm=$(rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$out/vferry-$version"-*.rpm | sed -n 's/^-[^ ]* //p' |
		grep -vE '^/usr/share/(doc|licenses)/|^/usr/lib/\.build-id|^/usr/lib/debug' | sed 's|\.gz$||' | LC_ALL=C sort)
	diff <(echo "$deb") <(echo "$rpm")
}

@test "the Makefile's libraries are named in both packages and in install/dependencies" {
	bad=0
	read -ra modules < <(sed -n -E 's/^(VIRT_)?PACKAGES *= *//p' Makefile | tr '\n' ' '; echo)
	[ "${#modules[@]}" -ge 6 ]
	for module in "${modules[@]}"; do
		read -r _ _ debian fedora < <(grep -E "^[[:space:]]*build pc:$module " install/dependencies) || { echo "no row: $module"; bad=1; continue; }
		echo "$module $debian $fedora"
		grep -qE "^ $debian(,| \()" install/deb/debian/control || { echo "$debian is not in Build-Depends"; bad=1; }
		grep -qE "^BuildRequires: +pkgconfig\($module\)$" install/rpm/vferry.spec || { echo "$module is not in BuildRequires"; bad=1; }
	done
	[ "$bad" -eq 0 ]
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
