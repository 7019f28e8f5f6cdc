/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * event_start.c: "prepare", "start" and "started": a guest comes up here, by an ordinary start or by a migration that "migrate" has
 * made ready for. libvirt holds the guest's lock in all three (virsh list waits with it), so they are short.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/scope.h"
#include "base/sysroot.h"
#include "domain/status.h"
#include "engine/ready.h"
#include "engine/scene.h"
#include "event.h"
#include "card/sriov.h"
#include "policy/placement.h"
#include "policy/rules.h"

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
 * as_configured() - what a failure at an ordinary start means: refused, or started without being fit for migration
 * Return: error, or 0 after a warning. What exceeds trust (-EACCES) is refused whatever at_start says: that is about fitness to migrate.
 */
static int as_configured(const struct event *event, const struct guest *guest, int error, const struct reason *why)
{
	if (!error || error == -EACCES || event->config->at_start == SEVERITY_REFUSE || !has_all_devices(guest))
		return error;
	if (event->config->at_start == SEVERITY_WARN)
		scene_warn(why, NULL);
	return 0;
}

/*
 * give_back() - takes back what was made ready before a start failed
 */
static void give_back(const struct event *event, struct record *record)
{
	struct reason why = { 0 };
	autoclose int lock = record_lock(NULL, event->end, &why);
	char line[1024];

	if (lock >= 0 && !ready_give_back(record, event->config, event->end, &why))
		return;
	reason_format(&why, NULL, line, sizeof(line));
	log_warning("not everything could be taken back; the next call tries again: %s", line);
}

/*
 * lease_own_vfs() - limits and lease of a guest that starts here. The caller holds the host-wide lock.
 */
static int lease_own_vfs(const struct event *event, struct scene *scene, struct record *record, struct reason *why)
{
	struct placement placement = scene_placement(scene);
	int error = judge(event, scene, why);

	if (!error)
		error = placement_fixed(&placement, &scene->guest, why);
	if (error)
		return error;
	ready_fill_record(scene, RECORD_STARTING, record);
	return record_write(record, why);
}

/*
 * ordinary_start() - makes a guest's own VFs ready
 */
static int ordinary_start(const struct event *event, struct record *record, struct reason *why)
{
	autoscene struct scene scene = { 0 };
	autoclose int lock = record_lock(NULL, event->deadline, why);
	int error;

	if (lock < 0)
		return lock;
	error = scene_read(&scene, event->config, event->deadline, why);
	if (!error)
		error = scene_find_guest(&scene, event->domain, false, why);
	if (error || !scene.guest.vfs)
		return error;
	memset(record, 0, sizeof(*record));
	error = lease_own_vfs(event, &scene, record, why);
	close(scope_take_fd(&lock));
	if (!error) {
		error = ready_make(&scene, record, false, event->deadline, why);
		if (error)
			give_back(event, record);
	}
	return as_configured(event, &scene.guest, error, why);
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

	pci_address_format(&lease->address, address);
	if (pci_address_equal(&lease->address, &lease->pf))
		return 0; /* libvirt chooses from a pool; "start" will tell */
	if (holder && strcmp(holder->uuid, record->uuid))
		return reason_set(why, -EBUSY, address, "the VF that was kept for this guest is used by guest %s now", holder->name);
	pf = inventory_find_vf(&scene->inventory, &lease->address, &index);
	if (!pf || index >= pf->num_vfs)
		return reason_set(why, -ENODEV, address, "the VF that was kept for this guest is gone");
	vf = &pf->vf[index];
	if (!vf->has_port || !vf->port.migratable)
		return reason_set(why, -ENODEV, address, "the VF that was kept for this guest is not migratable any more");
	if (strcmp(vf->bridge, lease->bridge))
		return reason_set(why, -ENODEV, address, "the representor of the VF that was kept for this guest is not in bridge %s any more",
				  lease->bridge);
	return 0;
}

/*
 * check_lease() - whether what "migrate" made is still there
 */
static int check_lease(const struct event *event, struct record *record, struct reason *why)
{
	autoscene struct scene scene = { 0 };
	int error = scene_read(&scene, event->config, event->deadline, why);

	for (size_t i = 0; !error && i < record->vfs; i++)
		error = check_vf(&scene, record, &record->vf[i], why);
	if (error) {
		reason_cure(why, "look for what changed this host in the meantime, and migrate again");
		return error;
	}
	record->touched = clock_ms();
	return record_write(record, why);
}

/*
 * event_prepare() - before libvirt takes the devices
 * @event:	the call
 * @why:	filled on failure
 * Return: 0, negative errno: the guest is not started
 */
int event_prepare(struct event *event, struct reason *why)
{
	autofree struct record *record = calloc(1, sizeof(*record));
	int error;

	if (!record)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	error = record_read(event->domain->uuid, record, why);
	if (error == 0 && record->state == RECORD_ARRIVING)
		return check_lease(event, record, why);
	if (error == 0)
		give_back(event, record); /* it ended without a word: libvirtd was killed, or the host crashed */
	return error && error != -ENOENT ? error : ordinary_start(event, record, why);
}

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
 * check_bound() - an incoming guest needs a VF that was migratable before libvirt bound it
 */
static int check_bound(const struct scene *scene, struct reason *why)
{
	for (size_t i = 0; i < scene->guest.vfs; i++) {
		const struct guest_vf *vf = &scene->guest.vf[i];
		char address[PCI_ADDRESS_LEN];

		if (!vf->has_vf || vf->index >= vf->pf->num_vfs || vf->pf->vf[vf->index].port.migratable)
			continue;
		reason_set(why, -EINVAL, pci_address_format(&vf->address, address), "the VF that libvirt chose from its pool is not migratable");
		reason_cure(why, "take this VF out of the pool, or free it and migrate again");
		return -EINVAL;
	}
	return 0;
}

/*
 * event_start() - devices are taken: VFs that a pool chose are known now
 * @event:	the call
 * @why:	filled on failure
 * Return: 0, negative errno: the guest is not started
 */
int event_start(struct event *event, struct reason *why)
{
	autofree struct record *record = calloc(1, sizeof(*record));
	autoscene struct scene scene = { 0 };
	struct placement placement;
	int error;

	if (!record)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	error = record_read(event->domain->uuid, record, why);
	if (error)
		return error == -ENOENT ? 0 : error;
	if (knows_all_devices(event->domain, record))
		return 0;
	error = scene_read(&scene, event->config, event->deadline, why);
	if (!error)
		error = scene_find_guest(&scene, event->domain, false, why);
	if (error || !scene.guest.vfs)
		return error;
	placement = scene_placement(&scene);
	error = placement_fixed(&placement, &scene.guest, why);
	if (!error && record->state == RECORD_ARRIVING)
		error = check_bound(&scene, why);
	if (!error) {
		ready_fill_record(&scene, record->state, record);
		error = record_write(record, why);
	}
	if (!error)
		error = ready_make(&scene, record, true, event->deadline, why);
	return record->state == RECORD_ARRIVING ? error : as_configured(event, &scene.guest, error, why);
}

/*
 * event_started() - QEMU runs, and an incoming guest has not begun to arrive: the post-copy gate
 * @event:	the call
 * @why:	filled on failure
 * Return: 0, negative errno: libvirt ends the guest here; one that was to come stays where it is
 *
 * libvirt writes the status file, with the flags of the migration, right before it calls (src/qemu/qemu_process.c).
 */
int event_started(struct event *event, struct reason *why)
{
	autofree struct record *record = calloc(1, sizeof(*record));
	struct status status = { 0 };
	int error;

	if (!record)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	error = record_read(event->domain->uuid, record, why);
	if (error)
		return error == -ENOENT ? 0 : error;
	if (record->state != RECORD_ARRIVING)
		return ready_commit(record, why);
	error = status_read(event->domain->uuid, &status, why);
	if (error == -ENOENT) {
		reason_set(why, error, STATUS_DIRECTORY, "libvirt has no status file of this guest, so nobody can tell whether post-copy was asked for");
		reason_cure(why, "report this with the version of libvirt");
	}
	if (error)
		return error;
	error = rules_judge_flags(&status, why);
	status_release(&status);
	if (error)
		return error;
	record->touched = clock_ms();
	return record_write(record, why);
}
