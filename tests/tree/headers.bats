#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The library's headers, one by one.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	# shellcheck source=tests/tree/files.sh
	. tests/tree/files.sh
}

@test "every header compiles alone" {
	eval "flags=($(own_flags))"
	bad=0
	for header in helpers/lib/*/*.h; do
		"${CC:-cc}" "${flags[@]}" -Werror -fsyntax-only -Wno-unused-function -include "$header" -x c /dev/null || bad=1
	done
	[ "$bad" -eq 0 ]
}

@test "every header has a guard of its own name" {
	bad=0
	for header in helpers/lib/*/*.h; do
		guard=VFERRY_$(sed 's|^helpers/lib/||; s|[./]|_|g' <<<"$header" | tr '[:lower:]' '[:upper:]')
		grep -qx "#ifndef $guard" "$header" && grep -qx "#define $guard" "$header" || { echo "$header: no guard $guard"; bad=1; }
	done
	[ "$bad" -eq 0 ]
}
