#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# install/dependencies, with fake package managers that write down how they were called; and its lists, beside those of both packages.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	bin=$BATS_TEST_TMPDIR/bin
	mkdir "$bin"
	# A machine that has these programs and nothing else.
	for program in sh cat cut echo env grep id mktemp rm sed sort tr; do
		ln -s "$(command -v "$program")" "$bin/$program"
	done
}

# fake NAME STATUS: a program that records its arguments.
fake() {
	printf '#!/bin/sh\necho "%s $*" >>%s/calls\nexit %s\n' "$1" "$BATS_TEST_TMPDIR" "$2" >"$bin/$1"
	chmod +x "$bin/$1"
}

# is_user: makes the script believe that it is not root.
is_user() {
	rm "$bin/id"
	printf '#!/bin/sh\necho 1000\n' >"$bin/id"
	chmod +x "$bin/id"
}

# rows SET FIELD: that field of the rows of the set in install/dependencies: 2 how it is recognised, 3 Debian's name, 4 Fedora's.
rows() {
	awk -v set="$1" -v field="$2" '/^\t\t[a-z]+ / && $1 == set && $field != "-" { print $field }' install/dependencies | sort -u
}

# differ LEFT RIGHT WHAT: says what one has and the other lacks.
differ() {
	diff <(echo "$1") <(echo "$2") || { echo "^ $3"; bad=1; }
}

@test "all is there: it says nothing, and no package manager is asked" {
	install/dependencies --what build,deb,rpm,check,lab --list | grep -q . && skip "this machine lacks some"
	fake apt-get 0
	fake dnf 0
	run env PATH="$bin:$PATH" install/dependencies --what build,deb,rpm,check,lab
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ ! -e "$BATS_TEST_TMPDIR/calls" ]
}

@test "a user who is not root reads what to run, and nothing is installed" {
	fake apt-get 0
	is_user
	run env PATH="$bin" "$bin/sh" install/dependencies --what check
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"missing: "*"shellcheck"*"as root run: install/dependencies --what check"* ]]
	[[ $output == *"apt-get install --no-install-recommends "*"bats"* ]]
	[ ! -e "$BATS_TEST_TMPDIR/calls" ]
}

@test "Fedora's names are used where dnf is" {
	fake dnf 0
	is_user
	run env PATH="$bin" "$bin/sh" install/dependencies --what check
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"dnf install "*"ShellCheck"* ]]
	[[ $output != *"libxml2-utils"* ]]
}

@test "a package that dnf does not know keeps no other out, and is named afterwards" {
	fake dnf 0
	ln -s "$(command -v true)" "$bin/true"
	rm "$bin/id"
	printf '#!/bin/sh\necho 0\n' >"$bin/id"
	chmod +x "$bin/id"
	run env PATH="$bin" "$bin/sh" install/dependencies --what check
	echo "$output"
	[ "$status" -eq 1 ]
	grep -q -- '--setopt=strict=0 --setopt=skip_unavailable=1' "$BATS_TEST_TMPDIR/calls"
	[[ $output == *"still missing after the installation: "*"openvswitch"* ]]
}

@test "without a package manager it names the packages" {
	run env PATH="$bin" "$bin/sh" install/dependencies --what check
	[ "$status" -eq 1 ]
	[[ $output == *"neither apt-get nor dnf is here; install what Debian calls: "*"shellcheck"* ]]
}

@test "--list names the packages once and installs nothing" {
	fake apt-get 0
	run env PATH="$bin" "$bin/sh" install/dependencies --what check --list
	[ "$status" -eq 0 ]
	[ "$(grep -cx openvswitch-switch <<<"$output")" -eq 1 ]
	[ ! -e "$BATS_TEST_TMPDIR/calls" ]
}

@test "an unknown set is refused with the usage" {
	run install/dependencies --what everything
	[ "$status" -eq 2 ]
	[[ $output == *"--what SET"* ]]
}

@test "what a build needs is the same in the Makefile, in both packages and in install/dependencies" {
	bad=0
	makefile=$(sed -n -E 's/^([A-Z]+_)?PACKAGES *= *//p' Makefile | tr ' ' '\n' | sort -u)
	[ "$(wc -l <<<"$makefile")" -ge 9 ]
	differ "$makefile" "$(rows build 2 | sed -n 's/^pc://p')" "Makefile, install/dependencies"

	# What build-essential brings, and what runs dpkg-buildpackage itself, no Debian package names.
	differ "$({ rows build 3; rows deb 3; } | grep -vxE 'gcc|make|binutils|libc6-dev|build-essential|dpkg-dev' | sort -u)" \
		"$(sed -n '/^Build-Depends:/,/^[A-Z]/s/^ \([a-z0-9.+-]*\).*/\1/p' install/deb/debian/control | sed 's/^debhelper-compat$/debhelper/' | sort -u)" \
		"install/dependencies (build, deb), Build-Depends"

	# gcc brings binutils and glibc's headers, selinux-policy-devel what its Makefile calls; rpm-build reads the list.
	differ "$({ rows build 2 | sed -n 's/^pc:\(.*\)/pkgconfig(\1)/p'; { awk '$1 == "build" && $2 !~ /^pc:/ { print $4 }' install/dependencies; rows rpm 4; } |
		grep -vxE 'binutils|glibc-devel|rpm-build|checkpolicy|policycoreutils|gawk|m4'; } | sort -u)" \
		"$(sed -n 's/^BuildRequires: *//p' install/rpm/vferry.spec | sort -u)" "install/dependencies (build, rpm), BuildRequires"
	[ "$bad" -eq 0 ]
}

# spec NAME [RHEL]: what the spec says of this tag, as Fedora reads it, or a RHEL of this version.
spec() {
	rpmspec -P ${2:+--define "rhel $2"} --load install/rpm/macros.elsewhere install/rpm/vferry.spec | sed -n "s/^$1: *//p"
}

# asks LIST WANTED: whether a line of the list is wanted, an extended regular expression; the list is shown if none is.
asks() {
	grep -qxE -- "$2" <<<"$1" || { echo "none is $2:"; echo "$1"; false; }
}

@test "both packages ask for the libvirt, QEMU and Open vSwitch that README names, by the names of Debian, Fedora and RHEL" {
	command -v rpmspec >/dev/null || skip "rpmspec is not installed; run: install/dependencies --what rpm"
	read -r libvirt qemu ovs < <(sed -n -E 's/^Needs libvirt ([0-9.]+) or newer, QEMU ([0-9.]+) or newer, Open vSwitch ([0-9.]+) or newer.*/\1 \2 \3/p' README.md)
	[ -n "$ovs" ]
	qemu=${qemu//./\\.} ovs=${ovs//./\\.}

	deb=$(sed -n 's/^ \(.*\),$/\1/p' install/deb/debian/control)
	asks "$deb" "libvirt-daemon \(>= $libvirt\)"
	asks "$deb" "qemu-system-x86 \(>= 1:$qemu\) \[amd64\]"
	asks "$deb" "qemu-system-arm \(>= 1:$qemu\) \[arm64\]"
	asks "$deb" "openvswitch-switch \(>= $ovs\)"

	asks "$(spec Requires)" "libvirt-daemon-driver-qemu >= $libvirt"
	asks "$(spec Conflicts)" "qemu-system-x86-core < 2:$qemu"
	asks "$(spec Conflicts)" "qemu-system-aarch64-core < 2:$qemu"
	asks "$(spec Recommends)" "openvswitch >= $ovs"

	for rhel in 9 10; do
		asks "$(spec Requires "$rhel")" "libvirt-daemon-driver-qemu >= $libvirt"
		asks "$(spec Conflicts "$rhel")" "qemu-kvm-core < 17:$qemu"
		asks "$(spec Recommends "$rhel")" "\(openvswitch3.* or openvswitch$ovs\)"
		run grep -E '^(qemu-system|openvswitch)' <(spec 'Conflicts\|Recommends' "$rhel")
		[ -z "$output" ]
	done
}
