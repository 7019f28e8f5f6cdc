# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# bats file_tags=long
# A stranger's machine: a minimal Debian without compiler and without cache, as a root tree of its own, a clean checkout in it, and the
# README's two lines. The tree shares this machine's kernel, network and devices, and nothing else.
# Takes a quarter of an hour a Debian, and 6 GB below TMPDIR.

load lib/tests

# stranger SUITE: makes the machine, TREE, with what the README asks for.
stranger() {
	TREE=$BATS_TEST_TMPDIR/tree
	local settings=()
	mapfile -t settings < <(apt-config dump | grep -E '^Acquire::(http|https)::Proxy |^Acquire::(Check-Valid-Until|Check-Date) ')
	local site option options=()
	# shellcheck disable=SC2016 # apt-get expands it
	site=${VFERRY_LAB_MIRROR:-$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v -e security -e '^file:' | head -n 1)}
	for option in "${settings[@]}"; do options+=(--aptopt="$option"); done
	mmdebstrap --quiet --mode=root --variant=minbase --include=make "${options[@]}" "$1" "$TREE" "$site"
	cp /etc/resolv.conf /etc/hosts "$TREE/etc/"
	mkdir "$TREE/root/vferry"
	git -C "$BATS_TEST_DIRNAME/../.." archive HEAD | tar -x -C "$TREE/root/vferry"
}

# in_tree COMMAND...: types it there, in the checkout. Each line of its output, with the seconds since the one before it, is kept in $LOG.
in_tree() {
	LOG=$BATS_TEST_TMPDIR/log
	# shellcheck disable=SC2016 # the inner shells expand it
	unshare --mount --pid --fork --kill-child bash -c '
		mount --make-rprivate / && mount -t proc proc "$1/proc" && mount --rbind /sys "$1/sys" && mount --rbind /dev "$1/dev" &&
			mount -t tmpfs tmpfs "$1/run" || exit 1
		tree=$1
		shift
		exec chroot "$tree" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LAB_NAME=stranger sh -c "cd /root/vferry && exec \"\$@\"" sh "$@"
	' in_tree "$TREE" "$@" 2>&1 | perl -ne '
		BEGIN { $| = 1; use Time::HiRes "time"; $last = time }
		printf "%5.1f %s", time - $last, $_; $last = time' >"$LOG"
	return "${PIPESTATUS[0]}"
}

# longest_silence: prints the seconds of the longest pause in $LOG.
longest_silence() {
	awk '$1 > longest { longest = $1 } END { print int(longest) }' "$LOG"
}

# demo_on SUITE: make demo as a stranger types it, cold and warm.
demo_on() {
	local begin cold warm
	stranger "$1"
	begin=$SECONDS
	in_tree make demo || { tail -n 40 "$LOG"; false; }
	cold=$((SECONDS - begin))
	grep -q '; 0 expectations not met' "$LOG"
	tell "$1: make demo, nothing there: $cold s; longest silence $(longest_silence) s"
	[ "$(longest_silence)" -le 30 ]
	begin=$SECONDS
	in_tree make demo || { tail -n 40 "$LOG"; false; }
	warm=$((SECONDS - begin))
	grep -q '; 0 expectations not met' "$LOG"
	tell "$1: make demo again: $warm s"
	in_tree make check-unit || { tail -n 40 "$LOG"; false; }
	tail -n 1 "$LOG" | grep -q ' 0 failed'
}

@test "on a minimal Debian 12 both lines of the README do what they say" {
	demo_on bookworm
}

@test "on a minimal Debian 13 both lines of the README do what they say" {
	demo_on trixie
}
