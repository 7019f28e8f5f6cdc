/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * status.c: vferry status: PFs and VFs and who has them; what is in flight, and what was, is in migrations.c.
 */
#include <string.h>
#include <time.h>

#include "command/command.h"
#include "command/status/migrations.h"
#include "command/terminal.h"
#include "command/view.h"

#define WATCH_SECONDS 2
#define USES_SHOWN 5 /* of one PF */
#define NAME_COLUMN 71 /* where a row's last word begins: who has the VF */

/* Who has a VF: a guest that libvirt runs, one that it is promised to, the host itself, anybody else. */
struct holder {
	const char *kind;           /* "guest", "promised", "host", "driver", another kind of use (uses.h), "" free */
	char name[DOMAIN_NAME_MAX]; /* clean */
};

/* Whether a kind of use is the host's own by way of the VF's netdev. */
static bool is_hosts(enum use_kind kind)
{
	return kind == USE_ROUTE || kind == USE_ADDRESS || kind == USE_STACK || kind == USE_MEMBER || kind == USE_BOND || kind == USE_UP;
}

/* Finds out who has a VF. */
static struct holder holder_of(const struct view *view, const struct inventory_vf *vf)
{
	const struct status *status = status_find_device(&view->scene.running, &vf->address);
	const struct record *record = record_find_vf(&view->scene.records, &vf->address, NULL);
	struct holder holder = { .kind = "" };
	const struct use *by = NULL;
	enum use_grade grade = uses_grade(&view->uses, vf, NULL, &by);

	if (status) {
		holder.kind = "guest";
		reason_clean(holder.name, sizeof(holder.name), status->name);
	} else if (record) {
		holder.kind = "promised";
		reason_clean(holder.name, sizeof(holder.name), record->name);
	} else if (*vf->host_netdev && (grade <= GRADE_UP || is_hosts(by->kind))) {
		holder.kind = "host";
		snprintf(holder.name, sizeof(holder.name), "%s", vf->host_netdev);
	} else if (grade > GRADE_UP && by->kind != USE_DRIVER) {
		holder.kind = uses_key(by->kind);
		snprintf(holder.name, sizeof(holder.name), "%s", by->name);
	} else if (grade > GRADE_UP || strcmp(vf->driver, "mlx5_vfio_pci") == 0) {
		holder.kind = "driver";
	}
	return holder;
}

/* The VLAN tag of a VF's port, -1 if it has none. */
static int tag_of(const struct view *view, const struct inventory_vf *vf)
{
	const struct ovs_port *port = *vf->port.netdev ? ovs_find_interface(&view->scene.inventory.ovs, vf->port.netdev) : NULL;

	return port ? port->tag : -1;
}

/* ---- For a person -------------------------------------------------------------------------------------------------------------- */

/* Prints what could not be read, and what to do. head: what stands before it. */
static void show_trouble(struct call *call, const char *head, const char *trouble, const char *cure)
{
	char text[520];

	snprintf(text, sizeof(text), "%.255s%s%.255s", trouble, *cure ? "; " : "", cure);
	terminal_print(call, TONE_BAD, "%s", head);
	terminal_wrap(call, (int)strlen(head), text);
}

/* Whether a use of a PF is worth a line: what guests of vferry's ports use is told with their VFs. */
static bool is_told(const struct use *use)
{
	return !*use->uuid && use->kind != USE_RULES;
}

/* Prints who uses a PF's uplink, or would feel a change of its eswitch: a line each, as far as few. */
static void show_uses(struct call *call, const struct view *view, const struct inventory_pf *pf)
{
	const struct use_target target = use_pf(&pf->address);
	char sentence[256];
	size_t count = 0;

	for (const struct use *use = uses_next(&view->uses, &target, NULL); use; use = uses_next(&view->uses, &target, use)) {
		if (!is_told(use) || count++ >= USES_SHOWN)
			continue;
		terminal_print(call, TONE_FAINT, "  used: ");
		terminal_wrap(call, (int)strlen("  used: "), uses_say(use, sentence, sizeof(sentence)));
	}
	if (count > USES_SHOWN)
		fprintf(call->out, "  and %zu more\n", count - USES_SHOWN);
}

/* Prints a PF: two lines, and who uses it. */
static void show_pf(struct call *call, struct view *view, const struct inventory_pf *pf)
{
	const char *mode = pf->mode == ESWITCH_SWITCHDEV ? "switchdev" : pf->mode == ESWITCH_LEGACY ? "legacy" : "mode unknown";
	struct placement placement = scene_placement(&view->scene);
	char address[PCI_ADDRESS_LEN], line[320];

	terminal_print(call, TONE_STRONG, "PF %s", pci_address_format(&pf->address, address));
	fprintf(call->out, "  %s, firmware %s, %s\n  ", pf->card.name, *pf->info.firmware ? pf->info.firmware : "unknown", mode);
	snprintf(line, sizeof(line), "uplink %s%s, %s%s; %u of %u VFs; %u of %u slots in flight", *pf->uplink ? pf->uplink : "none",
		 pf->uplink_up || !*pf->uplink ? "" : " (down)", *pf->uplink_bridge ? "bridge " : "in no bridge", pf->uplink_bridge, pf->num_vfs,
		 pf->total_vfs, placement_in_flight(&placement, pf), call->config.vfs_in_flight);
	terminal_wrap(call, 2, line);
	if (*pf->trouble)
		show_trouble(call, "  trouble: ", pf->trouble, pf->cure);
	show_uses(call, view, pf);
}

/* Prints one VF: a row of the table. */
static void show_vf(struct call *call, const struct view *view, const struct inventory_vf *vf)
{
	struct holder holder = holder_of(view, vf);
	char address[PCI_ADDRESS_LEN], vlan[12] = "-";
	int tag = tag_of(view, vf);

	if (tag >= 0)
		snprintf(vlan, sizeof(vlan), "%d", tag);
	fprintf(call->out, "  %-13s %-13.13s %-3s %-15.15s %-4s %-11.11s %-4s ", pci_address_format(&vf->address, address),
		*vf->driver ? vf->driver : "-", !vf->has_port ? "-" : vf->port.migratable ? "yes" : "no", *vf->port.netdev ? vf->port.netdev : "-",
		!vf->has_port ? "-" : vf->representor_up ? "up" : "down", *vf->bridge ? vf->bridge : "-", vlan);
	if (!*holder.kind)
		terminal_print(call, TONE_FAINT, "free\n");
	else if (strcmp(holder.kind, "guest") == 0)
		terminal_print(call, TONE_GOOD, "%.*s\n", terminal_room(call, NAME_COLUMN), holder.name);
	else if (strcmp(holder.kind, "promised") == 0)
		terminal_print(call, TONE_WARNING, "(%.*s)\n", terminal_room(call, NAME_COLUMN + 2), holder.name);
	else if (strcmp(holder.kind, "host") == 0 || strcmp(holder.kind, "driver") == 0)
		fprintf(call->out, "%s\n", holder.kind);
	else
		fprintf(call->out, "%s: %.*s\n", holder.kind, terminal_room(call, NAME_COLUMN + (int)strlen(holder.kind) + 2), holder.name);
}

/* Prints the PFs with their VFs. */
static void show_pfs(struct call *call, struct view *view)
{
	struct inventory *inventory = &view->scene.inventory;

	for (size_t i = 0; i < inventory->pfs; i++) {
		const struct inventory_pf *pf = &inventory->pf[i];

		show_pf(call, view, pf);
		if (pf->num_vfs)
			fprintf(call->out, "  %-13s %-13s %-3s %-15s %-4s %-11s %-4s %s\n", "VF", "DRIVER", "MIG", "REPRESENTOR", "LINK",
				"BRIDGE",
				"VLAN", "GUEST");
		for (unsigned int k = 0; k < pf->num_vfs; k++)
			show_vf(call, view, &pf->vf[k]);
	}
}

/* Prints the state of the host. */
static void show(struct call *call, struct view *view)
{
	const struct inventory *inventory = &view->scene.inventory;

	view_say_unseen(call, view);
	if (view->is_closed)
		terminal_print(call, TONE_WARNING, "maintenance: no guest with a VF arrives here, until: vferry maintenance off\n");
	if (!inventory->has_ovs)
		show_trouble(call, "Open vSwitch: ", inventory->ovs_trouble, inventory->ovs_cure);
	show_pfs(call, view);
	status_show_migrations(call, view);
}

/* ---- For programs -------------------------------------------------------------------------------------------------------------- */

/* Return: the uses of a target as JSON. */
static struct json_object *uses_json(const struct view *view, const struct use_target *target)
{
	struct json_object *list = json_object_new_array();
	char sentence[256];

	for (const struct use *use = uses_next(&view->uses, target, NULL); use; use = uses_next(&view->uses, target, use)) {
		struct json_object *json = json_object_new_object();

		terminal_add(json, "kind", uses_key(use->kind));
		terminal_add(json, "user", use->name);
		terminal_add(json, "sentence", uses_say(use, sentence, sizeof(sentence)));
		json_object_array_add(list, json);
	}
	return list;
}

/* Return: a VF as JSON. */
static struct json_object *vf_json(const struct view *view, const struct inventory_vf *vf)
{
	struct json_object *json = json_object_new_object();
	struct holder holder = holder_of(view, vf);
	const struct use_target target = use_vf(&vf->address);
	char address[PCI_ADDRESS_LEN];

	terminal_add(json, "vf", pci_address_format(&vf->address, address));
	terminal_add(json, "driver", vf->driver);
	json_object_object_add(json, "migratable", json_object_new_boolean(vf->has_port && vf->port.migratable));
	terminal_add(json, "representor", vf->port.netdev);
	json_object_object_add(json, "link", json_object_new_boolean(vf->representor_up));
	terminal_add(json, "bridge", vf->bridge);
	json_object_object_add(json, "vlan", json_object_new_int(tag_of(view, vf)));
	terminal_add(json, "held", *holder.kind ? holder.kind : "free");
	terminal_add(json, "holder", holder.name);
	json_object_object_add(json, "uses", uses_json(view, &target));
	return json;
}

/* Return: a PF as JSON. */
static struct json_object *pf_json(struct view *view, const struct inventory_pf *pf)
{
	struct json_object *json = json_object_new_object(), *vfs = json_object_new_array();
	struct placement placement = scene_placement(&view->scene);
	const struct use_target target = use_pf(&pf->address);
	char address[PCI_ADDRESS_LEN];

	for (unsigned int i = 0; i < pf->num_vfs; i++)
		json_object_array_add(vfs, vf_json(view, &pf->vf[i]));
	terminal_add(json, "pf", pci_address_format(&pf->address, address));
	terminal_add(json, "card", pf->card.name);
	terminal_add(json, "firmware", pf->info.firmware);
	terminal_add(json, "mode", pf->mode == ESWITCH_SWITCHDEV ? "switchdev" : pf->mode == ESWITCH_LEGACY ? "legacy" : "unknown");
	terminal_add(json, "uplink", pf->uplink);
	terminal_add(json, "bridge", pf->uplink_bridge);
	json_object_object_add(json, "in_flight", json_object_new_int64(placement_in_flight(&placement, pf)));
	json_object_object_add(json, "slots", json_object_new_int64(placement.config->vfs_in_flight));
	json_object_object_add(json, "uses", uses_json(view, &target));
	json_object_object_add(json, "vfs", vfs);
	return json;
}

/* Return: the host as JSON. */
static struct json_object *to_json(struct view *view)
{
	struct json_object *json = json_object_new_object(), *pfs = json_object_new_array(), *unseen = json_object_new_array();

	for (size_t i = 0; i < view->scene.inventory.pfs; i++)
		json_object_array_add(pfs, pf_json(view, &view->scene.inventory.pf[i]));
	for (size_t i = 0; i < view->unseens; i++)
		json_object_array_add(unseen, json_object_new_string(view->unseen[i]));
	terminal_add(json, "host", view->scene.inventory.hostname);
	json_object_object_add(json, "maintenance", json_object_new_boolean(view->is_closed));
	json_object_object_add(json, "pfs", pfs);
	status_add_migrations(json, view);
	json_object_object_add(json, "unseen", unseen);
	return json;
}

/* Reads and prints once. Return: enum command_status. */
static int once(struct call *call)
{
	autoview struct view view = { 0 };
	struct reason why = { 0 };

	if (view_read(call, VIEW_GUESTS, &view, &why))
		return command_fail(call, &why, NULL);
	if (!view_has_card(call, &view))
		return COMMAND_NOT_READY;
	if (call->json)
		return terminal_json(call, to_json(&view));
	show(call, &view);
	return COMMAND_OK;
}

/* Prints once, or again and again until somebody ends it. */
static int run(struct call *call)
{
	int status;

	for (;;) {
		if (call->watch && call->terminal)
			fputs("\033[H\033[2J", call->out); /* cursor home, erase in display: ECMA-48 */
		status = once(call);
		if (!call->watch || status != COMMAND_OK || fflush(call->out))
			return status;
		nanosleep(&(struct timespec){ .tv_sec = WATCH_SECONDS }, NULL);
	}
}

static const struct command_option options[] = {
	OPTION("watch", NULL, watch, "again every two seconds, until Ctrl-C"),
	OPTION_INVENTORY,
	OPTION_SETTINGS,
	OPTION_JSON,
	OPTION_END,
};

const struct command command_status_row = {
	.name = "status", .operands = "", .summary = "Shows PFs, VFs, who has them, and what is in flight.", .options = options, .run = run,
};
