/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hotplug.c: VFs that came or left while their guest ran. See hotplug.h.
 */
#include "engine/hotplug.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/scope.h"
#include "engine/ready.h"
#include "engine/scene.h"

/*
 * has_vf() - whether a guest has a VF
 */
static bool has_vf(const struct domain *domain, const struct pci_address *vf)
{
	for (size_t i = 0; i < domain->hostdevs; i++) {
		if (domain->hostdev[i].has_source && pci_address_equal(&domain->hostdev[i].source, vf))
			return true;
	}
	return false;
}

/*
 * knows_vf() - whether a VF is the guest's own here, with all that it needs
 */
static bool knows_vf(const struct scene *scene, const struct pci_address *vf)
{
	const struct object *object = scene_find_object(scene, vf);

	return object && strcmp(object->owner.uuid, scene->domain->uuid) == 0 && !object->owner.unmade;
}

/*
 * warn_bound() - a VF that was bound before it was made migratable works, and will not migrate
 */
static void warn_bound(struct scene *scene, const struct guest_vf *vf)
{
	const struct inventory_vf *now = vf->index < vf->pf->num_vfs ? &vf->pf->vf[vf->index] : NULL;
	char address[PCI_ADDRESS_LEN];

	if (!now || scene_ask_port(scene, vf->pf, vf->index, NULL) || (now->has_port && now->port.migratable))
		return;
	log_warning("%s: the VF was attached without being migratable, and the guest cannot be migrated with it; detach it and use "
		    "'vferry attach', which makes it ready before libvirt takes it", pci_address_format(&vf->address, address));
}

/*
 * keep_new() - leaves in the scene's guest only VFs that are not its own here yet
 * @vf:		NULL, or the only one that counts
 * Return: how many there are
 */
static size_t keep_new(struct scene *scene, const struct pci_address *vf)
{
	struct guest *guest = &scene->guest;
	size_t kept = 0;

	for (size_t i = 0; i < guest->vfs; i++) {
		const struct hostdev *device = guest->vf[i].device;

		if (!device->has_source || knows_vf(scene, &device->source) || (vf && !pci_address_equal(vf, &device->source)))
			continue;
		guest->vf[kept++] = guest->vf[i];
	}
	guest->vfs = kept;
	return kept;
}

/*
 * own_lease() - the lease that a new VF joins: that of the guest's other VFs, or a new one
 */
static struct owner own_lease(const struct scene *scene)
{
	struct owner owner = ready_new_owner(scene, RECORD_RUNNING);
	const struct record *record = record_find_uuid(&scene->records, scene->domain->uuid);

	if (record && record->state == RECORD_RUNNING)
		memcpy(owner.lease, record->lease, sizeof(owner.lease));
	return owner;
}

/*
 * take_in() - makes VFs that the guest has its own
 * @vf:		NULL: all that are not
 * Return: 0, -ENOENT if there is none, negative errno
 */
static int take_in(struct scene *scene, const struct pci_address *vf, deadline_t deadline, struct reason *why)
{
	struct placement placement;
	struct owner owner;
	int error = keep_new(scene, vf) ? 0 : -ENOENT;

	if (error)
		return error;
	placement = scene_placement(scene);
	placement.holds = true;
	error = placement_fixed(&placement, &scene->guest, why);
	for (size_t i = 0; !error && i < scene->guest.vfs; i++)
		warn_bound(scene, &scene->guest.vf[i]);
	owner = own_lease(scene);
	if (!error)
		error = ready_claim(scene, &owner, true, deadline, NULL, why);
	if (error == CLAIM_TAKEN)
		return -EBUSY;
	return error ? error : ready_make(scene, &owner, true, deadline, NULL, why);
}

/*
 * give_back_gone() - takes VFs back that the guest has no more
 */
static int give_back_gone(const struct scene *scene, deadline_t deadline, struct reason *why)
{
	int first = 0;

	for (size_t i = 0; i < scene->objects.count; i++) {
		const struct object *object = &scene->objects.object[i];
		const struct ready_choice choice = { .uuid = object->owner.uuid, .lease = object->owner.lease, .vf = &object->vf };
		char address[PCI_ADDRESS_LEN];
		int error;

		if (!object->has_vf || strcmp(object->owner.uuid, scene->domain->uuid) != 0 || object->owner.state != RECORD_RUNNING ||
		    has_vf(scene->domain, &object->vf))
			continue;
		log_notice("VF %s has left the guest: what was made for it is given back", pci_address_format(&object->vf, address));
		error = ready_give_back(scene->config, &choice, true, deadline, first ? NULL : why);
		if (!first)
			first = error;
	}
	return first;
}

/*
 * read_scene() - the host, and the guest's VFs
 */
static int read_scene(struct scene *scene, const struct config *config, const struct domain *domain, deadline_t deadline,
		      struct reason *why)
{
	int error = state_upgrade(why);

	if (!error)
		error = scene_read(scene, config, deadline, why);
	return error ? error : scene_find_guest(scene, domain, false, why);
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
	autoscene struct scene scene = { 0 };
	int error = read_scene(&scene, config, domain, deadline, why), taken;

	if (error)
		return error;
	error = give_back_gone(&scene, deadline, why);
	taken = take_in(&scene, NULL, deadline, error ? NULL : why);
	return error || taken == -ENOENT ? error : taken;
}

/* See hotplug.h. */
int hotplug_adopt(const struct config *config, const struct domain *domain, const struct pci_address *vf, deadline_t deadline,
		  struct reason *why)
{
	autoscene struct scene scene = { 0 };
	int error = read_scene(&scene, config, domain, deadline, why);

	return error ? error : take_in(&scene, vf, deadline, why);
}
