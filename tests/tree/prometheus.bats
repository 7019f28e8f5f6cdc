#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Prometheus's rules and Grafana's dashboard: what the rules make of recorded series, and that both speak of figures that there are.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	rules=install/prometheus/vferry.rules.yml dashboard=install/grafana/vferry.json
}

# need PROGRAM: skips where it is missing.
need() {
	command -v "$1" >/dev/null || skip "$1 is not installed; run: install/dependencies --what check,lab"
}

# named FILE: prints the figures of the agent that a file names.
named() {
	grep -oE '\bvferry_[a-z_]+' "$1" | sed -E 's/_(bucket|sum|count)$//' | sort -u
}

# printed: prints the figures that the agent prints.
printed() {
	grep -oE '(head|single)\(out, "[a-z_]+"' helpers/agent/metrics.c | sed -E 's/.*"(.*)"/vferry_\1/' | sort -u
}

@test "the rules are taken by Prometheus" {
	need promtool
	promtool check rules "$rules"
}

@test "a fleet that is well is quiet; each trouble is told, and not before its time" {
	need promtool
	cp "$rules" tests/tree/prometheus/alerts.yml "$BATS_TEST_TMPDIR"
	promtool test rules "$BATS_TEST_TMPDIR/alerts.yml"
}

@test "a rule that says something else is noticed by the test of the rules" {
	need promtool
	cp tests/tree/prometheus/alerts.yml "$BATS_TEST_TMPDIR"
	sed 's/spare:min < 0/spare:min < -9/' "$rules" >"$BATS_TEST_TMPDIR/vferry.rules.yml"
	run promtool test rules "$BATS_TEST_TMPDIR/alerts.yml"
	[ "$status" -ne 0 ]
	[[ $output == *VferryNPlusOneBroken* ]]
}

@test "rules and dashboard speak of figures that the agent prints, and the manual page names each" {
	[ "$(printed | wc -l)" -ge 15 ]
	for file in "$rules" "$dashboard"; do
		[ "$(named "$file" | wc -l)" -ge 5 ]
		unknown=$(comm -23 <(named "$file" | grep -vxE 'vferry_(firmware_versions|vfs_spare)') <(printed))
		[ -z "$unknown" ] || { echo "$file: $unknown"; false; }
	done
	for figure in $(printed); do
		grep -q "$figure" helpers/vferryd.8 || { echo "vferryd(8) does not name $figure"; false; }
	done
}

@test "the dashboard is one: panels of kinds that Grafana has, each with a place of its own and a query of Prometheus" {
	need jq
	[ "$(jq -r '.schemaVersion >= 36 and (.uid | length) <= 40 and (.title | length) > 0' "$dashboard")" = true ]
	[ "$(jq '[.panels[].id] | length == (unique | length)' "$dashboard")" = true ]
	[ "$(jq -r '[.panels[].type] | unique - ["timeseries", "stat", "table", "bargauge", "row"] | length' "$dashboard")" -eq 0 ]
	# Within 24 columns, and no two in one place.
	[ "$(jq '[.panels[].gridPos | .x >= 0 and .w > 0 and .h > 0 and .x + .w <= 24] | all' "$dashboard")" = true ]
	[ "$(jq '[.panels[].gridPos | range(.x; .x + .w) as $x | range(.y; .y + .h) as $y | [$x, $y]] | length == (unique | length)' "$dashboard")" = true ]
	[ "$(jq '[.panels[] | select(.type != "row") | (.targets | length > 0) and (.datasource.type == "prometheus") and ([.targets[] | (.expr | length > 0) and (.refId | length > 0)] | all)] | all' "$dashboard")" = true ]
}

@test "each query of the dashboard is one that Prometheus understands" {
	need promtool
	need jq
	{
		printf 'groups:\n  - name: dashboard\n    rules:\n'
		jq -r '.panels[].targets[]?.expr' "$dashboard" | sed -e 's/\$__rate_interval/5m/g' -e 's/\$host/.*/g' | while read -r expression; do
			printf "      - record: r%s\n        expr: '%s'\n" "$((++n))" "$expression"
		done
	} >"$BATS_TEST_TMPDIR/queries.yml"
	promtool check rules "$BATS_TEST_TMPDIR/queries.yml"
}
