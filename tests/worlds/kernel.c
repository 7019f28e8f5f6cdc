/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kernel.c: a fake of hardware: what the kernel answers about a world over netlink, and what it makes of changes.
 *
 * Linked with --wrap into the product's own programs. Answers take the way of real ones through the parsers. What is set is appended to the
 * world, so that the next look sees it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool_netlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sysroot.h"
#include "card/devlink.h"
#include "card/netdev.h"
#include "card/msix.h"
#include "card/netlink.h"
#include "card/sriov.h"
#include "firmware.h"
#include "host/announce.h"
#include "world.h"

#define SEQUENCE 7
#define FAMILY 30
#define ETHTOOL 31
#define OWN_SPACE 5 /* by which number other namespaces know ours */
#define UNUSED __attribute__((unused))
#define TRAINS_NEVER 99999 /* "training" of a PF */

/* Linux include/uapi/linux/devlink.h: commands, attributes */
enum { PORT_GET = 5, ESWITCH_GET = 29, ESWITCH_SET = 30, INFO_GET = 51 };
enum {
	BUS = 1, DEVICE = 2, INDEX = 3, TYPE = 4, IFINDEX = 6, NETDEV = 7, MODE = 25, FLAVOUR = 77, NUMBER = 78, FIXED = 100, RUNNING = 101,
	STORED = 102, NAME = 103, VALUE = 104, PF = 127, VF = 128, FUNCTION = 145, EXTERNAL = 149,
};
enum { HW_ADDR = 1, CAPS = 4, MAX_IO_EQS = 6 };
enum { LINK_PARENT = 56, LINK_PARENT_BUS = 57, LINK_PORT = 62, LINK_PORT_NAME = 38, LINK_NETNSID = 37 };

/* The answer that is being made. */
static struct {
	unsigned char *bytes;
	size_t used, size;
} answer;
static char space_now[64]; /* the namespace that rtnetlink is open in */

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
			abort();
	}
	memset(answer.bytes + answer.used, 0, need);
	memcpy(answer.bytes + answer.used, header, header->nlmsg_len);
	answer.used += need;
	nlmsg_free(msg);
}

#define CAPPED 0x100   /* NLM_F_CAPPED */
#define HAS_TEXT 0x200 /* NLM_F_ACK_TLVS */

/* Adds the end: of a dump, or the acknowledgement with an error. text: the kernel's words about it, "" none. */
static void add_end(bool dump, int error, const char *text)
{
	struct nl_msg *msg = nlmsg_alloc_simple(dump ? NLMSG_DONE : NLMSG_ERROR, *text ? CAPPED | HAS_TEXT : 0);
	struct nlmsgerr end = { .error = error };

	nlmsg_append(msg, dump ? (void *)&error : (void *)&end, dump ? sizeof(error) : sizeof(end), NLMSG_ALIGNTO);
	if (*text)
		nla_put_string(msg, NLMSGERR_ATTR_MSG, text);
	add(msg);
}

/* ---- rtnetlink ----------------------------------------------------------------------------------------------------------------- */

/* Adds the devlink port of a link. */
static void put_devlink(struct nl_msg *msg, const struct world_link *link)
{
	struct nlattr *nest;
	char device[32];

	if (!link->devlink)
		return;
	snprintf(device, sizeof(device), "mlx5_core.eth.%u", link->devlink->number);
	nest = nla_nest_start(msg, LINK_PORT);
	nla_put_string(msg, BUS, link->devlink_index ? "pci" : "auxiliary");
	nla_put_string(msg, DEVICE, link->devlink_index ? link->devlink->address : device);
	nla_put_u32(msg, INDEX, link->devlink_index);
	nla_nest_end(msg, nest);
}

#define SKIP_STATISTICS (1 << 3) /* RTEXT_FILTER_SKIP_STATS */

/* Adds the rates of the VFs of an uplink. statistics: theirs are asked for too. */
static void put_rates(struct nl_msg *msg, const struct world_pf *pf, bool statistics)
{
	struct nlattr *list = nla_nest_start(msg, IFLA_VFINFO_LIST);

	for (unsigned int i = 0; i < pf->vfs; i++) {
		struct nlattr *info = nla_nest_start(msg, IFLA_VF_INFO);
		struct ifla_vf_rate rate = { .vf = i, .max_tx_rate = pf->vf[i].rate };

		nla_put(msg, IFLA_VF_RATE, sizeof(rate), &rate);
		nla_nest_end(msg, info);
		if (statistics)
			firmware_count(world_root(), FIRMWARE_VF_STATISTICS);
	}
	nla_nest_end(msg, list);
}

/* Whether a device is a VF that is netdev of mlx5_core. */
static bool is_vf(const struct world *world, const char *address)
{
	for (size_t i = 0; i < world->pfs; i++) {
		for (unsigned int k = 0; *address && k < world->pf[i].vfs; k++) {
			if (strcmp(world->pf[i].vf[k].address, address) == 0)
				return true;
		}
	}
	return false;
}

/* Counts what telling about a link makes the driver ask. */
static void count_link(const struct world *world, const struct world_link *link)
{
	if (link->devlink)
		firmware_count(world_root(), link->devlink_index ? FIRMWARE_LINK_REP : FIRMWARE_LINK_UPLINK);
	else if (is_vf(world, link->parent))
		firmware_count(world_root(), FIRMWARE_LINK_VF);
}

/*
 * Whether rtnetlink tells what a link lies on: not of kinds that have no ndo_get_iflink() for it (Linux net/core/dev.c dev_get_iflink()),
 * which are linked in sysfs alone.
 */
static bool tells_lower(const struct world_link *link)
{
	static const char *const silent[] = { "vxlan", "hsr", "amt" };

	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++) {
		if (strcmp(link->kind, silent[i]) == 0)
			return false;
	}
	return link->lower || link->peer || link->far;
}

/* Adds a link. mask: IFLA_EXT_MASK of the request. */
static void add_link(const struct world_link *link, uint32_t mask)
{
	struct ifinfomsg header = { .ifi_index = (int)link->index, .ifi_flags = link->is_up ? IFF_UP | 0x10000 : 0 };
	struct nl_msg *msg = nlmsg_alloc_size(32768);
	struct nlattr *nest;

	nlmsg_put(msg, 0, 0, RTM_NEWLINK, 0, NLM_F_MULTI);
	nlmsg_append(msg, &header, sizeof(header), NLMSG_ALIGNTO);
	nla_put_string(msg, IFLA_IFNAME, link->name);
	nla_put_u32(msg, IFLA_MTU, link->mtu);
	if (tells_lower(link))
		nla_put_u32(msg, IFLA_LINK, link->lower ? link->lower : link->peer ? link->peer : link->far);
	if (link->far)
		nla_put_u32(msg, LINK_NETNSID, OWN_SPACE);
	if (link->master)
		nla_put_u32(msg, IFLA_MASTER, link->master);
	if (*link->kind) {
		nest = nla_nest_start(msg, IFLA_LINKINFO);
		nla_put_string(msg, IFLA_INFO_KIND, link->kind);
		nla_nest_end(msg, nest);
	}
	if (*link->parent) {
		nla_put_string(msg, LINK_PARENT, link->parent);
		nla_put_string(msg, LINK_PARENT_BUS, "pci");
	}
	if (*link->port)
		nla_put_string(msg, LINK_PORT_NAME, link->port);
	put_devlink(msg, link);
	if (mask & RTEXT_FILTER_VF && link->devlink && !link->devlink_index)
		put_rates(msg, link->devlink, !(mask & SKIP_STATISTICS));
	add(msg);
}

/* Adds the links that are asked for. name, index: of one, else all; mask: IFLA_EXT_MASK. Return: 0, -ENODEV. */
static int add_links(const struct world *world, const char *name, uint32_t index, uint32_t mask)
{
	bool one = name || index, some = false;

	for (size_t i = 0; i < world->links; i++) {
		const struct world_link *link = &world->link[i];

		if (link->is_gone || !*link->name || strcmp(link->space, space_now) != 0 || (name && strcmp(link->name, name) != 0) ||
		    (index && link->index != index))
			continue;
		add_link(link, mask);
		count_link(world, link);
		some = true;
	}
	return one && !some ? -ENODEV : 0;
}

/* Adds the addresses. */
static void add_addresses(const struct world *world)
{
	for (size_t i = 0; i < world->links; i++) {
		for (unsigned int k = 0; !world->link[i].is_gone && !*world->link[i].space && k < world->link[i].addresses; k++) {
			struct ifaddrmsg header = { .ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = world->link[i].index };
			struct nl_msg *msg = nlmsg_alloc_size(512);

			nlmsg_put(msg, 0, 0, RTM_NEWADDR, 0, NLM_F_MULTI);
			nlmsg_append(msg, &header, sizeof(header), NLMSG_ALIGNTO);
			add(msg);
		}
	}
}

/* Adds the routes of one family. */
static void add_routes(const struct world *world, unsigned char family)
{
	for (size_t i = 0; i < world->links; i++) {
		const struct world_link *link = &world->link[i];
		struct rtmsg header = { .rtm_family = family, .rtm_dst_len = link->has_default ? 0 : 24, .rtm_table = RT_TABLE_MAIN,
					.rtm_type = RTN_UNICAST, .rtm_protocol = RTPROT_STATIC };
		struct nl_msg *msg;

		if (link->is_gone || *link->space || (!link->has_default && !link->has_route) || family != AF_INET)
			continue;
		msg = nlmsg_alloc_size(512);
		nlmsg_put(msg, 0, 0, RTM_NEWROUTE, 0, NLM_F_MULTI);
		nlmsg_append(msg, &header, sizeof(header), NLMSG_ALIGNTO);
		nla_put_u32(msg, RTA_OIF, link->index);
		add(msg);
	}
}

/* Sets the rates of a VF. Return: 0, -ENODEV. */
static int set_rates(const struct world *world, struct nlmsghdr *request)
{
	const struct nlattr *name = nlmsg_find_attr(request, sizeof(struct ifinfomsg), IFLA_IFNAME);
	const struct nlattr *list = nlmsg_find_attr(request, sizeof(struct ifinfomsg), IFLA_VFINFO_LIST);
	const struct nlattr *info = list ? nla_find(nla_data(list), nla_len(list), IFLA_VF_INFO) : NULL;
	const struct nlattr *rate = info ? nla_find(nla_data(info), nla_len(info), IFLA_VF_RATE) : NULL;
	struct ifla_vf_rate wanted;

	if (!name || !rate || nla_len(rate) < (int)sizeof(wanted))
		return 0;
	memcpy(&wanted, nla_data(rate), sizeof(wanted));
	for (size_t i = 0; i < world->pfs; i++) {
		if (strcmp(world->pf[i].uplink, nla_get_string(name)) != 0)
			continue;
		world_change("vf %s %u max-rate=%u", world->pf[i].address, wanted.vf, wanted.max_tx_rate);
		return 0;
	}
	return -ENODEV;
}

/* Answers a request of rtnetlink. Return: 0, negative errno. */
static int answer_rtnetlink(struct nlmsghdr *request)
{
	const struct world *world = world_read();
	const struct ifinfomsg *header = nlmsg_data(request);
	const struct nlattr *name, *mask;

	switch (request->nlmsg_type) {
	case RTM_GETLINK:
		name = nlmsg_find_attr(request, sizeof(*header), IFLA_IFNAME);
		mask = nlmsg_find_attr(request, sizeof(*header), IFLA_EXT_MASK);
		return add_links(world, name ? nla_get_string(name) : NULL, (uint32_t)header->ifi_index, mask ? nla_get_u32(mask) : 0);
	case RTM_SETLINK:
		return set_rates(world, request);
	case RTM_GETADDR:
		add_addresses(world);
		return 0;
	case RTM_GETROUTE:
		add_routes(world, ((struct rtmsg *)nlmsg_data(request))->rtm_family);
		return 0;
	default:
		return 0;
	}
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

/* Adds one version. */
static void put_version(struct nl_msg *msg, int kind, const char *name, const char *value)
{
	struct nlattr *nest = nla_nest_start(msg, kind);

	nla_put_string(msg, NAME, name);
	nla_put_string(msg, VALUE, value);
	nla_nest_end(msg, nest);
}

/* Adds what a PF tells of its firmware. */
static void add_info(const struct world_pf *pf)
{
	struct nl_msg *msg = devlink_message("pci", pf->address);

	firmware_count(world_root(), FIRMWARE_INFO);
	put_version(msg, FIXED, "fw.psid", pf->psid);
	put_version(msg, RUNNING, "fw.version", pf->firmware);
	put_version(msg, STORED, "fw.version", *pf->stored ? pf->stored : pf->firmware);
	add(msg);
}

/* The capabilities of a VF's function: value and selector. */
static void put_capabilities(struct nl_msg *msg, const struct world_vf *vf)
{
	const int capability[] = { vf->roce, vf->migratable, vf->ipsec_crypto, vf->ipsec_packet };
	uint32_t caps[2] = { 0 };

	for (unsigned int i = 0; i < sizeof(capability) / sizeof(capability[0]); i++) {
		caps[0] |= (uint32_t)(capability[i] == 1) << i;
		caps[1] |= (uint32_t)(capability[i] >= 0) << i;
	}
	nla_put(msg, CAPS, sizeof(caps), caps);
	if (vf->max_io_eqs)
		nla_put_u32(msg, MAX_IO_EQS, vf->max_io_eqs);
}

/* Adds the port of a VF. */
static void add_vf_port(const struct world *world, const struct world_pf *pf, unsigned int vf)
{
	unsigned char mac[6] = { 0 };
	struct nl_msg *msg = devlink_message("pci", pf->address);
	struct nlattr *nest;

	(void)sscanf(pf->vf[vf].mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5]);
	nla_put_u32(msg, INDEX, vf + 1);
	nla_put_u16(msg, TYPE, 2);
	for (size_t i = 0; i < world->links; i++) {
		const struct world_link *link = &world->link[i];

		if (link->devlink != pf || link->devlink_index != vf + 1 || link->is_gone || *link->space)
			continue;
		nla_put_u32(msg, IFINDEX, link->index);
		nla_put_string(msg, NETDEV, link->name);
	}
	nla_put_u16(msg, FLAVOUR, 4);
	nla_put_u16(msg, PF, (uint16_t)pf->number);
	nla_put_u16(msg, VF, (uint16_t)vf);
	nla_put_u8(msg, EXTERNAL, 0);
	nest = nla_nest_start(msg, FUNCTION);
	nla_put(msg, HW_ADDR, sizeof(mac), mac);
	put_capabilities(msg, &pf->vf[vf]);
	nla_nest_end(msg, nest);
	firmware_count(world_root(), FIRMWARE_PORT);
	add(msg);
}

/* Adds the ports of an instance. index: NULL for all. Return: 0, -ENODEV. */
static int add_ports(const struct world *world, const struct world_pf *pf, bool auxiliary, const struct nlattr *index)
{
	char device[32];
	struct nl_msg *msg;

	if (auxiliary) {
		snprintf(device, sizeof(device), "mlx5_core.eth.%u", pf->number);
		msg = devlink_message("auxiliary", device);
		nla_put_u32(msg, INDEX, 0);
		nla_put_u32(msg, IFINDEX, 10 + pf->number);
		nla_put_u16(msg, FLAVOUR, 0);
		nla_put_u32(msg, NUMBER, pf->number);
		add(msg);
		return 0;
	}
	if (strcmp(pf->mode, "switchdev") != 0)
		return index ? -ENODEV : 0;
	if (!index && world->ports_cut)
		return 0;
	for (unsigned int vf = 0; vf < pf->vfs; vf++) {
		if (pf->vf[vf].has_port && (!index || nla_get_u32(index) == vf + 1))
			add_vf_port(world, pf, vf);
	}
	return 0;
}

/* Takes the link of an uplink away, and has it back when its training has ended, if ever. */
static void train(const struct world_pf *pf)
{
	unsigned int link = 10 + pf->number, training = pf->training;

	world_change("link %u carrier=0", link);
	if (training == TRAINS_NEVER || fork())
		return;
	(void)setsid();
	if (fork() == 0) {
		usleep(training * 1000);
		world_change("link %u carrier=1", link);
	}
	_exit(0);
}

/* Does not change the mode. words: receives why, in the kernel's words. Return: negative errno. */
static int refuse_mode(const struct world_pf *pf, char *words, size_t size)
{
	int error = -(int)pf->eswitch_error;
	unsigned int left = pf->eswitch_fails, uplink = 10 + pf->number;
	char address[sizeof(pf->address)], leaves[sizeof(pf->eswitch_leaves)];

	for (const char *at = pf->eswitch_says; *at && size > 1; at++) {
		if (*at == '\\')
			continue;
		*words++ = *at == '_' ? ' ' : *at;
		size--;
	}
	*words = '\0';
	snprintf(address, sizeof(address), "%s", pf->address);
	snprintf(leaves, sizeof(leaves), "%s", pf->eswitch_leaves);
	if (*leaves)
		world_change("link %u %s%s", uplink, leaves, strchr(leaves, '=') ? "" : "=1");
	world_change("pf %s eswitch-fails=%u", address, left - 1);
	return error;
}

/* The mode is another one. words: receives why not. Return: 0, negative errno. */
static int set_mode(const struct world_pf *pf, uint16_t mode, char *words, size_t size)
{
	char address[sizeof(pf->address)];
	const struct world *world;

	if (pf->eswitch_fails)
		return refuse_mode(pf, words, size);
	snprintf(address, sizeof(address), "%s", pf->address);
	world_change("pf %s mode=%s", address, mode == ESWITCH_SWITCHDEV ? "switchdev" : "legacy");
	world = world_read();
	for (size_t i = 0; i < world->pfs; i++) {
		if (world->pf[i].training && strcmp(world->pf[i].address, address) == 0)
			train(&world->pf[i]);
	}
	return 0;
}

/* Answers a request of ethtool: a netdev that a driver has taken off, and not put on again, answers nothing. Return: 0, -ENODEV. */
static int answer_ethtool(struct nlmsghdr *request)
{
	const struct world *world = world_read();
	const struct nlattr *header = nlmsg_find_attr(request, GENL_HDRLEN, ETHTOOL_A_LINKSTATE_HEADER);
	const struct nlattr *index = header ? nla_find(nla_data(header), nla_len(header), ETHTOOL_A_HEADER_DEV_INDEX) : NULL;

	for (size_t i = 0; index && i < world->links; i++) {
		const struct world_link *link = &world->link[i];

		if (link->index == nla_get_u32(index) && !*link->space && !link->is_gone)
			return link->is_dead ? -ENODEV : 0;
	}
	return -ENODEV;
}

/* Answers a request of devlink. words: receives what the kernel says to an error. Return: 0, negative errno. */
static int answer_devlink(struct nlmsghdr *request, char *words, size_t size)
{
	const struct world *world = world_read();
	struct nlattr *attribute[EXTERNAL + 1];
	const struct world_pf *pf = NULL;
	struct nl_msg *msg;
	bool auxiliary;
	char device[64];

	if (genlmsg_parse(request, 0, attribute, EXTERNAL, NULL) < 0 || !attribute[DEVICE])
		return -EINVAL;
	auxiliary = strcmp(nla_get_string(attribute[BUS]), "auxiliary") == 0;
	for (size_t i = 0; i < world->pfs; i++) {
		snprintf(device, sizeof(device), "mlx5_core.eth.%zu", i);
		if (strcmp(nla_get_string(attribute[DEVICE]), auxiliary ? device : world->pf[i].address) == 0)
			pf = &world->pf[i];
	}
	if (!pf)
		return -ENODEV;
	switch (genlmsg_hdr(request)->cmd) {
	case INFO_GET:
		add_info(pf);
		return 0;
	case ESWITCH_GET:
		msg = devlink_message("pci", pf->address);
		nla_put_u16(msg, MODE, strcmp(pf->mode, "switchdev") == 0);
		add(msg);
		return 0;
	case ESWITCH_SET:
		return attribute[MODE] ? set_mode(pf, nla_get_u16(attribute[MODE]), words, size) : -EINVAL;
	case PORT_GET:
		return add_ports(world, pf, auxiliary, attribute[INDEX]);
	default:
		return 0;
	}
}

/* ---- What cannot be read ------------------------------------------------------------------------------------------------------- */

/* Which kind of read a request is, as "netlink KIND" of a world calls it; NULL: none that can fail. */
static const char *kind_of(const struct netlink *nl, struct nlmsghdr *request)
{
	bool is_dump = (request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;

	if (nl->family == ETHTOOL)
		return NULL;
	if (!nl->family)
		return request->nlmsg_type == RTM_GETLINK ? is_dump ? "links" : "link" : NULL;
	switch (genlmsg_hdr(request)->cmd) {
	case INFO_GET:
		return "info";
	case ESWITCH_GET:
		return "eswitch";
	case PORT_GET:
		return is_dump ? "ports" : "port";
	default:
		return NULL;
	}
}

/* Meets a failure that the world has for a kind of read, so many times. Return: 0, negative errno. */
static int meet_failure(const char *kind)
{
	const struct world *world = world_read();
	char path[4096];
	struct stat met;
	int fd;

	for (size_t i = 0; kind && i < world->failures; i++) {
		const struct world_failure *failure = &world->failure[i];

		if (strcmp(failure->kind, kind) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/failed-%s", world_root(), kind);
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || fstat(fd, &met) < 0 || write(fd, ".", 1) != 1)
			abort();
		close(fd);
		return met.st_size < (off_t)failure->fails ? -(int)failure->error : 0;
	}
	return 0;
}

/* ---- The doors ----------------------------------------------------------------------------------------------------------------- */

int __wrap_netlink_open(struct netlink *nl, const char *family, struct reason *why);
int __wrap_netlink_open_space(struct netlink *nl, const char *space, int *own, struct reason *why);
int __wrap_netlink_call(struct netlink *nl, struct nl_msg *msg, int (*each)(struct nlmsghdr *reply, void *arg), void *arg,
			const char *object, struct reason *why);
int __wrap_devlink_port_set_migratable(struct netlink *nl, const struct devlink_port *port, bool on, struct reason *why);
int __wrap_devlink_port_set_hw_addr(struct netlink *nl, const struct devlink_port *port, const struct mac_address *mac, struct reason *why);
int __wrap_devlink_port_set_attribute(struct netlink *nl, const struct devlink_port *port, enum function_attribute attribute, uint32_t value,
				      struct reason *why);
int __wrap_netdev_set_up(struct netlink *rt, uint32_t ifindex, bool up, struct reason *why);
int __wrap_netdev_set_mtu(struct netlink *rt, uint32_t ifindex, unsigned int mtu, struct reason *why);
int __wrap_sriov_set_num(const struct pci_address *pf, unsigned int vfs, struct reason *why);
int __wrap_pci_bind(const struct pci_address *device, const char *driver, struct reason *why);
int __wrap_pci_unbind(const struct pci_address *device, struct reason *why);
int __wrap_msix_set(const struct pci_address *vf, unsigned int size, struct reason *why);
int __wrap_announce_through_bridge(const char *socket, const char *bridge, uint32_t in_port, const struct mac_address *mac,
				   deadline_t deadline, struct reason *why);
int __wrap_announce_from(uint32_t ifindex, const struct mac_address *mac, struct reason *why);

/* Opens nothing. */
int __wrap_netlink_open(struct netlink *nl, const char *family, UNUSED struct reason *why)
{
	memset(nl, 0, sizeof(*nl));
	nl->family = !family ? 0 : strcmp(family, "ethtool") == 0 ? ETHTOOL : FAMILY;
	*space_now = '\0';
	return 0;
}

/* Opens nothing, in another namespace. */
int __wrap_netlink_open_space(struct netlink *nl, const char *space, int *own, struct reason *why)
{
	int error = __wrap_netlink_open(nl, NULL, why);

	snprintf(space_now, sizeof(space_now), "%s", space);
	*own = OWN_SPACE;
	return error;
}

/* Makes the answer to a request and hands it over as a real one is. */
int __wrap_netlink_call(struct netlink *nl, struct nl_msg *msg, int (*each)(struct nlmsghdr *reply, void *arg), void *arg,
			const char *object, struct reason *why)
{
	struct netlink_answer collected = { .sequence = SEQUENCE };
	struct nlmsghdr *request = nlmsg_hdr(msg);
	char words[NETLINK_TEXT_MAX] = "";
	int error;

	answer.used = 0;
	error = meet_failure(kind_of(nl, request));
	if (!error && nl->family == ETHTOOL)
		error = answer_ethtool(request);
	else if (!error)
		error = nl->family ? answer_devlink(request, words, sizeof(words)) : answer_rtnetlink(request);
	add_end(request->nlmsg_flags & NLM_F_DUMP, error, words);
	if (netlink_answer_feed(&collected, answer.bytes, answer.used))
		abort();
	error = collected.error;
	if (error && *collected.text)
		reason_set(why, error, object, "%s (%s)", collected.text, strerror(-error));
	else if (error)
		reason_set(why, error, object, "the kernel refused");
	else
		error = netlink_answer_each(&collected, each, arg);
	netlink_answer_release(&collected);
	nlmsg_free(msg);
	return error;
}

/* The VF is migratable, or not. */
int __wrap_devlink_port_set_migratable(UNUSED struct netlink *nl, const struct devlink_port *port, bool on, UNUSED struct reason *why)
{
	firmware_count(world_root(), FIRMWARE_SET_CAPS);
	world_change("vf %s %u migratable=%d", port->device, port->index - 1, on);
	return 0;
}

/* The VF may do something else. */
int __wrap_devlink_port_set_attribute(UNUSED struct netlink *nl, const struct devlink_port *port, enum function_attribute attribute,
				      uint32_t value, UNUSED struct reason *why)
{
	firmware_count(world_root(), FIRMWARE_SET_CAPS);
	if (attribute == ATTRIBUTE_ROCE)
		world_change("vf %s %u roce=%d", port->device, port->index - 1, value == SWITCH_ON);
	else
		world_change("vf %s %u max-io-eqs=%u", port->device, port->index - 1, value);
	return 0;
}

/* The VF has another MAC. */
int __wrap_devlink_port_set_hw_addr(UNUSED struct netlink *nl, const struct devlink_port *port, const struct mac_address *mac,
				    UNUSED struct reason *why)
{
	char text[MAC_ADDRESS_LEN];

	firmware_count(world_root(), FIRMWARE_SET_ADDRESS);
	world_change("vf %s %u mac=%s", port->device, port->index - 1, mac_address_format(mac, text));
	return 0;
}

/* The netdev is up, or down. */
int __wrap_netdev_set_up(UNUSED struct netlink *rt, uint32_t ifindex, bool up, UNUSED struct reason *why)
{
	if (ifindex >= 1000)
		firmware_count(world_root(), FIRMWARE_REP_UP);
	world_change("link %u up=%d", ifindex, up);
	return 0;
}

/* Sets the MTU of a link. */
int __wrap_netdev_set_mtu(UNUSED struct netlink *rt, uint32_t ifindex, unsigned int mtu, UNUSED struct reason *why)
{
	world_change("link %u mtu=%u", ifindex, mtu);
	return 0;
}

/* Writes a number of two bytes into the configuration space of a PF. */
static void set_config(const char *address, off_t offset, unsigned int number)
{
	unsigned char bytes[2] = { number & 0xff, number >> 8 & 0xff };
	int fd = sysroot_open(O_WRONLY, 0, "/sys/bus/pci/devices/%s/config", address);

	if (fd < 0 || pwrite(fd, bytes, 2, offset) != 2)
		abort();
	close(fd);
}

/* Puts a VF's folder, which waits aside, where the kernel has it, or back. */
static void move_vf(const char *pf, const char *vf, unsigned int index, bool appears)
{
	char here[4096], aside[4096], link[4096], target[64];

	snprintf(here, sizeof(here), "%s/sys/bus/pci/devices/%s", world_root(), vf);
	snprintf(aside, sizeof(aside), "%s/aside/%s", world_root(), vf);
	snprintf(link, sizeof(link), "%s/sys/bus/pci/devices/%s/virtfn%u", world_root(), pf, index);
	snprintf(target, sizeof(target), "../%s", vf);
	(void)unlink(link);
	if (rename(appears ? aside : here, appears ? here : aside) < 0 || (appears && symlink(target, link) < 0))
		return;
}

/* The PF has another number of VFs. */
int __wrap_sriov_set_num(const struct pci_address *pf, unsigned int vfs, struct reason *why)
{
	struct pci_address vf;
	char address[PCI_ADDRESS_LEN], text[PCI_ADDRESS_LEN], number[16];
	const struct world *world = world_read();
	const struct world_pf *found = NULL;
	unsigned int most;

	pci_address_format(pf, address);
	for (size_t i = 0; i < world->pfs; i++)
		found = strcmp(world->pf[i].address, address) == 0 ? &world->pf[i] : found;
	if (!found)
		return -ENODEV;
	if (vfs && found->numvfs_error)
		return sriov_explain_number(-(int)found->numvfs_error, pf, vfs, why);
	most = vfs > found->vfs ? vfs : found->vfs;
	for (unsigned int i = 0; i < most; i++) {
		if (pci_address_vf(pf, found->offset, found->stride, i, &vf) == 0)
			move_vf(address, pci_address_format(&vf, text), i, i < vfs);
	}
	set_config(address, 0x110, vfs);
	snprintf(number, sizeof(number), "%u\n", vfs);
	(void)sysroot_write(number, "/sys/bus/pci/devices/%s/sriov_numvfs", address);
	world_change("pf %s vfs=%u", address, vfs);
	return 0;
}

/* A driver has the device. */
int __wrap_pci_bind(const struct pci_address *device, const char *driver, UNUSED struct reason *why)
{
	char address[PCI_ADDRESS_LEN], path[4096], target[64];

	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/driver", world_root(), pci_address_format(device, address));
	snprintf(target, sizeof(target), "../../drivers/%s", driver);
	(void)unlink(path);
	if (symlink(target, path) < 0)
		return -errno;
	world_change("# bind %s %s", address, driver);
	return 0;
}

/* No driver has it, and its own netdev is gone. */
int __wrap_pci_unbind(const struct pci_address *device, UNUSED struct reason *why)
{
	const struct world *world = world_read();
	char address[PCI_ADDRESS_LEN], path[4096];

	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/driver", world_root(), pci_address_format(device, address));
	(void)unlink(path);
	for (size_t i = 0; i < world->links; i++) {
		if (strcmp(world->link[i].parent, address) == 0 && !*world->link[i].space)
			world_change("link %u gone=1", world->link[i].index);
	}
	world_change("# unbind %s", address);
	return 0;
}

/* The VF has another MSI-X table. */
int __wrap_msix_set(const struct pci_address *vf, unsigned int size, UNUSED struct reason *why)
{
	char address[PCI_ADDRESS_LEN];

	set_config(pci_address_format(vf, address), 0x9e, size - 1);
	firmware_count(world_root(), FIRMWARE_SET_CAPS);
	world_change("# msix %s %u", address, size);
	return 0;
}

/* Nobody listens. */
int __wrap_announce_through_bridge(UNUSED const char *socket, UNUSED const char *bridge, UNUSED uint32_t in_port,
				   UNUSED const struct mac_address *mac, UNUSED deadline_t deadline, UNUSED struct reason *why)
{
	return 0;
}

/* Nobody listens. */
int __wrap_announce_from(UNUSED uint32_t ifindex, UNUSED const struct mac_address *mac, UNUSED struct reason *why)
{
	return 0;
}
