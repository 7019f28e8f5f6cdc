#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What lies in the tree: licences, places, names.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	# shellcheck source=tests/tree/files.sh
	. tests/tree/files.sh
}

# licensed_files: the files that must name their licence: not prose, not recorded data in which every byte counts.
licensed_files() {
	project_files | grep -vE '^LICENSE$|\.(md|json)$|^tests/.*/(data|corpus|recorded)/'
}

# licences: prints "FILE:LINE:IDENTIFIER" for the first SPDX line of each of them.
licences() {
	licensed_files | tr '\n' '\0' | xargs -0 grep -anHm1 'SPDX-License-Identifier: ' |
		sed -E 's/^([^:]*:[0-9]+:).*SPDX-License-Identifier: ([A-Za-z0-9.-]+).*/\1\2/'
}

@test "every file names its licence in its first lines" {
	without=$(licences | awk -F: '$2 <= 5 { print $1 }' | LC_ALL=C sort | LC_ALL=C comm -13 - <(licensed_files))
	[ -z "$without" ] || { echo "without an SPDX line: $without"; false; }
}

@test "kernel code is GPL-2.0-only and everything else LGPL-2.1-or-later" {
	wrong=$(licences | awk -F: '
		$1 ~ /^tests\/lab\/modules\/.*(\.[chS]|Kbuild)$/ { if ($3 != "GPL-2.0-only") print $1, $3; next }
		$1 ~ /^tests\/lab\/modules\// && $3 == "GPL-2.0-only" { next }
		$3 != "LGPL-2.1-or-later" { print $1, $3 }')
	[ -z "$wrong" ] || { echo "$wrong"; false; }
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
	found=$(project_files | tr '\n' '\0' | xargs -0 grep -alF "$PWD/" || true)
	[ -z "$found" ] || { echo "$found"; false; }
}

@test "text ends with a newline and has no blanks at the ends of lines" {
	found=$(project_files | grep -vE '^LICENSE$|\.md$|^tests/.*/(data|corpus|recorded)/' | tr '\n' '\0' | xargs -0 awk '
		/[ \t]+$/ { print FILENAME ":" FNR ": blanks at the end of the line" }')
	while read -r file; do
		[ ! -s "$file" ] || [ -z "$(tail -c 1 "$file")" ] || found+=" $file: no newline at the end"
	done < <(licensed_files)
	[ -z "$found" ] || { echo "$found"; false; }
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
