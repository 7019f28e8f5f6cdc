/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ready.c: makes a host ready for a guest, and takes that back.
 *
 * Two journals: what is done to a PF serves every guest on it, and is taken back only if no guest ever ran there and nobody uses it;
 * what is done to a VF belongs to one guest and is taken back when that guest leaves.
 */
#include "engine/ready.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/scope.h"
#include "engine/executor.h"
#include "policy/plan.h"
#include "policy/rules.h"

#define VFIO_DRIVER "mlx5_vfio_pci"

/* The journal of a PF and the PF it belongs to: what saving it needs. */
struct pf_journal {
	struct pci_address pf;
	struct steps steps;
};

/* save_pf() - writes the journal of a PF: what struct journal calls after each change */
static int save_pf(void *owner, struct reason *why)
{
	struct pf_journal *journal = owner;

	return record_write_pf(&journal->pf, &journal->steps, why);
}

/* save_record() - writes the record with its journal, and that it was touched */
static int save_record(void *owner, struct reason *why)
{
	struct record *record = owner;

	record->touched = clock_ms();
	return record_write(record, why);
}

/*
 * ready_fill_record() - writes a guest's lease into its record
 * @scene:	with a placed guest
 * @state:	arriving or starting
 * @record:	result; its journal is kept
 */
void ready_fill_record(const struct scene *scene, enum record_state state, struct record *record)
{
	const struct guest *guest = &scene->guest;

	snprintf(record->uuid, sizeof(record->uuid), "%s", scene->domain->uuid);
	reason_clean(record->name, sizeof(record->name), scene->domain->name);
	record->state = state;
	record->touched = clock_ms();
	record->vfs = 0;
	for (size_t i = 0; i < guest->vfs && i < RECORD_MAX_VFS; i++) {
		const struct guest_vf *vf = &guest->vf[i];
		struct record_vf *out = &record->vf[record->vfs++];

		*out = (struct record_vf){ .pf = vf->pf->address, .address = vf->pf->address };
		if (vf->has_vf) {
			out->address = vf->address;
			out->index = vf->index;
		}
		if (vf->device->has_mac)
			out->mac = vf->device->mac;
		else if (vf->passport)
			out->mac = vf->passport->mac;
		snprintf(out->bridge, sizeof(out->bridge), "%s", vf->bridge);
	}
}

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

/*
 * make_pf() - makes one PF ready. The caller holds its lock.
 * @vf:		a VF of the guest that is placed on it
 * @inventory:	the host, read under the lock; released if it is true no more
 */
static int make_pf(const struct scene *scene, const struct guest_vf *vf, struct inventory *inventory, struct context *context,
		   struct reason *why)
{
	autofree struct pf_journal *journal = calloc(1, sizeof(*journal));
	autofree struct steps *plan = calloc(1, sizeof(*plan));
	struct guest_vf now = *vf;
	struct rule_case c = { .config = scene->config, .inventory = inventory, .incoming = scene->incoming, .vf = &now,
			       .running = &scene->running };
	int error;

	if (!journal || !plan)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	journal->pf = vf->pf->address;
	error = replace_pf(&now, inventory, why);
	c.pf = now.pf;
	if (!error)
		error = rules_judge_pf(&c, NULL, NULL, why);
	if (!error)
		error = record_read_pf(&journal->pf, &journal->steps, why);
	if (!error)
		error = plan_pf(scene->config, inventory, now.pf, now.bridge, plan);
	if (!error && now.pool)
		error = plan_pool(scene->config, now.pf, plan);
	if (error || !plan->count)
		return error;
	inventory_release(inventory);
	return executor_apply(plan, &(struct journal){ &journal->steps, save_pf, journal }, context, why);
}

/* A PF's part of what is made ready for a guest. */
struct part {
	const struct scene *scene;
	const struct guest_vf *first; /* the guest's first VF on the PF */
	struct record *record;
	bool bound;                   /* libvirt has bound the VFs */
	bool waited;                  /* somebody else was at work on the PF */
};

/*
 * is_ready() - whether nothing need be made of a PF, as it was when the guest was placed
 *
 * That is still so if nobody was at work on it: the guest has its lease since then, and a PF is taken back only by who holds the host-wide
 * lock, under which the guest was placed, and sees no lease on it.
 */
static bool is_ready(const struct part *part)
{
	autofree struct steps *plan = calloc(1, sizeof(*plan));
	const struct guest_vf *vf = part->first;
	const struct config *config = part->scene->config;

	if (!plan || part->bound || part->waited || plan_pf(config, &part->scene->inventory, vf->pf, vf->bridge, plan))
		return false;
	return !(vf->pool && plan_pool(config, vf->pf, plan)) && !plan->count;
}

/*
 * make_vfs() - makes the guest's VFs on one PF ready. The caller holds the PF's lock.
 * @inventory:	the host as it is now, NULL: as it was when the guest was placed
 */
static int make_vfs(const struct part *part, struct inventory *inventory, struct context *context, struct reason *why)
{
	autofree struct steps *plan = calloc(1, sizeof(*plan));
	const struct scene *scene = part->scene;
	struct record *record = part->record;
	int error = 0;

	if (!plan)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	for (size_t i = 0; !error && i < scene->guest.vfs; i++) {
		struct guest_vf vf = scene->guest.vf[i];

		if (vf.pf != part->first->pf || !vf.has_vf)
			continue;
		error = inventory ? replace_pf(&vf, inventory, why) : 0;
		if (!error)
			error = plan_vf(&vf, record->uuid, part->bound, plan);
	}
	if (error)
		return error;
	return executor_apply(plan, &(struct journal){ &record->journal, save_record, record }, context, why);
}

/*
 * make_part() - makes a PF and the guest's VFs on it ready. The caller holds the PF's lock.
 *
 * The host is read again unless the PF is ready, and once more where something of it had to be changed.
 */
static int make_part(const struct part *part, struct context *context, struct reason *why)
{
	const char *socket = part->scene->config->ovsdb_socket;
	autoinventory struct inventory inventory = { 0 };
	int error;

	if (is_ready(part))
		return make_vfs(part, NULL, context, why);
	error = inventory_read(&inventory, socket, context->deadline, why);
	if (!error && !part->bound)
		error = make_pf(part->scene, part->first, &inventory, context, why);
	if (!error && !inventory.pfs)
		error = inventory_read(&inventory, socket, context->deadline, why);
	return error ? error : make_vfs(part, &inventory, context, why);
}

/*
 * ready_make() - makes the host ready for a placed guest
 * @scene:	what was decided on
 * @record:	its lease, written already; the journal grows
 * @bound:	libvirt has bound the VFs
 * @deadline:	when to give up
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int ready_make(const struct scene *scene, struct record *record, bool bound, deadline_t deadline, struct reason *why)
{
	const struct guest *guest = &scene->guest;
	autocontext struct context context = { .config = scene->config, .deadline = deadline };
	int error = 0;

	for (size_t i = 0; !error && i < guest->vfs; i++) {
		struct part part = { .scene = scene, .first = &guest->vf[i], .record = record, .bound = bound };
		autoclose int lock = -1;

		if (!is_first_of_pf(guest, i))
			continue;
		lock = record_lock(&part.first->pf->address, deadline_in(0), NULL);
		part.waited = lock < 0;
		if (part.waited)
			lock = record_lock(&part.first->pf->address, deadline, why);
		error = lock < 0 ? lock : make_part(&part, &context, why);
	}
	return error;
}

/*
 * pf_is_used() - whether a guest runs on a PF or is promised a VF of it. Other users of its VFs are looked for by the steps that would
 * disturb them.
 */
static bool pf_is_used(struct scene *scene, struct inventory_pf *pf)
{
	unsigned int index;

	for (size_t i = 0; i < scene->running.count; i++) {
		const struct status *status = &scene->running.status[i];

		for (size_t k = 0; k < status->devices; k++) {
			if (inventory_find_vf(&scene->inventory, &status->device[k], &index) == pf)
				return true;
		}
	}
	for (size_t i = 0; i < scene->records.count; i++) {
		for (size_t k = 0; k < scene->records.record[i].vfs; k++) {
			if (pci_address_equal(&scene->records.record[i].vf[k].pf, &pf->address))
				return true;
		}
	}
	return false;
}

/*
 * ready_undo_pf() - takes back what was made of a PF, if nobody uses it
 * @address:	PF
 * @config:	configuration
 * @deadline:	when to give up
 * @why:	filled on failure
 * Return: 0 (also if somebody uses it, or there is nothing to take back), negative errno
 */
int ready_undo_pf(const struct pci_address *address, const struct config *config, deadline_t deadline, struct reason *why)
{
	autocontext struct context context = { .config = config, .deadline = deadline };
	autofree struct pf_journal *journal = calloc(1, sizeof(*journal));
	autoscene struct scene scene = { 0 };
	autoclose int lock = -1;
	struct inventory_pf *pf;
	int error;

	if (!journal)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	journal->pf = *address;
	lock = record_lock(address, deadline, why);
	if (lock < 0)
		return lock;
	error = record_read_pf(address, &journal->steps, why);
	if (error || !journal->steps.count)
		return error;
	error = scene_read(&scene, config, deadline, why);
	if (error)
		return error;
	pf = inventory_find_pf(&scene.inventory, address);
	if (!pf || pf_is_used(&scene, pf))
		return 0;
	return executor_undo(&(struct journal){ &journal->steps, save_pf, journal }, UNDO_UNTIL_STUCK, &context, why);
}

/*
 * free_vfs() - takes the VFs of a guest that is gone from the VFIO driver, where libvirt has not done so
 *
 * They had no driver when they were leased, or one that the journal gives back. With one left, neither "migratable" nor the PF could be
 * taken back. A VF that another guest has got in the meantime is left alone.
 */
static int free_vfs(const struct record *record, struct context *context, struct reason *why)
{
	struct status_list running = { 0 };
	int error = status_read_all(&running, why);

	for (size_t i = 0; !error && i < record->vfs; i++) {
		const struct record_vf *vf = &record->vf[i];
		struct step step = { .kind = STEP_BIND, .pf = vf->pf, .has_vf = true, .vf = vf->address, .index = vf->index, .text = VFIO_DRIVER };
		const struct status *holder = status_find_device(&running, &vf->address);

		if (pci_address_equal(&vf->pf, &vf->address) || (holder && strcmp(holder->uuid, record->uuid)))
			continue;
		error = operation_of(STEP_BIND)->undo(&step, context, why);
	}
	status_list_release(&running);
	return error;
}

/*
 * ready_give_back() - takes back what was made for a guest
 * @record:	its record
 * @config:	configuration
 * @deadline:	when to give up
 * @why:	the first failure
 * Return: 0, negative errno
 */
int ready_give_back(struct record *record, const struct config *config, deadline_t deadline, struct reason *why)
{
	autocontext struct context context = { .config = config, .deadline = deadline };
	struct journal journal = { &record->journal, save_record, record };
	int error = free_vfs(record, &context, why);

	if (error)
		return error;
	error = executor_undo(&journal, UNDO_ALL, &context, why);
	if (error && record->journal.count)
		return error;
	error = record_remove(record->uuid, why); /* a record that could not be written (disk full) can be removed all the same */
	for (size_t i = 0; !error && i < record->vfs; i++)
		error = ready_undo_pf(&record->vf[i].pf, config, deadline, why);
	return error;
}

/*
 * ready_give_back_pfs() - takes back what is left of PFs that nobody came to use
 * @config:	configuration
 * @deadline:	when to give up
 * @why:	the first failure
 * Return: 0, negative errno
 */
int ready_give_back_pfs(const struct config *config, deadline_t deadline, struct reason *why)
{
	struct pci_address pf[INVENTORY_MAX_PFS];
	int n = record_list_pfs(pf, INVENTORY_MAX_PFS, why), first = 0;

	for (int i = 0; i < n; i++) {
		int lock = record_lock(&pf[i], deadline_in(0), NULL), error;

		if (lock < 0)
			continue; /* somebody is at work there: nothing is left over */
		close(lock);
		error = ready_undo_pf(&pf[i], config, deadline, first ? NULL : why);
		if (!first)
			first = error;
	}
	return n < 0 ? n : first;
}

/*
 * ready_commit() - a guest was seen to run: its PFs stay as they are
 * @record:	its record
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int ready_commit(struct record *record, struct reason *why)
{
	static const struct steps nothing;
	int error = 0;

	for (size_t i = 0; !error && i < record->vfs; i++)
		error = record_write_pf(&record->vf[i].pf, &nothing, why);
	if (error)
		return error;
	record->state = RECORD_RUNNING;
	return save_record(record, why);
}
