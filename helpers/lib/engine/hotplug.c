/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hotplug.c: VFs that came or left while their guest ran. See hotplug.h.
 */
#include "engine/hotplug.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/scope.h"
#include "engine/executor.h"
#include "engine/ready.h"
#include "engine/scene.h"

/*
 * has_vf() - whether the guest still has a VF of its record
 */
static bool has_vf(const struct guest *guest, const struct record_vf *lease)
{
	for (size_t i = 0; i < guest->vfs; i++) {
		if (guest->vf[i].device->has_source && pci_address_equal(&guest->vf[i].device->source, &lease->address))
			return true;
	}
	return false;
}

/*
 * knows_vf() - whether a VF of the guest is in its record
 */
static bool knows_vf(const struct record *record, const struct guest_vf *vf)
{
	for (size_t i = 0; i < record->vfs; i++) {
		if (pci_address_equal(&record->vf[i].address, &vf->address))
			return true;
	}
	return false;
}

/*
 * warn_bound() - a VF that was bound before it was made migratable works, and will not migrate
 */
static void warn_bound(const struct guest_vf *vf)
{
	const struct inventory_vf *now = vf->index < vf->pf->num_vfs ? &vf->pf->vf[vf->index] : NULL;
	char address[PCI_ADDRESS_LEN];

	if (!now || (now->has_port && now->port.migratable))
		return;
	log_warning("%s: the VF was attached without being migratable, and the guest cannot be migrated with it; detach it and use "
		    "'vferry attach', which makes it ready before libvirt takes it", pci_address_format(&vf->address, address));
}

/* save_nothing() - a part of a journal has no file: its owner is written as a whole afterwards */
static int save_nothing(void *owner, struct reason *why)
{
	(void)owner;
	(void)why;
	return 0;
}

/*
 * split() - moves the steps of one VF from a journal into another, in their order
 */
static void split(struct steps *from, const struct pci_address *vf, struct steps *to)
{
	size_t kept = 0;

	for (size_t i = 0; i < from->count; i++) {
		if (from->step[i].has_vf && pci_address_equal(&from->step[i].vf, vf))
			to->step[to->count++] = from->step[i];
		else
			from->step[kept++] = from->step[i];
	}
	from->count = kept;
}

/*
 * give_back_vf() - takes back what was made for one VF of the guest, and forgets it
 * @i:		its number in the record
 *
 * A failure in between is harmless: the file still has every step, and one that was taken back already does nothing.
 */
static int give_back_vf(struct record *record, size_t i, struct context *context, struct reason *why)
{
	autofree struct steps *part = calloc(1, sizeof(*part));
	struct record_vf lease = record->vf[i];
	char address[PCI_ADDRESS_LEN];
	int error;

	if (!part)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	log_notice("VF %s has left the guest: taking back what was made for it", pci_address_format(&lease.address, address));
	split(&record->journal, &lease.address, part);
	error = executor_undo(&(struct journal){ part, save_nothing, NULL }, UNDO_ALL, context, why);
	for (size_t k = 0; error && k < part->count && record->journal.count < STEPS_MAX; k++)
		record->journal.step[record->journal.count++] = part->step[k];
	memmove(&record->vf[i], &record->vf[i + 1], (record->vfs - i - 1) * sizeof(record->vf[0]));
	record->vfs--;
	return error;
}

/*
 * give_back_gone() - takes back what was made for VFs that the guest has no more
 */
static int give_back_gone(const struct scene *scene, struct record *record, struct context *context, struct reason *why)
{
	int first = 0;

	for (size_t i = record->vfs; i-- > 0;) {
		int error = has_vf(&scene->guest, &record->vf[i]) ? 0 : give_back_vf(record, i, context, first ? NULL : why);

		if (!first)
			first = error;
	}
	return first;
}

/*
 * take_in_new() - writes the guest's VFs as they are now into its record
 * @some:	result: whether one was not in it
 */
static int take_in_new(struct scene *scene, struct record *record, bool *some, struct reason *why)
{
	struct placement placement = scene_placement(scene);
	int error = scene->guest.vfs ? placement_fixed(&placement, &scene->guest, why) : 0;

	*some = false;
	for (size_t i = 0; !error && i < scene->guest.vfs; i++) {
		if (knows_vf(record, &scene->guest.vf[i]))
			continue;
		*some = true;
		warn_bound(&scene->guest.vf[i]);
	}
	if (!error)
		ready_fill_record(scene, RECORD_RUNNING, record);
	return error;
}

/*
 * sync_record() - the part of it that must not happen twice at the same time. The caller holds the host-wide lock.
 * @some:	result: whether representors are to be made ready
 */
static int sync_record(struct scene *scene, struct record *record, bool *some, struct context *context, struct reason *why)
{
	int error = record_read(scene->domain->uuid, record, why), left;

	if (error == -ENOENT)
		memset(record, 0, sizeof(*record));
	else if (error)
		return error;
	left = give_back_gone(scene, record, context, why);
	error = take_in_new(scene, record, some, left ? NULL : why);
	if (!error && !record->vfs && !record->journal.count)
		error = record_remove(record->uuid, why);
	else if (!error)
		error = record_write(record, why);
	return left ? left : error;
}

/*
 * hotplug_sync() - a guest's devices have changed
 * @config:	configuration
 * @domain:	guest as it runs
 * @deadline:	when to give up
 * @why:	filled on failure
 * Return: 0, negative errno
 */
int hotplug_sync(const struct config *config, const struct domain *domain, deadline_t deadline, struct reason *why)
{
	autocontext struct context context = { .config = config, .deadline = deadline };
	autofree struct record *record = calloc(1, sizeof(*record));
	autoclose int lock = record_lock(NULL, deadline, why);
	autoscene struct scene scene = { 0 };
	bool some = false;
	int error;

	if (!record || lock < 0)
		return record ? lock : reason_set(why, -ENOMEM, NULL, "out of memory");
	error = scene_read(&scene, config, deadline, why);
	if (!error)
		error = scene_find_guest(&scene, domain, false, why);
	if (!error)
		error = sync_record(&scene, record, &some, &context, why);
	close(scope_take_fd(&lock));
	return error || !some ? error : ready_make(&scene, record, true, deadline, why);
}
