# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Which files belong to the project, for lint and for the tests of the tree. Sourced with the top level as current directory.

# project_files: prints every file that is neither built nor git's own. Without git on purpose: a release's tree has none.
project_files() {
	find . \( -path ./.git -o -path ./build -o -name '*.ko' -o -name '*.o' -o -name '*.cmd' -o -name '*~' -o -name '*.swp' \) -prune \
		-o -type f -print | sed 's|^\./||' | LC_ALL=C sort
}

# shell_files: prints the shell scripts and the parts that they source.
shell_files() {
	local file line

	project_files | while read -r file; do
		case $file in
		*.sh | *.bash) echo "$file" ;;
		*.bats | *.c | *.h | *.md | *.xml | *.json) ;;
		*)
			read -r line 2>/dev/null <"$file" || continue
			case $line in '#!'*[/\ ]sh* | '#!'*bash* | *'shell=bash'*) echo "$file" ;; esac
			;;
		esac
	done
}

# c_files: prints the C sources of the programs and of the library; neither tests nor the lab's kernel modules.
c_files() {
	find hooks helpers -name '*.c' | LC_ALL=C sort
}

# allowed ROOM: the rooms of helpers/lib whose headers one of them may include; tests/tree/layers.bats holds it to that.
allowed() {
	case $1 in
	base) echo base ;;
	domain) echo base domain ;;
	card) echo base card ;;
	switch) echo base switch ;;
	host) echo base card switch host ;;
	state) echo base domain card switch host state ;;
	policy) echo base domain card switch host state policy ;;
	engine) echo base domain card switch host state policy engine ;;
	*) return 1 ;;
	esac
}

# own_flags: prints the compiler flags of the project, quoted for eval.
own_flags() {
	make --no-print-directory -s print-flags
}

# man_pages: prints the manual pages.
man_pages() {
	find hooks helpers install -name '*.[578]' | LC_ALL=C sort
}
