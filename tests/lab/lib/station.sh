# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# "lab station": the third machine on the cable of PF 0. It counts the guests'
# numbered frames and pings them (tests/lab/station/README.md).

# station_start OPTION...: starts it anew, with the station's own options added;
# returns when it listens.
station_start() {
	local program tries=0
	net_exists || die "the lab is not up (lab up)"
	station_stop
	program=$LAB_RUN/station/station
	rm -f "$LAB_RUN"/station.json "$LAB_RUN"/station.log
	ip netns exec "$LAB_NS" setsid "$program" --ip "$LAB_STATION_PING_ADDRESS" --json "$LAB_RUN/station.json" "$@" station0 \
		>"$LAB_RUN/station.log" 2>&1 </dev/null 8>&- 9>&- &
	echo $! >"$LAB_RUN/station.pid"
	until grep -qs '^station: listening' "$LAB_RUN/station.log"; do
		tries=$((tries + 1))
		if [ "$tries" -gt 100 ] || ! kill -0 "$!" 2>/dev/null; then
			die "the station does not start: $(<"$LAB_RUN/station.log")"
		fi
		sleep 0.05
	done
}

# station_report: prints the report as of now (JSON), or the last one if it has ended.
station_report() {
	local pid tries=0
	if process_is_ours "$LAB_RUN/station.pid"; then
		rm -f "$LAB_RUN/station.json"
		read -r pid <"$LAB_RUN/station.pid"
		kill -USR1 "$pid"
		until [ -s "$LAB_RUN/station.json" ]; do
			tries=$((tries + 1))
			[ "$tries" -lt 100 ] || die "the station does not report"
			sleep 0.05
		done
	fi
	cat "$LAB_RUN/station.json" 2>/dev/null || die "the station has not run"
}

# station_stop: ends it; its last report stays.
station_stop() {
	end_process "$LAB_RUN/station.pid"
}

# lab_station start|stop|report [OPTION...]
lab_station() {
	case "${1:-}" in
	start | stop | report) "station_$1" "${@:2}" ;;
	*) die "station: say start, stop or report" ;;
	esac
}
