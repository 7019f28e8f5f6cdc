#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The manual pages say what the sources and the sample configuration say.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	# shellcheck source=tests/tree/files.sh
	. tests/tree/files.sh
}

# sample_keys, page_keys: print "SECTION KEY = DEFAULT" of the sample and of vferry.conf(5).
sample_keys() {
	awk '/^\[/ { section = $0 } /^#[a-z_]+ =/ { sub(/^#/, ""); sub(/ +$/, ""); print section, $0 }' install/vferry.conf
}
page_keys() {
	awk '/^\.SH "\[/ { section = $2; gsub(/"/, "", section) } /^\.SH [A-Z]/ { section = "" }
		section && /^\.BI / { gsub(/\\-/, "-"); gsub(/"/, ""); sub(/^\.BI /, ""); sub(/ +=/, " ="); print section, $0 }' install/vferry.conf.5
}

@test "vferry.conf(5) has every key of the sample in its section and with its default, and no other" {
	[ "$(sample_keys | wc -l)" -ge 18 ]
	diff <(sample_keys) <(page_keys)
}

@test "vferry-refusals(7) has every message that the sources can print" {
	command -v perl >/dev/null || skip "perl is not installed; run: install/dependencies --what check"
	[ "$(grep -c '^\.TP' helpers/vferry-refusals.7)" -ge 150 ]
	tests/tree/refusals
}

@test "a new message, a message that is gone and a source without a heading are noticed" {
	command -v perl >/dev/null || skip "perl is not installed; run: install/dependencies --what check"
	cp -r hooks helpers "$BATS_TEST_TMPDIR"
	script=$PWD/tests/tree/refusals
	cd "$BATS_TEST_TMPDIR"
	"$script"
	printf 'static int f(struct reason *why)\n{\n\treturn reason_set(why, -1, NULL, "the moon %%s is " "in the way", name);\n}\n' >>hooks/hook.c
	run "$script"
	[ "$status" -eq 1 ]
	[[ $output == *'lacks: .B "the moon .\|.\|. is in the way"'* ]]
	"$script" --write
	"$script"
	sed -i '/the moon/d' hooks/hook.c
	run "$script"
	[ "$status" -eq 1 ]
	[[ $output == *"has what no source says: "*"the moon"* ]]
	printf 'int f(struct reason *why)\n{\n\treturn reason_set(why, -1, NULL, "no");\n}\n' >helpers/lib/policy/new.c
	run "$script"
	[ "$status" -ne 0 ]
	[[ $output == *"helpers/lib/policy/new.c has messages"* ]]
}

@test "every command that a document prints has been run: by a test, or typed once" {
	command -v perl >/dev/null || skip "perl is not installed; run: install/dependencies --what check"
	[ "$(tests/tree/commands --list | wc -l)" -ge 80 ]
	tests/tree/commands
	tests/tree/commands --untried | sed 's/^/# untried: /' >&3
}

@test "a command that nobody has run, a row without a command and a test that is gone are noticed" {
	command -v perl >/dev/null || skip "perl is not installed; run: install/dependencies --what check"
	cp -r README.md CONTRIBUTING.md .ci hooks helpers install tests "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR"
	tests/tree/commands
	printf '\n    vferry frobnicate GUEST   # new\n' >>README.md
	printf '.PP\n.B vferry dance \\-\\-fast\n' >>helpers/vferry.7
	printf 'ls\n\ttyped: somewhere, and seen to list files\n' >>tests/tree/commands.run
	sed -i 's/make_usr install/make_usr other/' tests/tree/install.bats
	run tests/tree/commands
	[ "$status" -eq 1 ]
	[[ $output == *"nobody has run 'vferry frobnicate GUEST', which stands in README.md"* ]]
	[[ $output == *"nobody has run 'vferry dance --fast', which stands in helpers/vferry.7"* ]]
	[[ $output == *"has 'ls', which no document prints"* ]]
	[[ $output == *"make install: tests/tree/install.bats has no 'make_usr install'"* ]]
}

@test "what a page of ours refers to is there" {
	bad=0
	for page in $(man_pages); do
		for name in $(sed 's/\\-/-/g' "$page" | grep -oE '^\.BR vferry[a-z.-]* \([578]\)' | sed -E 's/^\.BR (.*) \(([578])\)/\1.\2/' | sort -u); do
			[ "$name" != vferryd.8 ] || [ -e helpers/vferryd.c ] || continue
			man_pages | grep -q "/$name$" || { echo "$page refers to $name, which is not there"; bad=1; }
		done
	done
	[ "$bad" -eq 0 ]
}

@test "the README's map has every folder of the program, and its links lead somewhere" {
	map=$(sed -n '/^## Where things are/,/^CONTRIBUTING/p' README.md)
	for folder in */ helpers/*/ helpers/lib/*/; do
		[ "$folder" != build/ ] || continue
		grep -qE "(^| )($folder|$(basename "$folder")/)" <<<"$map" || { echo "$folder is not in the map"; false; }
	done
	for file in README.md CONTRIBUTING.md install/doc/README.*.md; do
		for link in $(grep -oE '\]\([^)#]+\)' "$file" | sed 's/^](//; s/)$//' | grep -v '^https\?:' || true); do
			[ -e "$(dirname "$file")/$link" ] || { echo "$file links to $link, which is not there"; false; }
		done
		for path in $(grep -oE '`(install|tests|helpers|hooks|xml-templates)/[A-Za-z0-9_./-]+`' "$file" | tr -d '`'); do
			[ -e "$path" ] || { echo "$file names $path, which is not there"; false; }
		done
	done
}

@test "the README is no longer than 150 lines, a short start no longer than 100" {
	[ "$(wc -l <README.md)" -le 150 ]
	for file in install/doc/README.*.md; do
		[ "$(wc -l <"$file")" -le 100 ]
	done
}
