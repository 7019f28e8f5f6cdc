/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * devlink_refusal.c: what the kernel means when it does not change the mode of an e-switch.
 *
 * It is told by the kernel's words, not by the errno alone: mlx5 answers EINVAL when somebody holds the e-switch's lock just now, when VFs
 * have drivers, when it has drawn no valid MAC address for the uplink (before Linux commit 5d1a04f347e6), when the uplink was moved into another
 * network namespace (EPERM in some versions), and when it could not put the uplink's netdev on again (Linux 6.1 to 7.3
 * mlx5/core/eswitch_offloads.c mlx5_devlink_eswitch_mode_set(), eswitch.c mlx5_esw_try_lock(), en_main.c mlx5e_netdev_change_profile()).
 */
#include <errno.h>
#include <string.h>

#include "card/devlink.h"

#define LOG "look for mlx5_core's own words (journalctl -k | grep mlx5_core) and mend what they name"

/* A refusal: it is this one if its words stand in what the kernel says, and its errno, if it names one, is the kernel's. */
static const struct known {
	const char *words;
	int error; /* 0: whichever */
	enum eswitch_refusal refusal;
	const char *cure;
} table[] = {
	{ "firmware reset", 0, ESWITCH_REFUSED_FOR_NOW, "wait until the firmware has been reset, and try again" },
	{ "E-Switch is busy", -EINVAL, ESWITCH_REFUSED_FOR_NOW,
	  "somebody else is at work on the e-switch: wait until that has ended, and try again" },
	{ "", -EBUSY, ESWITCH_REFUSED_FOR_NOW,
	  "take its uplink out of Open vSwitch, whose offloaded rules hold the e-switch, and try again" },
	{ "IPsec", 0, ESWITCH_REFUSED, "take away the IPsec states and policies that are offloaded to its uplink, and try again" },
	{ "traps are active", 0, ESWITCH_REFUSED,
	  "set the card's traps back to what they were, and try again; 'devlink trap show' lists them" },
	{ "Socket Direct", 0, ESWITCH_REFUSED, "use a PF that is not one of several for one port, or a newer kernel" },
	{ "net namespace has diverged", 0, ESWITCH_REFUSED, "move the uplink back into the host's network namespace, and try again" },
	{ "", -EINVAL, ESWITCH_FAILED, LOG },
	{ "Failed setting eswitch", 0, ESWITCH_FAILED, LOG },
	{ "", 0, ESWITCH_REFUSED, LOG },
};
#define KNOWN (sizeof(table) / sizeof(table[0]))

/* Finds what was meant. error: negative. words: what the kernel said. Return: it; the last row fits everything. */
static const struct known *find(int error, const char *words)
{
	const struct known *known = table;

	while (known < table + KNOWN - 1 && (!strstr(words, known->words) || (known->error && known->error != error)))
		known++;
	return known;
}

/* Tells what was meant; see the header. */
enum eswitch_refusal devlink_eswitch_refusal(int error, const char *words)
{
	return find(error, words)->refusal;
}

/* Tells what an operator can do; see the header. */
const char *devlink_refusal_cure(int error, const char *words)
{
	return find(error, words)->cure;
}
