/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * firmware.c: a stand-in that counts firmware commands. See firmware.h.
 *
 * No firmware is here. How many commands each request costs is read in the sources of Linux 6.12.117 and 7.3.4, the greater of both:
 * drivers/net/ethernet/mellanox/mlx5/core. A card that lacks a capability answers some of them without a command. What is written to sysfs is
 * not counted, nor what making a representor's queues takes when it comes up.
 */
#define _GNU_SOURCE
#include "firmware.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct {
	const char *what;
	unsigned int commands;
} table[FIRMWARE_KINDS] = {
	/* fw.c mlx5_fw_version_query(): MCQS for the component, MCQI for the version, MCQS for a pending one (which would be a fourth) */
	[FIRMWARE_INFO] = { "info", 3 },
	/* eswitch_offloads.c: max_io_eqs by QUERY_HCA_CAP; hw_addr by QUERY_NIC_VPORT_CONTEXT (7.3); all else is kept by the driver */
	[FIRMWARE_PORT] = { "port", 2 },
	/* eswitch_offloads.c: QUERY_HCA_CAP and SET_HCA_CAP; none where the value is set already */
	[FIRMWARE_SET_CAPS] = { "set-caps", 2 },
	/* eswitch.c mlx5_esw_set_vport_mac_locked(): the address, and the node guid that is made of it */
	[FIRMWARE_SET_ADDRESS] = { "set-address", 2 },
	/*
	 * en_main.c mlx5e_get_stats() lets a worker read: en_stats.c, the groups qcnt (2), vport and 802_3. Linux 6.12 fills in a link's
	 * statistics whatever RTEXT_FILTER_SKIP_STATS says (net/core/rtnetlink.c rtnl_fill_ifinfo()), 7.3 does not.
	 */
	[FIRMWARE_LINK_UPLINK] = { "link-uplink", 4 },
	/* the same of a representor: en_rep.c, the group vport_rep, and mlx5e_rep_update_vport_q_counter() */
	[FIRMWARE_LINK_REP] = { "link-representor", 2 },
	[FIRMWARE_LINK_VF] = { "link-vf", 4 },
	/* net/core/rtnetlink.c rtnl_fill_vfinfo(), eswitch.c mlx5_eswitch_get_vport_stats(): the counters, and the drops */
	[FIRMWARE_VF_STATISTICS] = { "vf-statistics", 2 },
	/* en_rep.c mlx5e_rep_open(): MODIFY_VPORT_STATE */
	[FIRMWARE_REP_UP] = { "representor-up", 1 },
};

/* Counts; see the header. */
void firmware_count(const char *folder, enum firmware_asked what)
{
	char path[4096], line[64];
	int fd, len;

	snprintf(path, sizeof(path), "%s/firmware", folder);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	len = snprintf(line, sizeof(line), "%u %s\n", table[what].commands, table[what].what);
	if (fd < 0 || write(fd, line, (size_t)len) != len)
		abort();
	close(fd);
}
