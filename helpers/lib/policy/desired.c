/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * desired.c: how an object is to be. See desired.h.
 */
#include "policy/desired.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "card/vfio.h"
#include "policy/network.h"

#define MTU_AS_MADE 1500 /* of a representor (Linux mlx5/core/en_rep.c) */

/*
 * vf_step() - a step of a guest's VF, with what all of them share
 */
static struct step vf_step(const struct guest_vf *vf, const struct owner *owner, enum step_kind kind)
{
	const struct inventory_vf *now = vf->index < vf->pf->num_vfs ? &vf->pf->vf[vf->index] : NULL;
	struct step step = { .kind = kind, .pf = vf->pf->address, .has_vf = true, .vf = vf->address, .index = vf->index, .number = 1 };

	step.port_index = now && now->has_port ? now->port.index : 0;
	snprintf(step.guest, sizeof(step.guest), "%s", owner->uuid);
	memcpy(step.lease, owner->lease, sizeof(step.lease));
	return step;
}

/*
 * vf_mac() - the MAC that the guest has on a VF, all zero if nobody told
 */
static struct mac_address vf_mac(const struct guest_vf *vf)
{
	if (vf->device->has_mac)
		return vf->device->mac;
	return vf->passport ? vf->passport->mac : (struct mac_address){ 0 };
}

/*
 * add_settings() - clears what was set for the VF's last user
 *
 * libvirt sets the MAC of an <interface> by itself and puts the old one back; that of a plain <hostdev> is nobody's business but ours.
 * Where nobody tells its MAC, that of the last user goes all the same.
 */
static int add_settings(const struct guest_vf *vf, const struct owner *owner, struct steps *steps)
{
	struct step step = vf_step(vf, owner, STEP_RATES);
	struct mac_address mac = vf_mac(vf);
	int error;

	snprintf(step.name, sizeof(step.name), "%s", vf->pf->uplink);
	snprintf(step.text, sizeof(step.text), "0-0");
	error = steps_add(steps, &step);
	if (error || vf->device->kind != HOSTDEV_PLAIN)
		return error;
	step = vf_step(vf, owner, STEP_MAC);
	if (mac_address_is_unicast(&mac))
		step.mac = mac;
	return steps_add(steps, &step);
}

/*
 * add_attributes() - what the VF's driver reads when it probes, as the guest's VF had it at the source; only what the passport tells
 *
 * To a guest that starts here it is no matter what another host had, nor to one whose VF is plugged here anew.
 */
static int add_attributes(const struct guest_vf *vf, const struct owner *owner, struct steps *steps)
{
	static const struct passport_vf nothing;
	const struct passport_vf *source = vf->passport ? vf->passport : &nothing;
	const struct {
		enum step_kind kind;
		unsigned int number;
	} wanted[] = {
		{ STEP_MSIX, source->msix },
		{ STEP_IPSEC, step_ipsec(&source->function) },
		{ STEP_ROCE, source->function.roce },
		{ STEP_MAX_IO_EQS, source->function.max_io_eqs },
	};
	bool travels = owner->state == RECORD_ARRIVING && !vf->device->is_transient;
	int error = 0;

	for (size_t i = 0; travels && !error && i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct step step = vf_step(vf, owner, wanted[i].kind);

		step.number = wanted[i].number;
		error = step.number ? steps_add(steps, &step) : 0;
	}
	return error;
}

/*
 * add_driver() - the driver of a VF, and what it reads when it probes
 *
 * A VF that a driver holds is unbound even if it is the VFIO driver and the VF is migratable: nothing tells whether it was migratable
 * already when that driver probed.
 */
static int add_function(const struct guest_vf *vf, const struct owner *owner, bool bound, struct steps *steps)
{
	struct step step = vf_step(vf, owner, STEP_UNBIND);
	int error = bound ? 0 : steps_add(steps, &step);

	if (!error)
		error = add_settings(vf, owner, steps);
	if (error || bound)
		return error;
	error = add_attributes(vf, owner, steps);
	if (error)
		return error;
	step = vf_step(vf, owner, STEP_MIGRATABLE);
	error = steps_add(steps, &step);
	if (error || vf->device->managed || vf->device->kind == HOSTDEV_POOL)
		return error;
	step = vf_step(vf, owner, STEP_BIND);
	snprintf(step.text, sizeof(step.text), "%s", VFIO_DRIVER);
	return steps_add(steps, &step);
}

/*
 * add_mtu() - the MTU of the representor, before it becomes a port: Open vSwitch gives a bridge's own port the smallest of its ports
 */
static int add_mtu(const struct guest_vf *vf, const struct owner *owner, struct steps *steps)
{
	static const struct inventory_vf as_made = { .representor_mtu = MTU_AS_MADE };
	struct step step = vf_step(vf, owner, STEP_MTU);

	step.number = network_mtu(vf->pf, vf->index < vf->pf->num_vfs ? &vf->pf->vf[vf->index] : &as_made);
	return step.number ? steps_add(steps, &step) : 0;
}

/*
 * desired_of_guest() - how a guest's VF is to be
 * @vf:		placed
 * @owner:	its lease
 * @bound:	libvirt has bound it
 * @steps:	are added
 * Return: 0, -E2BIG, -ENOMEM
 */
int desired_of_guest(const struct guest_vf *vf, const struct owner *owner, bool bound, struct steps *steps)
{
	struct step step = vf_step(vf, owner, STEP_REPRESENTOR_UP);
	int error = add_function(vf, owner, bound, steps);

	if (!error)
		error = add_mtu(vf, owner, steps);
	if (!error)
		error = steps_add(steps, &step);
	if (error)
		return error;
	step = vf_step(vf, owner, STEP_PORT);
	step.is_told = vf->passport != NULL;
	memcpy(step.asked, vf->asked, sizeof(step.asked));
	if (vf->passport)
		step.port = vf->passport->port;
	snprintf(step.text, sizeof(step.text), "%s", vf->bridge);
	step.mac = vf_mac(vf);
	return steps_add(steps, &step);
}

/*
 * desired_of_nobody() - how an object is to be that has no owner
 * @object:	its changes
 * @steps:	are added
 * Return: 0, -E2BIG, -ENOMEM
 *
 * Where libvirt has not taken the VFIO driver from the VF, it is taken here: with one left, "migratable" could not be what it was.
 */
int desired_of_nobody(const struct object *object, struct steps *steps)
{
	const struct steps *changes = &object->changes;
	bool is_freed = !object->has_vf || !changes->count;

	for (int kind = STEP_KINDS - 1; kind >= 0; kind--) {
		for (size_t i = changes->count; i-- > 0;) {
			struct step back = step_back(&changes->step[i]);

			if (changes->step[i].kind == (enum step_kind)kind && steps_add(steps, &back))
				return -ENOMEM;
		}
		if (!is_freed && kind == STEP_BIND) {
			struct step unbind = { .kind = STEP_UNBIND, .pf = object->pf, .has_vf = true, .vf = object->vf,
					       .index = object->index };

			snprintf(unbind.text, sizeof(unbind.text), "%s", VFIO_DRIVER);
			if (steps_add(steps, &unbind))
				return -ENOMEM;
		}
	}
	return 0;
}

/*
 * has_vlans() - whether a port has the VLANs that are wanted: neither another one, nor more
 */
static bool has_vlans(const struct ovs_port *port, const struct port_settings *wanted)
{
	struct port_settings has = port->settings;

	has.has_tag = port->tag >= 0;
	has.tag = (uint16_t)(has.has_tag ? port->tag : 0);
	return port_settings_equal_vlans(&has, wanted);
}

/*
 * say_missing() - what a passport asks for that a port has not, and the guest can do without
 */
static void say_missing(const struct port_settings *has, const struct port_settings *wanted, char *out, size_t size)
{
	bool rate = wanted->ingress_rate && wanted->ingress_rate != has->ingress_rate;
	bool qos = *wanted->qos && strcmp(wanted->qos, has->qos) != 0;

	snprintf(out, size, "%s%s%s", rate ? "ingress policing" : "", rate && qos ? ", " : "", qos ? "egress QoS" : "");
}

/*
 * desired_port_fits() - whether somebody else's port can be a guest's
 * @port:	of its VF's representor
 * @wanted:	by its passport
 * @missing:	NULL, or receives what the port lacks and the guest can do without
 * @size:	its size in bytes
 * @why:	filled if not
 * Return: 0, -EEXIST
 */
int desired_port_fits(const struct ovs_port *port, const struct port_settings *wanted, char *missing, size_t size, struct reason *why)
{
	char has[PORT_TAG_LEN], wants[PORT_TAG_LEN];

	if (missing)
		say_missing(&port->settings, wanted, missing, size);
	if (*wanted->iface_id && strcmp(wanted->iface_id, port->settings.iface_id) != 0) {
		reason_set(why, -EEXIST, port->name, "it is in bridge %s already, not by vferry, and without the guest's iface-id %s", port->bridge,
			   wanted->iface_id);
		reason_cure(why, "let the guest use another VF, or give that port the iface-id: whoever put it there may need it as it is");
		return -EEXIST;
	}
	if (has_vlans(port, wanted))
		return 0;
	reason_set(why, -EEXIST, port->name, "it is in bridge %s already, not by vferry, with %s instead of %s, or other trunks",
		   port->bridge, port_settings_format_tag(port->tag, has), port_settings_format_tag(wanted->has_tag ? wanted->tag : -1, wants));
	reason_cure(why, "give it those VLANs, or let guests use another VF: whoever put it there may need it as it is");
	return -EEXIST;
}
