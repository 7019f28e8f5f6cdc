#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The SELinux module, compiled, linked with Debian's reference policy, and held against the table of what the programs need; the same with
# a stand-in for Fedora's policy. No SELinux runs here: what a kernel would decide is read from the policy that it would be given.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	for file in /usr/bin/sesearch /usr/bin/semodule_link /usr/bin/checkmodule /usr/share/selinux/devel/Makefile /usr/share/selinux/default/base.pp.bz2; do
		[ -e "$file" ] || skip "$file is missing; run: install/dependencies --what rpm,check"
	done
	out=$BATS_TEST_TMPDIR/selinux
}

# label SUBSTITUTIONS PATH: the type that PATH gets where file_contexts.subs_dist is so, beside the labels that Fedora has for these folders;
# the most exact pattern is the last, as semodule sorts them.
label() {
	printf '%s\n' "$1" >"$out/contexts.subs_dist"
	{
		printf '%s\tsystem_u:object_r:%s:s0\n' '/etc/libvirt/hooks(/.*)?' virt_hook_t '/usr/s?bin/.*' bin_t '/usr/libexec(/.*)?' bin_t \
			'/run/.*' var_run_t '/var/run/.*' var_run_t '/var/lib(/.*)?' var_lib_t
		cat "$out/contexts.of-vferry"
	} >"$out/contexts"
	matchpathcon -n -f "$out/contexts" "$2" | cut -d: -f3
}

# holds TABLE_OPTION: whether the policy allows all that the table asks for; prints what it does not.
holds() {
	run tests/tree/selinux/allowed "$out/policy" "$@"
	grep -v '^ok ' <<<"$output"
	[ "$status" -eq 0 ]
}

@test "SELinux: by the reference policy each program may do what the table says, and nothing is permissive" {
	tests/tree/selinux/policy "$out"
	holds
}

@test "SELinux: by interfaces that behave as Fedora's do the module compiles, and the table holds whole" {
	tests/tree/selinux/policy "$out" fedora
	holds --all
}

@test "SELinux: a table that asks for more is not held, nor one that forbids what is allowed" {
	tests/tree/selinux/policy "$out"
	mkdir "$BATS_TEST_TMPDIR/table"
	cp tests/tree/selinux/allowed "$BATS_TEST_TMPDIR/table/"
	for row in 'hook file shadow_t read # no' 'never hook dir sysfs_t search # no' 'becomes agent file tmpfs_t vferry_tmpfs_t # no' 'hook file no_such_t read # no'; do
		echo "$row" >"$BATS_TEST_TMPDIR/table/accesses"
		run "$BATS_TEST_TMPDIR/table/allowed" "$out/policy"
		echo "$output"
		[ "$status" -eq 1 ]
	done
}

@test "SELinux: hook, worker, agent and state have labels of their own on RHEL 9, RHEL 10 and Fedora" {
	command -v matchpathcon >/dev/null || skip "matchpathcon is not installed; run: install/dependencies --what check"
	install/selinux/build "$out"
	semodule_unpackage "$out/vferry.pp" "$out/module" "$out/contexts.of-vferry"
	bad=0
	# What Fedora's policies of those days have: RHEL 9; RHEL 10; Fedora 41 and later, where /usr/sbin is a link.
	for subs in '/run /var/run' '/var/run /run' $'/var/run /run\n/usr/sbin /usr/bin'; do
		for row in /etc/libvirt/hooks/qemu.d/50-vferry=vferry_hook_exec_t /usr/libexec/vferry/50-vferry=vferry_hook_exec_t \
			/usr/libexec/vferry/hook=vferry_hook_exec_t /usr/libexec/vferry/guest=bin_t /usr/sbin/vferry=bin_t \
			/usr/sbin/vferryd=vferryd_exec_t /run/vferry=vferry_var_run_t /run/vferry/lock=vferry_var_run_t \
			/var/lib/vferry=vferry_var_lib_t /var/lib/vferry/prepared.json=vferry_var_lib_t; do
			has=$(label "$subs" "${row%=*}")
			[ "$has" = "${row#*=}" ] || { echo "${subs//$'\n'/, }: ${row%=*} is $has, not ${row#*=}"; bad=1; }
		done
	done
	[ "$bad" -eq 0 ]
}

@test "SELinux: vferry check asks for every type that a file of vferry's has, and only for such as the module makes" {
	asked=$(sed -n '/^static void read_module/,/^}/s/^\t\t"\(vferry[a-z_"\, ]*\),$/\1/p' helpers/lib/host/facts.c | tr -d '",' | tr ' ' '\n')
	[ "$(wc -w <<<"$asked")" -ge 4 ]
	for type in $asked; do
		grep -qx "type $type;" install/selinux/vferry.te || { echo "the module does not make $type"; false; }
	done
	while read -r type; do
		grep -qx "$type" <<<"$asked" || { echo "nobody asks for $type"; false; }
	done < <(sed -n 's/.*object_r:\([a-z_]*\),.*/\1/p' install/selinux/vferry.fc | sort -u)
}
