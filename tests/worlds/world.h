/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * world.h: a host as text, for the fakes that stand in for its hardware. See README.md for the format.
 */
#ifndef VFERRY_TESTS_WORLD_H
#define VFERRY_TESTS_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORLD_PFS 16
#define WORLD_VFS 256
#define WORLD_LINKS 8192
#define WORLD_PORTS 512
#define WORLD_FAILURES 8

struct world_vf {
	char address[32], rep[16], mac[20];
	int migratable;     /* -1: not offered */
	int roce, ipsec_crypto, ipsec_packet; /* the same */
	unsigned int max_io_eqs; /* 0: not told */
	unsigned int rate;  /* Mbit/s at most, 0: none is set */
	bool has_port;
};

struct world_pf {
	char address[32], uplink[16], mode[16], psid[32], firmware[32], stored[32];
	unsigned int vfs, total, offset, stride, number;
	unsigned int training; /* ms that the uplink has no link after a mode change */
	unsigned int eswitch_error, eswitch_fails, numvfs_error; /* errno; how many mode changes more it meets */
	char eswitch_says[160], eswitch_leaves[24];              /* the kernel's words; what becomes of the uplink: "dead", "gone" */
	struct world_vf vf[WORLD_VFS];
};

struct world_link {
	uint32_t index, lower, second, third, master, peer, far, mtu;
	char name[16], kind[16], parent[32], port[32], space[64];
	bool is_up, no_carrier, has_default, has_route, is_gone, is_dead;
	unsigned int addresses;
	const struct world_pf *devlink; /* whose port it is, NULL none */
	uint32_t devlink_index;
};

struct world_ovs {
	char kind[12];      /* "bridge", "port" */
	char name[64], bridge[64], type[20], peer[64], error[160], guest[40], lease[20], vf[32], datapath[16], members[160], iface_id[64];
	char trunks[512], attached_mac[20]; /* "100,200" */
	int ofport, tag, rate;
	bool ours, is_gone;
};

/* Reads of the kernel that fail. */
struct world_failure {
	char kind[16];
	unsigned int fails, error; /* so many times; errno */
};

struct world {
	struct world_pf pf[WORLD_PFS];
	size_t pfs;
	struct world_link link[WORLD_LINKS];
	size_t links;
	struct world_ovs row[WORLD_PORTS];
	size_t rows;
	struct world_failure failure[WORLD_FAILURES];
	size_t failures;
	bool no_ovs, ovs_hangs, ovs_refuses, ports_cut;
	char hw_offload[8], max_idle[16], ovn_bridge[64];
};

/* Reads $VFERRY_WORLD/host as it is now. Ends the program if it is not as README.md says. */
const struct world *world_read(void);

/* Appends a line to it, so that the world is another one from now on, and to the list of changes. */
__attribute__((format(printf, 1, 2)))
void world_change(const char *format, ...);

/* Shows its links in /sys/class/net, as sysfs.c has them. */
void world_show(const struct world *world);

/* Where its files are. */
const char *world_root(void);

#endif
