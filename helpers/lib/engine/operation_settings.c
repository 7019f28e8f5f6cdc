/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * operation_settings.c: the settings of a VF that outlive its user: MAC and rates. A guest gets the VF clean, and gives it back as it was
 * found, whatever was set for it in between: so that nothing of one guest reaches the next.
 *
 * mlx5 forgets them only when sriov_numvfs becomes 0 (mlx5/core/eswitch.c mlx5_eswitch_clear_vf_vports_info()). A VLAN is none of them: in
 * switchdev mode it is a setting of the representor's port, which goes when the guest goes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/operation.h"

/* see_rates() - the rates that were set for a VF. arg: struct operation_look. In a child. */
static int see_rates(void *arg, struct reason *why)
{
	autonetlink struct netlink rt = { 0 };
	struct operation_look *look = arg;
	int error = netlink_open(&rt, NULL, why);

	return error ? error : netdev_get_vf_rate(&rt, look->step.name, look->step.index, &look->rate, why);
}

/*
 * look_rates() - reads the rates
 */
static int look_rates(struct step *step, struct context *context, struct reason *why)
{
	struct operation_look look = { .step = *step };
	int error = operation_fetch(see_rates, &look, context, why);

	if (error)
		return error;
	snprintf(step->before_text, sizeof(step->before_text), "%u-%u", look.rate.min, look.rate.max);
	return strcmp(step->text, step->before_text) == 0;
}

/*
 * parse_rates() - "MIN-MAX"
 * Return: 0, -EINVAL
 */
static int parse_rates(const char *text, struct netdev_vf_rate *rate)
{
	char *end;

	rate->min = (uint32_t)strtoul(text, &end, 10);
	if (end == text || *end != '-')
		return -EINVAL;
	text = end + 1;
	rate->max = (uint32_t)strtoul(text, &end, 10);
	return end == text || *end ? -EINVAL : 0;
}

/* write_rates() - sets the rates. In a child. */
static int write_rates(void *arg, struct reason *why)
{
	autonetlink struct netlink rt = { 0 };
	struct operation_write *job = arg;
	const struct step *step = &job->step;
	struct netdev_vf_rate wanted;
	int error = parse_rates(step->text, &wanted);

	if (error)
		return reason_set(why, error, step->name, "the rates of VF %u in its file are none", step->index);
	error = netlink_open(&rt, NULL, why);
	return error ? error : netdev_set_vf_rate(&rt, step->name, step->index, &wanted, why);
}

/* apply_rates() - sets the rates */
static int apply_rates(const struct step *step, struct context *context, struct reason *why)
{
	return operation_guarded(write_rates, step, 1, context, why);
}

const struct operation operation_rates = { look_rates, apply_rates };

/* look_mac() - reads the administrative MAC of the function */
static int look_mac(struct step *step, struct context *context, struct reason *why)
{
	struct devlink_port port;
	int error = operation_find_port(step, false, &port, context, why);

	if (error)
		return error;
	step->port_index = port.index; /* a VF that was made after the plan */
	step->before_mac = port.hw_addr;
	return mac_address_equal(&step->before_mac, &step->mac);
}

/*
 * write_mac() - sets the MAC. In a child.
 * Return: 0 (also if the port is gone), negative errno
 */
static int write_mac(void *arg, struct reason *why)
{
	autonetlink struct netlink nl = { 0 };
	struct operation_write *job = arg;
	struct devlink_port port;
	int found = operation_open_port(&job->step, &nl, &port, why);

	return found == 1 ? devlink_port_set_hw_addr(&nl, &port, &job->step.mac, why) : found;
}

/* apply_mac() - sets the new MAC, and reads it back. All zero means that the function's driver chooses one. */
static int apply_mac(const struct step *step, struct context *context, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];
	struct devlink_port port;
	int error = operation_guarded(write_mac, step, 1, context, why);

	if (!error)
		error = operation_find_port(step, false, &port, context, why);
	if (error || mac_address_is_zero(&step->mac) || mac_address_equal(&port.hw_addr, &step->mac))
		return error;
	return reason_set(why, -EIO, pci_address_format(&step->vf, address), "the VF took its MAC without an error and has another one");
}

const struct operation operation_mac = { look_mac, apply_mac };
