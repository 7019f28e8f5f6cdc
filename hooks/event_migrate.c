/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * event_migrate.c: "migrate begin" at the destination: a guest is about to come.
 *
 * All slow work belongs here, since libvirt holds no lock on the guest (src/qemu/qemu_migration.c, qemuMigrationDstPrepareAny). In
 * order: its turn; what became of earlier guests; which VFs this one has; the limits; which VFs it gets here (the lease); make them
 * ready; the XML with only the source addresses changed.
 *
 * libvirt calls this for offline migrations too, and may fail afterwards without telling anybody: the lease then runs out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/scope.h"
#include "domain/status.h"
#include "engine/ready.h"
#include "engine/scene.h"
#include "event.h"
#include "policy/placement.h"
#include "policy/rules.h"
#include "state/maintenance.h"
#include "turn.h"

#define AGAIN_MS 2000  /* that another VF needs at least */
#define AVOID_MAX 8    /* VFs that are tried: more that cannot be used are no accident */

#define CLAIM_AGAIN 3 /* how a try for a lease can come out, too: another one was faster, choose again. No error is called like that. */

/*
 * refuse_running() - a guest that libvirt has here already cannot come, and what it has must not be taken from it. libvirt itself looks
 * only after this call.
 * @seen:	all guests, or NULL to look for this one
 */
static int refuse_running(const struct event *event, const struct status_list *seen, struct reason *why)
{
	struct status status = { 0 };
	int error;

	if (seen && !seen->unreadable && !status_find_uuid(seen, event->domain->uuid))
		return 0;
	error = status_read(event->domain->uuid, &status, why);
	if (error)
		return error == -ENOENT ? 0 : error;
	reason_set(why, -EEXIST, NULL, "a guest with the same uuid is here already (%s)", status.state);
	reason_cure(why, "migrate it to another host, or look why it is on both");
	status_release(&status);
	return -EEXIST;
}

/* One arrival: what is looked at, and what comes of it. */
struct arrival {
	struct event *event;
	struct turn turn;
	struct scene scene;
	struct owner owner;            /* its lease, once it has one */
	struct pci_address avoid[AVOID_MAX]; /* VFs that could not be made ready: another one is taken */
	size_t avoided;
	bool looked_back;              /* what became of others was looked at */
};

/*
 * release() - leaves the turn, and forgets everything: for the release by scope
 */
static void release(struct arrival **arrival)
{
	if (!*arrival)
		return;
	turn_leave(&(*arrival)->turn);
	scene_release(&(*arrival)->scene);
	free(*arrival);
}

/*
 * avoid_last() - another VF is to be chosen than the last that was tried; that is no new turn
 */
static void avoid_last(struct arrival *arrival)
{
	arrival->avoided++;
	arrival->turn.is_second = true;
}

/*
 * forget_earlier_try() - gives back what an earlier, failed migration of the same guest left, or an instance of it that is gone
 */
static int forget_earlier_try(const struct event *event, struct reason *why)
{
	const struct ready_choice earlier = { .uuid = event->domain->uuid };
	struct record_list leases = { 0 };
	int error = refuse_running(event, NULL, why);

	if (!error)
		error = ready_leases(event->domain->uuid, &leases, why);
	if (!error && leases.count) {
		log_notice("an earlier migration of this guest did not end: what it left is given back");
		(void)ready_give_back(event->config, &earlier, false, event->deadline, NULL);
	}
	record_list_release(&leases);
	return error;
}

/*
 * decide() - limits and placement; writes the lease. The caller holds the host-wide lock.
 * Return: 0, PLACEMENT_WAIT, CLAIM_AGAIN if another one was faster, negative errno
 */
static int decide(struct arrival *arrival, struct reason *why)
{
	const struct event *event = arrival->event;
	struct scene *scene = &arrival->scene;
	struct rule_case c = { .config = event->config, .domain = event->domain, .inventory = &scene->inventory, .guest = &scene->guest,
				.incoming = true };
	struct placement placement = scene_placement(scene);
	struct pci_address *which = &arrival->avoid[arrival->avoided];
	int error = rules_judge_guest(&c, scene_warn, NULL, why);

	placement.avoid = arrival->avoid;
	placement.avoided = arrival->avoided;
	if (!error)
		error = placement_choose(&placement, &scene->guest, why);
	if (error)
		return error;
	arrival->owner = ready_new_owner(scene, RECORD_ARRIVING);
	error = ready_claim(scene, &arrival->owner, false, deadline_in(0), which, why);
	if (error == CLAIM_TAKEN && arrival->avoided + 1 < AVOID_MAX) {
		avoid_last(arrival);
		return CLAIM_AGAIN;
	}
	return error == CLAIM_TAKEN ? -EBUSY : error;
}

/*
 * try_lease() - everything that must not happen twice at the same time. The caller holds the host-wide lock.
 * @arg:	the arrival
 * Return: 0 (scene.guest.vfs is 0 if the guest has no VF of ours); PLACEMENT_WAIT, TURN_LOOK_BACK or negative errno
 */
static int try_lease(void *arg, struct reason *why)
{
	struct arrival *arrival = arg;
	const struct event *event = arrival->event;
	struct scene *scene = &arrival->scene;
	int error;

	scene_release(scene);
	error = scene_read(scene, event->config, event->deadline, why);
	if (!error && !arrival->looked_back && (ready_needs_reconcile(scene) || record_find_uuid(&scene->records, event->domain->uuid)))
		return TURN_LOOK_BACK;
	if (!error)
		error = refuse_running(event, &scene->running, why);
	if (!error)
		error = scene_find_guest(scene, event->domain, true, why);
	if (error || !scene->guest.vfs)
		return error;
	if (maintenance_refuse(why))
		return -EPERM;
	while ((error = decide(arrival, why)) == CLAIM_AGAIN)
		;
	return error;
}

/*
 * look_back() - what became of others, and of this guest's earlier tries, with no lock held
 * @arg:	the arrival
 * Return: 0, negative errno
 */
static int look_back(void *arg, struct reason *why)
{
	struct arrival *arrival = arg;
	const struct event *event = arrival->event;
	int error = forget_earlier_try(event, why);

	arrival->looked_back = true;
	/* Where the card hangs, looking back must leave time to find that out for this guest. */
	if (!error)
		(void)ready_reconcile(event->config, deadline_within(event->deadline, deadline_left(event->deadline) / 2), NULL);
	return error;
}

/*
 * forget_scene() - what was read is old after a wait, and so is what became of others
 * @arg:	the arrival
 */
static void forget_scene(void *arg)
{
	struct arrival *arrival = arg;

	scene_release(&arrival->scene);
	arrival->looked_back = false;
}

/*
 * rewrite() - the source addresses of the VFs that were chosen
 * Return: 0, negative errno; event->output stays NULL if no address changed
 */
static int rewrite(struct event *event, const struct guest *guest, struct reason *why)
{
	bool changed = false;

	for (size_t i = 0; i < guest->vfs; i++) {
		const struct guest_vf *vf = &guest->vf[i];
		char from[PCI_ADDRESS_LEN], to[PCI_ADDRESS_LEN];

		if (!vf->has_vf)
			continue;
		pci_address_format(&vf->device->source, from);
		log_info("VF %s of the source becomes %s here", from, pci_address_format(&vf->address, to));
		if (pci_address_equal(&vf->device->source, &vf->address))
			continue;
		if (domain_set_source(event->domain, vf->hostdev, &vf->address))
			return reason_set(why, -EINVAL, from, "the source address of this device cannot be changed");
		changed = true;
	}
	if (!changed)
		return 0;
	event->output_len = domain_print(event->domain, &event->output);
	return event->output_len < 0 ? reason_set(why, (int)event->output_len, NULL, "out of memory") : 0;
}

/*
 * give_back() - gives everything back after a failure; the reason of the failure is kept
 */
static void give_back(const struct event *event, const struct arrival *arrival)
{
	const struct ready_choice own = { .uuid = arrival->owner.uuid, .lease = arrival->owner.lease };
	struct reason why = { 0 };
	char line[1024];

	if (!ready_give_back(event->config, &own, false, event->end, &why))
		return;
	reason_format(&why, NULL, line, sizeof(line));
	log_warning("not everything could be given back; the next call tries again: %s", line);
}

/*
 * make_ready() - makes the host ready for what was chosen
 * Return: 0, CLAIM_AGAIN if a VF cannot be had and another one may be, negative errno; without a lease if it is not 0
 */
static int make_ready(const struct event *event, struct arrival *arrival, struct reason *why)
{
	static const struct pci_address nobody;
	struct pci_address *which = &arrival->avoid[arrival->avoided];
	char line[1024];
	int error;

	*which = nobody;
	error = ready_make(&arrival->scene, &arrival->owner, false, event->deadline, which, why);
	if (!error)
		return 0;
	give_back(event, arrival);
	if (pci_address_equal(which, &nobody) || arrival->avoided + 1 == AVOID_MAX || deadline_left(event->deadline) < AGAIN_MS)
		return error;
	reason_format(why, NULL, line, sizeof(line));
	log_warning("a VF cannot be used, another one is looked for: %s", line);
	avoid_last(arrival);
	return CLAIM_AGAIN;
}

/*
 * arrive() - a lease, and the host made ready for it; what failed with one VF is tried with another
 */
static int arrive(struct event *event, struct arrival *arrival, struct reason *why)
{
	struct reason first = { 0 };
	int error;

	do {
		error = turn_take(&arrival->turn, why);
		event->vfs = (unsigned int)arrival->scene.guest.vfs;
		if (error && *first.what) /* what was wrong with the VF says more than that no other is free */
			*why = first;
		if (error || !arrival->scene.guest.vfs)
			return *first.what && error ? first.error : error;
		error = make_ready(event, arrival, why);
		if (error == CLAIM_AGAIN && !*first.what)
			first = *why;
	} while (error == CLAIM_AGAIN);
	return error;
}

/*
 * event_migrate() - makes the destination ready for a guest
 * @event:	the call; output is set to the domain XML if an address changed
 * @why:	filled on failure
 * Return: 0; negative errno: the migration is refused, and nothing is changed here
 */
int event_migrate(struct event *event, struct reason *why)
{
	struct arrival *arrival __attribute__((cleanup(release))) = calloc(1, sizeof(*arrival));
	const struct turn_work work = { .try = try_lease, .look_back = look_back, .forget = forget_scene, .arg = arrival };
	int error;

	if (!arrival)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	arrival->event = event;
	turn_begin(&arrival->turn, event, &work);
	error = arrive(event, arrival, why);
	if (!error && arrival->scene.guest.vfs) {
		error = rewrite(event, &arrival->scene.guest, why);
		if (error)
			give_back(event, arrival);
	}
	return error;
}
