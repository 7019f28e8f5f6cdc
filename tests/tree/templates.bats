#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The templates, filled as a person or a program fills them, against libvirt's own grammars and ours.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	command -v virt-xml-validate >/dev/null || skip "virt-xml-validate is not installed"
}

# body TEMPLATE: prints a template without its comment.
body() {
	sed '/^<!--/,/-->$/d' "xml-templates/$1"
}

# fill TEMPLATE NAME=VALUE...: prints a template without its comment, with each @NAME@ replaced.
fill() {
	local text pair
	text=$(body "$1")
	for pair in "${@:2}"; do
		text=${text//"@${pair%%=*}@"/"${pair#*=}"}
	done
	printf '%s\n' "$text"
}

interface() {
	fill interface.xml.in MAC=52:54:00:12:34:56 DOMAIN=0000 BUS=81 SLOT=00 FUNCTION=2
}

pool_interface() {
	fill interface-pool.xml.in MAC=52:54:00:12:34:57 NETWORK=vf-pool
}

passport() {
	fill passport.xml.in MAC=52:54:00:12:34:56 GUEST=0000:05:00.0 PF=0000:81:00.0 PSID=MT_0000000834 FIRMWARE=28.43.1014 BRIDGE=br-vferry
}

# guest DEVICES: prints the sample guest with these devices and a passport.
guest() {
	fill guest.xml.in NAME=guest1 KERNEL=/var/lib/libvirt/images/guest.elf "CMDLINE=ip=10.77.0.10" "METADATA=<metadata>$(passport)</metadata>" \
		"DEVICES=$1"
}

# valid SCHEMA: whether libvirt's grammar takes the XML on stdin.
valid() {
	cat >"$BATS_TEST_TMPDIR/xml"
	run virt-xml-validate "$BATS_TEST_TMPDIR/xml" "$1"
	echo "$output"
	cat "$BATS_TEST_TMPDIR/xml"
	[ "$status" -eq 0 ]
}

@test "each template says in its comment what each of its gaps is, and nothing else" {
	for template in xml-templates/*.in; do
		comment=$(sed -n '/^<!--/,/-->$/p' "$template" | grep -oE '@[A-Z]+@' | sort -u)
		gaps=$(body "${template##*/}" | grep -oE '@[A-Z]+@' | sort -u)
		echo "$template"
		[ -n "$gaps" ]
		diff <(echo "$comment") <(echo "$gaps")
	done
}

@test "a guest with an interface by address is valid for libvirt" {
	guest "$(interface)" | valid domain
}

@test "a guest with an interface from a pool is valid for libvirt" {
	guest "$(pool_interface)" | valid domain
}

@test "a guest with both and no passport is valid for libvirt" {
	guest "$(interface)$(pool_interface)" | sed '/<metadata>/,/<\/metadata>/d' | valid domain
}

@test "the pool is valid for libvirt" {
	fill network.xml.in NETWORK=vf-pool UPLINK=enp129s0np0 | valid network
}

@test "a template that lost an element is not valid, so that the tests above mean something" {
	run valid domain < <(guest "$(interface | sed 's/<source>/<sauce>/; s/<.source>/<\/sauce>/')")
	[ "$status" -ne 0 ]
	run valid network < <(fill network.xml.in NETWORK=vf-pool UPLINK=enp129s0np0 | sed "s/mode='hostdev'/mode='nonsense'/")
	[ "$status" -ne 0 ]
}

@test "the passport fits its grammar, and one with a wrong value does not" {
	command -v xmllint >/dev/null || skip "xmllint is not installed"
	passport >"$BATS_TEST_TMPDIR/passport.xml"
	xmllint --noout --relaxng xml-templates/passport.rng "$BATS_TEST_TMPDIR/passport.xml"
	sed -i 's/52:54:00/53:54:00/' "$BATS_TEST_TMPDIR/passport.xml"
	run xmllint --noout --relaxng xml-templates/passport.rng "$BATS_TEST_TMPDIR/passport.xml"
	[ "$status" -ne 0 ]
}
