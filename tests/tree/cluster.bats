#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# vferry under Pacemaker: the printed lines are typed into crmsh and pcs, which change a CIB that is a file; crm_simulate shows what a cluster
# does with a refused migration before and after; the resource agent is tried by ocf-tester, and publishes into such a CIB.

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

# drain [FAILED]: hostA goes on standby once the guests run there, and the migration of FAILED is refused; prints what the cluster does then.
drain() {
	crm_simulate -S -x "$cib" -O "$BATS_TEST_TMPDIR/runs.xml" >/dev/null
	CIB_file=$BATS_TEST_TMPDIR/runs.xml crm_attribute --node hostA --name standby --update on
	crm_simulate -S -x "$BATS_TEST_TMPDIR/runs.xml" ${1:+-F "$1_migrate_to_0@hostA=1"} -O "$BATS_TEST_TMPDIR/after.xml"
	crm_simulate -S -x "$BATS_TEST_TMPDIR/after.xml"
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

@test "what crmsh is told, line by line, prevents it: a refused guest runs on, the others move, and check is content" {
	need crm
	[ "$(id -u)" -eq 0 ] || skip "root alone makes a namespace"
	make_cib
	publish hostA hostB hostC
	type_lines crmsh
	run drain web1
	echo "$output"
	[[ $output != *"web1            stop on hostA"* ]]
	[[ $output == *"db1             migrate_to on hostA"* ]]
	run of_host hostA check
	output=$(tr -s ' \n' ' ' <<<"$output")
	[[ $output == *"V12 Pacemaker ok a refused migration leaves every guest"* ]]
	# Typed once: nothing is left to be said but what is no matter of the guests.
	[ -z "$(of_host hostA cluster --all | grep -v '^#' || true)" ]
}

@test "what crmsh is told where the guests have an operation migrate_to already" {
	need crm
	[ "$(id -u)" -eq 0 ] || skip "root alone makes a namespace"
	make_cib
	sed -i 's|<op id="\([a-z0-9]*\)-o"[^>]*>|&<op id="\1-t" name="migrate_to" interval="0s" timeout="120s"/>|' "$cib"
	publish hostA hostB hostC
	type_lines crmsh
	run drain web1
	[[ $output != *"web1            stop on hostA"* ]]
	[ -z "$(of_host hostA cluster --all | grep -v '^#' || true)" ]
}

@test "what crmsh is told of guests as VirtualDomain leaves them: with operations, and with a utilization behind those" {
	need crm
	[ "$(id -u)" -eq 0 ] || skip "root alone makes a namespace"
	make_cib
	sed -i 's|\(<op id="\([a-z0-9]*\)-o".*\)\(</primitive>\)|\1<utilization id="\2-u"><nvpair id="\2-u1" name="cpu" value="1"/></utilization>\3|' "$cib"
	grep -q '</operations><utilization' "$cib"
	publish hostA hostB hostC
	type_lines crmsh
	run drain web1
	[[ $output != *"web1            stop on hostA"* ]]
	[ -z "$(of_host hostA cluster --all | grep -v '^#' || true)" ]
}

@test "what pcs is told, line by line, prevents it too; a node of another firmware or without free VFs is never chosen" {
	need pcs
	[ "$(id -u)" -eq 0 ] || skip "root alone makes a namespace"
	make_cib
	publish hostA hostB hostC
	type_lines pcs
	run drain web1
	echo "$output"
	[[ $output != *"web1            stop on hostA"* ]]
	[[ $output == *"db1             migrate_to on hostA"* ]]
	[ -z "$(of_host hostA cluster --all | grep -v '^#' || true)" ]
	# A node of another firmware is never chosen, nor one without free VFs: web1 has one VF and may go to hostC; for db1's two there is no room.
	CIB_file=$cib crm_attribute --node hostB --lifetime=reboot --name vferry-card --update MT_0000000834-28.44.1036
	CIB_file=$cib crm_attribute --node hostC --utilization --name vferry-vfs --update 1
	run drain
	echo "$output"
	grep -qE 'web1\s.*Started hostC' <<<"$output"
	[ -z "$(grep -E 'db1\s.*Started host[BC]' <<<"$output" || true)" ]
}

@test "check knows a timeout that is too short, on-fail=ignore, and a guest that is only stopped and started" {
	make_cib '<op id="web1-t" name="migrate_to" interval="0s" timeout="120s" on-fail="block"/>'
	sed -i '0,/db1-o/s/\(id="db1-o".*\)id="web1-t"/\1id="db1-t"/; s/id="web1-t" name/id="T" name/2g' "$cib"
	run of_host hostA check
	output=$(tr -s ' \n' ' ' <<<"$output")
	echo "$output"
	[[ $output == *"V12 Pacemaker WARNING Pacemaker gives a migration of web1, db1 up after 120 s, and with a wait for a slot it can take 480 s"* ]]
	[[ $output == *"set patience = 120 in vferry.conf"* ]]
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

@test "the node: maintenance leaves as many VFs as guests of the cluster have, and guests of nobody's count as taken" {
	make_cib
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

@test "the agent publishes at start and monitor, writes nothing that is so already, and takes all away at stop" {
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
	[ -z "$(published --utilization vferry-vfs)" ]
	run agent install/ocf/host monitor
	[ "$status" -eq 7 ]
}
