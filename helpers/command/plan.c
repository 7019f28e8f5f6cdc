/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * plan.c: vferry plan: what the hook would decide about a guest, and which steps it would take, here or on a recorded host.
 *
 * The same functions of policy decide as in the hook; nothing is changed, and no lease is taken.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "command/command.h"
#include "command/duration.h"
#include "command/terminal.h"
#include "command/view.h"
#include "engine/ready.h"
#include "policy/plan.h"
#include "policy/rules.h"
#include "state/maintenance.h"

#define MAX_WARNINGS 32

/* What came out. */
struct outcome {
	bool is_arrival;
	int error;               /* of the verdict: 0 it can come */
	struct reason why;
	struct reason warning[MAX_WARNINGS];
	size_t warnings;
	struct steps steps;
};

/* Collects a warning of a rule, each once. */
static void collect(const struct reason *why, void *arg)
{
	struct outcome *outcome = arg;

	for (size_t i = 0; i < outcome->warnings; i++) {
		if (strcmp(outcome->warning[i].what, why->what) == 0 && strcmp(outcome->warning[i].object, why->object) == 0)
			return;
	}
	if (outcome->warnings < MAX_WARNINGS)
		outcome->warning[outcome->warnings++] = *why;
}

/* Whether no earlier VF of the guest is on the same PF. */
static bool is_first_of_pf(const struct guest *guest, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (guest->vf[k].pf == guest->vf[i].pf)
			return false;
	}
	return true;
}

/* Plans the steps for a placed guest: each PF, then its VFs. Return: 0, -E2BIG. */
static int plan_guest(const struct scene *scene, struct steps *steps)
{
	const struct owner owner = ready_new_owner(scene, RECORD_ARRIVING);
	const struct guest *guest = &scene->guest;
	int error = 0;

	for (size_t i = 0; !error && i < guest->vfs; i++) {
		const struct guest_vf *vf = &guest->vf[i];

		if (!is_first_of_pf(guest, i))
			continue;
		error = plan_pf(scene->config, &scene->inventory, vf->pf, vf->bridge, steps);
		if (!error && vf->pool)
			error = plan_pool(scene->config, vf->pf, steps);
		for (size_t k = i; !error && k < guest->vfs; k++) {
			if (guest->vf[k].pf == vf->pf && guest->vf[k].has_vf)
				error = plan_vf(&scene->inventory, &guest->vf[k], &owner, false, steps);
		}
	}
	return error;
}

/* Decides as the hook does at "migrate" or at "prepare". */
static void decide(struct scene *scene, struct outcome *outcome)
{
	struct rule_case c = { .config = scene->config, .domain = scene->domain, .inventory = &scene->inventory, .guest = &scene->guest,
				.incoming = outcome->is_arrival };
	struct placement placement = scene_placement(scene);

	placement.incoming = outcome->is_arrival;
	placement.warn = collect;
	placement.arg = outcome;
	outcome->error = rules_judge_guest(&c, collect, outcome, &outcome->why);
	if (!outcome->error && outcome->is_arrival)
		outcome->error = placement_choose(&placement, &scene->guest, &outcome->why);
	else if (!outcome->error)
		outcome->error = placement_fixed(&placement, &scene->guest, &outcome->why);
	if (!outcome->error && plan_guest(scene, &outcome->steps))
		outcome->error = reason_set(&outcome->why, -E2BIG, NULL, "the plan has more than %d steps", STEPS_MAX);
}

/* Prints where one VF goes. */
static void show_vf(struct call *call, const struct guest_vf *vf)
{
	char pf[PCI_ADDRESS_LEN], from[PCI_ADDRESS_LEN] = "", to[PCI_ADDRESS_LEN], mac[MAC_ADDRESS_LEN] = "", line[256];

	if (vf->device->has_mac)
		mac_address_format(&vf->device->mac, mac);
	if (vf->device->has_source)
		pci_address_format(&vf->device->source, from);
	pci_address_format(&vf->pf->address, pf);
	snprintf(line, sizeof(line), "%s%s%s%s%s, PF %s, bridge %s", mac, *mac ? ": " : "", *from ? "VF " : "", from,
		 *from ? " becomes" : "", pf,
		 vf->bridge);
	if (vf->has_vf)
		snprintf(line, sizeof(line), "%s%s%s%s%sVF %s, PF %s, bridge %s", mac, *mac ? ": " : "", *from ? "VF " : "", from,
			 *from ? " becomes " : "", pci_address_format(&vf->address, to), pf, vf->bridge);
	fputs("  ", call->out);
	terminal_wrap(call, 2, line);
}

/* Prints the steps. */
static void show_steps(struct call *call, const struct steps *steps)
{
	char text[192];

	if (!steps->count) {
		fputs("Nothing would have to be changed: all is ready.\n", call->out);
		return;
	}
	fprintf(call->out, "The hook would take %zu step%s:\n", steps->count, steps->count == 1 ? "" : "s");
	for (size_t i = 0; i < steps->count; i++) {
		fprintf(call->out, "%4zu  ", i + 1);
		terminal_wrap(call, 6, step_describe(&steps->step[i], text, sizeof(text)));
	}
	duration_show(call, steps);
}

/* Prints the outcome for a person. */
static void show(struct call *call, const struct view *view, const struct outcome *outcome)
{
	const struct guest *guest = &view->scene.guest;
	char line[1280], name[DOMAIN_NAME_MAX];

	reason_clean(name, sizeof(name), view->domain.name);
	view_say_unseen(call, view);
	for (size_t i = 0; i < outcome->warnings; i++) {
		reason_format(&outcome->warning[i], NULL, line, sizeof(line));
		terminal_print(call, TONE_WARNING, "warning: ");
		terminal_wrap(call, (int)strlen("warning: "), line);
	}
	if (outcome->error) {
		reason_format(&outcome->why, NULL, line, sizeof(line));
		terminal_print(call, TONE_BAD, "%s cannot %s %s:", name, outcome->is_arrival ? "come to" : "start on",
			       view->scene.inventory.hostname);
		fputs("\n  ", call->out);
		terminal_wrap(call, 2, line);
		return;
	}
	terminal_print(call, TONE_GOOD, "%s can %s %s.\n", name, outcome->is_arrival ? "come to" : "start on",
		       view->scene.inventory.hostname);
	for (size_t i = 0; i < guest->vfs; i++)
		show_vf(call, &guest->vf[i]);
	show_steps(call, &outcome->steps);
}

/* Return: where one VF goes, as JSON. */
static struct json_object *vf_json(const struct guest_vf *vf)
{
	struct json_object *json = json_object_new_object();
	char text[32];

	terminal_add(json, "mac", vf->device->has_mac ? mac_address_format(&vf->device->mac, text) : "");
	terminal_add(json, "source", vf->device->has_source ? pci_address_format(&vf->device->source, text) : "");
	terminal_add(json, "pf", vf->pf ? pci_address_format(&vf->pf->address, text) : "");
	terminal_add(json, "vf", vf->has_vf ? pci_address_format(&vf->address, text) : "");
	terminal_add(json, "bridge", vf->bridge);
	return json;
}

/* Prints the outcome as JSON. */
static void show_json(struct call *call, const struct view *view, const struct outcome *outcome)
{
	struct json_object *json = json_object_new_object(), *vfs = json_object_new_array(), *warnings = json_object_new_array();
	struct json_object *steps = json_object_new_array();
	char text[192];

	for (size_t i = 0; i < view->scene.guest.vfs; i++)
		json_object_array_add(vfs, vf_json(&view->scene.guest.vf[i]));
	for (size_t i = 0; i < outcome->warnings; i++)
		json_object_array_add(warnings, terminal_reason(&outcome->warning[i]));
	for (size_t i = 0; i < outcome->steps.count; i++) {
		struct json_object *step = step_to_json(&outcome->steps.step[i]);

		terminal_add(step, "sentence", step_describe(&outcome->steps.step[i], text, sizeof(text)));
		json_object_array_add(steps, step);
	}
	terminal_add(json, "guest", view->domain.name);
	terminal_add(json, "uuid", view->domain.uuid);
	terminal_add(json, "host", view->scene.inventory.hostname);
	terminal_add(json, "as", outcome->is_arrival ? "migrate" : "start");
	terminal_add(json, "verdict", outcome->error ? "refused" : "ready");
	json_object_object_add(json, "reason", outcome->error ? terminal_reason(&outcome->why) : NULL);
	json_object_object_add(json, "warnings", warnings);
	json_object_object_add(json, "vfs", vfs);
	json_object_object_add(json, "steps", steps);
	json_object_object_add(json, "estimate", duration_json(&outcome->steps));
	(void)terminal_json(call, json);
}

/* Checks what was asked for. Return: COMMAND_RUN, COMMAND_USAGE. */
static int check_use(struct call *call)
{
	if (!call->guest == !call->domain) {
		command_say(call, "plan: name a guest, or give its XML with --domain FILE; see vferry plan --help");
		return COMMAND_USAGE;
	}
	if (call->as && strcmp(call->as, "migrate") != 0 && strcmp(call->as, "start") != 0) {
		command_say(call, "plan: --as is 'migrate' or 'start', not '%s'", call->as);
		return COMMAND_USAGE;
	}
	return COMMAND_RUN;
}

/*
 * The guest has no VF that can be told. On a recorded host an interface of a network may get one all the same: a record does not tell
 * pools.
 * Return: exit status
 */
static int say_none(struct call *call, const struct view *view)
{
	const char *guest = call->guest ? call->guest : call->domain;

	for (size_t i = 0; view->is_recorded && i < view->domain.hostdevs; i++) {
		char name[64];

		if (view->domain.hostdev[i].kind != HOSTDEV_POOL)
			continue;
		reason_clean(name, sizeof(name), view->domain.hostdev[i].network);
		command_say(call, "%s: it has an interface of libvirt's network %s, and a record does not tell whether that gives VFs; ask the host "
			    "itself: vferry plan --domain FILE", guest, name);
		return COMMAND_NOT_READY;
	}
	command_say(call, "%s: it has no VF that is vferry's business here", guest);
	return COMMAND_OK;
}

/* Decides about the guest and prints it. */
static int run(struct call *call)
{
	autofree struct outcome *outcome = calloc(1, sizeof(*outcome));
	autoview struct view view = { 0 };
	struct reason why = { 0 };
	int status = check_use(call);

	if (status != COMMAND_RUN)
		return status;
	if (!outcome)
		return COMMAND_NOT_READY;
	outcome->is_arrival = !call->as || strcmp(call->as, "migrate") == 0;
	if (view_read(call, VIEW_GUESTS, &view, &why) || view_read_guest(call, &view, outcome->is_arrival, &why))
		return command_fail(call, &why, call->guest);
	if (!view.scene.guest.vfs)
		return say_none(call, &view);
	decide(&view.scene, outcome);
	if (outcome->is_arrival && view.is_closed)
		outcome->error = maintenance_reason(&outcome->why);
	if (call->json)
		show_json(call, &view, outcome);
	else
		show(call, &view, outcome);
	steps_release(&outcome->steps);
	return outcome->error ? COMMAND_NOT_READY : COMMAND_OK;
}

static const struct command_option options[] = {
	OPTION("domain", "FILE", domain, "the guest's XML, instead of asking libvirt ('-': stdin)"),
	OPTION("as", "WAY", as, "'migrate' (it comes here; default) or 'start'"),
	OPTION_INVENTORY,
	OPTION_SETTINGS,
	OPTION_JSON,
	OPTION_END,
};

const struct command command_plan = {
	.name = "plan", .operands = "[GUEST]", .most = 1, .summary = "Shows what the hook would do for a guest, or why it refuses it.",
	.options = options, .run = run,
};
