#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The plug-in of sos: a real `sos report` of a host that is text (tests/worlds), and what its archive tells of names.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	BUILD=$(realpath "${BUILD:-build}")
	[ -x /usr/bin/sos ] || skip "sos is not installed; run: install/dependencies --what check"
	[ "$(id -u)" -eq 0 ] || skip "sos report runs for root alone"
	[ -x "$BUILD/tests/worlds/vferry" ] || make -s BUILD="$BUILD" "$BUILD/tests/worlds/vferry"
	world=$(BUILD=$BUILD KEEP=1 tests/worlds/run report-and-its-check | sed -n 's/^# kept: //p')
	# sos and its plug-ins are one Python package: a copy of it, and ours where a package of vferry puts it.
	package=$(/usr/bin/python3 -c 'import os, sos; print(os.path.dirname(sos.__file__))')
	mkdir "$BATS_TEST_TMPDIR/python" "$BATS_TEST_TMPDIR/out"
	cp -r "$package" "$BATS_TEST_TMPDIR/python/"
	cp install/sos/vferry.py "$BATS_TEST_TMPDIR/python/sos/report/plugins/"
	printf '#!/bin/sh\nVFERRY_WORLD=%s exec %s "$@"\n' "$world" "$BUILD/tests/worlds/vferry" >"$BATS_TEST_TMPDIR/vferry"
	chmod +x "$BATS_TEST_TMPDIR/vferry"
}

teardown() {
	[ -z "${world:-}" ] || rm -rf "$world"
}

# sos_report OPTION...: runs sos with the plug-in alone, where vferry is that of the world; unpacks its archive into $archive.
sos_report() {
	export out=$BATS_TEST_TMPDIR/out
	# It looks for programs in folders of its own choice: in a namespace of its own, ours is in one of them.
	unshare -m sh -c 'mount -t tmpfs none /usr/local/sbin && cp "$1/vferry" /usr/local/sbin/ && cd "$1/python" && shift &&
		exec /usr/bin/python3 /usr/bin/sos report --batch --tmp-dir "$out" -o vferry "$@"' sh "$BATS_TEST_TMPDIR" "$@"
	tar -C "$out" -xaf "$out"/*.tar.[gx]z
	archive=$(echo "$out"/*/sos_commands/vferry)
	find "$archive" -type f
}

@test "sos report takes vferry's report and its answers, and tells no guest's name" {
	sos_report
	grep -q 'files in .*/report; names, addresses' "$archive/vferry_report"
	for file in host inventory.json; do
		[ -s "$archive/report/$file" ]
	done
	grep -q guest1 "$archive/report/host"
	grep -q guest1 "$archive/vferry_status"
	grep -q 'eady' "$archive/vferry_check"
	run grep -rE 'secret|hostB' "$out"
	[ "$status" -eq 1 ]
}

@test "with keep-names the names are as they are" {
	sos_report -k vferry.keep-names=on
	grep -q secret "$archive/report/host"
	grep -q secret "$archive/vferry_status"
}
