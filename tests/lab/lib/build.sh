# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034
# What the hosts are made of. Every artefact lives in the cache under a name
# that ends in a hash of what went in; what is there already is not made again.
#   host-tree-PLATFORM-KEY   Debian root tree of a host, without a kernel (mmdebstrap)
#   build-tree-PLATFORM-KEY  Debian tree with compiler, in which modules and vferry's package are built
#   kernel-, modules-, choice-PLATFORM-KEY   the hosts' kernel and the software CX-7 (see kernel.sh)
#   daemons-PLATFORM-KEY     libvirt's modular daemons (see daemons.sh)
#   guest-KEY                the small guest, guest.elf
#   station-KEY              the station's program
#   image-PLATFORM-KEY       root.img, vmlinuz, initrd of a host
#   state-KEY                both hosts as they are after a boot (see state.sh)

LAB_KEEP=2 # how many old artefacts of each kind stay

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

# build_packages: prints what building kernel modules and vferry's own Debian package needs, separated by commas.
build_packages() {
	packages "$LAB_DIR/host/packages-build"
	sed -n '/^Build-Depends:/,/^[^ ]/s/^ \([a-z0-9.+-]*\).*,$/\1/p' "$LAB_CHECKOUT/install/deb/debian/control" |
		sed 's/^debhelper-compat$/debhelper/; s/^/,/' | tr -d '\n'
}

# keys: computes the places of everything that does not depend on the mirror, once a run, since sources may change while the lab works.
keys() {
	local suites="${PLATFORM_SUITES[*]} $PLATFORM_PREFER"
	LAB_HOST_TREE=$LAB_CACHE/host-tree-$PLATFORM_NAME-$(hash_of "=$suites $(host_packages)")
	LAB_BUILD_TREE=$LAB_CACHE/build-tree-$PLATFORM_OF-$(hash_of "=$suites $(build_packages)")
	LAB_CHOICE=$LAB_CACHE/choice-$PLATFORM_OF-$(hash_of "=$LAB_BUILD_TREE" "$LAB_MODULES")
	LAB_GUEST_BUILT=$LAB_CACHE/guest-$(hash_of "$LAB_GUEST")
	LAB_STATION_BUILT=$LAB_CACHE/station-$(hash_of "$LAB_STATION" "$LAB_GUEST/frame.h")
}

# image_key: computes the image's place and that of libvirt's daemons, when the kernel is chosen and the host's tree is there.
image_key() {
	kernel_places "$(head -n 1 "$LAB_CHOICE")"
	LAB_DAEMONS_BUILT=
	[ -z "$PLATFORM_DAEMONS" ] || daemons_key
	LAB_IMAGE=$LAB_CACHE/image-$PLATFORM_NAME-$(hash_of "=$LAB_HOST_TREE $LAB_KERNEL $LAB_MODULES_BUILT $LAB_DAEMONS_BUILT" "$LAB_DIR/host" \
		${PLATFORM_INIT:+"$LAB_DIR/boot-by-systemd"} \
		${PLATFORM_FILES:+"$LAB_DIR/platforms/$PLATFORM_FILES"} "$LAB_DIR/lib/image.sh" "$LAB_KEY_FILE.pub")
}

# tree_run PACKAGE,... TARGET: a Debian tree of the platform with these packages, without documentation. INITRD=No: the lab has its own
# initial RAM disk.
tree_run() {
	local options=() setting
	while IFS= read -r setting; do
		options+=(--aptopt="$setting")
	done < <(apt_settings)
	if [ -n "$PLATFORM_PREFER" ]; then
		options+=(--setup-hook="cp '$(apt_world "$PLATFORM_OF")/preferences' \"\$1/etc/apt/preferences.d/lab\"")
	fi
	mkdir -p "$2.tmp"
	INITRD=No TMPDIR=$2.tmp mmdebstrap --quiet --mode=root --variant=minbase --include="$1" "${options[@]}" \
		--aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*/*' \
		--dpkgopt='path-include=/usr/share/doc/*/copyright' \
		"${PLATFORM_SUITES[0]}" "$2" "$(apt_world "$PLATFORM_OF")/sources.list" 2>"$2.log"
}

# tree_make PACKAGE,... TARGET: the same. The mirror may change while it works: then package lists are fetched anew, once.
tree_make() {
	platform_refresh || return 1
	if ! tree_run "$@"; then
		say "mmdebstrap failed ($(tail -n 1 "$2.log")); trying again with fresh package lists"
		remove_unfinished "$2" "$2.tmp"
		if ! platform_refresh now || ! tree_run "$@"; then
			say "mmdebstrap failed: $(tail -n 5 "$2.log")"
			return 1
		fi
	fi
	rm -rf "$2.log" "$2.tmp"
}

# in_tree TREE COMMAND...: runs a command in a Debian tree, with a /proc and processes of its own, which end with it.
in_tree() {
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare --mount --pid --fork --kill-child bash -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$@"
}

# artefact PATH MAKER ARGUMENT...: makes the artefact unless it is there, by
# "MAKER ARGUMENT... TARGET"; it appears only when it is whole.
artefact() {
	local path=$1 kind
	kind=$(basename "${path%-*}")
	shift
	if [ ! -e "$path" ]; then
		remove_unfinished "$path.partial"*
		if ! timed "build $kind" "$@" "$path.partial"; then
			remove_unfinished "$path.partial"
			die "building $kind failed"
		fi
		mv "$path.partial" "$path" || die "building $kind: $path cannot be put in place"
		prune "$kind"
	fi
	touch "$path"
}

# progress_of PATH: prints how far the making of an artefact is, in packages, bytes or files, for a person.
progress_of() {
	local all
	case "$(basename "$1")" in
	*-tree-*)
		all=$(find "$1/var/cache/apt/archives" -maxdepth 1 -name '*.deb' 2>/dev/null | wc -l)
		echo "$(find "$1/var/lib/dpkg/info" -name '*.list' 2>/dev/null | wc -l) packages unpacked${all:+, $all fetched}"
		;;
	modules-*) echo "$(find "$1.work" -name '*.o' 2>/dev/null | wc -l) of $(find "$1.work" -name '*.c' 2>/dev/null | wc -l) files compiled" ;;
	*) echo "$(du -sm "$1" 2>/dev/null | cut -f1) MB" ;;
	esac
}

# progress: prints one line, what is being made at present and how far it is; nothing if nothing is.
progress() {
	local path line=
	for path in "$LAB_CACHE"/*.partial; do
		[ ! -d "$path" ] || line+="${line:+; }$(basename "${path%-*}"): $(progress_of "$path")"
	done
	echo "$line"
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
	find "$LAB_CACHE" -maxdepth 1 -name "$1-[0-9a-f]*" ! -name '*.*' -printf '%T@ %p\n' |
		sort -rn | tail -n +$((LAB_KEEP + 1)) | cut -d' ' -f2- |
		while read -r path; do
			find /run/vferry-lab -maxdepth 3 -lname "$path*" 2>/dev/null | grep -q . ||
				rm -rf --one-file-system "$path"
		done
}

# build_all: makes what the hosts' platforms lack. Several builds may be asked for at once; one works and the others wait.
build_all() {
	need mmdebstrap=mmdebstrap mke2fs=e2fsprogs qemu-img=qemu-utils ssh-keygen=openssh-client \
		qemu-system-x86_64=qemu-system-x86 unshare=util-linux make=make gcc=gcc
	mkdir -p "$LAB_CACHE/ssh"
	! build_is_done || return 0
	exec 8>"$LAB_CACHE/lock"
	flock -n 8 || { say "waiting for another build to finish"; flock 8; }
	[ -e "$LAB_KEY_FILE" ] || ssh-keygen -q -t ed25519 -N '' -C vferry-lab -f "$LAB_KEY_FILE"
	LAB_BUILDING=1
	telling progress build_hosts
	LAB_BUILDING=
	exec 8>&-
}

# build_is_done: whether everything is there already; then nobody need wait for another build.
build_is_done() {
	local host
	[ -e "$LAB_KEY_FILE.pub" ] || return 1
	for host in "${LAB_HOSTS[@]}"; do
		platform_load "${HOST_PLATFORM[$host]}"
		keys
		[ -s "$LAB_CHOICE" ] && [ -e "$LAB_HOST_TREE" ] && [ -e "$LAB_BUILD_TREE" ] && [ -e "$LAB_GUEST_BUILT" ] && [ -e "$LAB_STATION_BUILT" ] ||
			return 1
		image_key
		[ -e "$LAB_KERNEL" ] && [ -e "$LAB_MODULES_BUILT" ] && [ -e "$LAB_IMAGE" ] && [ -e "${LAB_DAEMONS_BUILT:-/}" ] || return 1
		host_is "$host"
		touch "$LAB_CHOICE" "$LAB_HOST_TREE" "$LAB_BUILD_TREE" "$LAB_GUEST_BUILT" "$LAB_STATION_BUILT" "$LAB_KERNEL" "$LAB_MODULES_BUILT" "$LAB_IMAGE" \
			${LAB_DAEMONS_BUILT:+"$LAB_DAEMONS_BUILT"}
	done
}

# host_is HOST: it gets what was made last.
host_is() {
	HOST_IMAGE["$1"]=$LAB_IMAGE
	HOST_BUILD_TREE["$1"]=$LAB_BUILD_TREE
	tail -n +2 "$LAB_CHOICE" | sed '/^$/d' | while IFS= read -r line; do say "$line"; done
}

# build_hosts: what each host is made of.
build_hosts() {
	local host
	for host in "${LAB_HOSTS[@]}"; do
		build_platform "${HOST_PLATFORM[$host]}"
		host_is "$host"
	done
}

# build_platform NAME: its image, which is LAB_IMAGE afterwards.
build_platform() {
	platform_load "$1"
	keys
	build_parts
	image_key
	[ -z "$PLATFORM_DAEMONS" ] || artefact "$LAB_DAEMONS_BUILT" daemons_make
	artefact "$LAB_IMAGE" image_make
}

# build_parts: everything that goes into the image, side by side where it can be.
build_parts() {
	local worker workers=() status=0
	[ -e "$LAB_HOST_TREE" ] && [ -e "$LAB_BUILD_TREE" ] || platform_refresh ||
		die "the package lists of $PLATFORM_OF cannot be fetched, and the cache lacks its trees"
	artefact "$LAB_HOST_TREE" tree_make "$(host_packages)" &
	workers+=($!)
	(
		artefact "$LAB_BUILD_TREE" tree_make "$(build_packages)" &
		LAB_TREE_JOB=$!
		kernel_choose
		wait "$LAB_TREE_JOB"
	) &
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

# program_make FOLDER TARGET: the guest or the station, by its own Makefile.
program_make() {
	mkdir "$2" && make -s -C "$1" OUT="$2" all >&2
}
