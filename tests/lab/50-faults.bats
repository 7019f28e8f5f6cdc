#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Faults of the card, the kernel, Open vSwitch and /run, met by a guest that
# arrives: each is told in one sentence within hook_deadline, and leaves the host
# as it was. The hook is called as libvirtd calls it. The table is in
# tests/README.md, "Faults that the hook meets".

load helpers.bash

setup_file() {
	lab_setup
	export PF_A PF_B
	PF_A=$(pf A)
	PF_B=$(pf B)
	on_host_setup B
}

teardown_file() {
	lab_teardown
}

setup() {
	wipe B
	settings_b
}

# settings_b [LINE...]: one PF with two VFs, so that there is no way around a fault, and more lines for [hook].
settings_b() {
	local line text="[host]
pf = $PF_B
vfs = 2
[hook]"
	for line in "$@"; do text+="
$line"; done
	configure B "$text"
}

# b SCRIPT: runs a script on B with the functions of on-host.bash, and shows what it says.
b() {
	run on B ". /root/on-host.bash; PLAIN=/root/guest1-plain.xml; begin $PF_B; $1
finish"
	echo "$output"
	[ "$status" = 0 ]
}

# ---- The card and its driver (14 faults) -----------------------------------------------------------------------------------------

# bats test_tags=long
@test "a card that refuses a step is told in its own words, and what was done is taken back (9 faults)" {
	b '
		fault fault_info_get "5 -1 lab: no info"
		refuses_and_undoes "firmware unknown" "lab: no info"
		fault fault_info_get 0
		fault fault_eswitch_set "22 -1 Failed setting eswitch to offloads"
		refuses_and_undoes "eswitch EINVAL" '"$PF_B"' "Failed setting eswitch to offloads" "no driver holds a VF of it" "4 tries failed"
		fault fault_eswitch_set "22 1 Failed setting eswitch to offloads"
		hook migrate begin -
		accepts "eswitch EINVAL once: tried again"
		take_back
		same_as "$BASE" "after EINVAL once"
		fault fault_eswitch_set "16 1 E-Switch is busy"
		hook migrate begin -
		accepts "eswitch EBUSY once: tried again"
		take_back
		same_as "$BASE" "after EBUSY once"
		fault fault_eswitch_set "95 1 IPsec SA and policies are configured"
		refuses_and_undoes "eswitch EOPNOTSUPP" "IPsec SA and policies are configured"
		fault fault_numvfs "16 1"
		refuses_and_undoes "numvfs EBUSY" '"$PF_B"' "another number of VFs already" "write 0 to sriov_numvfs"
		fault fault_numvfs "34 1"
		refuses_and_undoes "numvfs ERANGE" '"$PF_B"' "more than the card offers" "NUM_OF_VFS"
		fault fault_numvfs "12 1"
		refuses_and_undoes "numvfs ENOMEM" "no room for 2 VFs" "pci=realloc" "journalctl -k"
		fault fault_migratable_set "22 1 Failed setting HCA migratable cap"
		refuses_and_undoes "migratable" "Failed setting HCA migratable cap" "unbind it"
		fault fault_hw_addr_set "5 1 lab: no MAC"
		WITH_XML=$PLAIN refuses_and_undoes "MAC" "lab: no MAC"'
}

@test "an eswitch that a refusal leaves dead works again when the next guest arrives (1 fault)" {
	b '
		fault fault_eswitch_kills Y
		fault fault_eswitch_set "22 -1 Failed setting eswitch to offloads"
		refuses_and_undoes "eswitch dies" "Failed setting eswitch to offloads"
		fault fault_eswitch_set 0
		fault fault_eswitch_kills N
		hook migrate begin -
		accepts "the next arrival"
		[ "$(<"$CARD/eswitch_state")" = switchdev ] || fail "the eswitch is $(<"$CARD/eswitch_state")"
		take_back
		same_as "$BASE" "after the next arrival"'
}

# bats test_tags=long
@test "a slow card is waited for, and one that hangs is left alone at the deadline (4 faults)" {
	settings_b "hook_deadline = 60"
	b '
		fault eswitch_delay_ms 1500
		hook migrate begin -
		accepts "eswitch slow"
		take_back
		same_as "$BASE" "after a slow switch"
		deadline 10
		fault eswitch_delay_ms 20000
		hook migrate begin -
		refused "eswitch hangs" "eswitch mode switchdev did not end in time" "raise hook_deadline"
		hook migrate begin -
		refused "eswitch still hangs"
		until_true 60 is_steady
		fault eswitch_delay_ms 200
		never_comes
		same_as "$BASE" "after a switch that hung"
		fault fault_eswitch_set "16 -1 E-Switch is busy"
		refuses_and_undoes "eswitch EBUSY for ever" "E-Switch is busy"
		fault fault_eswitch_set 0'
}

# ---- Representors and ports (8 faults) -------------------------------------------------------------------------------------------

# bats test_tags=long
@test "a representor that is missing, late, renamed or sick (8 faults)" {
	settings_b "hook_deadline = 60"
	b '
		fault vf0/rep_delay_ms 1500
		hook migrate begin -
		accepts "representor late"
		take_back
		same_as "$BASE" "after a late representor"
		fault vf0/rep_delay_ms 0
		fault vf0/rep_name odd0
		hook migrate begin -
		accepts "representor with a name of its own"
		ovs-vsctl list-ports br-vferry | wc -l | grep -qx 2 || fail "two ports in the bridge"
		take_back
		same_as "$BASE" "after an odd name"
		fault vf0/rep_name ""
		fault vf0/port_sick 5
		hook migrate begin -
		accepts "port of the first VF sick: the other one is taken"
		cat /run/vferry/vfs/*.json | grep -q "\"index\": *1" || fail "the guest did not get the VF that is whole"
		take_back
		same_as "$BASE" "after a sick VF that was passed over"
		sed -i "s/^vfs = .*/vfs = 1/" /etc/vferry/vferry.conf
		refuses_and_undoes "port of the only VF sick" "does not answer for the port of this VF" "kernel log"
		sed -i "s/^vfs = .*/vfs = 2/" /etc/vferry/vferry.conf
		fault vf0/port_sick 0
		deadline 20
		fault vf0/rep_missing 1
		refuses_and_undoes "representor missing" "representor did not appear" "devlink port show"
		fault vf0/rep_missing 2
		refuses_and_undoes "port missing" "representor did not appear"
		fault vf0/rep_missing 0
		deadline 60

		vferry prepare --yes >/dev/null || fail "prepare"
		BASE=$(look)
		fault vf0/port_sick 5
		hook migrate begin -
		fault vf0/port_sick 0
		accepts "dump cut short by the port of another VF"
		ovs-vsctl list-ports br-vferry | wc -l | grep -qx 2 || fail "two ports in the bridge"
		cat /run/vferry/vfs/*.json | grep -q "\"index\": *1" || fail "the guest did not get the VF that is whole"
		take_back
		same_as "$BASE" "after a sick port of another VF"'
}

# ---- Open vSwitch (9 faults) -----------------------------------------------------------------------------------------------------

# bats test_tags=long
@test "an OVSDB that is gone, silent, slow, refuses or speaks nonsense (8 faults)" {
	settings_b "hook_deadline = 8"
	b '
		with_ovsdb() { # with_ovsdb MODE [NUMBER]: a fake of a fault in the place of ovsdb-server
			coproc FAKE { exec /root/fake-ovsdb /run/fake-ovsdb.sock "$@" 2>&1; }
			FAKE_ID=$!
			read -r _ <&"${FAKE[0]}"
			sed -i "/^ovsdb_socket/d; s#^\[host\]#&\novsdb_socket = /run/fake-ovsdb.sock#" /etc/vferry/vferry.conf
		}
		without_ovsdb() {
			kill "$FAKE_ID"; wait "$FAKE_ID" 2>/dev/null
			sed -i "/^ovsdb_socket/d" /etc/vferry/vferry.conf
		}
		sed -i "s#^\[host\]#&\novsdb_socket = /run/nobody.sock#" /etc/vferry/vferry.conf
		refuses_and_undoes "no socket" "Open vSwitch" "does not run" "start it"
		with_ovsdb silent
		refuses_and_undoes "silent" "Open vSwitch" "did not answer in time" "systemctl status"
		without_ovsdb; with_ovsdb closes
		refuses_and_undoes "closes" "Open vSwitch" "ended the connection"
		without_ovsdb; with_ovsdb nonsense
		refuses_and_undoes "nonsense" "Open vSwitch" "does not speak OVSDB"
		without_ovsdb; with_ovsdb refuses
		refuses_and_undoes "refuses" "Open vSwitch" "not today"
		without_ovsdb; with_ovsdb slow 40
		deadline 60
		hook migrate begin -
		accepts "slow"
		take_back
		same_as "$BASE" "after a slow OVSDB"
		deadline 8
		for count in 5 9; do
			without_ovsdb; with_ovsdb mute "$count"
			hook migrate begin -
			refused "mute from request $count on"
			without_ovsdb
			never_comes
			same_as "$BASE" "after an OVSDB that fell silent at request $count"
			with_ovsdb silent
		done
		without_ovsdb'
}

@test "an ovs-vswitchd that does not follow its database, or is dead (2 faults)" {
	settings_b "hook_deadline = 20"
	b '
		daemon=$(</run/openvswitch/ovs-vswitchd.pid)
		kill -STOP "$daemon"
		hook migrate begin -
		now=$(look)
		kill -CONT "$daemon"
		refused "ovs-vswitchd stopped" "ovs-vswitchd did not apply it" "systemctl status ovs-vswitchd"
		CHECKS=$((CHECKS + 1)); [ "$now" = "$BASE" ] || { fail "not undone while ovs-vswitchd stood still"; diff <(echo "$BASE") <(echo "$now"); }
		until_true 30 ovs-vsctl --timeout=5 set Open_vSwitch . external_ids:settled=1
		ovs-vsctl remove Open_vSwitch . external_ids settled
		same_as "$BASE" "after ovs-vswitchd went on"
		deadline 8
		ovs-appctl -t ovs-vswitchd exit
		until_true 30 [ ! -e "/proc/$daemon" ]
		hook migrate begin -
		now=$(look)
		/usr/share/openvswitch/scripts/ovs-ctl --system-id=random --no-ovsdb-server start >/dev/null
		refused "ovs-vswitchd dead" "ovs-vswitchd did not apply it" "systemctl status ovs-vswitchd"
		CHECKS=$((CHECKS + 1)); [ "$now" = "$BASE" ] || { fail "not undone while ovs-vswitchd was dead"; diff <(echo "$BASE") <(echo "$now"); }
		same_as "$BASE" "after ovs-vswitchd came back"'
}

# ---- /run and /etc (12 faults) ---------------------------------------------------------------------------------------------------

@test "a /run that is full or read-only changes nothing else (5 faults)" {
	b '
		rm -rf /run/vferry; BASE=$(look)
		apart() { # apart COMMANDS: runs one arrival where these were carried out first, in a mount namespace of its own
			OUT=$(unshare --mount --propagation private bash -c "$1; exec $HOOK guest1 migrate begin - <$XML" 2>&1 >/root/output.xml)
			RC=$?
			MS=0
		}
		apart "mount -o remount,bind,ro /run"
		refused "/run read-only" "/run/vferry" "Read-only file system" "see that /run is writable"
		same_as "$BASE" "after a read-only /run"
		mkdir -m 700 /run/vferry
		apart "mount -t tmpfs -o size=4k,mode=700 none /run/vferry"
		refused "/run full" "/run/vferry" "No space left" "see that /run is writable and has space"
		same_as "$BASE" "after a full /run"
		strace -f -o /root/writes -e trace=rename "$HOOK" guest1 migrate begin - >"$ARRIVED" <"$XML"
		# Their numbers, without those of what is only told.
		mapfile -t writes < <(awk "/rename\(/ { n++ } /rename\(\"\/run\/vferry\/(guests|pfs|vfs)\// { print n }" /root/writes)
		[ "${#writes[@]}" -ge 3 ] || fail "only ${#writes[@]} writes in an arrival"
		take_back
		for count in "${writes[0]}" "${writes[${#writes[@]} / 2]}" "${writes[-1]}"; do # the journal cannot be written from here on
			OUT=$(strace -f -o /dev/null -e trace=rename -e inject=rename:error=ENOSPC:when=$count+ "$HOOK" guest1 migrate begin - 2>&1 \
				>/root/output.xml <"$XML")
			RC=$?
			refused "disk full from write $count on" "cannot write" "No space left on device" "see that /run is writable and has space"
			same_as "$BASE" "after a disk that was full from write $count on"
		done'
}

# bats test_tags=long
@test "files in /run and /etc that others planted are neither followed nor believed (6 faults)" {
	b '
		rm -rf /run/vferry; BASE=$(look)
		mkdir -m 777 /run/elsewhere; chmod 777 /run/elsewhere
		ln -s /run/elsewhere /run/vferry
		refuses_and_undoes "/run/vferry is a link" "/run/vferry" "the state directory is not ours" "remove /run/vferry"
		[ -z "$(ls -A /run/elsewhere)" ] || fail "something was written behind the link"
		rm /run/vferry; mkdir /run/vferry; chmod 777 /run/vferry
		refuses_and_undoes "/run/vferry is everybodys" "/run/vferry" "that only its owner writes"
		rm -rf /run/vferry; mkdir -m 700 /run/vferry; echo precious >/run/elsewhere/victim; ln -s /run/elsewhere/victim /run/vferry/lock
		refuses_and_undoes "the lock is a link" "it is a symbolic link" "remove the link"
		rm -rf /run/vferry; mkdir -p -m 700 /run/vferry/guests /run/vferry/vfs; chmod 700 /run/vferry
		note=$(sed -n "s#.*<uuid>\(.*\)</uuid>.*#/run/vferry/guests/\1.json#p" "$XML")
		lease=/run/vferry/vfs/${PF%.*}.2.json
		mkfifo -m 600 "$note" "$lease"
		hook migrate begin -; accepts "note and lease are fifos"
		modes=$(stat -c %a "$note" "$lease" /run/vferry /run/vferry/vfs | tr "\n" " ")
		[ -f "$note" ] && [ -f "$lease" ] && [ "$modes" = "600 600 700 700 " ] ||
			fail "modes: $(stat -c "%n %a %F" "$note" "$lease" /run/vferry /run/vferry/vfs)"
		take_back; rm -f "$note.bad" "$lease.bad"; same_as "$BASE" "after fifos"
		ln -s /run/elsewhere/victim "$note"; ln -s /run/elsewhere/victim "$lease"
		hook migrate begin -; accepts "note and lease are links"
		take_back; rm -f "$note.bad" "$lease.bad"; same_as "$BASE" "after links"
		[ "$(</run/elsewhere/victim)" = precious ] || fail "a file behind a link was changed"
		rm -rf /run/elsewhere
		chmod 666 /etc/vferry/vferry.conf
		refuses_and_undoes "the configuration is everybodys" "/etc/vferry/vferry.conf" "others than root may write it" "chmod 644"'
}

# ---- Nothing is given away twice, nothing is blocked for ever --------------------------------------------------------------------

# bats test_tags=long
@test "a lost /run/vferry or a restart of libvirtd neither gives away a VF that is used nor keeps one that is free" {
	guest B other --vf "$PF_B/0"
	b '
		uses() { # uses [-L]: the VFs of the guest that arrives, or of others
			grep -l"${1:+L}" -e 000000000001 /run/vferry/vfs/*.json | sed "s#.*/\(.*\)\.json#\1#" | sort | tr "\n" " "
		}
		used=$(uses other)
		[ -n "$used" ] || fail "the guest has no VF on record"
		rm -rf /run/vferry
		hook migrate begin -; accepts "an arrival without /run/vferry"
		case "$(uses)" in "" | *"${used% }"*) fail "the arrival got the VF of the guest that runs: $(uses)" ;; esac
		take_back
		kill "$(</run/libvirtd.pid)"; until_true 30 [ ! -e /run/libvirtd.pid ]
		hook migrate begin -; accepts "an arrival while libvirtd is down"
		case "$(uses)" in "" | *"${used% }"*) fail "the arrival got the VF of the guest that runs: $(uses)" ;; esac
		take_back
		libvirtd --daemon --listen; until_true 60 virsh -q -c qemu:///system list
		virsh -q -c qemu:///system domstate other | grep -q running || fail "the guest does not run any more"
		virsh -q -c qemu:///system destroy other
		sed -i "s/^vfs = .*/vfs = 1/" /etc/vferry/vferry.conf
		hook migrate begin -; accepts "an arrival when the guest has gone"
		case "$(uses)" in *"${used% }"*) ;; *) fail "the VF of the guest that has gone is still kept: $(uses)" ;; esac
		# A lease of before a reboot, of a guest that never came: its time is not of this boot.
		sed -i -E "s/(\"touched\": *)[0-9]+/\199999999999999/; s/000000000001/000000000009/" /run/vferry/vfs/*.json
		hook migrate begin -; accepts "an arrival beside a lease of an earlier boot"
		[ "$(uses) $(uses other)" = "$used " ] || fail "the lease of an earlier boot blocks its VF: $(uses other)"
		take_back'
}

# ---- The settings of the last guest ----------------------------------------------------------------------------------------------

# bats test_tags=long
@test "a guest gets a VF without the rates and the MAC of the last one, and gives it back as it was" {
	b '
		vferry prepare --yes >/dev/null || fail "prepare"
		uplink=$(uplink "$PF")
		vf_is() { # vf_is WHAT PART...: what ip says of VF 0
			local line part what=$1; shift
			line=$(ip link show dev "$uplink" | grep "^ *vf 0 "); echo "$what: $line"
			CHECKS=$((CHECKS + 1))
			for part in "$@"; do [[ $line == *"$part"* ]] || fail "$what: not $part"; done
		}
		clean() { # clean WHAT MAC: no rates are set
			vf_is "$1" "$2"
			if ip link show dev "$uplink" | grep "^ *vf 0 " | grep -q tx_rate; then fail "$1: rates"; fi
		}
		ip link set "$uplink" vf 0 mac 52:54:00:99:99:99
		ip link set "$uplink" vf 0 max_tx_rate 100 min_tx_rate 10
		ip link show dev "$uplink" | grep "^ *vf 0 " | grep -q tx_rate || fail "no rate was set"
		BASE=$(look)
		mac=$(sed -n "s/.*<vf:vf mac=\"\([^\"]*\)\".*/\1/p" "$PLAIN")
		hook migrate begin - "$PLAIN"; accepts "arrival with a passport"
		clean "the guest has" "$mac"
		ip link set "$uplink" vf 0 max_tx_rate 50; ip link set "$uplink" vf 0 mac 52:54:00:77:77:77
		take_back; same_as "$BASE" "settings after the guest"
		sed -e "/<metadata>/,/<\/metadata>/d" -e "s/bus=.0x81. slot=.0x00. function=.0x3./bus=\"0xc1\" slot=\"0x00\" function=\"0x2\"/" "$PLAIN" \
			>/root/no-mac.xml # without a passport it is known by an address that is a VF here, too
		hook migrate begin - /root/no-mac.xml; accepts "arrival whose MAC nobody tells"
		clean "the guest has" "00:00:00:00:00:00"
		take_back; same_as "$BASE" "settings after the second guest"
		ip link set "$uplink" vf 0 max_tx_rate 0 min_tx_rate 0; BASE=$(look)
		hook migrate begin -; accepts "arrival at a clean VF"
		ip link set "$uplink" vf 0 max_tx_rate 77
		take_back; same_as "$BASE" "rates that were set while the guest was here"'
}

# bats test_tags=long
@test "a guest gets a port without VLANs, policing and external_ids of the last one, also where nobody remembers that one" {
	b '
		vferry prepare --yes >/dev/null || fail "prepare"
		sed "s/000000000001/000000000002/" "$XML" >/root/second.xml
		rep() { ovs-vsctl list-ports br-vferry | grep "r[0-9]*$"; }
		port() { # port: all that was set on the port of the VF, without what names the guest
			local rep; rep=$(rep)
			ovs-vsctl --columns=tag,trunks,vlan_mode,qos,other_config,external_ids list port "$rep" \
				-- --columns=ingress_policing_rate,ingress_policing_burst,external_ids list interface "$rep" | sed "s/00000000000[12]/N/g"
		}
		set_much() { # as a cloud or an operator does it for the guest that is here
			local rep contains; rep=$(rep)
			ovs-vsctl set port "$rep" tag=42 trunks=43,44 vlan_mode=native-tagged external_ids:owner=web1 -- \
				set interface "$rep" ingress_policing_rate=1000 ingress_policing_burst=100 external_ids:iface-id=web1
			contains=$(port)
			[[ $contains == *42*native-tagged*web1*1000*web1* ]] || fail "nothing was set: $contains"
		}
		hook migrate begin -; accepts "the first guest"
		clean=$(port); echo "$clean"
		[[ $clean == *"tag "*": []"*"trunks "*": []"* ]] || fail "the first guest has VLANs"
		for way in "its release" "an empty /run"; do
			set_much
			if [ "$way" = "its release" ]; then take_back; else rm -rf /run/vferry; fi
			hook migrate begin - /root/second.xml; accepts "the next guest, after $way"
			CHECKS=$((CHECKS + 1))
			[ "$(port)" = "$clean" ] || { fail "after $way the next guest has"; port; }
			ovs-vsctl get port "$(rep)" external_ids | grep -q 000000000002 || fail "the port is not that of the next guest"
			take_back
			hook migrate begin -; accepts "the first guest again"
		done
		take_back'
}
