/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * machine.c: a fake of hardware, for figures of hosts that are larger than the lab's: the kernel's netlink answers about ConnectX-7 PFs.
 *
 * A program of vferry is linked with it, and with --wrap for netlink_open() and netlink_call(). What is sysfs, libvirt's directory or
 * vferry's own is read from files below $VFERRY_BENCH_ROOT, which tests/bench/make-machine has made, through base/sysroot.h; Open vSwitch
 * is a real one with dummy netdevs. Here are links, devlink info, eswitch and ports: every PF in switchdev mode, every VF migratable, each
 * with a representor. What is set is kept in $VFERRY_BENCH_ROOT/state, a byte for each VF: whether its representor is up. The answers take
 * the way of real ones through the parsers; what the kernel and the card need for them is missing from all figures.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_ZERO_STATS
#endif
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../worlds/firmware.h"
#include "base/sysroot.h"
#include "card/netlink.h"

#define SEQUENCE 7
#define FAMILY 30
#define FIRST_UPLINK 10
#define FIRST_REPRESENTOR 1000
#define PER_PF 256
#define FILLER 700 /* bytes of attributes of a real link that nobody here reads */

/* Linux include/uapi/linux/devlink.h: commands, attributes */
enum { PORT_GET = 5, PORT_SET = 6, ESWITCH_GET = 29, INFO_GET = 51 };
enum {
	BUS = 1, DEVICE = 2, INDEX = 3, TYPE = 4, IFINDEX = 6, NETDEV = 7, MODE = 25, FLAVOUR = 77, NUMBER = 78, FIXED = 100, RUNNING = 101,
	STORED = 102, NAME = 103, VALUE = 104, PF = 127, VF = 128, FUNCTION = 145, EXTERNAL = 149,
};
enum { HW_ADDR = 1, CAPS = 4 };
enum { LINK_PARENT = 56, LINK_PARENT_BUS = 57, LINK_PORT = 62, LINK_PORT_NAME = 38 };

static unsigned int pfs, vfs;
static unsigned char *up; /* a byte for each VF */

/* The answer that is being made: messages, one behind the other. */
static struct {
	unsigned char *bytes;
	size_t used, size;
} answer;

int __real_netlink_open(struct netlink *nl, const char *family, struct reason *why);
int __wrap_netlink_open(struct netlink *nl, const char *family, struct reason *why);
int __wrap_netlink_call(struct netlink *nl, struct nl_msg *msg, int (*each)(struct nlmsghdr *reply, void *arg), void *arg,
			const char *object, struct reason *why);

/* Ends the program. */
static void die(const char *what)
{
	fprintf(stderr, "machine: %s: %s\n", what, strerror(errno));
	_exit(126);
}

/* In a child: callgrind counts it from zero; it would begin with what its parent had. */
static void count_child(void)
{
	CALLGRIND_ZERO_STATS;
}

/* Counts what the card would be asked for, where somebody wants to know. */
static void count(enum firmware_asked what)
{
	const char *folder = getenv("VFERRY_BENCH_FIRMWARE");

	if (folder)
		firmware_count(folder, what);
}

/* Puts the machine into place, before main(). */
__attribute__((constructor)) static void begin(void)
{
	const char *root = getenv("VFERRY_BENCH_ROOT");
	char path[4096];
	FILE *file;
	int fd;

	if (!root || sysroot_set(root))
		die("VFERRY_BENCH_ROOT");
	snprintf(path, sizeof(path), "%s/machine", root);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%u %u", &pfs, &vfs) != 2)
		die(path);
	fclose(file);
	snprintf(path, sizeof(path), "%s/state", root);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, pfs * PER_PF) < 0)
		die(path);
	up = mmap(NULL, pfs * PER_PF, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (up == MAP_FAILED)
		die(path);
	close(fd);
	pthread_atfork(NULL, NULL, count_child);
}

/* Adds a message to the answer. */
static void add(struct nl_msg *msg)
{
	struct nlmsghdr *header = nlmsg_hdr(msg);
	size_t need = NLMSG_ALIGN(header->nlmsg_len);

	header->nlmsg_seq = SEQUENCE;
	if (answer.used + need > answer.size) {
		answer.size = (answer.size + need) * 2;
		answer.bytes = realloc(answer.bytes, answer.size);
		if (!answer.bytes)
			die("memory");
	}
	memcpy(answer.bytes + answer.used, header, header->nlmsg_len);
	answer.used += need;
	nlmsg_free(msg);
}

/* Adds the end: of a dump, or the acknowledgement with an error. */
static void add_end(bool dump, int error)
{
	struct nl_msg *msg = nlmsg_alloc_simple(dump ? NLMSG_DONE : NLMSG_ERROR, 0);
	struct nlmsgerr end = { .error = error };

	nlmsg_append(msg, dump ? (void *)&error : (void *)&end, dump ? sizeof(error) : sizeof(end), NLMSG_ALIGNTO);
	add(msg);
}

/* The address of a PF as text. */
static const char *pf_address(unsigned int pf)
{
	static char text[32];

	snprintf(text, sizeof(text), "0000:%02x:00.0", 0x81 + pf);
	return text;
}

/* ---- Links --------------------------------------------------------------------------------------------------------------------- */

/* Begins an RTM_NEWLINK. */
static struct nl_msg *link_message(unsigned int index, const char *name, bool is_up)
{
	static const char filler[FILLER];
	struct ifinfomsg header = { .ifi_index = (int)index, .ifi_flags = is_up ? IFF_UP | 0x10000 : 0 };
	struct nl_msg *msg = nlmsg_alloc_size(16384);

	nlmsg_put(msg, 0, 0, RTM_NEWLINK, 0, NLM_F_MULTI);
	nlmsg_append(msg, &header, sizeof(header), NLMSG_ALIGNTO);
	nla_put_string(msg, IFLA_IFNAME, name);
	nla_put(msg, IFLA_AF_SPEC, FILLER, filler);
	return msg;
}

/* Adds what a link of a PF has: its parent and its devlink port. */
static void put_parent(struct nl_msg *msg, unsigned int pf, const char *port_name, const char *bus, const char *device, unsigned int port)
{
	struct nlattr *nest;

	nla_put_string(msg, LINK_PARENT, pf_address(pf));
	nla_put_string(msg, LINK_PARENT_BUS, "pci");
	nla_put_string(msg, LINK_PORT_NAME, port_name);
	nest = nla_nest_start(msg, LINK_PORT);
	nla_put_string(msg, BUS, bus);
	nla_put_string(msg, DEVICE, device);
	nla_put_u32(msg, INDEX, port);
	nla_nest_end(msg, nest);
}

/* Adds an uplink. with_vfs: also what is set for each VF; with_statistics: and what it has sent. */
static void add_uplink(unsigned int pf, bool with_vfs, bool with_statistics)
{
	char name[16], port_name[16], device[32];
	struct nlattr *list, *info;
	struct nl_msg *msg;

	snprintf(name, sizeof(name), "uplink%u", pf);
	snprintf(port_name, sizeof(port_name), "p%u", pf);
	snprintf(device, sizeof(device), "mlx5_core.eth.%u", pf);
	msg = link_message(FIRST_UPLINK + pf, name, true);
	put_parent(msg, pf, port_name, "auxiliary", device, 0);
	count(FIRMWARE_LINK_UPLINK);
	list = with_vfs ? nla_nest_start(msg, IFLA_VFINFO_LIST) : NULL;
	for (unsigned int i = 0; list && i < vfs; i++) {
		struct ifla_vf_rate rate = { .vf = i };

		info = nla_nest_start(msg, IFLA_VF_INFO);
		nla_put(msg, IFLA_VF_RATE, sizeof(rate), &rate);
		nla_nest_end(msg, info);
		if (with_statistics)
			count(FIRMWARE_VF_STATISTICS);
	}
	if (list)
		nla_nest_end(msg, list);
	add(msg);
}

/* Adds a representor. */
static void add_representor(unsigned int pf, unsigned int vf)
{
	char name[16], port_name[16];
	struct nl_msg *msg;

	snprintf(name, sizeof(name), "rep%ur%u", pf, vf);
	snprintf(port_name, sizeof(port_name), "pf%uvf%u", pf, vf);
	msg = link_message(FIRST_REPRESENTOR + pf * PER_PF + vf, name, up[pf * PER_PF + vf]);
	put_parent(msg, pf, port_name, "pci", pf_address(pf), vf + 1);
	count(FIRMWARE_LINK_REP);
	add(msg);
}

/* A representor comes up, or goes down: sysfs shows it, too. */
static void set_up(unsigned int number, bool is_up)
{
	(void)sysroot_write(is_up ? "0x1003" : "0x1002", "/sys/class/net/rep%ur%u/flags", number / PER_PF, number % PER_PF);
	up[number] = is_up;
	count(FIRMWARE_REP_UP);
}

/* Answers a request of rtnetlink. Return: 0, negative errno. */
static int answer_rtnetlink(const struct nlmsghdr *request)
{
	const struct ifinfomsg *header = nlmsg_data(request);
	const struct nlattr *name, *mask;
	unsigned int pf;

	if (request->nlmsg_type == RTM_NEWLINK && header->ifi_index >= FIRST_REPRESENTOR)
		set_up((unsigned int)header->ifi_index - FIRST_REPRESENTOR, (header->ifi_flags & IFF_UP) != 0);
	if (request->nlmsg_type != RTM_GETLINK)
		return 0;
	name = nlmsg_find_attr((struct nlmsghdr *)(uintptr_t)request, sizeof(*header), IFLA_IFNAME);
	if (name) {
		if (sscanf(nla_get_string(name), "uplink%u", &pf) != 1 || pf >= pfs)
			return -ENODEV;
		mask = nlmsg_find_attr((struct nlmsghdr *)(uintptr_t)request, sizeof(*header), IFLA_EXT_MASK);
		add_uplink(pf, mask && nla_get_u32(mask) & RTEXT_FILTER_VF, !mask || !(nla_get_u32(mask) & RTEXT_FILTER_SKIP_STATS));
		return 0;
	}
	if (header->ifi_index >= FIRST_REPRESENTOR) {
		add_representor((unsigned int)(header->ifi_index - FIRST_REPRESENTOR) / PER_PF,
				(unsigned int)(header->ifi_index - FIRST_REPRESENTOR) % PER_PF);
		return 0;
	}
	for (pf = 0; pf < pfs; pf++) {
		add_uplink(pf, false, false);
		for (unsigned int vf = 0; vf < vfs; vf++)
			add_representor(pf, vf);
	}
	return 0;
}

/* ---- devlink ------------------------------------------------------------------------------------------------------------------- */

/* Begins a reply about a devlink instance. */
static struct nl_msg *devlink_message(const char *bus, const char *device)
{
	struct nl_msg *msg = nlmsg_alloc_size(4096);

	genlmsg_put(msg, 0, 0, FAMILY, 0, NLM_F_MULTI, PORT_GET, 1);
	nla_put_string(msg, BUS, bus);
	nla_put_string(msg, DEVICE, device);
	return msg;
}

/* Adds one version to DEVLINK_CMD_INFO_GET. */
static void put_version(struct nl_msg *msg, int kind, const char *name, const char *value)
{
	struct nlattr *nest = nla_nest_start(msg, kind);

	nla_put_string(msg, NAME, name);
	nla_put_string(msg, VALUE, value);
	nla_nest_end(msg, nest);
}

/* Adds what a PF tells of its firmware. */
static void add_info(unsigned int pf)
{
	struct nl_msg *msg = devlink_message("pci", pf_address(pf));

	count(FIRMWARE_INFO);
	put_version(msg, FIXED, "fw.psid", "MT_0000000834");
	put_version(msg, RUNNING, "fw.version", "28.43.1014");
	put_version(msg, STORED, "fw.version", "28.43.1014");
	add(msg);
}

/* Adds the port of a VF. */
static void add_vf_port(unsigned int pf, unsigned int vf)
{
	const unsigned char mac[6] = { 0 };
	const uint32_t caps[2] = { 3, 3 };
	struct nl_msg *msg = devlink_message("pci", pf_address(pf));
	struct nlattr *nest;
	char name[16];

	snprintf(name, sizeof(name), "rep%ur%u", pf, vf);
	nla_put_u32(msg, INDEX, vf + 1);
	nla_put_u16(msg, TYPE, 2);
	nla_put_u32(msg, IFINDEX, FIRST_REPRESENTOR + pf * PER_PF + vf);
	nla_put_string(msg, NETDEV, name);
	nla_put_u16(msg, FLAVOUR, 4);
	nla_put_u16(msg, PF, (uint16_t)pf);
	nla_put_u16(msg, VF, (uint16_t)vf);
	nla_put_u8(msg, EXTERNAL, 0);
	nest = nla_nest_start(msg, FUNCTION);
	nla_put(msg, HW_ADDR, sizeof(mac), mac);
	nla_put(msg, CAPS, sizeof(caps), caps);
	nla_nest_end(msg, nest);
	count(FIRMWARE_PORT);
	add(msg);
}

/* Adds the ports of an instance: of VFs, or the uplink's. index: NULL for all. Return: 0, -ENODEV. */
static int add_ports(unsigned int pf, bool auxiliary, const struct nlattr *index)
{
	char device[32];
	struct nl_msg *msg;

	if (auxiliary) {
		snprintf(device, sizeof(device), "mlx5_core.eth.%u", pf);
		msg = devlink_message("auxiliary", device);
		nla_put_u32(msg, INDEX, 0);
		nla_put_u32(msg, IFINDEX, FIRST_UPLINK + pf);
		nla_put_u16(msg, FLAVOUR, 0);
		nla_put_u32(msg, NUMBER, pf);
		add(msg);
		return 0;
	}
	if (index && (nla_get_u32(index) == 0 || nla_get_u32(index) > vfs))
		return -ENODEV;
	for (unsigned int vf = 0; vf < vfs; vf++)
		if (!index || nla_get_u32(index) == vf + 1)
			add_vf_port(pf, vf);
	return 0;
}

/* Answers a request of devlink. Return: 0, negative errno. */
static int answer_devlink(struct nlmsghdr *request)
{
	struct nlattr *attribute[EXTERNAL + 1];
	struct nl_msg *msg;
	const char *device;
	unsigned int pf;
	bool auxiliary;

	if (genlmsg_parse(request, 0, attribute, EXTERNAL, NULL) < 0 || !attribute[DEVICE])
		return -EINVAL;
	device = nla_get_string(attribute[DEVICE]);
	auxiliary = strcmp(nla_get_string(attribute[BUS]), "auxiliary") == 0;
	if (sscanf(device, auxiliary ? "mlx5_core.eth.%u" : "0000:%x:00.0", &pf) != 1)
		return -ENODEV;
	pf -= auxiliary ? 0 : 0x81;
	switch (pf < pfs ? genlmsg_hdr(request)->cmd : 0) {
	case 0:
		return -ENODEV;
	case INFO_GET:
		add_info(pf);
		return 0;
	case ESWITCH_GET:
		msg = devlink_message("pci", device);
		nla_put_u16(msg, MODE, 1);
		add(msg);
		return 0;
	case PORT_GET:
		return add_ports(pf, auxiliary, attribute[INDEX]);
	default:
		return 0;
	}
}

/* ---- The door ------------------------------------------------------------------------------------------------------------------ */

/* Opens nothing. */
int __wrap_netlink_open(struct netlink *nl, const char *family, struct reason *why)
{
	(void)why;
	memset(nl, 0, sizeof(*nl));
	nl->family = family ? FAMILY : 0;
	return 0;
}

/* Makes the answer to a request and hands it over as a real one is. */
int __wrap_netlink_call(struct netlink *nl, struct nl_msg *msg, int (*each)(struct nlmsghdr *reply, void *arg), void *arg,
			const char *object, struct reason *why)
{
	struct netlink_answer collected = { .sequence = SEQUENCE };
	struct nlmsghdr *request = nlmsg_hdr(msg);
	int error;

	answer.used = 0;
	error = nl->family ? answer_devlink(request) : answer_rtnetlink(request);
	add_end(request->nlmsg_flags & NLM_F_DUMP, error);
	if (netlink_answer_feed(&collected, answer.bytes, answer.used))
		die("the answer");
	error = collected.error;
	if (error)
		reason_set(why, error, object, "the kernel refused");
	else
		error = netlink_answer_each(&collected, each, arg);
	netlink_answer_release(&collected);
	nlmsg_free(msg);
	return error;
}
