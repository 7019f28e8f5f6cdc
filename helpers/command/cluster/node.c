/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * node.c: vferry cluster --node: what the resource agent ocf:vferry:host publishes of this node, a NAME=VALUE a line.
 *
 * A node's utilization is what it has for the cluster: Pacemaker itself takes off what its guests there use. So VFs of the cluster's own
 * guests count as there are, and those of anybody else do not.
 */
#include "command/cluster/node.h"

#include <stdlib.h>
#include <string.h>

#include "command/check/results.h"
#include "command/terminal.h"
#include "policy/network.h"

/* VFs of a host that a guest has, or is promised, by name. */
static unsigned int count_of(const struct view *view, const char *guest)
{
	const struct scene *scene = &view->scene;
	unsigned int n = 0;

	for (size_t i = 0; i < scene->inventory.pfs; i++) {
		const struct inventory_pf *pf = &scene->inventory.pf[i];

		for (unsigned int k = 0; k < pf->num_vfs; k++) {
			const struct status *status = status_find_device(&scene->running, &pf->vf[k].address);
			const struct record *lease = record_find_vf(&scene->records, &pf->vf[k].address, NULL);
			const char *name = status ? status->name : lease ? lease->name : "";

			n += *name && (!guest || strcmp(name, guest) == 0);
		}
	}
	return n;
}

/* Whether a guest runs here. */
static bool runs(const struct view *view, const char *guest)
{
	for (size_t i = 0; i < view->scene.running.count; i++) {
		if (strcmp(view->scene.running.status[i].name, guest) == 0)
			return true;
	}
	return false;
}

/*
 * VFs that guests of the cluster have here, or that Pacemaker believes they have: a VF may be unplugged for a moment. Where the file of one of
 * them cannot be read, nobody can tell whose a VF is: then all that are in use count.
 */
static unsigned int count_own(const struct view *view, const struct cluster_view *seen)
{
	unsigned int n = 0, all = count_of(view, NULL);

	for (size_t i = 0; i < seen->cluster.guests; i++) {
		const char *name = seen->domain[i].name;
		unsigned int has = count_of(view, name);
		unsigned long said = runs(view, name) ? strtoul(seen->cluster.guest[i].vfs, NULL, 10) : 0;

		if (seen->domain[i].devices < 0 && !runs(view, name) && all > n)
			return all;
		n += said > has && said < INVENTORY_MAX_VFS ? (unsigned int)said : has;
	}
	return n;
}

/*
 * VFs that the cluster has here. Where none may arrive those that are in use are told alone: never fewer, since Pacemaker stops guests that
 * use more than their node has.
 */
static unsigned int count_vfs(struct view *view, const struct cluster_view *seen, bool takes_arrivals)
{
	struct placement placement = scene_placement(&view->scene);
	struct inventory *inventory = &view->scene.inventory;
	const struct config *config = view->scene.config;
	unsigned int n = count_own(view, seen);
	bool plug;

	placement.uuid = "";
	for (size_t i = 0; takes_arrivals && i < inventory->pfs; i++) {
		struct inventory_pf *pf = &inventory->pf[i];

		if (guest_can_use_pf(config, pf) && network_judge_pf(config, inventory, pf, &plug, NULL) == 0)
			n += placement_free(&placement, pf);
	}
	return n;
}

/* Prints one value. */
static void put(struct call *call, struct json_object *json, const char *name, const char *value)
{
	if (json)
		terminal_add(json, name, value);
	else
		fprintf(call->out, "%s=%s\n", name, value);
}

/* vferry cluster --node. Return: enum command_status. */
int cluster_show_node(struct call *call, struct view *view, const struct cluster_view *seen)
{
	struct json_object *json = call->json ? json_object_new_object() : NULL;
	bool is_ready = check_is_ready(&call->config, view);
	char card[256], vfs[16];

	snprintf(vfs, sizeof(vfs), "%u", count_vfs(view, seen, is_ready && !view->is_closed));
	put(call, json, CLUSTER_CARD, cluster_card(&call->config, &view->scene.inventory, card, sizeof(card)));
	put(call, json, CLUSTER_VFS, vfs);
	put(call, json, "#health-vferry", !is_ready ? "red" : view->is_closed ? "yellow" : "green");
	return json ? terminal_json(call, json) : COMMAND_OK;
}
