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
	step = (struct step){ .kind = STEP_UPLINK_PORT, .number = 1 };
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
 * has_port() - whether a VF's representor has the port that is wanted: the guest's own, or somebody else's that fits
 */
static bool has_port(const struct inventory *inventory, const struct inventory_vf *now, const struct step *step)
{
	const struct ovs_port *port = *now->port.netdev ? ovs_find_port(&inventory->ovs, now->port.netdev) : NULL;

	if (!port || port->ofport <= 0 || strcmp(port->bridge, step->text) != 0)
		return false;
	if (port->ours)
		return strcmp(port->lease, step->lease) == 0 && *step->lease;
	return !step->is_told || !desired_port_fits(port, &step->port, NULL, 0, NULL);
}

/*
 * is_so() - whether a step of a VF has nothing to do
 * @now:	VF as it was seen
 *
 * What is set for each user anew is left to the look of the step, as is all of a VF that does not exist yet.
 */
static bool is_so(const struct inventory *inventory, const struct inventory_vf *now, const struct step *step)
{
	switch (step->kind) {
	case STEP_UNBIND:
		return !*now->driver;
	case STEP_MAC:
		return mac_address_is_zero(&step->mac) && !(now->has_port && !mac_address_is_zero(&now->port.hw_addr));
	case STEP_MSIX:
		return !now->msix || now->msix == step->number;
	case STEP_IPSEC: /* it only looks */
		return true;
	case STEP_ROCE:
		return !now->port.function.roce || now->port.function.roce == step->number;
	case STEP_MAX_IO_EQS:
		return !now->port.function.max_io_eqs || now->port.function.max_io_eqs == step->number;
	case STEP_MIGRATABLE:
		return now->has_port && now->port.migratable;
	case STEP_MTU:
		return now->representor_mtu == step->number;
	case STEP_REPRESENTOR_UP:
		return now->representor_up;
	case STEP_PORT:
		return has_port(inventory, now, step);
	default:
		return false;
	}
}

/*
 * plan_vf() - what makes a chosen VF ready
 * @inventory:	host
 * @vf:		placed VF
 * @owner:	lease of the guest
 * @bound:	libvirt has bound it already
 * @plan:	steps are added
 * Return: 0, -E2BIG, -ENOMEM
 */
int plan_vf(const struct inventory *inventory, const struct guest_vf *vf, const struct owner *owner, bool bound, struct steps *plan)
{
	static const struct inventory_vf not_there;
	const struct inventory_vf *now = current(vf);
	autosteps struct steps desired = { 0 };
	int error = desired_of_guest(vf, owner, bound, &desired);

	for (size_t i = 0; !error && i < desired.count; i++) {
		struct step *step = &desired.step[i];

		if (step->kind == STEP_UNBIND && now) /* to say it */
			memcpy(step->before_text, now->driver, sizeof(now->driver));
		if (!is_so(inventory, now ? now : &not_there, step))
			error = steps_add(plan, step);
	}
	return error;
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
