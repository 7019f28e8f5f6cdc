/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * operation_function.c: the steps on what a VF's PF lets its function do (base/vf_function.h), as the guest had it at the source.
 *
 * The driver reads it when it binds to the VF, so all of it is seen to before that. What kernel or card do not tell is left as it is.
 */
#include <errno.h>

#include "engine/operation.h"

#define UNUSED __attribute__((unused))

/*
 * look_attribute() - reads one attribute that can be set
 * Return: 1 it is as wanted, or not told; 0, negative errno
 */
static int look_attribute(struct step *step, enum function_attribute attribute, struct context *context, struct reason *why)
{
	struct devlink_port port;
	int error = operation_find_port(step, false, &port, context, why);

	if (error)
		return error;
	step->port_index = port.index;
	step->before = vf_function_value(&port.function, attribute);
	return !step->before || !step->number || step->before == step->number;
}

/* The attribute that a step sets. */
static enum function_attribute attribute_of(const struct step *step)
{
	return step->kind == STEP_ROCE ? ATTRIBUTE_ROCE : ATTRIBUTE_MAX_IO_EQS;
}

/* write_attribute() - sets it, in a child */
static int write_attribute(void *arg, struct reason *why)
{
	autonetlink struct netlink nl = { 0 };
	struct operation_write *job = arg;
	struct devlink_port port;
	int found = operation_open_port(&job->step, &nl, &port, why);

	return found == 1 ? devlink_port_set_attribute(&nl, &port, attribute_of(&job->step), job->value, why) : found;
}

/* apply_attribute() - sets it and reads it back */
static int apply_attribute(const struct step *step, struct context *context, struct reason *why)
{
	char address[PCI_ADDRESS_LEN], wanted[FUNCTION_VALUE_LEN], is[FUNCTION_VALUE_LEN];
	enum function_attribute attribute = attribute_of(step);
	struct devlink_port port;
	int error = operation_guarded(write_attribute, step, step->number, context, why);

	if (!error)
		error = operation_find_port(step, false, &port, context, why);
	if (error || vf_function_value(&port.function, attribute) == step->number)
		return error;
	return reason_set(why, -EIO, pci_address_format(&step->vf, address), "the VF took %s %s without an error and has %s",
			  vf_function_name(attribute), vf_function_say(attribute, step->number, wanted),
			  vf_function_say(attribute, vf_function_value(&port.function, attribute), is));
}

/* look_roce() - reads whether it can RDMA over Converged Ethernet */
static int look_roce(struct step *step, struct context *context, struct reason *why)
{
	return look_attribute(step, ATTRIBUTE_ROCE, context, why);
}

const struct operation operation_roce = { look_roce, apply_attribute };

/* look_max_io_eqs() - reads how many event queues it may have */
static int look_max_io_eqs(struct step *step, struct context *context, struct reason *why)
{
	return look_attribute(step, ATTRIBUTE_MAX_IO_EQS, context, why);
}

const struct operation operation_max_io_eqs = { look_max_io_eqs, apply_attribute };

/*
 * look_ipsec() - reads what it may do of IPsec; another one than at the source is refused, since what else hangs on it (tables of the
 * eswitch, of all VFs) is the administrator's
 * Return: 1, -EOPNOTSUPP, other negative errno
 */
static int look_ipsec(struct step *step, struct context *context, struct reason *why)
{
	const struct vf_function source = step_ipsec_wanted(step);
	char address[PCI_ADDRESS_LEN];
	struct devlink_port port;
	int error = operation_find_port(step, false, &port, context, why);

	if (error)
		return error;
	step->port_index = port.index;
	if (!vf_function_refuse(&port.function, &source, pci_address_format(&step->vf, address), why))
		return 1;
	reason_rule(why, "function");
	return -EOPNOTSUPP;
}

/* apply_ipsec() - there is nothing to make: look_ipsec() never asks for it */
static int apply_ipsec(UNUSED const struct step *step, UNUSED struct context *context, UNUSED struct reason *why)
{
	return 0;
}

const struct operation operation_ipsec = { look_ipsec, apply_ipsec };
