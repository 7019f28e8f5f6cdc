#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# vferry fleet over records of whole fleets, which tests/fleet/make makes of short descriptions.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	vferry=${BUILD:-build}/vferry
	[ -x "$vferry" ] || skip "$vferry is not built"
	command -v jq >/dev/null || skip "jq is not installed; run: install/dependencies --what lab"
	perl -MJSON::PP -e 1 2>/dev/null || skip "perl's JSON::PP is not installed; run: install/dependencies --what lab"
	records=$BATS_TEST_TMPDIR/records
}

# made NAME: makes the records of a described fleet.
made() {
	tests/fleet/make "tests/fleet/$1.fleet" "$records"
}

# of_fleet ARGUMENT...: vferry fleet over the records, with the defaults.
of_fleet() {
	"$vferry" fleet "$@" --inventory "$records" --settings /nonexistent/vferry.conf
}

# in_flight PLAN: prints the most VFs that leave, or reach, one host in one wave.
in_flight() {
	jq '[.moves | group_by(.wave)[] | (map(.vfs) | add), (group_by(.to)[] | map(.vfs) | add)] | max' "$1"
}

@test "a small fleet: the host can be emptied, and each wave keeps the limit at both ends" {
	made small
	run of_fleet evacuate hostA
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == "hostA can be emptied: 4 guests in 2 waves, about 3 min." ]]
	[[ $output == *"No plan moves more guests: that is proven. Nor can it be done in fewer waves."* ]]
	of_fleet evacuate hostA --json >"$BATS_TEST_TMPDIR/plan"
	[ "$(in_flight "$BATS_TEST_TMPDIR/plan")" -le 4 ]
	[ "$(jq '.moved' "$BATS_TEST_TMPDIR/plan")" -eq 4 ]
}

@test "islands of firmware: guests stay within theirs, and the matrix says what would have to change" {
	made islands
	run of_fleet matrix
	[ "$status" -eq 0 ]
	[[ $output == *"hostA, hostB (PSID MT_0000000834, firmware 28.41.1000"* ]]
	of_fleet matrix --json >"$BATS_TEST_TMPDIR/matrix"
	[ "$(jq -r '.guests[] | select(.guest == "web1").can_go | [.hostA, .hostB, .hostC, .hostE] | join(" ")' "$BATS_TEST_TMPDIR/matrix")" = "here yes flash card" ]
	of_fleet evacuate hostA --json >"$BATS_TEST_TMPDIR/plan"
	[ "$(jq -r '[.moves[].to] | unique | join(" ")' "$BATS_TEST_TMPDIR/plan")" = hostB ]
}

@test "two guests with one MAC are named, on two hosts and on one; a guest that is seen on two hosts is one guest" {
	made small
	run of_fleet matrix
	[ "$status" -eq 0 ]
	[[ $output != *"one MAC"* ]]
	mac() { # HOST GUEST MAC
		jq --arg guest "$2" --arg mac "$3" '(.guests[] | select(.name == $guest)).macs = [$mac]' "$records/$1.json" >"$BATS_TEST_TMPDIR/new"
		mv "$BATS_TEST_TMPDIR/new" "$records/$1.json"
	}
	there=$(jq -r '.guests[0].name' "$records/hostB.json")
	mac hostA web1 52:00:00:00:00:01
	mac hostB "$there" 52:00:00:00:00:01
	mac hostA web2 52:00:00:00:00:02
	mac hostA db1 52:00:00:00:00:02
	run of_fleet matrix
	[ "$status" -eq 0 ]
	[[ $output == *"one MAC: web1 on hostA and $there on hostB: 52:00:00:00:00:01"* ]]
	[[ $output == *"one MAC: web2 on hostA and db1 on hostA: 52:00:00:00:00:02"* ]]
	[ "$(grep -c "one MAC" <<<"$output")" -eq 2 ]
	[ "$(of_fleet matrix --json | jq '.one_mac | length')" -eq 2 ]
	uuid=$(jq -r '.guests[] | select(.name == "web1").uuid' "$records/hostA.json")
	jq --arg uuid "$uuid" '.guests[0].uuid = $uuid' "$records/hostB.json" >"$BATS_TEST_TMPDIR/new" && mv "$BATS_TEST_TMPDIR/new" "$records/hostB.json"
	[ "$(of_fleet matrix --json | jq '.one_mac | length')" -eq 1 ]
}

@test "a host that cannot be emptied: how many can leave is proven, and each that stays has its reason and cure" {
	made stuck
	run of_fleet evacuate hostA
	[ "$status" -eq 1 ]
	[[ ${lines[0]} == "hostA cannot be emptied: 6 of 8 guests can leave, in 3 waves"* ]]
	of_fleet evacuate hostA --json >"$BATS_TEST_TMPDIR/plan" || true
	[ "$(jq -c '[.moved, .bound]' "$BATS_TEST_TMPDIR/plan")" = "[6,6]" ]
	[[ $(jq -r '.stays[] | select(.guest == "db1").reason.what' "$BATS_TEST_TMPDIR/plan") == *"vIOMMU"* ]]
	[[ $(jq -r '.stays[] | select(.guest == "lb1").reason.what' "$BATS_TEST_TMPDIR/plan") == *"full"*"maintenance"* ]]
}

@test "guests that are kept apart go to different hosts, and to no host that has one of them" {
	made small
	of_fleet evacuate hostA --apart "web1,web2" --json >"$BATS_TEST_TMPDIR/plan"
	[ "$(jq -r '[.moves[] | select(.guest == "web1" or .guest == "web2").to] | unique | length' "$BATS_TEST_TMPDIR/plan")" -eq 2 ]
	of_fleet evacuate hostA --apart "web1,web3" --json >"$BATS_TEST_TMPDIR/plan"
	[ "$(jq -r '.moves[] | select(.guest == "web1").to' "$BATS_TEST_TMPDIR/plan")" = hostC ]
	run of_fleet evacuate hostA --apart "web1,nobody"
	[ "$status" -eq 1 ]
	[[ $output == *"no host that was read runs a guest of that name"* ]]
}

@test "only to one host, only in time, and as a script" {
	made small
	run of_fleet evacuate hostA --to hostB
	[ "$status" -eq 1 ]
	[[ $output == *"hostB lacks"*"free VF"* ]]
	run of_fleet evacuate hostA --within 1m
	[ "$status" -eq 1 ]
	[[ $output == *"Not within 60 s: "*web1* ]]
	run of_fleet evacuate hostA --within 5m
	[ "$status" -eq 0 ]
	of_fleet evacuate hostA --script >"$BATS_TEST_TMPDIR/script"
	bash -n "$BATS_TEST_TMPDIR/script"
	[ "$(grep -c '^virsh -c qemu+ssh://hostA/system migrate --live ' "$BATS_TEST_TMPDIR/script")" -eq 4 ]
	[ -z "$(grep -vE '^(virsh |wait$|# wave )' "$BATS_TEST_TMPDIR/script" || true)" ]
}

@test "an upgrade: each guest changes once, none stops, and the plan can be followed to its end" {
	made small
	run of_fleet upgrade --firmware 28.44.1036
	[ "$status" -eq 0 ]
	[[ $output == *"7 guests must change once"* ]]
	[[ $output == *"mstflint -d 0000:81:00.0 -i IMAGE burn"* ]]
	of_fleet upgrade --firmware 28.44.1036 --json >"$BATS_TEST_TMPDIR/plan"
	[ "$(jq -c '[.changes, .stops, .lives, .lives_bound]' "$BATS_TEST_TMPDIR/plan")" = "[7,0,1,1]" ]
	[ "$(jq -r '[.steps[].moves[] | select(.way == "change").guest] | unique | length' "$BATS_TEST_TMPDIR/plan")" -eq 7 ]
	run of_fleet upgrade --firmware 28.43.1014
	[ "${lines[0]}" = "All 3 hosts run 28.43.1014 already." ]
}

@test "the loss of a host" {
	made small
	run of_fleet survive hostA
	[ "$status" -eq 0 ]
	[[ $output == "If hostA died now, there would be a place for each of its 4 guests."* ]]
	made stuck
	run of_fleet survive hostA
	[ "$status" -eq 1 ]
	[[ $output == *"would find no place"* ]]
}

@test "a record that is broken is named and left out, and without any there is a sentence" {
	made small
	echo '{ "hostname": 7 }' >"$records/hostB.json"
	run of_fleet evacuate hostA
	[[ $output == *"without: hostB.json ("* ]]
	rm -r "$records"
	mkdir "$records"
	run of_fleet matrix
	[ "$status" -eq 1 ]
	[[ $output == *"no host could be read"* ]]
}

@test "wrong use is said" {
	made small
	for words in "evacuate" "dance hostA" "upgrade" "matrix --within 5m" "survive hostA --run" "evacuate hostA --firmware 1"; do
		# shellcheck disable=SC2086 # words
		run of_fleet $words
		echo "$words: $output"
		[ "$status" -eq 2 ]
		[[ $output == *"see vferry fleet --help"* ]]
	done
	run of_fleet evacuate hostZ
	[ "$status" -eq 1 ]
	[[ $output == *"hostZ: it is none of the hosts that were read"* ]]
	run of_fleet evacuate hostA --within soon
	[ "$status" -eq 2 ]
}

# cib HOST:VFS... -- GUEST:VFS...: prints a Pacemaker cluster that places guests by their VFs.
cib() {
	local word number=0 nodes='' states='' guests='' part=nodes

	for word in "$@"; do
		number=$((number + 1))
		case $part$word in
		*--) part=guests ;;
		nodes*)
			nodes+="<node id='$number' uname='${word%:*}'><utilization id='u$number'><nvpair id='v$number' name='vfs' value='${word#*:}'/></utilization></node>"
			states+="<node_state id='$number' uname='${word%:*}' in_ccm='true' crmd='online' join='member' expected='member'/>"
			;;
		*) guests+="<primitive id='${word%:*}' class='ocf' provider='heartbeat' type='Dummy'><utilization id='u$number'><nvpair id='v$number' name='vfs' value='${word#*:}'/></utilization></primitive>" ;;
		esac
	done
	cat <<-END
		<cib validate-with="pacemaker-3.2" admin_epoch="0" epoch="1" num_updates="0"><configuration><crm_config><cluster_property_set id="o">
		<nvpair id="o1" name="stonith-enabled" value="false"/><nvpair id="o2" name="placement-strategy" value="utilization"/>
		<nvpair id="o3" name="no-quorum-policy" value="ignore"/></cluster_property_set></crm_config><nodes>$nodes</nodes>
		<resources>$guests</resources><constraints/></configuration><status>$states</status></cib>
	END
}

# by_pacemaker HOST:VFS... -- GUEST:VFS...: prints how many guests Pacemaker finds a place for.
by_pacemaker() {
	cib "$@" >"$BATS_TEST_TMPDIR/cib.xml"
	crm_simulate -S -x "$BATS_TEST_TMPDIR/cib.xml" | sed -n '/Revised Cluster Status/,$p' | grep -c ':.*Started ' || true
}

# by_fleet HOST:VFS... -- GUEST:VFS...: prints how many guests vferry does, which are on a host beside those, and what it proves.
by_fleet() {
	local word part=host guests=''

	rm -rf "$records"
	{
		echo "host source vfs=100"
		for word in "$@"; do
			if [ "$word" = -- ]; then
				part=guest
			elif [ "$part" = host ]; then
				echo "host ${word%:*} vfs=${word#*:}"
			else
				echo "guest ${word%:*} source vfs=${word#*:}"
			fi
		done
	} >"$BATS_TEST_TMPDIR/made.fleet"
	tests/fleet/make "$BATS_TEST_TMPDIR/made.fleet" "$records"
	of_fleet evacuate source --json >"$BATS_TEST_TMPDIR/plan" || true
	jq -r '"\(.moved) \(.bound)"' "$BATS_TEST_TMPDIR/plan"
}

@test "beside Pacemaker: where it leaves a guest without a place that has one, vferry finds it; it never finds fewer" {
	command -v crm_simulate >/dev/null || skip "crm_simulate is not installed; run: install/dependencies --what check"
	[ "$(by_pacemaker hostB:3 hostC:2 -- g1:2 g2:1 g3:2)" -eq 2 ]
	[ "$(by_fleet hostB:3 hostC:2 -- g1:2 g2:1 g3:2)" = "3 3" ]
	RANDOM=19
	more=0
	for ((n = 0; n < 15; n++)); do
		words=()
		for host in hostB hostC hostD; do words+=("$host:$((1 + RANDOM % 6))"); done
		words+=(--)
		for guest in g1 g2 g3 g4 g5 g6; do words+=("$guest:$((1 + RANDOM % 4))"); done
		theirs=$(by_pacemaker "${words[@]}")
		read -r ours bound < <(by_fleet "${words[@]}")
		echo "${words[*]}: Pacemaker $theirs, vferry $ours, bound $bound"
		[ "$ours" -ge "$theirs" ]
		[ "$ours" -eq "$bound" ]
		more=$((more + ours - theirs))
	done
	echo "# of 15 random fleets with 6 guests each, Pacemaker left $more guests more without a place" >&3
}

@test "--run: a refusal leaves the guest where it is, is written into the plan, and a guest that has left is seen (libvirt's test driver)" {
	guest=${BUILD:-build}/guest
	made small
	of_fleet evacuate hostA --plan "$BATS_TEST_TMPDIR/plan" >/dev/null
	# The test driver has one guest, named test, and moves nobody.
	jq '.uri = "test:///default" | .moves[0].uuid = "6695eb01-f6a4-8304-79aa-97f2502e193f"' "$BATS_TEST_TMPDIR/plan" >"$BATS_TEST_TMPDIR/run"
	run "$guest" fleet evacuate hostA --run --plan "$BATS_TEST_TMPDIR/run"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"refused: hostC: libvirt cannot move it: "*"it runs on"* ]]
	[[ $output == *"3 of 4 guests of the plan have left hostA."* ]]
	[ "$(jq -r '[.moves[].state] | join(" ")' "$BATS_TEST_TMPDIR/run")" = "refused done done done" ]
	[[ $output == *"Going on with the plan in "* ]]
	# A guest that has come back since is no guest that has left.
	jq '.moves[0].state = "done"' "$BATS_TEST_TMPDIR/run" >"$BATS_TEST_TMPDIR/back"
	run "$guest" fleet evacuate hostA --run --plan "$BATS_TEST_TMPDIR/back"
	[ "$status" -eq 1 ]
	[[ $output == *"3 of 4 guests of the plan have left hostA."* ]]
	run "$guest" fleet evacuate hostB --run --plan "$BATS_TEST_TMPDIR/run"
	[ "$status" -eq 1 ]
	[[ $output == *"it is the plan of another host"* ]]
}

@test "64 hosts with 1000 guests: the best plan and its bound in less than 5 s and 200 MB" {
	tests/fleet/make --random 64 1000 7 "$records"
	command -v /usr/bin/time >/dev/null || skip "/usr/bin/time is not installed"
	/usr/bin/time -f '%U %M' -o "$BATS_TEST_TMPDIR/time" "$vferry" fleet evacuate h001 --inventory "$records" --settings /nonexistent/vferry.conf --json >"$BATS_TEST_TMPDIR/plan" || true
	read -r seconds kilobytes < <(tail -1 "$BATS_TEST_TMPDIR/time")
	echo "# 64 hosts, 1000 guests: $seconds s, $((kilobytes / 1024)) MB, $(jq -c '[.moved, .bound, .waves, .waves_bound]' "$BATS_TEST_TMPDIR/plan")" >&3
	[ "$(jq '.bound >= .moved and .moved > 0' "$BATS_TEST_TMPDIR/plan")" = true ]
	[ "${seconds%.*}" -lt 5 ]
	[ "$kilobytes" -lt 204800 ]
}
