# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the hosts are made of. Every artefact lives in the cache under a name
# that ends in a hash of what went in; what is there already is not made again.
#   host-tree-KEY   Debian 13 root tree of a host (mmdebstrap)
#   build-tree-KEY  Debian 13 tree with compiler and kernel headers
#   deb-tree-KEY    Debian 13 tree in which vferry's package is built (see deploy.sh)
#   modules-KEY     the software CX-7's modules and vfio.ko
#   guest-KEY       the small guest, guest.elf
#   station-KEY     the station's program
#   image-KEY       root.img, vmlinuz, initrd of a host
#   state-KEY       both hosts as they are after a boot (see state.sh)

LAB_SUITE=trixie
LAB_KEEP=3 # how many old artefacts of each kind stay

# hash_files FILE|FOLDER: prints mode, name and hash of each file in it.
hash_files() {
	local base=. mode file
	if [ -d "$1" ]; then
		cd "$1" || exit 1
	else
		base=./$(basename "$1")
		cd "$(dirname "$1")" || exit 1
	fi
	find "$base" -name build -type d -prune -o -type f ! -name '*.bats' ! -name '*.md' -printf '%m %p\n' | LC_ALL=C sort |
		while read -r mode file; do
			echo "$mode $file $(sha256sum <"$file")"
		done
}

# hash_of FILE|FOLDER|=TEXT...: prints 12 hex digits for all of that together.
hash_of() {
	local item
	for item in "$@"; do
		case "$item" in
		=*) echo "$item" ;;
		*) (hash_files "$item") ;;
		esac
	done | sha256sum | cut -c1-12
}

# packages FILE: prints the package names in a list, separated by commas.
packages() {
	sed 's/#.*//' "$1" | tr -s ' \t\n' ',' | sed 's/^,//; s/,$//'
}

# deb_packages: prints what building vferry's own Debian package needs, separated by commas.
deb_packages() {
	printf build-essential
	sed -n '/^Build-Depends:/,/^[^ ]/s/^ \([a-z0-9.+-]*\).*,$/\1/p' "$LAB_CHECKOUT/install/deb/debian/control" |
		sed 's/^debhelper-compat$/debhelper/; s/^/,/' | tr -d '\n'
}

# mirror: prints the Debian mirror that this machine uses.
mirror() {
	local site
	if [ -n "${VFERRY_LAB_MIRROR:-}" ]; then
		echo "$VFERRY_LAB_MIRROR"
		return
	fi
	# shellcheck disable=SC2016 # apt-get expands it
	site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null |
		grep -v -e security -e '^file:' | sort | uniq -c | sort -rn |
		awk 'NR == 1 { print $2 }')
	[ -n "$site" ] || die "no Debian mirror in apt's sources; name one in VFERRY_LAB_MIRROR"
	echo "$site"
}

# keys: computes the place of every artefact, once a run, since sources may
# change while the lab works.
keys() {
	[ -z "${LAB_IMAGE:-}" ] || return 0
	LAB_HOST_TREE=$LAB_CACHE/host-tree-$(hash_of "=$LAB_SUITE $(packages "$LAB_DIR/host/packages")")
	LAB_BUILD_TREE=$LAB_CACHE/build-tree-$(hash_of "=$LAB_SUITE $(packages "$LAB_DIR/host/packages-build")")
	LAB_DEB_TREE=$LAB_CACHE/deb-tree-$(hash_of "=$LAB_SUITE $(deb_packages)")
	LAB_MODULES_BUILT=$LAB_CACHE/modules-$(hash_of "=$LAB_BUILD_TREE" "$LAB_MODULES")
	LAB_GUEST_BUILT=$LAB_CACHE/guest-$(hash_of "$LAB_GUEST")
	LAB_STATION_BUILT=$LAB_CACHE/station-$(hash_of "$LAB_STATION" "$LAB_GUEST/frame.h")
	LAB_IMAGE=$LAB_CACHE/image-$(hash_of "=$LAB_HOST_TREE $LAB_MODULES_BUILT" "$LAB_DIR/host" \
		"$LAB_DIR/lib/image.sh" "$LAB_KEY_FILE.pub")
}

# tree_make PACKAGE,... TARGET: a Debian tree with these packages. Without the
# parts of the kernel and the documentation that no lab host can have a use for.
tree_make() {
	local proxy=()
	eval "$(apt-config shell LAB_PROXY Acquire::http::Proxy)"
	[ -z "${LAB_PROXY:-}" ] || proxy=(--aptopt="Acquire::http::Proxy \"$LAB_PROXY\"")
	# INITRD=No: the lab has its own initial RAM disk.
	mkdir -p "$2.tmp"
	INITRD=No TMPDIR=$2.tmp mmdebstrap --quiet --mode=root --variant=minbase \
		--include="$1" "${proxy[@]}" \
		--aptopt='APT::Install-Recommends "false"' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*/*' \
		--dpkgopt='path-include=/usr/share/doc/*/copyright' \
		--dpkgopt='path-exclude=/usr/lib/modules/*/kernel/drivers/gpu/*' \
		--dpkgopt='path-exclude=/usr/lib/modules/*/kernel/drivers/media/*' \
		--dpkgopt='path-exclude=/usr/lib/modules/*/kernel/sound/*' \
		"$LAB_SUITE" "$2" "$(mirror)" 2>"$2.log" ||
		die "mmdebstrap failed: $(tail -n 5 "$2.log")"
	rm -rf "$2.log" "$2.tmp"
}

# artefact PATH MAKER ARGUMENT...: makes the artefact unless it is there, by
# "MAKER ARGUMENT... TARGET"; it appears only when it is whole.
artefact() {
	local path=$1 kind
	kind=$(basename "${path%-*}")
	shift
	if [ ! -e "$path" ]; then
		remove_unfinished "$path.partial"*
		timed "build $kind" "$@" "$path.partial" || die "building $kind failed"
		mv "$path.partial" "$path"
		prune "$kind"
	fi
	touch "$path"
}

# remove_unfinished PATH...: removes what an interrupted build has left, mounts first.
remove_unfinished() {
	local path where
	for path in "$@"; do
		awk -v p="$path" 'index($2, p) == 1 { print $2 }' /proc/mounts | sort -r |
			while read -r where; do
				umount "$where"
			done
		rm -rf --one-file-system "$path"
	done
}

# abandon_build: removes everything unfinished, if this process is the one that builds.
abandon_build() {
	[ -z "${LAB_BUILDING:-}" ] || remove_unfinished "$LAB_CACHE"/*.partial*
}

# prune KIND: removes the oldest artefacts of a kind beyond LAB_KEEP, but none
# that a running lab uses.
prune() {
	local path
	find "$LAB_CACHE" -maxdepth 1 -name "$1-*" ! -name '*.partial*' -printf '%T@ %p\n' |
		sort -rn | tail -n +$((LAB_KEEP + 1)) | cut -d' ' -f2- |
		while read -r path; do
			find /run/vferry-lab -maxdepth 3 -lname "$path*" 2>/dev/null | grep -q . ||
				rm -rf --one-file-system "$path"
		done
}

# build_all: makes what is missing. Several builds may be asked for at once;
# one works and the others wait.
build_all() {
	need mmdebstrap=mmdebstrap mke2fs=e2fsprogs qemu-img=qemu-utils ssh-keygen=openssh-client \
		qemu-system-x86_64=qemu-system-x86 unshare=util-linux make=make gcc=gcc
	mkdir -p "$LAB_CACHE/ssh"
	exec 8>"$LAB_CACHE/lock"
	flock -n 8 || { say "waiting for another build to finish"; flock 8; }
	[ -e "$LAB_KEY_FILE" ] || ssh-keygen -q -t ed25519 -N '' -C vferry-lab -f "$LAB_KEY_FILE"
	keys
	LAB_BUILDING=1
	build_parts
	artefact "$LAB_IMAGE" image_make
	LAB_BUILDING=
	exec 8>&-
}

# build_parts: everything that goes into the image, side by side where it can be.
build_parts() {
	local worker workers=() status=0
	artefact "$LAB_HOST_TREE" tree_make "$(packages "$LAB_DIR/host/packages")" &
	workers+=($!)
	(
		artefact "$LAB_BUILD_TREE" tree_make "$(packages "$LAB_DIR/host/packages-build")"
		artefact "$LAB_MODULES_BUILT" modules_make
	) &
	workers+=($!)
	artefact "$LAB_DEB_TREE" tree_make "$(deb_packages)" &
	workers+=($!)
	artefact "$LAB_GUEST_BUILT" program_make "$LAB_GUEST"
	artefact "$LAB_STATION_BUILT" program_make "$LAB_STATION"
	for worker in "${workers[@]}"; do
		wait "$worker" || status=1
	done
	if [ "$status" -ne 0 ]; then
		abandon_build
		exit 1
	fi
}

# modules_make TARGET: the software CX-7's modules, by their own build script.
modules_make() {
	[ -x "$LAB_MODULES/build" ] || die "no $LAB_MODULES/build"
	mkdir "$1" && "$LAB_MODULES/build" "$LAB_BUILD_TREE" "$1" >&2
}

# program_make FOLDER TARGET: the guest or the station, by its own Makefile.
program_make() {
	mkdir "$2" && make -s -C "$1" OUT="$2" all >&2
}
