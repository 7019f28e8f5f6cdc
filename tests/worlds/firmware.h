/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * firmware.h: a stand-in for the firmware of a card, as far as it counts: how many commands mlx5 would send to it for what it is asked over
 * netlink. For the fakes of the kernel's netlink: tests/worlds/kernel.c and tests/bench/machine.c.
 */
#ifndef VFERRY_TESTS_FIRMWARE_H
#define VFERRY_TESTS_FIRMWARE_H

/* What the driver is asked. */
enum firmware_asked {
	FIRMWARE_INFO,          /* devlink dev info of a PF */
	FIRMWARE_PORT,          /* the function of a VF's devlink port, alone or in a dump */
	FIRMWARE_SET_CAPS,      /* migratable, roce or max_io_eqs of a VF, to another value */
	FIRMWARE_SET_ADDRESS,   /* hw_addr of a VF */
	FIRMWARE_LINK_UPLINK,   /* an uplink's link, alone or in a dump */
	FIRMWARE_LINK_REP,      /* a representor's */
	FIRMWARE_LINK_VF,       /* the netdev of a VF that mlx5_core has */
	FIRMWARE_VF_STATISTICS, /* one VF in the list of an uplink's link, with statistics */
	FIRMWARE_REP_UP,        /* IFF_UP of a representor */
	FIRMWARE_KINDS,
};

/* Counts: a line "COMMANDS WHAT" in the file "firmware" below a folder. */
void firmware_count(const char *folder, enum firmware_asked what);

#endif
