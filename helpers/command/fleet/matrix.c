/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * matrix.c: vferry fleet matrix: every guest by every host, the groups of hosts that can exchange guests, what drifts inside a group, and who has
 * another guest's MAC.
 */
#include "command/fleet/matrix.h"

#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "command/terminal.h"

#define COLUMN 9
#define HOSTS_ACROSS 6 /* that have room side by side; where there are more, each guest gets lines of its own */

/* What a cell says: as the rules say, and whether there is room now. */
static enum fleet_need cell_of(const struct fleet *fleet, size_t guest, size_t host, unsigned int *lack)
{
	struct fleet_question question = { 0 };
	struct fleet_fit fit = fleet_judge(fleet, guest, host, &question, NULL);
	unsigned int left = 0;
	uint16_t all = 0;

	*lack = 0;
	if (fit.need != NEED_NOTHING)
		return fit.need;
	for (size_t i = 0; i < fit.vfs; i++)
		all |= fit.mask[i];
	for (size_t pf = 0; pf < fleet->host[host].inventory->pfs; pf++)
		left += all & 1u << pf ? fleet_free_vfs(fleet, host, pf) : 0;
	if (left < fit.vfs) {
		*lack = fit.vfs - left;
		return NEED_VFS;
	}
	return (int64_t)fleet->guest[guest].machine.memory > fleet_free_memory(fleet, host) ? NEED_MEMORY : NEED_NOTHING;
}

/* The word of a cell. Return: out. */
static const char *say_cell(const struct fleet *fleet, size_t guest, size_t host, char *out, size_t size)
{
	unsigned int lack;
	enum fleet_need need = cell_of(fleet, guest, host, &lack);

	if (need == NEED_VFS)
		snprintf(out, size, "free %u VF", lack);
	else
		snprintf(out, size, "%s", fleet_need_word(need));
	return out;
}

/* The PF of a host that counts: the first that is prepared and may be used, else the first that may be used. */
static const struct inventory_pf *main_pf(const struct fleet *fleet, size_t host)
{
	const struct inventory *inventory = fleet->host[host].inventory;
	const struct inventory_pf *first = NULL;

	for (size_t i = 0; i < inventory->pfs; i++) {
		const struct inventory_pf *pf = &inventory->pf[i];

		if (!guest_can_use_pf(fleet->config, pf))
			continue;
		if (pf->mode == ESWITCH_SWITCHDEV)
			return pf;
		first = first ? first : pf;
	}
	return first;
}

/* Whether two hosts can exchange guests: PSID, firmware, bridge, processor. */
static bool is_one_group(const struct fleet *fleet, size_t a, size_t b)
{
	const struct inventory_pf *x = main_pf(fleet, a), *y = main_pf(fleet, b);

	return x && y && !strcmp(x->info.psid, y->info.psid) && !strcmp(x->info.firmware, y->info.firmware) &&
	       !strcmp(x->uplink_bridge, y->uplink_bridge) && machine_has_same_processor(fleet->host[a].facts, fleet->host[b].facts);
}

/* Adds what drifts between two hosts of a group. */
static void add_drift(const struct fleet *fleet, size_t a, size_t b, char *out, size_t size)
{
	const struct facts *x = fleet->host[a].facts, *y = fleet->host[b].facts;
	const struct inventory_pf *p = main_pf(fleet, a), *q = main_pf(fleet, b);
	const struct {
		const char *what, *a, *b;
	} pairs[] = { { "QEMU", x->qemu, y->qemu }, { "libvirt", x->libvirt, y->libvirt }, { "kernel", x->kernel, y->kernel },
		      { "processor", x->cpu_model, y->cpu_model } };
	unsigned int here = p ? p->num_vfs : 0, there = q ? q->num_vfs : 0;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (*pairs[i].a && *pairs[i].b && strcmp(pairs[i].a, pairs[i].b) != 0)
			snprintf(out + strlen(out), size - strlen(out), "%s%s has %s %s, %s has %s", *out ? "; " : "", fleet->host[b].name,
				 pairs[i].what, pairs[i].b, fleet->host[a].name, pairs[i].a);
	}
	if (here != there)
		snprintf(out + strlen(out), size - strlen(out), "%s%s has %u VFs, %s has %u", *out ? "; " : "", fleet->host[b].name, there,
			 fleet->host[a].name, here);
}

/* One group. first: its first host. Return: JSON of it, or NULL where it was printed. */
static struct json_object *show_group(struct call *call, const struct fleet *fleet, size_t first, unsigned int number)
{
	const struct inventory_pf *pf = main_pf(fleet, first);
	char hosts[2048] = "", drift[2048] = "", text[4608];
	struct json_object *json, *list = json_object_new_array();

	for (size_t h = first; h < fleet->hosts; h++) {
		if (h != first && !is_one_group(fleet, first, h))
			continue;
		snprintf(hosts + strlen(hosts), sizeof(hosts) - strlen(hosts), "%s%s", *hosts ? ", " : "", fleet->host[h].name);
		json_object_array_add(list, json_object_new_string(fleet->host[h].name));
		if (h != first && pf)
			add_drift(fleet, first, h, drift, sizeof(drift));
	}
	if (call->json) {
		json = json_object_new_object();
		json_object_object_add(json, "hosts", list);
		terminal_add(json, "psid", pf ? pf->info.psid : "");
		terminal_add(json, "firmware", pf ? pf->info.firmware : "");
		terminal_add(json, "bridge", pf ? pf->uplink_bridge : "");
		terminal_add(json, "drift", drift);
		return json;
	}
	json_object_put(list);
	if (pf)
		snprintf(text, sizeof(text), "%s (PSID %s, firmware %s, bridge %s)", hosts, pf->info.psid, pf->info.firmware,
			 *pf->uplink_bridge ? pf->uplink_bridge : "none");
	else
		snprintf(text, sizeof(text), "%s: no card that can move VFs", hosts);
	fprintf(call->out, "group %-3u ", number);
	terminal_wrap(call, 10, text);
	if (*drift) {
		terminal_print(call, TONE_WARNING, "%10s", "drift: ");
		terminal_wrap(call, 10, drift);
	}
	return NULL;
}

/* All groups. Return: JSON of them, or NULL where they were printed. */
static struct json_object *show_groups(struct call *call, const struct fleet *fleet)
{
	struct json_object *groups = call->json ? json_object_new_array() : NULL;
	unsigned int number = 0;

	for (size_t h = 0; h < fleet->hosts; h++) {
		struct json_object *group;
		bool is_first = true;

		for (size_t k = 0; is_first && k < h; k++)
			is_first = !is_one_group(fleet, k, h);
		if (!is_first)
			continue;
		group = show_group(call, fleet, h, ++number);
		if (group)
			json_object_array_add(groups, group);
	}
	return groups;
}

/* The table, where all hosts have room side by side. */
static void show_table(struct call *call, const struct fleet *fleet)
{
	char cell[32];

	fprintf(call->out, "\n%-20s", "");
	for (size_t h = 0; h < fleet->hosts; h++)
		terminal_print(call, TONE_STRONG, " %-*.*s", COLUMN, COLUMN, fleet->host[h].name);
	for (size_t g = 0; g < fleet->guests; g++) {
		fprintf(call->out, "\n%-20.20s", fleet->guest[g].name);
		for (size_t h = 0; h < fleet->hosts; h++) {
			say_cell(fleet, g, h, cell, sizeof(cell));
			terminal_print(call, strcmp(cell, "yes") ? strcmp(cell, "here") ? TONE_BAD : TONE_FAINT : TONE_GOOD, " %-*s", COLUMN, cell);
		}
	}
	fputc('\n', call->out);
}

/* The same guest by guest: where it can go, and what each other host lacks. */
static void show_lists(struct call *call, const struct fleet *fleet)
{
	autofree char *text = malloc(65536);

	fputc('\n', call->out);
	for (size_t g = 0; text && g < fleet->guests; g++) {
		char cell[32];
		size_t yes = 0;

		*text = '\0';
		for (size_t h = 0; h < fleet->hosts; h++) {
			say_cell(fleet, g, h, cell, sizeof(cell));
			yes += strcmp(cell, "yes") == 0;
			if (strcmp(cell, "yes") && strcmp(cell, "here") && strlen(text) < 1200)
				snprintf(text + strlen(text), 65536 - strlen(text), ", %s: %s", fleet->host[h].name, cell);
		}
		fprintf(call->out, "%-20.20s ", fleet->guest[g].name);
		snprintf(cell, sizeof(cell), "%zu of %zu", yes, fleet->hosts - 1);
		memmove(text + strlen(cell), text, strlen(text) + 1);
		memcpy(text, cell, strlen(cell));
		terminal_wrap(call, 21, text);
	}
}

/* All cells as JSON. */
static struct json_object *cells_json(const struct fleet *fleet)
{
	struct json_object *guests = json_object_new_array();

	for (size_t g = 0; g < fleet->guests; g++) {
		struct json_object *guest = json_object_new_object(), *hosts = json_object_new_object();
		char cell[32];

		for (size_t h = 0; h < fleet->hosts; h++)
			terminal_add(hosts, fleet->host[h].name, say_cell(fleet, g, h, cell, sizeof(cell)));
		terminal_add(guest, "guest", fleet->guest[g].name);
		terminal_add(guest, "uuid", fleet->guest[g].uuid);
		terminal_add(guest, "host", fleet->host[fleet->guest[g].host].name);
		json_object_object_add(guest, "can_go", hosts);
		json_object_array_add(guests, guest);
	}
	return guests;
}

/* Adds the first MAC that a guest of a host has together with one of another host, or of the same one. */
static void add_twins(struct call *call, const struct fleet_case *c, size_t host, size_t other, struct json_object *list)
{
	const struct status_list *running = &c->host[host].view.scene.running;

	for (size_t i = 0; i < running->count; i++) {
		const struct mac_address *mac = NULL;
		const struct status *guest = &running->status[i], *twin = status_find_twin(guest, &c->host[other].view.scene.running, &mac);
		char text[MAC_ADDRESS_LEN], name[2][64], line[1024];

		if (!twin || (host == other && strcmp(guest->uuid, twin->uuid) > 0)) /* of two on one host each has the other */
			continue;
		reason_clean(name[0], sizeof(name[0]), guest->name);
		reason_clean(name[1], sizeof(name[1]), twin->name);
		snprintf(line, sizeof(line), "%s on %s and %s on %s: %s", name[0], c->host[host].name, name[1], c->host[other].name,
			 mac_address_format(mac, text));
		if (list) {
			json_object_array_add(list, json_object_new_string(line));
		} else {
			terminal_print(call, TONE_BAD, "%10s", "one MAC: ");
			terminal_wrap(call, 10, line);
		}
	}
}

/*
 * Guests of which two have one MAC, in the whole fleet: the network sends the frames of both to one.
 * Return: JSON of them, or NULL where they were printed.
 */
static struct json_object *show_twins(struct call *call, const struct fleet_case *c)
{
	struct json_object *list = call->json ? json_object_new_array() : NULL;

	for (size_t h = 0; h < c->hosts; h++) {
		for (size_t k = h; k < c->hosts; k++)
			add_twins(call, c, h, k, list);
	}
	return list;
}

/* vferry fleet matrix. */
int fleet_matrix_command(struct call *call, struct fleet_case *c)
{
	struct json_object *groups = show_groups(call, &c->fleet), *twins = show_twins(call, c), *json;

	if (!call->json) {
		if (c->hosts <= HOSTS_ACROSS)
			show_table(call, &c->fleet);
		else
			show_lists(call, &c->fleet);
		return COMMAND_OK;
	}
	json = json_object_new_object();
	json_object_object_add(json, "groups", groups);
	json_object_object_add(json, "one_mac", twins);
	json_object_object_add(json, "guests", cells_json(&c->fleet));
	terminal_add(json, "missing", c->missing);
	return terminal_json(call, json);
}
