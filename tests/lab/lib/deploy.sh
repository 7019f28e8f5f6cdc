# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# "lab deploy": vferry's Debian package from this checkout, built on each host's platform by
# install/deb/build, installed by dpkg onto both running hosts. The hosts get
# vferry by no other way, so every test of the lab tests the package, too.

# What the package is made of; when none of it has changed, the package is the same.
LAB_DEB_SOURCES=(Makefile README.md hooks helpers xml-templates install)

# deploy_key SOURCE TREE: prints a hash of what SOURCE's package is made of and in.
deploy_key() {
	(cd "$1" && echo "$2" &&
		find "${LAB_DEB_SOURCES[@]}" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) | sha256sum
}

# deploy_build SOURCE TREE OBJECTS: builds the package of SOURCE into OBJECTS, in that Debian
# tree. The mounts are private and end with the command; objects stay in the
# cache, so that a second build compiles only what has changed. The unit tests are run elsewhere.
deploy_build() {
	local tree=$2
	mkdir -p "$tree/srv/source" "$tree/srv/objects"
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare --mount --pid --fork --kill-child bash -c '
		mount --bind "$2" "$1/srv/source" && mount -o remount,bind,ro "$1/srv/source" &&
			mount --bind "$3" "$1/srv/objects" && mount -t proc proc "$1/proc" || exit 1
		chroot "$1" /usr/bin/env LC_ALL=C DEB_BUILD_OPTIONS="nocheck noautodbgsym parallel=2" \
			/srv/source/install/deb/build /srv/objects -nc
	' deploy_build "$tree" "$1" "$3" >"$3/deploy.log" 2>&1 || {
		cat "$3/deploy.log" >&2
		return 1
	}
}

# deploy_progress: prints how far the package is.
deploy_progress() {
	echo "$(find "$LAB_OBJECTS" -name '*.o' -newer "$LAB_OBJECTS/.begin" | wc -l) of about" \
		"$(find "$LAB_SOURCES/helpers" "$LAB_SOURCES/hooks" -name '*.c' | wc -l) files compiled"
}

# deploy_package SOURCE HOST: HOST_DEB becomes the package of SOURCE for that host's platform, made if there is none that is up to date.
deploy_package() {
	local objects key tree=${HOST_BUILD_TREE[$2]}
	objects=$LAB_CACHE/objects-$(hash_of "=$1 deb ${HOST_PLATFORM[$2]}")
	key=$(deploy_key "$1" "$tree")
	mkdir -p "$objects"
	if [ "$(cat "$objects/key" 2>/dev/null)" != "$key" ]; then
		rm -f "$objects/key" "$objects"/*.deb
		touch "$objects/.begin"
		LAB_OBJECTS=$objects LAB_SOURCES=$1 telling deploy_progress \
			timed "build vferry's package for ${HOST_PLATFORM[$2]}" deploy_build "$1" "$tree" "$objects" || return 1
		echo "$key" >"$objects/key"
	fi
	HOST_DEB[$2]=$(echo "$objects"/vferry_*.deb)
	[ -e "${HOST_DEB[$2]}" ]
}

# deploy_to HOST: installs its HOST_DEB, unless the host has just this one. libvirtd
# looks for hooks anew on SIGHUP; an agent of before ends, and a test that wants one
# starts it. On a platform with systemd the package starts it.
deploy_to() {
	local sum
	sum=$(sha256sum <"${HOST_DEB[$1]}")
	remote_exec "$1" "
		[ \"\$(cat /run/vferry-lab-deployed 2>/dev/null)\" = '$sum' ] &&
			[ \"\$(dpkg-query -W -f '\${db:Status-Status}' vferry 2>/dev/null)\" = installed ] && echo the same" | grep -q . && return
	remote_exec "$1" "
		rm -f /run/vferry-lab-deployed
		cat >/root/vferry.deb || exit 1
		DEBIAN_FRONTEND=noninteractive dpkg --force-unsafe-io --force-confnew --force-confmiss -i /root/vferry.deb >/root/vferry.log 2>&1 || {
			cat /root/vferry.log >&2
			exit 1
		}
		echo '$sum' >/run/vferry-lab-deployed
		if [ -d /run/systemd/system ]; then
			systemctl try-reload-or-restart 'libvirtd*.service' 'virtqemud*.service'
		else
			kill -HUP \$(cat /run/libvirtd.pid) && /usr/lib/vferry-lab/agent stop
		fi" <"${HOST_DEB[$1]}"
}

# deploy_find SOURCE: HOST_DEB of both hosts become the packages of a checkout.
deploy_find() {
	local source host
	source=$(cd "$1" && pwd) || die "deploy: no folder $1"
	build_all
	exec 8>"$LAB_CACHE/lock-package"
	flock 8
	for host in "${LAB_HOSTS[@]}"; do
		deploy_package "$source" "$host" || die "vferry's package does not build on ${HOST_PLATFORM[$host]}"
	done
	exec 8>&-
}

# lab_deploy SOURCE: the package of a checkout onto both hosts.
lab_deploy() {
	lab_is_up || die "the lab is not up (lab up)"
	deploy_find "$1"
	timed "install it on A and B" each_host deploy_to || die "vferry could not be installed on the hosts"
}

# lab_up_deploy SOURCE: the whole lab with the package of a checkout: from the state that the first such start has saved.
lab_up_deploy() {
	local package
	if lab_is_up; then
		lab_deploy "$1"
		return
	fi
	deploy_find "$1"
	package=$(cat "${HOST_DEB[@]}" | sha256sum | cut -c1-12)
	LAB_PACKAGE=$package
	lab_up
	[ "$LAB_PACKAGE" != "$package" ] || return 0
	lab_deploy "$1"
	LAB_PACKAGE=$package
	each_host remote_disconnect
	timed "save their state with vferry" state_save || say "their state could not be saved; the next start installs vferry again"
	state_prune
	timed "connect" each_host connect_host || die "the hosts do not answer after their state was saved"
}
