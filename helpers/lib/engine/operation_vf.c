/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * operation_vf.c: the steps on a VF.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "card/device_user.h"
#include "card/msix.h"
#include "engine/operation.h"

#define UNUSED __attribute__((unused))

/* look_unbind() - reads which driver holds the VF */
static int look_unbind(struct step *step, UNUSED struct context *context, struct reason *why)
{
	int error = operation_driver(&step->vf, step->before_text, sizeof(step->before_text), why);

	if (error)
		return error;
	return *step->before_text == '\0' || (*step->text && strcmp(step->text, step->before_text) != 0);
}

/* do_unbind() - unbinds it, in a child */
static int do_unbind(void *arg, struct reason *why)
{
	struct operation_write *job = arg;
	int error = pci_refuse_open(&job->step.vf, why);

	return error ? error : pci_unbind(&job->step.vf, why);
}

/* apply_unbind() - makes the step */
static int apply_unbind(const struct step *step, struct context *context, struct reason *why)
{
	return operation_guarded(do_unbind, step, 0, context, why);
}

const struct operation operation_unbind = { look_unbind, apply_unbind };

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
		return step->number ? not_migratable(step, why) : 1;
	step->port_index = port.index; /* a VF that was made after the plan */
	step->before = port.migratable;
	return step->before == step->number;
}

/* write_migratable() - sets or clears it, in a child */
static int write_migratable(void *arg, struct reason *why)
{
	autonetlink struct netlink nl = { 0 };
	struct operation_write *job = arg;
	struct devlink_port port;
	int found = operation_open_port(&job->step, &nl, &port, why);

	return found == 1 ? devlink_port_set_migratable(&nl, &port, job->value, why) : found;
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

const struct operation operation_migratable = { look_migratable, apply_migratable };

/*
 * look_msix() - reads the size of the VF's MSI-X table; one that cannot be told is left as it is, one that cannot be changed is refused
 *
 * QEMU refuses the device state of a guest with another one, when all memory has been sent.
 */
static int look_msix(struct step *step, UNUSED struct context *context, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];
	unsigned int size = msix_size(&step->vf);

	step->before = size;
	if (!size || !step->number || size == step->number || msix_is_dynamic(&step->pf))
		return !size || !step->number || size == step->number;
	reason_set(why, -EOPNOTSUPP, pci_address_format(&step->vf, address),
		   "its MSI-X table has %u entries and the guest's has %u at the source, and this card does not let that be changed", size,
		   step->number);
	reason_cure(why, "let both hosts have the same number of VFs and the same settings of the card (mstconfig)");
	reason_rule(why, "msix");
	return -EOPNOTSUPP;
}

/* write_msix() - sets the size, in a child */
static int write_msix(void *arg, struct reason *why)
{
	struct operation_write *job = arg;

	return msix_set(&job->step.vf, job->value, why);
}

/* apply_msix() - sets the size, and reads it back */
static int apply_msix(const struct step *step, struct context *context, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];
	int error = operation_guarded(write_msix, step, step->number, context, why);
	unsigned int size = error ? 0 : msix_size(&step->vf);

	if (error || size == step->number)
		return error;
	return reason_set(why, -EIO, pci_address_format(&step->vf, address),
			  "the VF took an MSI-X table of %u entries without an error and has one of %u", step->number, size);
}

const struct operation operation_msix = { look_msix, apply_msix };

/* look_bind() - reads which driver holds the VF; no driver is wanted where it had none */
static int look_bind(struct step *step, UNUSED struct context *context, struct reason *why)
{
	int error = operation_driver(&step->vf, step->before_text, sizeof(step->before_text), why);

	if (error)
		return error;
	return strcmp(step->before_text, step->text) == 0 || !*step->text;
}

/* do_bind() - binds the driver, in a child */
static int do_bind(void *arg, struct reason *why)
{
	struct operation_write *job = arg;

	return pci_bind(&job->step.vf, job->step.text, why);
}

/* apply_bind() - makes the step */
static int apply_bind(const struct step *step, struct context *context, struct reason *why)
{
	return operation_guarded(do_bind, step, 0, context, why);
}

const struct operation operation_bind = { look_bind, apply_bind };

/* ---- What is set at the representor: IFF_UP and MTU, which differ in one call each ----------------------------------------------- */

/* write_representor() - value: for the representor that there is. In a child. */
static int write_representor(void *arg, struct reason *why)
{
	autonetlink struct netlink rt = { 0 };
	struct operation_write *job = arg;
	char address[PCI_ADDRESS_LEN];
	struct netdev netdev;
	int found = operation_see_representor(&job->step, &netdev, why);

	if (found == 0)
		return reason_set(why, -ENODEV, pci_address_format(&job->step.vf, address), "the representor is gone");
	found = found < 0 ? found : netlink_open(&rt, NULL, why);
	if (found)
		return found;
	return job->step.kind == STEP_MTU ? netdev_set_mtu(&rt, netdev.ifindex, job->value, why)
					  : netdev_set_up(&rt, netdev.ifindex, job->value, why);
}

/* look_representor() - reads what the representor has */
static int look_representor(struct step *step, struct context *context, struct reason *why)
{
	struct netdev netdev;
	int error = operation_find_representor(step, &netdev, context, why);

	if (error)
		return error;
	step->before = step->kind == STEP_MTU ? netdev.mtu : netdev.up;
	return step->before == step->number;
}

/* apply_representor() - sets it */
static int apply_representor(const struct step *step, struct context *context, struct reason *why)
{
	return operation_guarded(write_representor, step, step->number, context, why);
}

const struct operation operation_mtu = { look_representor, apply_representor };
const struct operation operation_representor_up = { look_representor, apply_representor };
