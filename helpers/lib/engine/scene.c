/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scene.c: everything that one decision looks at.
 */
#include "engine/scene.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/*
 * forget_pools() - gives back the networks of a guest that was looked at before
 */
static void forget_pools(struct scene *scene)
{
	for (size_t i = 0; i < scene->pools; i++)
		free(scene->pool[i]);
	free(scene->pool);
	scene->pool = NULL;
	scene->pools = 0;
}

/*
 * read_pools() - looks up the networks of the guest's network interfaces
 * Return: 0, -ENOMEM, -EINVAL for a network file that does not parse
 */
static int read_pools(struct scene *scene, struct reason *why)
{
	forget_pools(scene);
	scene->pool = calloc(scene->domain->hostdevs + 1, sizeof(void *));
	if (!scene->pool)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	scene->pools = scene->domain->hostdevs;
	for (size_t i = 0; i < scene->pools; i++) {
		const struct hostdev *device = &scene->domain->hostdev[i];
		int error;

		if (device->kind != HOSTDEV_POOL)
			continue;
		scene->pool[i] = calloc(1, sizeof(*scene->pool[i]));
		if (!scene->pool[i])
			return reason_set(why, -ENOMEM, NULL, "out of memory");
		error = network_read_pool(device->network, device->portgroup, scene->pool[i], why);
		if (error)
			return error;
		if (!scene->pool[i]->is_pool) {
			free(scene->pool[i]);
			scene->pool[i] = NULL;
		}
	}
	return 0;
}

/*
 * scene_find_guest() - finds the VFs of a guest
 * @scene:	read already
 * @domain:	guest, must live as long as the scene
 * @incoming:	it comes from another host
 * @why:	filled on failure
 * Return: 0 (scene->guest.vfs may be 0), negative errno of guest_find_vfs()
 */
int scene_find_guest(struct scene *scene, const struct domain *domain, bool incoming, struct reason *why)
{
	struct guest_search search = { .config = scene->config, .domain = domain, .inventory = &scene->inventory, .incoming = incoming };
	int error;

	scene->domain = domain;
	scene->incoming = incoming;
	error = read_pools(scene, why);
	search.pools = (const struct network_pool *const *)scene->pool;
	return error ? error : guest_find_vfs(&search, &scene->guest, why);
}

/*
 * read_holders() - adds who runs here and who is promised a VF
 * @error:	of what was read before
 * Return: 0, negative errno (the scene is released then)
 */
static int read_holders(struct scene *scene, int error, struct reason *why)
{
	scene->seen = calloc(1, sizeof(*scene->seen));
	if (!error && !scene->seen)
		error = reason_set(why, -ENOMEM, NULL, "out of memory");
	if (!error)
		error = status_read_new(scene->seen, &scene->running, why);
	if (!error)
		error = object_read_all(&scene->objects, why);
	if (!error)
		error = record_from_objects(&scene->objects, &scene->records, why);
	if (error)
		scene_release(scene);
	return error;
}

/*
 * scene_read() - reads the host as it is now
 * @scene:	result; scene_release() it
 * @config:	configuration, must live as long as the scene
 * @deadline:	when to give up
 * @why:	filled on failure
 * Return: 0, negative errno (the scene is released then)
 */
int scene_read(struct scene *scene, const struct config *config, deadline_t deadline, struct reason *why)
{
	int error;

	*scene = (struct scene){ .config = config, .deadline = deadline };
	error = read_holders(scene, inventory_read_few(&scene->inventory, config->ovsdb_socket, deadline, why), why);
	if (!error)
		(void)definitions_read(&scene->definitions); /* a preference: without it any free VF will do */
	return error;
}

/* See scene.h. */
int scene_ask_port(struct scene *scene, struct inventory_pf *pf, unsigned int index, struct reason *why)
{
	struct inventory_vf *vf = &pf->vf[index];
	char address[PCI_ADDRESS_LEN];
	int error = vf->port_unasked ? inventory_ask_ports(pf, &vf, 1, scene->deadline, why) : 0;

	pci_address_format(&vf->address, address);
	if (error || (!vf->port_unasked && (vf->has_port || !*pf->trouble)))
		return error;
	if (!vf->port_unasked) {
		reason_set(why, -EIO, address, "the port of the VF cannot be read: %.200s", pf->trouble);
		reason_cure(why, "%s", pf->cure);
		return -EIO;
	}
	reason_set(why, vf->port_error, address, "the port of the VF cannot be read: %s", strerror(-vf->port_error));
	reason_cure(why, "look for mlx5_core's own words (journalctl -k | grep mlx5_core), then try again");
	return vf->port_error;
}

/*
 * scene_read_holders() - reads who has which VF, and nothing that may be slow
 * @scene:	result; scene_release() it
 * @config:	configuration, must live as long as the scene
 * @why:	filled on failure
 * Return: 0, negative errno (the scene is released then)
 */
int scene_read_holders(struct scene *scene, const struct config *config, struct reason *why)
{
	*scene = (struct scene){ .config = config };
	return read_holders(scene, inventory_read_functions(&scene->inventory, why), why);
}

/*
 * scene_release() - gives back a scene
 */
void scene_release(struct scene *scene)
{
	inventory_release(&scene->inventory);
	status_list_release(&scene->running);
	if (scene->seen)
		status_cache_release(scene->seen);
	free(scene->seen);
	scene->seen = NULL;
	object_list_release(&scene->objects);
	record_list_release(&scene->records);
	definitions_release(&scene->definitions);
	forget_pools(scene);
}

/*
 * scene_warn() - a warning goes to the log
 * @why:	what the rule found
 * @arg:	unused
 */
void scene_warn(const struct reason *why, void *arg)
{
	char line[1024];

	(void)arg;
	reason_format(why, NULL, line, sizeof(line));
	log_warning("warning (%s): %s", why->rule, line);
}

/*
 * scene_placement() - the view of a scene that placement works on
 */
struct placement scene_placement(struct scene *scene)
{
	return (struct placement){
		.config = scene->config,
		.inventory = &scene->inventory,
		.running = &scene->running,
		.leases = &scene->records,
		.definitions = &scene->definitions,
		.uuid = scene->domain ? scene->domain->uuid : "",
		.warn = scene_warn,
		.incoming = scene->incoming,
	};
}

/*
 * scene_facts() - what ownership is judged by
 */
struct ownership_facts scene_facts(const struct scene *scene)
{
	return (struct ownership_facts){ &scene->running, clock_ms(), scene->config->lease_time };
}

/* See scene.h. */
const struct object *scene_find_object(const struct scene *scene, const struct pci_address *vf)
{
	for (size_t i = 0; i < scene->objects.count; i++) {
		if (scene->objects.object[i].has_vf && pci_address_equal(&scene->objects.object[i].vf, vf))
			return &scene->objects.object[i];
	}
	return NULL;
}
