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
 *
 * There is always work: also where nothing was set before, what is set while the guest is here must not stay.
 */
static int look_rates(struct step *step, struct context *context, struct reason *why)
{
	struct operation_look look = { .step = *step };
	int error = operation_fetch(see_rates, &look, context, why);

	if (error)
		return error;
	snprintf(step->before_text, sizeof(step->before_text), "%u-%u", look.rate.min, look.rate.max);
	return 0;
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

/* write_rates() - value 0 sets the old rates, 1 the new ones; those that are set already are left alone. In a child. */
static int write_rates(void *arg, struct reason *why)
{
	autonetlink struct netlink rt = { 0 };
	struct operation_write *job = arg;
	const struct step *step = &job->step;
	struct netdev_vf_rate now, wanted;
	int error = parse_rates(job->value ? step->text : step->before_text, &wanted);

	if (error)
		return reason_set(why, error, step->name, "the rates of VF %u in the journal are none", step->index);
	error = netlink_open(&rt, NULL, why);
	if (!error)
		error = netdev_get_vf_rate(&rt, step->name, step->index, &now, why);
	if (error || (now.min == wanted.min && now.max == wanted.max))
		return error;
	return netdev_set_vf_rate(&rt, step->name, step->index, &wanted, why);
}

/* apply_rates() - sets the new rates, where the look has just found others */
static int apply_rates(const struct step *step, struct context *context, struct reason *why)
{
	return strcmp(step->text, step->before_text) == 0 ? 0 : operation_guarded(write_rates, step, 1, context, why);
}

/* undo_rates() - sets the old rates, if the VF is still there */
static int undo_rates(const struct step *step, struct context *context, struct reason *why)
{
	int error = operation_guarded(write_rates, step, 0, context, why);

	return error == -ENODEV ? 0 : error;
}

const struct operation operation_rates = { look_rates, apply_rates, undo_rates };

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
 * write_mac() - value 0 sets the old MAC, 1 the new one. In a child.
 * Return: 0 (also if the port is gone), negative errno
 */
static int write_mac(void *arg, struct reason *why)
{
	autonetlink struct netlink nl = { 0 };
	struct operation_write *job = arg;
	struct devlink_port port;
	int found = operation_open_port(&job->step, &nl, &port, why);

	if (found != 1)
		return found;
	return devlink_port_set_hw_addr(&nl, &port, job->value ? &job->step.mac : &job->step.before_mac, why);
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

/* undo_mac() - sets the old MAC */
static int undo_mac(const struct step *step, struct context *context, struct reason *why)
{
	return operation_guarded(write_mac, step, 0, context, why);
}

const struct operation operation_mac = { look_mac, apply_mac, undo_mac };
