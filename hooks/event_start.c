/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * event_start.c: "start" and "started": libvirt has taken the devices, then QEMU runs. libvirt holds the guest's lock in both, so they are
 * short.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/scope.h"
#include "domain/status.h"
#include "engine/hotplug.h"
#include "engine/ready.h"
#include "engine/scene.h"
#include "event.h"
#include "policy/placement.h"
#include "policy/rules.h"

/*
 * knows_all_devices() - whether the lease has every PCI device of the guest, so that there is nothing new to see
 */
static bool knows_all_devices(const struct domain *domain, const struct record *record)
{
	for (size_t i = 0; i < domain->hostdevs; i++) {
		bool known = false;

		for (size_t k = 0; k < record->vfs; k++)
			known |= domain->hostdev[i].has_source && pci_address_equal(&domain->hostdev[i].source, &record->vf[k].address);
		if (!known)
			return false;
	}
	return true;
}

/*
 * check_state() - whether QEMU can load the state of the guest's VF into the one that libvirt chose
 * @now:	the VF that it chose, with its port
 *
 * libvirt has bound it: what its driver read then cannot be set any more.
 */
static int check_state(const struct guest_vf *vf, const struct inventory_vf *now, const char *address, struct reason *why)
{
	const struct passport_vf *source = vf->passport;
	enum function_attribute attribute;
	char has[FUNCTION_VALUE_LEN], had[FUNCTION_VALUE_LEN];

	if (!source || vf->device->is_transient)
		return 0;
	attribute = vf_function_differs(&now->port.function, &source->function, 0);
	if (source->msix && now->msix && source->msix != now->msix) {
		reason_set(why, -EINVAL, address, "the VF that libvirt chose from its pool has an MSI-X table of %u entries, and the guest's has "
			   "%u at the source", now->msix, source->msix);
	} else if (attribute != ATTRIBUTES) {
		vf_function_say(attribute, vf_function_value(&now->port.function, attribute), has);
		vf_function_say(attribute, vf_function_value(&source->function, attribute), had);
		reason_set(why, -EINVAL, address, "the VF that libvirt chose from its pool has %s %s, and the guest's has %s at the source",
			   vf_function_name(attribute), has, had);
	} else {
		return 0;
	}
	reason_cure(why, "give the VFs of the pool what the guest's has at the source, or take this one out of the pool, and migrate again");
	return -EINVAL;
}

/*
 * check_bound() - an incoming guest needs a VF that was migratable before libvirt bound it
 */
static int check_bound(struct scene *scene, struct reason *why)
{
	for (size_t i = 0; i < scene->guest.vfs; i++) {
		const struct guest_vf *vf = &scene->guest.vf[i];
		char address[PCI_ADDRESS_LEN];
		int error;

		if (!vf->has_vf || vf->index >= vf->pf->num_vfs)
			continue;
		error = scene_ask_port(scene, vf->pf, vf->index, why);
		if (error)
			return error;
		pci_address_format(&vf->address, address);
		if (!vf->pf->vf[vf->index].port.migratable) {
			reason_set(why, -EINVAL, address, "the VF that libvirt chose from its pool is not migratable");
			reason_cure(why, "take this VF out of the pool, or free it and migrate again");
			return -EINVAL;
		}
		error = check_state(vf, &vf->pf->vf[vf->index], address, why);
		if (error)
			return error;
	}
	return 0;
}

/*
 * connect_chosen() - makes the VFs that libvirt chose the guest's own
 * @lease:	its lease
 */
static int connect_chosen(const struct event *event, struct scene *scene, const struct record *lease, struct reason *why)
{
	struct placement placement = scene_placement(scene);
	struct owner owner = ready_new_owner(scene, lease->state);
	int error = placement_fixed(&placement, &scene->guest, why);

	if (!error && lease->state == RECORD_ARRIVING)
		error = check_bound(scene, why);
	owner.came = true;
	memcpy(owner.lease, lease->lease, sizeof(owner.lease));
	if (!error)
		error = ready_claim(scene, &owner, false, event->deadline, NULL, why);
	if (error)
		return error == CLAIM_TAKEN ? -EBUSY : error;
	error = ready_make(scene, &owner, true, event->deadline, NULL, why);
	return error ? error : ready_drop_seats(lease, why);
}

/*
 * connect_late() - makes the VFs of a guest its own that were somebody else's at "prepare", and that libvirt has given to it all the same
 * (at_start = warn)
 *
 * libvirt has bound them, so nobody else can run with them; and whoever gives one of them back at this moment is waited for: QEMU does not
 * run yet.
 */
static int connect_late(const struct event *event, struct scene *scene, struct reason *why)
{
	struct placement placement = scene_placement(scene);
	struct owner owner = ready_new_owner(scene, RECORD_STARTING);
	int error;

	placement.holds = true;
	error = placement_fixed(&placement, &scene->guest, why);
	if (!error)
		error = ready_claim(scene, &owner, true, event->deadline, NULL, why);
	if (error)
		return error == CLAIM_TAKEN ? -EBUSY : error;
	return ready_make(scene, &owner, true, event->deadline, NULL, why);
}

/*
 * refuse_unmade() - an arrival of which something is not made, or was given back since, since libvirt took longer than lease_time
 * Return: 0 if all is made, -ETIME with *why
 */
static int refuse_unmade(const struct record *lease, struct reason *why)
{
	if (!lease->unmade && !lease->lapsed)
		return 0;
	reason_set(why, -ETIME, NULL, "what was made for this guest was given back before it came up, which took longer than lease_time");
	reason_cure(why, "migrate it again, or raise lease_time in vferry.conf here");
	return -ETIME;
}

/*
 * refuse_lost() - an arrival whose VF went to another guest since "prepare", which else forgets what is kept of that
 */
static int refuse_lost(const char *uuid, struct reason *why)
{
	static const struct record gone = { .unmade = true };
	struct guest_note note;

	return guest_note_read(uuid, &note, NULL) || !note.is_lost ? 0 : refuse_unmade(&gone, why);
}

/*
 * connect_vfs() - what "start" has to do for a guest whose lease does not have all of its devices
 * @lease:	NULL: it has none
 * @scene:	result: its VFs
 */
static int connect_vfs(const struct event *event, const struct record *lease, struct scene *scene, struct reason *why)
{
	int error = scene_read(scene, event->config, event->deadline, why);

	if (!error)
		error = scene_find_guest(scene, event->domain, false, why);
	if (error || !scene->guest.vfs)
		return error;
	return lease ? connect_chosen(event, scene, lease, why) : connect_late(event, scene, why);
}

/*
 * event_start() - devices are taken: VFs that a pool chose are known now
 * @event:	the call
 * @why:	filled on failure
 * Return: 0, negative errno: the guest is not started
 */
int event_start(struct event *event, struct reason *why)
{
	autoscene struct scene scene = { 0 };
	struct record_list leases = { 0 };
	const struct record *lease = NULL;
	int error = ready_leases(event->domain->uuid, &leases, why);
	bool arrives = false;

	for (size_t i = 0; i < leases.count; i++) {
		if (leases.record[i].came)
			lease = &leases.record[i];
	}
	if (lease) {
		arrives = lease->state == RECORD_ARRIVING;
	} else if (!error) {
		error = refuse_lost(event->domain->uuid, why);
		arrives = error != 0;
	}
	if (lease || arrives)
		event->way = arrives ? WAY_ARRIVES : WAY_STARTS;
	if (!error && lease && arrives)
		error = refuse_unmade(lease, why);
	if (!error && (!lease || lease->unmade || !knows_all_devices(event->domain, lease)))
		error = connect_vfs(event, lease, &scene, why);
	record_list_release(&leases);
	return arrives ? error : event_as_configured(event, &scene.guest, error, why);
}

/*
 * has_own_vf() - whether a guest that is running has a VF of a card that vferry knows
 */
static bool has_own_vf(const struct status *status)
{
	autoinventory struct inventory inventory = { 0 };
	unsigned int index;

	if (inventory_read_functions(&inventory, NULL))
		return status->devices; /* none of them is known to be another's */
	for (size_t i = 0; i < status->devices; i++) {
		const struct inventory_pf *pf = inventory_find_vf(&inventory, &status->device[i], &index);

		if (pf && pf->card.can_migrate)
			return true;
	}
	return false;
}

/*
 * judge_flags() - the post-copy gate: of every guest with VFs of ours that comes in, whatever is known of it here
 */
static int judge_flags(const struct status *status, bool has_lease, struct reason *why)
{
	struct reason reason = { 0 };
	int error = rules_judge_flags(status, &reason);

	if (!error || (!has_lease && !has_own_vf(status)))
		return 0;
	*why = reason;
	return error;
}

/*
 * judge_arrival() - whether a guest that comes in may begin to: the post-copy gate, and its VFs are made
 */
static int judge_arrival(const struct status *status, const struct record_list *leases, struct reason *why)
{
	int error = judge_flags(status, leases->count != 0, why);

	for (size_t i = 0; !error && i < leases->count; i++)
		error = leases->record[i].came ? refuse_unmade(&leases->record[i], why) : 0;
	return error;
}

/*
 * refuse_unseen() - an arrival of which libvirt has no status file
 * Return: -ENOENT
 */
static int refuse_unseen(struct reason *why)
{
	reason_set(why, -ENOENT, STATUS_DIRECTORY,
		   "libvirt has no status file of this guest, so nobody can tell whether post-copy was asked for");
	reason_cure(why, "report this with the version of libvirt");
	return -ENOENT;
}

/*
 * note_seen() - writes down that a guest comes, or runs. What goes wrong with that decides nothing.
 */
static void note_seen(const struct record_list *leases, bool comes)
{
	for (size_t i = 0; i < leases->count; i++) {
		const struct record *lease = &leases->record[i];
		struct reason why = { 0 };

		if (lease->came && (comes ? ready_came : ready_commit)(lease->uuid, lease->lease, &why))
			log_warning("it cannot be written down that the guest runs; the next call does it: %s", why.what);
	}
}

/*
 * event_started() - QEMU runs, and an incoming guest has not begun to arrive: the post-copy gate
 * @event:	the call
 * @why:	filled on failure
 * Return: 0, negative errno: libvirt ends the guest here; one that was to come stays where it is
 *
 * libvirt writes the status file, with the flags of the migration, right before it calls (src/qemu/qemu_process.c). A guest that comes in
 * is judged by it, whatever the leases say; one that does not has started here, and nothing of vferry ends it. If its VF was somebody
 * else's at "prepare" (at_start = warn), it is the guest's now that it runs with it.
 */
int event_started(struct event *event, struct reason *why)
{
	struct record_list leases = { 0 };
	struct status status = { 0 };
	struct reason trouble = { 0 };
	bool arrives = false, is_whole = false;
	int error;

	if (ready_leases(event->domain->uuid, &leases, &trouble))
		log_warning("%s", trouble.what);
	for (size_t i = 0; i < leases.count; i++) {
		arrives |= leases.record[i].state == RECORD_ARRIVING;
		is_whole = (is_whole || !i) && !leases.record[i].unmade;
	}
	error = status_read(event->domain->uuid, &status, why);
	if (error && arrives)
		error = error == -ENOENT ? refuse_unseen(why) : error;
	else if (!error && status.job == STATUS_MIGRATION_IN)
		error = judge_arrival(&status, &leases, why);
	else
		error = 0;
	if (!error)
		note_seen(&leases, status.job == STATUS_MIGRATION_IN);
	if (!error && *status.uuid && status.job == STATUS_NO_JOB && !is_whole && event->domain->hostdevs &&
	    hotplug_sync(event->config, event->domain, event->deadline, &trouble))
		log_warning("the guest runs, and its VF is not connected: %s", trouble.what);
	status_release(&status);
	record_list_release(&leases);
	return error;
}
