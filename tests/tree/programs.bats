#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the programs link. A hook that calls back into libvirtd waits for a libvirtd that waits for the hook (libvirt's hooks.html,
# "Calling libvirt functions from within a hook script"), so no hook may have libvirt, however indirectly.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	BUILD=${BUILD:-build}
	command -v readelf >/dev/null || skip "readelf (binutils) is not installed"
}

# needed PROGRAM: prints the libraries that a program itself names, one a line.
needed() {
	readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

@test "no hook links libvirt, and none of its libraries does" {
	for program in "$BUILD/qemu" "$BUILD/hook"; do
		libraries=$(needed "$program"; ldd "$program")
		echo "$libraries"
		[[ $libraries == *libc.so.6* ]]
		[[ $libraries != *libvirt* ]]
	done
}

@test "of vferry's programs only attach, detach and the agent load libvirt: the others start three times as fast" {
	libraries=$(ldd "$BUILD/vferry")
	echo "$libraries"
	[[ $libraries == *libc.so.6* && $libraries != *libvirt* ]]
	[[ $(needed "$BUILD/guest") == *libvirt.so* ]]
	[[ $(needed "$BUILD/vferryd") == *libvirt.so* ]]
}

@test "what the program that calls libvirt for vferry is told by hand, it sends back" {
	run "$BUILD/guest"
	[ "$status" -eq 2 ]
	[[ $output == *"vferry: this program is a part of vferry attach and vferry detach"* ]]
	run "$BUILD/guest" detach --help
	[ "$status" -eq 0 ]
	[ "$output" = "$("$BUILD/vferry" detach --help)" ]
}

@test "libvirt's room is used by the command and the agent alone" {
	users=$(grep -lE '#include ("virt/|<libvirt/)' -r hooks helpers --include='*.[ch]' |
		grep -vE '^helpers/(virt|agent|command)/|^helpers/vferryd?\.c$' || true)
	echo "$users"
	[ -z "$users" ]
}

@test "the hook that runs for every guest links the C library alone" {
	libraries=$(needed "$BUILD/qemu" | grep -v '^ld-linux')
	echo "$libraries"
	[ "$libraries" = libc.so.6 ]
}

@test "the worker links only the libraries that it declares" {
	bad=0
	for library in $(needed "$BUILD/hook"); do
		case $library in
		libc.so.* | ld-linux* | libxml2.so.* | libnl-3.so.* | libnl-genl-3.so.* | libpci.so.* | libjson-c.so.* | libinih.so.*) ;;
		*) echo "$BUILD/hook needs $library"; bad=1 ;;
		esac
	done
	needed "$BUILD/hook" | grep -q '^libxml2'
	[ "$bad" -eq 0 ]
}
