#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Files of one room that know each other in a circle can only be read all at once. See tests/tree/circles.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	BUILD=${BUILD:-build}
	command -v nm >/dev/null || skip "nm (binutils) is not installed"
}

# room FILE TEXT...: a room in the scratch directory with these files, compiled.
room() {
	export BUILD=$BATS_TEST_TMPDIR/build
	room=$BATS_TEST_TMPDIR/room
	mkdir -p "$room" "$BUILD/$room"
	while [ $# -gt 0 ]; do
		printf '%s\n' "$2" >"$room/$1"
		shift 2
	done
	for file in "$room"/*.c; do
		"${CC:-cc}" -w -c -o "$BUILD/$room/$(basename "$file" .c).o" "$file"
	done
}

@test "no files of hook, agent and commands know each other in a circle" {
	[ -e "$BUILD/helpers/agent/agent.o" ] || skip "nothing is built in $BUILD"
	mapfile -t rooms < <(find hooks helpers -path helpers/lib -prune -o -name '*.c' -printf '%h\n' | sort -u)
	echo "${rooms[@]}"
	[ "${#rooms[@]}" -ge 12 ]
	run tests/tree/circles "${rooms[@]}"
	echo "$output"
	[ "$status" = 0 ]
	[ -z "$output" ]
}

@test "a circle by calls is found, through a third file too, and what hangs on it is not in it" {
	room a.c 'void b(void); void a(void) { b(); }' b.c 'void c(void); void b(void) { c(); }' c.c 'void a(void); void c(void) { a(); }' \
		d.c 'void a(void); void d(void) { a(); }' e.c 'void e(void) { }'
	run tests/tree/circles "$room"
	[ "$status" = 1 ]
	[ "$output" = "$room: a b c" ]
}

@test "a circle by headers, and one by a pointer to a function, are found; a file that is not there any more is not" {
	room a.c '#include "b.h"' b.h '#include "a.h"' a.h '' b.c '' \
		x.c 'void y(void); void (*p)(void) = y;' y.c 'extern void (*p)(void); void y(void) { p(); }'
	cp "$BUILD/$room/x.o" "$BUILD/$room/old.o"
	run tests/tree/circles "$room"
	[ "$status" = 1 ]
	[ "$output" = "$room: a b
$room: x y" ]
}

@test "a room without a circle is found to have none" {
	room a.c 'void b(void); void a(void) { b(); }' b.c 'static void a(void) { } void b(void) { a(); }'
	run tests/tree/circles "$room"
	[ "$status" = 0 ]
	[ -z "$output" ]
}

@test "what is not built is said" {
	room a.c ''
	run tests/tree/circles "$room" "$room/none"
	[ "$status" = 2 ]
}
