/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * door.c: the one door through which this host is changed. See door.h.
 */
#include "engine/door_judge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/scope.h"
#include "card/sriov.h"
#include "card/vfio.h"

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
 * door_is_changed_since() - whether somebody else has set a number since vferry did
 */
int door_is_changed_since(const struct question *q, struct reason *why)
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
	int error = door_is_changed_since(q, why);

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
