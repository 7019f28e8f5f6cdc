# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the lab's bats files share. In a file:
#   load lib/tests
#   setup_file() { fresh_lab; }
#   teardown_file() { end_lab; }
# The tests have a lab of their own, "check"; a lab that a person runs is not touched.

export LAB_NAME=${LAB_TEST_NAME:-check}
LAB=$BATS_TEST_DIRNAME/lab

# lab ARGUMENT...: the lab's driver.
lab() {
	"$LAB" "$@" 3>&-
}

# fresh_lab: both hosts as they are after a boot, whatever was there before. Two
# runs of tests do not share a lab: the second waits until the first has ended.
fresh_lab() {
	mkdir -p /run/lock
	exec {LAB_TEST_LOCK}>"/run/lock/vferry-lab-tests-$LAB_NAME"
	flock "$LAB_TEST_LOCK"
	lab down && lab up
}

# end_lab: removes them. LAB_TEST_KEEP=1 leaves them, to be looked at.
end_lab() {
	[ -n "${LAB_TEST_KEEP:-}" ] || lab down
}

# on HOST WORD...: runs a command on host A or B.
on() {
	lab exec "$@"
}

# tell TEXT...: a line that the reader of the test's output sees at once.
tell() {
	echo "# $*" >&3
}

# now_ms: prints the time in milliseconds.
now_ms() {
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# station_value PATH: prints a value of the station's report as of now, as in
# guests.0.lost; nothing if there is no such value.
station_value() {
	# shellcheck disable=SC2016 # perl expands it
	lab station report | perl -MJSON::PP -0777 -e '
		my $v = decode_json(<STDIN>);
		$v = ref $v eq "ARRAY" ? $v->[$_] : $v->{$_} for split /\./, $ARGV[0];
		print "$v\n" if defined $v' "$1"
}

# station_wait_frames COUNT: waits until the first guest has sent so many more
# frames, at most 30 s.
station_wait_frames() {
	local first last end=$((SECONDS + 30))
	first=$(station_value guests.0.received)
	while [ "$SECONDS" -lt "$end" ]; do
		last=$(station_value guests.0.received)
		[ $((last - first)) -lt "$1" ] || return 0
		sleep 0.2
	done
	echo "only $((last - first)) frames came in 30 s"
	return 1
}
