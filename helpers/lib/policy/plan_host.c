/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * plan_host.c: what makes a PF ready for good.
 *
 * A VF that a VFIO driver holds is never taken from it here: nothing tells whether somebody has it open, and then the unbinding would wait
 * without limit.
 */
#include "policy/plan_host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/disturb.h"
#include "policy/plan.h"
#include "policy/rules.h"

/*
 * is_idle() - whether a VF can be taken from its driver without harm
 * @uses:	who uses it
 * @vf:		VF
 */
static bool is_idle(const struct uses *uses, const struct inventory_vf *vf)
{
	bool is_hosts = strcmp(vf->driver, "pci-stub") == 0 || strcmp(vf->driver, "mlx5_core") == 0;

	return is_hosts && uses_grade(uses, vf, NULL, NULL) <= GRADE_UP;
}

/*
 * plan_host_idle() - a PF as it will be when its idle VFs are free
 * @inventory:	host
 * @pf:		PF of it
 * @vf:		room for its VFs
 * Return: a copy whose VFs are *vf
 */
struct inventory_pf plan_host_idle(const struct inventory *inventory, const struct inventory_pf *pf, struct inventory_vf *vf)
{
	autouses struct uses uses = { 0 };
	struct inventory_pf copy = *pf;
	bool is_known = uses_find_card(inventory, NULL, pf, &uses) == 0;

	for (unsigned int i = 0; i < pf->num_vfs && i < INVENTORY_MAX_VFS; i++) {
		vf[i] = pf->vf[i];
		if (is_known && is_idle(&uses, &vf[i]))
			vf[i].driver[0] = '\0';
	}
	copy.vf = vf;
	return copy;
}

/*
 * changes_number() - whether a PF that has VFs shall have another number of them
 */
static bool changes_number(const struct inventory_pf *pf, unsigned int vfs)
{
	return vfs && pf->num_vfs && pf->num_vfs != vfs;
}

/*
 * name_user() - who has a VF that a driver holds, for behind a sentence: ": guest web1, vdpa0 has it by way of vDPA"
 * @p:		host, and who is here
 * @pf:		its PF
 * @vf:		VF
 * @out:	receives it; "" if no more is known than the driver
 * Return: out
 */
static const char *name_user(const struct placement *p, const struct inventory_pf *pf, const struct inventory_vf *vf, char *out, size_t size)
{
	autouses struct uses uses = { 0 };
	const struct use *by = NULL;
	char text[192];

	*out = '\0';
	if (uses_find_card(p->inventory, p->running, pf, &uses) == 0)
		uses_grade(&uses, vf, NULL, &by);
	if (by && by->kind != USE_DRIVER)
		snprintf(out, size, ": %s", uses_say(by, text, sizeof(text)));
	return out;
}

/*
 * judge_number() - whether the number of VFs can be what is wanted
 * @idle:	PF without its idle drivers
 */
static int judge_number(const struct placement *p, const struct inventory_pf *idle, unsigned int vfs, struct reason *why)
{
	const struct inventory_vf *bound = disturb_bound_vf(idle);
	char address[PCI_ADDRESS_LEN], user[200];

	if (vfs > idle->total_vfs) {
		reason_set(why, -ERANGE, NULL, "it offers %u VFs, and %u are wanted", idle->total_vfs, vfs);
		reason_cure(why, "give --vfs a smaller number, or raise NUM_OF_VFS with mstconfig and reset the firmware");
		return -ERANGE;
	}
	if (!changes_number(idle, vfs))
		return 0;
	if (bound)
		return reason_set(why, -EBUSY, pci_address_format(&bound->address, address),
				  "it has %u VFs, and that cannot be made %u while its VF %s is held by driver %s%s", idle->num_vfs, vfs,
				  pci_address_format(&bound->address, address), bound->driver,
				  name_user(p, idle, bound, user, sizeof(user)));
	for (size_t i = 0; i < p->leases->count; i++) {
		const struct record *record = &p->leases->record[i];

		for (size_t k = 0; k < record->vfs; k++) {
			if (pci_address_equal(&record->vf[k].pf, &idle->address))
				return reason_set(why, -EBUSY, record->name, "VF %s is promised to guest %s",
						  pci_address_format(&record->vf[k].address, address), record->name);
		}
	}
	return 0;
}

/*
 * plan_host_judge() - whether a PF can be prepared without disturbing anybody
 * @p:		host, configuration, who is here
 * @pf:		PF of it
 * @bridge:	bridge for the uplink
 * @vfs:	VFs wanted, 0: as they are
 * @why:	filled if not
 * Return: 0, -EPERM, -EBUSY, -ERANGE
 */
int plan_host_judge(const struct placement *p, const struct inventory_pf *pf, const char *bridge, unsigned int vfs, struct reason *why)
{
	struct inventory_vf free_vf[INVENTORY_MAX_VFS];
	struct inventory_pf idle = plan_host_idle(p->inventory, pf, free_vf);
	struct guest_vf vf = { 0 };
	struct rule_case c = { .config = p->config, .inventory = p->inventory, .pf = &idle, .vf = &vf, .running = p->running };
	int error;

	snprintf(vf.bridge, sizeof(vf.bridge), "%s", bridge);
	error = rules_judge_pf(&c, p->warn, p->arg, why);
	return error ? error : judge_number(p, &idle, vfs, why);
}

/*
 * plan_host_judge_card() - whether the card alone can be prepared without disturbing anybody
 * @p:		host, configuration, who is here
 * @pf:		PF of it
 * @vfs:	VFs wanted, 0: as they are
 * @why:	filled if not
 * Return: 0, -EBUSY, -ERANGE
 */
int plan_host_judge_card(const struct placement *p, const struct inventory_pf *pf, unsigned int vfs, struct reason *why)
{
	static const char *const rules[] = { "pf-driver", "S2-sriov", "eswitch" };
	struct inventory_vf free_vf[INVENTORY_MAX_VFS];
	struct inventory_pf idle = plan_host_idle(p->inventory, pf, free_vf);
	struct rule_case c = { .config = p->config, .inventory = p->inventory, .pf = &idle, .running = p->running };

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules_judge_by(rules_find(rules[i]), &c, why) == VERDICT_REFUSE)
			return -EBUSY;
	}
	return judge_number(p, &idle, vfs, why);
}

/*
 * plan_host_keep_card() - leaves the steps that concern the card alone
 * @plan:	steps of plan_host()
 */
void plan_host_keep_card(struct steps *plan)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->count; i++) {
		switch (plan->step[i].kind) {
		case STEP_OVS_OPTION:
		case STEP_BRIDGE:
		case STEP_UPLINK_PORT:
		case STEP_PORT:
			break;
		default:
			plan->step[kept++] = plan->step[i];
		}
	}
	plan->count = kept;
}

/*
 * plan_unbind() - frees the VFs that are idle
 */
static int plan_unbind(const struct inventory *inventory, const struct inventory_pf *pf, struct steps *plan)
{
	autouses struct uses uses = { 0 };

	if (uses_find_card(inventory, NULL, pf, &uses))
		return -ENOMEM;
	for (unsigned int i = 0; i < pf->num_vfs; i++) {
		struct step step = { .kind = STEP_UNBIND, .pf = pf->address, .has_vf = true, .vf = pf->vf[i].address, .index = i };

		if (!is_idle(&uses, &pf->vf[i]))
			continue;
		snprintf(step.before_text, sizeof(step.before_text), "%s", pf->vf[i].driver);
		if (steps_add(plan, &step))
			return -E2BIG;
	}
	return 0;
}

/*
 * plan_host() - what makes a PF ready for good
 * @config:	vfs, ovs_offload, max_idle
 * @inventory:	host
 * @pf:		PF of it
 * @bridge:	bridge for the uplink
 * @vfs:	VFs wanted, 0: as they are
 * @plan:	steps are added
 * Return: 0, -E2BIG
 */
int plan_host(const struct config *config, const struct inventory *inventory, const struct inventory_pf *pf, const char *bridge,
	      unsigned int vfs, struct steps *plan)
{
	struct inventory_vf free_vf[INVENTORY_MAX_VFS];
	struct inventory_pf target = plan_host_idle(inventory, pf, free_vf);
	struct config wanted = *config;
	size_t first;
	int error = plan_unbind(inventory, pf, plan);

	if (vfs)
		wanted.vfs = vfs;
	if (changes_number(pf, vfs))
		target.num_vfs = 0;
	first = plan->count;
	if (!error)
		error = plan_pf(&wanted, inventory, &target, bridge, plan);
	for (size_t i = first; i < plan->count; i++) {
		if (plan->step[i].kind == STEP_NUM_VFS)
			plan->step[i].before = pf->num_vfs;
	}
	return error ? error : plan_pool(&wanted, &target, plan);
}
