/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lease.c: what vferry attach and detach do to a running guest's lease: as the hook does at the start of a guest, for one VF.
 *
 * The VF joins the guest's lease, so that the hook gives it back when the guest is gone. Until libvirt has attached it, it says "starting":
 * nobody takes it for one that has left the guest.
 */
#include "command/attach/lease.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "engine/ready.h"

#define MAKE_TIME 120000 /* ms: a PF may have to be made ready too */

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

/* The lease that the VF joins: what is there of the guest's running VFs, or a new one. Return: 0, negative errno with *why filled. */
static int choose_lease(struct attachment *a, struct reason *why)
{
	struct record_list leases = { 0 };
	int error = ready_leases(a->uuid, &leases, why);

	if (!*a->owner.lease)
		a->owner = ready_new_owner(&a->view.scene, RECORD_STARTING);
	a->owner.touched = clock_ms();
	for (size_t i = 0; i < leases.count; i++) {
		if (leases.record[i].state == RECORD_RUNNING)
			memcpy(a->owner.lease, leases.record[i].lease, sizeof(a->owner.lease));
	}
	record_list_release(&leases);
	return error;
}

/* Writes the lease; see the header. */
int attach_lease(struct attachment *a, const char *xml, struct reason *why)
{
	const struct guest_vf *vf = &a->view.scene.guest.vf[0];
	int error = find_vf(a, xml, why);

	if (!error)
		error = choose_lease(a, why);
	if (!error)
		error = ready_claim(&a->view.scene, &a->owner, false, deadline_in(0), NULL, why);
	if (error)
		return error == CLAIM_TAKEN ? -EBUSY : error;
	a->has_vf = vf->has_vf;
	a->pf = vf->pf->address;
	a->vf = vf->has_vf ? vf->address : vf->pf->address;
	return 0;
}

/* Makes the VF ready, and its PF if need be; see the header. */
int attach_make(struct attachment *a, bool bound, struct reason *why)
{
	return ready_make(&a->view.scene, &a->owner, bound, deadline_in(MAKE_TIME), NULL, why);
}

/* Forgets what was kept of a pool before libvirt chose. Return: 0, negative errno with *why filled. */
static int drop_seat(const struct attachment *a, struct reason *why)
{
	struct record lease = { 0 };

	memcpy(lease.lease, a->owner.lease, sizeof(lease.lease));
	return *lease.lease ? ready_drop_seats(&lease, why) : 0;
}

/* The guest runs with the VF. Return: 0, negative errno with *why filled. */
int attach_commit(struct attachment *a, struct reason *why)
{
	int error = ready_commit(a->uuid, a->owner.lease, why);

	return error ? error : drop_seat(a, why);
}

/* Gives back what was made for the VF, and forgets its lease; see the header. */
int attach_forget_vf(struct attachment *a, struct reason *why)
{
	const struct ready_choice own = { .uuid = a->uuid, .vf = &a->vf };
	int error = drop_seat(a, why);

	return error || !a->has_vf ? error : ready_give_back(&a->call->config, &own, true, deadline_in(MAKE_TIME), why);
}

/* Whether a guest has a VF. */
static bool has_vf(const struct domain *domain, const struct pci_address *vf)
{
	for (size_t i = 0; i < domain->hostdevs; i++) {
		if (domain->hostdev[i].has_source && pci_address_equal(&domain->hostdev[i].source, vf))
			return true;
	}
	return false;
}

/* Gives back what an attach that was killed left; see the header. */
int attach_forget_stale(struct attachment *a, struct reason *why)
{
	const char *xml = attach_own_xml(a, false);
	autodomain struct domain domain = { 0 };
	autorecord struct record record = { 0 };
	int error = xml ? domain_parse(xml, strlen(xml), &domain, why) : -ENOENT;

	if (!error)
		error = state_upgrade(why);
	if (!error)
		error = record_read(a->uuid, &record, why);
	for (size_t i = 0; !error && i < record.vfs; i++) {
		const struct ready_choice choice = { .uuid = a->uuid, .vf = &record.vf[i].address };

		if (!has_vf(&domain, &record.vf[i].address))
			error = ready_give_back(&a->call->config, &choice, true, deadline_in(MAKE_TIME), why);
	}
	return error == -ENOENT ? 0 : error;
}

/* Gives back what this call made, after a failure that has been told. */
void attach_take_back(struct attachment *a)
{
	struct reason why = { 0 };
	char line[1280];

	if (!*a->owner.lease || !attach_forget_vf(a, &why))
		return;
	reason_format(&why, NULL, line, sizeof(line));
	command_say(a->call, "%s: not everything could be given back: %s; 'vferry release' tries again when the guest is gone", a->name, line);
}
