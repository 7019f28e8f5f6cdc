#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Installation into a scratch DESTDIR, removal, and what was installed.

setup_file() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	# Objects contain the places, so prefix=/usr has a build of its own; nobody asks how fast it is.
	export CFLAGS='-O0 -g'
	make -j"$(nproc)" BUILD=build/usr prefix=/usr all >"$BATS_FILE_TMPDIR/log" 2>&1 || { cat "$BATS_FILE_TMPDIR/log"; return 1; }
}

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	dest=$BATS_TEST_TMPDIR/dest
}

# make_usr GOAL...: make with prefix=/usr and the scratch DESTDIR; its output is shown if the test fails.
make_usr() {
	make --no-print-directory BUILD=build/usr prefix=/usr DESTDIR="$dest" "$@"
}

# installed: prints every file below the DESTDIR with its mode.
installed() {
	(cd "$dest" && find . ! -type d -printf '%m %y /%P\n' | LC_ALL=C sort -k 3)
}

@test "install puts hook, worker and configuration to their places" {
	make_usr install
	installed
	installed | grep -qx '755 f /etc/libvirt/hooks/qemu.d/50-vferry'
	installed | grep -qx '755 f /usr/libexec/vferry/hook'
	installed | grep -qx '755 f /usr/libexec/vferry/guest'
	grep -aqF /usr/libexec/vferry/guest "$dest/usr/sbin/vferry"
	installed | grep -qx '644 f /etc/vferry/vferry.conf'
	installed | grep -qx '755 f /usr/lib/ocf/resource.d/vferry/host'
}

@test "install puts every template and manual page, and nothing that is not meant" {
	make_usr install
	for file in xml-templates/*; do
		cmp "$file" "$dest/usr/share/vferry/$file"
	done
	find hooks helpers install -name '*.[578]' | while read -r page; do
		cmp "$page" "$dest/usr/share/man/man${page##*.}/${page##*/}"
	done
	places='/usr/lib/tmpfiles.d/vferry.conf|/usr/lib/udev/rules.d/[0-9a-z-]+.rules|/usr/lib/systemd/network/65-vferry.network|/usr/lib/systemd/system/[a-z@-]+\.(service|socket|timer)'
	places+='|/etc/libvirt/hooks/qemu\.d/50-vferry|/etc/vferry/vferry\.conf|/usr/libexec/vferry/[a-z]+|/usr/sbin/vferryd?'
	places+='|/usr/lib/ocf/resource.d/vferry/host|/usr/share/vferry/(prometheus/vferry.rules.yml|grafana/vferry.json|sos/vferry.py)'
	places+='|/usr/share/vferry/xml-templates/[a-z0-9.-]+|/usr/share/man/man[578]/[a-z_.-]+\.[578]|/usr/share/bash-completion/completions/vferry'
	run bash -c "cd '$dest' && find . ! -type d | sed 's|^\\.||' | grep -vxE '$places'"
	[ -z "$output" ] || { echo "installed without being meant: $output"; false; }
}

@test "sysconfdir and libexecdir move what they name, in the tree and in the programs" {
	places=(BUILD="$BATS_TEST_TMPDIR/build" sysconfdir=/opt/etc libexecdir=/opt/libexec)
	run make -n "${places[@]}" DESTDIR="$dest" install
	[ "$status" -eq 0 ]
	[[ $output == *" $dest/opt/etc/libvirt/hooks/qemu.d/50-vferry"$'\n'* ]]
	[[ $output == *" $dest/opt/libexec/vferry/hook"$'\n'* ]]
	[[ $output == *" $dest/opt/etc/vferry/vferry.conf"* ]]
	make "${places[@]}" "$BATS_TEST_TMPDIR/build/qemu"
	grep -aqF /opt/libexec/vferry/hook "$BATS_TEST_TMPDIR/build/qemu"
	[[ $(make "${places[@]}" print-flags) == *"SYSCONFDIR='\"/opt/etc\"'"* ]]
}

@test "a second install keeps the configuration and says so" {
	make_usr install
	echo '# the operator was here' >>"$dest/etc/vferry/vferry.conf"
	run make_usr install
	[ "$status" -eq 0 ]
	[[ $output == *"vferry.conf exists and is kept as it is"* ]]
	grep -q 'the operator was here' "$dest/etc/vferry/vferry.conf"
}

@test "install-selinux builds the module, loads it, and labels what is installed; with DESTDIR it only puts the file" {
	[ -e /usr/share/selinux/devel/Makefile ] || skip "selinux-policy-dev is not installed; run: install/dependencies --what rpm"
	make_usr install install-selinux
	installed | grep -qx '644 f /usr/share/selinux/packages/vferry.pp.bz2'
	mkdir "$BATS_TEST_TMPDIR/bin"
	for name in semodule restorecon; do
		printf '#!/bin/sh\necho "%s $*" >>%s/calls\n' "$name" "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/bin/$name"
		chmod +x "$BATS_TEST_TMPDIR/bin/$name"
	done
	PATH=$BATS_TEST_TMPDIR/bin:$PATH make --no-print-directory BUILD=build/usr prefix="$dest/usr" hookdir="$dest/etc/libvirt/hooks/qemu.d" install-selinux
	cat "$BATS_TEST_TMPDIR/calls"
	grep -qx "semodule -i $dest/usr/share/selinux/packages/vferry.pp.bz2" "$BATS_TEST_TMPDIR/calls"
	grep -q "^restorecon -R $dest/etc/libvirt/hooks/qemu.d/50-vferry $dest/usr/libexec/vferry $dest/usr/sbin/vferryd" "$BATS_TEST_TMPDIR/calls"
}

@test "uninstall removes everything but the configuration" {
	make_usr install
	install -D -m 0644 /dev/null "$dest/usr/share/selinux/packages/vferry.pp.bz2"
	make_usr uninstall
	[ "$(installed)" = "644 f /etc/vferry/vferry.conf" ] || { installed; false; }
	[ ! -e "$dest/usr/libexec/vferry" ]
	[ ! -e "$dest/usr/share/vferry" ]
	[ ! -e "$dest/usr/lib/ocf/resource.d/vferry" ]
}

@test "the installed hook starts the installed worker" {
	make_usr install
	grep -aqF /usr/libexec/vferry/hook "$dest/etc/libvirt/hooks/qemu.d/50-vferry"
}

@test "no program contains the place where it was built" {
	make_usr install
	for program in "$dest/etc/libvirt/hooks/qemu.d/50-vferry" "$dest/usr/libexec/vferry/hook"; do
		if grep -aqF "$PWD" "$program"; then
			echo "$program contains $PWD"
			false
		fi
	done
}

@test "the packager's flags are used and nothing takes their place" {
	touch "$BATS_TEST_TMPDIR/packager.h"
	run make -n V=1 BUILD="$BATS_TEST_TMPDIR/build" CC=cc CFLAGS='-O3 -DPACKAGER_C' CPPFLAGS="-include $BATS_TEST_TMPDIR/packager.h" \
		LDFLAGS=-Wl,--build-id=none all
	[ "$status" -eq 0 ]
	compile=$(grep -e ' -c -o ' <<<"$output")
	link=$(grep -e '/hook ' -e '/qemu ' <<<"$output" | grep -v -e ' -c -o ')
	[ "$(grep -c . <<<"$compile")" -eq "$(grep -c -e '-O3 -DPACKAGER_C' <<<"$compile")" ]
	[ "$(grep -c . <<<"$compile")" -eq "$(grep -c -e '-include .*packager.h' <<<"$compile")" ]
	[ "$(grep -c . <<<"$link")" -eq "$(grep -c -e '--build-id=none' <<<"$link")" ]
	[ "$(grep -c -e '-O2' -e '-Werror' <<<"$output")" -eq 0 ]
}

@test "a changed place compiles everything again and the same place nothing" {
	build=$BATS_TEST_TMPDIR/build
	make BUILD="$build" prefix=/usr "$build/qemu"
	run make BUILD="$build" prefix=/usr "$build/qemu"
	[ "$status" -eq 0 ]
	[[ $output != *" CC "* ]]
	run make BUILD="$build" prefix=/elsewhere "$build/qemu"
	[ "$status" -eq 0 ]
	[[ $output == *" CC "*"qemu.o"* ]]
}

@test "a missing library is named together with what installs it" {
	run make PKG_CONFIG="env PKG_CONFIG_LIBDIR=/nonexistent pkg-config" BUILD="$BATS_TEST_TMPDIR/build" all
	echo "$output"
	[ "$status" -ne 0 ]
	[[ $output == *"libraries are missing"*"libxml-2.0"*"inih"*"install/dependencies"* ]]
	[ "$(grep -c ' error: ' <<<"$output")" -eq 0 ]
}

@test "clean removes all that was built" {
	make BUILD="$BATS_TEST_TMPDIR/build" "$BATS_TEST_TMPDIR/build/qemu" >/dev/null
	make BUILD="$BATS_TEST_TMPDIR/build" clean
	[ ! -e "$BATS_TEST_TMPDIR/build" ]
}
