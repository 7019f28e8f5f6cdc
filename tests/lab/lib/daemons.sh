# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034
# libvirt's modular daemons, as RHEL's hosts run them: Debian builds them and leaves them out of its packages. They are built from the
# source package of just the version that the hosts' tree has, whose library and drivers they use.
#   daemons-PLATFORM-KEY   usr/sbin, usr/lib/systemd/system and etc/libvirt, to be laid over a host's tree

LAB_DAEMONS=(virtqemud virtnetworkd virtnodedevd virtproxyd)

# Beside these everything that libvirt can leave out is left out: it is in Debian's library and drivers, which are the ones that run.
LAB_DAEMONS_MESON=(--prefix=/usr --libdir=lib/x86_64-linux-gnu --sysconfdir=/etc --localstatedir=/var -Drunstatedir=/run
	-Dbuildtype=plain -Dauto_features=disabled -Dinit_script=systemd -Ddriver_remote=enabled -Ddriver_libvirtd=enabled
	-Ddriver_qemu=enabled -Ddriver_network=enabled -Dudev=enabled -Dpciaccess=enabled -Dlibnl=enabled -Djson_c=enabled
	-Dcapng=enabled -Dpolkit=enabled)

# libvirt_version TREE: prints the version of the Debian package libvirt0 there.
libvirt_version() {
	dpkg-query --admindir="$1/var/lib/dpkg" -W -f '${Version}' libvirt0
}

# daemons_key: LAB_DAEMONS_BUILT becomes the daemons' place; the host's tree must be there.
daemons_key() {
	LAB_DAEMONS_BUILT=$LAB_CACHE/daemons-$PLATFORM_OF-$(hash_of "=$(libvirt_version "$LAB_HOST_TREE") ${LAB_DAEMONS[*]} ${LAB_DAEMONS_MESON[*]}" \
		"$LAB_DIR/host/packages-libvirt")
}

# source_uris PACKAGE VERSION WORK: prints what the archive says of the tar files of a source package: URI, name, size, hash.
source_uris() {
	local world
	world=$(apt_world "$PLATFORM_OF")
	mkdir -p "$3/state/lists/partial"
	sed 's/^deb /deb-src /' "$world/sources.list" >"$3/sources.list"
	set -- "$1=$2" -o "Dir::Etc::sourcelist=$3/sources.list" -o "Dir::State=$3/state" -o "Dir::State::status=$world/status"
	in_world "$PLATFORM_OF" apt-get -qq "${@:2}" update &&
		in_world "$PLATFORM_OF" apt-get -qq "${@:2}" --print-uris --download-only source "$1" | tr -d "'" | awk '$2 ~ /\.tar\.[a-z0-9]*$/'
}

# source_fetch PACKAGE VERSION TARGET: a source package with Debian's patches. Only its tar files are fetched, and compared with the
# hashes in the archive's signed lists.
# Return: 1 if the mirror lacks it.
source_fetch() {
	local target=$3 uri name hash patch
	source_uris "$1" "$2" "$target.work" >"$target.uris" 2>"$target.log"
	mkdir "$target"
	[ "$(grep -c . "$target.uris")" -eq 2 ] && while read -r uri name _ hash; do
		/usr/lib/apt/apt-helper download-file "$uri" "$target.work/$name" "$hash" >>"$target.log" 2>&1 || return 1
		case "$name" in
		*.debian.tar.*) tar -xf "$target.work/$name" -C "$target" ;;
		*) tar -xf "$target.work/$name" -C "$target" --strip-components=1 ;;
		esac || return 1
	done <"$target.uris" || return 1
	sed 's/#.*//; /^ *$/d' "$target/debian/patches/series" | while read -r patch; do
		patch -s -p1 -d "$target" <"$target/debian/patches/$patch" >&2 || exit 1
	done
}

# daemons_compile TREE: compiles them in TREE/srv/libvirt/build.
daemons_compile() {
	in_tree "$1" env LC_ALL=C meson setup /srv/libvirt/build /srv/libvirt "${LAB_DAEMONS_MESON[@]}" &&
		in_tree "$1" env LC_ALL=C ninja -C /srv/libvirt/build "${LAB_DAEMONS[@]/#/src/}"
}

# daemons_collect BUILD TARGET: the programs, their units, and what there is of their configuration.
daemons_collect() {
	local build=$1 target=$2 daemon
	mkdir -p "$target"/{usr/sbin,usr/lib/systemd/system,etc/libvirt}
	for daemon in "${LAB_DAEMONS[@]}"; do
		strip -o "$target/usr/sbin/$daemon" "$build/src/$daemon" &&
			find "$build" \( -name "$daemon*.socket" -o -name "$daemon.service" \) -exec cp -t "$target/usr/lib/systemd/system" {} + &&
			find "$build" -name "$daemon.conf" -exec cp -t "$target/etc/libvirt" {} + || return 1
	done
}

# daemons_in TREE TARGET: fetches, compiles and collects them, in a tree with the compiler. Return: 1 if that cannot be, which it has said.
daemons_in() {
	local version
	version=$(libvirt_version "$LAB_HOST_TREE")
	if ! source_fetch libvirt "$version" "$1/srv/libvirt"; then
		say "the mirror lacks the source of libvirt $version, of which $PLATFORM_NAME's daemons are built"
		return 1
	fi
	daemons_compile "$1" >"$1/srv/log" 2>&1 && daemons_collect "$1/srv/libvirt/build" "$2" && return
	tail -n 20 "$1/srv/log" >&2
	return 1
}

# daemons_make TARGET: the daemons; the tree with the compiler goes again.
daemons_make() {
	need patch=patch
	local status=0
	tree_make "$(packages "$LAB_DIR/host/packages-libvirt")" "$1.tree" && daemons_in "$1.tree" "$1" || status=1
	remove_unfinished "$1.tree"
	return "$status"
}
