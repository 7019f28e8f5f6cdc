/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pf.c: makes one PF ready for guests.
 *
 * The plan is shown with what it would disturb, and carried out under the PF's lock, which the hook takes too. Each step is
 * written down before it is made and read back after; a failure takes back what was made, in reverse. When all is done that is
 * forgotten: what the operator asked for stays. A run that was killed is finished by the next one, or taken back by vferry release.
 */
#include "command/prepare/pf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/sysroot.h"
#include "command/prepare/show.h"
#include "command/terminal.h"
#include "engine/converge.h"
#include "engine/ready.h"
#include "policy/plan_host.h"
#include "state/prepared.h"

#define PREPARE_TIME 180000 /* ms: a mode change with many VFs takes long */

/* ---- Deciding ------------------------------------------------------------------------------------------------------------------ */

/* Whether a PF can be prepared. Warnings of rules are not shown here: vferry check shows them. Return: 0, negative errno with *why. */
static int judge(struct preparation *p, struct inventory_pf *pf, struct reason *why)
{
	struct placement placement = scene_placement(&p->view.scene);

	placement.warn = NULL;
	if (p->card_only)
		return plan_host_judge_card(&placement, pf, p->vfs, why);
	return plan_host_judge(&placement, pf, p->bridge, p->vfs, why);
}

/* Plans for the run's PF. Return: 0, -E2BIG. */
static int make_plan(const struct call *call, struct preparation *p)
{
	int error = plan_host(&call->config, &p->view.scene.inventory, p->pf, p->bridge, p->vfs, &p->plan);

	if (!error && p->card_only)
		plan_host_keep_card(&p->plan);
	return error;
}

/* How near a PF is to being ready. */
static int score(const struct preparation *p, const struct inventory_pf *pf)
{
	return (strcmp(pf->uplink_bridge, p->bridge) == 0 ? 2 : 0) + (pf->mode == ESWITCH_SWITCHDEV && pf->num_vfs ? 1 : 0);
}

/* Chooses the PF that is nearest to being ready, else the first one that can be prepared. Return: 0, negative errno with *why filled. */
static int choose_pf(struct preparation *p, struct reason *why)
{
	struct inventory *inventory = &p->view.scene.inventory;
	int best = -1, error = 0;

	for (size_t i = 0; i < inventory->pfs; i++) {
		struct inventory_pf *pf = &inventory->pf[i];
		struct reason reason = { 0 };
		int failed;

		if (!guest_can_use_pf(p->view.scene.config, pf))
			continue;
		failed = judge(p, pf, &reason);
		if (!failed && score(p, pf) > best) {
			best = score(p, pf);
			p->pf = pf;
		}
		if (failed && !error) {
			error = failed;
			*why = reason;
			if (!*why->object)
				pci_address_format(&pf->address, why->object);
		}
	}
	return p->pf ? 0 : error ? error : view_no_pf(&p->view, why);
}

/* Finds the PF that was named, or chooses one. Return: 0, negative errno with *why filled. */
static int find_pf(struct call *call, struct preparation *p, struct reason *why)
{
	int error;

	if (!call->pf)
		return choose_pf(p, why);
	p->pf = view_find_pf(&p->view, call->pf);
	if (!p->pf) {
		reason_set(why, -ENODEV, call->pf, "this host has no such PF");
		reason_cure(why, "see vferry status for its PFs");
		return -ENODEV;
	}
	error = judge(p, p->pf, why);
	if (error && !*why->object)
		pci_address_format(&p->pf->address, why->object);
	return error;
}

/* Reads the host and plans. Return: 0, negative errno with *why filled. */
static int decide(struct call *call, struct preparation *p, struct reason *why)
{
	int error = view_read(call, VIEW_GUESTS, &p->view, why);

	p->pf = NULL;
	steps_release(&p->plan);
	if (!error)
		error = find_pf(call, p, why);
	if (error || !p->pf)
		return error ? error : -ENODEV;
	p->address = p->pf->address;
	return make_plan(call, p);
}

/* ---- Showing ------------------------------------------------------------------------------------------------------------------- */

/* Says a failure, as JSON or as a sentence. Return: COMMAND_NOT_READY. */
static int fail(struct call *call, const struct preparation *p, const char *verdict, const struct reason *why)
{
	if (call->json)
		prepare_show_json(call, p, verdict, why);
	return command_fail(call, why, NULL);
}

/* ---- Doing --------------------------------------------------------------------------------------------------------------------- */

/* Carries out one step, and says so. Return: 0, negative errno with *why filled. */
static int apply_step(struct call *call, struct preparation *p, size_t i, struct door *door, struct reason *why)
{
	const struct steps one = { .step = &p->plan.step[i], .count = 1 };
	int64_t begin = clock_ms();
	char text[256];
	int error;

	if (!call->json) {
		fprintf(call->out, "%4zu/%zu  %s ... ", i + 1, p->plan.count, step_describe(&p->plan.step[i], text, sizeof(text)));
		fflush(call->out);
	}
	error = converge_to(door, &p->object, &one, why);
	p->done += !error;
	if (call->json)
		return error;
	if (error)
		terminal_print(call, TONE_BAD, "failed\n");
	else
		fprintf(call->out, "%lld ms\n", (long long)(clock_ms() - begin));
	return error;
}

/* Gives back what this run did; what was made of the PF before stays. */
static void take_back(struct call *call, struct preparation *p, const struct steps *earlier)
{
	autodoor struct door door = { .context = { .config = &call->config, .deadline = deadline_in(PREPARE_TIME) } };
	size_t made = p->object.changes.count - earlier->count;
	struct reason why = { 0 };
	char line[1280];

	if (!made)
		return;
	if (!converge_back(&door, &p->object, false, earlier, &why)) {
		command_say(call, "prepare: what was done is taken back (%zu steps)", made);
		return;
	}
	reason_format(&why, NULL, line, sizeof(line));
	command_say(call,
		    "prepare: %zu of %zu steps could not be taken back: %s; mend that, and run vferry release or vferry prepare again",
		    p->object.changes.count - earlier->count, made, line);
}

/* Reads the host again: nothing may be left to do. Return: 0, -EIO with *why filled. */
static int read_back(struct call *call, const struct preparation *p, struct reason *why)
{
	autofree struct preparation *again = calloc(1, sizeof(*again));
	char address[PCI_ADDRESS_LEN], text[256];
	int error;

	if (!again)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	again->bridge = p->bridge;
	again->vfs = p->vfs;
	again->card_only = p->card_only;
	error = view_read(call, VIEW_GUESTS, &again->view, why);
	if (error)
		return error;
	again->pf = inventory_find_pf(&again->view.scene.inventory, &p->address);
	error = again->pf ? make_plan(call, again) : -ENODEV;
	if (!error && again->plan.count)
		error = -EIO;
	if (error)
		reason_set(why, error, pci_address_format(&p->address, address), "all steps were done, and the host still lacks: %s",
			   again->plan.count ? step_describe(&again->plan.step[0], text, sizeof(text)) : "the PF");
	prepare_release(again);
	return error;
}

/* A list with the same steps. Return: 0, -ENOMEM. */
static int copy(const struct steps *from, struct steps *to)
{
	int error = 0;

	for (size_t i = 0; !error && i < from->count; i++)
		error = steps_add(to, &from->step[i]);
	return error;
}

/* Carries the plan out. The caller holds the PF's lock. Return: 0, negative errno with *why filled; then what was done is taken back. */
static int apply(struct call *call, struct preparation *p, struct reason *why)
{
	autodoor struct door door = { .context = { .config = &call->config, .deadline = deadline_in(PREPARE_TIME) } };
	autosteps struct steps earlier = { 0 };
	int64_t begin = clock_ms();
	int error;

	p->object.pf = p->address;
	p->done = 0;
	error = object_read(&p->object, why);
	if (!error)
		error = copy(&p->object.changes, &earlier);
	for (size_t i = 0; !error && i < p->plan.count; i++)
		error = apply_step(call, p, i, &door, why);
	if (!error)
		error = read_back(call, p, why);
	if (error) {
		take_back(call, p, &earlier);
		return error;
	}
	p->ms = clock_ms() - begin;
	steps_release(&p->object.changes);
	return object_write(&p->object, why);
}

/*
 * Takes the PF's lock, and plans anew by what the host is like now: time has passed since it was shown. Whoever chooses among VFs meanwhile
 * waits for this lock before it relies on the PF. Return: 0, negative errno.
 */
static int make(struct call *call, struct preparation *p, struct reason *why)
{
	autoclose int pf = record_lock(&p->address, deadline_in(COMMAND_TIME), why);
	int error;

	if (pf < 0)
		return pf;
	view_release(&p->view);
	call->pf = pci_address_format(&p->address, p->name); /* the same one, whatever is nearest to ready now */
	error = decide(call, p, why);
	return error ? error : apply(call, p, why);
}

/* Asks where a person can be asked. Return: COMMAND_RUN, or what the program ends with. */
static int confirm(struct call *call, const struct preparation *p, const struct reason *why)
{
	if (call->dry_run) {
		if (call->json)
			prepare_show_json(call, p, "planned", why);
		return COMMAND_OK;
	}
	if (call->yes || (!call->json && terminal_ask(call, "Do this?")))
		return COMMAND_RUN;
	command_say(call, "prepare: nothing was changed%s", call->terminal ? "" : "; run it with --yes");
	return COMMAND_NOT_READY;
}

/* Says what is left to do so that the next boot makes it so again. */
static void hint_at_boot(struct call *call)
{
	if (call->boot || call->once || call->dry_run || !sysroot_exists("/run/systemd/system") ||
	    sysroot_exists("/etc/systemd/system/multi-user.target.wants/vferry-host.service"))
		return;
	fputs("To have it so after each boot: systemctl enable vferry-card vferry-host\n", call->out);
}

/* Says that all is ready. Return: COMMAND_OK. */
static int ready(struct call *call, const struct preparation *p, const struct reason *why)
{
	char address[PCI_ADDRESS_LEN];

	if (call->json) {
		prepare_show_json(call, p, p->plan.count ? "prepared" : "ready", why);
		return COMMAND_OK;
	}
	pci_address_format(&p->address, address);
	if (p->card_only)
		terminal_print(call, TONE_GOOD, "PF %s (%s) is ready for a bond and for Open vSwitch.\n", address, p->pf->uplink);
	else
		terminal_print(call, TONE_GOOD, "PF %s (%s) is ready for guests on bridge %s.\n", address, p->pf->uplink, p->bridge);
	if (p->plan.count)
		fprintf(call->out, "%zu steps took %lld ms.\n", p->plan.count, (long long)p->ms);
	else
		fputs("Nothing had to be done.\n", call->out);
	hint_at_boot(call);
	return COMMAND_OK;
}

/* Keeps what was asked for over a reboot, or no longer. A failure is told: the host is ready all the same. */
static void keep(struct call *call, const struct preparation *p)
{
	struct prepared_pf kept = { .pf = p->address, .vfs = p->pf->num_vfs };
	struct reason why = { 0 };
	char line[1280];

	for (size_t i = 0; i < p->plan.count; i++) {
		if (p->plan.step[i].kind == STEP_NUM_VFS)
			kept.vfs = p->plan.step[i].number;
	}
	snprintf(kept.bridge, sizeof(kept.bridge), "%s", p->card_only ? "" : p->bridge);
	if (!(call->once ? prepared_forget(&p->address, &why) : prepared_keep(&kept, &why)))
		return;
	reason_format(&why, NULL, line, sizeof(line));
	command_say(call, "prepare: warning: a reboot will undo this: %s", line);
}

/*
 * Return: whether all is ready, but by a run that was killed before it forgot its journal, or by an arrival whose journal would still take
 * it back. Who asks for it now wants it to stay.
 */
static bool is_unsettled(const struct call *call, struct preparation *p)
{
	p->object.pf = p->address;
	return !p->plan.count && !call->dry_run && !object_read(&p->object, NULL) && p->object.changes.count;
}

/* Decides, shows, asks and does; see the header. */
int prepare_pf(struct call *call, struct preparation *p)
{
	struct reason why = { 0 };
	int status;

	if (decide(call, p, &why))
		return fail(call, p, "refused", &why);
	if (is_unsettled(call, p) && make(call, p, &why))
		return fail(call, p, "failed", &why);
	if (!p->plan.count && !call->dry_run && !call->boot)
		keep(call, p);
	if (!p->plan.count)
		return ready(call, p, &why);
	if (!call->json)
		prepare_show_plan(call, p);
	status = confirm(call, p, &why);
	if (status != COMMAND_RUN)
		return status;
	if (make(call, p, &why))
		return fail(call, p, "failed", &why);
	if (!call->boot)
		keep(call, p);
	return ready(call, p, &why);
}
