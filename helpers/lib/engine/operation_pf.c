/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * operation_pf.c: the steps on a PF, but for that of its eswitch (operation_eswitch.c).
 *
 * Whatever can block in the kernel, reading too, is done by a child with a deadline. Nothing here decides whether a change is allowed: that
 * is the door's work, right before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/operation.h"

#define UNUSED __attribute__((unused))

/* autoprobe: no host driver takes the VFs that are about to be created. */
static int look_autoprobe(struct step *step, UNUSED struct context *context, struct reason *why)
{
	struct sriov_pf pf;
	int error = sriov_read_static(&step->pf, &pf, why);

	if (error)
		return error;
	step->before = pf.autoprobe;
	return step->before == step->number;
}

/* write_autoprobe() - writes sriov_drivers_autoprobe, in a child */
static int write_autoprobe(void *arg, struct reason *why)
{
	struct operation_write *job = arg;

	return sriov_set_autoprobe(&job->step.pf, job->value, why);
}

/* apply_autoprobe() - makes the step */
static int apply_autoprobe(const struct step *step, struct context *context, struct reason *why)
{
	return operation_guarded(write_autoprobe, step, step->number, context, why);
}

const struct operation operation_autoprobe = { look_autoprobe, apply_autoprobe };

/*
 * operation_refuse_bound() - whether a driver holds a VF of a PF: changing the mode would cut its user off, and taking the VFs away would
 * wait for that user without limit
 * Return: 0 if none does, -EBUSY with *why filled, negative errno
 */
int operation_refuse_bound(const struct pci_address *pf, struct reason *why)
{
	char driver[32], address[PCI_ADDRESS_LEN];
	struct pci_address vf;
	int error;

	for (unsigned int i = 0; (error = sriov_vf_address(pf, i, &vf)) == 0; i++) {
		error = operation_driver(&vf, driver, sizeof(driver), why);
		if (error)
			return error;
		if (*driver)
			return reason_set(why, -EBUSY, pci_address_format(&vf, address), "the VF is held by driver %s, so the PF stays as it is",
					  driver);
	}
	return error == -ENOENT ? 0 : reason_set(why, error, pci_address_format(pf, address), "its VFs cannot be read: %s", strerror(-error));
}

/* see_pf() - a PF in sysfs; sriov_numvfs waits while VFs are made. arg: struct operation_look. In a child. */
static int see_pf(void *arg, struct reason *why)
{
	struct operation_look *look = arg;

	return sriov_read(&look->step.pf, &look->pf, why);
}

/* look_num_vfs() - reads the number of VFs */
static int look_num_vfs(struct step *step, struct context *context, struct reason *why)
{
	struct operation_look look = { .step = *step };
	int error = operation_fetch(see_pf, &look, context, why);

	if (error)
		return error;
	step->before = look.pf.num_vfs;
	return step->before == step->number;
}

/*
 * write_num_vfs() - sets the number of VFs, by way of 0 where there are some: the kernel refuses to go from one number to another
 * (drivers/pci/iov.c, sriov_numvfs_store())
 */
static int write_num_vfs(void *arg, struct reason *why)
{
	struct operation_write *job = arg;
	struct sriov_pf now = { 0 };
	int error = sriov_read(&job->step.pf, &now, why);

	if (!error && now.num_vfs && now.num_vfs != job->value) {
		error = operation_refuse_bound(&job->step.pf, why);
		if (!error)
			error = sriov_set_num(&job->step.pf, 0, why);
	}
	return error || !job->value ? error : sriov_set_num(&job->step.pf, job->value, why);
}

/* apply_num_vfs() - makes the VFs */
static int apply_num_vfs(const struct step *step, struct context *context, struct reason *why)
{
	return operation_guarded(write_num_vfs, step, step->number, context, why);
}

const struct operation operation_num_vfs = { look_num_vfs, apply_num_vfs };

/*
 * see_link() - the netdev that a step names; rtnetlink waits for whoever holds the kernel's lock. In a child.
 * @arg:	struct operation_look
 * Return: 0, -ENODEV if there is none, negative errno
 */
static int see_link(void *arg, struct reason *why)
{
	autonetlink struct netlink rt = { 0 };
	struct operation_look *look = arg;
	const char *name = look->step.name;
	int error = netlink_open(&rt, NULL, why);

	if (!error)
		error = netdev_get(&rt, name, 0, &look->netdev, why);
	return error == -ENODEV ? reason_set(why, error, name, "the netdev is gone") : error;
}

/* write_link() - value: IFF_UP of the netdev that a step names. In a child. Return: 0, -ENODEV if there is none, negative errno */
static int write_link(void *arg, struct reason *why)
{
	autonetlink struct netlink rt = { 0 };
	struct operation_write *job = arg;
	struct operation_look look = { .step = job->step };
	int error = see_link(&look, why);

	if (!error)
		error = netlink_open(&rt, NULL, why);
	return error ? error : netdev_set_up(&rt, look.netdev.ifindex, job->value, why);
}

/* look_uplink_up() - reads whether the uplink is up */
static int look_uplink_up(struct step *step, struct context *context, struct reason *why)
{
	struct operation_look look = { .step = *step };
	int error = operation_fetch(see_link, &look, context, why);

	if (error)
		return error;
	step->before = look.netdev.up;
	return step->before == step->number;
}

/* apply_uplink_up() - brings it up */
static int apply_uplink_up(const struct step *step, struct context *context, struct reason *why)
{
	return operation_guarded(write_link, step, step->number, context, why);
}

const struct operation operation_uplink_up = { look_uplink_up, apply_uplink_up };
