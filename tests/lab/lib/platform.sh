# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034
# Platforms: what a host is made of (see platforms/README.md), and the Debian
# mirror's suites of each, in an apt of the lab's own: this machine's lists,
# settings and packages are not touched.

LAB_LISTS_AGE=${VFERRY_LAB_LISTS_AGE:-1440} # minutes after which package lists are fetched again

# platform_names: prints the names of all platforms, a line each.
platform_names() {
	find "$LAB_DIR/platforms" -maxdepth 1 -type f ! -name '*.md' -printf '%f\n' | sort
}

# platform_valid NAME: dies unless there is such a platform.
platform_valid() {
	platform_names | grep -qxF -e "${1:-none}" || die "there is no platform '$1'; say one of: $(platform_names | tr '\n' ' ')"
}

# platform_load NAME: sets PLATFORM_*.
platform_load() {
	platform_valid "$1"
	PLATFORM_NAME=$1 PLATFORM_OF=$1 PLATFORM_INIT='' PLATFORM_DAEMONS=''
	# shellcheck source=/dev/null
	. "$LAB_DIR/platforms/$1"
}

# host_packages: prints the packages of a host of the platform, separated by commas.
host_packages() {
	{
		packages "$LAB_DIR/host/packages" | tr ',' '\n' | grep -vxF -f <(printf '%s\n' '' "${PLATFORM_WITHOUT[@]}")
		printf '%s\n' "${PLATFORM_PACKAGES[@]}"
	} | sed '/^$/d' | paste -sd,
}

# mirror: prints the Debian mirror that this machine uses.
mirror() {
	local site
	if [ -n "${VFERRY_LAB_MIRROR:-}" ]; then
		echo "$VFERRY_LAB_MIRROR"
		return
	fi
	# shellcheck disable=SC2016 # apt-get expands it
	site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null |
		grep -v -e security -e '^file:' | sort | uniq -c | sort -rn |
		awk 'NR == 1 { print $2 }')
	[ -n "$site" ] || die "no Debian mirror in apt's sources; name one in VFERRY_LAB_MIRROR"
	echo "$site"
}

# mirror_of SUITE: prints the mirror that has it: security's suites are at a place of their own, beside the others unless apt knows better.
mirror_of() {
	local site
	case "$1" in
	*-security) ;;
	*) mirror; return ;;
	esac
	# shellcheck disable=SC2016 # apt-get expands it
	site=${VFERRY_LAB_SECURITY_MIRROR:-$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null | grep -m 1 security)}
	[ -n "$site" ] || site=$(mirror | sed 's#/$##; s#$#-security#')
	echo "$site"
}

# apt_settings: prints what this machine's apt is told about reaching the mirror, as apt's settings: proxy, validity of dates.
apt_settings() {
	apt-config dump | grep -E '^Acquire::(http|https)::Proxy |^Acquire::(Check-Valid-Until|Check-Date|Retries) '
}

# apt_world NAME: the folder of an apt of its own.
apt_world() {
	echo "$LAB_CACHE/apt-$1"
}

# in_world NAME COMMAND...: runs apt-get or apt-cache in that world.
in_world() {
	local world
	world=$(apt_world "$1")
	shift
	APT_CONFIG=$world/apt.conf "$@"
}

# world_sources NAME SUITE...: prints apt's source lines of the suites that the mirror has, and on stderr those that it lacks.
# Return: 1 if it lacks the first one.
world_sources() {
	local name=$1 first=$2 suite site trial
	shift
	trial=$(mktemp)
	for suite; do
		site=$(mirror_of "$suite") || exit 1
		if in_world "$name" /usr/lib/apt/apt-helper download-file "$site/dists/$suite/InRelease" "$trial" >/dev/null 2>&1; then
			echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $suite main"
		elif [ "$suite" = "$first" ]; then
			rm -f "$trial"
			return 1
		else
			say "the mirror has no $suite; passed over"
		fi
	done
	rm -f "$trial"
}

# world_write NAME PREFER: settings and preferences of an apt world.
world_write() {
	local world
	world=$(apt_world "$1")
	mkdir -p "$world"/{state/lists/partial,cache/archives/partial,trusted,empty}
	: >"$world/status"
	{
		echo "Dir::State \"$world/state\"; Dir::State::status \"$world/status\"; Dir::Cache \"$world/cache\";"
		echo "Dir::Etc::sourcelist \"$world/sources.list\"; Dir::Etc::sourceparts \"$world/empty\";"
		echo "Dir::Etc::preferences \"$world/preferences\"; Dir::Etc::preferencesparts \"$world/empty\"; Dir::Etc::parts \"$world/empty\"; Dir::Etc::main \"/dev/null\";"
		echo 'APT::Sandbox::User "root"; APT::Architecture "amd64"; Acquire::Languages "none"; APT::Get::List-Cleanup "false";'
		apt_settings
	} >"$world/apt.conf"
	prefer "$2" >"$world/preferences"
}

# prefer SUITE: prints apt's preferences that take what this suite has; nothing without a suite.
prefer() {
	[ -z "$1" ] || printf 'Package: *\nPin: release n=%s\nPin-Priority: 600\n' "$1"
}

# world_refresh NAME PREFER SUITE...: fetches the package lists, unless they are fresh. Old ones do when the mirror does not answer.
# Return: 1 if there are none at all, or the first suite is nowhere.
world_refresh() {
	local name=$1 world sources
	world=$(apt_world "$name")
	[ -z "$(find "$world/fresh" -mmin "-$LAB_LISTS_AGE" 2>/dev/null)" ] || return 0
	world_write "$name" "$2"
	shift 2
	if sources=$(world_sources "$name" "$@"); then
		echo "$sources" >"$world/sources.list"
		if in_world "$name" apt-get -q update >"$world/log" 2>&1 && ! grep -q '^[WE]: Failed to fetch' "$world/log"; then
			touch "$world/fresh"
			return
		fi
	fi
	[ -e "$world/fresh" ] || { say "the mirror $(mirror) does not answer for $1"; return 1; }
	say "the mirror does not answer; package lists of $(date -r "$world/fresh" +%F) are used"
}

# platform_refresh [now]: the package lists of the platform; now: however fresh they are.
platform_refresh() {
	[ "${1:-}" != now ] || rm -f "$(apt_world "$PLATFORM_OF")/fresh"
	world_refresh "$PLATFORM_OF" "$PLATFORM_PREFER" "${PLATFORM_SUITES[@]}"
}
