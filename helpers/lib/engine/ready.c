/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ready.c: gives VFs to guests. See ready.h; taking them back is in give_back.c.
 */
#include "engine/ready.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/scope.h"
#include "engine/converge.h"
#include "policy/plan.h"
#include "policy/rules.h"

/* ---- Claims ---------------------------------------------------------------------------------------------------------------------- */

/*
 * ready_new_owner() - the lease that a guest is about to get
 * @scene:	its domain
 * @state:	arriving, starting, running
 */
struct owner ready_new_owner(const struct scene *scene, enum record_state state)
{
	struct owner owner = { .state = state, .came = state != RECORD_ARRIVING, .touched = clock_ms() };

	object_new_lease(owner.lease);
	snprintf(owner.uuid, sizeof(owner.uuid), "%s", scene->domain->uuid);
	reason_clean(owner.name, sizeof(owner.name), scene->domain->name);
	return owner;
}

/*
 * object_for() - the object that one of a guest's VFs is, as far as its name goes
 * @seat:	counts those that libvirt has not chosen yet
 */
static struct object object_for(const struct guest_vf *vf, const struct owner *owner, unsigned int *seat)
{
	struct object object = { .pf = vf->pf->address, .has_vf = vf->has_vf, .vf = vf->address, .index = vf->index };

	if (!vf->has_vf) {
		object.seat = ++*seat;
		memcpy(object.owner.lease, owner->lease, sizeof(object.owner.lease));
	}
	return object;
}

/*
 * refuse_taken() - the sentence about a VF that is somebody else's
 * @guest:	who runs with it, NULL: it is promised
 * Return: CLAIM_TAKEN
 */
static int refuse_taken(const struct object *object, const struct status *guest, struct reason *why)
{
	char address[PCI_ADDRESS_LEN], name[128];

	reason_clean(name, sizeof(name), guest ? guest->name : object->owner.name);
	pci_address_format(&object->vf, address);
	if (guest) {
		reason_set(why, -EBUSY, address, "the VF is used by guest %s now", name);
		reason_cure(why, "give the guest another VF, or shut the other one off");
	} else if (object->owner.state == RECORD_ARRIVING) {
		reason_set(why, -EBUSY, address, "the VF is promised to guest %s, which is arriving", name);
		reason_cure(why, "start the guest when that migration has ended, or give it another VF");
	} else {
		reason_set(why, -EBUSY, address, "the VF belongs to guest %s, which is starting or about to end", name);
		reason_cure(why, "try again in a moment, or give it another VF");
	}
	return CLAIM_TAKEN;
}

/*
 * tell_loser() - keeps for a guest whose lease ran out that its VF went to another one: it may still come, and must be told
 */
static void tell_loser(const struct object *object, const struct owner *winner)
{
	struct guest_note note = { .is_arriving = true, .is_lost = true, .lost = object->vf };
	struct reason why = { 0 };

	snprintf(note.to, sizeof(note.to), "%s", winner->name);
	if (guest_note_write(object->owner.uuid, &note, &why))
		log_warning("%s: %s", object->owner.name, why.what);
	log_notice("the VF of guest %s, which has not come in time, goes to another guest", object->owner.name);
}

/*
 * may_take() - whether an object can become a guest's. Its lock is held, and it is read under it.
 * Return: CLAIM_OURS, CLAIM_TAKEN with *why, negative errno
 */
static int may_take(const struct scene *scene, const struct object *object, const struct owner *owner, bool holds, struct door *door,
		    struct reason *why)
{
	struct ownership_facts facts = { &door->running, clock_ms(), scene->config->lease_time };
	bool is_other = object_is_owned(object) && strcmp(object->owner.uuid, owner->uuid) != 0;
	const struct status *guest;
	enum ownership whose;
	int error = object->has_vf ? door_ask(door, why) : 0;

	if (error || !object->has_vf)
		return error;
	whose = ownership_of(object, &facts, &guest);
	if (guest && strcmp(guest->uuid, owner->uuid) != 0)
		return refuse_taken(object, guest, why);
	if (is_other && whose == OWNED_BY_LEASE && !holds)
		return refuse_taken(object, NULL, why);
	if (is_other && object->owner.state == RECORD_ARRIVING)
		tell_loser(object, owner);
	return CLAIM_OURS;
}

/*
 * set_owner() - what becomes of an object's owner. The same lease, of a guest that runs and whose VF could not be made before, goes on.
 */
static void set_owner(struct object *object, const struct owner *owner)
{
	struct owner before = object->owner;

	object->owner = *owner;
	object->owner.unmade = object->has_vf;
	if (strcmp(before.lease, owner->lease) != 0)
		return;
	object->owner.waited = before.waited;
	object->owner.cleared = before.cleared;
}

/*
 * claim_one() - writes the lease of one VF
 * Return: CLAIM_OURS, CLAIM_TAKEN, negative errno
 */
static int claim_one(const struct scene *scene, const struct guest_vf *vf, struct object *object, const struct owner *owner, bool holds,
		     struct door *door, struct reason *why)
{
	autoclose int lock = record_lock_object(object, door->context.deadline, why);
	int result = lock == -ETIME ? CLAIM_TAKEN : lock;

	if (lock < 0)
		return result;
	result = object_read(object, why);
	if (!result)
		result = may_take(scene, object, owner, holds, door, why);
	if (result)
		return result;
	object->index = vf->index;
	object->pf = vf->pf->address;
	set_owner(object, owner);
	if (vf->device->has_mac)
		object->owner.mac = vf->device->mac;
	else if (vf->passport)
		object->owner.mac = vf->passport->mac;
	snprintf(object->owner.bridge, sizeof(object->owner.bridge), "%s", vf->bridge);
	return object_write(object, why);
}

/*
 * ready_claim() - writes the lease of a placed guest; see ready.h
 */
int ready_claim(const struct scene *scene, struct owner *owner, bool holds, deadline_t deadline, struct pci_address *which,
		struct reason *why)
{
	autodoor struct door door = { .context = { .config = scene->config, .deadline = deadline }, .seen = scene->seen };
	const struct ready_choice own = { .uuid = owner->uuid, .lease = owner->lease };
	unsigned int seats = 0;
	int result = guest_note_mark(owner->uuid, owner->state == RECORD_ARRIVING, why);

	for (size_t i = 0; !result && i < scene->guest.vfs; i++) {
		const struct guest_vf *vf = &scene->guest.vf[i];
		autoobject struct object object = object_for(vf, owner, &seats);

		result = claim_one(scene, vf, &object, owner, holds, &door, why);
		if (result && which && vf->has_vf)
			*which = vf->address;
	}
	if (result)
		(void)ready_give_back(scene->config, &own, false, deadline, NULL);
	return result;
}

/* ---- Making ---------------------------------------------------------------------------------------------------------------------- */

/*
 * is_first_of_pf() - whether no earlier VF of the guest is on the same PF
 */
static bool is_first_of_pf(const struct guest *guest, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (guest->vf[k].pf == guest->vf[i].pf)
			return false;
	}
	return true;
}

/*
 * replace_pf() - the guest_vf as a newly read inventory sees it
 * Return: 0, -ENODEV if the PF is gone
 */
static int replace_pf(struct guest_vf *vf, struct inventory *inventory, struct reason *why)
{
	struct inventory_pf *pf = inventory_find_pf(inventory, &vf->pf->address);
	char address[PCI_ADDRESS_LEN];

	if (!pf)
		return reason_set(why, -ENODEV, pci_address_format(&vf->pf->address, address), "the PF is gone");
	vf->pf = pf;
	return 0;
}

/* What is made ready for a guest. */
struct making {
	const struct scene *scene;
	const struct owner *owner;
	bool bound;                   /* libvirt has bound the VFs */
	struct door *door;
	struct inventory inventory;   /* as it is after a PF was read again; has_new */
	bool has_new;
};

/*
 * plan_all_of_pf() - what is missing of a PF
 * Return: 0, -E2BIG, -ENOMEM
 */
static int plan_all_of_pf(const struct config *config, const struct inventory *inventory, const struct guest_vf *vf, struct steps *plan)
{
	int error = plan_pf(config, inventory, vf->pf, vf->bridge, plan);

	return error || !vf->pool ? error : plan_pool(config, vf->pf, plan);
}

/*
 * is_ready() - whether nothing need be made of a PF, as it was when the guest was placed
 *
 * That is still so if nobody was at work on it: the guest has its lease since then, and a PF is given back only by who sees no lease on it
 * under its lock.
 */
static bool is_ready(const struct making *m, const struct guest_vf *vf)
{
	autosteps struct steps plan = { 0 };

	return !plan_all_of_pf(m->scene->config, &m->scene->inventory, vf, &plan) && !plan.count;
}

/*
 * read_again() - the host as it is now
 */
static int read_again(struct making *m, struct reason *why)
{
	struct context *context = &m->door->context;
	int error;

	inventory_release(&m->inventory);
	m->has_new = false;
	error = inventory_read_few(&m->inventory, context->config->ovsdb_socket, context->deadline, why);
	m->has_new = !error;
	return error;
}

/*
 * ask_pool() - asks for the ports of all VFs of a PF, of which libvirt will choose one
 */
static int ask_pool(struct inventory_pf *pf, deadline_t deadline, struct reason *why)
{
	struct inventory_vf *vf[INVENTORY_MAX_VFS];

	for (unsigned int i = 0; i < pf->num_vfs; i++)
		vf[i] = &pf->vf[i];
	return inventory_ask_ports(pf, vf, pf->num_vfs, deadline, why);
}

/*
 * await_link() - waits for the link that an earlier change of a PF's mode took
 * @object:	the PF's, read under its lock
 */
static int await_link(struct making *m, struct object *object, struct reason *why)
{
	const struct step step = { .kind = STEP_ESWITCH, .pf = object->pf };
	int error = object->trains ? operation_await_carrier(&step, &m->door->context, why) : 0;

	if (error || !object->trains)
		return error;
	object->trains = 0;
	return object_write(object, why);
}

/*
 * note_link() - writes down that the mode of a PF is as wanted and its link has not come yet: what was made stays for the next guest
 */
static void note_link(struct object *object)
{
	object->trains = clock_ms();
	(void)object_write(object, NULL);
}

/*
 * trains() - whether the link of a PF is awaited. One whose file cannot be read may be.
 */
static bool trains(const struct pci_address *pf)
{
	autoobject struct object object = { .pf = *pf };

	return object_read(&object, NULL) || object.trains;
}

/*
 * make_pf() - makes one PF ready. The caller holds its lock.
 * @vf:		a VF of the guest that is placed on it
 */
static int make_pf(struct making *m, const struct guest_vf *vf, struct reason *why)
{
	autosteps struct steps plan = { 0 };
	autoobject struct object object = { .pf = vf->pf->address };
	struct guest_vf now = *vf;
	struct rule_case c = { .config = m->scene->config, .inventory = &m->inventory, .incoming = m->scene->incoming, .vf = &now,
			       .running = &m->scene->running };
	int error = read_again(m, why);

	if (!error)
		error = replace_pf(&now, &m->inventory, why);
	if (!error && now.pool)
		error = ask_pool(now.pf, m->door->context.deadline, why);
	c.pf = now.pf;
	if (!error)
		error = rules_judge_pf(&c, NULL, NULL, why);
	if (!error)
		error = object_read(&object, why);
	if (!error)
		error = await_link(m, &object, why);
	if (!error && plan_all_of_pf(m->scene->config, &m->inventory, &now, &plan))
		error = reason_set(why, -ENOMEM, NULL, "the plan of the PF is too long");
	if (error || !plan.count)
		return error;
	m->door->inventory = &m->inventory;
	error = converge_to(m->door, &object, &plan, why);
	if (error == -ENOLINK)
		note_link(&object);
	door_forget(m->door);
	return error ? error : read_again(m, why);
}

/*
 * make_pf_of() - sees to it that the PF of a VF is ready
 *
 * Its lock is held for that alone: from then on the guest's lease keeps it. Where libvirt has bound the guest's VFs, none is needed: nobody
 * changes the mode of a PF or the number of its VFs below a driver.
 */
static int make_pf_of(struct making *m, const struct guest_vf *vf, struct reason *why)
{
	autoclose int lock = m->bound ? -1 : record_lock(&vf->pf->address, deadline_in(0), NULL);

	if (m->bound || (lock >= 0 && is_ready(m, vf) && !trains(&vf->pf->address)))
		return 0;
	if (lock < 0)
		lock = record_lock(&vf->pf->address, m->door->context.deadline, why);
	if (lock < 0)
		return lock;
	return make_pf(m, vf, why);
}

/*
 * make_vf() - makes one of the guest's VFs ready, if it still is the guest's
 *
 * What was seen of it before its lock was taken does not count: its last owner may have been taken from it since. So each step looks anew.
 * What does not come is waited for once for each lease: it is tried again by whoever looks next, beside the events of other guests.
 */
static int make_vf(struct making *m, struct guest_vf vf, struct reason *why)
{
	autoobject struct object object = { .pf = vf.pf->address, .has_vf = true, .vf = vf.address };
	autoclose int lock = record_lock_object(&object, m->door->context.deadline, why);
	autosteps struct steps desired = { 0 };
	char address[PCI_ADDRESS_LEN];
	int error = lock < 0 ? lock : object_read(&object, why);

	if (!error && strcmp(object.owner.lease, m->owner->lease) != 0)
		error = reason_set(why, -EBUSY, pci_address_format(&vf.address, address), "the VF was taken from this guest meanwhile");
	if (!error && m->has_new)
		error = replace_pf(&vf, &m->inventory, why);
	if (!error && desired_of_guest(&vf, &object.owner, m->bound, &desired))
		error = reason_set(why, -ENOMEM, NULL, "out of memory");
	if (error)
		return error;
	m->door->context.no_wait = object.owner.waited;
	error = converge_to(m->door, &object, &desired, why);
	m->door->context.no_wait = false;
	object.owner.waited |= error != 0;
	object.owner.unmade = error != 0;
	if (!error)
		return object_write(&object, why);
	(void)object_write(&object, NULL);
	return error;
}

/*
 * ready_make() - makes the host ready for a placed guest; see ready.h
 */
int ready_make(const struct scene *scene, const struct owner *owner, bool bound, deadline_t deadline, struct pci_address *which,
	       struct reason *why)
{
	autodoor struct door door = { .context = { .config = scene->config, .deadline = deadline }, .seen = scene->seen };
	struct making m = { .scene = scene, .owner = owner, .bound = bound, .door = &door };
	const struct guest *guest = &scene->guest;
	int error = 0;

	for (size_t i = 0; !error && i < guest->vfs; i++) {
		if (is_first_of_pf(guest, i))
			error = make_pf_of(&m, &guest->vf[i], why);
	}
	for (size_t i = 0; !error && i < guest->vfs; i++) {
		error = guest->vf[i].has_vf ? make_vf(&m, guest->vf[i], why) : 0;
		if (error && which)
			*which = guest->vf[i].address;
	}
	inventory_release(&m.inventory);
	return error;
}
