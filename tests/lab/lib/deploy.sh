# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# "lab deploy": vferry from this checkout, built for Debian 13 with its own
# make, installed with its own make install, onto both running hosts.

# deploy_build SOURCE OUT: builds SOURCE in the build tree and installs into OUT. The mounts
# are private and end with the command; objects stay in the cache, so that a
# second build compiles only what has changed.
deploy_build() {
	local tree=$LAB_BUILD_TREE objects
	objects=$LAB_CACHE/objects-$(hash_of "=$1")
	mkdir -p "$objects" "$tree/srv/source" "$tree/srv/objects" "$tree/srv/out"
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare --mount --pid --fork --kill-child bash -c '
		mount --bind "$2" "$1/srv/source" && mount -o remount,bind,ro "$1/srv/source" &&
			mount --bind "$3" "$1/srv/objects" && mount --bind "$4" "$1/srv/out" &&
			mount -t proc proc "$1/proc" || exit 1
		in_tree() { chroot "$1" /usr/bin/make -s -j2 -C /srv/source BUILD=/srv/objects prefix=/usr "${@:2}"; }
		in_tree "$1" && in_tree "$1" install DESTDIR=/srv/out
	' deploy_build "$tree" "$1" "$objects" "$2" >"$LAB_RUN/deploy.log" 2>&1 || {
		cat "$LAB_RUN/deploy.log" >&2
		return 1
	}
}

# deploy_to HOST: replaces what was deployed before by LAB_DEPLOY_DIR; libvirtd
# looks for hooks anew on SIGHUP; the agent, where there is one, starts again.
deploy_to() {
	local list=/usr/lib/vferry-lab/deployed
	tar -C "$LAB_DEPLOY_DIR" --owner=0 --group=0 -cf - . | remote_exec "$1" "
		[ ! -e $list ] || xargs -d '\\n' rm -f <$list
		tar -C / --no-overwrite-dir -xvf - | grep -v '/\$' | sed 's#^\\.#&#; s#^\\./#/#' >$list || exit 1
		kill -HUP \$(cat /run/libvirtd.pid) || exit 1
		[ -e /usr/sbin/vferryd ] || exit 0
		/usr/lib/vferry-lab/agent restart"
}

# lab_deploy SOURCE: builds a checkout and puts the result onto both hosts.
lab_deploy() {
	local source
	source=$(cd "$1" && pwd) || die "deploy: no folder $1"
	lab_is_up || die "the lab is not up (lab up)"
	build_all
	exec 8>"$LAB_CACHE/lock"
	flock 8
	LAB_DEPLOY_DIR=$LAB_RUN/deploy
	rm -rf "$LAB_DEPLOY_DIR"
	mkdir "$LAB_DEPLOY_DIR"
	timed "build vferry" deploy_build "$source" "$LAB_DEPLOY_DIR" || die "vferry does not build"
	exec 8>&-
	timed "deploy to A and B" each_host deploy_to || die "vferry could not be put onto the hosts"
}
