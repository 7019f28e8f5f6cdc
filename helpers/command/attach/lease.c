/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lease.c: what vferry attach and detach do to a running guest's lease: as the hook does at the start of a guest, for one VF.
 *
 * The steps go into the guest's own record, so that the hook takes them back when the guest is gone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "command/attach/attach.h"
#include "engine/executor.h"
#include "engine/ready.h"

#define MAKE_TIME 120000 /* ms: a PF may have to be made ready too */
#define VFIO_DRIVER "mlx5_vfio_pci"

/* Whether a step is one of this call's VF. */
static bool is_of_vf(const struct attachment *a, const struct step *step)
{
	return step->has_vf && pci_address_equal(&step->vf, &a->vf);
}

/* Reads the guest's record, or begins one. Return: 0, negative errno with *why filled. */
static int read_record(struct attachment *a, struct reason *why)
{
	int error;

	if (!a->record)
		a->record = calloc(1, sizeof(*a->record));
	if (!a->steps)
		a->steps = calloc(1, sizeof(*a->steps));
	if (!a->record || !a->steps)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	error = record_read(a->uuid, a->record, why);
	a->had_record = !error;
	if (error && error != -ENOENT)
		return error;
	if (error) {
		memset(a->record, 0, sizeof(*a->record));
		snprintf(a->record->uuid, sizeof(a->record->uuid), "%s", a->uuid);
		snprintf(a->record->name, sizeof(a->record->name), "%s", a->name);
		a->record->state = RECORD_RUNNING;
	}
	return 0;
}

/* Return: the place in the guest's record of the VF that this call is about, -1 if it has none. */
static int lease_of(const struct attachment *a)
{
	for (size_t i = 0; i < a->record->vfs; i++) {
		const struct record_vf *vf = &a->record->vf[i];

		if (a->has_vf ? pci_address_equal(&vf->address, &a->vf) : mac_address_equal(&vf->mac, &a->mac))
			return (int)i;
	}
	return -1;
}

/* Finds the guest's new VF in its XML, and leaves the others out: they run. Return: 0, negative errno with *why filled. */
static int find_vf(struct attachment *a, const char *xml, struct reason *why)
{
	struct scene *scene = &a->view.scene;
	struct placement placement;
	size_t kept = 0;
	int error;

	domain_release(&a->view.domain);
	error = domain_parse(xml, strlen(xml), &a->view.domain, why);
	if (!error)
		error = scene_find_guest(scene, &a->view.domain, false, why);
	for (size_t i = 0; !error && i < scene->guest.vfs; i++) {
		struct guest_vf vf = scene->guest.vf[i];

		if (!vf.device->has_mac || !mac_address_equal(&vf.device->mac, &a->mac))
			continue;
		vf.passport = &a->entry;
		snprintf(vf.bridge, sizeof(vf.bridge), "%s", a->bridge);
		scene->guest.vf[kept++] = vf;
	}
	scene->guest.vfs = kept;
	if (error || !kept)
		return error ? error : reason_set(why, -ENODEV, a->name, "the guest does not show the device that it was given");
	placement = scene_placement(scene);
	placement.warn = NULL;
	return placement_fixed(&placement, &scene->guest, why);
}

/* Writes the lease; see the header. */
int attach_lease(struct attachment *a, const char *xml, struct reason *why)
{
	const struct guest_vf *vf = &a->view.scene.guest.vf[0];
	int error = find_vf(a, xml, why), place;
	struct record_vf lease;

	if (!error)
		error = read_record(a, why);
	if (error)
		return error;
	lease = (struct record_vf){ .pf = vf->pf->address, .address = vf->has_vf ? vf->address : vf->pf->address, .index = vf->index,
				    .mac = a->mac };
	snprintf(lease.bridge, sizeof(lease.bridge), "%s", a->bridge);
	place = lease_of(a);
	if (place < 0 && a->record->vfs == RECORD_MAX_VFS)
		return reason_set(why, -E2BIG, a->name, "the guest has %d VFs already", RECORD_MAX_VFS);
	a->record->vf[place < 0 ? a->record->vfs++ : (size_t)place] = lease;
	a->record->touched = clock_ms();
	a->has_vf = vf->has_vf;
	a->pf = lease.pf;
	a->vf = lease.address;
	return record_write(a->record, why);
}

/* Makes the VF ready, and its PF if need be; see the header. */
int attach_make(struct attachment *a, bool bound, struct reason *why)
{
	return ready_make(&a->view.scene, a->record, bound, deadline_in(MAKE_TIME), why);
}

/* The guest runs with the VF. Return: 0, negative errno with *why filled. */
int attach_commit(struct attachment *a, struct reason *why)
{
	return ready_commit(a->record, why);
}

/* Writes the record with what is still to be taken back of this VF behind the rest. Return: 0, negative errno with *why filled. */
static int save(void *owner, struct reason *why)
{
	struct attachment *a = owner;
	autofree struct record *all = malloc(sizeof(*all));

	if (!all)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	*all = *a->record;
	for (size_t i = 0; i < a->steps->count; i++) {
		if (steps_add(&all->journal, &a->steps->step[i]))
			return reason_set(why, -E2BIG, a->name, "the journal is full");
	}
	return record_write(all, why);
}

/* Takes the steps of the VF out of the guest's journal. */
static void split_journal(struct attachment *a)
{
	struct steps *journal = &a->record->journal;
	size_t kept = 0;

	a->steps->count = 0;
	for (size_t i = 0; i < journal->count; i++) {
		if (is_of_vf(a, &journal->step[i]))
			(void)steps_add(a->steps, &journal->step[i]);
		else
			journal->step[kept++] = journal->step[i];
	}
	journal->count = kept;
}

/* Takes the VF from the VFIO driver, where libvirt has left it there: else it could not be made what it was. Return: 0, errno. */
static int unbind(const struct attachment *a, struct context *context, struct reason *why)
{
	const struct step step = { .kind = STEP_BIND, .pf = a->pf, .has_vf = true, .vf = a->vf, .text = VFIO_DRIVER };

	return a->has_vf ? operation_of(STEP_BIND)->undo(&step, context, why) : 0;
}

/* Drops the lease of the VF, and the record if nothing is left in it. Return: 0, negative errno with *why filled. */
static int drop_lease(struct attachment *a, struct reason *why)
{
	int place = lease_of(a);

	if (place >= 0) {
		a->record->vfs--;
		memmove(&a->record->vf[place], &a->record->vf[place + 1], (a->record->vfs - (size_t)place) * sizeof(a->record->vf[0]));
	}
	if (!a->record->vfs && !a->record->journal.count)
		return record_remove(a->record->uuid, why);
	return save(a, why);
}

/* Takes back what was made for the VF, and forgets its lease; see the header. */
int attach_forget_vf(struct attachment *a, struct reason *why)
{
	autocontext struct context context = { .config = &a->call->config, .deadline = deadline_in(MAKE_TIME) };
	autoclose int lock = record_lock(NULL, deadline_in(COMMAND_TIME), why);
	int error = lock < 0 ? lock : read_record(a, why);

	if (error || !a->had_record)
		return error;
	split_journal(a);
	error = unbind(a, &context, why);
	if (!error)
		error = executor_undo(&(struct journal){ a->steps, save, a }, UNDO_ALL, &context, why);
	if (!error)
		error = drop_lease(a, why);
	return error ? error : ready_undo_pf(&a->pf, &a->call->config, context.deadline, why);
}

/* Return: a lease of the guest whose VF it does not have, NULL if there is none. */
static const struct record_vf *find_stale(const struct attachment *a, const struct domain *domain)
{
	for (size_t i = 0; i < a->record->vfs; i++) {
		bool has = false;

		for (size_t k = 0; k < domain->hostdevs; k++)
			has |= domain->hostdev[k].has_source && pci_address_equal(&domain->hostdev[k].source, &a->record->vf[i].address);
		if (!has)
			return &a->record->vf[i];
	}
	return NULL;
}

/* Takes back what an attach that was killed left; see the header. */
int attach_forget_stale(struct attachment *a, struct reason *why)
{
	const char *xml = attach_own_xml(a, false);
	const struct mac_address mac = a->mac;
	autodomain struct domain domain = { 0 };
	const struct record_vf *stale;
	int error = xml ? domain_parse(xml, strlen(xml), &domain, why) : 0;

	if (error || !xml)
		return error;
	while (!error && !(error = read_record(a, why)) && a->had_record && a->record->state == RECORD_RUNNING &&
	       (stale = find_stale(a, &domain))) {
		a->mac = stale->mac;
		a->vf = stale->address;
		a->pf = stale->pf;
		a->has_vf = !pci_address_equal(&stale->address, &stale->pf);
		error = attach_forget_vf(a, why);
	}
	a->mac = mac;
	a->has_vf = false;
	return error;
}

/* Takes back what this call made, after a failure that has been told. */
void attach_take_back(struct attachment *a)
{
	struct reason why = { 0 };
	char line[1280];

	if (!a->record || !attach_forget_vf(a, &why))
		return;
	reason_format(&why, NULL, line, sizeof(line));
	command_say(a->call, "%s: not everything could be taken back: %s; 'vferry release' tries again when the guest is gone", a->name, line);
}
