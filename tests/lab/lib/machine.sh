# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The hosts as QEMU machines: start, wait for the boot, save and restore the
# state of a booted machine, end.

LAB_BOOT_DEADLINE=${LAB_BOOT_DEADLINE:-300} # seconds
LAB_HOST_MEMORY=${LAB_HOST_MEMORY:-2048}    # MiB

# accelerator: prints QEMU's accelerator. KVM is taken only after a kernel has
# really booted with it: where machines are nested, /dev/kvm may open and then fail.
accelerator() {
	local verdict
	verdict=$LAB_CACHE/accelerator-$(</proc/sys/kernel/random/boot_id)
	if [ ! -s "$verdict" ]; then
		rm -f "$LAB_CACHE"/accelerator-*
		if [ -w /dev/kvm ] && accelerator_probe; then
			echo kvm >"$verdict"
		else
			echo tcg,thread=multi >"$verdict"
		fi
	fi
	cat "$verdict"
}

# accelerator_probe: whether the hosts' kernel boots with KVM, within 20 s. It
# gets no root disk, so that it ends by itself when the initial RAM disk gives up.
accelerator_probe() {
	timeout -k 1 20 qemu-system-x86_64 -machine q35 -accel kvm -cpu max -m 512 -nodefaults \
		-no-user-config -display none -no-reboot -serial stdio -kernel "${HOST_IMAGE[A]}/vmlinuz" \
		-initrd "${HOST_IMAGE[A]}/initrd" -append 'console=ttyS0 panic=-1' </dev/null 2>&1 |
		grep -q '^VFERRY-LAB FAILED: the root disk'
}

# tsc_rate: prints the kernel argument that tells the rate of the time stamp counter. A host that
# measures it while this machine is busy runs at several times the speed.
tsc_rate() {
	local known
	known=$LAB_CACHE/tsc-$(</proc/sys/kernel/random/boot_id)
	if [ ! -e "$known" ]; then
		rm -f "$LAB_CACHE"/tsc-*
		gcc -O2 -o "$known.program.$$" "$LAB_DIR/host/tsc-khz.c" && "$known.program.$$" >"$known.$$" && mv "$known.$$" "$known"
		rm -f "$known.program.$$"
	fi
	[ ! -s "$known" ] || echo "tsc_early_khz=$(<"$known")"
}

# kernel_arguments HOST: prints the host's kernel command line.
#   no_timer_check  without it "IO-APIC + timer doesn't work" panics now and then
#   tsc=reliable    the clock source watchdog misjudges an emulated TSC
kernel_arguments() {
	local host=$1 peers="" other
	for other in "${LAB_HOSTS[@]}"; do
		peers+="host$other:${HOST_MGMT[$other]},"
	done
	echo "console=ttyS0 no_timer_check tsc=reliable $(tsc_rate) panic=-1 loglevel=4 nokaslr" \
		"mitigations=off apparmor=0 selinux=0 audit=0 cryptomgr.notests" \
		"lab.host=$host lab.mgmt=${HOST_MGMT[$host]} lab.uuid=${HOST_UUID[$host]}" \
		"lab.peers=${peers}outer:$LAB_MGMT_OUTER lab.cx7=${LAB_CX7:-}"
}

# machine_nic HOST NET INDEX: prints the QEMU arguments of one NIC, a word a line.
# Without offloads: a cable carries frames as they are.
machine_nic() {
	printf '%s\n' -netdev "tap,id=$2,ifname=$1-$2,script=no,downscript=no" \
		-device "virtio-net-pci,netdev=$2,mac=${HOST_MAC[$1]}:0$3,romfile=,csum=off,guest_csum=off,gso=off,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off,host_tso4=off,host_tso6=off,host_ecn=off,host_ufo=off"
}

# machine_arguments HOST ACCEL: prints QEMU's arguments, a word a line. They
# are part of a saved state's key: a state only fits the machine it came from.
machine_arguments() {
	local host=$1 dir
	dir=$(host_dir "$host")
	printf '%s\n' -name "vferry-lab-$LAB_NAME-host$host" \
		-machine q35,hpet=off -accel "$2" -cpu max -smp 2 -m "$LAB_HOST_MEMORY" \
		-nodefaults -no-user-config -display none -no-reboot -uuid "${HOST_UUID[$host]}" \
		-kernel "${HOST_IMAGE[$host]}/vmlinuz" -initrd "${HOST_IMAGE[$host]}/initrd" \
		-append "$(kernel_arguments "$host")" \
		-drive "if=none,id=root,file=$dir/root.qcow2,format=qcow2,cache=unsafe,discard=unmap" \
		-device virtio-blk-pci,drive=root \
		-chardev "socket,id=console,path=$dir/console,server=on,wait=off,logfile=$dir/console.log" \
		-serial chardev:console \
		-chardev "socket,id=monitor,path=$dir/monitor,server=on,wait=off" \
		-mon chardev=monitor,mode=readline \
		-device virtio-rng-pci
	machine_nic "$host" mgmt 0
	machine_nic "$host" wire0 1
	machine_nic "$host" wire1 2
}

# machine_overlay HOST: an empty overlay on the image for the host's writes.
machine_overlay() {
	qemu-img create -q -f qcow2 -F raw -b "${HOST_IMAGE[$1]}/root.img" \
		"$(host_dir "$1")/root.qcow2"
}

# machine_start HOST ACCEL [QEMU ARGUMENT...]: starts the host's QEMU in the background.
machine_start() {
	local host=$1 accel=$2 arguments
	shift 2
	mapfile -t arguments < <(machine_arguments "$host" "$accel")
	in_ns qemu-system-x86_64 "${arguments[@]}" "$@" -daemonize \
		-pidfile "$(host_dir "$host")/qemu.pid" 2>"$(host_dir "$host")/qemu.log" 8>&- 9>&- ||
		die "QEMU of host $host does not start: $(<"$(host_dir "$host")/qemu.log")"
}

# machine_runs HOST: whether the host's QEMU is there.
machine_runs() {
	process_is_ours "$(host_dir "$1")/qemu.pid"
}

# machine_monitor HOST COMMAND: one command to QEMU's monitor; prints the answer.
# perl, because every Debian has it and the shell cannot speak to a Unix socket.
machine_monitor() {
	perl -MIO::Socket::UNIX -e '
		my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "no monitor: $!\n";
		sub answer { my $t = ""; $t .= $_ while $t !~ /\(qemu\) $/ && sysread($s, $_, 65536); $t }
		answer(); print $s "$ARGV[1]\n"; $s->flush; $_ = answer();
		s/\(qemu\) $//; s/^.*\n//; s/\r//g; s/\e\[[0-9;]*[A-Z]//g; print' \
		"$(host_dir "$1")/monitor" "$2"
}

# machine_wait_booted HOST: waits for the host's READY line, telling its progress.
# Return: 0; 1 if the boot failed, the machine ended or the deadline passed.
machine_wait_booted() {
	local host=$1 log end shown=0 lines line told=$SECONDS
	log=$(host_dir "$host")/console.log
	end=$((SECONDS + LAB_BOOT_DEADLINE))
	while [ "$SECONDS" -lt "$end" ]; do
		mapfile -t lines < <(tr -d '\r' 2>/dev/null <"$log" | grep -a '^VFERRY-LAB')
		for line in "${lines[@]:shown}"; do
			case "$line" in
			"VFERRY-LAB READY"*) return 0 ;;
			"VFERRY-LAB FAILED"*) say "host $host: ${line#VFERRY-LAB }"; return 1 ;;
			*) say "host $host: ${line#VFERRY-LAB: }"; told=$SECONDS ;;
			esac
		done
		if [ $((SECONDS - told)) -ge 10 ]; then
			say "host $host: ... $((SECONDS + LAB_BOOT_DEADLINE - end)) s of at most $LAB_BOOT_DEADLINE; $(stat -c %s "$log") bytes on its console"
			told=$SECONDS
		fi
		shown=${#lines[@]}
		machine_runs "$host" || { machine_last_words "$host"; return 1; }
		sleep 0.3
	done
	say "host $host: not ready after $LAB_BOOT_DEADLINE s"
	return 1
}

# machine_last_words HOST: says that its QEMU has ended, and what it and the host's kernel said last: a panic ends it, too (-no-reboot).
machine_last_words() {
	local line
	say "host $1: its QEMU has ended; its last words:"
	cat "$(host_dir "$1")/qemu.log" "$(host_dir "$1")/console.log" | tr -d '\r\000' | tail -n 20 | while IFS= read -r line; do say "host $1:   $line"; done
}

# machine_stop HOST: ends the host, as by pulling the plug.
machine_stop() {
	remote_disconnect "$1"
	end_process "$(host_dir "$1")/qemu.pid"
}
