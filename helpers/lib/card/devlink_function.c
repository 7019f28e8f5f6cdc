/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * devlink_function.c: the function of a VF's devlink port: what its PF lets it do, read and set.
 */
#include "card/devlink_function.h"

#include <errno.h>
#include <netlink/msg.h>
#include <string.h>

/*
 * Linux include/uapi/linux/devlink.h, enum devlink_port_function_attr, and the bits of its capabilities: our own copies, since headers of
 * distributions lack some. A kernel that lacks one leaves it out.
 */
enum { FUNCTION_HW_ADDR = 1, FUNCTION_CAPS = 4, FUNCTION_MAX_IO_EQS = 6, FUNCTION_MAX = FUNCTION_MAX_IO_EQS };
enum { CAP_ROCE = 0x1, CAP_MIGRATABLE = 0x2, CAP_IPSEC_CRYPTO = 0x4, CAP_IPSEC_PACKET = 0x8 };

/* struct nla_bitfield32 of Linux include/uapi/linux/netlink.h: value counts only where selector has a bit. */
struct bitfield {
	uint32_t value, selector;
};

static struct nla_policy function_policy[FUNCTION_MAX + 1] = {
	[FUNCTION_HW_ADDR] = { .type = NLA_UNSPEC },
	[FUNCTION_CAPS] = { .type = NLA_UNSPEC, .minlen = sizeof(struct bitfield) },
	[FUNCTION_MAX_IO_EQS] = { .type = NLA_U32 },
};

/* One capability. Return: enum function_switch. */
static uint8_t read_switch(const struct bitfield *caps, uint32_t bit)
{
	return !(caps->selector & bit) ? SWITCH_UNKNOWN : caps->value & bit ? SWITCH_ON : SWITCH_OFF;
}

/*
 * Reads the function of a port. A capability that is missing from the selector was not answered by the driver: the kernel is too old,
 * the firmware lacks it or it is switched off (Linux net/devlink/port.c devlink_port_fn_caps_fill()).
 */
void devlink_read_function(struct nlattr *nest, struct devlink_port *port)
{
	struct nlattr *attribute[FUNCTION_MAX + 1];
	struct bitfield caps = { 0 };

	if (nla_parse_nested(attribute, FUNCTION_MAX, nest, function_policy) < 0)
		return;
	if (attribute[FUNCTION_HW_ADDR] && nla_len(attribute[FUNCTION_HW_ADDR]) == sizeof(port->hw_addr.octet)) {
		memcpy(port->hw_addr.octet, nla_data(attribute[FUNCTION_HW_ADDR]), sizeof(port->hw_addr.octet));
		port->has_hw_addr = true;
	}
	if (attribute[FUNCTION_CAPS])
		memcpy(&caps, nla_data(attribute[FUNCTION_CAPS]), sizeof(caps));
	port->can_migrate = caps.selector & CAP_MIGRATABLE;
	port->migratable = caps.selector & caps.value & CAP_MIGRATABLE;
	port->function.roce = read_switch(&caps, CAP_ROCE);
	port->function.ipsec_crypto = read_switch(&caps, CAP_IPSEC_CRYPTO);
	port->function.ipsec_packet = read_switch(&caps, CAP_IPSEC_PACKET);
	port->function.max_io_eqs = attribute[FUNCTION_MAX_IO_EQS] ? nla_get_u32(attribute[FUNCTION_MAX_IO_EQS]) : 0;
}

/*
 * Sets one attribute of a port's function.
 * type, data, len: attribute of the nest DEVLINK_ATTR_PORT_FUNCTION. Return: 0, negative errno with *why filled.
 */
static int set_function(struct netlink *nl, const struct devlink_port *port, int type, const void *data, int len, struct reason *why)
{
	struct nl_msg *msg = devlink_port_set_request(nl, port);
	struct nlattr *nest = msg ? nla_nest_start(msg, DEVLINK_ATTR_PORT_FUNCTION_NEST) : NULL;
	char handle[DEVLINK_HANDLE_LEN];

	if (!nest || nla_put(msg, type, len, data) < 0) {
		nlmsg_free(msg);
		msg = NULL;
	} else {
		nla_nest_end(msg, nest);
	}
	return netlink_call(nl, msg, NULL, NULL, devlink_port_handle(port, handle), why);
}

/* Says why a VF cannot be made migratable. Return: -EOPNOTSUPP. */
static int refuse_migratable(const struct devlink_port *port, struct reason *why)
{
	char handle[DEVLINK_HANDLE_LEN];

	reason_set(why, -EOPNOTSUPP, devlink_port_handle(port, handle), "neither kernel nor firmware offers 'migratable' for this VF");
	reason_cure(why, "set VF_MIGRATION_MODE=2 with mstconfig and reset the firmware; it needs Linux 6.2 and a card that can do it");
	return -EOPNOTSUPP;
}

/*
 * Switches "migratable" of a VF. The driver reads it when it binds to the VF, so set it before; the firmware refuses while a driver has
 * the VF initialised, with an error that has no name of its own (mlx5/core/eswitch_offloads.c
 * mlx5_devlink_port_fn_migratable_set()). Setting what is set already is harmless there.
 * Return: 0; -EOPNOTSUPP if the port lacks it; other negative errno; *why filled.
 */
int devlink_port_set_migratable(struct netlink *nl, const struct devlink_port *port, bool on, struct reason *why)
{
	struct bitfield caps = { .value = on ? CAP_MIGRATABLE : 0, .selector = CAP_MIGRATABLE };
	int error;

	if (!port->can_migrate)
		return refuse_migratable(port, why);
	error = set_function(nl, port, FUNCTION_CAPS, &caps, sizeof(caps), why);
	if (error == -EBUSY || error == -EINVAL || error == -EIO)
		reason_cure(why, "the VF is in use: unbind it from its driver (virsh nodedev-detach) or end its guest first");
	else if (error)
		reason_cure(why, "look for mlx5_core's own words: journalctl -k | grep mlx5_core");
	return error;
}

/* Sets the MAC of a VF. The VF's driver reads it when it starts. All zero makes the driver choose. Return: 0, negative errno with *why. */
int devlink_port_set_hw_addr(struct netlink *nl, const struct devlink_port *port, const struct mac_address *mac, struct reason *why)
{
	int error = set_function(nl, port, FUNCTION_HW_ADDR, mac->octet, sizeof(mac->octet), why);

	if (error)
		reason_cure(why, "look for mlx5_core's own words (journalctl -k | grep mlx5_core); the VF must be free, and the MAC unicast");
	return error;
}

/*
 * Sets "roce" or "max_io_eqs" of a VF. Its driver reads them when it binds to the VF, so set them before (mlx5/core/eswitch_offloads.c
 * mlx5_devlink_port_fn_roce_set(), mlx5_devlink_port_fn_max_io_eqs_set()).
 * Return: 0; -EINVAL for another attribute; other negative errno; *why filled.
 */
int devlink_port_set_attribute(struct netlink *nl, const struct devlink_port *port, enum function_attribute attribute, uint32_t value,
			       struct reason *why)
{
	struct bitfield caps = { .value = value == SWITCH_ON ? CAP_ROCE : 0, .selector = CAP_ROCE };
	char handle[DEVLINK_HANDLE_LEN];
	int error;

	if (attribute == ATTRIBUTE_ROCE)
		error = set_function(nl, port, FUNCTION_CAPS, &caps, sizeof(caps), why);
	else if (attribute == ATTRIBUTE_MAX_IO_EQS)
		error = set_function(nl, port, FUNCTION_MAX_IO_EQS, &value, sizeof(value), why);
	else
		return reason_set(why, -EINVAL, devlink_port_handle(port, handle), "vferry does not set %s", vf_function_name(attribute));
	if (error)
		reason_cure(why, "look for mlx5_core's own words (journalctl -k | grep mlx5_core); let the VFs of both hosts have the same %s",
			    vf_function_name(attribute));
	return error;
}
