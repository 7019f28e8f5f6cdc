#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# hardware.bats: tests/hardware/run, with two hosts that are files: a stand-in for ssh answers for them. On which of them the guest is, and
# what was called, is in the files "where" and "called".

bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
	export T=$BATS_TEST_TMPDIR
	mkdir "$T/bin"
	echo hostA >"$T/where"
	cat >"$T/bin/ssh" <<'SSH'
#!/bin/bash
# A stand-in for ssh to one of two hosts.
while [[ $1 == -* ]]; do [ "$1" = -o ] && shift; shift; done
host=${1#root@} command=$2
echo "$host: $command" >>"$T/called"
case $command in
"vferry version"*) [ ! -e "$T/no-vferry" ] && echo 'vferry 0.1.0' ;;
"vferry report"*) mkdir -p "$T/report" && echo hello >"$T/report/host" ;;
"tar "*) tar -C "$T/report" -cf - . ;;
mktemp*) echo "$T/report" ;;
"vferry check web1"*) [ ! -e "$T/unfit" ] || { echo 'the guest cannot go there: another PSID'; exit 1; } ;;
"vferry check"*) echo Ready. ;;
"virsh domstate"*) if [ "$(cat "$T/where")" = "$host" ]; then echo running; else echo 'shut off'; fi ;;
"virsh domjobinfo"*) echo 'Total downtime:   120          ms' ;;
"virsh migrate"*)
	[ "$(cat "$T/where")" = "$host" ] || { echo "error: it is not on $host" >&2; exit 1; }
	[ "$host" != hostB ] || [ ! -e "$T/stuck" ] || { rm "$T/stuck"; echo 'error: the way back is closed' >&2; exit 1; }
	[[ $command =~ qemu\+ssh://([a-zA-Z]+)/system ]] && echo "${BASH_REMATCH[1]}" >"$T/where"
	[ ! -e "$T/kill" ] || { rm "$T/kill"; kill -TERM "$PPID"; }
	;;
esac
SSH
	chmod +x "$T/bin/ssh"
	export PATH=$T/bin:$PATH
}

# accept WORD...: the suite, without a question.
accept() { run -"$1" tests/hardware/run --hosts hostA,hostB --guest web1 --out "$T/out" "${@:2}"; }

@test "wrong arguments are named, and nothing is called" {
	run -2 tests/hardware/run
	[[ $output == *'--hosts wants two names'* ]]
	run -2 tests/hardware/run --hosts hostA,hostA --guest web1
	[[ $output == *'two different hosts'* ]]
	run -2 tests/hardware/run --hosts -oProxyCommand=x,hostB --guest web1
	run -2 tests/hardware/run --hosts hostA,hostB --guest '--all'
	[[ $output == *'--guest wants the name'* ]]
	run -2 tests/hardware/run --hosts hostA,hostB --guest web1 --times 0
	run -2 tests/hardware/run --hosts hostA,hostB --guest
	[[ $output == *'--guest needs a value'* ]]
	[ ! -e "$T/called" ]
}

@test "it asks before the guest is moved, and no is an answer" {
	run -3 tests/hardware/run --hosts hostA,hostB --guest web1 --out "$T/out" <<<'no'
	[[ $output == *'nothing was changed'* ]]
	run ! grep -q migrate "$T/called"
	[ -s "$T/out/report-hostA.tar" ]
}

@test "there and back, and a page that says so" {
	accept 0 --yes --times 2
	[ "$(cat "$T/where")" = hostA ]
	[ "$(grep -c 'virsh migrate' "$T/called")" -eq 4 ]
	grep -q '| ok | migration 2-back | hostB to hostA in .* s, QEMU stopped it for 120 ms |' "$T/out/README.md"
	python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); assert r["failed"] == 0 and len(r["results"]) == 9' "$T/out/results.json"
}

@test "a guest that cannot go there is not moved" {
	touch "$T/unfit"
	accept 1 --yes
	[[ $output == *'the guest cannot go there: another PSID'* ]]
	run ! grep -q 'virsh migrate' "$T/called"
}

@test "a way back that fails once is gone at the end, and said" {
	touch "$T/stuck"
	accept 1 --yes
	[ "$(cat "$T/where")" = hostA ]
	grep -q '| failed | migration 1-back | hostB to hostA: error: the way back is closed |' "$T/out/README.md"
	grep -q '| ok | the way home | web1 runs on hostA |' "$T/out/README.md"
}

@test "killed while the guest is away it brings the guest back" {
	touch "$T/kill"
	accept 143 --yes
	[ "$(cat "$T/where")" = hostA ]
	grep -q 'the way home' "$T/out/README.md"
}

@test "hosts without vferry, and a guest that is not there, are told" {
	touch "$T/no-vferry"
	accept 1 --yes
	[[ $output == *'vferry does not answer on hostA'* ]]
	rm "$T/no-vferry"
	rm -r "$T/out"
	echo hostB >"$T/where"
	accept 1 --yes
	[[ $output == *'guest web1 does not run on hostA'* ]]
}
