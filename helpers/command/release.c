/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * release.c: vferry release: takes back what was made for guests that never came or are gone, after it has said what that is.
 *
 * The hook does the same whenever it is called; this is for the host on which nothing calls it any more.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "command/command.h"
#include "command/terminal.h"
#include "engine/ready.h"

/* What there is to take back. */
struct leftovers {
	struct scene scene;
	struct pci_address pf[INVENTORY_MAX_PFS]; /* with changes, and no guest that they are kept for */
	size_t pfs;
	size_t guests, ports;                     /* lost, orphaned */
	size_t vfs;                               /* of nobody, with changes that could not be taken back yet */
};

/* Whether some guest that is not lost has a VF of a PF. */
static bool is_kept(const struct scene *scene, const struct pci_address *pf)
{
	for (size_t i = 0; i < scene->records.count; i++) {
		const struct record *record = &scene->records.record[i];

		for (size_t k = 0; k < record->vfs; k++) {
			if (pci_address_equal(&record->vf[k].pf, pf) && !ready_is_lost(scene, record))
				return true;
		}
	}
	return false;
}

/* Looks for what there is to take back. Return: 0, negative errno with *why filled. */
static int find(struct call *call, struct leftovers *left, struct reason *why)
{
	struct pci_address pf[INVENTORY_MAX_PFS];
	int error = state_upgrade(why), pfs;

	if (!error)
		error = scene_read(&left->scene, &call->config, deadline_in(COMMAND_TIME), why);
	if (error)
		return error;
	pfs = record_list_pfs(pf, INVENTORY_MAX_PFS, why);
	if (pfs < 0 && pfs != -ENOENT)
		return pfs;
	for (int i = 0; i < pfs; i++) {
		if (!is_kept(&left->scene, &pf[i]))
			left->pf[left->pfs++] = pf[i];
	}
	for (size_t i = 0; i < left->scene.records.count; i++)
		left->guests += ready_is_lost(&left->scene, &left->scene.records.record[i]);
	for (size_t i = 0; i < left->scene.objects.count; i++)
		left->vfs += !object_is_owned(&left->scene.objects.object[i]);
	for (size_t i = 0; i < left->scene.inventory.ovs.ports; i++)
		left->ports += ready_is_orphan_port(&left->scene, &left->scene.inventory.ovs.port[i]);
	return 0;
}

/* Prints changes, the last one first, as they are taken back. */
static void show_steps(struct call *call, const struct steps *steps)
{
	char text[192];

	for (size_t i = steps->count; i-- > 0;) {
		fputs("    undo  ", call->out);
		terminal_wrap(call, 10, step_describe(&steps->step[i], text, sizeof(text)));
	}
}

/* Prints a guest that has a lease. */
static void show_guest(struct call *call, const struct scene *scene, const struct record *record)
{
	static const char *const states[] = { [RECORD_ARRIVING] = "arriving", [RECORD_STARTING] = "starting",
					      [RECORD_RUNNING] = "running" };
	long long age = (clock_ms() - record->touched) / 1000;
	char line[512], name[sizeof(record->name)];

	reason_clean(name, sizeof(name), record->name);
	if (!ready_is_lost(scene, record)) {
		if (record->state == RECORD_RUNNING || status_find_uuid(&scene->running, record->uuid))
			return;
		snprintf(line, sizeof(line), "%s (%s): expected for %lld more seconds", name, states[record->state],
			 (long long)scene->config->lease_time - age);
		terminal_wrap(call, 2, line);
		return;
	}
	snprintf(line, sizeof(line), "%s (%s, last heard of %lld seconds ago) is not here: its VFs are given back, %zu step%s taken back",
		 name, states[record->state], age, record->changes, record->changes == 1 ? " is" : "s are");
	terminal_wrap(call, 2, line);
	for (size_t i = 0; i < scene->objects.count; i++) {
		if (strcmp(scene->objects.object[i].owner.lease, record->lease) == 0)
			show_steps(call, &scene->objects.object[i].changes);
	}
}

/* Prints a VF that is nobody's, and could not be made what it was yet. */
static void show_vf(struct call *call, const struct object *object)
{
	char address[PCI_ADDRESS_LEN], line[192];

	snprintf(line, sizeof(line), "VF %s: what was made of it for a guest that is gone is taken back, if nobody uses the VF",
		 pci_address_format(&object->vf, address));
	terminal_wrap(call, 2, line);
	show_steps(call, &object->changes);
}

/* Prints a PF with changes that no guest needs. */
static void show_pf(struct call *call, const struct pci_address *pf)
{
	autoobject struct object object = { .pf = *pf };
	char address[PCI_ADDRESS_LEN], line[192];
	struct reason why = { 0 };

	if (object_read(&object, &why))
		return;
	snprintf(line, sizeof(line), "PF %s: what was made of it for a guest that never ran is taken back, if nobody uses the PF",
		 pci_address_format(pf, address));
	terminal_wrap(call, 2, line);
	show_steps(call, &object.changes);
}

/* Prints what there is to take back. */
static void show(struct call *call, const struct leftovers *left)
{
	const struct scene *scene = &left->scene;

	for (size_t i = 0; i < scene->records.count; i++)
		show_guest(call, scene, &scene->records.record[i]);
	for (size_t i = 0; i < scene->objects.count; i++) {
		if (!object_is_owned(&scene->objects.object[i]))
			show_vf(call, &scene->objects.object[i]);
	}
	for (size_t i = 0; i < scene->inventory.ovs.ports; i++) {
		const struct ovs_port *port = &scene->inventory.ovs.port[i];
		char line[256];

		if (!ready_is_orphan_port(scene, port))
			continue;
		snprintf(line, sizeof(line), "port %s of bridge %s: its guest is gone: it is removed", port->name, port->bridge);
		terminal_wrap(call, 2, line);
	}
	for (size_t i = 0; i < left->pfs; i++)
		show_pf(call, &left->pf[i]);
}

/* Return: what there is to take back, as JSON. */
static struct json_object *to_json(const struct leftovers *left)
{
	struct json_object *json = json_object_new_object(), *guests = json_object_new_array(), *ports = json_object_new_array();
	struct json_object *vfs = json_object_new_array(), *pfs = json_object_new_array();
	const struct scene *scene = &left->scene;
	char address[PCI_ADDRESS_LEN];

	for (size_t i = 0; i < scene->records.count; i++) {
		struct json_object *guest;

		if (!ready_is_lost(scene, &scene->records.record[i]))
			continue;
		guest = json_object_new_object();
		terminal_add(guest, "guest", scene->records.record[i].name);
		terminal_add(guest, "uuid", scene->records.record[i].uuid);
		json_object_object_add(guest, "steps", json_object_new_int64((int64_t)scene->records.record[i].changes));
		json_object_array_add(guests, guest);
	}
	for (size_t i = 0; i < scene->objects.count; i++) {
		if (!object_is_owned(&scene->objects.object[i]))
			json_object_array_add(vfs, json_object_new_string(pci_address_format(&scene->objects.object[i].vf, address)));
	}
	for (size_t i = 0; i < scene->inventory.ovs.ports; i++) {
		if (ready_is_orphan_port(scene, &scene->inventory.ovs.port[i]))
			json_object_array_add(ports, json_object_new_string(scene->inventory.ovs.port[i].name));
	}
	for (size_t i = 0; i < left->pfs; i++)
		json_object_array_add(pfs, json_object_new_string(pci_address_format(&left->pf[i], address)));
	json_object_object_add(json, "guests", guests);
	json_object_object_add(json, "vfs", vfs);
	json_object_object_add(json, "ports", ports);
	json_object_object_add(json, "pfs", pfs);
	return json;
}

/*
 * Takes it back, as the hook does. A guest that has not come in time is told so when it comes after all; here who called says that it does
 * not. Return: 0, negative errno with *why filled.
 */
static int take_back(struct call *call, const struct leftovers *left, struct reason *why)
{
	deadline_t deadline = deadline_in((int)call->config.hook_deadline * 1000);
	int error = 0;

	for (size_t i = 0; i < left->scene.records.count; i++) {
		const struct record *record = &left->scene.records.record[i];
		const struct ready_choice lost = { .uuid = record->uuid, .lease = record->lease, .is_lapsed = true, .try = true };

		if (record->state == RECORD_ARRIVING && ready_is_lost(&left->scene, record))
			(void)ready_give_back(&call->config, &lost, false, deadline, NULL); /* what fails is said by finish() */
	}
	(void)ready_reconcile(&call->config, deadline, NULL);
	for (size_t i = 0; !error && i < left->pfs; i++)
		error = ready_give_back_pf(&left->pf[i], &call->config, deadline, why);
	return error;
}

/* Says how it came out: what is still there could not be taken back. Return: enum command_status. */
static int finish(struct call *call, size_t before)
{
	autofree struct leftovers *left = calloc(1, sizeof(*left));
	struct reason why = { 0 };
	size_t after;

	if (!left || find(call, left, &why))
		return command_fail(call, &why, NULL);
	after = left->guests + left->vfs + left->ports;
	scene_release(&left->scene);
	if (!call->json)
		fprintf(call->out, "%zu of %zu released.\n", before > after ? before - after : 0, before);
	if (!after)
		return COMMAND_OK;
	command_say(call, "%zu could not be taken back; the reasons are in the log: journalctl -t vferry", after);
	return COMMAND_NOT_READY;
}

/* Shows what there is, and takes it back if told to. Return: enum command_status. */
static int release(struct call *call, struct leftovers *left)
{
	size_t count = left->guests + left->vfs + left->ports;
	struct reason why = { 0 };

	if (call->json)
		(void)terminal_json(call, to_json(left));
	else
		show(call, left);
	if (!count && !left->pfs) {
		if (!call->json)
			fputs("Nothing is left behind.\n", call->out);
		return COMMAND_OK;
	}
	if (call->dry_run)
		return COMMAND_OK;
	if (!call->yes && !terminal_ask(call, "Take this back?")) {
		command_say(call, "nothing was changed%s", call->terminal ? "" : "; run it with --yes");
		return COMMAND_NOT_READY;
	}
	if (take_back(call, left, &why))
		return command_fail(call, &why, NULL);
	return finish(call, count);
}

/* vferry release. */
static int run(struct call *call)
{
	autofree struct leftovers *left = calloc(1, sizeof(*left));
	struct reason why = { 0 };
	int status;

	if (geteuid() != 0) {
		command_say(call, "release: only root may see and change what is kept below /run/vferry");
		return COMMAND_NOT_READY;
	}
	if (!left || find(call, left, &why))
		return command_fail(call, &why, NULL);
	status = release(call, left);
	scene_release(&left->scene);
	return status;
}

static const struct command_option options[] = {
	OPTION("dry-run", NULL, dry_run, "only show it"),
	OPTION("yes", NULL, yes, "do not ask"),
	OPTION_SETTINGS,
	OPTION_JSON,
	OPTION_END,
};

const struct command command_release = {
	.name = "release", .operands = "", .summary = "Takes back what was made for guests that are not here.", .options = options, .run = run,
};
