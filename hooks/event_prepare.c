/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * event_prepare.c: "prepare": a guest comes up here, by an ordinary start or by a migration that "migrate" has made ready for. libvirt
 * holds the guest's lock (virsh list waits with it), so it is short.
 *
 * Nothing that libvirt gives to a hook tells one from the other. It is an arrival if there is a lease of one, be it one whose time ran out,
 * and the guest's XML names the VFs of that lease, as "migrate" has written them into it. "started" sees the truth (event_start.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/scope.h"
#include "base/sysroot.h"
#include "domain/status.h"
#include "engine/ready.h"
#include "engine/scene.h"
#include "event.h"
#include "policy/placement.h"
#include "policy/rules.h"

#define AGAIN_MS 2000 /* that a second look needs */
#define PAUSE_MS 200  /* before it */

/*
 * judge() - the limits of live migration. A guest that exceeds one can still run here: by default that is a warning.
 * Return: 0, -EPERM if at_start=refuse refuses it
 */
static int judge(const struct event *event, const struct scene *scene, struct reason *why)
{
	struct rule_case c = { .config = event->config, .domain = event->domain, .inventory = &scene->inventory, .guest = &scene->guest };
	struct reason reason = { 0 };

	if (event->config->at_start == SEVERITY_ALLOW || !rules_judge_guest(&c, scene_warn, NULL, &reason))
		return 0;
	if (event->config->at_start == SEVERITY_REFUSE) {
		*why = reason;
		return -EPERM;
	}
	scene_warn(&reason, NULL);
	return 0;
}

/*
 * has_all_devices() - whether every VF that the guest names exists: if not, libvirt cannot start it anyhow, and says less
 */
static bool has_all_devices(const struct guest *guest)
{
	char address[PCI_ADDRESS_LEN];

	for (size_t i = 0; i < guest->vfs; i++) {
		const struct hostdev *device = guest->vf[i].device;

		if (device->has_source && !sysroot_exists("/sys/bus/pci/devices/%s", pci_address_format(&device->source, address)))
			return false;
	}
	return true;
}

/*
 * event_as_configured() - what a failure at an ordinary start means: refused, or started without being fit for migration
 * @guest:	its VFs, NULL if they are not known
 * Return: error, or 0 after a warning. What exceeds trust (-EACCES) is refused whatever at_start says: that is about fitness to migrate.
 */
int event_as_configured(const struct event *event, const struct guest *guest, int error, const struct reason *why)
{
	if (!error || error == -EACCES || event->config->at_start == SEVERITY_REFUSE || (guest && !has_all_devices(guest)))
		return error;
	if (event->config->at_start == SEVERITY_WARN)
		scene_warn(why, NULL);
	return 0;
}

/* ---- An ordinary start ----------------------------------------------------------------------------------------------------------- */

/*
 * look() - the host, after a look what became of whoever had these VFs before
 */
static int look(const struct event *event, struct scene *scene, struct reason *why)
{
	deadline_t half = deadline_within(event->deadline, deadline_left(event->deadline) / 2);
	int error = ready_reconcile(event->config, half, scene) ? 0 : scene_read(scene, event->config, event->deadline, why);

	return error ? error : scene_find_guest(scene, event->domain, false, why);
}

/*
 * make_own() - limits and lease of a guest that starts here, and its VFs made ready
 */
static int make_own(const struct event *event, struct scene *scene, struct reason *why)
{
	struct placement placement = scene_placement(scene);
	struct owner owner = ready_new_owner(scene, RECORD_STARTING);
	const struct ready_choice own = { .uuid = owner.uuid, .lease = owner.lease };
	autofree struct passport_vf *told = calloc(GUEST_MAX_VFS, sizeof(*told));
	struct reason trouble = { 0 };
	int error = told ? judge(event, scene, why) : reason_set(why, -ENOMEM, NULL, "out of memory");

	if (!error)
		error = placement_fixed(&placement, &scene->guest, why);
	if (!error)
		event_recall(event, scene, told);
	if (!error)
		error = ready_claim(scene, &owner, false, event->deadline, NULL, why);
	if (error)
		return error == CLAIM_TAKEN ? -EBUSY : error;
	error = ready_make(scene, &owner, false, event->deadline, NULL, why);
	if (error && ready_give_back(event->config, &own, false, event->end, &trouble))
		log_warning("not everything could be given back; the next call tries again: %s", trouble.what);
	return error;
}

/*
 * ordinary_start() - makes a guest's own VFs ready
 * @earlier:	it has leases here: it ended without a word (libvirtd was killed, or the host crashed)
 */
static int ordinary_start(const struct event *event, bool earlier, struct reason *why)
{
	const struct ready_choice all = { .uuid = event->domain->uuid };
	autoscene struct scene scene = { 0 };
	struct reason trouble = { 0 };
	int error;

	if (earlier && ready_give_back(event->config, &all, false, event->deadline, &trouble))
		log_warning("not everything could be given back; the next call tries again: %s", trouble.what);
	guest_note_forget(event->domain->uuid);
	error = look(event, &scene, why);
	if (error)
		return event_as_configured(event, NULL, error, why);
	if (!scene.guest.vfs)
		return 0;
	error = make_own(event, &scene, why);
	return event_as_configured(event, &scene.guest, error, why);
}

/* ---- An arrival ------------------------------------------------------------------------------------------------------------------ */

/*
 * is_troubled() - whether something of a PF could not be read
 */
static bool is_troubled(struct scene *scene, const struct pci_address *address)
{
	const struct inventory_pf *pf = inventory_find_pf(&scene->inventory, address);

	return pf && *pf->trouble;
}

/*
 * read_for() - the host as it is now, read once more if something of what a lease is of could not be
 */
static int read_for(const struct event *event, const struct record *lease, struct scene *scene, struct reason *why)
{
	int error = scene_read(scene, event->config, event->deadline, why);
	bool is_whole = !error && scene->inventory.has_ovs;

	for (size_t i = 0; is_whole && i < lease->vfs; i++)
		is_whole = !is_troubled(scene, &lease->vf[i].pf);
	if (error || is_whole || deadline_left(event->deadline) < AGAIN_MS)
		return error;
	nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
	scene_release(scene);
	return scene_read(scene, event->config, event->deadline, why);
}

/*
 * check_vf() - whether one VF of a lease is still as it was made: the guest's alone, migratable, its representor in the bridge
 */
static int check_vf(struct scene *scene, const struct record *record, const struct record_vf *lease, struct reason *why)
{
	const struct status *holder = status_find_device(&scene->running, &lease->address);
	char address[PCI_ADDRESS_LEN];
	const struct inventory_vf *vf;
	struct inventory_pf *pf;
	unsigned int index;
	int error;

	pci_address_format(&lease->address, address);
	if (pci_address_equal(&lease->address, &lease->pf))
		return 0; /* libvirt chooses from a pool; "start" will tell */
	if (holder && strcmp(holder->uuid, record->uuid))
		return reason_set(why, -EBUSY, address, "the VF that was kept for this guest is used by guest %s now", holder->name);
	pf = inventory_find_vf(&scene->inventory, &lease->address, &index);
	if ((!pf || index >= pf->num_vfs) && is_troubled(scene, &lease->pf))
		return reason_set(why, -EIO, address, "the VF that was kept for this guest cannot be read: %.200s",
				  inventory_find_pf(&scene->inventory, &lease->pf)->trouble);
	if (!pf || index >= pf->num_vfs)
		return reason_set(why, -ENODEV, address, "the VF that was kept for this guest is gone");
	error = scene_ask_port(scene, pf, index, why);
	if (error)
		return error;
	vf = &pf->vf[index];
	if (!vf->has_port || !vf->port.migratable)
		return reason_set(why, -ENODEV, address, "the VF that was kept for this guest is not migratable any more");
	if (!scene->inventory.has_ovs) {
		reason_set(why, -ENOTCONN, "Open vSwitch", "%s", scene->inventory.ovs_trouble);
		reason_cure(why, "%s", scene->inventory.ovs_cure);
		return -ENOTCONN;
	}
	if (strcmp(vf->bridge, lease->bridge))
		return reason_set(why, -ENODEV, address, "the representor of the VF that was kept for this guest is not in bridge %s any more",
				  lease->bridge);
	return 0;
}

/*
 * has_slots() - whether a guest whose time ran out may still be in flight here. It is placed.
 * Return: 0, -EBUSY with *why
 */
static int has_slots(struct scene *scene, struct reason *why)
{
	const struct placement placement = scene_placement(scene);
	const struct guest *guest = &scene->guest;

	for (size_t i = 0; i < guest->vfs; i++) {
		const struct inventory_pf *pf = guest->vf[i].pf;
		unsigned int own = 0;

		for (size_t k = 0; k < guest->vfs; k++)
			own += guest->vf[k].pf == pf && !guest->vf[k].device->is_transient;
		if (!pf || rules_slots_left(scene->config, placement_in_flight(&placement, pf)) >= own)
			continue;
		reason_set(why, -EBUSY, NULL, "the guest has come later than lease_time, and its slots for live migration are taken");
		reason_cure(why, "migrate it again, or raise lease_time in vferry.conf here");
		reason_rule(why, "L4-slots");
		return -EBUSY;
	}
	return 0;
}

/*
 * revive() - makes ready anew what was given back when an arrival's time ran out, by the rules of an arrival
 * @lease:	of its leases' identity, NULL: it has none any more, as its VF was another guest's in between
 */
static int revive(const struct event *event, struct scene *scene, const struct record *lease, struct reason *why)
{
	int error = scene_find_guest(scene, event->domain, true, why); /* first: its own lease is nobody else's */
	struct placement placement = scene_placement(scene);
	struct owner owner;

	log_notice("the guest has come later than lease_time: its VFs are made ready anew");
	if (!error)
		error = placement_fixed(&placement, &scene->guest, why);
	if (!error)
		error = has_slots(scene, why);
	owner = ready_new_owner(scene, RECORD_ARRIVING);
	owner.came = true;
	if (lease)
		memcpy(owner.lease, lease->lease, sizeof(owner.lease));
	if (!error)
		error = ready_claim(scene, &owner, false, event->deadline, NULL, why);
	if (error)
		return error == CLAIM_TAKEN ? -EBUSY : error;
	return ready_make(scene, &owner, false, event->deadline, NULL, why);
}

/*
 * find_lease() - the lease of an arrival as a scene has it
 */
static const struct record *find_lease(const struct scene *scene, const char *lease)
{
	for (size_t i = 0; i < scene->records.count; i++) {
		if (strcmp(scene->records.record[i].lease, lease) == 0)
			return &scene->records.record[i];
	}
	return NULL;
}

/*
 * check_lease() - whether what "migrate" made is still there; what was given back because the guest comes late is made anew
 *
 * First the lease says that its guest came: from then on nobody takes it for one that does not.
 */
static int check_lease(const struct event *event, const struct record *seen, struct reason *why)
{
	autoscene struct scene scene = { 0 };
	const struct record *lease;
	int error = ready_came(seen->uuid, seen->lease, why);

	if (!error)
		error = read_for(event, seen, &scene, why);
	lease = error ? NULL : find_lease(&scene, seen->lease);
	if (!error && (!lease || lease->vfs < seen->vfs))
		error = reason_set(why, -ENOENT, NULL, "what was kept for this guest was released, or given to another guest, before it came");
	else if (!error && (seen->lapsed || lease->unmade))
		error = revive(event, &scene, lease, why);
	else
		for (size_t i = 0; !error && i < lease->vfs; i++)
			error = check_vf(&scene, lease, &lease->vf[i], why);
	if (error && !*why->cure)
		reason_cure(why, "look for what changed this host in the meantime, and migrate again");
	return error;
}

/*
 * names_all() - whether a guest's XML names the VFs of a lease, and has as many interfaces of pools as that has VFs which libvirt chooses
 */
static bool names_all(const struct domain *domain, const struct record *lease)
{
	size_t pools = 0;

	for (size_t i = 0; i < domain->hostdevs; i++)
		pools += domain->hostdev[i].kind == HOSTDEV_POOL;
	for (size_t i = 0; i < lease->vfs; i++) {
		bool named = false;

		if (pci_address_equal(&lease->vf[i].address, &lease->vf[i].pf)) {
			if (!pools--)
				return false;
			continue;
		}
		for (size_t k = 0; k < domain->hostdevs; k++)
			named |= domain->hostdev[k].has_source && pci_address_equal(&domain->hostdev[k].source, &lease->vf[i].address);
		if (!named)
			return false;
	}
	return true;
}

/*
 * find_arrival() - the lease of the arrival that a guest's XML is of
 * Return: the lease, NULL if there is none
 */
static const struct record *find_arrival(const struct domain *domain, const struct record_list *leases)
{
	for (size_t i = 0; i < leases->count; i++) {
		if (leases->record[i].state == RECORD_ARRIVING && names_all(domain, &leases->record[i]))
			return &leases->record[i];
	}
	return NULL;
}

/*
 * is_anothers() - whether a VF that a guest had is another one's now, by lease or because it runs with it
 */
static bool is_anothers(const struct pci_address *vf, const char *uuid)
{
	autoobject struct object object = { .has_vf = true, .vf = *vf };
	struct status_list running = { 0 };
	const struct status *holder;
	bool is;

	if (object_read(&object, NULL) || status_read_all(&running, NULL))
		return true; /* in doubt */
	holder = status_find_device(&running, vf);
	is = (holder && strcmp(holder->uuid, uuid) != 0) || (object_is_owned(&object) && strcmp(object.owner.uuid, uuid) != 0);
	status_list_release(&running);
	return is;
}

/*
 * come_late() - an arrival whose VF went to another guest, and is free again: it gets it as an arrival does
 *
 * A guest that starts here long after a migration which was given up looks the same. It is one that runs as soon as "started" sees it;
 * where the rules of an arrival refuse it, it is told so once; but where at_start lets every start be one, it starts.
 * @earlier:	it has leases of an earlier try
 */
static int come_late(struct event *event, bool earlier, struct reason *why)
{
	autoscene struct scene scene = { 0 };
	int error = scene_read(&scene, event->config, event->deadline, why);

	if (!error)
		error = revive(event, &scene, NULL, why);
	if (!error)
		return 0;
	if (event->config->at_start != SEVERITY_REFUSE) {
		log_warning("if the guest comes from another host, it comes in spite of this: %s", why->what);
		event->way = WAY_STARTS;
		*why = (struct reason){ 0 };
		return ordinary_start(event, earlier, why);
	}
	reason_cure(why, "migrate it again; if no migration is on its way, and the guest is to start here, start it again");
	return error;
}

/*
 * find_late() - whether a guest may be an arrival that comes when its VF is another guest's, or was in between
 * @late:	result: it may be, and its VF is free
 * Return: 0, -ETIME with *why if the VF is another's
 */
static int find_late(const struct event *event, bool *late, struct reason *why)
{
	struct guest_note note;
	char address[PCI_ADDRESS_LEN];

	*late = false;
	if (guest_note_read(event->domain->uuid, &note, NULL) || !note.is_lost)
		return 0;
	for (size_t i = 0; i < event->domain->hostdevs; i++) {
		const struct hostdev *device = &event->domain->hostdev[i];

		if (!device->has_source || !pci_address_equal(&device->source, &note.lost))
			continue;
		guest_note_forget(event->domain->uuid); /* it is told now, or need not be */
		*late = !is_anothers(&note.lost, event->domain->uuid);
		if (*late)
			return 0;
		reason_set(why, -ETIME, pci_address_format(&note.lost, address),
			   "the guest has come later than lease_time, and the VF that was kept for it is guest %s's now", note.to);
		reason_cure(why, "migrate it again, or raise lease_time in vferry.conf here");
		return -ETIME;
	}
	return 0;
}

/*
 * event_prepare() - before libvirt takes the devices
 * @event:	the call
 * @why:	filled on failure
 * Return: 0, negative errno: the guest is not started
 */
int event_prepare(struct event *event, struct reason *why)
{
	struct record_list leases = { 0 };
	const struct record *arrival;
	bool late = false;
	int error = ready_leases(event->domain->uuid, &leases, why);

	if (error)
		return error;
	arrival = find_arrival(event->domain, &leases);
	if (!arrival)
		error = find_late(event, &late, why);
	event->way = arrival || late || error ? WAY_ARRIVES : WAY_STARTS;
	if (arrival)
		error = check_lease(event, arrival, why);
	else if (late)
		error = come_late(event, leases.count != 0, why);
	else if (!error)
		error = ordinary_start(event, leases.count != 0, why);
	record_list_release(&leases);
	return error;
}
