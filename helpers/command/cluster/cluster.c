/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cluster.c: vferry cluster: the rules that guests with VFs need under Pacemaker, as they are typed, and what this node publishes.
 *
 * Changes nothing: the administrator of the cluster types the lines, once, on any of its nodes.
 */
#include <errno.h>
#include <string.h>

#include "base/scope.h"
#include "command/cluster/lines.h"
#include "command/cluster/node.h"
#include "command/terminal.h"

/* One call. */
struct cluster_case {
	struct view view;
	struct cluster_view seen;
	char card[256];
	unsigned int most;             /* VFs that one guest has */
	struct json_object *guests, *pcs, *crm;
};

/* VFs of cards that can move them, among the devices of a guest that runs. */
static unsigned int count_vfs(struct cluster_case *c, const struct status *status)
{
	unsigned int n = 0, index;

	for (size_t i = 0; i < status->devices; i++)
		n += inventory_find_vf(&c->view.scene.inventory, &status->device[i], &index) != NULL;
	return n;
}

/* Adds what one guest needs. */
static void add_guest(struct call *call, struct cluster_case *c, const char *name, unsigned int vfs)
{
	size_t number = c->seen.is_there ? cluster_view_find(&c->seen, name) : c->seen.cluster.guests;
	bool is_known = number < c->seen.cluster.guests;
	struct cluster_rules rules = { .guest = name, .known = is_known ? &c->seen.cluster.guest[number] : NULL, .vfs = vfs,
				       .timeout = cluster_timeout(&call->config), .card = c->card,
				       .by_use = cluster_places_by_use(&c->seen.cluster) && c->seen.cluster.nodes_have_vfs };
	struct json_object *guest = json_object_new_object();
	char address[PCI_ADDRESS_LEN] = "";

	if (vfs > c->most)
		c->most = vfs;
	if (is_known && c->seen.domain[number].has_address)
		pci_address_format(&c->seen.domain[number].address, address);
	terminal_add(guest, "guest", name);
	terminal_add(guest, "resource", is_known ? rules.known->resource : "");
	terminal_add(guest, "config", is_known ? rules.known->config : "");
	terminal_add(guest, "address", address);
	json_object_object_add(guest, "vfs", json_object_new_int64(vfs));
	json_object_array_add(c->guests, guest);
	cluster_add_rules(&rules, c->pcs, c->crm);
}

/* Adds the guest that was named. Return: 0, negative errno with *why. */
static int add_named(struct call *call, struct cluster_case *c, struct reason *why)
{
	int error = view_read_guest(call, &c->view, false, why);

	if (error)
		return error;
	if (!c->view.scene.guest.vfs) {
		reason_set(why, -ENODEV, NULL, "it has no VF of a card that can move them here, and needs no rule");
		reason_cure(why, "run this on the host that it runs on");
		return -ENODEV;
	}
	add_guest(call, c, c->view.domain.name, (unsigned int)c->view.scene.guest.vfs);
	return 0;
}

/* Adds all guests of the cluster that run here; without a cluster, all that have a VF. Return: 0, -ENOENT with *why. */
static int add_all(struct call *call, struct cluster_case *c, struct reason *why)
{
	const struct status_list *running = &c->view.scene.running;

	for (size_t i = 0; i < running->count; i++) {
		unsigned int vfs = count_vfs(c, &running->status[i]);

		if (vfs && (!c->seen.is_there || cluster_view_find(&c->seen, running->status[i].name) < c->seen.cluster.guests))
			add_guest(call, c, running->status[i].name, vfs);
	}
	if (json_object_array_length(c->guests))
		return 0;
	reason_set(why, -ENOENT, NULL, "no guest with a VF that runs here is one of the cluster's");
	reason_cure(why, "run this on a host where they run, or name one: vferry cluster GUEST");
	return -ENOENT;
}

/* Says in comments what no line can do. */
static void show_notes(struct call *call, struct cluster_case *c)
{
	for (size_t i = 0; i < json_object_array_length(c->guests); i++) {
		struct json_object *guest = json_object_array_get_idx(c->guests, i);
		const char *name = json_object_get_string(json_object_object_get(guest, "guest"));
		const char *address = json_object_get_string(json_object_object_get(guest, "address"));
		char clean[DOMAIN_NAME_MAX];

		reason_clean(clean, sizeof(clean), name);
		if (!*json_object_get_string(json_object_object_get(guest, "resource")))
			fprintf(call->out, "# %s: the cluster has no resource for it that was seen here; the lines take its name for the resource's\n",
				clean);
		if (*address)
			fprintf(call->out, "# %s: %s names VF %s, which is another VF on another node. Name a pool there, the same on all nodes:\n"
				"#   <interface type='network'><source network='POOL'/>...</interface>\n", clean,
				json_object_get_string(json_object_object_get(guest, "config")), address);
	}
}

/* Says what the lines leave out on purpose, or for now. */
static void show_placement(struct call *call, const struct cluster *cluster)
{
	if (!cluster_places_by_use(cluster))
		fprintf(call->out, "# Leave placement-strategy as it is: under 'utilization' Pacemaker stops a guest that fits on no node. Now a node\n"
			"# without a free VF refuses, and the guest runs on.\n");
	else if (!cluster->nodes_have_vfs)
		fprintf(call->out, "# The cluster places by utilization, and not every node has published its VFs: guests would be stopped if theirs were\n"
			"# told now. Run this again when ocf:vferry:host runs on every node.\n");
}

/* Prints the lines of one tool. */
static void show_lines(struct call *call, const char *tool, struct json_object *lines)
{
	fprintf(call->out, "# %s\n", tool);
	for (size_t i = 0; i < json_object_array_length(lines); i++)
		fprintf(call->out, "%s\n", json_object_get_string(json_object_array_get_idx(lines, i)));
}

/* Prints all that was added. Return: enum command_status. */
static int show(struct call *call, struct cluster_case *c)
{
	bool both = call->pcs == call->crm;
	struct json_object *json;

	if (!call->json) {
		show_notes(call, c);
		if (call->all)
			show_placement(call, &c->seen.cluster);
		if (both || call->pcs)
			show_lines(call, "pcs", c->pcs);
		if (both || call->crm)
			show_lines(call, "crmsh", c->crm);
		return COMMAND_OK;
	}
	json = json_object_new_object();
	json_object_object_add(json, "cluster", json_object_new_boolean(c->seen.is_there));
	terminal_add(json, "card", c->card);
	json_object_object_add(json, "guests", json_object_get(c->guests));
	json_object_object_add(json, "pcs", json_object_get(c->pcs));
	json_object_object_add(json, "crmsh", json_object_get(c->crm));
	return terminal_json(call, json);
}

/* Makes the lines that were asked for, and prints them. Return: enum command_status. */
static int rules(struct call *call, struct cluster_case *c)
{
	unsigned int slots = call->config.vfs_in_flight;
	struct reason why = { 0 };
	int error;

	c->guests = json_object_new_array();
	c->pcs = json_object_new_array();
	c->crm = json_object_new_array();
	cluster_card(&call->config, &c->view.scene.inventory, c->card, sizeof(c->card));
	error = call->all ? add_all(call, c, &why) : add_named(call, c, &why);
	if (!error && call->all)
		cluster_add_options(&c->seen.cluster, c->most && c->most < slots ? slots / c->most : 1, c->pcs, c->crm);
	error = error ? command_fail(call, &why, call->guest) : show(call, c);
	json_object_put(c->guests);
	json_object_put(c->pcs);
	json_object_put(c->crm);
	return error;
}

/*
 * Refuses to tell what a node has where that would be a guess: what Pacemaker knew before stays then. Less than its guests use would have it stop
 * them. Return: 0, negative errno with *why.
 */
static int refuse_node(struct call *call, const struct cluster_case *c, struct reason *why)
{
	const struct inventory *inventory = &c->view.scene.inventory;
	char address[PCI_ADDRESS_LEN];

	if (!c->seen.is_there)
		return reason_set(why, -EAGAIN, NULL, "cibadmin does not answer: whose the VFs are that are in use here is not known");
	for (size_t i = 0; i < inventory->pfs; i++) {
		const struct inventory_pf *pf = &inventory->pf[i];

		if (guest_can_use_pf(&call->config, pf) && (!*pf->info.psid || !*pf->info.firmware))
			return reason_set(why, -EIO, pci_address_format(&pf->address, address), "devlink does not tell its PSID and firmware now");
	}
	return 0;
}

/* vferry cluster. */
static int run(struct call *call)
{
	autofree struct cluster_case *c = calloc(1, sizeof(*c));
	bool has_guest = call->guest || call->domain;
	struct reason why = { 0 };
	int status;

	if (call->all + call->node + has_guest != 1) {
		command_say(call, "cluster: name one guest, or --all, or --node; see vferry cluster --help");
		return COMMAND_USAGE;
	}
	if (!c || view_read(call, VIEW_FACTS | VIEW_GUESTS, &c->view, &why))
		return command_fail(call, &why, NULL);
	if (!view_has_card(call, &c->view))
		status = COMMAND_NOT_READY;
	else if (cluster_view_read(call, call->cib, &c->seen, &why) || (call->node && refuse_node(call, c, &why)))
		status = command_fail(call, &why, NULL);
	else
		status = call->node ? cluster_show_node(call, &c->view, &c->seen) : rules(call, c);
	cluster_view_release(&c->seen);
	view_release(&c->view);
	return status;
}

static const struct command_option options[] = {
	OPTION("all", NULL, all, "all guests that run here, and the cluster itself"),
	OPTION("node", NULL, node, "what this node publishes, for the agent ocf:vferry:host"),
	OPTION("pcs", NULL, pcs, "only lines for pcs"),
	OPTION("crmsh", NULL, crm, "only lines for crmsh"),
	OPTION("cib", "FILE", cib, "a CIB, instead of asking the cluster"),
	OPTION("domain", "FILE", domain, "the guest's XML, instead of asking libvirt ('-': stdin)"),
	OPTION_INVENTORY,
	OPTION_SETTINGS,
	OPTION_JSON,
	OPTION_END,
};

const struct command command_cluster = {
	.name = "cluster", .operands = "[GUEST]", .most = 1, .summary = "Prints the rules that guests need under Pacemaker.",
	.options = options, .run = run,
};
