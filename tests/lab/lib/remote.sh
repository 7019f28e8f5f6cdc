# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Commands and files to a host: ssh over one connection made at "up", so that
# a command costs a few tens of milliseconds.

# ssh_to HOST ARGUMENT...: ssh over the host's standing connection.
ssh_to() {
	${LAB_REPLACE:-} ssh -F none -S "$LAB_RUN/$1/ssh" -o BatchMode=yes -o LogLevel=ERROR \
		"root@${HOST_MGMT[$1]}" "${@:2}"
}

# remote_connected HOST: whether the standing connection lives.
remote_connected() {
	LAB_REPLACE='' ssh_to "$1" -O check >/dev/null 2>&1
}

# remote_connect HOST: opens the standing connection, within 30 s.
# Return: 0, or 1 if the host's sshd does not answer.
remote_connect() {
	local host=$1 tries
	remote_connected "$host" && return 0
	for tries in 1 2 3 4 5 6; do
		in_ns ssh -F none -M -S "$(host_dir "$host")/ssh" -f -N -o ControlPersist=yes \
			-i "$LAB_KEY_FILE" -o BatchMode=yes -o LogLevel=ERROR -o ConnectTimeout=5 \
			-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
			-o ServerAliveInterval=30 -o ServerAliveCountMax=10 -o Ciphers=aes128-ctr,aes128-gcm@openssh.com \
			"root@${HOST_MGMT[$host]}" </dev/null >/dev/null 2>>"$(host_dir "$host")/ssh.log" 8>&- 9>&- &&
			return 0
		sleep "$tries"
	done
	return 1
}

# remote_disconnect HOST: ends the standing connection.
remote_disconnect() {
	[ ! -S "$(host_dir "$1")/ssh" ] || ssh_to "$1" -O exit >/dev/null 2>&1
	rm -f "$(host_dir "$1")/ssh"
}

# remote_console HOST LINES: the last lines of its console, in one: why it is gone, if it is.
remote_console() {
	tail -n "$2" "$(host_dir "$1")/console.log" 2>/dev/null | tr '\r\n' '  '
}

# remote_exec HOST WORD...: runs a command on the host. One word is a shell
# line; several are a command with arguments, which arrive as they are. A host
# that was silent for so long that the connection ended is connected again.
# Return: the command's exit status (255: the connection failed).
remote_exec() {
	local host=$1
	shift
	if [ ! -S "$LAB_RUN/$host/ssh" ]; then
		if ! machine_runs "$host" || ! remote_connect "$host"; then
			die "host $host is not up (lab up); its console said: $(remote_console "$host" 40) $(tail -n 3 "$(host_dir "$host")/qemu.log" 2>/dev/null)"
		fi
		say "host $host was silent for minutes, and is connected again; its console says: $(remote_console "$host" 3)"
	fi
	if [ "$#" -eq 1 ]; then
		ssh_to "$host" "$1"
	else
		ssh_to "$host" "$(printf '%q ' "$@")"
	fi
}

# remote_push HOST FILE... [:TARGET]: copies files and folders to the host.
# Without a target they go to /root; a target that ends in / is a folder, any
# other is the new name of the one file.
remote_push() {
	local host=$1 target=/root/ file mode
	shift
	case "${*: -1}" in
	:*)
		target=${*: -1}
		target=${target#:}
		set -- "${@:1:$#-1}"
		;;
	esac
	[ "$#" -ge 1 ] || die "push: no file named"
	if [[ $target == */ ]]; then
		for file in "$@"; do
			tar -C "$(dirname "$file")" -cf - "$(basename "$file")" |
				remote_exec "$host" "mkdir -p '$target' && tar -C '$target' -xf - --no-same-owner" ||
				die "push: $file did not reach host $host"
		done
		return
	fi
	[ "$#" -eq 1 ] || die "push: one name for several files: end it with / to mean a folder"
	mode=$(stat -c %a "$1") || die "push: no file $1"
	remote_exec "$host" "mkdir -p '$(dirname "$target")' && cat >'$target.new' &&
		chmod $mode '$target.new' && mv -f '$target.new' '$target'" <"$1" ||
		die "push: $1 did not reach host $host"
}

# remote_set_clock HOST: gives the host this machine's time. A restored machine
# wakes up in the past, and libvirt compares the clocks of both hosts. The
# quickest of ten answers tells the difference best; then the clock is moved.
remote_set_clock() {
	local host=$1 before after answer best=10000000 move=0
	coproc CLOCK { ssh_to "$host" /usr/lib/vferry-lab/clock 2>/dev/null; }
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		before=${EPOCHREALTIME/[.,]/}
		echo 0 >&"${CLOCK[1]}" && read -r -t 20 answer <&"${CLOCK[0]}" || return 1
		after=${EPOCHREALTIME/[.,]/}
		if [ $((after - before)) -lt "$best" ]; then
			best=$((after - before))
			move=$(((before + after) / 2 - answer))
		fi
	done
	echo "$move" >&"${CLOCK[1]}" && read -r -t 20 answer <&"${CLOCK[0]}"
}
