# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034,SC2030,SC2031,SC2317
# How the lab finds its hosts' kernel, on good days of the Debian mirror and on bad ones. The mirror is a folder with packages of a few
# bytes, which the lab's own apt reads; the compiler is a fake that fails for the kernels that a test names. No host is started.

setup() {
	[ "$EUID" -eq 0 ] || skip "needs root"
	LAB_DIR=$BATS_TEST_DIRNAME
	LAB_DRIVER="test"
	VFERRY_LAB_CACHE=$BATS_TEST_TMPDIR/cache
	REPO=$BATS_TEST_TMPDIR/repo
	mkdir -p "$VFERRY_LAB_CACHE" "$REPO"
	local part
	for part in common platform build kernel daemons; do
		# shellcheck source=/dev/null
		. "$LAB_DIR/lib/$part.sh"
	done
	modules_make() { fake_compiler "$@"; }
	platform_load trixie
	PLATFORM_SUITES=(test)
	LAB_BUILD_TREE=$LAB_CACHE/build-tree-trixie-0
	LAB_CHOICE=$LAB_CACHE/choice-trixie-0
	LAB_MODULES=$BATS_TEST_TMPDIR/modules
	mkdir -p "$LAB_BUILD_TREE" "$LAB_MODULES"
	echo one >"$LAB_MODULES/source.c"
	BROKEN=
	TRIED=$BATS_TEST_TMPDIR/tried
	: >"$TRIED"
}

# A fake of the compiler: fails for the versions in BROKEN, as a kernel does for which the modules do not build.
fake_compiler() {
	cat "$LAB_KERNEL/package" >>"$TRIED"
	mkdir "$1"
	case " $BROKEN " in *" $(<"$LAB_KERNEL/package") "*) echo "source.c:1: error: no such field" >"$LAB_MODULES_BUILT.log"; return 1 ;; esac
	cp "$LAB_KERNEL/version" "$1/version"
}

# package NAME VERSION DEPENDS FILE...: a Debian package in the mirror's folder, which has these files.
package() {
	local dir=$BATS_TEST_TMPDIR/package file
	rm -rf "$dir"
	mkdir -p "$dir/DEBIAN"
	printf 'Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: a test <a@test.invalid>\nDescription: test\n%s' "$1" "$2" \
		"${3:+Depends: $3
}" >"$dir/DEBIAN/control"
	for file in "${@:4}"; do
		mkdir -p "$dir/$(dirname "$file")"
		echo "$1 $2" >"$dir/$file"
	done
	dpkg-deb -b "$dir" "$REPO/$1_$2.deb" >/dev/null
}

# image UPSTREAM, headers UPSTREAM, source UPSTREAM: what Debian has of a kernel.
image() {
	package linux-image-amd64 "$1-1" "linux-image-$1+deb13-amd64 (= $1-1)"
	package "linux-image-$1+deb13-amd64" "$1-1" '' "boot/vmlinuz-$1+deb13-amd64" "usr/lib/modules/$1+deb13-amd64/kernel/a.ko"
}

headers() {
	package linux-headers-amd64 "$1-1" "linux-headers-$1+deb13-amd64 (= $1-1)"
	package "linux-headers-$1+deb13-amd64" "$1-1" "linux-kbuild-$1+deb13" "usr/src/linux-headers-$1+deb13-amd64/Makefile"
	package "linux-kbuild-$1+deb13" "$1-1" '' "usr/lib/linux-kbuild-$1+deb13/modpost"
}

source_of() {
	local series dir=$BATS_TEST_TMPDIR/source file
	series=$(cut -d. -f1,2 <<<"$1")
	rm -rf "$dir"
	for file in "${LAB_VFIO_FILES[@]}"; do
		mkdir -p "$dir/linux-source-$series/$(dirname "$file")"
		echo "$1" >"$dir/linux-source-$series/$file"
	done
	rm -rf "$BATS_TEST_TMPDIR/package"
	mkdir -p "$BATS_TEST_TMPDIR/package/usr/src" "$BATS_TEST_TMPDIR/package/DEBIAN"
	tar -cJf "$BATS_TEST_TMPDIR/package/usr/src/linux-source-$series.tar.xz" -C "$dir" "linux-source-$series"
	printf 'Package: linux-source-%s\nVersion: %s-1\nArchitecture: amd64\nMaintainer: a test <a@test.invalid>\nDescription: test\n' \
		"$series" "$1" >"$BATS_TEST_TMPDIR/package/DEBIAN/control"
	dpkg-deb -b "$BATS_TEST_TMPDIR/package" "$REPO/linux-source-${series}_$1-1.deb" >/dev/null
}

# source_package VERSION: the source of a package "daemon" of which upstream's file says "upstream", and Debian's patch makes "patched".
source_package() {
	local dir=$BATS_TEST_TMPDIR/daemon
	mkdir -p "$dir/daemon-1/debian/patches" "$dir/daemon-1/debian/source"
	echo upstream >"$dir/daemon-1/text"
	tar -cJf "$dir/daemon_1.orig.tar.xz" -C "$dir" --exclude=debian daemon-1
	printf -- '--- a/text\n+++ b/text\n@@ -1 +1 @@\n-upstream\n+patched\n' >"$dir/daemon-1/debian/patches/one.patch"
	echo one.patch >"$dir/daemon-1/debian/patches/series"
	echo '3.0 (quilt)' >"$dir/daemon-1/debian/source/format"
	printf 'daemon (%s) unstable; urgency=low\n\n  * test\n\n -- a test <a@test.invalid>  Thu, 01 Jan 2026 00:00:00 +0000\n' "$1" >"$dir/daemon-1/debian/changelog"
	printf 'Source: daemon\nMaintainer: a test <a@test.invalid>\n\nPackage: daemon\nArchitecture: any\nDescription: test\n' >"$dir/daemon-1/debian/control"
	(cd "$dir" && dpkg-source -b daemon-1 >/dev/null 2>&1) && mv "$dir"/daemon_* "$REPO/" &&
		(cd "$REPO" && dpkg-scansources . >Sources 2>/dev/null)
}

# whole UPSTREAM...: kernels of which the mirror has everything.
whole() {
	local version
	for version; do
		image "$version"
		headers "$version"
		source_of "$version"
	done
}

# mirror_is_ready: the mirror lists what it has, and the lab's apt reads it.
mirror_is_ready() {
	local world
	world=$(apt_world trixie)
	(cd "$REPO" && dpkg-scanpackages -m . >Packages 2>/dev/null)
	world_write trixie ''
	echo "deb [trusted=yes] file:$REPO ./" >"$world/sources.list"
	in_world trixie apt-get -q update >/dev/null 2>&1
	touch "$world/fresh"
}

# choose: kernel_choose in a process of its own, as the lab calls it.
choose() {
	run kernel_choose
	echo "$output"
}

@test "the newest kernel is taken, and without asking the mirror the next time" {
	whole 6.12.107 6.12.117
	mirror_is_ready
	choose
	[ "$status" -eq 0 ]
	[ "$(cat "$LAB_CHOICE")" = 6.12.117-1 ]
	rm -rf "$REPO" "$(apt_world trixie)"
	choose
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ "$(cat "$TRIED")" = 6.12.117-1 ]
}

@test "a kernel for which the modules do not build is passed over in one line, and not tried again" {
	whole 6.12.107 6.12.117 6.12.118
	mirror_is_ready
	BROKEN="6.12.118-1 6.12.117-1"
	choose
	[ "$status" -eq 0 ]
	[ "$(sed -n 1p "$LAB_CHOICE")" = 6.12.107-1 ]
	[[ "$(sed -n 2p "$LAB_CHOICE")" == "linux 6.12.118-1, the newest, cannot be used "*"; the hosts get 6.12.107-1" ]]
	[[ $output == *"error: no such field"* ]]
	rm "$LAB_CHOICE"
	choose
	[ "$status" -eq 0 ]
	[ "$(cat "$TRIED")" = $'6.12.118-1\n6.12.117-1\n6.12.107-1' ]
}

@test "when the mirror is gone, a kernel in the cache serves modules that have changed" {
	whole 6.12.117
	mirror_is_ready
	choose
	[ "$status" -eq 0 ]
	rm -rf "$REPO" "$(apt_world trixie)" "$LAB_CHOICE"
	echo two >"$LAB_MODULES/source.c"
	VFERRY_LAB_MIRROR=file:$BATS_TEST_TMPDIR/nowhere
	choose
	[ "$status" -eq 0 ]
	[[ $output == *"the mirror file:$BATS_TEST_TMPDIR/nowhere does not answer for test"* ]]
	[[ $output == *"going on with what is in the cache"* ]]
	[ "$(sed -n 1p "$LAB_CHOICE")" = 6.12.117-1 ]
}

@test "image and headers of two versions: the newest kernel of which both are there is taken" {
	whole 6.12.117
	image 6.12.118
	source_of 6.12.118
	mirror_is_ready
	choose
	[ "$status" -eq 0 ]
	[[ $output == *"cannot be fetched: "*"6.12.118-1"*"linux-headers-amd64"* ]]
	[ "$(sed -n 1p "$LAB_CHOICE")" = 6.12.117-1 ]
	[ -e "$LAB_CACHE/kernel-trixie-$(hash_of "=6.12.117-1")/usr/src/linux-headers-6.12.117+deb13-amd64/Makefile" ]
}

@test "a source package of another version of the same series does, and that is said" {
	whole 6.12.117
	image 6.12.118
	headers 6.12.118
	mirror_is_ready
	choose
	[ "$status" -eq 0 ]
	[[ $output == *"the mirror has no linux-source-6.12 of version 6.12.118-1; vfio.ko is made of 6.12.117-1"* ]]
	[ "$(sed -n 1p "$LAB_CHOICE")" = 6.12.118-1 ]
	[ "$(cat "$LAB_CACHE/kernel-trixie-$(hash_of "=6.12.118-1")/vfio/vfio_main.c")" = 6.12.117 ]
}

@test "a kernel whose series has no source package is passed over with a sentence" {
	whole 6.12.117
	image 7.2.12
	headers 7.2.12
	mirror_is_ready
	choose
	[ "$status" -eq 0 ]
	[[ $output == *"the mirror has no linux-source-7.2, which vfio.ko of Linux 7.2.12+deb13-amd64 is made of"* ]]
	[ "$(sed -n 1p "$LAB_CHOICE")" = 6.12.117-1 ]
}

@test "a package that changes while it is fetched is not believed, and the next kernel is taken" {
	whole 6.12.117 6.12.118
	mirror_is_ready
	truncate -s -20 "$REPO"/linux-headers-6.12.118+deb13-amd64_6.12.118-1.deb
	choose
	[ "$status" -eq 0 ]
	[[ $output == *"cannot be fetched: "* ]]
	[ "$(sed -n 1p "$LAB_CHOICE")" = 6.12.117-1 ]
	[ -z "$(find "$LAB_CACHE" -maxdepth 1 -name 'kernel-*.partial')" ]
}

@test "what an interrupted build has left is removed and made anew" {
	whole 6.12.117
	mirror_is_ready
	kernel_places 6.12.117-1
	mkdir -p "$LAB_KERNEL.partial/debs" "$LAB_MODULES_BUILT.partial"
	echo half >"$LAB_KERNEL.partial/debs/linux-image-amd64.deb"
	echo old >"$LAB_KERNEL.partial/version"
	choose
	[ "$status" -eq 0 ]
	[ "$(cat "$LAB_KERNEL/version")" = 6.12.117+deb13-amd64 ]
	[ ! -e "$LAB_KERNEL/debs" ]
}

@test "when no kernel builds, the lab says so and ends" {
	whole 6.12.117
	mirror_is_ready
	BROKEN=6.12.117-1
	choose
	[ "$status" -ne 0 ]
	[[ $output == *"could be built for no kernel; the newest is linux 6.12.117-1"* ]]
	[ ! -e "$LAB_CHOICE" ]
}

@test "headers of two kernels, or of none, are refused by the modules' build script" {
	mkdir -p "$BATS_TEST_TMPDIR/tree" "$BATS_TEST_TMPDIR/kernel/usr/src"/linux-headers-{1,2}-amd64
	touch "$BATS_TEST_TMPDIR/kernel/usr/src"/linux-headers-{1,2}-amd64/Makefile
	run "$LAB_DIR/modules/build" "$BATS_TEST_TMPDIR/tree" "$BATS_TEST_TMPDIR/kernel" "$BATS_TEST_TMPDIR/out"
	[ "$status" -ne 0 ]
	[[ $output == *"headers of more than one kernel"* ]]
	run "$LAB_DIR/modules/build" "$BATS_TEST_TMPDIR/tree" "$BATS_TEST_TMPDIR/tree" "$BATS_TEST_TMPDIR/out"
	[ "$status" -ne 0 ]
	[[ $output == *"no kernel headers there"* ]]
}

@test "a platform that there is not is refused, and those that there are are named" {
	run "$LAB_DIR/lab" up --platform bookworm
	[ "$status" -ne 0 ]
	[[ $output == *"there is no platform 'bookworm'; say one of: backports forky"*trixie* ]]
	B=nonsense run "$LAB_DIR/lab" build
	[ "$status" -ne 0 ]
	[[ $output == *"there is no platform 'nonsense'"* ]]
}

@test "a source package is fetched in the version that is asked for, with Debian's patches, also where the mirror lacks its .dsc" {
	source_package 1-2
	whole 6.12.117
	mirror_is_ready
	rm "$REPO"/*.dsc
	run source_fetch daemon 1-2 "$BATS_TEST_TMPDIR/fetched"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(cat "$BATS_TEST_TMPDIR/fetched/text")" = patched ]
	run source_fetch daemon 1-3 "$BATS_TEST_TMPDIR/other"
	[ "$status" -ne 0 ]
	echo changed >>"$REPO/daemon_1.orig.tar.xz"
	run source_fetch daemon 1-2 "$BATS_TEST_TMPDIR/changed"
	[ "$status" -ne 0 ]
}

@test "a mirror that lacks the source of the hosts' libvirt: one sentence, and nothing is left" {
	whole 6.12.117
	mirror_is_ready
	LAB_HOST_TREE=$BATS_TEST_TMPDIR/host
	libvirt_version() { echo 9.9-1; }
	tree_make() { mkdir -p "$2/srv"; }
	run artefact "$LAB_CACHE/daemons-trixie-0" daemons_make
	echo "$output"
	[ "$status" -ne 0 ]
	[ "$(grep -c source <<<"$output")" = 1 ]
	[[ $output == *"the mirror lacks the source of libvirt 9.9-1, of which trixie's daemons are built"* ]]
	[ -z "$(find "$LAB_CACHE" -name 'daemons-*')" ]
}
