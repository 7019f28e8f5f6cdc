# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034
# "lab kernels": compiles the software CX-7's modules against the headers of every
# kernel that Debian's mirror offers today: nothing is booted, nothing installed.
# A verdict is kept in the cache, for modules, tree and version.

# Suites that are looked at, and the platform in whose tree each one's kernel is compiled.
LAB_KERNEL_SUITES=(trixie:trixie trixie-security:trixie trixie-backports:backports forky:forky sid:forky)

# headers_make VERSION TARGET: the headers of that version, from the apt world LAB_KERNEL_WORLD.
headers_make() {
	local closure
	mapfile -t closure < <(PLATFORM_OF=$LAB_KERNEL_WORLD kernel_closure "$1" linux-headers-amd64)
	unpack_packages "$LAB_KERNEL_WORLD" "$2" "${closure[@]}"
}

# kernel_compile VERSION LOG: compiles the modules against the headers of that version; nothing of it is kept but the verdict in LOG.
kernel_compile() {
	local work=$LAB_CACHE/kernels.partial
	remove_unfinished "$work"
	mkdir -p "$work"
	headers_make "$1" "$work/headers" && artefact "$LAB_BUILD_TREE" tree_make "$(build_packages)" &&
		"$LAB_MODULES/build" "$LAB_BUILD_TREE" "$work/headers" "$work/out" >"$2.log" 2>&1 &&
		mv "$2.log" "$2"
}

# kernel_verdict SUITE PLATFORM: one line for the newest kernel of a suite: ok, not ok, or a remark that the mirror has none.
kernel_verdict() {
	local suite=$1 version verdict name
	platform_load "$2"
	keys
	LAB_KERNEL_WORLD=suite-$suite
	if ! world_refresh "$LAB_KERNEL_WORLD" '' "$suite" 2>/dev/null; then
		echo "# kernels: the mirror has no $suite; passed over"
		return
	fi
	version=$(PLATFORM_OF=$LAB_KERNEL_WORLD versions_of linux-headers-amd64 | head -n 1)
	[ -n "$version" ] || { echo "# kernels: $suite has no linux-headers-amd64; passed over"; return; }
	name="the software CX-7 compiles against linux $version of $suite without a warning"
	verdict=$LAB_CACHE/compiled-$(hash_of "=$LAB_BUILD_TREE $version" "$LAB_MODULES")
	if [ -e "$verdict" ] || (kernel_compile "$version" "$verdict") || [ -e "$verdict" ]; then
		touch "$verdict"
		echo "ok $name"
	else
		echo "not ok $name: $(grep -m 1 -E 'error|rror:' "$verdict.log" 2>/dev/null || echo "its headers cannot be had")"
		return 1
	fi
}

# lab_kernels: the verdicts of all suites. Return: 1 if one is bad.
lab_kernels() {
	local pair status=0 line judged=
	exec 8>"$LAB_CACHE/lock"
	flock -n 8 || { say "waiting for another build to finish"; flock 8; }
	LAB_BUILDING=1
	for pair in "${LAB_KERNEL_SUITES[@]}"; do
		line=$(kernel_verdict "${pair%%:*}" "${pair#*:}") || status=1
		echo "$line"
		[[ $line == "# "* ]] || judged=1
	done
	[ -n "$judged" ] || echo "skip kernels: the mirror does not answer"
	remove_unfinished "$LAB_CACHE/kernels.partial"
	find "$LAB_CACHE" -maxdepth 1 -name 'compiled-*' -mtime +30 -delete
	LAB_BUILDING=
	exec 8>&-
	return "$status"
}
