/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * devlink.c: the devlink calls that vferry needs.
 *
 * Ports are never looked up by arithmetic: mlx5 builds a port's index from the function's vhca id (Linux
 * drivers/net/ethernet/mellanox/mlx5/core/esw/devlink_port.c), which nobody outside can know. Callers match flavour and VF number.
 * The command of a reply is not looked at: kernels up to about 6.8 answer a dump of ports with another number than 6.12.
 */
#include "card/devlink.h"

#include <errno.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/sysroot.h"
#include "card/devlink_function.h"

/* Linux include/uapi/linux/devlink.h, enum devlink_command */
enum {
	COMMAND_PORT_GET = 5,
	COMMAND_PORT_SET = 6,
	COMMAND_ESWITCH_GET = 29,
	COMMAND_ESWITCH_SET = 30,
	COMMAND_INFO_GET = 51,
};

/* Linux include/uapi/linux/devlink.h, enum devlink_attr */
enum {
	ATTR_BUS = 1,
	ATTR_DEVICE = 2,
	ATTR_PORT_INDEX = 3,
	ATTR_PORT_IFINDEX = 6,
	ATTR_PORT_NETDEV = 7,
	ATTR_ESWITCH_MODE = 25,
	ATTR_PORT_FLAVOUR = 77,
	ATTR_INFO_FIXED = 100,
	ATTR_INFO_RUNNING = 101,
	ATTR_INFO_STORED = 102,
	ATTR_INFO_NAME = 103,
	ATTR_INFO_VALUE = 104,
	ATTR_PORT_PF = 127,
	ATTR_PORT_VF = 128,
	ATTR_PORT_FUNCTION = DEVLINK_ATTR_PORT_FUNCTION_NEST,
	ATTR_PORT_EXTERNAL = 149,
	ATTR_MAX = ATTR_PORT_EXTERNAL,
};

static struct nla_policy policy[ATTR_MAX + 1] = {
	[ATTR_BUS] = { .type = NLA_STRING },
	[ATTR_DEVICE] = { .type = NLA_STRING },
	[ATTR_PORT_INDEX] = { .type = NLA_U32 },
	[ATTR_PORT_IFINDEX] = { .type = NLA_U32 },
	[ATTR_PORT_NETDEV] = { .type = NLA_STRING },
	[ATTR_ESWITCH_MODE] = { .type = NLA_U16 },
	[ATTR_PORT_FLAVOUR] = { .type = NLA_U16 },
	[ATTR_INFO_NAME] = { .type = NLA_STRING },
	[ATTR_INFO_VALUE] = { .type = NLA_STRING },
	[ATTR_PORT_PF] = { .type = NLA_U16 },
	[ATTR_PORT_VF] = { .type = NLA_U16 },
	[ATTR_PORT_FUNCTION] = { .type = NLA_NESTED },
	[ATTR_PORT_EXTERNAL] = { .type = NLA_U8 },
};

/* Opens the devlink family. Return: 0; -EOPNOTSUPP if the kernel has none; other negative errno. */
int devlink_open(struct netlink *nl, struct reason *why)
{
	return netlink_open(nl, "devlink", why);
}

/* Writes a port's handle as devlink(8) does. Return: out. */
char *devlink_port_handle(const struct devlink_port *port, char out[DEVLINK_HANDLE_LEN])
{
	snprintf(out, DEVLINK_HANDLE_LEN, "%s/%s/%u", port->bus, port->device, port->index);
	return out;
}

/*
 * Begins a request about one devlink instance.
 * command: COMMAND_*; flags: 0 or NLM_F_DUMP; bus, device: its handle.
 * Return: the message, NULL if out of memory (netlink_call() says so).
 */
static struct nl_msg *request(const struct netlink *nl, uint8_t command, int flags, const char *bus, const char *device)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (!msg)
		return NULL;
	if (genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, nl->family, 0, flags, command, 1) &&
	    nla_put_string(msg, ATTR_BUS, bus) == 0 && nla_put_string(msg, ATTR_DEVICE, device) == 0)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

/* Adds what a caller can do about an error that does not depend on the request. Return: error. */
static int add_cure(int error, struct reason *why)
{
	if (error == -ENODEV)
		reason_cure(why, "load mlx5_core and look whether it drives the device (devlink dev show)");
	return error;
}

/* Copies a string attribute, cut to size; an absent one is "". */
static void copy_text(char *out, size_t size, const struct nlattr *attribute)
{
	out[0] = '\0';
	if (attribute)
		nla_strlcpy(out, attribute, size);
}

/* ---- Firmware ------------------------------------------------------------------------------------------------------------------ */

/*
 * Reads one version of DEVLINK_CMD_INFO_GET into its place: mlx5 tells "fw.psid" (fixed), "fw.version" and the generic "fw" (running
 * and stored), mlx5/core/devlink.c mlx5_devlink_info_get().
 */
static void read_version(const struct nlattr *version, struct devlink_info *info)
{
	struct nlattr *part[ATTR_INFO_VALUE + 1];
	int kind = nla_type(version);
	char *value = NULL;
	size_t size = 0;
	char name[32];

	if (nla_parse_nested(part, ATTR_INFO_VALUE, (struct nlattr *)(uintptr_t)version, policy) < 0 || !part[ATTR_INFO_NAME])
		return;
	copy_text(name, sizeof(name), part[ATTR_INFO_NAME]);
	if (kind == ATTR_INFO_FIXED && strcmp(name, "fw.psid") == 0) {
		value = info->psid;
		size = sizeof(info->psid);
	} else if (strcmp(name, "fw.version") == 0 || strcmp(name, "fw") == 0) {
		value = kind == ATTR_INFO_STORED ? info->firmware_stored : info->firmware;
		size = sizeof(info->firmware);
	}
	if (value && kind != ATTR_INFO_FIXED && value[0] && strcmp(name, "fw") == 0)
		return; /* "fw.version" has been seen */
	if (value)
		copy_text(value, size, part[ATTR_INFO_VALUE]);
}

/* Reads one reply of DEVLINK_CMD_INFO_GET into *info. Return: 0, -EPROTO. */
int devlink_parse_info(struct nlmsghdr *reply, struct devlink_info *info)
{
	struct nlattr *attribute;
	int left;

	memset(info, 0, sizeof(*info));
	if (!genlmsg_valid_hdr(reply, 0))
		return -EPROTO;
	nla_for_each_attr(attribute, genlmsg_attrdata(genlmsg_hdr(reply), 0), genlmsg_attrlen(genlmsg_hdr(reply), 0), left) {
		int kind = nla_type(attribute);

		if (kind == ATTR_INFO_FIXED || kind == ATTR_INFO_RUNNING || kind == ATTR_INFO_STORED)
			read_version(attribute, info);
	}
	return 0;
}

/* netlink_call()'s callback of devlink_info_get(). arg: struct devlink_info. */
static int on_info(struct nlmsghdr *reply, void *arg)
{
	return devlink_parse_info(reply, arg);
}

/*
 * Reads PSID and firmware versions of a PCI device. Ask the PF: since Linux 6.12 a VF tells its driver's name only.
 * Return: 0; -ENODEV if devlink does not know the device; other negative errno; *why filled.
 */
int devlink_info_get(struct netlink *nl, const struct pci_address *device, struct devlink_info *info, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];
	struct devlink_info found = { 0 };
	int error;

	pci_address_format(device, address);
	error = netlink_ask(nl, request(nl, COMMAND_INFO_GET, 0, "pci", address), on_info, &found, address, why);
	if (error)
		return add_cure(error, why);
	*info = found;
	return 0;
}

/* ---- E-switch ------------------------------------------------------------------------------------------------------------------ */

/* netlink_call()'s callback of devlink_eswitch_get(). arg: enum eswitch_mode. */
static int on_eswitch(struct nlmsghdr *reply, void *arg)
{
	struct nlattr *attribute[ATTR_MAX + 1];
	enum eswitch_mode *mode = arg;

	if (genlmsg_parse(reply, 0, attribute, ATTR_MAX, policy) < 0 || !attribute[ATTR_ESWITCH_MODE])
		return -EPROTO;
	switch (nla_get_u16(attribute[ATTR_ESWITCH_MODE])) {
	case ESWITCH_LEGACY:
		*mode = ESWITCH_LEGACY;
		break;
	case ESWITCH_SWITCHDEV:
		*mode = ESWITCH_SWITCHDEV;
		break;
	default: /* Linux 6.19 knows "switchdev_inactive" */
		*mode = ESWITCH_UNKNOWN;
	}
	return 0;
}

/* Explains the refusals that the kernel makes without words. Return: error. */
static int explain_eswitch(int error, const char *address, struct reason *why)
{
	if (error == -EOPNOTSUPP && why && strstr(why->what, "the kernel refused")) {
		reason_set(why, error, address, "this function does not manage an e-switch");
		reason_cure(why, "use an Ethernet PF; on a BlueField set the card to NIC mode");
	}
	return add_cure(error, why);
}

/*
 * Reads the mode of a PF's e-switch.
 * Return: 0; -EPERM without CAP_NET_ADMIN; -EOPNOTSUPP if the PF manages no e-switch; other negative errno; *why filled.
 */
int devlink_eswitch_get(struct netlink *nl, const struct pci_address *pf, enum eswitch_mode *mode, struct reason *why)
{
	enum eswitch_mode found = ESWITCH_UNKNOWN;
	char address[PCI_ADDRESS_LEN];
	int error;

	pci_address_format(pf, address);
	error = netlink_ask(nl, request(nl, COMMAND_ESWITCH_GET, 0, "pci", address), on_eswitch, &found, address, why);
	if (error)
		return explain_eswitch(error, address, why);
	*mode = found;
	return 0;
}

/*
 * Sets the mode of a PF's e-switch. Never call it with the mode that is set already, nor while a VF has a driver: mlx5 drops LAG or
 * fails with EBUSY in the first case, and leaves a dead e-switch behind in the second (mlx5/core/eswitch_offloads.c
 * mlx5_devlink_eswitch_mode_set(), esw_offloads_start()).
 * Return: 0; negative errno with the driver's words in *why.
 */
int devlink_eswitch_set(struct netlink *nl, const struct pci_address *pf, enum eswitch_mode mode, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];
	struct nl_msg *msg;
	int error;

	pci_address_format(pf, address);
	if (mode == ESWITCH_UNKNOWN)
		return reason_set(why, -EINVAL, address, "an unknown e-switch mode cannot be set");
	msg = request(nl, COMMAND_ESWITCH_SET, 0, "pci", address);
	if (msg && nla_put_u16(msg, ATTR_ESWITCH_MODE, (uint16_t)mode) < 0) {
		nlmsg_free(msg);
		msg = NULL;
	}
	error = netlink_call(nl, msg, NULL, NULL, address, why);
	if (error)
		reason_cure(why, "%s", devlink_refusal_cure(error, why ? why->what : ""));
	return explain_eswitch(error, address, why);
}

/* ---- Ports --------------------------------------------------------------------------------------------------------------------- */

/* Reads one port as the kernel describes it. Return: 0, -EPROTO if the reply is not about a port. */
int devlink_parse_port(struct nlmsghdr *reply, struct devlink_port *port)
{
	struct nlattr *attribute[ATTR_MAX + 1];

	memset(port, 0, sizeof(*port));
	if (genlmsg_parse(reply, 0, attribute, ATTR_MAX, policy) < 0 || !attribute[ATTR_BUS] || !attribute[ATTR_DEVICE] ||
	    !attribute[ATTR_PORT_INDEX])
		return -EPROTO;
	copy_text(port->bus, sizeof(port->bus), attribute[ATTR_BUS]);
	copy_text(port->device, sizeof(port->device), attribute[ATTR_DEVICE]);
	port->index = nla_get_u32(attribute[ATTR_PORT_INDEX]);
	port->flavour = attribute[ATTR_PORT_FLAVOUR] ? nla_get_u16(attribute[ATTR_PORT_FLAVOUR]) : UINT16_MAX;
	port->external = attribute[ATTR_PORT_EXTERNAL] && nla_get_u8(attribute[ATTR_PORT_EXTERNAL]);
	port->pf_number = attribute[ATTR_PORT_PF] ? nla_get_u16(attribute[ATTR_PORT_PF]) : 0;
	port->vf_number = attribute[ATTR_PORT_VF] ? nla_get_u16(attribute[ATTR_PORT_VF]) : 0;
	port->ifindex = attribute[ATTR_PORT_IFINDEX] ? nla_get_u32(attribute[ATTR_PORT_IFINDEX]) : 0;
	copy_text(port->netdev, sizeof(port->netdev), attribute[ATTR_PORT_NETDEV]);
	if (attribute[ATTR_PORT_FUNCTION])
		devlink_read_function(attribute[ATTR_PORT_FUNCTION], port);
	return 0;
}

/* Ports that are being collected, of one devlink instance. */
struct port_list {
	const char *bus, *device;
	struct devlink_port *port;
	size_t count, size;
};

/* netlink_call()'s callback of a dump: keeps the ports of one instance. Kernels before 6.6 dump all instances. */
static int on_port(struct nlmsghdr *reply, void *arg)
{
	struct port_list *list = arg;
	struct devlink_port port, *larger;

	if (devlink_parse_port(reply, &port) < 0 || strcmp(port.bus, list->bus) != 0 || strcmp(port.device, list->device) != 0)
		return 0;
	if (list->count == list->size) {
		larger = reallocarray(list->port, list->size + 64, sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		list->port = larger;
		list->size += 64;
	}
	list->port[list->count++] = port;
	return 0;
}

/* Adds the ports of one instance to a list. Return: 0, negative errno with *why filled. */
static int add_ports(struct netlink *nl, const char *bus, const char *device, struct port_list *list, struct reason *why)
{
	list->bus = bus;
	list->device = device;
	return netlink_ask(nl, request(nl, COMMAND_PORT_GET, NLM_F_DUMP, bus, device), on_port, list, device, why);
}

/*
 * Adds the ports of the auxiliary instances below a PF: Linux 6.3 moved mlx5's uplink port to "auxiliary/mlx5_core.eth.N" (commit
 * ee75f1fc44dd), a device directory below the PF's own in sysfs. One without a devlink instance is passed over.
 */
static int add_auxiliary_ports(struct netlink *nl, const char *address, struct port_list *list, struct reason *why)
{
	autoclosedir DIR *directory = sysroot_opendir("/sys/bus/pci/devices/%s", address);
	const struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		int error;

		if (strncmp(entry->d_name, "mlx5_core.eth.", strlen("mlx5_core.eth.")) != 0)
			continue;
		error = add_ports(nl, "auxiliary", entry->d_name, list, why);
		if (error && error != -ENODEV)
			return error;
	}
	return 0;
}

/*
 * Reads all ports of a PF; see the header.
 * Return: 0; negative errno with *why filled, *ports and *count untouched.
 */
int devlink_ports(struct netlink *nl, const struct pci_address *pf, struct devlink_port **ports, size_t *count, struct reason *why)
{
	struct port_list list = { 0 };
	char address[PCI_ADDRESS_LEN];
	int error;

	pci_address_format(pf, address);
	error = add_ports(nl, "pci", address, &list, why);
	if (!error)
		error = add_auxiliary_ports(nl, address, &list, why);
	if (error) {
		free(list.port);
		return error == -ENOMEM ? reason_set(why, error, address, "out of memory") : add_cure(error, why);
	}
	*ports = list.port;
	*count = list.count;
	return 0;
}

/* Begins a request about one port. Return: the message, NULL if out of memory. */
static struct nl_msg *port_request(const struct netlink *nl, uint8_t command, const struct devlink_port *port)
{
	struct nl_msg *msg = request(nl, command, 0, port->bus, port->device);

	if (msg && nla_put_u32(msg, ATTR_PORT_INDEX, port->index) < 0) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* Begins a write to one port; see devlink_function.h. Return: the message, NULL if out of memory. */
struct nl_msg *devlink_port_set_request(const struct netlink *nl, const struct devlink_port *port)
{
	return port_request(nl, COMMAND_PORT_SET, port);
}

/* netlink_call()'s callback of devlink_port_get(). arg: struct devlink_port. */
static int on_one_port(struct nlmsghdr *reply, void *arg)
{
	return devlink_parse_port(reply, arg);
}

/*
 * Reads one port again.
 * port: bus, device and index say which; all else is overwritten on success.
 * Return: 0; -ENODEV if there is no such port; -EMSGSIZE if a sick firmware does not answer for it; other negative errno.
 */
int devlink_port_get(struct netlink *nl, struct devlink_port *port, struct reason *why)
{
	char handle[DEVLINK_HANDLE_LEN];
	struct devlink_port found = { 0 };
	int error;

	devlink_port_handle(port, handle);
	error = netlink_ask(nl, port_request(nl, COMMAND_PORT_GET, port), on_one_port, &found, handle, why);
	if (error)
		return error;
	*port = found;
	return 0;
}
