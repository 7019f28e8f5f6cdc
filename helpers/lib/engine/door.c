/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * door.c: the one door through which this host is changed. See door.h.
 */
#include "engine/door.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/scope.h"
#include "card/sriov.h"
#include "card/vfio.h"
#include "policy/disturb.h"
#include "policy/network.h"

/* One question to a judge. */
struct question {
	struct door *door;
	const struct object *object;
	const struct step *step; /* looked at */
	const struct step *made; /* what it gives back, NULL: nothing */
};

/* What a judge says: 0: it may be; negative errno: not now, with *why; OTHERS: somebody else's by now, with *why. */
#define OTHERS 1

#define UNUSED __attribute__((unused))

/*
 * door_ask() - who runs here now
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int door_ask(struct door *door, struct reason *why)
{
	status_list_release(&door->running);
	return status_read_new(door->seen ? door->seen : &door->own, &door->running, why);
}

/* See door.h. */
void door_forget(struct door *door)
{
	door->inventory = NULL;
}

/*
 * door_release() - gives back what the door took
 */
void door_release(struct door *door)
{
	status_list_release(&door->running);
	status_cache_release(&door->own);
	context_release(&door->context);
}

/* ---- VFs ------------------------------------------------------------------------------------------------------------------------- */

/*
 * is_held_open() - whether a process has a VF open by way of VFIO
 * Return: 0, -EBUSY with *why, negative errno
 */
static int is_held_open(const struct pci_address *vf, struct reason *why)
{
	char driver[32];
	int error = operation_driver(vf, driver, sizeof(driver), why);

	return error || strcmp(driver, VFIO_DRIVER) != 0 ? error : pci_refuse_open(vf, why);
}

/*
 * refuse_holder() - another guest runs with the VF: what was made of it stays noted, for who looks next finds it to be that guest's
 * (reconcile.c)
 * Return: -EBUSY
 */
static int refuse_holder(const struct status *holder, const struct pci_address *vf, struct reason *why)
{
	char address[PCI_ADDRESS_LEN], name[128];

	reason_clean(name, sizeof(name), holder->name);
	return reason_set(why, -EBUSY, pci_address_format(vf, address), "the VF is used by guest %s now", name);
}

/*
 * judge_vf() - whether a VF may be changed: it is its owner's, and nobody else runs with it
 *
 * What is given back has no owner any more: nobody may run with it, be it a new instance of the same guest, and no process may have it
 * open.
 */
static int judge_vf(const struct question *q, struct reason *why)
{
	const struct status *holder;
	int error = door_ask(q->door, why);

	if (error)
		return error;
	holder = status_find_device(&q->door->running, &q->step->vf);
	if (holder && q->made && q->door->left && strcmp(holder->uuid, q->door->left) == 0)
		holder = NULL;
	if (holder && (q->made || strcmp(holder->uuid, q->object->owner.uuid) != 0))
		return refuse_holder(holder, &q->step->vf, why);
	return q->made ? is_held_open(&q->step->vf, why) : 0;
}

/*
 * is_changed_since() - whether somebody else has set a number since vferry did
 */
static int is_changed_since(const struct question *q, struct reason *why)
{
	const struct pci_address *object = q->step->has_vf ? &q->step->vf : &q->step->pf;
	char address[PCI_ADDRESS_LEN], text[192];

	if (!q->made || q->step->before == q->made->number)
		return 0;
	reason_set(why, -EBUSY, pci_address_format(object, address), "somebody else has changed it since (%s)",
		   step_describe(q->made, text, sizeof(text)));
	return OTHERS;
}

/* judge_unbind() - what takes the VF from its user is asked by the step itself as well: it is the one that would wait for him */
static int judge_unbind(const struct question *q, struct reason *why)
{
	return judge_vf(q, why);
}

/* judge_bind() - a driver that the VF had before is given it back if no other has it by now */
static int judge_bind(const struct question *q, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];

	if (!q->made || !*q->step->before_text)
		return judge_vf(q, why);
	reason_set(why, -EBUSY, pci_address_format(&q->step->vf, address), "driver %s has the VF by now", q->step->before_text);
	return OTHERS;
}

/* judge_rates() - nothing of its own */
static int judge_rates(const struct question *q, struct reason *why)
{
	return judge_vf(q, why);
}

/* judge_mac() - nothing of its own */
static int judge_mac(const struct question *q, struct reason *why)
{
	return judge_vf(q, why);
}

/*
 * judge_function() - what the VF's driver has read when it bound to the VF is not changed below it; one that is in use keeps it. The VFIO
 * driver is taken from the VF before that: where it could not be yet, the next call does both.
 * @what:	the VF keeps, NULL: that it is migratable
 */
static int judge_function(const struct question *q, const char *what, struct reason *why)
{
	char address[PCI_ADDRESS_LEN], driver[32] = "";
	int error = q->made ? operation_driver(&q->step->vf, driver, sizeof(driver), why) : 0;

	if (error || !*driver)
		return error ? error : judge_vf(q, why);
	reason_set(why, -EBUSY, pci_address_format(&q->step->vf, address), "driver %s has the VF, which %s%s", driver,
		   what ? "keeps its " : "stays migratable", what ? what : "");
	return strcmp(driver, VFIO_DRIVER) == 0 ? -EBUSY : OTHERS;
}

/* judge_msix() - as all of the function: the kernel changes the table only while no driver holds the VF */
static int judge_msix(const struct question *q, struct reason *why)
{
	return judge_function(q, "MSI-X table", why);
}

/* judge_ipsec() - it changes nothing */
static int judge_ipsec(const struct question *q, struct reason *why)
{
	return judge_vf(q, why);
}

/* judge_roce() - as all of the function */
static int judge_roce(const struct question *q, struct reason *why)
{
	return judge_function(q, vf_function_name(ATTRIBUTE_ROCE), why);
}

/* judge_max_io_eqs() - as all of the function */
static int judge_max_io_eqs(const struct question *q, struct reason *why)
{
	return judge_function(q, vf_function_name(ATTRIBUTE_MAX_IO_EQS), why);
}

/* judge_migratable() - as all of the function, where it is taken from the VF */
static int judge_migratable(const struct question *q, struct reason *why)
{
	return q->step->number ? judge_vf(q, why) : judge_function(q, NULL, why);
}

/* judge_mtu() - one that somebody else has set since stays */
static int judge_mtu(const struct question *q, struct reason *why)
{
	int error = is_changed_since(q, why);

	return error ? error : judge_vf(q, why);
}

/* judge_representor_up() - its IFF_UP is the guest's carrier */
static int judge_representor_up(const struct question *q, struct reason *why)
{
	return judge_vf(q, why);
}

/*
 * judge_port() - a port of vferry's for this VF goes with its owner. Somebody else's port is never touched: the step finds vferry's
 * alone.
 */
static int judge_port(const struct question *q, struct reason *why)
{
	return judge_vf(q, why);
}

/* ---- PFs ------------------------------------------------------------------------------------------------------------------------- */

/* A PF as it is now. */
struct look_at_pf {
	struct inventory own;
	const struct inventory *inventory;
	const struct inventory_pf *pf;
};

/* Gives back what was read for one question. */
static void look_release(struct look_at_pf *look)
{
	inventory_release(&look->own);
}
#define autolook __attribute__((cleanup(look_release)))

/*
 * look_at_pf() - reads the host, unless nothing was changed since it was read under this lock
 * Return: 0, -ENODEV if the PF is gone, negative errno
 */
static int look_at_pf(const struct question *q, struct look_at_pf *look, struct reason *why)
{
	struct context *context = &q->door->context;
	char address[PCI_ADDRESS_LEN];
	int error = door_ask(q->door, why);

	look->inventory = q->door->inventory;
	if (!error && !look->inventory) {
		error = inventory_read_few(&look->own, context->config->ovsdb_socket, context->deadline, why);
		look->inventory = &look->own;
	}
	for (size_t i = 0; !error && i < look->inventory->pfs; i++) {
		if (pci_address_equal(&look->inventory->pf[i].address, &q->step->pf))
			look->pf = &look->inventory->pf[i];
	}
	if (error || look->pf)
		return error;
	return reason_set(why, -ENODEV, pci_address_format(&q->step->pf, address), "the PF is gone");
}

/* judge_autoprobe() - it disturbs nobody; what was changed since is not vferry's any more */
static int judge_autoprobe(const struct question *q, struct reason *why)
{
	return is_changed_since(q, why);
}

/* judge_eswitch() - either way it takes the carrier away and makes all representors anew */
static int judge_eswitch(const struct question *q, struct reason *why)
{
	autolook struct look_at_pf look = { 0 };
	int error = is_changed_since(q, why);

	if (!error)
		error = look_at_pf(q, &look, why);
	if (error)
		return error;
	if (!q->made)
		return disturb_eswitch(look.inventory, &q->door->running, look.pf, why);
	error = operation_refuse_bound(&q->step->pf, why);
	return error ? error : disturb_switching(look.inventory, &q->door->running, look.pf, why) ? OTHERS : 0;
}

/* judge_num_vfs() - their number is changed only while no driver holds one */
static int judge_num_vfs(const struct question *q, struct reason *why)
{
	int error = is_changed_since(q, why);

	return error || !q->step->before ? error : operation_refuse_bound(&q->step->pf, why);
}

/* judge_uplink_up() - an uplink that has come to carry something stays up */
static int judge_uplink_up(const struct question *q, struct reason *why)
{
	autolook struct look_at_pf look = { 0 };
	int error = q->step->number ? 0 : look_at_pf(q, &look, why);

	if (error || q->step->number)
		return error;
	return disturb_uplink_down(look.inventory, &q->door->running, look.pf, why) ? OTHERS : 0;
}

/*
 * read_switch() - Open vSwitch as it is now
 */
static int read_switch(const struct question *q, struct ovs_state *state, struct reason *why)
{
	struct ovs *ovs;
	int error = context_ovs(&q->door->context, &ovs, why);

	return error ? error : ovs_read(ovs, state, q->door->context.deadline, why);
}
#define autoswitch __attribute__((cleanup(ovs_state_release)))

/*
 * find_rider() - a port of a bridge beside its own and one that does not count
 */
static const struct ovs_port *find_rider(const struct ovs_state *state, const char *bridge, const char *except)
{
	for (size_t i = 0; i < state->ports; i++) {
		const struct ovs_port *port = &state->port[i];

		if (strcmp(port->bridge, bridge) == 0 && strcmp(port->name, bridge) && strcmp(port->name, except))
			return port;
	}
	return NULL;
}

/* judge_ovs_option() - an option that was set to something else since is somebody else's */
static int judge_ovs_option(const struct question *q, struct reason *why)
{
	if (!q->made || strcmp(q->step->before_text, q->made->text) == 0)
		return 0;
	reason_set(why, -EBUSY, q->step->name, "somebody else has set this option of Open vSwitch since");
	return OTHERS;
}

/* judge_bridge() - one that somebody has come to use, or that is not vferry's, stays */
static int judge_bridge(const struct question *q, struct reason *why)
{
	autoswitch struct ovs_state state = { 0 };
	const struct ovs_bridge *bridge;
	const struct ovs_port *rider;
	int error = q->step->number ? 0 : read_switch(q, &state, why);

	if (error || q->step->number)
		return error;
	bridge = ovs_find_bridge(&state, q->step->name);
	rider = find_rider(&state, q->step->name, "");
	if (bridge && bridge->ours && !rider)
		return 0;
	reason_set(why, -EBUSY, q->step->name, "the bridge is used by %s", rider ? rider->name : "somebody else");
	return OTHERS;
}

/*
 * refuse_loop() - whether vferry has put another uplink into the bridge: policy looked before, and somebody may have been faster
 * Return: 0, -EBUSY with *why filled, negative errno
 */
static int refuse_loop(const struct question *q, const struct ovs_state *state, struct reason *why)
{
	for (size_t i = 0; i < state->ports; i++) {
		const struct ovs_port *port = &state->port[i];

		if (port->ours && strcmp(port->guest, "host") == 0 && strcmp(port->bridge, q->step->text) == 0 &&
		    strcmp(port->name, q->step->name))
			return reason_set(why, -EBUSY, q->step->text, "the bridge has the uplink %s already, and a second one would make a loop",
					  port->name);
	}
	return 0;
}

/*
 * may_plug() - whether the uplink may be put into the bridge, as the host is now
 */
static int may_plug(const struct question *q, const struct ovs_state *state, struct reason *why)
{
	autolook struct look_at_pf look = { 0 };
	bool plug = false;
	int error = refuse_loop(q, state, why);

	if (!error)
		error = look_at_pf(q, &look, why);
	if (!error)
		error = network_judge(q->door->context.config, look.inventory, look.pf, q->step->text, &plug, why);
	return error || !plug ? error : disturb_uplink(look.inventory, look.pf, why);
}

/* judge_uplink_port() - into the bridge: no loop, and nothing of the host on it; out of it: nobody reaches the network by it */
static int judge_uplink_port(const struct question *q, struct reason *why)
{
	autoswitch struct ovs_state state = { 0 };
	const struct ovs_port *port, *rider;
	int error = read_switch(q, &state, why);

	if (error || q->step->number)
		return error ? error : may_plug(q, &state, why);
	port = ovs_find_port(&state, q->step->name);
	rider = port ? find_rider(&state, port->bridge, port->name) : NULL;
	if (!rider)
		return 0;
	reason_set(why, -EBUSY, port->name, "port %s of bridge %s reaches the network by it", rider->name, port->bridge);
	return OTHERS;
}

/* ---- The door -------------------------------------------------------------------------------------------------------------------- */

/* Each kind's judge: a kind that has none does not compile. */
static int (*const judges[STEP_KINDS])(const struct question *q, struct reason *why) = {
#define ROW(kind, word) [kind] = judge_##word,
	STEP_KINDS_OF(ROW)
#undef ROW
};

/*
 * door_look() - what is there
 * @step:	its "before" is filled
 * @back:	what was made is given back: what is not there any more needs nothing
 * @why:	filled on failure
 * Return: PASSAGE_NOTHING, PASSAGE_MADE if there is work, negative errno
 */
int door_look(struct door *door, struct step *step, bool back, struct reason *why)
{
	int64_t begin = clock_ms();
	char text[192];
	int result;

	door->context.once = back;
	door->context.looks = true;
	result = operation_of(step->kind)->look(step, &door->context, why);
	door->context.looks = false;
	if (result == -ENODEV && back)
		return PASSAGE_NOTHING;
	if (result == 1)
		log_info("step: %s: is so already (%lld ms)", step_describe(step, text, sizeof(text)), (long long)(clock_ms() - begin));
	else if (result < 0)
		log_error("step: %s: failed after %lld ms", step_describe(step, text, sizeof(text)), (long long)(clock_ms() - begin));
	return result < 0 ? result : result == 1 ? PASSAGE_NOTHING : PASSAGE_MADE;
}

/*
 * say() - how a step came out, in one line
 * @why:	of what was not made
 */
static void say(const struct step *step, bool back, int result, int64_t begin, const struct reason *why)
{
	char text[192], line[1024];
	long long took = clock_ms() - begin;

	step_describe(step, text, sizeof(text));
	reason_format(why, NULL, line, sizeof(line));
	if (result == PASSAGE_MADE)
		log_info("%s: %s: done in %lld ms", back ? "give back" : "step", text, took);
	else if (result == PASSAGE_OTHERS)
		log_notice("left alone: %s: %s", text, line);
	else if (back)
		log_warning("give back: %s: %s", text, line);
	else
		log_error("step: %s: failed after %lld ms", text, took);
}

/* ask_again() - asks a question (arg) once more, by what is there now */
static int ask_again(void *arg, struct reason *why)
{
	const struct question *question = arg;

	door_forget(question->door);
	return judges[question->step->kind](question, why);
}

/*
 * door_pass() - asks, and makes a step
 * @object:	read under its lock
 * @step:	looked at, with work to do
 * @made:	what it gives back, NULL: it gives nothing back
 * @why:	filled where it was not made
 * Return: PASSAGE_MADE, PASSAGE_OTHERS, negative errno
 */
int door_pass(struct door *door, const struct object *object, const struct step *step, const struct step *made, struct reason *why)
{
	struct question question = { door, object, step, made };
	struct reason reason = { 0 };
	int64_t begin = clock_ms();
	int result;

	door->context.once = made != NULL;
	door->context.has_port = false;
	door->context.ask = ask_again;
	door->context.ask_arg = &question;
	result = judges[step->kind](&question, &reason);
	if (result == 0)
		result = operation_of(step->kind)->apply(step, &door->context, &reason);
	door->context.ask = NULL;
	door_forget(door);
	if (result == -ENODEV && made) /* it went before it was given back */
		result = 0;
	result = result == OTHERS ? PASSAGE_OTHERS : result == 0 ? PASSAGE_MADE : result;
	say(step, made, result, begin, &reason);
	if (result != PASSAGE_MADE && why)
		*why = reason;
	return result;
}
