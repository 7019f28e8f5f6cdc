#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What lies in the tree: licences, places, names.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	# shellcheck source=tests/tree/files.sh
	. tests/tree/files.sh
}

@test "every file names its licence" {
	bad=0
	while read -r file; do
		# Prose; recorded data, in which every byte counts; files without room for a comment.
		case $file in LICENSE | *.md | *.json | tests/*/data/* | tests/*/corpus/* | tests/*/recorded/*) continue ;; esac
		[ -s "$file" ] || { echo "$file is empty"; bad=1; continue; }
		head -n 5 "$file" | grep -aq 'SPDX-License-Identifier: ' || { echo "$file has no SPDX line"; bad=1; }
	done < <(project_files)
	[ "$bad" -eq 0 ]
}

@test "kernel code is GPL-2.0-only and everything else LGPL-2.1-or-later" {
	bad=0
	while read -r file; do
		expect=LGPL-2.1-or-later
		case $file in tests/lab/modules/*.[ch] | tests/lab/modules/Kbuild) expect=GPL-2.0-only ;; esac
		found=$(head -n 5 "$file" | sed -n 's/.*SPDX-License-Identifier: \([A-Za-z0-9.-]*\).*/\1/p' | head -n 1)
		[ -z "$found" ] || [ "$found" = "$expect" ] || { echo "$file says $found, not $expect"; bad=1; }
	done < <(project_files)
	[ "$bad" -eq 0 ]
}

@test "the licence's text is there in full" {
	head -n 2 LICENSE | grep -q 'GNU LESSER GENERAL PUBLIC LICENSE'
	grep -q 'Version 2.1, February 1999' LICENSE
	grep -q 'END OF TERMS AND CONDITIONS' LICENSE
}

@test "the top level holds what it should and nothing else" {
	bad=0
	for entry in *; do
		case $entry in
		hooks | helpers | xml-templates | install | tests | Makefile | README.md | LICENSE | CONTRIBUTING.md | build) ;;
		*) echo "$entry does not belong at the top level"; bad=1 ;;
		esac
	done
	for entry in hooks helpers xml-templates install tests Makefile README.md LICENSE CONTRIBUTING.md .gitignore .ci/run; do
		[ -e "$entry" ] || { echo "$entry is missing"; bad=1; }
	done
	[ "$bad" -eq 0 ]
}

@test "no file names the place of its checkout" {
	bad=0
	while read -r file; do
		if grep -aqF "$PWD/" "$file"; then
			echo "$file contains $PWD/"
			bad=1
		fi
	done < <(project_files)
	[ "$bad" -eq 0 ]
}

@test "text ends with a newline and has no blanks at the ends of lines" {
	bad=0
	while read -r file; do
		case $file in LICENSE | *.md | tests/*/data/* | tests/*/corpus/* | tests/*/recorded/*) continue ;; esac
		[ -s "$file" ] || continue
		[ -z "$(tail -c 1 "$file" | tr -d '\n')" ] || { echo "$file does not end with a newline"; bad=1; }
		! grep -nE '[[:blank:]]+$' "$file" /dev/null || bad=1
	done < <(project_files)
	[ "$bad" -eq 0 ]
}

@test "lines of C are at most 140 columns wide" {
	bad=0
	for file in $(find hooks helpers tests -name '*.[ch]'); do
		expand -t 8 "$file" | awk -v file="$file" 'length > 140 { print file ":" NR ": " length " columns"; bad = 1 } END { exit bad }' || bad=1
	done
	[ "$bad" -eq 0 ]
}

@test "every script can be executed and every other file cannot" {
	bad=0
	while read -r file; do
		if [ "$(head -c 2 "$file" | tr -d '\0')" = '#!' ] && [[ $file != *.bats ]]; then
			[ -x "$file" ] || { echo "$file is a script that cannot be executed"; bad=1; }
		elif [ -x "$file" ] && [[ $file != *.bats ]]; then
			echo "$file can be executed and is no script"
			bad=1
		fi
	done < <(project_files)
	[ "$bad" -eq 0 ]
}

@test "git ignores what is built and nothing that is kept" {
	git rev-parse --is-inside-work-tree >/dev/null 2>&1 || skip "this is no git checkout"
	git check-ignore -q build/hook
	git check-ignore -q tests/lab/modules/swcx7.ko
	[ -z "$(git ls-files -ci --exclude-standard)" ]
}
