/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * show.c: how vferry prepare's plan looks, for a person and for a program.
 */
#include "command/prepare/show.h"

#include <string.h>

#include "command/duration.h"
#include "command/terminal.h"

/* What a step does to others, "" nothing. Returns out. */
static const char *disturbance(const struct preparation *p, const struct step *step, char *out, size_t size)
{
	const struct inventory_vf *vf = step->has_vf && step->index < p->pf->num_vfs ? &p->pf->vf[step->index] : NULL;

	*out = '\0';
	if (step->kind == STEP_ESWITCH)
		snprintf(out, size, "%s loses its link for a moment, and RDMA on this PF starts anew", p->pf->uplink);
	else if (step->kind == STEP_NUM_VFS && p->pf->num_vfs)
		snprintf(out, size, "its %u VFs are removed and %u are made anew: MACs and settings of the old ones are lost",
			 p->pf->num_vfs,
			 step->number);
	else if (step->kind == STEP_UNBIND && vf && *vf->host_netdev)
		snprintf(out, size, "the host's network device %s of the VF disappears (nobody uses it)", vf->host_netdev);
	else if (step->kind == STEP_UPLINK_PORT)
		snprintf(out, size, "%s carries the frames of bridge %s from then on", step->name, step->text);
	else if (step->kind == STEP_OVS_OPTION)
		snprintf(out, size, "%s holds for all of Open vSwitch", step->name);
	return out;
}

/* Prints the plan with what it would disturb. */
void prepare_show_plan(struct call *call, const struct preparation *p)
{
	char address[PCI_ADDRESS_LEN], text[256];

	terminal_print(call, TONE_STRONG, "PF %s", pci_address_format(&p->address, address));
	if (p->card_only)
		fprintf(call->out, " (%s), the card alone: %zu step%s\n", p->pf->uplink, p->plan.count, p->plan.count == 1 ? "" : "s");
	else
		fprintf(call->out, " (%s) for bridge %s: %zu step%s\n", p->pf->uplink, p->bridge, p->plan.count, p->plan.count == 1 ? "" : "s");
	for (size_t i = 0; i < p->plan.count; i++) {
		fprintf(call->out, "%4zu  ", i + 1);
		terminal_wrap(call, 6, step_describe(&p->plan.step[i], text, sizeof(text)));
		if (!*disturbance(p, &p->plan.step[i], text, sizeof(text)))
			continue;
		terminal_print(call, TONE_WARNING, "      note: ");
		terminal_wrap(call, 12, text);
	}
	duration_show(call, &p->plan);
}

/* Prints how it came out, as JSON. */
void prepare_show_json(struct call *call, const struct preparation *p, const char *verdict, const struct reason *why)
{
	struct json_object *json = json_object_new_object(), *steps = json_object_new_array();
	char address[PCI_ADDRESS_LEN], text[256];

	for (size_t i = 0; i < p->plan.count; i++) {
		struct json_object *step = step_to_json(&p->plan.step[i]);

		terminal_add(step, "sentence", step_describe(&p->plan.step[i], text, sizeof(text)));
		terminal_add(step, "disturbs", p->pf ? disturbance(p, &p->plan.step[i], text, sizeof(text)) : "");
		json_object_array_add(steps, step);
	}
	terminal_add(json, "pf", p->pf ? pci_address_format(&p->address, address) : "");
	terminal_add(json, "bridge", p->bridge);
	terminal_add(json, "verdict", verdict);
	json_object_object_add(json, "reason", why->error ? terminal_reason(why) : NULL);
	json_object_object_add(json, "steps", steps);
	json_object_object_add(json, "estimate", duration_json(&p->plan));
	json_object_object_add(json, "milliseconds", json_object_new_int64(p->ms));
	(void)terminal_json(call, json);
}
