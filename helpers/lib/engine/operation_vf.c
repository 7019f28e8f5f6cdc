/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * operation_vf.c: the steps that make a VF ready, and their inverses.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/spawn.h"
#include "base/sysroot.h"
#include "engine/operation.h"
#include "host/devlink.h"
#include "host/netdev.h"
#include "host/sriov.h"

#define UNUSED __attribute__((unused))
#define PORT_POLL_MS 10

/*
 * match_port() - the port of a VF in a list: by flavour and numbers, never by its index or name
 */
static const struct devlink_port *match_port(const struct devlink_port *ports, size_t count, const struct step *step)
{
	for (size_t i = 0; i < count; i++) {
		const struct devlink_port *port = &ports[i];

		if (port->flavour == DEVLINK_PCI_VF && !port->external && port->vf_number == step->index)
			return port;
	}
	return NULL;
}

/*
 * udev_is_done() - whether udev has handled a netdev, so that its name is final. Without udev there is nothing to wait for.
 * (systemd keeps /run/udev/data/n<ifindex> for each network device that its rules were applied to.)
 */
static bool udev_is_done(const struct devlink_port *port)
{
	return !sysroot_exists("/run/udev/control") || sysroot_exists("/run/udev/data/n%u", port->ifindex);
}

/*
 * look_for_port() - one look
 * Return: 1 found and complete, 0 not yet, negative errno
 */
static int look_for_port(const struct step *step, bool need_netdev, struct devlink_port *out, struct reason *why)
{
	autonetlink struct netlink nl = { 0 };
	struct devlink_port *ports = NULL;
	const struct devlink_port *port;
	size_t count = 0;
	int result = devlink_open(&nl, why);

	if (!result)
		result = devlink_ports(&nl, &step->pf, &ports, &count, why);
	if (result)
		return result;
	port = match_port(ports, count, step);
	if (port && (!need_netdev || (port->ifindex && udev_is_done(port)))) {
		*out = *port;
		result = 1;
	}
	free(ports);
	return result;
}

/*
 * operation_find_port() - the devlink port of a step's VF
 * @step:	step with PF and number of the VF
 * @need_netdev: wait until its representor has a netdev with its final name
 * @port:	result
 * @context:	deadline
 * @why:	filled on failure
 * Return: 0, -ENODEV if it did not appear before the deadline, negative errno
 */
int operation_find_port(const struct step *step, bool need_netdev, struct devlink_port *port, struct context *context, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];
	int found;

	for (;;) {
		found = look_for_port(step, need_netdev, port, why);
		if (found < 0 || found == 1)
			return found < 0 ? found : 0;
		if (!deadline_left(context->deadline))
			break;
		nanosleep(&(struct timespec){ .tv_nsec = PORT_POLL_MS * 1000000L }, NULL);
	}
	reason_set(why, -ENODEV, pci_address_format(&step->vf, address), "the VF's representor did not appear (VF %u of its PF)", step->index);
	reason_cure(why, "look for mlx5_core messages in the kernel log; see 'devlink port show'");
	return -ENODEV;
}

/* look_unbind() - reads which driver holds the VF */
static int look_unbind(struct step *step, UNUSED struct context *context, UNUSED struct reason *why)
{
	if (pci_driver(&step->vf, step->before_text, sizeof(step->before_text)))
		*step->before_text = '\0';
	return *step->before_text == '\0';
}

/* do_unbind() - unbinds it, in a child */
static int do_unbind(void *arg, struct reason *why)
{
	struct operation_write *job = arg;

	return pci_unbind(&job->step->vf, why);
}

/* apply_unbind() - makes the step */
static int apply_unbind(const struct step *step, struct context *context, struct reason *why)
{
	return operation_guarded(do_unbind, step, 0, context, why);
}

/* do_rebind() - binds the driver that had it, in a child */
static int do_rebind(void *arg, struct reason *why)
{
	struct operation_write *job = arg;

	return pci_bind(&job->step->vf, job->step->before_text, why);
}

/*
 * undo_unbind() - gives the VF back to the driver that had it, if nobody has it now
 */
static int undo_unbind(const struct step *step, struct context *context, struct reason *why)
{
	char driver[32];

	if (!*step->before_text || pci_driver(&step->vf, driver, sizeof(driver)) || *driver)
		return 0;
	return operation_guarded(do_rebind, step, 0, context, why);
}

const struct operation operation_unbind = { look_unbind, apply_unbind, undo_unbind };

/* look_mac() - reads the administrative MAC of the function */
static int look_mac(struct step *step, struct context *context, struct reason *why)
{
	struct devlink_port port;
	int error = operation_find_port(step, false, &port, context, why);

	if (error)
		return error;
	step->before_mac = port.hw_addr;
	return mac_address_equal(&step->before_mac, &step->mac);
}

/*
 * write_mac() - value 0 sets the old MAC, 1 the new one
 */
static int write_mac(void *arg, struct reason *why)
{
	autonetlink struct netlink nl = { 0 };
	struct operation_write *job = arg;
	struct devlink_port port;
	int found = look_for_port(job->step, false, &port, why);

	if (found != 1)
		return found;
	found = devlink_open(&nl, why);
	return found ? found : devlink_port_set_hw_addr(&nl, &port, job->value ? &job->step->mac : &job->step->before_mac, why);
}

/* apply_mac() - sets the new MAC */
static int apply_mac(const struct step *step, struct context *context, struct reason *why)
{
	return operation_guarded(write_mac, step, 1, context, why);
}

/* undo_mac() - sets the old MAC */
static int undo_mac(const struct step *step, struct context *context, struct reason *why)
{
	return operation_guarded(write_mac, step, 0, context, why);
}

const struct operation operation_mac = { look_mac, apply_mac, undo_mac };

/*
 * not_migratable() - the refusal when the kernel does not offer "migratable" for a VF
 *
 * The bit is missing when the firmware has the capability off, when the firmware is too old, or when the kernel is: devlink does not
 * tell which (net/devlink/port.c leaves out what the driver answers with EOPNOTSUPP).
 */
static int not_migratable(const struct step *step, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];

	reason_set(why, -EOPNOTSUPP, pci_address_format(&step->vf, address),
		   "the card does not offer 'migratable' for its VFs: the firmware setting VF_MIGRATION_MODE is off, or firmware or kernel are "
		   "too old");
	pci_address_format(&step->pf, address);
	reason_cure(why, "run 'mstconfig -d %s set VF_MIGRATION_MODE=2' and reset the firmware", address);
	reason_rule(why, "migratable");
	return -EOPNOTSUPP;
}

/* look_migratable() - reads whether the VF is migratable; one that cannot be is refused */
static int look_migratable(struct step *step, struct context *context, struct reason *why)
{
	struct devlink_port port;
	int error = operation_find_port(step, false, &port, context, why);

	if (error)
		return error;
	if (!port.can_migrate)
		return not_migratable(step, why);
	step->before = port.migratable;
	return step->before == step->number;
}

/* write_migratable() - sets or clears it, in a child */
static int write_migratable(void *arg, struct reason *why)
{
	autonetlink struct netlink nl = { 0 };
	struct operation_write *job = arg;
	struct devlink_port port;
	int found = look_for_port(job->step, false, &port, why);

	if (found != 1)
		return found;
	found = devlink_open(&nl, why);
	return found ? found : devlink_port_set_migratable(&nl, &port, job->value, why);
}

/*
 * apply_migratable() - sets it and reads it back
 */
static int apply_migratable(const struct step *step, struct context *context, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];
	struct devlink_port port;
	int error = operation_guarded(write_migratable, step, step->number, context, why);

	if (!error)
		error = operation_find_port(step, false, &port, context, why);
	if (error || port.migratable == step->number)
		return error;
	return reason_set(why, -EIO, pci_address_format(&step->vf, address), "the VF took 'migratable' without an error and is not migratable");
}

/*
 * undo_migratable() - restores it on a VF that no driver holds; one that is in use keeps it
 */
static int undo_migratable(const struct step *step, struct context *context, struct reason *why)
{
	char driver[32];

	if (pci_driver(&step->vf, driver, sizeof(driver)) || *driver || step->before == step->number)
		return 0;
	return operation_guarded(write_migratable, step, step->before, context, why);
}

const struct operation operation_migratable = { look_migratable, apply_migratable, undo_migratable };

/* look_bind() - reads which driver holds the VF */
static int look_bind(struct step *step, UNUSED struct context *context, UNUSED struct reason *why)
{
	if (pci_driver(&step->vf, step->before_text, sizeof(step->before_text)))
		*step->before_text = '\0';
	return strcmp(step->before_text, step->text) == 0;
}

/* do_bind() - binds the VFIO driver, in a child */
static int do_bind(void *arg, struct reason *why)
{
	struct operation_write *job = arg;

	return pci_bind(&job->step->vf, job->step->text, why);
}

/* apply_bind() - makes the step */
static int apply_bind(const struct step *step, struct context *context, struct reason *why)
{
	return operation_guarded(do_bind, step, 0, context, why);
}

/* undo_bind() - unbinds the VF if that driver still holds it */
static int undo_bind(const struct step *step, struct context *context, struct reason *why)
{
	char driver[32];

	if (pci_driver(&step->vf, driver, sizeof(driver)) || strcmp(driver, step->text))
		return 0;
	return operation_guarded(do_unbind, step, 0, context, why);
}

const struct operation operation_bind = { look_bind, apply_bind, undo_bind };

/*
 * representor() - the VF's representor as a netdev
 */
static int representor(const struct step *step, struct netdev *out, struct context *context, struct reason *why)
{
	autonetlink struct netlink rt = { 0 };
	struct devlink_port port = { 0 };
	struct netdev *list = NULL;
	const struct netdev *netdev;
	size_t count = 0;
	int error = operation_find_port(step, true, &port, context, why);

	if (!error)
		error = netlink_open(&rt, NULL, why);
	if (!error)
		error = netdev_list(&rt, &list, &count, why);
	if (error)
		return error;
	netdev = netdev_find_index(list, count, port.ifindex);
	if (netdev)
		*out = *netdev;
	else
		error = reason_set(why, -ENODEV, port.netdev, "the representor is gone");
	free(list);
	return error;
}

/* set_representor() - brings the representor up or down */
static int set_representor(const struct step *step, bool up, struct context *context, struct reason *why)
{
	autonetlink struct netlink rt = { 0 };
	struct netdev netdev;
	int error = representor(step, &netdev, context, why);

	if (!error)
		error = netlink_open(&rt, NULL, why);
	return error ? error : netdev_set_up(&rt, netdev.ifindex, up, why);
}

/* look_representor_up() - reads whether the representor is up */
static int look_representor_up(struct step *step, struct context *context, struct reason *why)
{
	struct netdev netdev;
	int error = representor(step, &netdev, context, why);

	if (error)
		return error;
	step->before = netdev.up;
	return step->before == step->number;
}

/* apply_representor_up() - brings it up */
static int apply_representor_up(const struct step *step, struct context *context, struct reason *why)
{
	return set_representor(step, step->number, context, why);
}

/*
 * undo_representor_up() - down again, if the representor still exists
 */
static int undo_representor_up(const struct step *step, struct context *context, struct reason *why)
{
	struct devlink_port port;

	if (look_for_port(step, true, &port, why) != 1)
		return 0;
	return set_representor(step, step->before, context, why);
}

const struct operation operation_representor_up = { look_representor_up, apply_representor_up, undo_representor_up };
