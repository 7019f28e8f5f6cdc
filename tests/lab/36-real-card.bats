#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A card that behaves like the real one, as far as that can be switched on: a mode change takes seconds and the link trains after it, VFs take
# their time, MSI-X tables depend on how many VFs there are.

load helpers.bash
load agent.bash

CARD=/sys/kernel/debug/swcx7/pf0

setup_file() {
	lab_setup
}

teardown_file() {
	for host in A B; do on "$host" "cd $CARD && for f in link_training_ms vf_create_ms msix_pool; do echo 0 >\$f; done; echo N >sibling_link; echo 200 >eswitch_delay_ms"; done
	lab_teardown
}

# guest_at_home: guest1 runs on A with one VF.
guest_at_home() {
	wipe_both
	guest A guest1 --vf "$(pf A)/1" --cmdline "ip=$GUEST_IP interval=5 tag=guest1 serial ballast=8"
}

# bats test_tags=long
@test "an arrival waits for the link that the mode change took" {
	guest_at_home
	on B "cd $CARD && echo 1500 >eswitch_delay_ms && echo 3000 >link_training_ms && echo Y >sibling_link && echo 300 >vf_create_ms"
	run migrate A B guest1
	echo "$output"
	[ "$status" = 0 ]
	took=$(on B "sed -n 's/.*eswitch mode switchdev: done in \([0-9]*\) ms.*/\1/p' /var/log/messages | tail -n 1")
	echo "# the mode change took $took ms, the link's training of 3000 in it" >&3
	[ "$took" -ge 4500 ]
	[ "$(on B 'cat /sys/bus/pci/devices/'"$(pf B)"'/net/*/carrier | head -n 1')" = 1 ]
	on B "cd $CARD && echo 200 >eswitch_delay_ms && echo 0 >link_training_ms && echo N >sibling_link && echo 0 >vf_create_ms"
}

# bats test_tags=long
@test "a VF gets the MSI-X table that the guest had at the source, and its own back" {
	wipe_both
	on A "echo 128 >$CARD/msix_pool"
	on B "echo 96 >$CARD/msix_pool"
	guest A guest1 --vf "$(pf A)/1" --cmdline "ip=$GUEST_IP interval=5 tag=guest1 serial ballast=8"
	[ "$(on A "cat $CARD/vf1/msix")" = 16 ]

	# Without the agent nobody tells: QEMU refuses the device's state when all memory has been sent.
	run migrate A B guest1
	[ "$status" != 0 ]
	[ "$(state A guest1)" = running ]

	agent A start
	eventually has_passport A 'msix="16"'
	run migrate A B guest1
	echo "$output"
	agent A stop
	[ "$status" = 0 ]
	[ "$(on B "cat $CARD/vf*/msix | sort -n | tail -n 1")" = 16 ]
	on B "virsh -q -c $URI destroy guest1"
	[ "$(on B "cat $CARD/vf*/msix | sort -n | tail -n 1")" = 12 ]
}

# bats test_tags=long
@test "another capability word is refused by the card at the end, and the guest runs on" {
	guest_at_home
	on B "echo 7 >$CARD/capability_word"
	run migrate A B guest1
	[ "$status" != 0 ]
	[ "$(state A guest1)" = running ]
	on B "echo 0 >$CARD/capability_word"
}
