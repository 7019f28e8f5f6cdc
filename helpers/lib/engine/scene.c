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
 * read_pools() - looks up the networks of the guest's network interfaces
 * Return: 0, -ENOMEM, -EINVAL for a network file that does not parse
 */
static int read_pools(struct scene *scene, struct reason *why)
{
	for (size_t i = 0; i < scene->domain->hostdevs; i++) {
		const struct hostdev *device = &scene->domain->hostdev[i];
		int error;

		if (device->kind != HOSTDEV_POOL)
			continue;
		scene->pool[i] = calloc(1, sizeof(*scene->pool[i]));
		if (!scene->pool[i])
			return reason_set(why, -ENOMEM, NULL, "out of memory");
		error = network_read_pool(device->network, scene->pool[i], why);
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
 * read_guest() - what depends on the guest
 */
static int read_guest(struct scene *scene, struct reason *why)
{
	int error = read_pools(scene, why);

	if (error)
		return error;
	return guest_find_vfs(scene->config, scene->domain, (const struct network_pool *const *)scene->pool, &scene->inventory, &scene->guest,
			      why);
}

/*
 * scene_read() - reads the host as it is now
 * @scene:	result; scene_release() it
 * @config:	configuration, must live as long as the scene
 * @domain:	guest, or NULL
 * @deadline:	when to give up
 * @why:	filled on failure
 * Return: 0, negative errno (the scene is released then)
 */
int scene_read(struct scene *scene, const struct config *config, const struct domain *domain, deadline_t deadline, struct reason *why)
{
	int error;

	*scene = (struct scene){ .config = config, .domain = domain };
	error = inventory_read(&scene->inventory, config->ovsdb_socket, deadline, why);
	if (!error)
		error = status_read_all(&scene->running, why);
	if (!error)
		error = record_read_all(&scene->records, why);
	if (!error && domain)
		error = read_guest(scene, why);
	if (error)
		scene_release(scene);
	return error;
}

/*
 * scene_release() - gives back a scene
 */
void scene_release(struct scene *scene)
{
	inventory_release(&scene->inventory);
	status_list_release(&scene->running);
	record_list_release(&scene->records);
	for (size_t i = 0; i < DOMAIN_MAX_HOSTDEVS; i++) {
		free(scene->pool[i]);
		scene->pool[i] = NULL;
	}
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
		.uuid = scene->domain ? scene->domain->uuid : "",
		.warn = scene_warn,
	};
}
