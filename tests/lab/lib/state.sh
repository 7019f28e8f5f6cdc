# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Both hosts as they are after a boot, saved once and restored at every later
# "up": memory by QEMU's own migration to a file, the disk as a copy of the
# overlay. Kept inside the image's folder, since it is worth nothing without it.
#
# "up --deploy" saves a second one, with vferry's package installed, since emulated hosts take 10 s to install it.

# Of which package the state is: a hash; empty: the hosts as they boot.
LAB_PACKAGE=
LAB_PACKAGE_STATES=2 # so many of them are kept

# state_dir: prints the place of the state that fits this image and these machines.
state_dir() {
	local key host
	key=$({
		qemu-system-x86_64 --version
		for host in "${LAB_HOSTS[@]}"; do
			cat "${HOST_IMAGE[$host]}/id"
			machine_arguments "$host" "$(accelerator)" | sed "s#$LAB_RUN#RUN#g; s#vferry-lab-$LAB_NAME#NAME#g"
		done
	} | sha256sum | cut -c1-12)
	echo "${HOST_IMAGE[A]}/state-$key${LAB_PACKAGE:+-vferry-$LAB_PACKAGE}"
}

# state_save_host HOST DIR: one host. It stands still meanwhile and then goes on.
state_save_host() {
	local host=$1 dir=$2 status=0
	machine_monitor "$host" stop >/dev/null &&
		machine_monitor "$host" 'migrate_set_parameter max-bandwidth 100G' >/dev/null &&
		machine_monitor "$host" "migrate \"exec:cat >$dir/$host.memory\"" >/dev/null &&
		machine_monitor "$host" 'info migrate' | grep -q 'status: completed' &&
		cp --sparse=always "$(host_dir "$host")/root.qcow2" "$dir/$host.qcow2" || status=1
	machine_monitor "$host" cont >/dev/null
	return "$status"
}

# state_save: saves both hosts, unless somebody has done so in the meantime.
state_save() {
	local dir host status=0
	dir=$(state_dir)
	[ ! -e "$dir" ] || return 0
	LAB_SAVING=$dir.partial.$$
	mkdir "$LAB_SAVING"
	for host in "${LAB_HOSTS[@]}"; do
		state_save_host "$host" "$LAB_SAVING" || status=1
	done
	if [ "$status" -ne 0 ] || ! mv -T "$LAB_SAVING" "$dir" 2>/dev/null; then
		remove_unfinished "$LAB_SAVING"
	fi
	LAB_SAVING=
	return "$status"
}

# state_prune: removes the oldest states with vferry.
state_prune() {
	local old
	find "${HOST_IMAGE[A]}" -maxdepth 1 -name 'state-*-vferry-*' ! -name '*.partial.*' -printf '%T@ %p\n' | sort -rn |
		sed "1,${LAB_PACKAGE_STATES}d" | while read -r _ old; do
		rm -rf --one-file-system "$old"
	done
}

# state_restore_host HOST: starts one host from its saved state, within 60 s.
state_restore_host() {
	local host=$1 dir end=$((SECONDS + 60))
	dir=$(state_dir)
	cp --sparse=always "$dir/$host.qcow2" "$(host_dir "$host")/root.qcow2" &&
		machine_start "$host" "$(accelerator)" -incoming "exec:cat $dir/$host.memory" || return 1
	while ! machine_monitor "$host" 'info status' 2>/dev/null | grep -q 'paused)\?$'; do
		machine_runs "$host" && [ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
	machine_monitor "$host" cont >/dev/null
}

# state_restore: starts both hosts from their saved states, side by side.
# Return: 0; 1 if one does not run (the state is then thrown away).
state_restore() {
	each_host state_restore_host && return
	rm -rf --one-file-system "$(state_dir)"
	return 1
}
