#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# RHEL 9: its compiler's version (gcc 11), and its libraries, which are older than those here. Stand-ins for their headers take away what
# they lack (tests/tree/old/include); what the programs ask of libraries at run time is read from the programs; and unit tests run with the
# libraries of Debian 11, which are nearly as old (tests/tree/old/libraries).

setup_file() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	command -v gcc-11 >/dev/null || return 0
	make -k -j"$(nproc)" BUILD=build/rhel9 CC=gcc-11 WERROR=1 CPPFLAGS="-I$PWD/tests/tree/old/include" all >"$BATS_FILE_TMPDIR/log" 2>&1 || true
}

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	command -v gcc-11 >/dev/null || skip "gcc-11 is not installed; run: install/dependencies --what check"
}

@test "RHEL 9: everything compiles without a warning by gcc 11 and with what its libraries have" {
	run grep -E 'error|warning' "$BATS_FILE_TMPDIR/log"
	[ -z "$output" ] || { head -n 20 <<<"$output"; false; }
	for program in qemu hook vferry guest vferryd; do
		[ -x "build/rhel9/$program" ] || { tail "$BATS_FILE_TMPDIR/log"; false; }
	done
}

@test "RHEL 9: the programs ask for nothing that is newer than its glibc 2.34, json-c 0.14, libxml2 2.9 and libnl 3.9" {
	bad=0
	for program in qemu hook vferry guest vferryd; do
		[ -x "build/rhel9/$program" ] || { echo "$program was not built"; bad=1; continue; }
		while read -r wanted; do
			newest=$(case $wanted in GLIBC_*) echo 2.34 ;; JSONC_*) echo 0.14 ;; LIBXML2_*) echo 2.9.13 ;; libnl_*) echo 3.9 ;; esac)
			[ -n "$newest" ] || continue
			version=$(sed -e 's/^[A-Za-z]*[0-9]*_//' -e 's/_/./g' <<<"${wanted/LIBXML2/LIBXML}")
			[ "$(printf '%s\n' "$newest" "$version" | sort -V | tail -n 1)" = "$newest" ] || { echo "$program asks for $wanted"; bad=1; }
		done < <(readelf -VW "build/rhel9/$program" | grep -o 'Name: [A-Za-z0-9_.]*' | cut -d' ' -f2 | sort -u)
	done
	[ "$bad" -eq 0 ]
}

# bats test_tags=long
@test "RHEL 9: unit tests and hostile input pass with libraries that old, Debian 11's, compiled by gcc 11" {
	old=$BATS_FILE_TMPDIR/debian11
	run tests/tree/old/libraries "$old"
	[ "$status" -eq 0 ] || skip "Debian 11 is not to be had: $output"
	make -k -j"$(nproc)" BUILD=build/debian11 CC=gcc-11 WERROR=1 LDFLAGS="-L$old/lib -Wl,-rpath-link,$old/lib" \
		PACKAGE_CFLAGS="-isystem $old/include -isystem $old/include/libxml2 -isystem $old/include/libnl3" tests >"$BATS_FILE_TMPDIR/log11" 2>&1 ||
		{ grep -E 'error|undefined' "$BATS_FILE_TMPDIR/log11"; false; }
	export LD_LIBRARY_PATH=$old/lib
	[ "$(ldd build/debian11/hook | grep -cF "=> $old/lib/lib")" -ge 6 ]
	# The explorer of states is long, and asks nothing of a library.
	find build/debian11/tests/unit build/debian11/tests/fuzz -type f -executable ! -name 'test_engine_explore' -print0 |
		sort -z | BUILD=build/debian11 xargs -0 tests/run
}
