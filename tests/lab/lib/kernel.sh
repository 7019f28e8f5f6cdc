# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The kernel of a platform's hosts, with the software CX-7's modules for it: the
# newest version on the mirror for which they build. Image, headers and source
# are fetched as packages of one version and unpacked, none is installed.
#   kernel-KEY    version, package, boot/, usr/lib/modules, usr/src, vfio/
#   modules-KEY   the modules for it; or modules-KEY.failed, why there are none
#   choice-KEY    which version it became, and a note if it is not the newest

LAB_KERNEL_TRIES=4 # so many versions are tried before the lab gives up

# The files of Linux of which vfio.ko is made, and their folder in the source.
LAB_VFIO_FILES=(drivers/vfio/{vfio_main.c,group.c,container.c,virqfd.c,vfio.h} drivers/iommu/iommufd/iova_bitmap.c)

# versions_of PACKAGE: prints its versions on the platform's suites, newest first.
versions_of() {
	in_world "$PLATFORM_OF" apt-cache madison "$1" 2>/dev/null | awk -F'|' '{ gsub(/ /, "", $2); print $2 }' | sort -rVu
}

# depends_of PACKAGE VERSION: prints the names of the kernel's packages on which this one depends.
depends_of() {
	in_world "$PLATFORM_OF" apt-cache show "$1=$2" 2>/dev/null | sed -n 's/^Depends: //p' | tr ',' '\n' |
		sed -n 's/^ *\(linux-[a-z]*-[0-9a-z][^ ]*\).*/\1/p'
}

# kernel_closure VERSION PACKAGE...: prints these packages, which all have this version, and what they need of their own source, as NAME=VERSION.
kernel_closure() {
	local version=$1 done='' name
	shift
	while [ "$#" -gt 0 ]; do
		name=$1
		shift
		case " $done " in *" $name "*) continue ;; esac
		done+=" $name"
		echo "$name=$version"
		# shellcheck disable=SC2046 # names of packages
		set -- "$@" $(depends_of "$name" "$version")
	done
}

# unpack_packages WORLD TARGET PACKAGE=VERSION...: downloads packages and unpacks them. Return: 1 if one cannot be had.
unpack_packages() {
	local world=$1 target=$2 deb
	shift 2
	mkdir -p "$target/debs"
	(cd "$target/debs" && in_world "$world" apt-get -q download "$@" >"$target/debs/log" 2>&1) || {
		say "cannot be fetched: $(grep -m 2 '^E: ' "$target/debs/log" | tr '\n' ' ')"
		return 1
	}
	for deb in "$target"/debs/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$target" --exclude='./usr/lib/modules/*/kernel/drivers/gpu' \
			--exclude='./usr/lib/modules/*/kernel/drivers/media' --exclude='./usr/lib/modules/*/kernel/sound' --exclude='./usr/share' || return 1
		rm "$deb"
	done
	rm -r "$target/debs"
}

# source_version SERIES VERSION: prints the version of linux-source-SERIES that fits best: the kernel's own, or else the newest of the series.
# The files that are taken from it change little within a series, and are compiled against the kernel's own headers.
source_version() {
	local versions
	versions=$(versions_of "linux-source-$1")
	grep -xF -e "$2" <<<"$versions" || head -n 1 <<<"$versions"
}

# vfio_sources RELEASE VERSION TARGET: the files of vfio.ko. Return: 1 if the mirror has no source of this series.
vfio_sources() {
	local series version
	series=$(cut -d. -f1,2 <<<"$1")
	version=$(source_version "${series%%+*}" "$2")
	[ -n "$version" ] || { say "the mirror has no linux-source-$series, which vfio.ko of Linux $1 is made of"; return 1; }
	[ "$version" = "$2" ] || say "the mirror has no linux-source-$series of version $2; vfio.ko is made of $version"
	mkdir -p "$3.source" "$3"
	unpack_packages "$PLATFORM_OF" "$3.source" "linux-source-$series=$version" &&
		xz -dc "$3.source/usr/src/linux-source-$series.tar.xz" 2>/dev/null |
		tar -x --occurrence=1 -C "$3.source" "${LAB_VFIO_FILES[@]/#/linux-source-$series/}" &&
		mv "${LAB_VFIO_FILES[@]/#/$3.source/linux-source-$series/}" "$3/" && rm -rf --one-file-system "$3.source"
}

# kernel_make VERSION TARGET: image, headers and vfio's files of that version.
kernel_make() {
	local version=$1 target=$2 release closure
	release=$(depends_of linux-image-amd64 "$version" | sed -n 's/^linux-image-//p' | head -n 1)
	[ -n "$release" ] || { say "the mirror has no linux-image-amd64 $version"; return 1; }
	mapfile -t closure < <(kernel_closure "$version" linux-image-amd64 linux-headers-amd64)
	mkdir -p "$target"
	unpack_packages "$PLATFORM_OF" "$target" "${closure[@]}" && vfio_sources "$release" "$version" "$target/vfio" || return 1
	[ -e "$target/usr/src/linux-headers-$release/Makefile" ] || { say "headers and image of linux $version are of two kernels"; return 1; }
	echo "$release" >"$target/version"
	echo "$version" >"$target/package"
}

# kernel_places VERSION: LAB_KERNEL and LAB_MODULES_BUILT become those of this version.
kernel_places() {
	LAB_KERNEL=$LAB_CACHE/kernel-$PLATFORM_OF-$(hash_of "=$1")
	LAB_MODULES_BUILT=$LAB_CACHE/modules-$PLATFORM_OF-$(hash_of "=$LAB_BUILD_TREE $1" "$LAB_MODULES")
}

# kernel_candidates: prints the versions to try: what the mirror has, newest first, and what is in the cache.
kernel_candidates() {
	local kernel
	{
		versions_of linux-image-amd64 | head -n "$LAB_KERNEL_TRIES"
		for kernel in "$LAB_CACHE/kernel-$PLATFORM_OF-"*; do
			[[ $kernel == *.* ]] || cat "$kernel/package" 2>/dev/null
		done | sort -rV
	} | awk '!seen[$0]++'
}

# modules_make TARGET: the software CX-7's modules, by their own build script.
modules_make() {
	[ -x "$LAB_MODULES/build" ] || die "no $LAB_MODULES/build"
	mkdir "$1" "$1.work" && TMPDIR=$1.work "$LAB_MODULES/build" "$LAB_BUILD_TREE" "$LAB_KERNEL" "$1" >"$LAB_MODULES_BUILT.log" 2>&1 &&
		rm -r "$1.work"
}

# kernel_try VERSION: makes kernel and modules of this version. Return: 1 if they cannot be made; a failed build is not tried twice.
kernel_try() {
	kernel_places "$1"
	[ ! -e "$LAB_MODULES_BUILT.failed" ] || return 1
	(artefact "$LAB_KERNEL" kernel_make "$1") || return 1
	[ -z "${LAB_TREE_JOB:-}" ] || wait "$LAB_TREE_JOB" || die "without a tree to build in there are no modules"
	(artefact "$LAB_MODULES_BUILT" modules_make) && { rm -f "$LAB_MODULES_BUILT.log"; return; }
	mv "$LAB_MODULES_BUILT.log" "$LAB_MODULES_BUILT.failed"
	grep -m 3 -E 'error|rror:' "$LAB_MODULES_BUILT.failed" >&2
	return 1
}

# kernel_choose: finds the newest kernel that builds and notes it in LAB_CHOICE, unless that is known. Must be called with LAB_BUILD_TREE set.
kernel_choose() {
	local version newest='' note=''
	if [ -s "$LAB_CHOICE" ]; then
		kernel_places "$(head -n 1 "$LAB_CHOICE")"
		[ -e "$LAB_KERNEL" ] && [ -e "$LAB_MODULES_BUILT" ] && touch "$LAB_CHOICE" "$LAB_KERNEL" "$LAB_MODULES_BUILT" && return
	fi
	platform_refresh || say "going on with what is in the cache"
	for version in $(kernel_candidates); do
		newest=${newest:-$version}
		if kernel_try "$version"; then
			[ "$version" = "$newest" ] || note="linux $newest, the newest, cannot be used (see $LAB_CACHE/modules-*.failed); the hosts get $version"
			printf '%s\n%s\n' "$version" "$note" >"$LAB_CHOICE.new" && mv "$LAB_CHOICE.new" "$LAB_CHOICE"
			prune "choice-$PLATFORM_OF"
			return
		fi
	done
	die "the software CX-7's modules could be built for no kernel${newest:+; the newest is linux $newest}; when the mirror is at fault, try again later"
}
