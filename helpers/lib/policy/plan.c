/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * plan.c: what must be changed on this host before a guest's VFs can run on it.
 *
 * The order on a fresh PF keeps clear of every trap known: VFs are made with autoprobe off, so that no driver initialises them; the
 * eswitch is switched while there are none; the representors exist when the VFs appear.
 */
#include "policy/plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/network.h"

#define VFIO_DRIVER "mlx5_vfio_pci"

/*
 * add() - appends a step of a PF
 */
static int add(struct steps *plan, const struct inventory_pf *pf, struct step step)
{
	step.pf = pf->address;
	return steps_add(plan, &step);
}

/*
 * vfs_to_create() - how many VFs to make on a PF that has none
 */
static unsigned int vfs_to_create(const struct config *config, const struct inventory_pf *pf)
{
	return config->vfs && config->vfs < pf->total_vfs ? config->vfs : pf->total_vfs;
}

/*
 * plan_eswitch() - the part of a PF's plan that concerns the card
 */
static int plan_eswitch(const struct config *config, const struct inventory_pf *pf, struct steps *plan)
{
	int error = 0;

	if (!pf->num_vfs && pf->autoprobe)
		error = add(plan, pf, (struct step){ .kind = STEP_AUTOPROBE, .number = 0, .before = 1 });
	if (!error && pf->mode == ESWITCH_LEGACY)
		error = add(plan, pf, (struct step){ .kind = STEP_ESWITCH, .number = ESWITCH_SWITCHDEV, .before = ESWITCH_LEGACY });
	if (!error && !pf->num_vfs)
		error = add(plan, pf, (struct step){ .kind = STEP_NUM_VFS, .number = vfs_to_create(config, pf), .before = 0 });
	return error;
}

/*
 * option_step() - a step that sets an option of Open vSwitch
 */
static struct step option_step(const char *key, const char *value, const char *before)
{
	struct step step = { .kind = STEP_OVS_OPTION };

	snprintf(step.name, sizeof(step.name), "%s", key);
	snprintf(step.text, sizeof(step.text), "%s", value);
	snprintf(step.before_text, sizeof(step.before_text), "%s", before);
	return step;
}

/*
 * only_bridge() - whether no bridge but this one depends on Open vSwitch: only then are its options ours to set
 */
static bool only_bridge(const struct ovs_state *ovs, const char *bridge)
{
	for (size_t i = 0; i < ovs->bridges; i++) {
		if (strcmp(ovs->bridge[i].name, bridge))
			return false;
	}
	return true;
}

/*
 * is_ours_to_set() - whether the options of Open vSwitch are: not where its bridge is somebody else's work
 */
static bool is_ours_to_set(const struct config *config, const struct inventory *inventory, const char *bridge)
{
	struct network network;

	network_find(inventory, bridge, &network);
	return config->ovs_offload && network_uplink(config) == UPLINK_PLUG && !network.is_ovn && !network.tunnel &&
	       only_bridge(&inventory->ovs, bridge);
}

/*
 * plan_options() - hardware offload and a long idle time, where they disturb nobody
 */
static int plan_options(const struct config *config, const struct inventory *inventory, const struct inventory_pf *pf, const char *bridge,
			struct steps *plan)
{
	char idle[16], before[24] = "";
	struct step step;
	int error = 0;

	if (!is_ours_to_set(config, inventory, bridge))
		return 0;
	if (!inventory->ovs.hw_offload) {
		step = option_step("hw-offload", "true", "");
		error = add(plan, pf, step);
	}
	if (error || (inventory->ovs.max_idle >= 0 && inventory->ovs.max_idle == (long)config->max_idle))
		return error;
	snprintf(idle, sizeof(idle), "%u", config->max_idle);
	if (inventory->ovs.max_idle >= 0)
		snprintf(before, sizeof(before), "%ld", inventory->ovs.max_idle);
	step = option_step("max-idle", idle, before);
	return add(plan, pf, step);
}

/*
 * plan_pf() - what makes a PF ready
 * @config:	vfs, ovs_offload, max_idle
 * @inventory:	host
 * @pf:		PF of it
 * @bridge:	bridge for the uplink
 * @plan:	steps are added
 * Return: 0, -E2BIG
 */
int plan_pf(const struct config *config, const struct inventory *inventory, const struct inventory_pf *pf, const char *bridge,
	    struct steps *plan)
{
	struct step step = { .kind = STEP_UPLINK_UP, .number = 1, .before = 0 };
	int error = plan_eswitch(config, pf, plan);
	bool plug;

	snprintf(step.name, sizeof(step.name), "%s", pf->uplink);
	if (!error && !pf->uplink_up)
		error = add(plan, pf, step);
	if (error)
		return error;
	if (!ovs_find_bridge(&inventory->ovs, bridge)) {
		step = (struct step){ .kind = STEP_BRIDGE, .number = 1, .before = 0 };
		snprintf(step.name, sizeof(step.name), "%s", bridge);
		error = add(plan, pf, step);
	}
	if (!error)
		error = plan_options(config, inventory, pf, bridge, plan);
	if (error || network_judge(config, inventory, pf, bridge, &plug, NULL) || !plug)
		return error;
	step = (struct step){ .kind = STEP_UPLINK_PORT };
	snprintf(step.name, sizeof(step.name), "%s", pf->uplink);
	snprintf(step.text, sizeof(step.text), "%s", bridge);
	return add(plan, pf, step);
}

/*
 * current() - what the inventory knows of a chosen VF, NULL if it is not created yet
 */
static const struct inventory_vf *current(const struct guest_vf *vf)
{
	return vf->index < vf->pf->num_vfs ? &vf->pf->vf[vf->index] : NULL;
}

/*
 * vf_step() - a step of a VF, with what all of them share
 */
static struct step vf_step(const struct guest_vf *vf, const char *uuid, enum step_kind kind)
{
	struct step step = { .kind = kind, .pf = vf->pf->address, .has_vf = true, .vf = vf->address, .index = vf->index };
	const struct inventory_vf *now = current(vf);

	step.port_index = now && now->has_port ? now->port.index : 0;
	snprintf(step.guest, sizeof(step.guest), "%s", uuid);
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
 * plan_settings() - the steps that clear what was set for the VF's last user
 *
 * libvirt sets the MAC of an <interface> by itself and puts the old one back; that of a plain <hostdev> is nobody's business but ours.
 * Where nobody tells its MAC, that of the last user goes all the same.
 */
static int plan_settings(const struct guest_vf *vf, const char *uuid, struct steps *plan)
{
	const struct inventory_vf *now = current(vf);
	struct step step = vf_step(vf, uuid, STEP_RATES);
	struct mac_address mac = vf_mac(vf);
	int error;

	snprintf(step.name, sizeof(step.name), "%s", vf->pf->uplink);
	snprintf(step.text, sizeof(step.text), "0-0");
	error = steps_add(plan, &step);
	if (error || vf->device->kind != HOSTDEV_PLAIN)
		return error;
	if (!mac_address_is_unicast(&mac))
		mac = (struct mac_address){ 0 };
	if (mac_address_is_zero(&mac) && !(now && now->has_port && !mac_address_is_zero(&now->port.hw_addr)))
		return 0;
	step = vf_step(vf, uuid, STEP_MAC);
	step.mac = mac;
	return steps_add(plan, &step);
}

/*
 * plan_function() - the steps on the VF itself
 *
 * A VF that a driver holds is unbound even if it is the VFIO driver and the VF is migratable: nothing tells whether it was migratable
 * already when that driver probed.
 */
static int plan_function(const struct guest_vf *vf, const char *uuid, struct steps *plan)
{
	const struct inventory_vf *now = current(vf);
	bool migratable = now && now->has_port && now->port.migratable;
	bool bind = !vf->device->managed && vf->device->kind != HOSTDEV_POOL;
	struct step step;
	int error = 0;

	if (now && *now->driver) {
		step = vf_step(vf, uuid, STEP_UNBIND);
		snprintf(step.before_text, sizeof(step.before_text), "%s", now->driver);
		error = steps_add(plan, &step);
	}
	if (!error)
		error = plan_settings(vf, uuid, plan);
	if (!error && !migratable) {
		step = vf_step(vf, uuid, STEP_MIGRATABLE);
		step.number = 1;
		error = steps_add(plan, &step);
	}
	if (!error && bind) {
		step = vf_step(vf, uuid, STEP_BIND);
		snprintf(step.text, sizeof(step.text), "%s", VFIO_DRIVER);
		error = steps_add(plan, &step);
	}
	return error;
}

/*
 * plan_vf() - what makes a chosen VF ready
 * @vf:		placed VF
 * @uuid:	of the guest
 * @bound:	libvirt has bound it already: only the representor is left
 * @plan:	steps are added
 * Return: 0, -E2BIG
 */
int plan_vf(const struct guest_vf *vf, const char *uuid, bool bound, struct steps *plan)
{
	const struct inventory_vf *now = current(vf);
	struct step step;
	int error = bound ? plan_settings(vf, uuid, plan) : plan_function(vf, uuid, plan);

	if (!error && !(now && now->representor_up)) {
		step = vf_step(vf, uuid, STEP_REPRESENTOR_UP);
		step.number = 1;
		error = steps_add(plan, &step);
	}
	step = vf_step(vf, uuid, STEP_PORT);
	if (vf->passport)
		step.port = vf->passport->port;
	/* A port that is there already may still lack what was set on it where the guest comes from. */
	if (error || (now && strcmp(now->bridge, vf->bridge) == 0 && port_settings_is_empty(&step.port)))
		return error;
	snprintf(step.text, sizeof(step.text), "%s", vf->bridge);
	step.mac = vf_mac(vf);
	return steps_add(plan, &step);
}

/*
 * plan_pool() - makes every free VF of a pool's PF migratable
 * @config:	vfs
 * @pf:		PF
 * @plan:	steps are added
 * Return: 0, -E2BIG
 */
int plan_pool(const struct config *config, const struct inventory_pf *pf, struct steps *plan)
{
	unsigned int n = pf->num_vfs ? pf->num_vfs : vfs_to_create(config, pf);

	for (unsigned int i = 0; i < n; i++) {
		const struct inventory_vf *now = i < pf->num_vfs ? &pf->vf[i] : NULL;
		struct step step = { .kind = STEP_MIGRATABLE, .has_vf = true, .index = i, .number = 1 };
		int error;

		if (now && (*now->driver || (now->has_port && now->port.migratable)))
			continue;
		if (now)
			step.vf = now->address;
		else if (pci_address_vf(&pf->address, pf->offset, pf->stride, i, &step.vf))
			continue;
		error = add(plan, pf, step);
		if (error)
			return error;
	}
	return 0;
}
