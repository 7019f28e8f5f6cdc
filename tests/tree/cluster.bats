#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# vferry under Pacemaker: the printed lines are typed into crmsh and pcs, which change a CIB that is a file; crm_simulate shows what a cluster
# does with a refused migration before and after; the resource agent is tried by ocf-tester, and publishes into such a CIB.

bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	vferry=$PWD/${BUILD:-build}/vferry
	[ -x "$vferry" ] || skip "$vferry is not built"
	need crm_simulate
	perl -MJSON::PP -e 1 2>/dev/null || skip "perl's JSON::PP is not installed; run: install/dependencies --what lab"
	records=$BATS_TEST_TMPDIR/records
	cib=$BATS_TEST_TMPDIR/cib.xml
	tests/fleet/make tests/fleet/small.fleet "$records"
}

# need PROGRAM: skips where it is missing.
need() {
	command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] || skip "$1 is not installed; run: install/dependencies --what check"
}

# of_host HOST ARGUMENT...: vferry on a recorded host, with the defaults and the CIB.
of_host() {
	local host=$1
	shift
	"$vferry" "$@" --inventory "$records/$host.json" --settings /nonexistent/vferry.conf --cib "$cib"
}

# primitive NAME [OPERATIONS]: a guest's resource.
primitive() {
	cat <<-END
		<primitive id="$1" class="ocf" provider="heartbeat" type="VirtualDomain">
		<instance_attributes id="$1-i"><nvpair id="$1-c" name="config" value="$BATS_TEST_TMPDIR/$1.xml"/></instance_attributes>
		<meta_attributes id="$1-m"><nvpair id="$1-a" name="allow-migrate" value="true"/></meta_attributes>
		<operations><op id="$1-o" name="monitor" interval="30s" timeout="30s"/>$2</operations></primitive>
	END
}

# make_cib [OPERATIONS]: hostA, hostB and hostC with web1 and db1, which are on hostA.
make_cib() {
	local node number=0

	{
		cat <<-END
			<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.2" admin_epoch="0" epoch="1" num_updates="0"><configuration><crm_config>
			<cluster_property_set id="o"><nvpair id="o1" name="stonith-enabled" value="false"/><nvpair id="o2" name="no-quorum-policy" value="ignore"/>
			</cluster_property_set></crm_config><nodes>
		END
		for node in hostA hostB hostC; do echo "<node id='$((++number))' uname='$node'/>"; done
		echo "</nodes><resources>$(primitive web1 "$1")$(primitive db1 "$1")</resources><constraints>"
		echo "<rsc_location id='l1' rsc='web1' node='hostA' score='100'/><rsc_location id='l2' rsc='db1' node='hostA' score='100'/>"
		echo "</constraints></configuration><status>"
		number=0
		for node in hostA hostB hostC; do
			echo "<node_state id='$((++number))' uname='$node' in_ccm='true' crmd='online' join='member' expected='member'/>"
		done
		echo "</status></cib>"
	} >"$cib"
}

# publish HOST...: what the agent would, by vferry's own words.
publish() {
	local host name value kind

	for host in "$@"; do
		while IFS='=' read -r name value; do
			kind=--lifetime=reboot
			[ "$name" != vferry-vfs ] || kind=--utilization
			CIB_file=$cib crm_attribute --node "$host" "$kind" --name "$name" --update "$value"
		done < <(of_host "$host" cluster --node)
	done
}

# type_lines TOOL: types what is printed for a tool, line by line, each in a shell of its own; in a private /usr/lib/ocf that has the agent.
type_lines() {
	local line script=$BATS_TEST_TMPDIR/lines

	of_host hostA cluster --all "--$1" | grep -v '^#' >"$script"
	[ -s "$script" ]
	cp -r /usr/lib/ocf/resource.d "$BATS_TEST_TMPDIR/agents"
	mkdir "$BATS_TEST_TMPDIR/agents/vferry"
	cp install/ocf/host "$BATS_TEST_TMPDIR/agents/vferry/host"
	while read -r line; do
		echo "+ $line"
		[ "$1" != pcs ] || line="pcs -f $cib ${line#pcs }"
		# shellcheck disable=SC2016 # for the other shell
		CIB_file=$cib unshare -m sh -c 'mount --bind "$1" /usr/lib/ocf/resource.d && exec sh -c "$2"' - "$BATS_TEST_TMPDIR/agents" "$line" </dev/null
	done <"$script"
	run crm_verify --xml-file "$cib"
	echo "$output"
	[ "$status" -eq 0 ]
}

# drain [FAILED [OPERATION]]: hostA goes on standby once the guests run there, and the migration of FAILED is refused, or another operation; prints what the cluster does then.
drain() {
	crm_simulate -S -x "$cib" -O "$BATS_TEST_TMPDIR/runs.xml" >/dev/null
	CIB_file=$BATS_TEST_TMPDIR/runs.xml crm_attribute --node hostA --name standby --update on
	crm_simulate -S -x "$BATS_TEST_TMPDIR/runs.xml" ${1:+-F "$1_${2:-migrate_to_0@hostA}=1"} -O "$BATS_TEST_TMPDIR/after.xml"
	crm_simulate -S -x "$BATS_TEST_TMPDIR/after.xml"
}

# typed_once TOOL: every node has published, and the lines are typed: web1, which is refused, runs on, db1 moves, and nothing is left to be typed.
typed_once() {
	publish hostA hostB hostC
	type_lines "$1"
	run drain web1
	echo "$output"
	[[ $output != *"web1            stop on hostA"* ]]
	[[ $output == *"db1             migrate_to on hostA"* ]]
	# It has gone, and its new node does not see it in time.
	for host in hostB hostC; do
		run drain web1 "migrate_from_0@$host"
		[[ $output == *"web1            migrate_to on hostA"* ]]
		lacks "web1            stop on host[BC]" <<<"$output"
	done
	[ -z "$(of_host hostA cluster --all | grep -v '^#' || true)" ]
}

@test "the harm: by Pacemaker's defaults a refused migration stops the guest on both nodes, and check says so" {
	make_cib
	run drain web1
	echo "$output"
	[[ $output == *"web1            stop on hostA"* ]]
	run of_host hostA check
	[ "$status" -eq 1 ]
	output=$(tr -s ' \n' ' ' <<<"$output")
	[[ $output == *"V12 Pacemaker FAILURE a refused migration would stop web1, db1: Pacemaker has on-fail=restart (its default)"* ]]
	[[ $output == *"vferry cluster --all"* ]]
}

@test "the harm: by Pacemaker's defaults a guest is stopped where it has gone, if it is not seen there in time, and check says so" {
	make_cib '<op id="web1-t" name="migrate_to" interval="0s" timeout="480s" on-fail="block"/>'
	sed -i '0,/db1-o/s/\(id="db1-o".*\)id="web1-t"/\1id="db1-t"/; s/id="web1-t" name/id="T" name/2g' "$cib"
	stopped=0
	for host in hostB hostC; do
		run drain web1 "migrate_from_0@$host"
		[[ $output != *"web1            stop on $host"* ]] || stopped=$((stopped + 1))
	done
	[ "$stopped" -ge 1 ]
	run of_host hostA check
	[ "$status" -eq 1 ]
	output=$(tr -s ' \n' ' ' <<<"$output")
	[[ $output == *"V12 Pacemaker FAILURE web1, db1 would be stopped where it has gone, if it is not seen to run there in 20 s: Pacemaker has on-fail=restart (its default) for migrate_from"* ]]
}

@test "what crmsh is told, line by line, prevents it: a refused guest runs on, the others move, and check is content" {
	need crm
	[ "$(id -u)" -eq 0 ] || skip "root alone makes a namespace"
	make_cib
	typed_once crmsh
	run of_host hostA check
	output=$(tr -s ' \n' ' ' <<<"$output")
	[[ $output == *"V12 Pacemaker ok a refused migration leaves every guest"* ]]
}

@test "what crmsh is told where the guests have an operation migrate_to already" {
	need crm
	[ "$(id -u)" -eq 0 ] || skip "root alone makes a namespace"
	make_cib
	sed -i 's|<op id="\([a-z0-9]*\)-o"[^>]*>|&<op id="\1-t" name="migrate_to" interval="0s" timeout="120s"/>|' "$cib"
	typed_once crmsh
}

@test "what crmsh is told of guests as VirtualDomain leaves them: with operations, and with a utilization behind those" {
	need crm
	[ "$(id -u)" -eq 0 ] || skip "root alone makes a namespace"
	make_cib
	sed -i 's|\(<op id="\([a-z0-9]*\)-o".*\)\(</primitive>\)|\1<utilization id="\2-u"><nvpair id="\2-u1" name="cpu" value="1"/></utilization>\3|' "$cib"
	grep -q '</operations><utilization' "$cib"
	typed_once crmsh
}

@test "what pcs is told, line by line, prevents it too; a node of another firmware comes last" {
	need pcs
	[ "$(id -u)" -eq 0 ] || skip "root alone makes a namespace"
	make_cib
	typed_once pcs
	CIB_file=$cib crm_attribute --node hostB --lifetime=reboot --name vferry-card --update MT_0000000834-28.44.1036
	run drain
	echo "$output"
	grep -qE 'web1\s.*Started hostC' <<<"$output"
	grep -qE 'db1\s.*Started hostC' <<<"$output"
}

# lacks PATTERN: there is no such line.
lacks() {
	run grep -e "$1"
	[ "$status" -eq 1 ]
}

@test "an agent whose stop fails has no node fenced: what is printed says so, and so it is mended where it was made without" {
	need crm
	[ "$(id -u)" -eq 0 ] || skip "root alone makes a namespace"
	make_cib
	sed -i 's|<resources>|&<clone id="vc"><primitive id="vferry-host" class="ocf" provider="vferry" type="host"><operations><op id="vm" name="monitor" interval="60s" timeout="90s"/></operations></primitive></clone>|; s|name="stonith-enabled" value="false"|name="stonith-enabled" value="true"|; s|<resources>|&<primitive id="f" class="stonith" type="fence_dummy"/>|' "$cib"
	drain_agent() {
		crm_simulate -S -x "$cib" -O "$BATS_TEST_TMPDIR/runs.xml" >/dev/null
		CIB_file=$BATS_TEST_TMPDIR/runs.xml crm_attribute --node hostA --name standby --update on
		crm_simulate -S -x "$BATS_TEST_TMPDIR/runs.xml" -F "vferry-host_stop_0@hostA=1" -O "$BATS_TEST_TMPDIR/after.xml" >/dev/null
		crm_simulate -S -x "$BATS_TEST_TMPDIR/after.xml"
	}
	run drain_agent
	echo "$output"
	grep -qi 'fenc.*hostA' <<<"$output"
	publish hostA hostB hostC
	type_lines crmsh
	run drain_agent
	echo "$output"
	lacks 'Fencing hostA\|Fence.*hostA' <<<"$output"
	[ -z "$(of_host hostA cluster --all | grep -v '^#' || true)" ]
}

# stops CIB: whether Pacemaker would stop a guest that runs on hostA; shows what it would do.
stops() {
	crm_simulate -S -x "$1" | tee /dev/stderr | grep -qE '^ *\* (Stop|Restart|Recover) '
}

# running: the guests run on hostA.
running() {
	crm_simulate -S -x "$cib" -O "$BATS_TEST_TMPDIR/runs.xml" >/dev/null
	cp "$BATS_TEST_TMPDIR/runs.xml" "$cib"
}

@test "no line stops a guest: typed in their order, before any node has published, and under what VirtualDomain writes" {
	need crm
	[ "$(id -u)" -eq 0 ] || skip "root alone makes a namespace"
	make_cib
	sed -i 's|\(<op id="\([a-z0-9]*\)-o".*\)\(</primitive>\)|\1<utilization id="\2-u"><nvpair id="\2-u1" name="cpu" value="1"/><nvpair id="\2-u2" name="hv_memory" value="64"/></utilization>\3|' "$cib"
	running
	type_lines crmsh
	run -1 stops "$cib"
	# All of them leave a node that nobody can take them from: no node is of their firmware.
	publish hostA hostB hostC
	for host in hostB hostC; do CIB_file=$cib crm_attribute --node "$host" --lifetime=reboot --name vferry-card --update MT_0000000834-28.44.1036; done
	run -1 stops "$cib"
	run drain
	[[ $output != *"web1            stop on hostA"*"web1            start"* ]] || [[ $output == *"web1            migrate_to on hostA"* ]]
	# The agent is stopped.
	CIB_file=$cib crm_attribute --node hostA --lifetime=reboot --name vferry-card --delete
	run -1 stops "$cib"
}

@test "where a cluster places by utilization, guests' VFs are told once every node has published its own" {
	make_cib
	sed -i 's|</cluster_property_set>|<nvpair id="o3" name="placement-strategy" value="utilization"/>&|' "$cib"
	run of_host hostA cluster --all
	[[ $output == *"not every node has published its VFs"* ]]
	[[ $output != *"crm resource utilization"* ]]
	publish hostA hostB hostC
	run of_host hostA cluster --all
	[[ $output != *"not every node has published its VFs"* ]]
	[[ $output == *"crm resource utilization db1 set vferry-vfs 2"* ]]
}

@test "a rule that names another firmware than the host has is replaced" {
	make_cib
	sed -i 's|</constraints>|<rsc_location id="of-old" rsc="web1"><rule id="r" score="-100000" boolean-op="and"><expression id="e1" attribute="vferry-card" operation="defined"/><expression id="e2" attribute="vferry-card" operation="ne" value="MT_0000000834-28.42.1000"/></rule></rsc_location>&|' "$cib"
	run of_host hostA cluster --all
	[[ $output == *"pcs constraint delete of-old"*"pcs constraint location web1 rule id=vferry-card-web1"* ]]
	[[ $output == *"crm configure delete of-old"*"crm configure location vferry-card-web1 web1 rule"* ]]
}

@test "check knows a timeout that is too short, on-fail=ignore, and a guest that is only stopped and started" {
	make_cib '<op id="web1-t" name="migrate_to" interval="0s" timeout="120s" on-fail="block"/>'
	sed -i 's|</configuration>|<op_defaults><meta_attributes id="od"><nvpair id="od1" name="on-fail" value="block"/><nvpair id="od2" name="timeout" value="120s"/></meta_attributes></op_defaults>&|' "$cib"
	sed -i '0,/db1-o/s/\(id="db1-o".*\)id="web1-t"/\1id="db1-t"/; s/id="web1-t" name/id="T" name/2g' "$cib"
	run of_host hostA check
	output=$(tr -s ' \n' ' ' <<<"$output")
	echo "$output"
	[[ $output == *"V12 Pacemaker WARNING Pacemaker gives a migration of web1, db1 up after 120 s, and with a wait for a slot it can take 480 s"* ]]
	# What it says is enough.
	[[ $output =~ "set patience = "([0-9]+)" in vferry.conf" ]]
	printf '[hook]\npatience = %s\n' "${BASH_REMATCH[1]}" >"$BATS_TEST_TMPDIR/vferry.conf"
	run "$vferry" check --inventory "$records/hostA.json" --settings "$BATS_TEST_TMPDIR/vferry.conf" --cib "$cib"
	[[ $(tr -s ' \n' ' ' <<<"$output") != *"Pacemaker gives a migration of"* ]]
	sed -i 's/on-fail="block"/on-fail="ignore"/' "$cib"
	run of_host hostA check
	[[ $(tr -s ' \n' ' ' <<<"$output") == *"would stop web1, db1: Pacemaker has on-fail=ignore"* ]]
	sed -i 's/name="allow-migrate" value="true"/name="allow-migrate" value="false"/' "$cib"
	run of_host hostA check
	[[ $(tr -s ' \n' ' ' <<<"$output") == *"V12 Pacemaker WARNING Pacemaker does not know where web1, db1 can go"* ]]
}

@test "a guest that has no host device is none of its business, and one that names an address is told" {
	make_cib
	cp tests/unit/data/command/guest.xml "$BATS_TEST_TMPDIR/web1.xml"
	sed -i 's|<name>.*</name>|<name>web1</name>|' "$BATS_TEST_TMPDIR/web1.xml"
	printf '<domain type="kvm"><name>db1</name><uuid>9e0c7f57-b8d6-4b29-8c3e-20d1f7a65b44</uuid><devices/></domain>' >"$BATS_TEST_TMPDIR/db1.xml"
	run of_host hostA check
	[[ $(tr -s ' \n' ' ' <<<"$output") == *"a refused migration would stop web1: "* ]]
	run of_host hostA cluster --all
	[ "$status" -eq 0 ]
	[[ $output == *"# web1: $BATS_TEST_TMPDIR/web1.xml names VF "*"Name a pool there"* ]]
}

# files: what Pacemaker starts the guests from can be read here.
files() {
	local name
	for name in web1 db1; do
		printf '<domain type="kvm"><name>%s</name><uuid>9e0c7f57-b8d6-4b29-8c3e-20d1f7a65b44</uuid><devices/></domain>' "$name" >"$BATS_TEST_TMPDIR/$name.xml"
	done
}

@test "the node: maintenance leaves as many VFs as guests of the cluster have, and guests of nobody's count as taken" {
	make_cib
	files
	run of_host hostA cluster --node
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"vferry-card=MT_0000000834-28.43.1014"* ]]
	# 8 VFs: web1 1 and db1 2 are the cluster's, web2 1 and lb1 4 are not.
	[[ $output == *"vferry-vfs=3"* ]]
	[[ $output == *"#health-vferry=green"* ]]
	run of_host hostB cluster --node
	[[ $output == *"vferry-vfs=5"* ]]
	sed -i 's/^{/{ "maintenance": true,/' "$records/hostB.json"
	run of_host hostB cluster --node
	[[ $output == *"vferry-vfs=0"* ]]
	[[ $output == *"#health-vferry=yellow"* ]]
	sed -i 's/28.43.1014/28.36.1000/g' "$records/hostB.json"
	run of_host hostB cluster --node
	[[ $output == *"#health-vferry=red"* ]]
	# Not ready: nothing arrives, but a node that had less than its guests use would have them stopped.
	sed -i 's/28.43.1014/28.36.1000/g' "$records/hostA.json"
	run of_host hostA cluster --node
	[[ $output == *"vferry-vfs=3"* ]]
	[[ $output == *"#health-vferry=red"* ]]
}

@test "the node: what cannot be told for sure is not told, and never fewer VFs than guests of the cluster have" {
	make_cib
	# The XML of one guest cannot be read, and its file has another name: whose its VFs are is not known, so all that are in use count.
	sed -i "s|$BATS_TEST_TMPDIR/db1.xml|/shared/vm-101.xml|" "$cib"
	run of_host hostA cluster --node
	[[ $output == *"vferry-vfs=8"* ]]
	# A guest whose VF is unplugged for a moment keeps what Pacemaker believes that it has.
	make_cib
	files
	sed -i 's|\(<op id="web1-o".*\)\(</primitive>\)|\1<utilization id="w"><nvpair id="w1" name="vferry-vfs" value="2"/></utilization>\2|' "$cib"
	run of_host hostA cluster --node
	[[ $output == *"vferry-vfs=4"* ]]
	# devlink does not tell.
	sed -i 's/"psid": *"[^"]*"/"psid":""/' "$records/hostA.json"
	run of_host hostA cluster --node
	[ "$status" -eq 1 ]
	[[ $output == *"devlink does not tell its PSID"* ]]
	# There is no answer from the cluster.
	run "$vferry" cluster --node --inventory "$records/hostB.json" --settings /nonexistent/vferry.conf
	[ "$status" -eq 1 ]
	[[ $output == *"cibadmin does not answer"* ]]
}

@test "wrong use is said, and so is a file that is no CIB" {
	make_cib
	for words in "" "--all --node" "web1 --all"; do
		# shellcheck disable=SC2086 # words
		run of_host hostA cluster $words
		[ "$status" -eq 2 ]
	done
	echo '<domain/>' >"$cib"
	run of_host hostA cluster --all
	[ "$status" -eq 1 ]
	[[ $output == *"this is no CIB of Pacemaker's"* ]]
}

# agent ACTION: calls the resource agent as Pacemaker does on hostA, with vferry looking at the recorded host.
agent() {
	printf '#!/bin/sh\nexec "%s" "$@" --inventory "%s" --settings /nonexistent/vferry.conf --cib "%s"\n' "$vferry" "$records/hostA.json" "$cib" \
		>"$BATS_TEST_TMPDIR/vferry"
	chmod +x "$BATS_TEST_TMPDIR/vferry"
	env OCF_ROOT=/usr/lib/ocf HA_RSCTMP="$BATS_TEST_TMPDIR/run" CIB_file="$cib" OCF_RESOURCE_INSTANCE=vferry-host:0 \
		OCF_RESKEY_CRM_meta_on_node=hostA OCF_RESKEY_CRM_meta_interval=60000 OCF_RESKEY_vferry="$BATS_TEST_TMPDIR/vferry" "$@"
}

# published KIND NAME: what hostA has in the CIB.
published() {
	CIB_file=$cib crm_attribute --node hostA "$1" --name "$2" --query --quiet 2>/dev/null
}

@test "the agent: ocf-tester finds nothing" {
	need ocf-tester
	make_cib
	run agent ocf-tester -n vferry-host -o vferry="$BATS_TEST_TMPDIR/vferry" "$PWD/install/ocf/host"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"passed all tests"* ]]
}

@test "the agent publishes at start and monitor, writes nothing that is so already, and takes card and health away at stop" {
	need ocf-tester
	make_cib
	run agent install/ocf/host monitor
	[ "$status" -eq 7 ]
	agent install/ocf/host start
	[ "$(published --lifetime=reboot vferry-card)" = MT_0000000834-28.43.1014 ]
	[ "$(published --utilization vferry-vfs)" = 3 ]
	[ "$(published --lifetime=reboot '#health-vferry')" = green ]
	cp "$cib" "$BATS_TEST_TMPDIR/before"
	agent install/ocf/host monitor
	cmp "$cib" "$BATS_TEST_TMPDIR/before"
	sed -i 's/28.43.1014/28.44.1036/g' "$records/hostA.json"
	agent install/ocf/host monitor
	[ "$(published --lifetime=reboot vferry-card)" = MT_0000000834-28.44.1036 ]
	# vferry that does not answer takes nothing away, and is no failure of the guests' node.
	mv "$records/hostA.json" "$records/gone"
	agent install/ocf/host monitor
	[ "$(published --lifetime=reboot vferry-card)" = MT_0000000834-28.44.1036 ]
	mv "$records/gone" "$records/hostA.json"
	agent install/ocf/host stop
	[ -z "$(published --lifetime=reboot vferry-card)" ]
	[ "$(published --utilization vferry-vfs)" = 3 ] # a node that has fewer than its guests use would have them stopped
	run agent install/ocf/host monitor
	[ "$status" -eq 7 ]
}
